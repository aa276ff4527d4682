/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best spans seen so far. All are copied to one arena; when most of it
 * belongs to spans that are not among the best any more, those that are move
 * to a new one.
 */
#include "query/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PRUNE_FROM 1024u

static int by_arrival(const void *a, const void *b)
{
	const struct span__kept *x = a, *y = b;

	return (x->arrival > y->arrival) - (x->arrival < y->arrival);
}

static int compare(const void *a, const void *b)
{
	const struct span__kept *x = a, *y = b;
	int order;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	order = memcmp(x->span.trace_id, y->span.trace_id, 16);
	if (!order)
		order = memcmp(x->span.span_id, y->span.span_id, 8);
	return order ? order : by_arrival(a, b);
}

static uint64_t key_of(const struct span_search *s, const struct span *sp)
{
	switch (s->o.sort) {
	case SPAN_SORT_START:
		return UINT64_MAX - sp->start_ns;
	case SPAN_SORT_DURATION:
		return sp->duration_ns;
	default:
		return sp->start_ns;
	}
}

static void order(struct span_search *s)
{
	struct span__keep *k = &s->keep;
	bool ranked = s->o.sort != SPAN_SORT_DEFAULT;

	if (k->n)
		qsort(k->v, k->n, sizeof(*k->v), ranked ? compare : by_arrival);
	if (s->o.limit && k->n > s->o.limit) {
		k->n = s->o.limit;
		s->more = true;
	}
}

/* Keep the best, and the memory of those only. */
static int prune(struct span_search *s, struct span_error *err)
{
	struct span__keep *k = &s->keep;
	struct span_arena fresh = {0};

	order(s);
	for (size_t i = 0; i < k->n; i++) {
		struct span copy;

		if (span_copy(&copy, &k->v[i].span, &fresh) < 0) {
			span_arena_release(&fresh);
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		}
		k->v[i].span = copy;
	}
	span_arena_release(&k->arena);
	k->arena = fresh;
	return 0;
}

static int make_room(struct span_search *s, struct span_error *err)
{
	struct span__keep *k = &s->keep;
	bool may_prune = s->o.limit && !s->undecided;
	bool full = span_arena_size(&k->arena) > s->o.memory;
	int rc = 0;

	if (may_prune &&
	    (full || (k->n >= PRUNE_FROM && k->n / 2 >= s->o.limit)))
		rc = prune(s, err);
	if (rc < 0)
		return rc;
	if (full && span_arena_size(&k->arena) > s->o.memory)
		return span_error_set(
			err, SPAN_E_LIMIT,
			"the results to put in order need more than %llu "
			"bytes of memory",
			(unsigned long long)s->o.memory);
	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 64;
		struct span__kept *v = realloc(k->v, cap * sizeof(*v));

		if (!v)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		k->v = v;
		k->cap = cap;
	}
	return 0;
}

int span__keep_put(struct span_search *s, const struct span *sp,
		   struct span_error *err)
{
	struct span__keep *k = &s->keep;
	int rc = make_room(s, err);

	if (rc < 0)
		return rc;
	if (span_copy(&k->v[k->n].span, sp, &k->arena) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	k->v[k->n].key = key_of(s, sp);
	k->v[k->n++].arrival = k->arrivals++;
	return 0;
}

int span__keep_next(struct span_search *s, struct span *out)
{
	struct span__keep *k = &s->keep;

	if (!k->next)
		order(s);
	if (k->next == k->n)
		return 0;
	*out = k->v[k->next++].span;
	return 1;
}

void span__keep_only(struct span__keep *k, const struct span__ids *ids)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (span__ids_has(ids, k->v[i].span.trace_id))
			k->v[n++] = k->v[i];
	k->n = n;
}

void span__keep_release(struct span__keep *k)
{
	span_arena_release(&k->arena);
	free(k->v);
	*k = (struct span__keep){0};
}
