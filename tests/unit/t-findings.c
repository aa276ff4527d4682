/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings in traces that were made by hand, with near misses beside them;
 * templates of texts.
 */
#include <span/findings.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "findings-rows.h"
#include "tap.h"

#include "base/banned.h"

#define MAX_SPANS 9
#define LARGE 100000

#define ROOT(end)                                                              \
	{                                                                      \
		'a', 0, 'x', "root", 0, end, "s", NULL                         \
	}

static const struct {
	const char *name, *kind;
	struct row rows[MAX_SPANS];
	const char *want; /* "FIRST*COUNT TIME TEXT; " */
} cases[] = {
	{"guilty: the span that has most of the path",
	 "guilty",
	 {ROOT(100), {'b', 'a', 'x', "b", 10, 90, "", NULL}},
	 "b*1 80 ; "},
	{"guilty: not a span alone", "guilty", {ROOT(100)}, ""},
	{"guilty: not what its children have of it",
	 "guilty",
	 {ROOT(100),
	  {'b', 'a', 'x', "b", 0, 100, "", NULL},
	  {'c', 'b', 'x', "c", 5, 95, "", NULL}},
	 "c*1 90 ; "},
	{"guilty: nobody when all have a fifth",
	 "guilty",
	 {{'a', 0, 'x', "root", 0, 100, "s", NULL},
	  {'b', 'a', 'x', "b", 0, 20, "", NULL},
	  {'c', 'a', 'x', "c", 20, 40, "", NULL},
	  {'d', 'a', 'x', "d", 40, 60, "", NULL},
	  {'e', 'a', 'x', "e", 60, 80, "", NULL}},
	 ""},
	{"error: the deepest one, and how far it got",
	 "error",
	 {{'a', 0, 'x', "root", 0, 100, "se", NULL},
	  {'b', 'a', 'y', "b", 10, 90, "e", NULL},
	  {'c', 'b', 'y', "c", 20, 80, "e", "=no 17"},
	  {'d', 'b', 'y', "d", 80, 85, "", NULL}},
	 "c*1 60 no 17 ^2; "},
	{"error: two of one kind are one, their numbers differ",
	 "error",
	 {ROOT(100),
	  {'b', 'a', 'y', "b 1", 10, 20, "e", "=no 17"},
	  {'c', 'a', 'y', "b 2", 20, 40, "e", "=no 18"},
	  {'d', 'a', 'z', "b 2", 40, 41, "e", "=no 18"}},
	 "b*2 30 no 17; d*1 1 no 18; "},
	{"error: behind spans that say nothing of it",
	 "error",
	 {{'a', 0, 'x', "root", 0, 100, "se", NULL},
	  {'b', 'a', 'y', "b", 10, 90, "", NULL},
	  {'c', 'b', 'y', "c", 20, 80, "", NULL},
	  {'d', 'c', 'y', "d", 30, 70, "e", "=no"}},
	 "d*1 40 no ^1; "},
	{"error: not behind one that says it is well",
	 "error",
	 {{'a', 0, 'x', "root", 0, 100, "se", "=why"},
	  {'b', 'a', 'y', "b", 10, 90, "o", NULL},
	  {'c', 'b', 'y', "c", 20, 80, "e", "=no"}},
	 "a*1 100 why; c*1 60 no; "},
	{"error: not of what the span does not wait for",
	 "error",
	 {{'a', 0, 'x', "root", 0, 100, "se", "=why"},
	  {'b', 'a', 'y', "b", 10, 90, "ef", "=later"}},
	 "a*1 100 why; b*1 80 later; "},
	{"error: another response is another error",
	 "error",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 10, 20, "e", "#500"},
	  {'c', 'a', 'y', "b", 20, 40, "e", "#404"},
	  {'d', 'a', 'y', "b", 40, 45, "e", "#500"}},
	 "c*1 20 HTTP 404; b*2 15 HTTP 500; "},
	{"error: none", "error", {ROOT(100)}, ""},
	{"n+1: statements that differ in a number",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "c", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 3"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 51, 60, "c", "get 5"}},
	 "b*5 49 get ?; "},
	{"n+1: not four of them",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "c", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 3"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 51, 60, "c", "put 5"}},
	 ""},
	{"n+1: not calls that run at once",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 10, 30, "c", "get 2"},
	  {'d', 'a', 'x', "q", 10, 40, "c", "get 3"},
	  {'e', 'a', 'x', "q", 10, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 10, 60, "c", "get 5"}},
	 ""},
	{"n+1: not steps of its own",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "", NULL},
	  {'c', 'a', 'x', "q", 20, 30, "", NULL},
	  {'d', 'a', 'x', "q", 30, 40, "", NULL},
	  {'e', 'a', 'x', "q", 40, 50, "", NULL},
	  {'f', 'a', 'x', "q", 51, 60, "", NULL}},
	 ""},
	{"n+1: not when it is the same statement",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "c", "get 1"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 1"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 1"},
	  {'f', 'a', 'x', "q", 50, 60, "c", "get 1"}},
	 ""},
	{"n+1: numbers with a sign are numbers",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get -1"},
	  {'c', 'a', 'x', "q", 20, 30, "c", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get -3"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get +4"},
	  {'f', 'a', 'x', "q", 51, 60, "c", "get 5"}},
	 "b*5 49 get ?; "},
	{"n+1: of what was tried again the last attempt counts",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "ce", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 2"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 50, 60, "c", "get 5"},
	  {'g', 'a', 'x', "q", 60, 70, "c", "get 6"}},
	 "b*5 50 get ?; "},
	{"n+1: not four of which one was tried again",
	 "n+1",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "ce", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 2"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 50, 60, "c", "get 5"}},
	 ""},
	{"retry: within an n+1 too",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "ce", "get 2"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 2"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 4"},
	  {'f', 'a', 'x', "q", 50, 60, "c", "get 5"},
	  {'g', 'a', 'x', "q", 60, 70, "c", "get 6"}},
	 "c*2 10 get ? !1; "},
	{"repeated: then it is this",
	 "repeated",
	 {ROOT(100),
	  {'b', 'a', 'x', "q", 10, 20, "c", "get 1"},
	  {'c', 'a', 'x', "q", 20, 30, "c", "get 1"},
	  {'d', 'a', 'x', "q", 30, 40, "c", "get 1"},
	  {'e', 'a', 'x', "q", 40, 50, "c", "get 1"},
	  {'f', 'a', 'x', "q", 50, 60, "c", "get 1"}},
	 "b*5 50 get ?; "},
	{"retry: the third attempt works",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'y', "call", 10, 20, "ce", NULL},
	  {'c', 'a', 'y', "call", 30, 40, "ce", NULL},
	  {'d', 'a', 'y', "call", 60, 70, "c", NULL}},
	 "b*3 50 call !2; "},
	{"retry: not after one that worked",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'y', "call", 10, 20, "c", NULL},
	  {'c', 'a', 'y', "call", 30, 40, "ce", NULL},
	  {'d', 'a', 'y', "call", 60, 70, "c", NULL}},
	 ""},
	{"retry: but of the same statement it is",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'y', "call", 10, 20, "c", "get 1"},
	  {'c', 'a', 'y', "call", 30, 40, "ce", "get 2"},
	  {'d', 'a', 'y', "call", 60, 70, "c", "get 2"}},
	 "c*2 30 get ? !1; "},
	{"retry: not of another statement",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'y', "call", 10, 20, "ce", "get 1"},
	  {'c', 'a', 'y', "call", 30, 40, "c", "get 2"}},
	 ""},
	{"retry: not before the other one ended",
	 "retry",
	 {ROOT(100),
	  {'b', 'a', 'y', "call", 10, 20, "ce", NULL},
	  {'c', 'a', 'y', "call", 19, 40, "c", NULL}},
	 ""},
	{"serial: calls to three that do not overlap",
	 "serial",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 10, 30, "c", NULL},
	  {'c', 'a', 'y', "c", 30, 60, "c", NULL},
	  {'d', 'a', 'y', "d", 61, 91, "c", NULL}},
	 "b*3 50 b, c, d; "},
	{"serial: without what follows from the parent only",
	 "serial",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 0, 50, "c", NULL},
	  {'c', 'a', 'y', "c", 20, 80, "cf", NULL},
	  {'d', 'a', 'y', "d", 50, 100, "c", NULL}},
	 "b*2 50 b, d; "},
	{"serial: not after a pause, in which something was computed",
	 "serial",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 0, 30, "c", NULL},
	  {'c', 'a', 'y', "c", 45, 75, "c", NULL}},
	 ""},
	{"serial: not when it would save less than a tenth",
	 "serial",
	 {ROOT(1000),
	  {'b', 'a', 'y', "b", 10, 60, "c", NULL},
	  {'c', 'a', 'y', "c", 60, 900, "c", NULL}},
	 ""},
	{"serial: not when they overlap",
	 "serial",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 10, 60, "c", NULL},
	  {'c', 'a', 'y', "c", 59, 90, "c", NULL}},
	 ""},
	{"serial: not after a failure",
	 "serial",
	 {ROOT(100),
	  {'b', 'a', 'y', "b", 10, 60, "ce", NULL},
	  {'c', 'a', 'y', "c", 60, 90, "c", NULL}},
	 ""},
	{"gap: a time without a child, at the end",
	 "gap",
	 {ROOT(100), {'b', 'a', 'y', "b", 1, 60, "c", NULL}},
	 "a*1 40 ; "},
	{"gap: not of a span without children, and not a short one",
	 "gap",
	 {ROOT(100), {'b', 'a', 'y', "b", 5, 96, "c", NULL}},
	 ""},
	{"skew: a child before its parent, on another host",
	 "skew",
	 {{'a', 0, 'X', "root", 100, 200, "c", NULL},
	  {'b', 'a', 'Y', "b", 50, 100, "s", NULL}},
	 "b*1 75 X -> Y; "},
	{"skew: not on the same host",
	 "skew",
	 {{'a', 0, 'X', "root", 100, 200, "c", NULL},
	  {'b', 'a', 'X', "b", 50, 100, "s", NULL}},
	 ""},
	{"skew: not when a host is not known",
	 "skew",
	 {{'a', 0, 'X', "root", 100, 200, "c", NULL},
	  {'b', 'a', 'y', "b", 50, 100, "s", NULL}},
	 ""},
	{"skew: not when it lies inside",
	 "skew",
	 {{'a', 0, 'X', "root", 100, 200, "c", NULL},
	  {'b', 'a', 'Y', "b", 100, 200, "s", NULL}},
	 ""},
	{"skew: not of a message that is read later",
	 "skew",
	 {{'a', 0, 'X', "root", 100, 200, "p", NULL},
	  {'b', 'a', 'Y', "b", 300, 350, "C", NULL}},
	 ""},
};

static void draw(struct span_buf *b, const struct span_trace *t,
		 const struct span_findings *f, const char *kind)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct span_finding *v = &f->v[i];

		if (strcmp(span_finding_name(v->kind), kind) != 0)
			continue;
		span_buf_printf(b, "%c*%u %" PRIu64 " %.*s",
				t->spans[v->span].span_id[0], v->count,
				v->ns / MS, (int)v->text.len,
				v->text.len ? v->text.p : "");
		if (v->depth)
			span_buf_printf(b, " ^%u", v->depth);
		if (v->failed && v->kind != SPAN_FINDING_ERROR)
			span_buf_printf(b, " !%u", v->failed);
		span_buf_puts(b, "; ");
	}
	span_buf_putc(b, 0);
}

static void test_cases(void)
{
	struct span_findings f = {0};
	struct span_trace t;
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		span_trace_builder_reset(&builder);
		for (size_t k = 0; k < MAX_SPANS && cases[i].rows[k].id; k++)
			put(&cases[i].rows[k]);
		build(&t);
		b.len = 0;
		if (span_findings_find(&f, &t, NULL, NULL) < 0)
			abort();
		draw(&b, &t, &f, cases[i].kind);
		is_str(b.p, cases[i].want, "%s", cases[i].name);
	}
	span_buf_release(&b);
	span_findings_release(&f);
}

static const struct {
	const char *text, *want;
} templates[] = {
	{"", ""},
	{"GET /item/17", "GET /item/?"},
	{"GET /item/17/part/3.5", "GET /item/?/part/?"},
	{"key:3f2a9c0d11", "key:?"},
	{"facade deadbeef", "facade deadbeef"},
	{"user 0b5cfa64-9f1e-4f0e-8a51-0c0a3c1d2e3f!", "user ?!"},
	{"SELECT *\n  FROM t\tWHERE a = 'it''s' AND b=\"x y\"",
	 "SELECT * FROM t WHERE a = ? AND b=?"},
	{"id IN (1, 2,3 , 'x')", "id IN (?)"},
	{"id IN (1, 2,3, 'x')", "id IN (?)"},
	{"VALUES (1, 'a'), (2, 'b'),(3, 'c')", "VALUES (?)"},
	{"VALUES ($1, $2), (?, ?)", "VALUES (?)"},
	{"the user's cart and 'open", "the user's cart and 'open"},
	{"'a\\'b' c", "? c"},
	{"0x1F and 0xzz", "? and ?xzz"},
	{"  a  ", "a"},
	{"x1y22", "x?y?"},
	{"a = -5 AND b=+1.5", "a = ? AND b=?"},
	{"IN (1, -2,+3)", "IN (?)"},
	{"/item/-17", "/item/?"},
	{"item-5 x-ray 2-1 (a)-1 - 5", "item-? x-ray ?-? (a)-? - ?"},
	{"2026-11-30", "?-?-?"},
	{"caf\xc3\xa9 7 \xff", "caf\xc3\xa9 ? \xff"},
};

static void test_templates(void)
{
	struct span_buf b = {0};
	char *large = malloc(1 << 20);

	for (size_t i = 0; i < sizeof(templates) / sizeof(*templates); i++) {
		b.len = 0;
		span_template_put(&b, span_str(templates[i].text));
		is_mem(b.p, b.len, templates[i].want, strlen(templates[i].want),
		       "template: %s", templates[i].text);
	}
	if (!large)
		abort();
	memset(large, 'x', 1 << 20);
	b.len = 0;
	span_template_put(&b, (struct span_str){large, 1 << 20});
	is_int((int64_t)b.len, SPAN_TEMPLATE_MAX, "a long text is cut");
	free(large);
	span_buf_release(&b);
}

/* A trace of one parent, and one that is a chain: nothing is quadratic. */
static void test_large(bool deep)
{
	struct span_findings f = {0};
	struct span_trace t;
	struct timespec from, to;
	double ms;

	span_trace_builder_reset(&builder);
	for (uint32_t i = 0; i < LARGE; i++) {
		uint32_t id = i + 1, parent = deep ? i : i != 0;
		struct span s = {.trace_id = {1},
				 .start_ns = i,
				 .duration_ns = deep ? 2 * LARGE - 2 * i : 1,
				 .name = SPAN_STR("GET /item/12345"),
				 .process = process('x'),
				 .kind = SPAN_KIND_CLIENT,
				 .status = i % 3 ? SPAN_STATUS_ERROR
						 : SPAN_STATUS_OK};

		memcpy(s.span_id, &id, sizeof(id));
		memcpy(s.parent_id, &parent, sizeof(parent));
		if (span_trace_builder_put(&builder, &s, NULL) < 0)
			abort();
	}
	build(&t);
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (span_findings_find(&f, &t, NULL, NULL) < 0)
		abort();
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (double)(to.tv_sec - from.tv_sec) * 1e3 +
	     (double)(to.tv_nsec - from.tv_nsec) / 1e6;
	diag("%d spans, %s: %.1f ms, %zu findings", LARGE,
	     deep ? "a chain" : "of one parent", ms, f.n);
	ok(f.n && ms < 2000, "a large trace takes no more than its share");
	span_findings_release(&f);
}

/* 0 is a threshold; and a share of nothing is none. */
static void test_zero(void)
{
	static const struct row rows[] = {
		{'a', 0, 'X', "root", 0, 100, "c", NULL},
		{'b', 'a', 'Y', "b", 0, 10, "s", NULL},
		{'c', 'a', 'Y', "c", 20, 100, "s", NULL},
	};
	static const struct span_findings_opts zero = {.repeat = 5};
	static const struct row none[] = {
		{'a', 0, 'x', "root", 0, 0, "s", NULL},
		{'b', 'a', 'x', "q", 0, 0, "c", NULL},
		{'c', 'a', 'x', "q", 0, 0, "c", NULL},
		{'d', 'a', 'x', "q", 0, 0, "c", NULL},
		{'e', 'a', 'x', "q", 0, 0, "c", NULL},
		{'f', 'a', 'x', "q", 0, 0, "c", NULL},
	};
	struct span_findings f = {0};
	struct span_trace t;
	struct span_buf b = {0};

	span_trace_builder_reset(&builder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		put(&rows[i]);
	build(&t);
	if (span_findings_find(&f, &t, NULL, NULL) < 0)
		abort();
	draw(&b, &t, &f, "gap");
	is_str(b.p, "a*1 10 ; ", "a gap of a tenth is one");
	if (span_findings_find(&f, &t, &zero, NULL) < 0)
		abort();
	b.len = 0;
	draw(&b, &t, &f, "skew");
	is_str(b.p, "", "clocks that agree do not differ by 0");

	span_trace_builder_reset(&builder);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		put(&none[i]);
	build(&t);
	if (span_findings_find(&f, &t, &zero, NULL) < 0)
		abort();
	ok(f.n == 1 && f.v[0].kind == SPAN_FINDING_N_PLUS_1 &&
		   isnan(f.v[0].share),
	   "of a trace without a duration there is no share");
	span_buf_release(&b);
	span_findings_release(&f);
}

int main(void)
{
	test_cases();
	test_templates();
	test_zero();
	test_large(false);
	test_large(true);
	span_trace_builder_release(&builder);
	return done_testing();
}
