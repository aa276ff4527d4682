/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on one attribute, in the form of a test that a store asks of its
 * columns. What the test says of a value is what the evaluator says of a span
 * that has it; numbers and texts are said in a way that needs no call.
 */
#include "query/traceql.h"

#include <math.h>

#include "base/scratch.h"

#include "base/banned.h"

#define EXACT 0x1p53 /* up to there an integer is a double */

/* A span that has one attribute, where the field looks for it; that is set. */
struct lone {
	struct span span;
	struct span_process process;
	struct span_scope scope;
	struct span_event event;
	struct span_attr attr;
};

static void set_attrs(struct lone *l, enum tql_scope scope)
{
	const struct span_attrs attrs = {.v = &l->attr, .n = 1};

	l->process = (struct span_process){0};
	l->span = (struct span){.process = &l->process};
	switch (scope) {
	case TQL_RESOURCE:
		l->process.attrs = attrs;
		break;
	case TQL_EVENT:
		l->event = (struct span_event){.attrs = attrs};
		l->span.events = &l->event;
		l->span.n_events = 1;
		break;
	case TQL_INSTRUMENTATION:
		l->scope = (struct span_scope){.attrs = attrs};
		l->span.scope = &l->scope;
		break;
	default:
		l->span.attrs = attrs;
	}
}

static int ask(void *arg, const struct span_value *v, struct span_error *err)
{
	const struct tql_attr_hint *h = arg;
	SPAN__SCRATCH struct lone l;
	struct tql_context c = {
		.span = &l.span, .scratch = h->scratch, .err = err};
	int rc;

	if (v->type == SPAN_NULL)
		return 0;
	l.attr = (struct span_attr){h->test.key, *v};
	set_attrs(&l, h->scope);
	rc = span__tql_bool(&c, h->e);
	return rc < 0 ? rc : rc == 1;
}

/* ---- Which numbers hold ---- */

static void no_number(struct span_attr_test *t)
{
	t->numbers = true;
	t->min = 1;
	t->max = 0;
	t->double_min = 1;
	t->double_max = 0;
}

static void all_numbers(struct span_attr_test *t)
{
	no_number(t);
	t->outside = true;
}

static void equal_to(struct span_attr_test *t, double d)
{
	no_number(t);
	t->double_min = t->double_max = d;
	if (d == floor(d))
		t->min = t->max = (int64_t)d;
}

static void below(struct span_attr_test *t, double d, bool equal)
{
	t->numbers = true;
	t->min = INT64_MIN;
	t->max = (int64_t)floor(d) - (!equal && d == floor(d));
	t->double_min = -INFINITY;
	t->double_max = equal ? d : nextafter(d, -INFINITY);
}

static void above(struct span_attr_test *t, double d, bool equal)
{
	t->numbers = true;
	t->min = (int64_t)ceil(d) + (!equal && d == ceil(d));
	t->max = INT64_MAX;
	t->double_min = equal ? d : nextafter(d, INFINITY);
	t->double_max = INFINITY;
}

/* Numbers compared with D. */
static void compare_numbers(struct span_attr_test *t, enum tql_op op, double d)
{
	switch (op) {
	case TQL_EQ:
	case TQL_NE:
		equal_to(t, d);
		t->outside = op == TQL_NE;
		break;
	case TQL_LT:
	case TQL_LE:
		below(t, d, op == TQL_LE);
		break;
	default:
		above(t, d, op == TQL_GE);
	}
}

/* Where a double is not enough the numbers are asked one by one. */
static void add_numbers(struct span_attr_test *t, enum tql_op op,
			const struct tql_value *literal, struct span_buf *text)
{
	struct tql_value n = span__tql_number(literal, text);
	double d = n.type == TQL_INT ? (double)n.i : n.d;

	if (n.type && fabs(d) < EXACT)
		compare_numbers(t, op, d);
	else if (!n.type && op == TQL_NE)
		all_numbers(t);
	else if (!n.type)
		no_number(t);
}

/* ---- Making it ---- */

static unsigned place_of(enum tql_scope scope)
{
	switch (scope) {
	case TQL_UNSCOPED:
		return SPAN_ATTRS_SPAN | SPAN_ATTRS_PROCESS_ELSE;
	case TQL_SPAN:
		return SPAN_ATTRS_SPAN;
	case TQL_RESOURCE:
		return SPAN_ATTRS_PROCESS;
	case TQL_EVENT:
		return SPAN_ATTRS_EVENTS;
	case TQL_INSTRUMENTATION:
		return SPAN_ATTRS_SCOPE;
	default:
		return 0; /* not every reference is a link */
	}
}

/* Has the resource the attribute in a field of its own? */
static bool is_service(const struct tql_field *f)
{
	return span_str_equal(f->key, SPAN_STR("service.name")) &&
	       (f->scope == TQL_UNSCOPED || f->scope == TQL_RESOURCE);
}

bool span__tql_attr_hint(const struct tql_expr *e,
			 const struct tql_field *field, enum tql_op op,
			 const struct tql_value *literal,
			 struct tql_scratch *scratch, struct tql_attr_hint *out)
{
	struct span_attr_test *t = &out->test;

	*out = (struct tql_attr_hint){.e = e, .scope = field->scope};
	out->scratch = scratch;
	t->key = field->key;
	t->of = place_of(field->scope);
	t->fn = ask;
	t->every = op == TQL_NE || op == TQL_NRE;
	if (field->id != TQL_F_ATTRIBUTE || field->parent || !t->of ||
	    is_service(field))
		return false;
	if (literal)
		add_numbers(t, op, literal, &scratch->number);
	if (literal && op == TQL_EQ && literal->type == TQL_STRING)
		t->text = &literal->str;
	if (op == TQL_EXISTS)
		all_numbers(t);
	if ((op == TQL_RE || op == TQL_NRE) && e->op == op && e->regex) {
		t->digits_alike = span__regex_digits_alike(e->regex);
		t->hex_alike = span__regex_hex_alike(e->regex);
	}
	return true;
}
