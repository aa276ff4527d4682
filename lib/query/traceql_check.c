/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes with what: types are checked when a node is made, with the column
 * of its operator at hand, and what is constant is computed at once.
 */
#include "query/traceql.h"

#include <string.h>

#include "base/banned.h"

static const struct {
	const char *name;
	enum tql_field_id id;
	enum tql_type type;
} intrinsics[] = {
	{"name", TQL_F_NAME, TQL_STRING},
	{"operation", TQL_F_NAME, TQL_STRING},
	{"service", TQL_F_SERVICE, TQL_STRING},
	{"status", TQL_F_STATUS, TQL_STATUS},
	{"statusMessage", TQL_F_STATUS_MESSAGE, TQL_STRING},
	{"duration", TQL_F_DURATION, TQL_DURATION},
	{"kind", TQL_F_KIND, TQL_KIND},
	{"parent", TQL_F_PARENT, TQL_PARENT},
	{"childCount", TQL_F_CHILD_COUNT, TQL_INT},
	{"traceDuration", TQL_F_TRACE_DURATION, TQL_DURATION},
	{"rootName", TQL_F_ROOT_NAME, TQL_STRING},
	{"rootServiceName", TQL_F_ROOT_SERVICE, TQL_STRING},
	{"nestedSetLeft", TQL_F_NESTED_LEFT, TQL_INT},
	{"nestedSetRight", TQL_F_NESTED_RIGHT, TQL_INT},
	{"nestedSetParent", TQL_F_NESTED_PARENT, TQL_INT},
	{"span:id", TQL_F_SPAN_ID, TQL_STRING},
	{"span:parentID", TQL_F_PARENT_ID, TQL_STRING},
	{"span:name", TQL_F_NAME, TQL_STRING},
	{"span:kind", TQL_F_KIND, TQL_KIND},
	{"span:status", TQL_F_STATUS, TQL_STATUS},
	{"span:statusMessage", TQL_F_STATUS_MESSAGE, TQL_STRING},
	{"span:duration", TQL_F_DURATION, TQL_DURATION},
	{"span:childCount", TQL_F_CHILD_COUNT, TQL_INT},
	{"trace:id", TQL_F_TRACE_ID, TQL_STRING},
	{"trace:duration", TQL_F_TRACE_DURATION, TQL_DURATION},
	{"trace:rootName", TQL_F_ROOT_NAME, TQL_STRING},
	{"trace:rootService", TQL_F_ROOT_SERVICE, TQL_STRING},
	{"event:name", TQL_F_EVENT_NAME, TQL_STRING},
	{"event:timeSinceStart", TQL_F_EVENT_TIME, TQL_DURATION},
	{"link:traceID", TQL_F_LINK_TRACE_ID, TQL_STRING},
	{"link:spanID", TQL_F_LINK_SPAN_ID, TQL_STRING},
	{"instrumentation:name", TQL_F_SCOPE_NAME, TQL_STRING},
	{"instrumentation:version", TQL_F_SCOPE_VERSION, TQL_STRING},
};

bool span__tql_intrinsic(struct span_str name, struct tql_field *field,
			 enum tql_type *type)
{
	for (size_t i = 0; i < sizeof(intrinsics) / sizeof(*intrinsics); i++) {
		if (!span_str_equal(name, span_str(intrinsics[i].name)))
			continue;
		*field = (struct tql_field){.id = intrinsics[i].id};
		*type = intrinsics[i].type;
		return true;
	}
	return false;
}

const char *span__tql_type_name(enum tql_type type)
{
	static const char *const names[] = {
		[TQL_NIL] = "nil",
		[TQL_BOOL] = "true or false",
		[TQL_INT] = "a number",
		[TQL_FLOAT] = "a number",
		[TQL_STRING] = "a text",
		[TQL_STATUS] = "a status",
		[TQL_KIND] = "a kind",
		[TQL_DURATION] = "a duration",
		[TQL_ATTRIBUTE] = "an attribute",
		[TQL_PARENT] = "the parent",
	};

	return names[type];
}

bool span__tql_is_number(enum tql_type type)
{
	return type == TQL_INT || type == TQL_FLOAT || type == TQL_DURATION;
}

struct tql_expr *span__tql_new(struct tql_parser *p, enum tql_op op, size_t pos,
			       enum tql_type type)
{
	struct tql_expr *e = span_arena_alloc(p->arena, sizeof(*e));

	if (e)
		*e = (struct tql_expr){
			.op = op, .type = type, .pos = pos, .depth = 1};
	return e;
}

int span__tql_check_bool(const struct tql_parser *p, const struct tql_expr *e)
{
	if (e->type == TQL_BOOL || e->type == TQL_ATTRIBUTE)
		return 0;
	return span__tql_fail(p, e->pos,
			      "a condition was expected here, not %s",
			      span__tql_type_name(e->type));
}

static int check_number(const struct tql_parser *p, const struct tql_expr *e)
{
	if (e->type == TQL_ATTRIBUTE || span__tql_is_number(e->type))
		return 0;
	return span__tql_fail(p, e->pos, "a number was expected here, not %s",
			      span__tql_type_name(e->type));
}

/* ---- Making nodes ---- */

static int add_operand(struct tql_parser *p, struct tql_expr *e,
		       struct tql_expr *operand)
{
	if (!(e->n & (e->n - 1))) {
		struct tql_expr **v =
			span_arena_array(p->arena, e->n ? e->n * 2 : 1,
					 sizeof(struct tql_expr *));

		if (!v)
			return span__tql_nomem(p);
		if (e->n)
			memcpy(v, e->v, e->n * sizeof(struct tql_expr *));
		e->v = v;
	}
	e->v[e->n++] = operand;
	e->whole |= operand->whole;
	e->span |= operand->span;
	if (operand->depth >= e->depth)
		e->depth = operand->depth + 1;
	if (e->depth > TQL_MAX_DEPTH)
		return span__tql_fail(p, e->pos,
				      "the expression is nested too deeply");
	return 0;
}

static int make(struct tql_parser *p, enum tql_op op, enum tql_type type,
		size_t pos, struct tql_expr *a, struct tql_expr *b,
		struct tql_expr **out)
{
	int rc;

	*out = span__tql_new(p, op, pos, type);
	if (!*out)
		return span__tql_nomem(p);
	rc = add_operand(p, *out, a);
	if (!rc && b)
		rc = add_operand(p, *out, b);
	return rc;
}

int span__tql_unary(struct tql_parser *p, enum tql_op op, size_t pos,
		    struct tql_expr *a, struct tql_expr **out)
{
	int rc =
		op == TQL_NOT ? span__tql_check_bool(p, a) : check_number(p, a);

	if (rc < 0)
		return rc;
	if (op == TQL_NEGATE && a->op == TQL_LITERAL) {
		struct tql_value zero = {.type = TQL_INT};

		a->value = a->value.type == TQL_FLOAT
				   ? (struct tql_value){.type = TQL_FLOAT,
							.d = -a->value.d}
				   : span__tql_compute(TQL_SUB, zero, a->value);
		a->pos = pos;
		*out = a;
		return 0;
	}
	if (op == TQL_NOT)
		return make(p, op, TQL_BOOL, pos, a, NULL, out);
	/* What comes of an attribute is a number. */
	return make(p, op, a->type == TQL_ATTRIBUTE ? TQL_FLOAT : a->type, pos,
		    a, NULL, out);
}

/* The type of A OP B. */
static enum tql_type number_type(enum tql_op op, enum tql_type a,
				 enum tql_type b)
{
	if (a == TQL_ATTRIBUTE || b == TQL_ATTRIBUTE)
		return TQL_ATTRIBUTE;
	if (a == TQL_DURATION || b == TQL_DURATION)
		return TQL_DURATION;
	if (a == TQL_FLOAT || b == TQL_FLOAT || op == TQL_DIV || op == TQL_POW)
		return TQL_FLOAT;
	return TQL_INT;
}

static int make_arithmetic(struct tql_parser *p, enum tql_op op, size_t pos,
			   struct tql_expr *a, struct tql_expr *b,
			   struct tql_expr **out)
{
	enum tql_type type;
	int rc = check_number(p, a);

	if (!rc)
		rc = check_number(p, b);
	if (rc < 0)
		return rc;
	type = number_type(op, a->type, b->type);
	/* Such a number comes from a text or a number, and is one. */
	if (type == TQL_ATTRIBUTE)
		type = TQL_FLOAT;
	if (a->op == TQL_LITERAL && b->op == TQL_LITERAL) {
		a->value = span__tql_compute(op, a->value, b->value);
		a->type = type;
		*out = a;
		return 0;
	}
	return make(p, op, type, pos, a, b, out);
}

/* && and ||: operands of the same operator are one list. */
static int make_logic(struct tql_parser *p, enum tql_op op, size_t pos,
		      struct tql_expr *a, struct tql_expr *b,
		      struct tql_expr **out)
{
	int rc = span__tql_check_bool(p, a);

	if (!rc)
		rc = span__tql_check_bool(p, b);
	if (rc < 0)
		return rc;
	if (a->op != op || a->group)
		return make(p, op, TQL_BOOL, pos, a, b, out);
	*out = a;
	return add_operand(p, a, b);
}

static int make_nil(struct tql_parser *p, enum tql_op op, size_t pos,
		    struct tql_expr *a, struct tql_expr **out)
{
	if (op != TQL_EQ && op != TQL_NE)
		return span__tql_fail(p, pos,
				      "nil is only compared by = and !=");
	if (a->op != TQL_FIELD)
		return span__tql_fail(p, a->pos,
				      "a field was expected to compare with "
				      "nil, not %s",
				      span__tql_type_name(a->type));
	return make(p, op == TQL_EQ ? TQL_ABSENT : TQL_EXISTS, TQL_BOOL, pos, a,
		    NULL, out);
}

static bool can_compare(enum tql_type a, enum tql_type b)
{
	return a == b || a == TQL_ATTRIBUTE || b == TQL_ATTRIBUTE ||
	       (span__tql_is_number(a) && span__tql_is_number(b));
}

static bool is_id(const struct tql_expr *e)
{
	return e->op == TQL_FIELD && (e->field.id == TQL_F_SPAN_ID ||
				      e->field.id == TQL_F_PARENT_ID ||
				      e->field.id == TQL_F_TRACE_ID ||
				      e->field.id == TQL_F_LINK_TRACE_ID ||
				      e->field.id == TQL_F_LINK_SPAN_ID);
}

/* An id may be written in upper case, and without the zeros it begins with. */
static int write_id(struct tql_parser *p, const struct tql_expr *field,
		    struct tql_expr *e)
{
	char text[SPAN_TRACE_ID_TEXT];
	uint8_t id[16];
	bool trace = field->field.id == TQL_F_TRACE_ID ||
		     field->field.id == TQL_F_LINK_TRACE_ID;

	if (e->op != TQL_LITERAL || e->type != TQL_STRING)
		return 0;
	if (trace && !span_trace_id_parse(e->value.str, id))
		span_trace_id_text(id, text);
	else if (!trace && !span_id_parse(e->value.str, id))
		span_id_text(id, text);
	else
		return 0;
	if (!span_arena_str(p->arena, span_str(text), &e->value.str))
		return span__tql_nomem(p);
	return 0;
}

static int make_comparison(struct tql_parser *p, enum tql_op op, size_t pos,
			   struct tql_expr *a, struct tql_expr *b,
			   struct tql_expr **out)
{
	bool ordered = op != TQL_EQ && op != TQL_NE;
	const struct tql_expr *unordered =
		a->type == TQL_BOOL || a->type == TQL_STATUS ||
				a->type == TQL_KIND
			? a
			: b;

	if (b->type == TQL_NIL)
		return make_nil(p, op, pos, a, out);
	if (a->type == TQL_NIL)
		return make_nil(p, op, pos, b, out);
	if (a->type == TQL_PARENT || b->type == TQL_PARENT)
		return span__tql_fail(p, pos,
				      "the parent is only compared with nil");
	if (!can_compare(a->type, b->type))
		return span__tql_fail(p, pos, "%s is not comparable with %s",
				      span__tql_type_name(a->type),
				      span__tql_type_name(b->type));
	if (ordered &&
	    (unordered->type == TQL_BOOL || unordered->type == TQL_STATUS ||
	     unordered->type == TQL_KIND))
		return span__tql_fail(p, pos, "%s is only compared by = and !=",
				      span__tql_type_name(unordered->type));
	if (!ordered && ((is_id(a) && write_id(p, a, b) < 0) ||
			 (is_id(b) && write_id(p, b, a) < 0)))
		return SPAN_E_NOMEM;
	return make(p, op, TQL_BOOL, pos, a, b, out);
}

static int make_regex(struct tql_parser *p, enum tql_op op, size_t pos,
		      struct tql_expr *a, struct tql_expr *b,
		      struct tql_expr **out)
{
	struct span_error why = {0};
	int rc;

	if (b->op != TQL_LITERAL || b->type != TQL_STRING)
		return span__tql_fail(p, b->pos,
				      "a regular expression in quotes was "
				      "expected here");
	if (a->type != TQL_STRING && a->type != TQL_ATTRIBUTE)
		return span__tql_fail(p, a->pos,
				      "a text was expected here, not %s",
				      span__tql_type_name(a->type));
	if (p->q->n_regexes == TQL_MAX_REGEXES)
		return span__tql_fail(p, b->pos,
				      "more than %u regular expressions",
				      TQL_MAX_REGEXES);
	rc = make(p, op, TQL_BOOL, pos, a, NULL, out);
	if (rc < 0)
		return rc;
	rc = span__regex_open_whole(&(*out)->regex, b->value.str, &why);
	if (rc == SPAN_E_INVALID)
		return span__tql_fail(p, b->pos, "%s", why.msg);
	if (rc < 0)
		return span_error_set(p->err, rc, "%s", why.msg);
	p->q->regexes[p->q->n_regexes++] = (*out)->regex;
	return 0;
}

int span__tql_binary(struct tql_parser *p, enum tql_op op, size_t pos,
		     struct tql_expr *a, struct tql_expr *b,
		     struct tql_expr **out)
{
	switch (op) {
	case TQL_AND:
	case TQL_OR:
		return make_logic(p, op, pos, a, b, out);
	case TQL_RE:
	case TQL_NRE:
		return make_regex(p, op, pos, a, b, out);
	case TQL_EQ:
	case TQL_NE:
	case TQL_LT:
	case TQL_LE:
	case TQL_GT:
	case TQL_GE:
		return make_comparison(p, op, pos, a, b, out);
	default:
		return make_arithmetic(p, op, pos, a, b, out);
	}
}
