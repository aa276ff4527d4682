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
			if (n->attrs[k].n[0] > n->side[0].spans ||
			    n->attrs[k].n[1] > n->side[1].spans)
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
		wrong += !sums_agree(&v) || v.left_out || v.sets;
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
	{"too few traces to tell", 3, {1, 4}, {50, 90}, true, 0},
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
		ok(v.n_nodes == 2 && v.nodes[1].changes == sets[i].want &&
			   !v.nodes[0].changes &&
			   is(v.nodes[1].name.p, v.nodes[1].name.len, "call ?",
			      "the name is a template"),
		   "sets: %s", sets[i].name);
		span_diff_close(&d);
	}
}

int main(void)
{
	test_random((unsigned)time(NULL));
	test_sets();
	span_trace_builder_release(&builder);
	return done_testing();
}
