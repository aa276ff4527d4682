/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/inflate.h - what clients compress
 *
 * The content codings of HTTP bodies and the compressions of gRPC messages.
 * Only as much comes out as the caller allows, whatever goes in.
 *
 * Sources: RFC 9110 8.4.1, RFC 1950-1952, RFC 8878, RFC 9659.
 */
#ifndef NET_INFLATE_H
#define NET_INFLATE_H

#include <span/base.h>

enum span__coding {
	SPAN__CODING_IDENTITY,
	SPAN__CODING_GZIP,
	SPAN__CODING_DEFLATE, /* of zlib, or raw: senders disagree */
	SPAN__CODING_ZSTD,
};

/*
 * What NAME stands for in Content-Encoding or grpc-encoding, in any case:
 * an enum span__coding, or -1 when this build does not know it. An empty name
 * is identity.
 */
int span__coding_of(struct span_str name);

/* "gzip, deflate, zstd": what to accept, for the same headers. */
const char *span__codings(void);

/*
 * Append to OUT what the LEN bytes at P stand for. Of gzip members and zstd
 * frames there may be several.
 *
 * 0; SPAN_E_LIMIT when it is more than MAX bytes, or asks for a window above
 * 8 MiB; SPAN_E_CORRUPT when it is damaged, cut, or followed by something
 * else; SPAN_E_NOMEM. After an error OUT holds a part of it.
 */
SPAN_NODISCARD int span__inflate(int coding, const void *p, size_t len,
				 size_t max, struct span_buf *out,
				 struct span_error *err);

#endif
