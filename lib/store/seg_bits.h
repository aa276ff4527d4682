/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_bits.h - arrays of numbers of so many bits each
 *
 * Value I of an array of numbers of W bits begins at bit I * W, counted from
 * the least bit of the first byte. W is 0 to 64.
 */
#ifndef SPAN_SEG_BITS_H
#define SPAN_SEG_BITS_H

#include "base/le.h"

#include <span/base.h>

static inline uint64_t span__bits_mask(unsigned w)
{
	return w ? UINT64_MAX >> (64 - w) : 0;
}

/* How many bits V takes: 0 of 0. */
static inline unsigned span__bits_of(uint64_t v)
{
	return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* How many bits of V are set; without the call that the compiler makes of it
 * where it may not use the instruction. */
static inline unsigned span__bits_count(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned)(v * 0x0101010101010101 >> 56);
}

/* Bytes that N numbers take, which must be less than 2^58. */
static inline uint64_t span__bits_len(uint64_t n, unsigned w)
{
	return n / 8 * w + (n % 8 * w + 7) / 8;
}

/* W bits from bit SHIFT, 0 to 7, of byte POS on, at the end of the LEN bytes
 * at P. */
uint64_t span__bits_at_end(const uint8_t *p, uint64_t len, uint64_t pos,
			   unsigned shift, unsigned w);

/* The same anywhere. What is behind the end reads as 0. */
static inline uint64_t span__bits_read(const uint8_t *p, uint64_t len,
				       uint64_t pos, unsigned shift, unsigned w)
{
	uint64_t v;

	if (pos + 9 > len)
		return span__bits_at_end(p, len, pos, shift, w);
	v = span__get64(p + pos) >> shift;
	if (shift + w > 64)
		v |= (uint64_t)p[pos + 8] << (64 - shift);
	return v & span__bits_mask(w);
}

/* Value I of the array at P, where LEN bytes may be read. */
static inline uint64_t span__bits_at(const uint8_t *p, uint64_t len, uint64_t i,
				     unsigned w)
{
	return span__bits_read(p, len, i / 8 * w + i % 8 * w / 8,
			       (unsigned)(i % 8 * w % 8), w);
}

/* Values I to I + N - 1 of it; W is not 0. */
void span__bits_unpack(const uint8_t *p, uint64_t len, uint64_t i, unsigned w,
		       size_t n, uint64_t *out);

/*
 * Writing: one number after another, at p, where 8 bytes more than they take
 * have room.
 */
struct span__bits {
	uint8_t *p;
	uint64_t word;
	unsigned used;
};

static inline void span__bits_put(struct span__bits *b, uint64_t v, unsigned w)
{
	b->word |= v << b->used;
	b->used += w;
	if (b->used < 64)
		return;
	span__put64(b->p, b->word);
	b->p += 8;
	b->used -= 64;
	b->word = b->used ? v >> (w - b->used) : 0;
}

/* Write what is left; the next number begins at a whole byte. */
static inline void span__bits_flush(struct span__bits *b)
{
	span__put64(b->p, b->word);
	b->p += (b->used + 7) / 8;
	b->word = 0;
	b->used = 0;
}

#endif
