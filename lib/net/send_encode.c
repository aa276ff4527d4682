/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to the bytes of a request. */
#include <span/codec.h>

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "net/send_batch.h"
#include "net/send_reply.h"

#include "base/banned.h"

#define GZIP_WINDOW (15 + 16)
#define GZIP_LEVEL 3 /* a third of the time of 6, a tenth larger */

/*
 * The body for Jaeger's collector is the Batch alone: without the head of the
 * message emitBatch, which binary Thrift writes in 21 bytes, the three of the
 * argument's field, and the stop of the arguments.
 */
#define ENVELOPE_BEFORE 24u
#define ENVELOPE_AFTER 1u

static int encode_bare(struct span_buf *out, const struct span *spans, size_t n,
		       struct span_error *err)
{
	size_t start = out->len, len;
	int rc = span_encode_jaeger(out, SPAN_FORMAT_JAEGER_BINARY, spans, n, 0,
				    err);

	if (rc < 0)
		return rc;
	len = out->len - start;
	assert(len > ENVELOPE_BEFORE + ENVELOPE_AFTER);
	len -= ENVELOPE_BEFORE + ENVELOPE_AFTER;
	memmove(out->p + start, out->p + start + ENVELOPE_BEFORE, len);
	out->len = start + len;
	return 0;
}

int span__send_encode(struct span_buf *out, const struct span__send_url *u,
		      const struct span *spans, size_t n,
		      struct span_error *err)
{
	if (u->protocol == SPAN__SEND_JAEGER_HTTP)
		return encode_bare(out, spans, n, err);
	if (u->protocol == SPAN__SEND_JAEGER_UDP)
		return span_encode_jaeger(out, u->format, spans, n, 0, err);
	return span_encode_message(out, u->format, spans, n, err);
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

/* A message is below 4 GiB: it is one batch. */
static int compress_to(struct span_buf *out, const struct span_buf *message,
		       struct span_error *err)
{
	z_stream z = {0};
	char *room;
	uLong most;

	if (message->len > UINT_MAX ||
	    deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return no_memory(err);
	most = deflateBound(&z, (uLong)message->len);
	room = most <= UINT_MAX ? span_buf_reserve(out, most) : NULL;
	if (room) {
		z.next_in = (Bytef *)message->p;
		z.avail_in = (uInt)message->len;
		z.next_out = (Bytef *)room;
		z.avail_out = (uInt)most;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END)
			out->len += most - z.avail_out;
		else
			out->failed = true;
	}
	deflateEnd(&z);
	return !room || out->failed ? no_memory(err) : 0;
}

int span__send_pack(struct span_buf *message, bool grpc, bool gzip,
		    struct span_error *err)
{
	unsigned char head[SPAN__GRPC_HEAD] = {0};
	struct span_buf out = {0};
	int rc = 0;

	if (!grpc && !gzip)
		return 0;
	if (grpc)
		span_buf_put(&out, head, sizeof(head));
	if (gzip)
		rc = compress_to(&out, message, err);
	else
		span_buf_put(&out, message->p, message->len);
	if (!rc && out.failed)
		rc = no_memory(err);
	if (rc < 0) {
		span_buf_release(&out);
		return rc;
	}
	if (grpc)
		span__grpc_head((unsigned char *)out.p, gzip,
				out.len - sizeof(head));
	span_buf_release(message);
	*message = out;
	return 0;
}
