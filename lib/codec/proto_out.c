/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/proto_out.h"

#include "base/put.h"
#include "codec/proto.h"
#include "text/utf8.h"

#include "base/banned.h"

static void put_number(struct span_buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;

	if (v < 0x80) {
		span__putc(b, (char)v);
		return;
	}
	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)(unsigned char)(v | 0x80);
	bytes[n++] = (char)(unsigned char)v;
	span__put(b, bytes, n);
}

static void put_key(struct span_buf *b, unsigned id, enum proto_wire wire)
{
	put_number(b, PROTO(id, wire));
}

void span__proto_put_varint(struct span_buf *b, unsigned id, uint64_t v)
{
	put_key(b, id, PROTO_VARINT);
	put_number(b, v);
}

void span__proto_put_fixed64(struct span_buf *b, unsigned id, uint64_t v)
{
	put_key(b, id, PROTO_I64);
	v = htole64(v);
	span__put(b, &v, sizeof(v));
}

void span__proto_put_fixed32(struct span_buf *b, unsigned id, uint32_t v)
{
	put_key(b, id, PROTO_I32);
	v = htole32(v);
	span__put(b, &v, sizeof(v));
}

void span__proto_put_double(struct span_buf *b, unsigned id, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	span__proto_put_fixed64(b, id, v);
}

void span__proto_put_bytes(struct span_buf *b, unsigned id, struct span_str s)
{
	put_key(b, id, PROTO_LEN);
	put_number(b, s.len);
	span__put_str(b, s);
}

void span__proto_opt_varint(struct span_buf *b, unsigned id, uint64_t v)
{
	if (v)
		span__proto_put_varint(b, id, v);
}

void span__proto_opt_bytes(struct span_buf *b, unsigned id, struct span_str s)
{
	if (s.len)
		span__proto_put_bytes(b, id, s);
}

void span__proto_put_text(struct span_buf *b, unsigned id, struct span_str s)
{
	size_t mark;

	if (span__utf8_ascii(s) == s.len) {
		span__proto_put_bytes(b, id, s);
		return;
	}
	mark = span__proto_open(b, id);
	span__utf8_put(b, s);
	span__proto_close(b, mark);
}

void span__proto_opt_text(struct span_buf *b, unsigned id, struct span_str s)
{
	if (s.len)
		span__proto_put_text(b, id, s);
}

/* The length is not known yet: one byte is kept free for it. */
size_t span__proto_open(struct span_buf *b, unsigned id)
{
	put_key(b, id, PROTO_LEN);
	span__putc(b, 0);
	return b->len;
}

void span__proto_close(struct span_buf *b, size_t mark)
{
	size_t len = b->len - mark, more = 0;

	for (size_t left = len >> 7; left; left >>= 7)
		more++;
	if (b->failed || (more && !span_buf_reserve(b, more)))
		return;
	if (more)
		memmove(b->p + mark + more, b->p + mark, len);
	b->len = mark - 1;
	put_number(b, len);
	b->len += len;
}
