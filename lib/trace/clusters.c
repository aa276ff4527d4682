/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts betray themselves: calls that fail take the same time, and calls
 * that do not fail take another one. Of the durations of failures those
 * windows are sought, no wider than a twentieth, that hold most of them and
 * have few beside them; together they are most of all failures.
 */
#include <stdlib.h>
#include <string.h>

#include "trace/finder.h"
#include "trace/patterns_state.h"

#include "base/banned.h"

/*
 * A window has at least so many failures, so much of all, no more of the rest,
 * and of what it has itself no more in the windows beside it.
 */
#define MIN_FAILURES 5
#define PART_OF_FAILURES 0.2
#define PART_OF_REST 0.2
#define PART_BESIDE 0.5
#define WIDTH 20

/* All windows have so much of the failures. */
#define PART_TOGETHER 0.6

#define LONG_NS 100000000

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
	struct pattern_failure failure = {.ns = of->duration_ns};

	if (c->failures.len / sizeof(failure) == SPAN_PATTERN_DURATIONS)
		return 0;
	memcpy(failure.trace, of->trace_id, sizeof(failure.trace));
	span_buf_put(&c->failures, &failure, sizeof(failure));
	return c->failures.failed ? SPAN_E_NOMEM : 0;
}

int span__clusters_put(struct span_patterns *s, const struct span_trace *t)
{
	uint8_t *below;
	int rc = 0;

	s->below.len = 0;
	below = (uint8_t *)span_buf_reserve(&s->below, t->n);
	if (!below)
		return SPAN_E_NOMEM;
	span__mark_failing_below(t, below);
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

static int compare_failures(const void *pa, const void *pb)
{
	const struct pattern_failure *a = pa, *b = pb;

	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return memcmp(a->trace, b->trace, sizeof(a->trace));
}

/* Failures FROM to TO of N, by duration. */
struct window {
	size_t from, to;
};

struct windows {
	const struct pattern_failure *v;
	size_t n, n_found;
	struct window found[SPAN_PATTERN_CLUSTERS];
};

/* The end of the window that failure I is in already; I: of none. */
static size_t after_found(const struct windows *w, size_t i)
{
	for (size_t k = 0; k < w->n_found; k++)
		if (i >= w->found[k].from && i < w->found[k].to)
			return w->found[k].to;
	return i;
}

/* The fullest one beside those that were found. */
static struct window find_fullest(const struct windows *w)
{
	const struct pattern_failure *v = w->v;
	struct window most = {0, 0};

	for (size_t low = 0, high = 0; low < w->n; low++) {
		low = after_found(w, low);
		if (high < low)
			high = low;
		while (high < w->n && after_found(w, high) == high &&
		       v[high].ns - v[low].ns <= v[low].ns / WIDTH)
			high++;
		if (high - low > most.to - most.from)
			most = (struct window){low, high};
	}
	return most;
}

static void find_windows(struct windows *w)
{
	while (w->n_found < SPAN_PATTERN_CLUSTERS) {
		struct window next = find_fullest(w);
		size_t n = next.to - next.from;

		if (n < MIN_FAILURES ||
		    (double)n < PART_OF_FAILURES * (double)w->n)
			return;
		w->found[w->n_found++] = next;
	}
}

/* Few failures are just below it, or just above. */
static bool stands_alone(const struct windows *w, struct window of)
{
	const struct pattern_failure *v = w->v;
	size_t below = of.from, above = of.to;

	while (below &&
	       v[of.from].ns - v[below - 1].ns <= v[of.from].ns / WIDTH)
		below--;
	while (above < w->n &&
	       v[above].ns - v[of.to - 1].ns <= v[of.to - 1].ns / WIDTH)
		above++;
	return (double)(of.from - below + (above - of.to)) <=
	       PART_BESIDE * (double)(of.to - of.from);
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

static struct span_cluster describe(const struct pattern_call *c,
				    const struct windows *w, struct window of)
{
	uint64_t low = w->v[of.from].ns, high = w->v[of.to - 1].ns;
	struct span_cluster is = {
		.service = c->service,
		.name = c->name,
		.failures = w->n,
		.within = of.to - of.from,
		.ns = low + (high - low) / 2,
		.plus_minus_ns = (high - low + 1) / 2,
		.rest = c->rest.count,
		.rest_within = count_rest(c, low, high),
	};

	is.is_long = is.rest ? low > span_sketch_quantile(&c->rest, .95)
			     : low >= LONG_NS;
	memcpy(is.sample, w->v[of.from + (of.to - of.from) / 2].trace,
	       sizeof(is.sample));
	return is;
}

/* Those of one operation to OUT; how many there are. */
static size_t find_clusters(struct pattern_call *c, struct span_cluster *out)
{
	struct pattern_failure *v =
		(struct pattern_failure *)(void *)c->failures.p;
	struct windows w = {.v = v, .n = c->failures.len / sizeof(*v)};
	size_t n = 0, together = 0;

	if (w.n < MIN_FAILURES)
		return 0;
	qsort(v, w.n, sizeof(*v), compare_failures);
	find_windows(&w);
	for (size_t i = 0; i < w.n_found; i++) {
		struct span_cluster is = describe(c, &w, w.found[i]);

		if (!stands_alone(&w, w.found[i]) ||
		    (double)is.rest_within > PART_OF_REST * (double)is.rest)
			continue;
		together += is.within;
		out[n++] = is;
	}
	return (double)together >= PART_TOGETHER * (double)w.n ? n : 0;
}

static int compare(const void *pa, const void *pb)
{
	const struct span_cluster *a = pa, *b = pb;
	int rc;

	if (a->within != b->within)
		return a->within < b->within ? 1 : -1;
	if ((rc = span_str_compare(a->service, b->service)) ||
	    (rc = span_str_compare(a->name, b->name)))
		return rc;
	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return memcmp(a->sample, b->sample, sizeof(a->sample));
}

bool span__clusters_view(struct span_patterns *s, struct span_patterns_view *v)
{
	free(s->clusters);
	s->clusters = calloc(s->n_calls * SPAN_PATTERN_CLUSTERS + 1,
			     sizeof(*s->clusters));
	if (!s->clusters)
		return false;
	for (size_t i = 0; i < 2 * SPAN_PATTERN_CALLS; i++)
		if (s->calls[i])
			v->n_clusters += find_clusters(
				s->calls[i], &s->clusters[v->n_clusters]);
	qsort(s->clusters, v->n_clusters, sizeof(*s->clusters), compare);
	v->clusters = s->clusters;
	return true;
}
