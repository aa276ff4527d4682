/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of a set of spans: count(), avg(), min(), max(), sum(), and what is
 * computed of them and of constants.
 */
#include "query/traceql.h"

#include "base/banned.h"

static int parse(struct tql_parser *p, int strength, struct tql_scalar **out);

enum tql_op span__tql_aggregate(const struct tql_parser *p,
				const struct tql_token *t)
{
	static const struct {
		const char *name;
		enum tql_op op;
	} names[] = {
		{"count", TQL_COUNT}, {"avg", TQL_AVG}, {"min", TQL_MIN},
		{"max", TQL_MAX},     {"sum", TQL_SUM},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (tql_is_word(p, t, names[i].name))
			return names[i].op;
	return TQL_LITERAL;
}

static int new_scalar(struct tql_parser *p, enum tql_op op, size_t pos,
		      struct tql_scalar **out)
{
	*out = span_arena_alloc(p->arena, sizeof(**out));
	if (!*out)
		return span__tql_nomem(p);
	**out = (struct tql_scalar){.op = op, .pos = pos, .depth = 1};
	return 0;
}

/* What is averaged, summed ...: a number of the span. */
static int parse_of(struct tql_parser *p, struct tql_scalar *s)
{
	int rc = span__tql_parse_field(p, &s->of);

	if (rc < 0)
		return rc;
	if (s->of->type != TQL_ATTRIBUTE && !span__tql_is_number(s->of->type))
		return span__tql_fail(p, s->of->pos,
				      "a number was expected here, not %s",
				      span__tql_type_name(s->of->type));
	if (!s->of->span)
		return span__tql_fail(p, s->of->pos,
				      "a field of the span was expected here, "
				      "not a constant");
	return 0;
}

static int parse_aggregate(struct tql_parser *p, enum tql_op op,
			   struct tql_scalar **out)
{
	int rc = new_scalar(p, op, p->at->pos, out);

	if (rc < 0)
		return rc;
	if (++p->q->n_aggregates > TQL_MAX_AGGREGATES)
		return span__tql_fail(p, p->at->pos, "more than %u aggregates",
				      TQL_MAX_AGGREGATES);
	(*out)->aggregate = true;
	p->at++;
	if (p->at->kind != TQL_T_OPEN)
		return span__tql_expected(p, "'('");
	p->at++;
	if (op != TQL_COUNT)
		rc = parse_of(p, *out);
	if (rc < 0)
		return rc;
	if (p->at->kind != TQL_T_CLOSE)
		return span__tql_expected(p, "')'");
	p->at++;
	return 0;
}

static int parse_number(struct tql_parser *p, struct tql_scalar **out)
{
	const struct tql_token *t = p->at;
	bool minus = t->kind == TQL_T_SUB;
	struct tql_value zero = {.type = TQL_INT};
	int rc;

	p->at += minus;
	if (p->at->kind != TQL_T_LITERAL || !span__tql_is_number(p->at->type))
		return span__tql_expected(p, "a number or an aggregate");
	rc = new_scalar(p, TQL_LITERAL, t->pos, out);
	if (rc < 0)
		return rc;
	(*out)->value = p->at->value;
	if (minus)
		(*out)->value = span__tql_compute(TQL_SUB, zero, p->at->value);
	p->at++;
	return 0;
}

static int parse_operand(struct tql_parser *p, struct tql_scalar **out)
{
	enum tql_op op = span__tql_aggregate(p, p->at);
	int rc;

	if (op != TQL_LITERAL)
		return parse_aggregate(p, op, out);
	if (p->at->kind != TQL_T_OPEN)
		return parse_number(p, out);
	rc = span__tql_enter(p);
	if (rc < 0)
		return rc;
	p->at++;
	rc = parse(p, 0, out);
	p->depth--;
	if (rc < 0)
		return rc;
	if (p->at->kind != TQL_T_CLOSE)
		return span__tql_expected(p, "an operator or ')'");
	p->at++;
	return 0;
}

static enum tql_op binary(enum tql_token_kind token, int *strength)
{
	switch (token) {
	case TQL_T_ADD:
		*strength = 1;
		return TQL_ADD;
	case TQL_T_SUB:
		*strength = 1;
		return TQL_SUB;
	case TQL_T_MUL:
		*strength = 2;
		return TQL_MUL;
	case TQL_T_DIV:
		*strength = 2;
		return TQL_DIV;
	case TQL_T_MOD:
		*strength = 2;
		return TQL_MOD;
	case TQL_T_POW:
		*strength = 3;
		return TQL_POW;
	default:
		return TQL_LITERAL;
	}
}

static int combine(struct tql_parser *p, enum tql_op op, size_t pos,
		   struct tql_scalar *a, struct tql_scalar *b,
		   struct tql_scalar **out)
{
	int rc = new_scalar(p, op, pos, out);

	if (rc < 0)
		return rc;
	(*out)->a = a;
	(*out)->b = b;
	(*out)->aggregate = a->aggregate || b->aggregate;
	(*out)->depth = 1 + (a->depth > b->depth ? a->depth : b->depth);
	if ((*out)->depth > TQL_MAX_DEPTH)
		return span__tql_fail(p, pos,
				      "the expression is nested too deeply");
	return 0;
}

static int parse(struct tql_parser *p, int strength, struct tql_scalar **out)
{
	int rc = parse_operand(p, out);

	while (!rc) {
		const struct tql_token *t = p->at;
		struct tql_scalar *right;
		int own = 0;
		enum tql_op op = binary(t->kind, &own);

		if (op == TQL_LITERAL || own < strength)
			return 0;
		p->at++;
		rc = span__tql_enter(p);
		if (!rc)
			rc = parse(p, op == TQL_POW ? own : own + 1, &right);
		p->depth--;
		if (!rc)
			rc = combine(p, op, t->pos, *out, right, out);
	}
	return rc;
}

int span__tql_parse_scalar(struct tql_parser *p, struct tql_scalar **out)
{
	return parse(p, 0, out);
}
