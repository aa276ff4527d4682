/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A merge sort from the bottom up, of short runs that are sorted by insertion:
 * stable, no recursion, no allocation, no bad case, and linear on what is
 * sorted already, as spans mostly are. Many items of which the key says all
 * are sorted byte by byte of their keys, the lowest first, which is stable,
 * too.
 */
#include "base/sort.h"

#include <stdbool.h>
#include <string.h>

#include "base/banned.h"

#define RUN 16u
#define BYTES_FROM 1024u /* items from which on bytes cost less */

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

static bool is_sorted(const struct span__item *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (v[i - 1].key > v[i].key)
			return false;
	return true;
}

/* How many of N items have each byte at each of 8 places. */
static void count_bytes(const struct span__item *v, size_t n,
			size_t counts[8][256])
{
	memset(counts, 0, 8 * sizeof(*counts));
	for (size_t i = 0; i < n; i++)
		for (unsigned at = 0; at < 8; at++)
			counts[at][v[i].key >> (8 * at) & 0xff]++;
}

static void sort_bytes(struct span__item *v, struct span__item *tmp, size_t n)
{
	size_t counts[8][256];
	struct span__item *from = v, *to = tmp, *other;

	count_bytes(v, n, counts);
	for (unsigned at = 0; at < 8; at++) {
		size_t *place = counts[at], sum = 0;

		if (place[v[0].key >> (8 * at) & 0xff] == n)
			continue;
		for (unsigned byte = 0; byte < 256; byte++) {
			size_t count = place[byte];

			place[byte] = sum;
			sum += count;
		}
		for (size_t i = 0; i < n; i++)
			to[place[from[i].key >> (8 * at) & 0xff]++] = from[i];
		other = from;
		from = to;
		to = other;
	}
	if (from != v)
		memcpy(v, from, n * sizeof(*v));
}

void span__sort(struct span__item *v, struct span__item *tmp, size_t n,
		span__tie_fn *tie, const void *arg)
{
	if (!tie && n >= BYTES_FROM) {
		if (!is_sorted(v, n))
			sort_bytes(v, tmp, n);
		return;
	}
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
