/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking one span. Where the trace is not known, what depends on it is
 * TQL_UNKNOWN, and so is what depends on that, unless the rest decides.
 */
#include "query/traceql.h"

#include <string.h>

#include <span/text.h>

#include "base/banned.h"

/* ---- Comparisons: one pair of values has to fit ---- */

struct pairs {
	const struct tql_context *c;
	const struct tql_expr *e;
	enum tql_op op;
	const struct tql_value *a, *b; /* b: NULL when it is a field */
	bool seen;		       /* there are values on both sides */
};

static int compare_pair(void *arg, const struct tql_value *b)
{
	struct pairs *p = arg;

	p->seen = true;
	return span__tql_holds(
		p->op, span__tql_compare(p->a, b, &p->c->scratch->number));
}

/* Call FN with the values of an operand, whatever it is. */
static int each(const struct tql_context *c, const struct tql_expr *e,
		unsigned slot, span__tql_value_fn *fn, void *arg)
{
	struct tql_value v;
	int rc;

	if (e->op == TQL_LITERAL)
		return fn(arg, &e->value);
	if (e->op == TQL_FIELD)
		return span__tql_each(c, &e->field, slot, fn, arg);
	rc = span__tql_value(c, e, slot, &v);
	return rc || !v.type ? rc : fn(arg, &v);
}

static int compare_left(void *arg, const struct tql_value *a)
{
	struct pairs *p = arg;

	p->a = a;
	if (p->b)
		return p->b->type ? compare_pair(p, p->b) : 0;
	return span__tql_each(p->c, &p->e->v[1]->field, 1, compare_pair, p);
}

static int negate(int rc)
{
	return rc == 0 || rc == 1 ? !rc : rc;
}

/* A != B holds when there are values, and none is equal. */
static int compare(const struct tql_context *c, const struct tql_expr *e)
{
	struct pairs p = {.c = c, .e = e, .op = e->op};
	struct tql_value b;
	int rc;

	if (e->op == TQL_NE)
		p.op = TQL_EQ;
	/* First, since it uses the memory that texts of the left side need. */
	if (e->v[1]->op != TQL_FIELD) {
		rc = span__tql_value(c, e->v[1], 1, &b);
		if (rc)
			return rc;
		p.b = &b;
	}
	rc = each(c, e->v[0], 0, compare_left, &p);
	if (e->op != TQL_NE || rc < 0 || rc == TQL_UNKNOWN)
		return rc;
	return !rc && p.seen;
}

/* ---- Regular expressions, on the text of a value ---- */

struct searched {
	const struct tql_context *c;
	struct span__regex *regex;
	bool seen;
};

static int search(void *arg, const struct tql_value *v)
{
	struct searched *s = arg;
	struct span_buf *b = &s->c->scratch->number;

	s->seen = true;
	if (v->type == TQL_STRING)
		return span__regex_match(s->regex, v->str, s->c->err);
	b->len = 0;
	if (v->type == TQL_INT)
		span_text_int(b, v->i);
	else if (v->type == TQL_FLOAT)
		span_text_double(b, v->d);
	else
		span_buf_puts(b, v->b ? "true" : "false");
	if (b->failed)
		return span_error_set(s->c->err, SPAN_E_NOMEM, "memory is out");
	return span__regex_match(s->regex, (struct span_str){b->p, b->len},
				 s->c->err);
}

static int match_regex(const struct tql_context *c, const struct tql_expr *e)
{
	struct searched s = {c, e->regex, false};
	int rc = each(c, e->v[0], 0, search, &s);

	if (e->op != TQL_NRE || rc < 0 || rc == TQL_UNKNOWN)
		return rc;
	return !rc && s.seen;
}

/* ---- Conditions ---- */

static int stop(void *arg, const struct tql_value *v)
{
	(void)arg;
	(void)v;
	return 1;
}

static int stop_at_true(void *arg, const struct tql_value *v)
{
	(void)arg;
	return span__tql_is_true(v);
}

/* && stops at a 0, || at a 1. */
static int logic(const struct tql_context *c, const struct tql_expr *e)
{
	int last = e->op == TQL_OR, out = !last;

	for (size_t i = 0; i < e->n; i++) {
		int rc = span__tql_bool(c, e->v[i]);

		if (rc < 0 || rc == last)
			return rc;
		if (rc == TQL_UNKNOWN)
			out = rc;
	}
	return out;
}

int span__tql_bool(const struct tql_context *c, const struct tql_expr *e)
{
	switch (e->op) {
	case TQL_LITERAL:
		return span__tql_is_true(&e->value);
	case TQL_FIELD:
		return span__tql_each(c, &e->field, 0, stop_at_true, NULL);
	case TQL_NOT:
		return negate(span__tql_bool(c, e->v[0]));
	case TQL_AND:
	case TQL_OR:
		return logic(c, e);
	case TQL_EXISTS:
		return span__tql_each(c, &e->v[0]->field, 0, stop, NULL);
	case TQL_ABSENT:
		return negate(
			span__tql_each(c, &e->v[0]->field, 0, stop, NULL));
	case TQL_RE:
	case TQL_NRE:
		return match_regex(c, e);
	default:
		return compare(c, e);
	}
}

/* ---- Values ---- */

static int take(void *arg, const struct tql_value *v)
{
	*(struct tql_value *)arg = *v;
	return 1;
}

/* The number that an operand is, or nil. */
static int number(const struct tql_context *c, const struct tql_expr *e,
		  unsigned slot, struct tql_value *out)
{
	int rc = span__tql_value(c, e, slot, out);

	if (rc)
		return rc;
	*out = span__tql_number(out, &c->scratch->number);
	return 0;
}

static int arithmetic(const struct tql_context *c, const struct tql_expr *e,
		      unsigned slot, struct tql_value *out)
{
	struct tql_value a = {.type = TQL_INT}, b;
	int rc;

	if (e->op == TQL_NEGATE) {
		rc = number(c, e->v[0], slot, &b);
		if (!rc && b.type == TQL_FLOAT)
			*out = (struct tql_value){.type = TQL_FLOAT, .d = -b.d};
		else if (!rc)
			*out = span__tql_compute(TQL_SUB, a, b);
		return rc;
	}
	rc = number(c, e->v[0], slot, &a);
	if (!rc)
		rc = number(c, e->v[1], slot, &b);
	if (!rc)
		*out = span__tql_compute(e->op, a, b);
	return rc;
}

int span__tql_value(const struct tql_context *c, const struct tql_expr *e,
		    unsigned slot, struct tql_value *out)
{
	int rc;

	*out = (struct tql_value){.type = TQL_NIL};
	switch (e->op) {
	case TQL_LITERAL:
		*out = e->value;
		return 0;
	case TQL_FIELD:
		rc = span__tql_each(c, &e->field, slot, take, out);
		return rc == 1 ? 0 : rc;
	case TQL_NEGATE:
	case TQL_ADD:
	case TQL_SUB:
	case TQL_MUL:
	case TQL_DIV:
	case TQL_MOD:
	case TQL_POW:
		return arithmetic(c, e, slot, out);
	default:
		rc = span__tql_bool(c, e);
		if (rc < 0 || rc == TQL_UNKNOWN)
			return rc;
		out->type = TQL_BOOL;
		out->b = rc;
		return 0;
	}
}
