/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store can look for. A store compares tags by their text, wherever
 * they are, so a tag of a hint may hold for more spans than the condition that
 * it comes from, and must hold for all of those: 500 is also the double that
 * is written 500, while 0 would miss the double -0.
 */
#include "query/traceql.h"

#include <math.h>
#include <string.h>

#include <span/text.h>

#include "base/banned.h"

#define EXACT_INT (INT64_C(1) << 53) /* doubles are written as integers */

struct hinter {
	struct span_arena *arena;
	struct tql_scratch *scratch;
	struct span_error *err;
};

static int hints_of(struct hinter *h, const struct tql_expr *e,
		    struct tql_hints *out);

/* ---- Names ---- */

/* 1: it depends on the service alone, 2: on the operation alone, else 0. */
static int depends_on(const struct tql_expr *e)
{
	int on = 0;

	if (e->op == TQL_FIELD)
		return e->field.parent		      ? 0
		       : e->field.id == TQL_F_SERVICE ? 1
		       : e->field.id == TQL_F_NAME    ? 2
						      : 0;
	if (!e->span)
		return 3;
	on = 3;
	for (size_t i = 0; i < e->n; i++)
		on &= depends_on(e->v[i]);
	return on;
}

static const struct tql_expr *literal_of(const struct tql_expr *e,
					 const struct tql_expr **field)
{
	bool left = e->v[0]->op == TQL_LITERAL;

	*field = e->v[left];
	return e->v[!left]->op == TQL_LITERAL && (*field)->op == TQL_FIELD
		       ? e->v[!left]
		       : NULL;
}

/* "=" with a text, or several of them with "||": the list of texts. */
static bool list_names(const struct tql_expr *e, struct tql_names *out)
{
	const struct tql_expr *field, *literal;

	if (e->op == TQL_OR) {
		for (size_t i = 0; i < e->n; i++)
			if (!list_names(e->v[i], out))
				return false;
		return true;
	}
	literal = e->op == TQL_EQ ? literal_of(e, &field) : NULL;
	if (!literal || literal->type != TQL_STRING || out->n == TQL_MAX_NAMES)
		return false;
	out->v[out->n++] = literal->value.str;
	out->set = true;
	return true;
}

static void name_hint(const struct tql_expr *e, struct tql_names *out)
{
	if (list_names(e, out))
		return;
	*out = (struct tql_names){.n_conds = 1};
	out->conds[0] = e;
}

/* ---- Durations ---- */

static enum tql_op flip(enum tql_op op)
{
	switch (op) {
	case TQL_LT:
		return TQL_GT;
	case TQL_LE:
		return TQL_GE;
	case TQL_GT:
		return TQL_LT;
	case TQL_GE:
		return TQL_LE;
	default:
		return op;
	}
}

/* A range cannot say "at most 0", and what is clamped is not compared. */
static void duration_hint(enum tql_op op, int64_t ns, struct tql_hints *out)
{
	bool fits = ns > 1 && ns < INT64_MAX - 1;

	out->exact = fits;
	if (!fits)
		return;
	if (op == TQL_GT || op == TQL_GE || op == TQL_EQ)
		out->min_ns = (uint64_t)ns + (op == TQL_GT);
	if (op == TQL_LT || op == TQL_LE || op == TQL_EQ)
		out->max_ns = (uint64_t)ns - (op == TQL_LT);
	if (op == TQL_NE)
		out->exact = false;
}

/* ---- Tags ---- */

/* The text that every value has that is equal to V; or none. */
static int text_of(struct hinter *h, const struct tql_value *v,
		   struct span_str *out, bool *known)
{
	struct span_buf b = {0};
	int rc = 0;

	*known = true;
	if (v->type == TQL_STRING)
		span_buf_str(&b, v->str);
	else if (v->type == TQL_BOOL)
		span_buf_puts(&b, v->b ? "true" : "false");
	else if (v->type == TQL_STATUS)
		span_buf_puts(&b, span_status_name((int)v->i));
	else if (v->type == TQL_INT && v->i && v->i < EXACT_INT &&
		 v->i > -EXACT_INT)
		span_text_int(&b, v->i);
	else if (v->type == TQL_FLOAT && isfinite(v->d) && v->d != 0 &&
		 fabs(v->d) < (double)EXACT_INT)
		span_text_double(&b, v->d);
	else
		*known = false;
	if (b.failed ||
	    (*known &&
	     !span_arena_str(h->arena, (struct span_str){b.p, b.len}, out)))
		rc = span_error_set(h->err, SPAN_E_NOMEM, "memory is out");
	span_buf_release(&b);
	return rc;
}

/* The key under which a store finds the field; .len 0: it does not. */
static struct span_str key_of(const struct tql_field *f)
{
	switch (f->id) {
	case TQL_F_ATTRIBUTE:
		return f->key;
	case TQL_F_STATUS:
		return SPAN_STR("status");
	case TQL_F_STATUS_MESSAGE:
		return SPAN_STR("otel.status_description");
	case TQL_F_EVENT_NAME:
		return SPAN_STR("event");
	case TQL_F_SCOPE_NAME:
		return SPAN_STR("otel.scope.name");
	case TQL_F_SCOPE_VERSION:
		return SPAN_STR("otel.scope.version");
	default:
		return (struct span_str){0};
	}
}

static int tag_hint(struct hinter *h, const struct tql_field *f,
		    const struct tql_value *v, struct tql_hints *out)
{
	struct span_tag_eq tag = {.key = key_of(f)};
	bool known;
	int rc;

	if (f->parent || !tag.key.len)
		return 0;
	/* An empty text of a field is no tag. */
	if (f->id != TQL_F_ATTRIBUTE && v->type == TQL_STRING && !v->str.len)
		return 0;
	rc = text_of(h, v, &tag.value, &known);
	if (!rc && known)
		out->tags[out->n_tags++] = tag;
	return rc;
}

static int kind_hint(int64_t kind, struct tql_hints *out)
{
	if (kind)
		out->tags[out->n_tags++] = (struct span_tag_eq){
			SPAN_STR("span.kind"),
			span_str(span_kind_name((int)kind))};
	return 0;
}

/* ---- Conditions ---- */

static int equality_hint(struct hinter *h, const struct tql_field *f,
			 const struct tql_value *v, struct tql_hints *out)
{
	if (f->parent)
		return 0;
	if (f->id == TQL_F_STATUS && v->type == TQL_STATUS &&
	    v->i == SPAN_STATUS_ERROR) {
		out->error = out->exact = true;
		return 0;
	}
	if (f->id == TQL_F_KIND && v->type == TQL_KIND)
		return kind_hint(v->i, out);
	return tag_hint(h, f, v, out);
}

/* A test of an attribute says all. */
static void attr_hint(struct hinter *h, const struct tql_expr *e,
		      const struct tql_field *field, enum tql_op op,
		      const struct tql_value *literal, struct tql_hints *out)
{
	struct tql_attr_hint *hint = &out->attrs[out->n_attrs];

	if (!span__tql_attr_hint(e, field, op, literal, h->scratch, hint))
		return;
	out->n_attrs++;
	out->exact = true;
}

static int comparison_hint(struct hinter *h, const struct tql_expr *e,
			   struct tql_hints *out)
{
	const struct tql_expr *field, *literal = literal_of(e, &field);
	enum tql_op op = e->op;

	if (!literal)
		return 0;
	if (literal == e->v[0])
		op = flip(op);
	if (field->field.id == TQL_F_DURATION && !field->field.parent &&
	    literal->value.type == TQL_INT) {
		duration_hint(op, literal->value.i, out);
		return 0;
	}
	attr_hint(h, e, &field->field, op, &literal->value, out);
	return op == TQL_EQ
		       ? equality_hint(h, &field->field, &literal->value, out)
		       : 0;
}

/* Both hold. What has no room only makes it less exact. */
static void both_names(struct tql_names *a, const struct tql_names *b,
		       bool *exact)
{
	if (b->set && !a->set) {
		memcpy(a->v, b->v, sizeof(a->v));
		a->n = b->n;
		a->set = true;
	} else if (b->set) {
		*exact = false;
	}
	for (size_t i = 0; i < b->n_conds; i++) {
		if (a->n_conds < TQL_MAX_HINTS)
			a->conds[a->n_conds++] = b->conds[i];
		else
			*exact = false;
	}
}

void span__tql_both_hints(struct tql_hints *a, const struct tql_hints *b)
{
	a->exact &= b->exact;
	both_names(&a->services, &b->services, &a->exact);
	both_names(&a->operations, &b->operations, &a->exact);
	if (b->min_ns > a->min_ns)
		a->min_ns = b->min_ns;
	if (b->max_ns && (!a->max_ns || b->max_ns < a->max_ns))
		a->max_ns = b->max_ns;
	a->error |= b->error;
	for (size_t i = 0; i < b->n_tags && a->n_tags < TQL_MAX_HINTS; i++)
		a->tags[a->n_tags++] = b->tags[i];
	for (size_t i = 0; i < b->n_attrs; i++) {
		if (a->n_attrs < TQL_MAX_HINTS)
			a->attrs[a->n_attrs++] = b->attrs[i];
		else
			a->exact = false;
	}
}

static void either_names(struct tql_names *a, const struct tql_names *b)
{
	a->set &= b->set && a->n + b->n <= TQL_MAX_NAMES;
	for (size_t i = 0; i < b->n && a->set; i++)
		a->v[a->n++] = b->v[i];
	if (!a->set)
		a->n = 0;
	a->n_conds = 0;
}

static void either(struct tql_hints *a, const struct tql_hints *b)
{
	a->exact = false;
	either_names(&a->services, &b->services);
	either_names(&a->operations, &b->operations);
	if (b->min_ns < a->min_ns)
		a->min_ns = b->min_ns;
	if (!b->max_ns || (a->max_ns && b->max_ns > a->max_ns))
		a->max_ns = b->max_ns;
	a->error &= b->error;
	a->n_tags = a->n_attrs = 0;
}

static int logic_hints(struct hinter *h, const struct tql_expr *e,
		       struct tql_hints *out)
{
	int rc = hints_of(h, e->v[0], out);

	for (size_t i = 1; i < e->n && !rc; i++) {
		struct tql_hints one;

		rc = hints_of(h, e->v[i], &one);
		if (e->op == TQL_AND)
			span__tql_both_hints(out, &one);
		else
			either(out, &one);
	}
	return rc;
}

static int hints_of(struct hinter *h, const struct tql_expr *e,
		    struct tql_hints *out)
{
	static const struct tql_value yes = {.type = TQL_BOOL, .b = true};
	int on = depends_on(e);

	*out = (struct tql_hints){0};
	if (e->op == TQL_AND)
		return logic_hints(h, e, out);
	if (on == 1 || on == 2) {
		out->exact = true;
		name_hint(e, on == 1 ? &out->services : &out->operations);
		return 0;
	}
	switch (e->op) {
	case TQL_LITERAL:
		out->exact = span__tql_is_true(&e->value);
		return 0;
	case TQL_OR:
		return logic_hints(h, e, out);
	case TQL_FIELD:
		return tag_hint(h, &e->field, &yes, out);
	case TQL_EQ:
	case TQL_NE:
	case TQL_LT:
	case TQL_LE:
	case TQL_GT:
	case TQL_GE:
		return comparison_hint(h, e, out);
	case TQL_RE:
	case TQL_NRE:
	case TQL_EXISTS:
		if (e->v[0]->op == TQL_FIELD)
			attr_hint(h, e, &e->v[0]->field, e->op, NULL, out);
		return 0;
	default:
		return 0;
	}
}

/* ---- Sets: what holds for each span that can be among the chosen ---- */

static int hints_of_set(struct hinter *h, const struct tql_set *set,
			struct tql_hints *out);

static int any_hints(struct hinter *h, const struct tql_set *set, size_t from,
		     struct tql_hints *out)
{
	int rc = hints_of_set(h, set->v[from], out);

	for (size_t i = from + 1; i < set->n && !rc; i++) {
		struct tql_hints one;

		rc = hints_of_set(h, set->v[i], &one);
		either(out, &one);
	}
	return rc;
}

static int pipeline_hints(struct hinter *h, const struct tql_set *set,
			  struct tql_hints *out)
{
	int rc = 0;

	*out = (struct tql_hints){.exact = true};
	for (size_t i = 0; i < set->n_stages && !rc; i++) {
		struct tql_hints one;

		if (set->stages[i].kind != TQL_STAGE_SET)
			continue;
		rc = hints_of_set(h, set->stages[i].set, &one);
		span__tql_both_hints(out, &one);
	}
	return rc;
}

static int hints_of_set(struct hinter *h, const struct tql_set *set,
			struct tql_hints *out)
{
	switch (set->op) {
	case TQL_FILTER:
		if (set->filter)
			return hints_of(h, set->filter, out);
		*out = (struct tql_hints){.exact = true};
		return 0;
	case TQL_PIPELINE:
		return pipeline_hints(h, set, out);
	case TQL_BOTH:
	case TQL_EITHER:
		return any_hints(h, set, 0, out);
	default:
		return any_hints(h, set, set->both ? 0 : 1, out);
	}
}

int span__tql_set_hints(struct span__traceql *q, const struct tql_set *set,
			struct tql_hints *out, struct span_arena *arena,
			struct span_error *err)
{
	struct hinter h = {arena, &q->scratch, err};

	return hints_of_set(&h, set, out);
}

int span__tql_expr_hints(struct span__traceql *q, const struct tql_expr *e,
			 struct tql_hints *out, struct span_arena *arena,
			 struct span_error *err)
{
	struct hinter h = {arena, &q->scratch, err};

	return hints_of(&h, e, out);
}

int span__traceql_hints(struct span__traceql *q, struct tql_hints *out,
			struct span_arena *arena, struct span_error *err)
{
	return span__tql_set_hints(q, q->root, out, arena, err);
}

int span__traceql_name_fits(struct span__traceql *q, const struct tql_names *n,
			    struct span_str name, bool service,
			    struct span_error *err)
{
	struct span_process process = {0};
	struct span s = {.process = &process};
	struct tql_context c = {.span = &s, .scratch = &q->scratch, .err = err};
	int rc = 1;

	if (service)
		process.service = name;
	else
		s.name = name;
	for (size_t i = 0; i < n->n_conds && rc == 1; i++)
		rc = span__tql_bool(&c, n->conds[i]);
	return rc;
}
