/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/thrift_out.h"

#include "base/put.h"

#include "base/banned.h"

static const uint8_t compact_numbers[] = {
	[THRIFT_I8] = 3,      [THRIFT_DOUBLE] = 7, [THRIFT_I16] = 4,
	[THRIFT_I32] = 5,     [THRIFT_I64] = 6,	   [THRIFT_STRING] = 8,
	[THRIFT_STRUCT] = 12, [THRIFT_MAP] = 11,   [THRIFT_SET] = 10,
	[THRIFT_LIST] = 9,    [THRIFT_UUID] = 13,
};

static void put_byte(struct span__thrift_out *o, unsigned v)
{
	span__putc(o->b, (char)(unsigned char)v);
}

static void put_be16(struct span__thrift_out *o, uint16_t v)
{
	v = htobe16(v);
	span__put(o->b, &v, sizeof(v));
}

static void put_be32(struct span__thrift_out *o, uint32_t v)
{
	v = htobe32(v);
	span__put(o->b, &v, sizeof(v));
}

static void put_varint(struct span__thrift_out *o, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (unsigned char)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (unsigned char)v;
	span__put(o->b, bytes, n);
}

static void put_zigzag(struct span__thrift_out *o, int64_t v)
{
	put_varint(o, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void span__thrift_put_head(struct span__thrift_out *o, struct span_str method)
{
	if (o->compact) {
		put_byte(o, 0x82);
		put_byte(o, 4 << 5 | 1);
		put_byte(o, 0);
		span__thrift_put_string(o, method);
	} else {
		put_be32(o, 0x80010004);
		span__thrift_put_string(o, method);
		put_be32(o, 0);
	}
}

/* Compact: a small step from the last number shares the byte of the type. */
static void put_compact_field(struct span__thrift_out *o, int *last, int id,
			      unsigned number)
{
	if (id > *last && id - *last <= 15) {
		put_byte(o, (unsigned)(id - *last) << 4 | number);
	} else {
		put_byte(o, number);
		put_zigzag(o, id);
	}
	*last = id;
}

void span__thrift_put_field(struct span__thrift_out *o, int *last, int id,
			    uint8_t type)
{
	if (o->compact) {
		put_compact_field(o, last, id, compact_numbers[type]);
	} else {
		put_byte(o, type);
		put_be16(o, (uint16_t)id);
	}
}

void span__thrift_put_bool(struct span__thrift_out *o, int *last, int id,
			   bool v)
{
	if (o->compact) {
		put_compact_field(o, last, id, v ? 1 : 2);
	} else {
		span__thrift_put_field(o, last, id, THRIFT_BOOL);
		put_byte(o, v);
	}
}

void span__thrift_put_stop(struct span__thrift_out *o)
{
	put_byte(o, 0);
}

void span__thrift_put_i16(struct span__thrift_out *o, int16_t v)
{
	if (o->compact)
		put_zigzag(o, v);
	else
		put_be16(o, (uint16_t)v);
}

void span__thrift_put_i32(struct span__thrift_out *o, int32_t v)
{
	if (o->compact)
		put_zigzag(o, v);
	else
		put_be32(o, (uint32_t)v);
}

void span__thrift_put_i64(struct span__thrift_out *o, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);

	if (o->compact)
		put_zigzag(o, v);
	else
		span__put(o->b, &be, sizeof(be));
}

void span__thrift_put_double(struct span__thrift_out *o, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits = o->compact ? htole64(bits) : htobe64(bits);
	span__put(o->b, &bits, sizeof(bits));
}

void span__thrift_put_string(struct span__thrift_out *o, struct span_str s)
{
	if (o->compact)
		put_varint(o, s.len);
	else
		put_be32(o, (uint32_t)s.len);
	span__put_str(o->b, s);
}

void span__thrift_put_list(struct span__thrift_out *o, uint8_t type, size_t n)
{
	if (!o->compact) {
		put_byte(o, type);
		put_be32(o, (uint32_t)n);
	} else if (n < 15) {
		put_byte(o, (unsigned)n << 4 | compact_numbers[type]);
	} else {
		put_byte(o, 0xf0u | compact_numbers[type]);
		put_varint(o, n);
	}
}
