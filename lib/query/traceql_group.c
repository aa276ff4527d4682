/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of spans: numbers of each, compared; and by(), which splits them by
 * a value. Values that are equal by "=" are the same group: a text that is
 * written as a number is that number.
 */
#include "query/traceql.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

/* ---- Numbers of groups ---- */

struct sum {
	struct tql_value total, least, most;
	uint64_t n;
};

static void add(struct sum *s, const struct tql_value *v,
		struct span_buf *number)
{
	if (!s->n) {
		s->total = s->least = s->most = *v;
	} else {
		s->total = span__tql_compute(TQL_ADD, s->total, *v);
		if (span__tql_compare(v, &s->least, number) == TQL_LESS)
			s->least = *v;
		if (span__tql_compare(v, &s->most, number) == TQL_GREATER)
			s->most = *v;
	}
	s->n++;
}

static struct tql_value result(enum tql_op op, const struct sum *s)
{
	struct tql_value n = {.type = TQL_INT, .i = (int64_t)s->n};

	if (op == TQL_COUNT)
		return n;
	if (!s->n)
		return (struct tql_value){.type = TQL_NIL};
	switch (op) {
	case TQL_AVG:
		return span__tql_compute(TQL_DIV, s->total, n);
	case TQL_MIN:
		return s->least;
	case TQL_MAX:
		return s->most;
	default:
		return s->total;
	}
}

/* Spans for which it is no number do not count. */
static int add_all(struct tql_run *r, const struct tql_scalar *s,
		   const uint32_t *groups, struct sum *sums)
{
	static const struct tql_value one = {.type = TQL_INT, .i = 1};
	struct span_buf *number = &r->q->scratch.number;

	for (size_t i = 0; i < r->t->n; i++) {
		struct tql_value v = one;

		if (!groups[i])
			continue;
		if (s->of) {
			int rc;

			r->c.span = &r->t->spans[i];
			r->c.at = (uint32_t)i;
			rc = span__tql_value(&r->c, s->of, 0, &v);
			if (rc < 0)
				return rc;
			v = span__tql_number(&v, number);
		}
		if (v.type && !(v.type == TQL_FLOAT && isnan(v.d)))
			add(&sums[groups[i]], &v, number);
	}
	return 0;
}

/* How many spans there are of each group. */
static int count_spans(struct tql_run *r, struct tql_scalar *s,
		       const uint32_t *groups)
{
	size_t n = r->t->n + 1;

	s->results =
		span_arena_array(&r->q->scratch.arena, n, sizeof(*s->results));
	if (!s->results)
		return span__tql_nomem_run(r);
	for (size_t i = 0; i < r->t->n; i++)
		s->results[groups[i]] = (struct tql_value){.type = TQL_INT};
	for (size_t i = 0; i < r->t->n; i++)
		s->results[groups[i]].i++;
	return 0;
}

/* Compute every aggregate of S for each group. */
static int aggregate(struct tql_run *r, struct tql_scalar *s,
		     const uint32_t *groups)
{
	size_t n = r->t->n + 1;
	struct sum *sums;
	int rc;

	if (!s || !s->aggregate)
		return 0;
	if (s->a) {
		rc = aggregate(r, s->a, groups);
		return rc < 0 ? rc : aggregate(r, s->b, groups);
	}
	if (s->op == TQL_COUNT && !s->of)
		return count_spans(r, s, groups);
	sums = span_arena_array(&r->q->scratch.arena, n, sizeof(*sums));
	s->results =
		span_arena_array(&r->q->scratch.arena, n, sizeof(*s->results));
	if (!sums || !s->results)
		return span__tql_nomem_run(r);
	memset(sums, 0, n * sizeof(*sums));
	rc = add_all(r, s, groups, sums);
	for (size_t g = 0; g < n; g++)
		s->results[g] = result(s->op, &sums[g]);
	return rc;
}

static struct tql_value scalar(const struct tql_scalar *s, size_t group)
{
	if (s->op == TQL_LITERAL)
		return s->value;
	if (!s->a)
		return s->results[group];
	return span__tql_compute(s->op, scalar(s->a, group),
				 scalar(s->b, group));
}

static bool holds(const struct tql_stage *stage, uint32_t group,
		  struct span_buf *number)
{
	struct tql_value a = scalar(stage->a, group);
	struct tql_value b = scalar(stage->b, group);

	return a.type && b.type &&
	       span__tql_holds(stage->op, span__tql_compare(&a, &b, number));
}

int span__tql_filter_groups(struct tql_run *r, const struct tql_stage *stage,
			    uint32_t *groups)
{
	uint32_t *keep = span__tql_array(r);
	int rc = keep ? aggregate(r, stage->a, groups) : span__tql_nomem_run(r);

	if (!rc)
		rc = aggregate(r, stage->b, groups);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->t->n; i++) {
		uint32_t g = groups[i];

		/* 0: not asked yet, 1: no, 2: yes */
		if (g && !keep[g])
			keep[g] = 1 + holds(stage, g, &r->q->scratch.number);
		groups[i] = keep[g] == 2 ? g : 0;
	}
	return 0;
}

/* ---- Shapes ---- */

/* Every aggregate of S, which is a count, is *COUNT. */
static void set_counts(struct tql_scalar *s, struct tql_value *count)
{
	if (s->a) {
		set_counts(s->a, count);
		set_counts(s->b, count);
	} else {
		s->results = count;
	}
}

uint64_t span__tql_counts(const struct tql_stage *stage,
			  struct span_buf *number)
{
	struct tql_value count = {.type = TQL_INT};
	uint64_t out = 0;

	set_counts(stage->a, &count);
	set_counts(stage->b, &count);
	for (count.i = 0; count.i < 64; count.i++)
		out |= (uint64_t)holds(stage, 0, number) << count.i;
	set_counts(stage->a, NULL);
	set_counts(stage->b, NULL);
	return out;
}

/* ---- by() ---- */

/* The group and the value as bytes, the same for values that are equal. */
static void put_key(struct span_buf *b, uint32_t group, struct tql_value v,
		    struct span_buf *number)
{
	struct tql_value n = span__tql_number(&v, number);
	char type;

	if (n.type)
		v = n;
	if (v.type == TQL_FLOAT && v.d >= -0x1p63 && v.d < 0x1p63 &&
	    v.d == (double)(int64_t)v.d)
		v = (struct tql_value){.type = TQL_INT, .i = (int64_t)v.d};
	if (v.type == TQL_STRING && span__tql_is_true(&v))
		v = (struct tql_value){.type = TQL_BOOL, .b = true};
	else if (v.type == TQL_STRING &&
		 span_str_equal(v.str, SPAN_STR("false")))
		v = (struct tql_value){.type = TQL_BOOL, .b = false};
	type = (char)v.type;
	span_buf_put(b, &group, sizeof(group));
	span_buf_put(b, &type, 1);
	if (v.type == TQL_STRING)
		span_buf_str(b, v.str);
	else if (v.type == TQL_BOOL)
		span_buf_putc(b, (char)v.b);
	else if (v.type)
		span_buf_put(b, &v.i, sizeof(v.i));
}

/* A hash table of the groups by their keys, which stay in one buffer. */
struct groups {
	uint32_t *places; /* 1 + the group, or 0 */
	size_t *starts;	  /* of the keys, by group */
	size_t mask, n;
};

static uint32_t find(struct tql_run *r, struct groups *g, size_t start)
{
	struct span_buf *keys = &r->q->scratch.keys;
	size_t len = keys->len - start;
	size_t at = span__hash(&r->q->scratch.secret, keys->p + start, len) &
		    g->mask;

	for (; g->places[at]; at = (at + 1) & g->mask) {
		size_t n = g->places[at] - 1, from = g->starts[n];

		if (g->starts[n + 1] - from == len &&
		    !memcmp(keys->p + from, keys->p + start, len)) {
			keys->len = start;
			return (uint32_t)n + 1;
		}
	}
	g->starts[g->n + 1] = keys->len;
	g->places[at] = (uint32_t)++g->n;
	return (uint32_t)g->n;
}

static int init(struct tql_run *r, struct groups *g)
{
	struct span_arena *arena = &r->q->scratch.arena;
	size_t size = 4;

	while (size < 2 * r->t->n)
		size *= 2;
	g->mask = size - 1;
	g->places = span_arena_array(arena, size, sizeof(*g->places));
	g->starts = span_arena_array(arena, r->t->n + 2, sizeof(*g->starts));
	if (!g->places || !g->starts)
		return span__tql_nomem_run(r);
	memset(g->places, 0, size * sizeof(*g->places));
	g->starts[0] = 0;
	r->q->scratch.keys.len = 0;
	return 0;
}

/* What BY is of span I; of a shape it is the parent's id: any number does. */
static int value_of(struct tql_run *r, const struct tql_expr *by, size_t i,
		    struct tql_value *v)
{
	if (r->shape) {
		uint32_t parent = r->t->nodes[i].parent;

		*v = (struct tql_value){.type = TQL_INT, .i = parent};
		if (parent == SPAN_TRACE_NONE)
			v->type = TQL_NIL;
		return 0;
	}
	r->c.span = &r->t->spans[i];
	r->c.at = (uint32_t)i;
	return span__tql_value(&r->c, by, 0, v);
}

static bool is_one_group(const struct tql_run *r, const uint32_t *groups)
{
	uint32_t first = 0;

	for (size_t i = 0; i < r->t->n; i++) {
		if (!first)
			first = groups[i];
		if (groups[i] && groups[i] != first)
			return false;
	}
	return true;
}

/* Of a shape whose spans are of one group: a table of parents does. */
static int split_by_parent(struct tql_run *r, uint32_t *groups)
{
	uint32_t *of = span__tql_array(r), n = 0;

	if (!of)
		return span__tql_nomem_run(r);
	for (size_t i = 0; i < r->t->n; i++) {
		uint32_t parent = r->t->nodes[i].parent;
		uint32_t *group =
			&of[parent == SPAN_TRACE_NONE ? r->t->n : parent];

		if (!groups[i])
			continue;
		if (!*group)
			*group = ++n;
		groups[i] = *group;
	}
	return 0;
}

int span__tql_split_groups(struct tql_run *r, const struct tql_expr *by,
			   uint32_t *groups)
{
	struct span_buf *keys = &r->q->scratch.keys;
	struct groups g = {0};
	int rc;

	if (r->shape && is_one_group(r, groups))
		return split_by_parent(r, groups);
	rc = init(r, &g);
	for (size_t i = 0; i < r->t->n && !rc; i++) {
		size_t start = keys->len;
		struct tql_value v;

		if (!groups[i])
			continue;
		rc = value_of(r, by, i, &v);
		if (rc < 0)
			return rc;
		put_key(keys, groups[i], v, &r->q->scratch.number);
		if (keys->failed)
			return span__tql_nomem_run(r);
		groups[i] = find(r, &g, start);
	}
	return rc;
}
