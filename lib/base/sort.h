/* SPDX-License-Identifier: Apache-2.0 */
/* sort.h - indices sorted by a number; for lib/ only */
#ifndef SPAN_BASE_SORT_H
#define SPAN_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct span__item {
	uint64_t key;
	uint32_t i;
};

/* Order of two items with equal keys: negative, 0 or positive. */
typedef int span__tie_fn(const void *arg, uint32_t a, uint32_t b);

/*
 * Sort the N items at V by key, then by TIE (when it is not NULL); stable.
 * TMP has room for N more.
 */
void span__sort(struct span__item *v, struct span__item *tmp, size_t n,
		span__tie_fn *tie, const void *arg);

#endif
