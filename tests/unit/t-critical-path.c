/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The critical path and self times of traces that were worked out by hand; and
 * of random ones, of which only the sum is known.
 */
#include <span/trace.h>

#include <stdlib.h>
#include <time.h>

#include "tap.h"

#include "base/banned.h"

#define MAX_SPANS 10
#define RANDOM_TRACES 2000

static void put_id(uint8_t id[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		id[i] = (uint8_t)v;
}

/* Names are one character, and the id; 0 is no parent. */
struct row {
	char name, parent;
	uint64_t start, end;
	char how; /* 'p'roducer, 'c'onsumer, 'f'ollows from, or 0 */
};

static void put(struct span_trace_builder *b, uint64_t id, uint64_t parent,
		const struct row *r)
{
	static const struct span_process process = {.service = {"s", 1}};
	struct span_ref ref = {.type = SPAN_REF_FOLLOWS_FROM};
	struct span s = {
		.trace_id = {1},
		.start_ns = r->start,
		.duration_ns = r->end - r->start,
		.name = {&r->name, 1},
		.process = &process,
		.refs = r->how == 'f' ? &ref : NULL,
		.n_refs = r->how == 'f',
	};

	put_id(s.span_id, id);
	put_id(s.parent_id, parent);
	put_id(ref.span_id, parent);
	ref.trace_id[0] = 1;
	if (r->how == 'p')
		s.kind = SPAN_KIND_PRODUCER;
	if (r->how == 'c')
		s.kind = SPAN_KIND_CONSUMER;
	if (span_trace_builder_put(b, &s, NULL) < 0)
		abort();
}

static const struct {
	const char *name;
	struct row rows[MAX_SPANS];
	const char *path; /* a0-10 b10-20 */
	const char *self; /* in order of start */
} cases[] = {
	{"a span alone", {{'a', 0, 5, 25, 0}}, "a5-25", "a20"},
	{"a child in the middle",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 20, 70, 0}},
	 "a0-20 b20-70 a70-100",
	 "a50 b50"},
	{"back to back: one ends where the next begins",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 10, 40, 0}, {'c', 'a', 40, 90, 0}},
	 "a0-10 b10-40 c40-90 a90-100",
	 "a20 b30 c50"},
	{"children that overlap: the one that ends last",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 10, 60, 0}, {'c', 'a', 50, 90, 0}},
	 "a0-50 c50-90 a90-100",
	 "a20 b50 c40"},
	{"what ran before the critical child counts, if it ended before",
	 {{'a', 0, 0, 100, 0},
	  {'b', 'a', 5, 30, 0},
	  {'c', 'a', 10, 60, 0},
	  {'d', 'a', 40, 95, 0}},
	 "a0-5 b5-30 a30-40 d40-95 a95-100",
	 "a10 b25 c50 d55"},
	{"a child within a child",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 10, 90, 0}, {'c', 'b', 20, 80, 0}},
	 "a0-10 b10-20 c20-80 b80-90 a90-100",
	 "a20 b20 c60"},
	{"a child that outlives its parent is cut to it",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 60, 150, 0}},
	 "a0-60 b60-100",
	 "a60 b90"},
	{"a child that begins before its parent, for its clock is wrong",
	 {{'b', 'a', 10, 60, 0}, {'a', 0, 20, 100, 0}},
	 "b20-60 a60-100",
	 "b50 a40"},
	{"a grandchild is cut to what its parent was cut to",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 50, 200, 0}, {'c', 'b', 80, 180, 0}},
	 "a0-50 b50-80 c80-100",
	 "a50 b50 c100"},
	{"a child that is wholly outside does not count",
	 {{'a', 0, 0, 100, 0},
	  {'b', 'a', 100, 150, 0},
	  {'c', 'a', 160, 170, 0}},
	 "a0-100",
	 "a100 b50 c10"},
	{"a consumer does not hold up its producer",
	 {{'a', 0, 0, 100, 'p'},
	  {'b', 'a', 20, 90, 'c'},
	  {'c', 'b', 30, 80, 0}},
	 "a0-100",
	 "a100 b20 c50"},
	{"a consumer below what is no producer does",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 20, 90, 'c'}},
	 "a0-20 b20-90 a90-100",
	 "a30 b70"},
	{"what follows from its parent does not hold it up",
	 {{'a', 0, 0, 100, 0}, {'b', 'a', 20, 90, 'f'}},
	 "a0-100",
	 "a100 b70"},
	{"an orphan and its children are not on the path",
	 {{'a', 0, 0, 100, 0}, {'b', 'x', 20, 300, 0}, {'c', 'b', 30, 80, 0}},
	 "a0-100",
	 "a100 b230 c50"},
	{"of two that end together the lower id",
	 {{'a', 0, 0, 100, 0}, {'c', 'a', 10, 50, 0}, {'b', 'a', 20, 50, 0}},
	 "a0-20 b20-50 a50-100",
	 "a60 c40 b30"},
	{"spans without duration are on no path",
	 {{'a', 0, 0, 10, 0}, {'b', 'a', 5, 5, 0}},
	 "a0-10",
	 "a10 b0"},
	{"a trace without duration has no path", {{'a', 0, 7, 7, 0}}, "", "a0"},
	{"times at the end of what fits",
	 {{'a', 0, UINT64_MAX - 20, UINT64_MAX, 0},
	  {'b', 'a', UINT64_MAX - 10, UINT64_MAX, 0}},
	 "a18446744073709551595-18446744073709551605 "
	 "b18446744073709551605-18446744073709551615",
	 "a10 b10"},
};

static void draw(struct span_buf *b, const struct span_trace *t,
		 const struct span_buf *path)
{
	const struct span_trace_section *v = (const void *)path->p;

	for (size_t i = 0; i < path->len / sizeof(*v); i++)
		span_buf_printf(b, "%s%c%" PRIu64 "-%" PRIu64, i ? " " : "",
				*t->spans[v[i].span].name.p, v[i].start_ns,
				v[i].end_ns);
	span_buf_putc(b, 0);
}

static void check_case(size_t i)
{
	struct span_trace_builder b = {0};
	struct span_buf path = {0}, text = {0};
	struct span_trace t;

	for (const struct row *r = cases[i].rows; r->name; r++)
		put(&b, (uint64_t)r->name, (uint64_t)r->parent, r);
	if (span_trace_builder_build(&b, &t, NULL) < 0 ||
	    span_trace_critical_path(&t, &path, NULL) < 0)
		abort();
	draw(&text, &t, &path);
	is_str(text.p, cases[i].path, "path: %s", cases[i].name);
	text.len = 0;
	for (uint32_t k = 0; k < t.n; k++)
		span_buf_printf(&text, "%s%c%" PRIu64, k ? " " : "",
				*t.spans[k].name.p, span_trace_self_ns(&t, k));
	is_str(text.p, cases[i].self, "self: %s", cases[i].name);
	span_buf_release(&text);
	span_buf_release(&path);
	span_trace_builder_release(&b);
}

/* The sections follow each other without a gap and fill the root. */
static bool is_whole(const struct span_trace *t, const struct span_buf *path)
{
	const struct span_trace_section *v = (const void *)path->p;
	size_t n = path->len / sizeof(*v);
	uint64_t at = t->spans[t->root].start_ns;

	for (size_t i = 0; i < n; i++) {
		const struct span *s = &t->spans[v[i].span];

		if (v[i].start_ns != at || v[i].end_ns <= at ||
		    s->start_ns > at || span_end_ns(s) < v[i].end_ns)
			return false;
		at = v[i].end_ns;
	}
	return at == span_end_ns(&t->spans[t->root]);
}

static void check_random(unsigned seed)
{
	size_t good = 0;

	srandom(seed);
	for (int k = 0; k < RANDOM_TRACES; k++) {
		struct span_trace_builder b = {0};
		struct span_buf path = {0};
		struct span_trace t;
		unsigned n = 1 + (unsigned)random() % 60;

		for (unsigned i = 0; i < n; i++) {
			struct row r = {.name = 'x',
					.how = "pcf\0\0\0"[random() % 6]};

			r.start = (uint64_t)random() % 50;
			r.end = r.start + (uint64_t)random() % 50;
			put(&b, i + 1, (uint64_t)random() % (i + 2), &r);
		}
		if (span_trace_builder_build(&b, &t, NULL) < 0 ||
		    span_trace_critical_path(&t, &path, NULL) < 0)
			abort();
		good += is_whole(&t, &path);
		span_buf_release(&path);
		span_trace_builder_release(&b);
	}
	is_uint(good, RANDOM_TRACES,
		"the path of each random trace fills its "
		"root, seed %u",
		seed);
}

/* A chain as deep as it has spans, and a span with as many children. */
static void check_large(bool chain)
{
	const uint64_t n = 100000;
	struct span_trace_builder b = {0};
	struct span_buf path = {0};
	struct span_trace t;
	clock_t start;

	for (uint64_t i = 0; i < n; i++) {
		struct row r = {.name = 'x', .start = i, .end = 4 * n - i};

		if (!chain && i)
			r = (struct row){'x', 0, 2 * i, 2 * i + 1, 0};
		put(&b, i + 1, chain ? i : i != 0, &r);
	}
	if (span_trace_builder_build(&b, &t, NULL) < 0)
		abort();
	start = clock();
	if (span_trace_critical_path(&t, &path, NULL) < 0)
		abort();
	ok(clock() - start < CLOCKS_PER_SEC, "%s of 100,000 spans is quick",
	   chain ? "a chain" : "a family");
	is_uint(path.len / sizeof(struct span_trace_section), 2 * n - 1,
		"and each span but the innermost is on its path twice, or "
		"between two others");
	span_buf_release(&path);
	span_trace_builder_release(&b);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(i);
	check_random((unsigned)time(NULL));
	check_large(true);
	check_large(false);
	return done_testing();
}
