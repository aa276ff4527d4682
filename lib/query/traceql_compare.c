/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing and computing. Jaeger's clients send numbers and booleans as
 * texts: a text that is written as a number is, is that number to a number.
 */
#include "query/traceql.h"

#include <math.h>
#include <string.h>

#include "text/parse.h"
#include "text/tag_values.h"

#include "base/banned.h"

/* Only as span_text_double() writes it. */
static bool parse_double(struct span_str s, struct span_buf *number,
			 double *out)
{
	if (!s.len || (s.p[0] != '-' && (s.p[0] < '0' || s.p[0] > '9')) ||
	    !span__text_to_double(s, out) || !isfinite(*out))
		return false;
	number->len = 0;
	span_text_double(number, *out);
	return span_str_equal((struct span_str){number->p, number->len}, s);
}

struct tql_value span__tql_number(const struct tql_value *v,
				  struct span_buf *number)
{
	struct tql_value n = {.type = TQL_NIL};

	if (v->type == TQL_INT || v->type == TQL_FLOAT)
		return *v;
	if (v->type != TQL_STRING)
		return n;
	if (span__int_of(v->str, &n.i))
		n.type = TQL_INT;
	else if (parse_double(v->str, number, &n.d))
		n.type = TQL_FLOAT;
	return n;
}

static enum tql_order order(int sign)
{
	return sign < 0 ? TQL_LESS : sign > 0 ? TQL_GREATER : TQL_EQUAL;
}

/* Exact, where a double could not hold the integer. */
static enum tql_order compare_mixed(int64_t i, double d)
{
	int64_t whole;

	if (d >= 0x1p63)
		return TQL_LESS;
	if (d < -0x1p63)
		return TQL_GREATER;
	whole = (int64_t)d;
	if (i != whole)
		return order((i > whole) - (i < whole));
	return order(((double)whole > d) - ((double)whole < d));
}

static enum tql_order reverse(enum tql_order o)
{
	return o == TQL_DIFFERENT ? o : (enum tql_order)(-(int)o);
}

static enum tql_order compare_numbers(const struct tql_value *a,
				      const struct tql_value *b)
{
	if (a->type == TQL_INT && b->type == TQL_INT)
		return order((a->i > b->i) - (a->i < b->i));
	if ((a->type == TQL_FLOAT && isnan(a->d)) ||
	    (b->type == TQL_FLOAT && isnan(b->d)))
		return TQL_DIFFERENT;
	if (a->type == TQL_INT)
		return compare_mixed(a->i, b->d);
	if (b->type == TQL_INT)
		return reverse(compare_mixed(b->i, a->d));
	return order((a->d > b->d) - (a->d < b->d));
}

static bool is_text(const struct tql_value *v, const char *text)
{
	return span_str_equal(v->str, span_str(text));
}

/* A text and something else. */
static enum tql_order compare_text(const struct tql_value *text,
				   const struct tql_value *b,
				   struct span_buf *number)
{
	struct tql_value n;
	bool equal = false;

	switch (b->type) {
	case TQL_INT:
	case TQL_FLOAT:
		n = span__tql_number(text, number);
		return n.type ? compare_numbers(&n, b) : TQL_DIFFERENT;
	case TQL_BOOL:
		equal = is_text(text, b->b ? "true" : "false");
		break;
	case TQL_STATUS:
		equal = is_text(text, span_status_name((int)b->i));
		break;
	case TQL_KIND:
		equal = is_text(text, b->i ? span_kind_name((int)b->i)
					   : "unspecified");
		break;
	default:
		break;
	}
	return equal ? TQL_EQUAL : TQL_DIFFERENT;
}

static bool is_number(const struct tql_value *v)
{
	return v->type == TQL_INT || v->type == TQL_FLOAT;
}

enum tql_order span__tql_compare(const struct tql_value *a,
				 const struct tql_value *b,
				 struct span_buf *number)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b);
	if (a->type == TQL_STRING && b->type == TQL_STRING)
		return order(span_str_compare(a->str, b->str));
	if (a->type == TQL_STRING)
		return compare_text(a, b, number);
	if (b->type == TQL_STRING)
		return reverse(compare_text(b, a, number));
	if (a->type != b->type)
		return TQL_DIFFERENT;
	if (a->type == TQL_BOOL)
		return a->b == b->b ? TQL_EQUAL : TQL_DIFFERENT;
	return a->i == b->i ? TQL_EQUAL : TQL_DIFFERENT;
}

bool span__tql_holds(enum tql_op op, enum tql_order o)
{
	switch (op) {
	case TQL_EQ:
		return o == TQL_EQUAL;
	case TQL_NE:
		return o != TQL_EQUAL;
	case TQL_LT:
		return o == TQL_LESS;
	case TQL_LE:
		return o == TQL_LESS || o == TQL_EQUAL;
	case TQL_GT:
		return o == TQL_GREATER;
	default:
		return o == TQL_GREATER || o == TQL_EQUAL;
	}
}

bool span__tql_is_true(const struct tql_value *v)
{
	return (v->type == TQL_BOOL && v->b) ||
	       (v->type == TQL_STRING && is_text(v, "true"));
}

/* Integers stay exact as long as they fit. */
static bool compute_int(enum tql_op op, int64_t a, int64_t b, int64_t *out)
{
	switch (op) {
	case TQL_ADD:
		return !__builtin_add_overflow(a, b, out);
	case TQL_SUB:
		return !__builtin_sub_overflow(a, b, out);
	case TQL_MUL:
		return !__builtin_mul_overflow(a, b, out);
	case TQL_MOD:
		if (!b || b == -1)
			return false;
		*out = a % b;
		return true;
	default:
		return false;
	}
}

static double compute_double(enum tql_op op, double a, double b)
{
	switch (op) {
	case TQL_ADD:
		return a + b;
	case TQL_SUB:
		return a - b;
	case TQL_MUL:
		return a * b;
	case TQL_DIV:
		/* IEEE 754 says what x / 0 is, C does not. */
		return b != 0			      ? a / b
		       : a == 0 || isnan(a)	      ? (double)NAN
		       : (a < 0) != (signbit(b) != 0) ? -(double)INFINITY
						      : (double)INFINITY;
	case TQL_MOD:
		return fmod(a, b);
	default:
		return pow(a, b);
	}
}

struct tql_value span__tql_compute(enum tql_op op, struct tql_value a,
				   struct tql_value b)
{
	struct tql_value out = {.type = TQL_NIL};

	if (!is_number(&a) || !is_number(&b))
		return out;
	out.type = TQL_INT;
	if (a.type == TQL_INT && b.type == TQL_INT &&
	    compute_int(op, a.i, b.i, &out.i))
		return out;
	out.type = TQL_FLOAT;
	out.d = compute_double(op, a.type == TQL_INT ? (double)a.i : a.d,
			       b.type == TQL_INT ? (double)b.i : b.d);
	return out;
}
