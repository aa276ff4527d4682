/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts betray themselves: calls that fail take the same time, and calls
 * that do not fail take another one. Of the durations of failures the window
 * is sought that holds most of them and is not wider than a twentieth.
 */
#include <span/findings.h>

#include <stdlib.h>
#include <string.h>

#include "trace/patterns_state.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* At least so many, and so much of all failures and no more of the rest. */
#define MIN_FAILURES 5
#define PART_OF_FAILURES 0.6
#define PART_OF_REST 0.2
#define WIDTH 20

static int find_call(struct span_patterns *s, const struct span *of,
		     struct pattern_call **out)
{
	uint64_t h[3] = {span__hash_str(&s->secret, of->process->service),
			 of->kind, 0};
	struct span_str name;
	struct pattern_call *c;
	size_t at;

	s->text.len = 0;
	span_template_put(&s->text, of->name);
	if (s->text.failed)
		return SPAN_E_NOMEM;
	name = (struct span_str){s->text.p, s->text.len};
	h[2] = span__hash_str(&s->secret, name);
	h[0] = span__hash(&s->secret, h, sizeof(h));
	at = h[0] % (2 * SPAN_PATTERN_CALLS);
	while ((c = s->calls[at]) &&
	       (c->hash != h[0] || !span_str_equal(c->name, name) ||
		!span_str_equal(c->service, of->process->service)))
		at = (at + 1) % (2 * SPAN_PATTERN_CALLS);
	*out = c;
	if (c)
		return 0;
	if (s->n_calls == SPAN_PATTERN_CALLS) {
		s->left_out++;
		return 0;
	}
	c = span_arena_alloc(&s->arena, sizeof(*c));
	if (!c)
		return SPAN_E_NOMEM;
	*c = (struct pattern_call){.hash = h[0]};
	if (!span_arena_str(&s->arena, of->process->service, &c->service) ||
	    !span_arena_str(&s->arena, name, &c->name))
		return SPAN_E_NOMEM;
	s->n_calls++;
	*out = s->calls[at] = c;
	return 0;
}

static int put_failure(struct pattern_call *c, const struct span *of)
{
	c->failures++;
	if (c->durations.len / sizeof(uint64_t) == SPAN_PATTERN_DURATIONS)
		return 0;
	memcpy(c->sample, of->trace_id, sizeof(c->sample));
	span_buf_put(&c->durations, &of->duration_ns, sizeof(uint64_t));
	return c->durations.failed ? SPAN_E_NOMEM : 0;
}

int span__timeouts_put(struct span_patterns *s, const struct span_trace *t)
{
	char *below;
	int rc = 0;

	s->below.len = 0;
	below = span_buf_reserve(&s->below, t->n);
	if (!below)
		return SPAN_E_NOMEM;
	memset(below, 0, t->n);
	for (size_t i = 0; i < t->n; i++)
		if (t->nodes[i].parent != NONE && span_is_error(&t->spans[i]))
			below[t->nodes[i].parent] = 1;
	for (size_t i = 0; i < t->n && !rc; i++) {
		const struct span *of = &t->spans[i];
		bool fails = span_is_error(of);
		struct pattern_call *c;

		/* It fails because another one did. */
		if (fails && below[i])
			continue;
		rc = find_call(s, of, &c);
		if (rc || !c)
			continue;
		rc = fails ? put_failure(c, of)
			   : span_sketch_put(&c->rest, of->duration_ns, 1,
					     NULL);
	}
	return rc;
}

static int compare_numbers(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* How many of the rest are from LOW to HIGH, by their buckets. */
static uint64_t count_rest(const struct pattern_call *c, uint64_t low,
			   uint64_t high)
{
	uint32_t from = span_sketch_bucket(low), to = span_sketch_bucket(high);
	uint64_t n = 0;

	for (size_t i = 0; i < c->rest.n; i++)
		if (c->rest.v[i].bucket >= from && c->rest.v[i].bucket <= to)
			n += c->rest.v[i].count;
	return n;
}

static bool find_timeout(struct pattern_call *c, struct span_timeout *out)
{
	uint64_t *v = (uint64_t *)(void *)c->durations.p;
	size_t n = c->durations.len / sizeof(*v), best = 0, most = 0;

	if (n < MIN_FAILURES)
		return false;
	qsort(v, n, sizeof(*v), compare_numbers);
	for (size_t low = 0, high = 0; low < n; low++) {
		while (high < n && v[high] - v[low] <= v[low] / WIDTH)
			high++;
		if (high - low > most) {
			most = high - low;
			best = low;
		}
	}
	*out = (struct span_timeout){
		.service = c->service,
		.name = c->name,
		.failures = n,
		.within = most,
		.ns = v[best] + (v[best + most - 1] - v[best]) / 2,
		.plus_minus_ns = (v[best + most - 1] - v[best] + 1) / 2,
		.rest = c->rest.count,
		.rest_within = count_rest(c, v[best], v[best + most - 1]),
	};
	memcpy(out->sample, c->sample, sizeof(out->sample));
	return most >= MIN_FAILURES &&
	       (double)most >= PART_OF_FAILURES * (double)n &&
	       (double)out->rest_within <= PART_OF_REST * (double)out->rest;
}

static int compare(const void *pa, const void *pb)
{
	const struct span_timeout *a = pa, *b = pb;
	int rc;

	if (a->within != b->within)
		return a->within < b->within ? 1 : -1;
	rc = span_str_compare(a->service, b->service);
	return rc ? rc : span_str_compare(a->name, b->name);
}

bool span__timeouts_view(struct span_patterns *s, struct span_patterns_view *v)
{
	free(s->timeouts);
	s->timeouts = calloc(s->n_calls + 1, sizeof(*s->timeouts));
	if (!s->timeouts)
		return false;
	for (size_t i = 0; i < 2 * SPAN_PATTERN_CALLS; i++)
		if (s->calls[i] &&
		    find_timeout(s->calls[i], &s->timeouts[v->n_timeouts]))
			v->n_timeouts++;
	qsort(s->timeouts, v->n_timeouts, sizeof(*s->timeouts), compare);
	v->timeouts = s->timeouts;
	return true;
}
