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
	ok(v.n_timeouts == 1 && v.timeouts[0].within == 20 &&
		   v.timeouts[0].ns == 1000 * MS && !v.timeouts[0].rest_within,
	   "failures that took the same time are a timeout");
	is(v.timeouts[0].name.p, v.timeouts[0].name.len, "call ?",
	   "its name is a template");
	span_patterns_close(&s);

	s = fill(&chance, &v);
	ok(!v.n_patterns, "what is by chance is no pattern");
	ok(!v.n_timeouts, "failures that took all sorts of times are none");
	span_patterns_close(&s);

	s = fill(&unique, &v);
	is_int((int64_t)v.identifiers, 1, "a key of many values is counted");
	diag("%zu patterns, %d judged", v.n_patterns, (int)v.judged);
	ok(v.n_patterns == 1 && !v.left_out && v.judged < 20,
	   "and none of its values is judged");
	span_patterns_close(&s);

	s = fill(&few, &v);
	ok(!v.n_patterns && !v.n_timeouts, "three failures tell nothing");
	span_patterns_close(&s);

	span_trace_builder_release(&builder);
	return done_testing();
}
