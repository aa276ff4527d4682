/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs. Every path and value is looked at first, and its p noted; when
 * all are known they are corrected together, and decided.
 */
#include <math.h>
#include <stdlib.h>

#include "base/significance.h"
#include "trace/diff_state.h"

#include "base/banned.h"

/* Fewer traces with a value cannot tell anything. */
#define MIN_VALUE 8

/* Tests that were made, and where their q belongs. */
struct test {
	double p;
	double *q;
};

struct judging {
	struct span_diff *d;
	struct span_diff_view *v;
	struct span_buf tests;
	bool failed;
};

static void add_test(struct judging *j, double p, double *q)
{
	const struct test t = {p, q};

	*q = 1;
	if (j->v->tested)
		span_buf_put(&j->tests, &t, sizeof(t));
}

static int compare_tests(const void *pa, const void *pb)
{
	const struct test *a = pa, *b = pb;

	return a->p < b->p ? -1 : a->p > b->p;
}

static void correct(struct judging *j)
{
	struct test *v = (struct test *)(void *)j->tests.p;
	size_t n = j->tests.len / sizeof(*v);
	double *p = calloc(n + 1, sizeof(*p));

	if (!p || j->tests.failed) {
		j->failed = true;
		goto done;
	}
	if (n)
		qsort(v, n, sizeof(*v), compare_tests);
	for (size_t i = 0; i < n; i++)
		p[i] = v[i].p;
	span__false_discovery(p, n, n);
	for (size_t i = 0; i < n; i++)
		*v[i].q = p[i];
done:
	free(p);
}

/* ---- Paths ---- */

/*
 * The traces in which the path can be: those with the path above it, so that
 * what differs higher up is not told again and again.
 */
static uint64_t traces_of(const struct judging *j, const struct diff_path *p,
			  int side)
{
	return p->parent == NONE ? j->v->traces[side]
				 : j->d->paths[p->parent]->side[side].traces;
}

/* A trace that has not the path has none of its spans. */
static bool put_zeros(struct span_sketch *s, uint64_t have, uint64_t all)
{
	return have == all || span_sketch_put(s, 0, all - have, NULL) >= 0;
}

static double judge_counts(struct judging *j, const struct diff_path *p)
{
	struct span_sketch s[2] = {{0}, {0}};
	double result = 1;

	for (int side = 0; side < 2; side++)
		if (span_sketch_merge(&s[side], &p->side[side].counts, NULL) <
			    0 ||
		    !put_zeros(&s[side], p->side[side].traces,
			       traces_of(j, p, side)))
			j->failed = true;
	if (!j->failed)
		result = span__rank_sum(&s[0], &s[1]);
	span_sketch_release(&s[0]);
	span_sketch_release(&s[1]);
	return result;
}

static bool is_enough(uint64_t a, uint64_t b)
{
	return a >= SPAN_DIFF_MIN_TRACES && b >= SPAN_DIFF_MIN_TRACES;
}

static void judge_path(struct judging *j, const struct diff_path *p,
		       struct span_diff_node *n)
{
	const struct diff_side *a = &p->side[0], *b = &p->side[1];

	n->q_count = n->q_duration = n->q_errors = 1;
	if (!j->v->tested)
		return;
	if (is_enough(n->side[0].of_traces, n->side[1].of_traces))
		add_test(j, judge_counts(j, p), &n->q_count);
	if (is_enough(a->traces, b->traces))
		add_test(j, span__rank_sum(&a->durations, &b->durations),
			 &n->q_duration);
	if (a->traces && b->traces && (a->failing || b->failing))
		add_test(j,
			 span__fisher(a->failing, a->traces, b->failing,
				      b->traces),
			 &n->q_errors);
}

static void fill(struct judging *j, const struct diff_path *p,
		 struct span_diff_node *n)
{
	n->depth = p->depth;
	n->service = p->service;
	n->name = p->name;
	for (int side = 0; side < 2; side++) {
		const struct diff_side *s = &p->side[side];

		n->side[side].traces = s->traces;
		n->side[side].of_traces = traces_of(j, p, side);
		n->side[side].failing = s->failing;
		n->side[side].spans = s->spans;
		n->side[side].errors = s->errors;
		if (!s->spans)
			continue;
		n->side[side].per_trace =
			(double)s->spans / (double)n->side[side].of_traces;
		n->side[side].typical_ns =
			j->v->sets ? span_sketch_quantile(&s->durations, .5)
				   : s->total_ns / s->spans;
	}
}

static bool is_sure(const struct judging *j, double q)
{
	return !j->v->tested || q <= j->d->o.max_q;
}

static bool is_other_duration(const struct judging *j,
			      const struct span_diff_node *n)
{
	uint64_t a = n->side[0].typical_ns, b = n->side[1].typical_ns;
	uint64_t by = a < b ? b - a : a - b;

	return n->side[0].spans && n->side[1].spans && by > j->d->o.min_ns &&
	       (double)by > j->d->o.ratio * (double)a &&
	       is_sure(j, n->q_duration);
}

static bool is_other_count(const struct judging *j,
			   const struct span_diff_node *n)
{
	double a = n->side[0].per_trace, b = n->side[1].per_trace;
	double by = a < b ? b - a : a - b;
	bool one_side = !n->side[0].spans != !n->side[1].spans;

	return (one_side || by > j->d->o.ratio * a) && is_sure(j, n->q_count);
}

static double share(uint64_t n, uint64_t of)
{
	return (double)n / (double)of;
}

/* Fractions that are equal are equal quotients. */
static bool is_equal(double a, double b)
{
	return a <= b && a >= b;
}

static bool fails_otherwise(const struct judging *j,
			    const struct span_diff_node *n)
{
	double part[2];

	if (!n->side[0].spans || !n->side[1].spans)
		return false;
	for (int i = 0; i < 2; i++)
		part[i] = j->v->sets
				  ? share(n->side[i].failing, n->side[i].traces)
				  : share(n->side[i].errors, n->side[i].spans);
	return !is_equal(part[0], part[1]) && is_sure(j, n->q_errors);
}

static void decide(const struct judging *j, struct span_diff_node *n)
{
	unsigned above = n->parent == NONE ? 0 : j->d->nodes[n->parent].changes;

	/* Below what is not there nothing is. */
	n->changes = above & (SPAN_DIFF_ADDED | SPAN_DIFF_REMOVED);
	if (!n->changes && is_other_count(j, n))
		n->changes |= !n->side[0].spans	  ? SPAN_DIFF_ADDED
			      : !n->side[1].spans ? SPAN_DIFF_REMOVED
						  : SPAN_DIFF_COUNT;
	if (is_other_duration(j, n))
		n->changes |= SPAN_DIFF_DURATION;
	if (fails_otherwise(j, n))
		n->changes |= SPAN_DIFF_ERRORS;
}

/* ---- Attributes ---- */

/* Does nothing differ, or is it too rare to tell? */
static bool is_dull(const struct judging *j, const struct diff_value *v,
		    const struct diff_side *a, const struct diff_side *b)
{
	if (j->v->sets)
		return v->traces[0] + v->traces[1] < MIN_VALUE ||
		       is_equal(share(v->traces[0], a->traces),
				share(v->traces[1], b->traces));
	return is_equal(share(v->spans[0], a->spans),
			share(v->spans[1], b->spans));
}

static void put_attrs(struct judging *j, const struct diff_path *p,
		      struct span_diff_node *n)
{
	const struct diff_side *a = &p->side[0], *b = &p->side[1];

	if (!a->spans || !b->spans || j->v->sets != j->v->tested)
		return;
	for (const struct diff_value *v = p->values; v; v = v->next) {
		const struct span_diff_attr attr = {
			.key = v->key,
			.value = v->value,
			.spans = {v->spans[0], v->spans[1]},
			.traces = {v->traces[0], v->traces[1]},
			.q = 1};

		if (is_dull(j, v, a, b))
			continue;
		span_buf_put(&j->d->attrs, &attr, sizeof(attr));
		n->n_attrs++;
	}
}

static int compare_attrs(const void *pa, const void *pb)
{
	const struct span_diff_attr *a = pa, *b = pb;
	int rc = span_str_compare(a->key, b->key);

	if (rc)
		return rc;
	if (a->spans[0] != b->spans[0])
		return a->spans[0] > b->spans[0] ? -1 : 1;
	return span_str_compare(a->value, b->value);
}

/*
 * More calls make a value more frequent in traces, which is no news: the part
 * of the spans that have it has to be another one, too.
 */
static bool is_other_share(const struct judging *j,
			   const struct span_diff_node *n,
			   const struct span_diff_attr *a)
{
	double spans, traces, ratio = j->d->o.ratio;

	if (!j->v->sets)
		return true;
	spans = fabs(share(a->spans[0], n->side[0].spans) -
		     share(a->spans[1], n->side[1].spans));
	traces = fabs(share(a->traces[0], n->side[0].traces) -
		      share(a->traces[1], n->side[1].traces));
	return a->q <= j->d->o.max_q && spans > ratio && traces > ratio;
}

/* The attributes of a node are where their number of them ends. */
static void test_attrs(struct judging *j, struct span_diff_node *n,
		       struct span_diff_attr *v)
{
	for (size_t i = 0; i < n->n_attrs; i++)
		add_test(j,
			 j->v->sets ? span__fisher(
					      v[i].traces[0], n->side[0].traces,
					      v[i].traces[1], n->side[1].traces)
				    : 1,
			 &v[i].q);
	n->attrs = v;
}

static void choose_attrs(const struct judging *j, struct span_diff_node *n)
{
	struct span_diff_attr *v = (struct span_diff_attr *)(uintptr_t)n->attrs;
	size_t kept = 0;

	for (size_t i = 0; i < n->n_attrs; i++)
		if (is_other_share(j, n, &v[i]))
			v[kept++] = v[i];
	n->n_attrs = kept;
	if (kept)
		qsort(v, kept, sizeof(*v), compare_attrs);
}

/* ---- All of them ---- */

static uint32_t next_in_preorder(const struct span_diff *d, uint32_t i)
{
	if (d->paths[i]->first_child != NONE)
		return d->paths[i]->first_child;
	while (i != NONE && d->paths[i]->next_sibling == NONE)
		i = d->paths[i]->parent;
	return i == NONE ? NONE : d->paths[i]->next_sibling;
}

static void judge_all(struct judging *j, uint32_t *place)
{
	struct span_diff *d = j->d;
	uint32_t n = 0;

	for (uint32_t i = d->first_root; i != NONE;
	     i = next_in_preorder(d, i), n++) {
		const struct diff_path *p = d->paths[i];

		place[i] = n;
		d->nodes[n].parent =
			p->parent == NONE ? NONE : place[p->parent];
		fill(j, p, &d->nodes[n]);
		judge_path(j, p, &d->nodes[n]);
		put_attrs(j, p, &d->nodes[n]);
	}
}

static void decide_all(struct judging *j)
{
	struct span_diff *d = j->d;
	struct span_diff_attr *attrs =
		(struct span_diff_attr *)(void *)d->attrs.p;

	for (uint32_t i = 0; i < d->n_paths; i++) {
		struct span_diff_node *n = &d->nodes[i];

		test_attrs(j, n, attrs);
		attrs = attrs ? attrs + n->n_attrs : NULL;
	}
	correct(j);
	for (uint32_t i = 0; i < d->n_paths; i++) {
		decide(j, &d->nodes[i]);
		choose_attrs(j, &d->nodes[i]);
		j->v->n_changed += d->nodes[i].changes != 0;
	}
	for (uint32_t i = d->n_paths; i--;) {
		const struct span_diff_node *n = &d->nodes[i];

		if (n->parent != NONE && (n->changes || n->n_attrs || n->below))
			d->nodes[n->parent].below = true;
	}
}

int span_diff_view(struct span_diff *d, struct span_diff_view *v,
		   struct span_error *err)
{
	struct judging j = {.d = d, .v = v};
	uint32_t *place = calloc(d->n_paths + 1, sizeof(*place));

	*v = (struct span_diff_view){
		.n_nodes = d->n_paths,
		.traces = {d->traces[0], d->traces[1]},
		.spans = {d->spans[0], d->spans[1]},
		.sets = d->traces[0] > 1 || d->traces[1] > 1,
		.spans_left_out = d->spans_left_out,
		.values_left_out = d->values_left_out,
	};
	v->tested = v->sets && is_enough(v->traces[0], v->traces[1]);
	free(d->nodes);
	d->attrs.len = 0;
	d->nodes = calloc(d->n_paths + 1, sizeof(*d->nodes));
	j.failed = !place || !d->nodes;
	if (!j.failed)
		judge_all(&j, place);
	j.failed |= d->attrs.failed;
	if (!j.failed)
		decide_all(&j);
	v->nodes = d->nodes;
	span_buf_release(&j.tests);
	free(place);
	return j.failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			: 0;
}
