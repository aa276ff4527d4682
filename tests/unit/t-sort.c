/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting is compared with qsort(3) of keys and places, which is stable so. */
#include "tap.h"

#include <stdlib.h>

#include "base/sort.h"

#define MOST 70000u

static struct span__item items[MOST], tmp[MOST], want[MOST];

static uint64_t next_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return (*state ^ *state >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

static int by_key_and_place(const void *a, const void *b)
{
	const struct span__item *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

static int backwards(const void *arg, uint32_t a, uint32_t b)
{
	(void)arg;
	return a < b ? 1 : a > b ? -1 : 0;
}

static bool is_want(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].key != want[i].key || items[i].i != want[i].i)
			return false;
	return true;
}

/* N keys of which MASK keeps the bits, in random order or RISING. */
static void test(size_t n, uint64_t mask, bool rising)
{
	uint64_t state = n ^ mask;

	for (size_t i = 0; i < n; i++) {
		items[i].key = rising ? i / 3 : next_random(&state) & mask;
		items[i].i = (uint32_t)i;
		want[i] = items[i];
	}
	qsort(want, n, sizeof(*want), by_key_and_place);
	span__sort(items, tmp, n, NULL, NULL);
	ok(is_want(n), "%zu keys in %" PRIx64 "%s", n, mask,
	   rising ? ", rising" : "");
	/* What the tie says of equal keys: here those at the end first. */
	span__sort(items, tmp, n, backwards, NULL);
	for (size_t i = 1; i < n; i++)
		if (items[i - 1].key > items[i].key ||
		    (items[i - 1].key == items[i].key &&
		     items[i - 1].i < items[i].i)) {
			ok(false, "ties of %zu keys", n);
			return;
		}
	ok(true, "ties of %zu keys", n);
}

int main(void)
{
	static const size_t sizes[] = {0,    1,	   2,	 15,   16,    17,
				       1023, 1024, 1025, 5000, 65536, MOST};
	static const uint64_t masks[] = {UINT64_MAX, 7, 0xff00ff,
					 UINT64_C(0xff00000000000000)};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (size_t k = 0; k < sizeof(masks) / sizeof(*masks); k++)
			test(sizes[i], masks[k], false);
		test(sizes[i], UINT64_MAX, true);
	}
	return done_testing();
}
