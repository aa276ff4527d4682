/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a trace. What is chosen is an array with a number for each span: 0
 * when it is not, else its group. A set is asked of the spans that the stage
 * before has left, and leaves some of them; by() gives them other groups, and
 * at the end of a pipeline each has again the group that it came with.
 */
#include "query/traceql.h"

#include <string.h>

#include "base/banned.h"

uint32_t *span__tql_array(struct tql_run *r)
{
	size_t n = r->t->n + 1;
	uint32_t *v = span_arena_array(&r->q->scratch.arena, n, sizeof(*v));

	if (v)
		memset(v, 0, n * sizeof(*v));
	return v;
}

int span__tql_nomem_run(const struct tql_run *r)
{
	return span_error_set(r->c.err, SPAN_E_NOMEM, "memory is out");
}

static int choose(struct tql_run *r, const struct tql_set *set,
		  const uint32_t *in, uint32_t *out);

static bool is_empty(const struct tql_run *r, const uint32_t *v)
{
	for (size_t i = 0; i < r->t->n; i++)
		if (v[i])
			return false;
	return true;
}

static int filter_shape(struct tql_run *r, const struct tql_set *set,
			const uint32_t *in, uint32_t *out)
{
	for (size_t i = 0; i < r->t->n; i++)
		out[i] = in[i] && span__tql_shape_chooses(r->shape, set, i)
				 ? in[i]
				 : 0;
	return 0;
}

static int filter(struct tql_run *r, const struct tql_set *set,
		  const uint32_t *in, uint32_t *out)
{
	const struct tql_expr *e = set->filter;

	if (r->shape)
		return filter_shape(r, set, in, out);
	for (size_t i = 0; i < r->t->n; i++) {
		int rc = in[i] != 0;

		if (rc && e) {
			r->c.span = &r->t->spans[i];
			r->c.at = (uint32_t)i;
			rc = span__tql_bool(&r->c, e);
			if (rc < 0)
				return rc;
		}
		out[i] = rc ? in[i] : 0;
	}
	return 0;
}

/* HAS[g] = ROUND for each group g of V that had ROUND - 1. */
static void mark_groups(const struct tql_run *r, const uint32_t *v,
			uint32_t *has, uint32_t round)
{
	for (size_t i = 0; i < r->t->n; i++)
		if (v[i] && has[v[i]] == round - 1)
			has[v[i]] = round;
}

/* && and ||: all that one of them chooses; && only where each does. */
static int combine(struct tql_run *r, const struct tql_set *set,
		   const uint32_t *in, uint32_t *out)
{
	uint32_t *one = span__tql_array(r), *has = span__tql_array(r);
	size_t k;

	if (!one || !has)
		return span__tql_nomem_run(r);
	for (k = 0; k < set->n; k++) {
		int rc = choose(r, set->v[k], in, one);

		if (rc < 0)
			return rc;
		if (set->op == TQL_BOTH && is_empty(r, one))
			break;
		mark_groups(r, one, has, (uint32_t)k + 1);
		for (size_t i = 0; i < r->t->n; i++)
			if (one[i])
				out[i] = one[i];
	}
	if (set->op == TQL_EITHER)
		return 0;
	for (size_t i = 0; i < r->t->n; i++)
		if (out[i] && (k < set->n || has[out[i]] < set->n))
			out[i] = 0;
	return 0;
}

enum tql_set_op span__tql_inverse(enum tql_set_op op)
{
	switch (op) {
	case TQL_CHILD:
		return TQL_PARENT_OF;
	case TQL_PARENT_OF:
		return TQL_CHILD;
	case TQL_DESCENDANT:
		return TQL_ANCESTOR;
	case TQL_ANCESTOR:
		return TQL_DESCENDANT;
	default:
		return op;
	}
}

/* Keep in OUT what is in TO and was hit, or with NEGATE was not. */
static int relate(struct tql_run *r, enum tql_set_op op, bool negate,
		  const uint32_t *from, const uint32_t *to, uint32_t *out)
{
	uint8_t *hit = span_arena_alloc(&r->q->scratch.arena, r->t->n);
	int rc;

	if (!hit)
		return span__tql_nomem_run(r);
	memset(hit, 0, r->t->n);
	rc = span__tql_relate(r, op, from, to, hit);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < r->t->n; i++)
		if (to[i] && hit[i] == !negate)
			out[i] = to[i];
	return 0;
}

static int structure(struct tql_run *r, const struct tql_set *set,
		     const uint32_t *in, uint32_t *out)
{
	uint32_t *left = span__tql_array(r), *right = span__tql_array(r);
	int rc;

	if (!left || !right)
		return span__tql_nomem_run(r);
	rc = choose(r, set->v[1], in, right);
	if (rc < 0 || is_empty(r, right))
		return rc;
	rc = choose(r, set->v[0], in, left);
	if (!rc)
		rc = relate(r, set->op, set->negate, left, right, out);
	if (!rc && set->both)
		rc = relate(r, span__tql_inverse(set->op), false, right, left,
			    out);
	return rc;
}

static void coalesce(const struct tql_run *r, const uint32_t *in,
		     uint32_t *groups)
{
	for (size_t i = 0; i < r->t->n; i++)
		if (groups[i])
			groups[i] = in[i];
}

static int run_stage(struct tql_run *r, const struct tql_stage *stage,
		     const uint32_t *in, uint32_t *groups)
{
	uint32_t *out;
	int rc;

	switch (stage->kind) {
	case TQL_STAGE_SET:
		out = span__tql_array(r);
		if (!out)
			return span__tql_nomem_run(r);
		rc = choose(r, stage->set, groups, out);
		memcpy(groups, out, r->t->n * sizeof(*groups));
		return rc;
	case TQL_STAGE_SCALAR:
		return span__tql_filter_groups(r, stage, groups);
	case TQL_STAGE_BY:
		return span__tql_split_groups(r, stage->by, groups);
	case TQL_STAGE_COALESCE:
		coalesce(r, in, groups);
		return 0;
	default:
		return 0;
	}
}

static int pipeline(struct tql_run *r, const struct tql_set *set,
		    const uint32_t *in, uint32_t *out)
{
	int rc = 0;

	memcpy(out, in, r->t->n * sizeof(*out));
	for (size_t i = 0; i < set->n_stages && !rc; i++) {
		rc = run_stage(r, &set->stages[i], in, out);
		if (!rc && is_empty(r, out))
			break;
	}
	coalesce(r, in, out);
	return rc;
}

/* OUT gets the group of IN for each span that SET chooses; all else is 0. */
static int choose(struct tql_run *r, const struct tql_set *set,
		  const uint32_t *in, uint32_t *out)
{
	switch (set->op) {
	case TQL_FILTER:
		return filter(r, set, in, out);
	case TQL_PIPELINE:
		return pipeline(r, set, in, out);
	default:
		memset(out, 0, r->t->n * sizeof(*out));
		return set->op <= TQL_EITHER ? combine(r, set, in, out)
					     : structure(r, set, in, out);
	}
}

static int judge(struct tql_run *r, uint8_t *matched, struct span_error *err)
{
	const struct span_trace *t = r->t;
	uint32_t *in, *out;
	int rc = 0, any = 0;

	span_arena_reset(&r->q->scratch.arena);
	r->q->scratch.numbered = NULL;
	r->c = (struct tql_context){
		.trace = t, .scratch = &r->q->scratch, .err = err};
	in = span__tql_array(r);
	out = span__tql_array(r);
	if (!in || !out)
		return span__tql_nomem_run(r);
	for (size_t i = 0; i < t->n; i++)
		in[i] = 1;
	rc = choose(r, r->q->root, in, out);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < t->n; i++) {
		matched[i] = out[i] != 0;
		any |= matched[i];
	}
	return any;
}

int span__traceql_judge(struct span__traceql *q, const struct span_trace *t,
			uint8_t *matched, struct span_error *err)
{
	struct tql_run r = {.q = q, .t = t};

	return judge(&r, matched, err);
}

int span__traceql_judge_shape(struct span__traceql *q,
			      const struct span_trace *t,
			      const struct tql_shape *shape, uint8_t *matched,
			      struct span_error *err)
{
	struct tql_run r = {.q = q, .t = t, .shape = shape};

	return judge(&r, matched, err);
}
