/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thrift.h - read Thrift's compact and binary protocols
 *
 * Strings point into the message. After a failure every read answers zero,
 * "stop" or an empty list.
 *
 * Which of the two protocols it is, callers pass as a constant; everything
 * here is inlined, so that the compiler makes two readers of one source.
 *
 * A count is believed only as far as the bytes that remain can hold its
 * elements, a varint is as long as its type needs at most, and every element
 * takes at least one byte: time and memory are linear in the message.
 */
#ifndef SPAN__THRIFT_H
#define SPAN__THRIFT_H

#include "codec/cursor.h"

#define THRIFT_INLINE static inline __attribute__((always_inline))
#define THRIFT_MAX_DEPTH 64

/* The binary protocol's numbers; compact ones are translated. */
enum thrift_type {
	THRIFT_STOP = 0,
	THRIFT_BOOL = 2,
	THRIFT_I8 = 3,
	THRIFT_DOUBLE = 4,
	THRIFT_I16 = 6,
	THRIFT_I32 = 8,
	THRIFT_I64 = 10,
	THRIFT_STRING = 11,
	THRIFT_STRUCT = 12,
	THRIFT_MAP = 13,
	THRIFT_SET = 14,
	THRIFT_LIST = 15,
	THRIFT_UUID = 16,
	THRIFT_BAD = 17,
};

/* What a switch on a field sees: its number and its type in one. */
#define THRIFT_FIELD(id, type) ((uint32_t)(id) << 8 | (type))

struct span__thrift_field {
	int32_t id;
	uint8_t type; /* enum thrift_type */
};

/* Numbers of enum thrift_type for the low four bits of a compact header. */
extern const uint8_t span__thrift_compact_types[16];

/* Skip a value of TYPE; DEPTH containers are open around it. */
void span__thrift_skip(struct span__cursor *in, bool compact, uint8_t type,
		       unsigned depth);

/*
 * Read a message head: any message type, any sequence number. *NAME points
 * into the message.
 */
void span__thrift_head(struct span__cursor *in, bool compact,
		       struct span_str *name);

THRIFT_INLINE uint8_t thrift_byte(struct span__cursor *in)
{
	return cursor_need(in, 1) ? *in->p++ : 0;
}

THRIFT_INLINE uint16_t thrift_be16(struct span__cursor *in)
{
	uint16_t v = 0;

	if (cursor_need(in, sizeof(v))) {
		memcpy(&v, in->p, sizeof(v));
		in->p += sizeof(v);
	}
	return be16toh(v);
}

THRIFT_INLINE uint32_t thrift_be32(struct span__cursor *in)
{
	uint32_t v = 0;

	if (cursor_need(in, sizeof(v))) {
		memcpy(&v, in->p, sizeof(v));
		in->p += sizeof(v);
	}
	return be32toh(v);
}

/* Eight bytes in the order of the machine. */
THRIFT_INLINE uint64_t thrift_raw64(struct span__cursor *in)
{
	uint64_t v = 0;

	if (cursor_need(in, sizeof(v))) {
		memcpy(&v, in->p, sizeof(v));
		in->p += sizeof(v);
	}
	return v;
}

/*
 * Gather the low seven bits of the first N bytes of W, N from 1 to 8. Groups
 * of 7, 14 and 28 bits move together, so that no loop runs per byte.
 */
THRIFT_INLINE uint64_t thrift_gather(uint64_t w, unsigned n)
{
	w &= UINT64_C(0x7f7f7f7f7f7f7f7f) >> (64 - 8 * n);
	w = (w & UINT64_C(0x007f007f007f007f)) |
	    (w & UINT64_C(0x7f007f007f007f00)) >> 1;
	w = (w & UINT64_C(0x00003fff00003fff)) |
	    (w & UINT64_C(0x3fff00003fff0000)) >> 2;
	return (w & UINT64_C(0x000000000fffffff)) |
	       (w & UINT64_C(0x0fffffff00000000)) >> 4;
}

/*
 * A varint where ten bytes can be looked at: its length, or 0 when it has too
 * many digits.
 */
THRIFT_INLINE unsigned thrift_varint_at(const unsigned char *p, uint64_t *v)
{
	uint64_t w, stop;
	unsigned n;

	memcpy(&w, p, sizeof(w));
	w = le64toh(w);
	stop = ~w & UINT64_C(0x8080808080808080);
	if (stop) {
		n = (unsigned)__builtin_ctzll(stop) / 8 + 1;
		*v = thrift_gather(w, n);
		return n;
	}
	*v = thrift_gather(w, 8) | (uint64_t)(p[8] & 0x7f) << 56;
	if (p[8] < 0x80)
		return 9;
	*v |= (uint64_t)p[9] << 63;
	return p[9] <= 1 ? 10 : 0;
}

/* A varint of at most BITS (32 or 64) bits. */
THRIFT_INLINE uint64_t thrift_varint(struct span__cursor *in, unsigned bits)
{
	const unsigned char *p = in->p, *end = in->end;
	uint64_t v = 0;

	if (p < end && *p < 0x80)
		return *in->p++;
	if (bits == 64 && cursor_left(in) >= 10) {
		unsigned n = thrift_varint_at(p, &v);

		in->p += n;
		if (n)
			return v;
		v = 0;
	}
	for (unsigned shift = 0; shift < bits; shift += 7) {
		uint64_t byte;

		if (p == end) {
			cursor_need(in, cursor_left(in) + 1);
			return 0;
		}
		byte = *p++;
		if (shift + 7 > bits && byte >> (bits - shift))
			break;
		v |= (byte & 0x7f) << shift;
		if (byte < 0x80) {
			in->p = p;
			return v;
		}
	}
	span__cursor_fail(in, in->p, SPAN_E_CORRUPT,
			  "a number has too many digits");
	return 0;
}

THRIFT_INLINE int64_t thrift_zigzag(uint64_t v)
{
	return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

THRIFT_INLINE int16_t thrift_i16(struct span__cursor *in, bool compact)
{
	const unsigned char *at = in->p;
	uint64_t v;

	if (!compact)
		return (int16_t)thrift_be16(in);
	v = thrift_varint(in, 32);
	if (v > UINT16_MAX)
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a number has too many digits");
	return (int16_t)thrift_zigzag(v & UINT16_MAX);
}

THRIFT_INLINE int32_t thrift_i32(struct span__cursor *in, bool compact)
{
	if (compact)
		return (int32_t)thrift_zigzag(thrift_varint(in, 32));
	return (int32_t)thrift_be32(in);
}

THRIFT_INLINE int64_t thrift_i64(struct span__cursor *in, bool compact)
{
	if (compact)
		return thrift_zigzag(thrift_varint(in, 64));
	return (int64_t)be64toh(thrift_raw64(in));
}

THRIFT_INLINE double thrift_double(struct span__cursor *in, bool compact)
{
	uint64_t bits = thrift_raw64(in);
	double d;

	bits = compact ? le64toh(bits) : be64toh(bits);
	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* The value of a bool field: compact has it in the field's header. */
THRIFT_INLINE bool thrift_bool(struct span__cursor *in, bool compact)
{
	return compact ? in->truth : thrift_byte(in) != 0;
}

THRIFT_INLINE struct span_str thrift_string(struct span__cursor *in,
					    bool compact)
{
	const unsigned char *at = in->p;
	struct span_str s = {"", 0};
	uint32_t len =
		compact ? (uint32_t)thrift_varint(in, 32) : thrift_be32(in);

	if (__builtin_expect(len > cursor_left(in), 0)) {
		if (len > INT32_MAX)
			span__cursor_fail(in, at, SPAN_E_CORRUPT,
					  "a string has a negative length");
		else
			cursor_need(in, len);
		return s;
	}
	s.p = (const char *)in->p;
	s.len = len;
	in->p += len;
	return s;
}

/*
 * The next field of a struct. *F must be zero before the first one. False at
 * the end of the struct, and after a failure.
 */
THRIFT_INLINE bool thrift_field(struct span__cursor *in, bool compact,
				struct span__thrift_field *f)
{
	uint8_t head = thrift_byte(in);

	if (!head)
		return false;
	if (!compact) {
		f->type = head <= THRIFT_UUID ? head : THRIFT_BAD;
		f->id = (int16_t)thrift_be16(in);
		return !in->failed;
	}
	if (head >> 4 && f->id > INT16_MAX - (head >> 4))
		span__cursor_fail(in, in->p - 1, SPAN_E_CORRUPT,
				  "a field has a number above 32767");
	else if (head >> 4)
		f->id += head >> 4;
	else
		f->id = thrift_i16(in, true);
	f->type = span__thrift_compact_types[head & 15];
	in->truth = (head & 15) == 1;
	return !in->failed;
}

THRIFT_INLINE uint32_t thrift_key(const struct span__thrift_field *f)
{
	return THRIFT_FIELD((uint16_t)f->id, f->type);
}

/* Skip the field's value: a compact bool field has no bytes of its own. */
THRIFT_INLINE void thrift_skip(struct span__cursor *in, bool compact,
			       const struct span__thrift_field *f)
{
	if (!compact || f->type != THRIFT_BOOL)
		span__thrift_skip(in, compact, f->type, 0);
}

/*
 * The head of a list: how many elements follow. They must be of TYPE and
 * take at least MIN bytes each.
 */
THRIFT_INLINE size_t thrift_list(struct span__cursor *in, bool compact,
				 uint8_t type, size_t min)
{
	const unsigned char *at = in->p;
	uint8_t head = thrift_byte(in);
	uint32_t n;

	if (compact) {
		n = head >> 4;
		if (n == 15)
			n = (uint32_t)thrift_varint(in, 32);
		head = span__thrift_compact_types[head & 15];
	} else {
		n = thrift_be32(in);
	}
	if (!n || in->failed)
		return 0;
	if (n > INT32_MAX)
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a list has a negative length");
	else if (head != type)
		span__cursor_fail(in, at, SPAN_E_CORRUPT,
				  "a list has elements of another type");
	else if (n > cursor_left(in) / min)
		span__cursor_fail(in, at, SPAN_E_TRUNCATED,
				  "a list is longer than the message");
	else
		return n;
	return 0;
}

#endif
