/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_BITS 8u

int span__slots_double(struct span__slots *t, span__slots_hash_fn *hash,
		       const void *arg)
{
	unsigned bits = t->slots ? t->bits + 1 : FIRST_BITS;
	uint32_t *slots, mask = (1u << bits) - 1;

	slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (!slots)
		return SPAN_E_NOMEM;
	free(t->slots);
	t->slots = slots;
	t->bits = bits;
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t at = hash(arg, t, i);

		while (slots[at & mask])
			at++;
		slots[at & mask] = i + 1;
	}
	return 0;
}

void *span__append_zeros(struct span_buf *array, size_t size)
{
	char *p = span_buf_reserve(array, size);

	if (!p)
		return NULL;
	array->len += size;
	return memset(p, 0, size);
}
