/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs. Every path and value is looked at first, and its p noted; when
 * all are known they are corrected together, and decided.
 */
#include <stdlib.h>

#include "base/significance.h"
#include "trace/diff_state.h"

#include "base/banned.h"

/* Fewer spans with a value cannot tell anything. */
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
	if (j->v->sets)
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

static void judge_path(struct judging *j, const struct diff_path *p,
		       struct span_diff_node *n)
{
	const struct diff_side *a = &p->side[0], *b = &p->side[1];

	n->q_count = n->q_duration = n->q_errors = 1;
	if (!j->v->sets)
		return;
	add_test(j, judge_counts(j, p), &n->q_count);
	if (!a->spans || !b->spans)
		return;
	add_test(j, span__rank_sum(&a->durations, &b->durations),
		 &n->q_duration);
	if (a->errors || b->errors)
		add_test(j,
			 span__fisher(a->errors, a->spans, b->errors, b->spans),
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
		n->side[side].spans = s->spans;
		n->side[side].errors = s->errors;
		if (s->spans)
			n->side[side].per_trace = (double)s->spans /
						  (double)traces_of(j, p, side);
		if (s->spans)
			n->side[side].typical_ns =
				j->v->sets ? span_sketch_quantile(&s->durations,
								  .5)
					   : s->total_ns / s->spans;
	}
}

static bool is_sure(const struct judging *j, double q)
{
	return !j->v->sets || q <= j->d->o.max_q;
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

	return by > j->d->o.ratio * a && is_sure(j, n->q_count);
}

static bool fails_otherwise(const struct judging *j,
			    const struct span_diff_node *n)
{
	if (!n->side[0].spans || !n->side[1].spans)
		return false;
	return j->v->sets ? is_sure(j, n->q_errors)
			  : n->side[0].errors != n->side[1].errors;
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

static void put_attrs(struct judging *j, const struct diff_path *p,
		      struct span_diff_node *n)
{
	const struct diff_side *a = &p->side[0], *b = &p->side[1];

	if (!a->spans || !b->spans)
		return;
	for (const struct diff_value *v = p->values; v; v = v->next) {
		const struct span_diff_attr attr = {
			v->key, v->value, {v->n[0], v->n[1]}, 1};

		if (v->n[0] * b->spans == v->n[1] * a->spans ||
		    (j->v->sets && v->n[0] + v->n[1] < MIN_VALUE))
			continue;
		span_buf_put(&j->d->attrs, &attr, sizeof(attr));
		n->n_attrs++;
	}
}

/* An attribute may be there several times in one span. */
static uint64_t at_most(uint64_t n, uint64_t most)
{
	return n < most ? n : most;
}

static int compare_attrs(const void *pa, const void *pb)
{
	const struct span_diff_attr *a = pa, *b = pb;
	int rc = span_str_compare(a->key, b->key);

	if (rc)
		return rc;
	if (a->n[0] != b->n[0])
		return a->n[0] > b->n[0] ? -1 : 1;
	return span_str_compare(a->value, b->value);
}

static bool is_other_share(const struct judging *j,
			   const struct span_diff_node *n,
			   const struct span_diff_attr *a)
{
	double x = (double)a->n[0] / (double)n->side[0].spans;
	double y = (double)a->n[1] / (double)n->side[1].spans;
	double by = x < y ? y - x : x - y;

	return !j->v->sets || (a->q <= j->d->o.max_q && by > j->d->o.ratio);
}

/* The attributes of a node are where their number of them ends. */
static void test_attrs(struct judging *j, struct span_diff_node *n,
		       struct span_diff_attr *v)
{
	uint64_t a = n->side[0].spans, b = n->side[1].spans;

	for (size_t i = 0; i < n->n_attrs; i++)
		add_test(j,
			 j->v->sets ? span__fisher(at_most(v[i].n[0], a), a,
						   at_most(v[i].n[1], b), b)
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
		.left_out = d->left_out,
	};
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
