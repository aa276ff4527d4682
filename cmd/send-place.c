/* SPDX-License-Identifier: Apache-2.0 */
#include "send-place.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* The first range that ends at SEQ or behind it. */
static size_t find(const struct send_place *p, uint64_t seq)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->ranges[middle].last < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool holds(const struct send_place *p, size_t at, uint64_t seq)
{
	return at < p->n && p->ranges[at].first <= seq;
}

/* One more at AT, which the caller fills; NULL without memory. */
static struct send_range *insert(struct send_place *p, size_t at)
{
	if (p->n == p->size) {
		size_t size = p->size ? 2 * p->size : 64;
		struct send_range *more =
			realloc(p->ranges, size * sizeof(*more));

		if (!more)
			return NULL;
		p->ranges = more;
		p->size = size;
	}
	memmove(p->ranges + at + 1, p->ranges + at,
		(p->n - at) * sizeof(p->ranges[0]));
	p->n++;
	return &p->ranges[at];
}

bool send_place_begin(struct send_place *p, uint64_t seq, uint32_t n_spans)
{
	size_t at = find(p, seq);
	struct send_range *r;

	p->begun = seq;
	if (holds(p, at, seq) && p->ranges[at].n_spans == n_spans)
		return true;
	if (p->n >= SEND_PLACE_FRAMES || !(r = insert(p, at)))
		return false;
	*r = (struct send_range){.first = seq,
				 .last = seq,
				 .n_spans = n_spans,
				 .n_left = n_spans};
	return true;
}

/* The bit of a span, set where SET; was it? */
static bool bit(struct send_range *r, uint32_t index, bool set)
{
	uint8_t mask = (uint8_t)(1u << index % 8);
	bool was = index < SEND_PLACE_SPANS && r->bits[index / 8] & mask;

	if (set && index < SEND_PLACE_SPANS)
		r->bits[index / 8] |= mask;
	return was;
}

bool send_place_settle(struct send_place *p, uint64_t seq, uint32_t index)
{
	size_t at = find(p, seq);
	struct send_range *r = &p->ranges[at];

	if (!holds(p, at, seq) || !r->n_left || index >= r->n_spans ||
	    bit(r, index, true))
		return false;
	r->n_left--;
	return true;
}

bool send_place_has(const struct send_place *p, uint64_t seq, uint32_t n_spans,
		    uint32_t index)
{
	size_t at = find(p, seq);

	if (seq <= p->seq)
		return true;
	if (!holds(p, at, seq))
		return false;
	/* What tells of another frame with this number tells nothing. */
	return !p->ranges[at].n_left || (p->ranges[at].n_spans == n_spans &&
					 bit(&p->ranges[at], index, false));
}

uint32_t send_place_left(const struct send_place *p, uint64_t seq,
			 uint32_t n_spans)
{
	size_t at = find(p, seq);

	if (seq <= p->seq)
		return 0;
	if (!holds(p, at, seq))
		return n_spans;
	return p->ranges[at].n_left && p->ranges[at].n_spans != n_spans
		       ? n_spans
		       : p->ranges[at].n_left;
}

bool send_place_cut(struct send_place *p, uint64_t last)
{
	bool cut = p->seq > last;

	if (cut)
		p->seq = last;
	while (p->n && p->ranges[p->n - 1].first > last) {
		p->n--;
		cut = true;
	}
	if (p->n && p->ranges[p->n - 1].last > last) {
		p->ranges[p->n - 1].last = last;
		cut = true;
	}
	return cut;
}

/*
 * Is B, which follows A, to become one with it? Numbers have gaps; what was
 * settled in an earlier run is next to what comes before it only when that has
 * all begun, or has the number before.
 */
static bool joins(const struct send_place *p, const struct send_range *a,
		  const struct send_range *b)
{
	return !a->n_left && !b->n_left &&
	       (b->first <= p->begun || b->first - a->last <= 1);
}

void send_place_tidy(struct send_place *p)
{
	struct send_range *kept = p->ranges;
	struct send_range before = {.last = p->seq};
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct send_range *r = &p->ranges[i];

		if (!n && joins(p, &before, r))
			before.last = r->last;
		else if (n && joins(p, &kept[n - 1], r))
			kept[n - 1].last = r->last;
		else
			kept[n++] = *r;
	}
	p->n = n;
	p->seq = before.last;
}

bool send_place_add(struct send_place *p, const struct send_range *r)
{
	struct send_range *to =
		p->n < SEND_PLACE_FRAMES ? insert(p, p->n) : NULL;

	if (to)
		*to = *r;
	return to;
}

static int by_first(const void *a, const void *b)
{
	const struct send_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	/* What is settled comes before parts of it. */
	return (x->n_left > 0) - (y->n_left > 0);
}

void send_place_normalise(struct send_place *p)
{
	size_t n = 0;

	if (p->n)
		qsort(p->ranges, p->n, sizeof(p->ranges[0]), by_first);
	for (size_t i = 0; i < p->n; i++) {
		struct send_range r = p->ranges[i];
		uint64_t before = n ? p->ranges[n - 1].last : p->seq;

		if (r.last <= before)
			continue;
		if (r.first <= before)
			r.first = before + 1;
		p->ranges[n++] = r;
	}
	p->n = n;
	send_place_tidy(p);
}

void send_place_release(struct send_place *p)
{
	free(p->ranges);
	*p = (struct send_place){0};
}
