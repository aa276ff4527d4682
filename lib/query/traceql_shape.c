/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions that types of spans decide: which of them a condition chooses is
 * asked once for each type, and a shape of types is judged as a trace is,
 * without its spans.
 */
#include "query/traceql.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

struct span__tql_shapes {
	struct span__traceql *q;
	const struct tql_set *filters[TQL_MAX_FILTERS];
	size_t n_filters;
	struct keys {
		struct span_str v[TQL_MAX_KEYS];
		size_t n;
	} keys, attrs; /* that no process may have; that filters ask for */
	struct span_buf nodes; /* of a shape; then what is in matched */
	struct span_buf numbers;
	const struct tql_set *need; /* a filter, or NULL */
	uint64_t all;		    /* filters, all of which choose spans */
};

/* ---- What can be asked ---- */

static bool put_key(struct keys *k, struct span_str key)
{
	for (size_t i = 0; i < k->n; i++)
		if (span_str_equal(k->v[i], key))
			return true;
	if (k->n == TQL_MAX_KEYS)
		return false;
	k->v[k->n++] = key;
	return true;
}

static bool can_ask_field(struct span__tql_shapes *s, const struct tql_field *f)
{
	if (f->parent)
		return false;
	switch (f->id) {
	case TQL_F_SERVICE:
	case TQL_F_NAME:
	case TQL_F_STATUS:
	case TQL_F_KIND:
		return true;
	case TQL_F_ATTRIBUTE:
		if (!put_key(&s->attrs, f->key))
			return false;
		return f->scope == TQL_SPAN ||
		       (f->scope == TQL_UNSCOPED && put_key(&s->keys, f->key));
	default:
		return false;
	}
}

static bool can_ask(struct span__tql_shapes *s, const struct tql_expr *e)
{
	if (e->op == TQL_FIELD)
		return can_ask_field(s, &e->field);
	for (size_t i = 0; i < e->n; i++)
		if (!can_ask(s, e->v[i]))
			return false;
	return true;
}

static bool can_count(const struct tql_scalar *s)
{
	if (s->op == TQL_LITERAL)
		return true;
	if (s->a)
		return can_count(s->a) && can_count(s->b);
	return s->op == TQL_COUNT && !s->of;
}

static bool is_parent_id(const struct tql_expr *by)
{
	return by->op == TQL_FIELD && by->field.id == TQL_F_PARENT_ID &&
	       !by->field.parent;
}

static bool can_choose(struct span__tql_shapes *s, struct tql_set *set);

static bool can_stage(struct span__tql_shapes *s, struct tql_stage *stage)
{
	switch (stage->kind) {
	case TQL_STAGE_SET:
		return can_choose(s, stage->set);
	case TQL_STAGE_SCALAR:
		if (!can_count(stage->a) || !can_count(stage->b))
			return false;
		stage->counts = span__tql_counts(stage, &s->q->scratch.number);
		return true;
	case TQL_STAGE_BY:
		return is_parent_id(stage->by);
	default:
		return true;
	}
}

/* Number the filters of SET. False when shapes do not tell. */
static bool can_choose(struct span__tql_shapes *s, struct tql_set *set)
{
	if (set->op == TQL_FILTER) {
		if (s->n_filters == TQL_MAX_FILTERS ||
		    (set->filter && !can_ask(s, set->filter)))
			return false;
		set->number = s->n_filters;
		s->filters[s->n_filters++] = set;
		return true;
	}
	for (size_t i = 0; i < set->n; i++)
		if (!can_choose(s, set->v[i]))
			return false;
	for (size_t i = 0; i < set->n_stages; i++)
		if (!can_stage(s, &set->stages[i]))
			return false;
	return true;
}

/*
 * The filters each of which chooses spans where SET does. Of what is not below
 * something, the something need not be there.
 */
static uint64_t all_of(const struct tql_set *set)
{
	uint64_t all = 0;

	if (set->op == TQL_FILTER)
		return UINT64_C(1) << set->number;
	if (set->op == TQL_EITHER)
		all = UINT64_MAX;
	for (size_t i = set->op != TQL_EITHER && set->negate; i < set->n; i++)
		all = set->op == TQL_EITHER ? all & all_of(set->v[i])
					    : all | all_of(set->v[i]);
	for (size_t i = 0; i < set->n_stages; i++)
		if (set->stages[i].kind == TQL_STAGE_SET)
			all |= all_of(set->stages[i].set);
	return all;
}

int span__traceql_shapes_open(struct span__tql_shapes **out,
			      struct span__traceql *q, struct span_error *err)
{
	struct span__tql_shapes *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->q = q;
	if (!can_choose(s, q->root)) {
		free(s);
		return 0;
	}
	if (q->need && q->need->op == TQL_FILTER)
		s->need = q->need;
	s->all = all_of(q->root);
	*out = s;
	return 1;
}

void span__traceql_shapes_close(struct span__tql_shapes **sp)
{
	struct span__tql_shapes *s = *sp;

	if (!s)
		return;
	span_buf_release(&s->nodes);
	span_buf_release(&s->numbers);
	free(s);
	*sp = NULL;
}

const struct span_str *
span__traceql_shapes_keys(const struct span__tql_shapes *s, size_t *n)
{
	*n = s->keys.n;
	return s->keys.v;
}

const struct span_str *
span__traceql_shapes_attrs(const struct span__tql_shapes *s, size_t *n)
{
	*n = s->attrs.n;
	return s->attrs.v;
}

/* ---- Types ---- */

static bool is_plain(enum span_type type)
{
	return type == SPAN_STRING || type == SPAN_BOOL || type == SPAN_INT ||
	       type == SPAN_DOUBLE;
}

/*
 * Do the keys and the types of the values decide E? Of what is there no more
 * may be asked than that: of something that is neither a list nor nothing.
 */
static bool decides(const struct span *what, const struct tql_expr *e)
{
	bool there = e->op == TQL_EXISTS || e->op == TQL_ABSENT;

	if (e->op == TQL_FIELD && e->field.id == TQL_F_ATTRIBUTE)
		return !span_attr_get(&what->attrs, e->field.key);
	for (size_t i = 0; i < e->n; i++) {
		const struct tql_expr *of = e->v[i];
		const struct span_value *v = NULL;

		if (there && of->op == TQL_FIELD &&
		    of->field.id == TQL_F_ATTRIBUTE)
			v = span_attr_get(&what->attrs, of->field.key);
		if (v ? !is_plain(v->type) : !decides(what, of))
			return false;
	}
	return true;
}

int span__traceql_shapes_type(struct span__tql_shapes *s,
			      const struct span *what, uint64_t *chosen,
			      struct span_error *err)
{
	for (size_t k = 0; k < s->n_filters; k++) {
		const struct tql_expr *e = s->filters[k]->filter;

		if (e && !decides(what, e))
			return 0;
	}
	return span__traceql_shapes_span(s, what, chosen, err);
}

int span__traceql_shapes_span(struct span__tql_shapes *s, const struct span *sp,
			      uint64_t *chosen, struct span_error *err)
{
	struct tql_context c = {
		.span = sp, .scratch = &s->q->scratch, .err = err};

	*chosen = 0;
	for (size_t k = 0; k < s->n_filters; k++) {
		const struct tql_expr *e = s->filters[k]->filter;
		int rc = 1;

		if (e)
			rc = span__tql_bool(&c, e);
		if (rc < 0)
			return rc;
		if (rc > 1)
			return 0;
		*chosen |= (uint64_t)rc << k;
	}
	return 1;
}

uint64_t span__traceql_shapes_need(const struct span__tql_shapes *s)
{
	return s->need ? UINT64_C(1) << s->need->number : 0;
}

uint64_t span__traceql_shapes_all(const struct span__tql_shapes *s)
{
	return s->all;
}

bool span__tql_shape_chooses(const struct tql_shape *shape,
			     const struct tql_set *filter, size_t i)
{
	return shape->v[i].chosen >> filter->number & 1;
}

/* ---- Shapes ---- */

/* Does a span of the shape meet what every result needs? */
static bool is_needed(const struct tql_shape *shape)
{
	const struct tql_set *need = shape->of->need;

	if (!need)
		return true;
	for (size_t i = 0; i < shape->n; i++)
		if (span__tql_shape_chooses(shape, need, i))
			return true;
	return false;
}

/* The tree of the N nodes V, which are in preorder. */
static void plant(const struct span__shape_node *v, size_t n,
		  struct span_trace_node *nodes, uint32_t *order,
		  uint32_t *path)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t depth = (uint32_t)v[i].depth;

		nodes[i] = (struct span_trace_node){
			.parent = depth ? path[depth - 1] : SPAN_TRACE_NONE,
			.first_child = SPAN_TRACE_NONE,
			.next_sibling = SPAN_TRACE_NONE,
			.depth = depth,
		};
		path[depth] = i;
		order[i] = i;
	}
	for (uint32_t i = (uint32_t)n; i-- > 0;) {
		struct span_trace_node *parent;

		if (nodes[i].parent == SPAN_TRACE_NONE)
			continue;
		parent = &nodes[nodes[i].parent];
		nodes[i].next_sibling = parent->first_child;
		parent->first_child = i;
	}
}

/* As span__traceql_shapes_judge(), of a shape that has what is needed. */
static int judge(struct span__tql_shapes *s, const struct tql_shape *shape,
		 uint32_t *matched, struct span_error *err)
{
	size_t n = shape->n;
	struct span_trace t = {.n = n};
	struct span_trace_node *nodes;
	uint32_t *numbers;
	uint8_t *which;
	int rc;

	s->nodes.len = s->numbers.len = 0;
	nodes = (struct span_trace_node *)(void *)span_buf_reserve(
		&s->nodes, n * sizeof(*nodes));
	numbers = (uint32_t *)(void *)span_buf_reserve(
		&s->numbers, n * (2 * sizeof(*numbers) + 1));
	if (!nodes || !numbers)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	which = (uint8_t *)(numbers + 2 * n);
	plant(shape->v, n, nodes, numbers, numbers + n);
	t.nodes = nodes;
	t.order = numbers;
	rc = span__traceql_judge_shape(s->q, &t, shape, which, err);
	for (size_t i = 0; i < n && rc > 0; i++)
		*matched += which[i];
	return rc < 0 ? rc : 0;
}

int span__traceql_shapes_judge(struct span__tql_shapes *s,
			       const struct span__shape_node *v, size_t n,
			       uint32_t *matched, struct span_error *err)
{
	const struct tql_shape shape = {s, v, n};

	*matched = 0;
	return is_needed(&shape) ? judge(s, &shape, matched, err) : 0;
}

bool span__traceql_shapes_has_few(const struct span__tql_shapes *s)
{
	return s->n_filters <= SPAN__SHAPE_BITS;
}

uint32_t span__traceql_shapes_few(const struct span__tql_shapes *s,
				  const struct span__shape_few *v)
{
	return span__tql_few(s->q->root, s->n_filters, v);
}
