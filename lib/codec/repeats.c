/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/repeats.h"

#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

static int compare_keys(const void *arg, uint32_t a, uint32_t b)
{
	const struct span_attr *v = arg;

	return span_str_compare(v[a].key, v[b].key);
}

static bool find_few(struct span__repeats *r, const struct span_attr *v,
		     size_t n)
{
	bool found = false;

	memset(r->few, 0, sizeof(r->few));
	for (size_t i = 1; i < n; i++)
		for (size_t k = 0; k < i && !r->few[i]; k++)
			if (span_str_equal(v[i].key, v[k].key)) {
				r->few[i] = 1;
				found = true;
			}
	r->repeated = r->few;
	return found;
}

static bool find_many(struct span__repeats *r, const struct span_attr *v,
		      size_t n)
{
	struct span__item *items;
	bool found = false;

	if (n >= UINT32_MAX)
		goto failed;
	items = (struct span__item *)span_buf_reserve(
		&r->memory, n * (2 * sizeof(*items) + 1));
	if (!items)
		goto failed;
	r->repeated = (uint8_t *)(items + 2 * n);
	for (uint32_t i = 0; i < n; i++)
		items[i] = (struct span__item){v[i].key.len, i};
	span__sort(items, items + n, n, compare_keys, v);
	for (size_t k = 0; k < n; k++) {
		bool again = k && items[k].key == items[k - 1].key &&
			     !compare_keys(v, items[k - 1].i, items[k].i);

		r->repeated[items[k].i] = again;
		found |= again;
	}
	return found;
failed:
	r->memory.failed = true;
	return false;
}

void span__repeats_find(struct span__repeats *r, const struct span_attr *v,
			size_t n)
{
	bool found = n <= SPAN__FEW ? find_few(r, v, n) : find_many(r, v, n);

	if (!found)
		r->repeated = NULL;
}
