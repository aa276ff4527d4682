/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_varint.h - numbers in the heads of columns, 7 bits a byte
 *
 * The least bits come first; the high bit of a byte says that more follow.
 * Signed numbers are folded: 0, -1, 1, -2 are 0, 1, 2, 3.
 */
#ifndef SPAN_SEG_VARINT_H
#define SPAN_SEG_VARINT_H

#include "store/seg_file.h"

#define VARINT_MAX 10u

static inline uint64_t span__fold(uint64_t v)
{
	return v << 1 ^ (v >> 63 ? UINT64_MAX : 0);
}

static inline uint64_t span__unfold(uint64_t v)
{
	return v >> 1 ^ (v & 1 ? UINT64_MAX : 0);
}

static inline size_t span__varint_len(uint64_t v)
{
	return (70 - (size_t)__builtin_clzll(v | 1)) / 7;
}

static inline void span__varint_put(struct span_buf *out, uint64_t v)
{
	char *p = span_buf_reserve(out, VARINT_MAX);

	if (!p)
		return;
	for (; v >= 0x80; v >>= 7, out->len++)
		*p++ = (char)(v | 0x80);
	*p = (char)v;
	out->len++;
}

/* What is read from an area, in order. Errors are sticky: 0 from then on. */
struct span__take {
	const struct span__area *area;
	uint64_t pos;
	bool failed;
	uint64_t ok; /* what is before that was checked */
};

/* Check from t->pos to the end of its page. */
static inline bool span__take_check(struct span__take *t)
{
	const struct span__area *a = t->area;
	uint64_t at, left;

	if (t->failed || !span__area_ok(a, t->pos, 1)) {
		t->failed = true;
		return false;
	}
	t->ok = a->len;
	if (!a->file)
		return true;
	at = (uint64_t)(a->p - a->file->map) + t->pos;
	left = SEG_PAGE - at % SEG_PAGE;
	if (left < a->len - t->pos)
		t->ok = t->pos + left;
	return true;
}

static inline uint8_t span__take_byte(struct span__take *t)
{
	if (t->pos >= t->ok && !span__take_check(t))
		return 0;
	return t->area->p[t->pos++];
}

static inline uint64_t span__take_varint(struct span__take *t)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		b = span__take_byte(t);
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	t->failed = true;
	t->ok = 0;
	return 0;
}

#endif
