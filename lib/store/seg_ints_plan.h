/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_ints_plan.h - how a column of numbers is going to be packed
 *
 * Between seg_ints_plan.c, which decides it, and seg_ints_put.c.
 */
#ifndef SPAN_SEG_INTS_PLAN_H
#define SPAN_SEG_INTS_PLAN_H

#include "store/seg_bits.h"
#include "store/seg_ints.h"

/* Counts of quotients by the bits of (quotient + 1), which are what it needs
 * to be a code below the mark. */
#define INTS_WIDTHS 66u

/* Division by a number that is known to divide: a shift and a product. */
struct span__divisor {
	uint64_t value, inverse, limit;
	unsigned shift;
};

static inline uint64_t span__divide(const struct span__divisor *d, uint64_t v)
{
	return (v >> d->shift) * d->inverse;
}

struct span__frame_plan {
	uint64_t base; /* quotient */
	uint64_t n_exceptions;
	uint8_t width;
};

struct span__ints_plan {
	const uint64_t *v;
	size_t n;
	enum span__ints_form form;
	uint64_t base, range; /* range: the greatest quotient */
	struct span__divisor scale;
	unsigned range_bits;
	struct span__frame_plan frame;
	unsigned tier;			    /* bits of the first tier */
	struct span_buf groups;		    /* struct span__frame_plan */
	uint64_t n_exceptions, units, bits; /* of the groups */
};

/* Decide; N is not 0. plan->groups is the caller's to release. */
void span__ints_plan(struct span__ints_plan *plan, const uint64_t *v, size_t n);

/* The quotients of values I to I + N - 1. */
void span__ints_quotients(const struct span__ints_plan *plan, size_t i,
			  size_t n, uint64_t *out);

#endif
