/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A merge sort from the bottom up, of short runs that are sorted by insertion:
 * stable, no recursion, no allocation, no bad case, and linear on what is
 * sorted already, as spans mostly are.
 */
#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

#define RUN 16u

static bool is_after(const struct span__item *a, const struct span__item *b,
		     span__tie_fn *tie, const void *arg)
{
	if (a->key != b->key)
		return a->key > b->key;
	return tie && tie(arg, a->i, b->i) > 0;
}

static void insert_each(struct span__item *v, size_t n, span__tie_fn *tie,
			const void *arg)
{
	for (size_t i = 1; i < n; i++) {
		struct span__item it = v[i];
		size_t to = i;

		for (; to && is_after(&v[to - 1], &it, tie, arg); to--)
			v[to] = v[to - 1];
		v[to] = it;
	}
}

/* Merge the WIDTH sorted items at V with the rest of the N there. */
static void merge(struct span__item *v, struct span__item *tmp, size_t width,
		  size_t n, span__tie_fn *tie, const void *arg)
{
	size_t a = 0, b = width, to = 0;

	if (!is_after(&v[width - 1], &v[width], tie, arg))
		return;
	memcpy(tmp, v, width * sizeof(*v));
	while (a < width && b < n) {
		if (is_after(&tmp[a], &v[b], tie, arg))
			v[to++] = v[b++];
		else
			v[to++] = tmp[a++];
	}
	memcpy(v + to, tmp + a, (width - a) * sizeof(*v));
}

void span__sort(struct span__item *v, struct span__item *tmp, size_t n,
		span__tie_fn *tie, const void *arg)
{
	for (size_t at = 0; at < n; at += RUN)
		insert_each(v + at, n - at < RUN ? n - at : RUN, tie, arg);
	for (size_t width = RUN; width < n; width *= 2) {
		for (size_t at = 0; at < n && n - at > width; at += 2 * width) {
			size_t left = n - at;

			merge(v + at, tmp, width,
			      left < 2 * width ? left : 2 * width, tie, arg);
		}
	}
}
