/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparisons: of random traces with themselves and with others, of which the
 * sums are known; and of two sets that differ in one thing.
 */
#include <span/diff.h>

#include <stdlib.h>
#include <time.h>

#include "tap.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)
#define ROUNDS 500

static struct span_trace_builder builder;

static unsigned below(unsigned n)
{
	return (unsigned)(random() % n);
}

static void put(uint8_t id, uint8_t parent, const char *name, uint64_t ms,
		bool fails)
{
	static struct span_attr attr = {{"k", 1}, {.type = SPAN_INT}};
	static const struct span_process process = {.service = {"s", 1}};
	struct span s = {.trace_id = {1},
			 .span_id = {id},
			 .parent_id = {parent},
			 .start_ns = id,
			 .duration_ns = ms * MS,
			 .name = span_str(name),
			 .process = &process,
			 .attrs = {.v = &attr, .n = 1}};

	attr.value.i = fails;
	s.status = fails ? SPAN_STATUS_ERROR : SPAN_STATUS_UNSET;
	if (span_trace_builder_put(&builder, &s, NULL) < 0)
		abort();
}

static void add(struct span_diff *d, int side)
{
	struct span_trace t;

	if (span_trace_builder_build(&builder, &t, NULL) < 0 ||
	    span_diff_put(d, side, &t, NULL) < 0)
		abort();
}

static void random_trace(void)
{
	unsigned n = 1 + below(30);

	span_trace_builder_reset(&builder);
	for (unsigned i = 0; i < n; i++) {
		char name[2] = {(char)('a' + below(4)), 0};

		put((uint8_t)(i + 1), (uint8_t)below(n + 2), name, below(50),
		    !below(4));
	}
}

static bool sums_agree(const struct span_diff_view *v)
{
	uint64_t spans[2] = {0, 0};

	for (size_t i = 0; i < v->n_nodes; i++) {
		const struct span_diff_node *n = &v->nodes[i];

		for (int k = 0; k < 2; k++)
			spans[k] += n->side[k].spans;
		if (n->parent != SPAN_TRACE_NONE &&
		    (n->parent >= i ||
		     n->depth != v->nodes[n->parent].depth + 1))
			return false;
		for (size_t k = 0; k < n->n_attrs; k++)
			if (n->attrs[k].spans[0] > n->side[0].spans ||
			    n->attrs[k].spans[1] > n->side[1].spans)
				return false;
	}
	return spans[0] == v->spans[0] && spans[1] == v->spans[1];
}

static void test_random(unsigned seed)
{
	size_t wrong = 0, differ = 0;

	srandom(seed);
	for (int k = 0; k < ROUNDS; k++) {
		struct span_diff *d;
		struct span_diff_view v;
		bool same = k % 2;

		if (span_diff_open(&d, NULL, NULL) < 0)
			abort();
		random_trace();
		add(d, SPAN_DIFF_A);
		if (!same)
			random_trace();
		add(d, SPAN_DIFF_B);
		if (span_diff_view(d, &v, NULL) < 0)
			abort();
		wrong += !sums_agree(&v) || v.spans_left_out ||
			 v.values_left_out || v.sets;
		if (same)
			wrong += v.n_changed != 0 || v.nodes[0].n_attrs != 0;
		else
			differ += v.n_changed != 0;
		span_diff_close(&d);
	}
	is_int((int64_t)wrong, 0, "random traces: sums agree (seed %u)", seed);
	ok(differ > ROUNDS / 4, "random traces: most differ");
}

/* N traces: root, CALLS calls of MS ms, of which the last fails with FAILS. */
static void add_set(struct span_diff *d, int side, int n, unsigned calls,
		    uint64_t ms, bool fails)
{
	for (int i = 0; i < n; i++) {
		span_trace_builder_reset(&builder);
		put(1, 0, "root", 100, false);
		for (unsigned k = 0; k < calls; k++)
			put((uint8_t)(k + 2), 1, "call 17",
			    ms + (unsigned)i % 5, fails && k == calls - 1);
		add(d, side);
	}
}

static const struct {
	const char *name;
	int traces;
	unsigned calls[2];
	uint64_t ms[2];
	bool fails;
	unsigned want; /* changes of the call */
} sets[] = {
	{"the same", 20, {2, 2}, {50, 50}, false, 0},
	{"slower", 20, {2, 2}, {50, 90}, false, SPAN_DIFF_DURATION},
	{"slower by less than the threshold", 20, {2, 2}, {50, 54}, false, 0},
	{"more calls", 20, {2, 5}, {50, 50}, false, SPAN_DIFF_COUNT},
	{"added", 20, {0, 1}, {50, 50}, false, SPAN_DIFF_ADDED},
	{"removed", 20, {1, 0}, {50, 50}, false, SPAN_DIFF_REMOVED},
	{"failing", 20, {1, 1}, {50, 50}, true, SPAN_DIFF_ERRORS},
	{"numbers alone, where tests take more traces",
	 7,
	 {1, 4},
	 {50, 90},
	 true,
	 SPAN_DIFF_COUNT | SPAN_DIFF_DURATION | SPAN_DIFF_ERRORS},
	{"one trace needs no chance",
	 1,
	 {1, 4},
	 {50, 90},
	 true,
	 SPAN_DIFF_COUNT | SPAN_DIFF_DURATION | SPAN_DIFF_ERRORS},
};

static void test_sets(void)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct span_diff *d;
		struct span_diff_view v;

		if (span_diff_open(&d, NULL, NULL) < 0)
			abort();
		add_set(d, SPAN_DIFF_A, sets[i].traces, sets[i].calls[0],
			sets[i].ms[0], false);
		add_set(d, SPAN_DIFF_B, sets[i].traces, sets[i].calls[1],
			sets[i].ms[1], sets[i].fails);
		if (span_diff_view(d, &v, NULL) < 0)
			abort();
		ok(v.tested == (sets[i].traces >= 8) && v.n_nodes == 2 &&
			   v.nodes[1].changes == sets[i].want &&
			   !v.nodes[0].changes &&
			   is(v.nodes[1].name.p, v.nodes[1].name.len, "call ?",
			      "the name is a template"),
		   "sets: %s", sets[i].name);
		span_diff_close(&d);
	}
}

/*
 * Ten traces of 50 calls: in SLOW of them all are slow, in FAILING all fail,
 * and all have the tag "k" with 1.
 */
static void add_clustered(struct span_diff *d, int side, int slow, int failing)
{
	for (int i = 0; i < 10; i++) {
		span_trace_builder_reset(&builder);
		put(1, 0, "root", 100, false);
		for (int k = 0; k < 50; k++)
			put((uint8_t)(k + 2), 1, "call", i < slow ? 90 : 50,
			    i < failing);
		add(d, side);
	}
}

/* Calls of one trace are slow together: they say no more than one would. */
static void test_independence(void)
{
	struct span_diff *d;
	struct span_diff_view v;

	if (span_diff_open(&d, NULL, NULL) < 0)
		abort();
	add_clustered(d, SPAN_DIFF_A, 4, 2);
	add_clustered(d, SPAN_DIFF_B, 6, 4);
	if (span_diff_view(d, &v, NULL) < 0)
		abort();
	ok(v.tested && v.n_nodes == 2 && !v.nodes[1].changes &&
		   !v.nodes[1].n_attrs,
	   "10 traces of 50 calls are 10 observations, not 500");
	ok(v.nodes[1].side[0].failing == 2 && v.nodes[1].side[1].failing == 4 &&
		   v.nodes[1].side[1].errors == 200,
	   "failing traces are counted beside failing spans");
	span_diff_close(&d);
}

static unsigned changes_with(const struct span_diff_opts *o, unsigned calls_b,
			     uint64_t ms_b)
{
	struct span_diff *d;
	struct span_diff_view v;
	unsigned changes;

	if (span_diff_open(&d, o, NULL) < 0)
		abort();
	add_set(d, SPAN_DIFF_A, 1, 1, 50, false);
	add_set(d, SPAN_DIFF_B, 1, calls_b, ms_b, false);
	if (span_diff_view(d, &v, NULL) < 0)
		abort();
	changes = v.nodes[1].changes;
	span_diff_close(&d);
	return changes;
}

static void test_thresholds(void)
{
	static const struct span_diff_opts large = {.ratio = 10, .max_q = .05};
	static const struct span_diff_opts zero = {.max_q = .05};

	is_int(changes_with(&large, 0, 50), SPAN_DIFF_REMOVED,
	       "what is gone differs by more than any ratio");
	is_int(changes_with(NULL, 1, 51), 0, "1 ms in 50 is below the default");
	is_int(changes_with(&zero, 1, 51), SPAN_DIFF_DURATION,
	       "and above thresholds of 0");
}

/* A tag that a span and its process have is one. */
static void test_twice(void)
{
	static struct span_attr attr = {{"v", 1}, {.type = SPAN_INT, .i = 1}};
	static const struct span_process process = {
		.service = {"s", 1}, .attrs = {.v = &attr, .n = 1}};
	struct span s = {.trace_id = {1},
			 .span_id = {1},
			 .start_ns = 1,
			 .duration_ns = 1,
			 .name = {"root", 4},
			 .process = &process};
	struct span_diff *d;
	struct span_diff_view v;

	if (span_diff_open(&d, NULL, NULL) < 0)
		abort();
	for (int side = 0; side < 2; side++) {
		s.attrs = side ? (struct span_attrs){.v = NULL}
			       : (struct span_attrs){.v = &attr, .n = 1};
		span_trace_builder_reset(&builder);
		if (span_trace_builder_put(&builder, &s, NULL) < 0)
			abort();
		add(d, side);
	}
	if (span_diff_view(d, &v, NULL) < 0)
		abort();
	ok(!v.nodes[0].n_attrs, "a tag of a span and of its process is one");
	span_diff_close(&d);
}

int main(void)
{
	test_random((unsigned)time(NULL));
	test_sets();
	test_independence();
	test_thresholds();
	test_twice();
	span_trace_builder_release(&builder);
	return done_testing();
}
