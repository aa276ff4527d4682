/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots.h - tables of numbers, with open addressing
 *
 * What the numbers 0, 1, 2 ... stand for is the caller's, in arrays that grow;
 * a table finds a number by a hash. Nothing is ever taken out.
 */
#ifndef SPAN_SLOTS_H
#define SPAN_SLOTS_H

#include <span/base.h>

/* A zeroed struct is an empty table. Who has it frees SLOTS. */
struct span__slots {
	uint32_t *slots; /* a number plus one; 0 is free */
	unsigned bits;
	uint32_t n; /* numbers that are in it */
};

/* The hash of what number I of T stands for. */
typedef uint64_t span__slots_hash_fn(const void *arg,
				     const struct span__slots *t, uint32_t i);

/* Twice as many slots: 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__slots_double(struct span__slots *t,
				      span__slots_hash_fn *hash,
				      const void *arg);

/* Room for one more at half full at most: 0 or SPAN_E_NOMEM. */
static inline int span__slots_grow(struct span__slots *t,
				   span__slots_hash_fn *hash, const void *arg)
{
	if (t->slots && 2 * ((size_t)t->n + 1) <= (size_t)1 << t->bits)
		return 0;
	return span__slots_double(t, hash, arg);
}

/* SIZE bytes of zeros more at the end of ARRAY, or NULL. */
SPAN_NODISCARD void *span__append_zeros(struct span_buf *array, size_t size);

/* A + B, or the greatest number when that does not fit. */
static inline uint64_t span__plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#endif
