/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/grpc_stream.h - gRPC calls in the bytes that a client sent over HTTP/2
 *
 * Cleartext, and from the beginning of the connection: header compression
 * makes each header depend on all that came before it. So only a gap inside
 * the data of a call can be passed over; after another one nothing of the
 * connection can be read. Sources: RFC 9113, RFC 7541, grpc PROTOCOL-HTTP2.md.
 */
#ifndef NET_GRPC_STREAM_H
#define NET_GRPC_STREAM_H

#include <span/base.h>

#include "net/http_stream.h"

#define SPAN__GRPC_CALLS 256u		/* unfinished ones of a connection */
#define SPAN__GRPC_HEAD_MAX (64u << 10) /* bytes of a header block */

/* What an HTTP/2 client sends first. */
#define SPAN__HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct span__grpc_stream;

/*
 * The bytes to come are those behind the preface. Each message is a request to
 * SINK, borrowed, with the name of its compression as content_encoding when it
 * is compressed.
 */
SPAN_NODISCARD int span__grpc_stream_open(struct span__grpc_stream **out,
					  const struct span__http_sink *sink,
					  struct span_error *err);

/*
 * Take the next bytes. 0; 1 when nothing more can be read; SPAN_E_NOMEM, or
 * what the sink returned.
 */
SPAN_NODISCARD int span__grpc_stream_put(struct span__grpc_stream *g,
					 const struct span__tcp_bytes *b,
					 struct span_error *err);

/* LEN bytes are missing here, for CAUSE. 1 when nothing more can be read. */
int span__grpc_stream_gap(struct span__grpc_stream *g, uint32_t len,
			  enum span__drop cause);

size_t span__grpc_stream_memory(const struct span__grpc_stream *g);

/* Unfinished calls are lost. NULL is fine. */
void span__grpc_stream_close(struct span__grpc_stream **g);

#endif
