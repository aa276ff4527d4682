/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_stream.h - HTTP/1.1 requests in the bytes that a client sent
 *
 * Of a connection that somebody else serves: nothing is answered, and what
 * cannot be read costs its own request only. Keep-alive, pipelining and chunked
 * bodies are understood. Source: RFC 9112.
 */
#ifndef NET_HTTP_STREAM_H
#define NET_HTTP_STREAM_H

#include <span/base.h>

#include "net/counts.h"
#include "net/tcp.h"

#define SPAN__HTTP_TARGET_MAX 4096u /* bytes of a request's target */

/* A whole request. A view. */
struct span__http_request {
	struct span_str path; /* without the query */
	struct span_str content_type, content_encoding;
	struct span_str body;
	uint64_t time_ns; /* when its last byte came */
};

struct span__http_sink {
	void *arg;
	/* Is a POST to PATH wanted? */
	bool (*wants)(struct span_str path);
	/* 0 or a negative code, which is handed on. */
	int (*request)(void *arg, const struct span__http_request *r,
		       struct span_error *err);
	/* A request was lost for CAUSE. */
	void (*lost)(void *arg, enum span__drop cause);
	/* A request is of no interest. */
	void (*ignored)(void *arg);
};

struct span__http_stream;

/* WHOLE: the next byte is the first one of a request. SINK is borrowed. */
SPAN_NODISCARD int span__http_stream_open(struct span__http_stream **out,
					  const struct span__http_sink *sink,
					  bool whole, struct span_error *err);

/* Take the next bytes. 0, SPAN_E_NOMEM, or what the sink returned. */
SPAN_NODISCARD int span__http_stream_put(struct span__http_stream *h,
					 const struct span__tcp_bytes *b,
					 struct span_error *err);

/*
 * Bytes are missing here: the request they belong to is lost for CAUSE, and
 * the next one is looked for at the beginning of a packet.
 */
void span__http_stream_gap(struct span__http_stream *h, enum span__drop cause);

/* Do these bytes begin like a request of HTTP/1? */
bool span__http_stream_begins(const void *p, size_t len);

size_t span__http_stream_memory(const struct span__http_stream *h);

/* An unfinished request is lost. NULL is fine. */
void span__http_stream_close(struct span__http_stream **h);

#endif
