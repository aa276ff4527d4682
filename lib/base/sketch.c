/* SPDX-License-Identifier: Apache-2.0 */
#include <span/sketch.h>

#include "base/slots.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define BITS 5u /* of a value that tell buckets apart, below the first one */
#define WIDTH (1u << BITS)

uint32_t span_sketch_bucket(uint64_t value)
{
	uint32_t shift;

	if (value < WIDTH)
		return (uint32_t)value;
	shift = 63u - (uint32_t)__builtin_clzll(value) - BITS;
	return WIDTH + shift * WIDTH +
	       ((uint32_t)(value >> shift) & (WIDTH - 1));
}

static uint32_t shift_of(uint32_t bucket)
{
	return bucket < WIDTH ? 0 : bucket / WIDTH - 1;
}

uint64_t span_sketch_lower(uint32_t bucket)
{
	if (bucket < WIDTH)
		return bucket;
	if (bucket >= SPAN_SKETCH_BUCKETS)
		return UINT64_MAX;
	return (uint64_t)(WIDTH + bucket % WIDTH) << shift_of(bucket);
}

static uint64_t middle(uint32_t bucket)
{
	return span_sketch_lower(bucket) +
	       (UINT64_C(1) << shift_of(bucket)) / 2;
}

/*
 * The first of the used buckets that is not below BUCKET, or n. Around most
 * values there are no gaps, so that the place of the one before tells that of
 * this one; where it does not, without branches: nobody can foresee them.
 */
static size_t find(struct span_sketch *s, uint32_t bucket)
{
	const struct span_sketch_bucket *v = s->v;
	size_t n = s->n, guess;

	if (!n)
		return 0;
	guess = (size_t)bucket - v->bucket - s->absent;
	if (guess < n && v[guess].bucket == bucket)
		return guess;
	for (size_t half = n / 2; half; half = n / 2) {
		v += (v[half - 1].bucket < bucket) * half;
		n -= half;
	}
	v += v->bucket < bucket;
	n = (size_t)(v - s->v);
	if (bucket > s->v->bucket)
		s->absent = bucket - s->v->bucket - (uint32_t)n;
	return n;
}

/* Make room for N more buckets. */
static int reserve(struct span_sketch *s, size_t n, struct span_error *err)
{
	size_t cap = s->cap ? s->cap * 2 : 4;
	void *v;

	if (n <= s->cap - s->n)
		return 0;
	if (cap < s->n + n)
		cap = s->n + n;
	if (cap > SPAN_SKETCH_BUCKETS)
		cap = SPAN_SKETCH_BUCKETS;
	v = realloc(s->v, cap * sizeof(*s->v));
	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	s->v = v;
	s->cap = (uint32_t)cap;
	return 0;
}

int span_sketch_put(struct span_sketch *s, uint64_t value, uint64_t count,
		    struct span_error *err)
{
	uint32_t bucket = span_sketch_bucket(value);
	size_t at = find(s, bucket);
	int rc;

	if (!count)
		return 0;
	if (at == s->n || s->v[at].bucket != bucket) {
		rc = reserve(s, 1, err);
		if (rc < 0)
			return rc;
		memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(*s->v));
		s->v[at] = (struct span_sketch_bucket){bucket, 0};
		s->n++;
	}
	s->v[at].count = span__plus(s->v[at].count, count);
	s->count = span__plus(s->count, count);
	return 0;
}

/* How many buckets of FROM are not in S. */
static size_t count_new(const struct span_sketch *s,
			const struct span_sketch *from)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < from->n; i++) {
		while (k < s->n && s->v[k].bucket < from->v[i].bucket)
			k++;
		n += k == s->n || s->v[k].bucket != from->v[i].bucket;
	}
	return n;
}

/* From the end, so that nothing is overwritten before it was moved. */
int span_sketch_merge(struct span_sketch *s, const struct span_sketch *from,
		      struct span_error *err)
{
	size_t a = s->n, b = from->n;
	size_t to = a + count_new(s, from);
	int rc = reserve(s, to - a, err);

	if (rc < 0)
		return rc;
	s->n = to;
	s->count = span__plus(s->count, from->count);
	while (b) {
		const struct span_sketch_bucket *f = &from->v[b - 1];

		if (a && s->v[a - 1].bucket > f->bucket) {
			s->v[--to] = s->v[--a];
			continue;
		}
		if (a && s->v[a - 1].bucket == f->bucket) {
			s->v[--to] = s->v[--a];
			s->v[to].count = span__plus(s->v[to].count, f->count);
		} else {
			s->v[--to] = *f;
		}
		b--;
	}
	return 0;
}

/* Without ceil(3), which would need libm. */
static uint64_t rank(uint64_t count, double q)
{
	double r = q * (double)count;
	uint64_t whole;

	if (!(r > 1))
		return 1;
	if (r >= (double)count)
		return count;
	whole = (uint64_t)r;
	return whole + (r > (double)whole);
}

uint64_t span_sketch_quantile(const struct span_sketch *s, double q)
{
	uint64_t left;

	if (!s->n)
		return 0;
	left = rank(s->count, q);
	for (size_t i = 0; i < s->n; i++) {
		if (left <= s->v[i].count)
			return middle(s->v[i].bucket);
		left -= s->v[i].count;
	}
	return middle(s->v[s->n - 1].bucket);
}

void span_sketch_reset(struct span_sketch *s)
{
	s->n = 0;
	s->count = 0;
}

void span_sketch_release(struct span_sketch *s)
{
	free(s->v);
	*s = (struct span_sketch){0};
}
