/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions on one span. Operators from weak to strong, all from the left
 * but ^:
 *
 *	&& ||		equally strong, as in Tempo
 *	= != < <= > >= =~ !~
 *	+ -
 *	! -		before an operand
 *	* / %
 *	^
 */
#include "query/traceql.h"

#include "base/banned.h"

enum {
	LOGIC = 1,
	COMPARISON,
	SUM,
	UNARY,
	PRODUCT,
	POWER,
};

static const struct binary {
	enum tql_token_kind token;
	enum tql_op op;
	int strength;
} binaries[] = {
	{TQL_T_AND, TQL_AND, LOGIC},	{TQL_T_OR, TQL_OR, LOGIC},
	{TQL_T_EQ, TQL_EQ, COMPARISON}, {TQL_T_NE, TQL_NE, COMPARISON},
	{TQL_T_LT, TQL_LT, COMPARISON}, {TQL_T_LE, TQL_LE, COMPARISON},
	{TQL_T_GT, TQL_GT, COMPARISON}, {TQL_T_GE, TQL_GE, COMPARISON},
	{TQL_T_RE, TQL_RE, COMPARISON}, {TQL_T_NRE, TQL_NRE, COMPARISON},
	{TQL_T_ADD, TQL_ADD, SUM},	{TQL_T_SUB, TQL_SUB, SUM},
	{TQL_T_MUL, TQL_MUL, PRODUCT},	{TQL_T_DIV, TQL_DIV, PRODUCT},
	{TQL_T_MOD, TQL_MOD, PRODUCT},	{TQL_T_POW, TQL_POW, POWER},
};

static const struct binary *find_binary(enum tql_token_kind token)
{
	for (size_t i = 0; i < sizeof(binaries) / sizeof(*binaries); i++)
		if (binaries[i].token == token)
			return &binaries[i];
	return NULL;
}

static int parse(struct tql_parser *p, int strength, struct tql_expr **out);

int span__tql_enter(struct tql_parser *p)
{
	if (++p->depth <= TQL_MAX_DEPTH)
		return 0;
	return span__tql_fail(p, p->at->pos,
			      "the expression is nested too deeply");
}

/* A name without a scope: the likeliest mistake, so the message says more. */
static int unknown_word(const struct tql_parser *p)
{
	const struct tql_token *t = p->at;
	int len = t->len < 40 ? (int)t->len : 40;
	const char *name = p->text.p + t->pos;

	if (t[1].kind == TQL_T_OPEN)
		return span__tql_expected(p, "a field or a value");
	return span__tql_fail(p, t->pos,
			      "'%.*s' is no field: an attribute is written "
			      ".%.*s or span.%.*s, a text in quotes",
			      len, name, len, name, len, name);
}

static int parse_operand(struct tql_parser *p, struct tql_expr **out)
{
	const struct tql_token *t = p->at;
	struct tql_expr *e;

	if (t->kind == TQL_T_WORD)
		return unknown_word(p);
	if (t->kind != TQL_T_LITERAL && t->kind != TQL_T_FIELD)
		return span__tql_expected(p, "a field or a value");
	e = span__tql_new(p, TQL_LITERAL, t->pos, t->type);
	if (!e)
		return span__tql_nomem(p);
	if (t->kind == TQL_T_FIELD) {
		e->op = TQL_FIELD;
		e->field = t->field;
		e->span = true;
		e->whole = t->field.parent || t->field.id >= TQL_F_PARENT;
	} else {
		e->value = t->value;
	}
	p->at++;
	*out = e;
	return 0;
}

static int parse_group(struct tql_parser *p, struct tql_expr **out)
{
	int rc;

	p->at++;
	rc = parse(p, LOGIC, out);
	if (rc < 0)
		return rc;
	if (p->at->kind != TQL_T_CLOSE)
		return span__tql_expected(p, "an operator or ')'");
	p->at++;
	(*out)->group = true;
	return 0;
}

static int parse_unary(struct tql_parser *p, struct tql_expr **out)
{
	const struct tql_token *t = p->at;
	struct tql_expr *a;
	int rc = span__tql_enter(p);

	if (rc < 0)
		return rc;
	if (t->kind == TQL_T_NOT || t->kind == TQL_T_SUB) {
		p->at++;
		rc = parse(p, UNARY, &a);
		if (!rc)
			rc = span__tql_unary(
				p, t->kind == TQL_T_NOT ? TQL_NOT : TQL_NEGATE,
				t->pos, a, out);
	} else {
		rc = t->kind == TQL_T_OPEN ? parse_group(p, out)
					   : parse_operand(p, out);
	}
	p->depth--;
	return rc;
}

/* Operators that are at least so strong. */
static int parse(struct tql_parser *p, int strength, struct tql_expr **out)
{
	int rc = parse_unary(p, out);

	while (!rc) {
		const struct tql_token *t = p->at;
		const struct binary *b = find_binary(t->kind);
		struct tql_expr *right;

		if (!b || b->strength < strength)
			return 0;
		p->at++;
		rc = span__tql_enter(p);
		if (!rc)
			rc = parse(p,
				   b->op == TQL_POW ? POWER : b->strength + 1,
				   &right);
		p->depth--;
		if (!rc)
			rc = span__tql_binary(p, b->op, t->pos, *out, right,
					      out);
	}
	return rc;
}

int span__tql_parse_field(struct tql_parser *p, struct tql_expr **out)
{
	return parse(p, LOGIC, out);
}
