/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What failing traces have in common: a tag that was planted, one that is by
 * chance, identifiers, durations of a timeout, and memory that is full.
 */
#include <span/patterns.h>

#include <stdlib.h>

#include "tap.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)
#define TRACES 3000

static struct span_trace_builder builder;

struct plan {
	int n;
	bool planted;	 /* a tag that half of the others have too */
	bool unique;	 /* a tag with another value in each trace */
	uint64_t spread; /* ms by which failures differ */
};

static void put(struct span_patterns *s, const struct plan *p, int i)
{
	static const struct span_process process = {.service = {"s", 1}};
	bool fails = i % 10 == 0;
	struct span_attr attrs[3] = {
		{{"planted", 7}, {.type = SPAN_BOOL, .b = fails || i % 2}},
		{{"chance", 6}, {.type = SPAN_INT, .i = i / 10 % 4}},
		{{"id", 2}, {.type = SPAN_INT, .i = i}},
	};
	uint64_t ms = fails ? 1000 + (uint64_t)i * p->spread % 1000
			    : 1 + (uint64_t)i % 50;
	struct span span = {.trace_id = {1},
			    .span_id = {1},
			    .start_ns = 1,
			    .duration_ns = ms * MS,
			    .name = SPAN_STR("call 17"),
			    .process = &process,
			    .attrs = {.v = attrs + !p->planted, .n = 1}};
	struct span_trace t;

	span.attrs.n = 1 + p->planted + p->unique;
	span.status = fails ? SPAN_STATUS_ERROR : SPAN_STATUS_OK;
	span_trace_builder_reset(&builder);
	if (span_trace_builder_put(&builder, &span, NULL) < 0 ||
	    span_trace_builder_build(&builder, &t, NULL) < 0 ||
	    span_patterns_put(s, &t, NULL) < 0)
		abort();
}

static struct span_patterns *fill(const struct plan *p,
				  struct span_patterns_view *v)
{
	struct span_patterns *s;

	if (span_patterns_open(&s, NULL, NULL) < 0)
		abort();
	for (int i = 0; i < p->n; i++)
		put(s, p, i);
	if (span_patterns_view(s, v, NULL) < 0)
		abort();
	return s;
}

/* The root of a trace of its own: failing ones take NS. */
static void put_call(struct span_patterns *s, const char *name, uint64_t ns,
		     bool fails)
{
	static const struct span_process process = {.service = {"s", 1}};
	static uint64_t n;
	struct span span = {.span_id = {1},
			    .start_ns = 1,
			    .duration_ns = ns,
			    .name = span_str(name),
			    .process = &process};
	struct span_trace t;

	n++;
	memcpy(span.trace_id, &n, sizeof(n));
	span.status = fails ? SPAN_STATUS_ERROR : SPAN_STATUS_OK;
	span_trace_builder_reset(&builder);
	if (span_trace_builder_put(&builder, &span, NULL) < 0 ||
	    span_trace_builder_build(&builder, &t, NULL) < 0 ||
	    span_patterns_put(s, &t, NULL) < 0)
		abort();
}

/*
 * Failures of "two" after 1 s or 30 s, of "fast" after 2 us, of "wide" around
 * 1 s; what does not fail takes 5 ms and more.
 */
static void test_clusters(void)
{
	struct span_patterns *s;
	struct span_patterns_view v;
	const struct span_cluster *c;

	if (span_patterns_open(&s, NULL, NULL) < 0)
		abort();
	for (uint64_t i = 0; i < 100; i++) {
		put_call(s, "two", i % 5 ? (5 + i) * MS : 1000 * MS + i,
			 i % 5 == 0);
		if (i % 10 == 0)
			put_call(s, "two", 30000 * MS + i, true);
		put_call(s, "fast", i % 5 ? (5 + i) * MS : 2000, i % 5 == 0);
		put_call(s, "wide", i % 5 ? 5 * MS : (950 + i) * MS,
			 i % 5 == 0);
	}
	if (span_patterns_view(s, &v, NULL) < 0)
		abort();
	c = v.clusters;
	is_int((int64_t)v.n_clusters, 3, "clusters: three");
	ok(v.n_clusters == 3 && c[0].within == 20 && c[0].failures == 20 &&
		   c[0].ns == 2000 && !c[0].is_long,
	   "clusters: what fails at once is no timeout");
	ok(v.n_clusters == 3 && c[1].within == 20 && c[1].failures == 30 &&
		   c[1].ns / MS == 1000 && c[1].is_long,
	   "clusters: the larger one of two");
	ok(v.n_clusters == 3 && c[2].within == 10 && c[2].failures == 30 &&
		   c[2].ns / MS == 30000 && c[2].is_long,
	   "clusters: and the other one");
	span_patterns_close(&s);
}

/* Tags that are in as many traces, though in others: by their names. */
static void test_ties(void)
{
	static const struct span_process process = {.service = {"s", 1}};
	char names[8];
	struct span_patterns_view v;
	struct span_patterns *s;
	size_t wrong = 0;

	if (span_patterns_open(&s, NULL, NULL) < 0)
		abort();
	for (unsigned i = 0; i < 160; i++) {
		struct span_attr attr = {{names, 1},
					 {.type = SPAN_INT, .i = 1}};
		struct span span = {.trace_id = {1},
				    .span_id = {1},
				    .start_ns = 1,
				    .name = SPAN_STR("x"),
				    .process = &process,
				    .attrs = {.v = &attr, .n = 1}};
		struct span_trace t;

		names[0] = (char)('a' + i % 8);
		span.attrs.n = i < 80;
		span.status = i < 80 ? SPAN_STATUS_ERROR : SPAN_STATUS_OK;
		span_trace_builder_reset(&builder);
		if (span_trace_builder_put(&builder, &span, NULL) < 0 ||
		    span_trace_builder_build(&builder, &t, NULL) < 0 ||
		    span_patterns_put(s, &t, NULL) < 0)
			abort();
	}
	if (span_patterns_view(s, &v, NULL) < 0)
		abort();
	for (size_t i = 0; i < v.n_patterns; i++)
		wrong += *v.patterns[i].key.p != (char)('a' + i);
	ok(v.n_patterns == 8 && !wrong, "ties are in the order of their text");
	span_patterns_close(&s);
}

int main(void)
{
	static const struct plan planted = {200, true, false, 0};
	static const struct plan chance = {200, false, false, 37};
	static const struct plan unique = {TRACES, true, true, 0};
	static const struct plan few = {30, true, false, 0};
	struct span_patterns_view v;
	struct span_patterns *s = fill(&planted, &v);

	ok(v.n_patterns == 1 && v.failing == 20 && v.rest == 180 &&
		   v.patterns[0].failing == 20 && v.patterns[0].rest == 100 &&
		   v.patterns[0].q < 0.05 && v.patterns[0].q >= v.patterns[0].p,
	   "a tag of all failures and of half of the others is told alone");
	ok(v.n_clusters == 1 && v.clusters[0].within == 20 &&
		   v.clusters[0].ns == 1000 * MS &&
		   !v.clusters[0].rest_within && v.clusters[0].is_long,
	   "failures that took the same time are a timeout");
	is(v.clusters[0].name.p, v.clusters[0].name.len, "call ?",
	   "its name is a template");
	span_patterns_close(&s);

	s = fill(&chance, &v);
	ok(!v.n_patterns, "what is by chance is no pattern");
	ok(!v.n_clusters, "failures that took all sorts of times are none");
	span_patterns_close(&s);

	s = fill(&unique, &v);
	is_int((int64_t)v.identifiers, 1, "a key of many values is counted");
	diag("%zu patterns, %d judged", v.n_patterns, (int)v.judged);
	ok(v.n_patterns == 1 && !v.left_out && v.judged < 20,
	   "and none of its values is judged");
	span_patterns_close(&s);

	s = fill(&few, &v);
	ok(!v.n_patterns && !v.n_clusters, "three failures tell nothing");
	span_patterns_close(&s);

	test_clusters();
	test_ties();
	span_trace_builder_release(&builder);
	return done_testing();
}
