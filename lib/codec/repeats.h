/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repeats.h - attributes whose key came before
 *
 * For formats that have objects where the model has lists.
 */
#ifndef SPAN__REPEATS_H
#define SPAN__REPEATS_H

#include <span/model.h>

/* Lists up to this long are searched without memory. */
#define SPAN__FEW 16

struct span__repeats {
	/* For each attribute whether it repeats a key; NULL: none does. */
	uint8_t *repeated;
	uint8_t few[SPAN__FEW];
	struct span_buf memory; /* to be released; may be used again */
};

/* Without memory, memory.failed is set and nothing repeats. */
void span__repeats_find(struct span__repeats *r, const struct span_attr *v,
			size_t n);

#endif
