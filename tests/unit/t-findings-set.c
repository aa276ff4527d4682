/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings of many traces: what is one group; and that evidence is there and
 * sums agree, in random traces.
 */
#include <span/findings.h>

#include <stdlib.h>
#include <time.h>

#include "findings-rows.h"
#include "tap.h"

#include "base/banned.h"

#define RANDOM_TRACES 3000

static unsigned below(unsigned n)
{
	return (unsigned)(random() % n);
}

static void put_random(unsigned i, unsigned n)
{
	static const char *const hows[] = {"c", "s", "e", "ce", "p", "C", ""};
	static const char *const texts[] = {NULL,    "get 1", "get 2",
					    "=no 1", "=",     "''("};
	char name[2] = {(char)('q' + below(3)), 0};
	uint64_t start = below(200);
	const struct row r = {(char)(i + 1),
			      (char)below(n + 2),
			      "xyXY"[below(4)],
			      name,
			      start,
			      start + below(60),
			      hows[below(7)],
			      texts[below(6)]};

	put(&r);
}

static bool is_sound(const struct span_trace *t, const struct span_finding *f)
{
	uint32_t shown =
		f->count < SPAN_FINDING_SPANS ? f->count : SPAN_FINDING_SPANS;

	if (f->span >= t->n || f->n_spans != shown || !f->count ||
	    f->failed > f->count || f->count > t->n ||
	    (f->parent != SPAN_TRACE_NONE && f->parent >= t->n))
		return false;
	for (uint32_t i = 0; i < f->n_spans; i++)
		if (f->spans[i] >= t->n ||
		    (f->kind >= SPAN_FINDING_N_PLUS_1 &&
		     f->kind <= SPAN_FINDING_SERIAL &&
		     t->nodes[f->spans[i]].parent != f->parent))
			return false;
	return f->kind == SPAN_FINDING_ERROR || f->kind == SPAN_FINDING_SKEW ||
	       f->ns <= t->end_ns - t->start_ns;
}

static void test_random(unsigned seed)
{
	static const struct span_findings_opts o = {.repeat = 2,
						    .min_ns = 10000000,
						    .min_share = 0.1,
						    .guilty = 0.25,
						    .skew_ns = 1000000};
	struct span_findings f = {0};
	struct span_findings_set *set;
	struct span_findings_view v;
	struct span_trace t;
	uint64_t findings = 0, grouped = 0, spans = 0;
	size_t unsound = 0, kinds[SPAN_FINDING_KINDS] = {0};

	if (span_findings_set_open(&set, NULL) < 0)
		abort();
	srandom(seed);
	for (int k = 0; k < RANDOM_TRACES; k++) {
		unsigned n = 1 + below(40);

		span_trace_builder_reset(&builder);
		for (unsigned i = 0; i < n; i++)
			put_random(i, n);
		build(&t);
		if (span_findings_find(&f, &t, &o, NULL) < 0 ||
		    span_findings_set_put(set, &t, &f, NULL) < 0)
			abort();
		findings += f.n;
		for (size_t i = 0; i < f.n; i++) {
			unsound += !is_sound(&t, &f.v[i]);
			kinds[f.v[i].kind]++;
			spans += f.v[i].count;
			if (i && f.v[i - 1].kind > f.v[i].kind)
				unsound++;
		}
	}
	is_int((int64_t)unsound, 0, "random: evidence is there (seed %u)",
	       seed);
	for (int i = 0; i < SPAN_FINDING_KINDS; i++)
		ok(kinds[i] > 0, "random: some %s", span_finding_name(i));
	if (span_findings_set_view(set, &v, NULL) < 0)
		abort();
	for (size_t i = 0; i < v.n_groups; i++) {
		grouped += v.groups[i]->findings;
		spans -= v.groups[i]->spans;
	}
	ok(grouped == findings && !spans && !v.left_out,
	   "random: the groups have all that was found");
	span_findings_set_close(&set);
	span_findings_release(&f);
}

/* Traces in which another response came are another group. */
static void test_responses(void)
{
	static const struct row rows[] = {
		{'a', 0, 'x', "root", 0, 9, "se", "#500"},
		{'a', 0, 'x', "root", 0, 9, "se", "#404"},
		{'a', 0, 'x', "root", 0, 9, "se", "#500"},
		{'a', 0, 'x', "root", 0, 9, "se", "#200"},
	};
	struct span_findings f = {0};
	struct span_findings_set *set;
	struct span_findings_view v;
	struct span_trace t;

	if (span_findings_set_open(&set, NULL) < 0)
		abort();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		span_trace_builder_reset(&builder);
		put(&rows[i]);
		build(&t);
		if (span_findings_find(&f, &t, NULL, NULL) < 0 ||
		    span_findings_set_put(set, &t, &f, NULL) < 0)
			abort();
	}
	if (span_findings_set_view(set, &v, NULL) < 0)
		abort();
	ok(v.n_groups == 3 && v.groups[0]->traces == 2 &&
		   !v.groups[1]->text.len &&
		   is(v.groups[0]->text.p, v.groups[0]->text.len, "HTTP 500",
		      "its number is no template"),
	   "another response is another group, if it says that it failed");
	span_findings_set_close(&set);
	span_findings_release(&f);
}

int main(void)
{
	test_responses();
	test_random((unsigned)time(NULL));
	span_trace_builder_release(&builder);
	return done_testing();
}
