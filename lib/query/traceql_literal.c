/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Literals. Escapes in double quotes are those of Go, as Tempo has them; a
 * backslash before anything else is an error, since what it should do in a
 * regular expression is easily mistaken: "\b" is one character there.
 */
#include "query/traceql_lex.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/parse.h"

#include "base/banned.h"

#define MAX_NUMBER 400u /* characters; no double needs more */

static char at(const struct tql_parser *p, size_t i)
{
	return i < p->text.len ? p->text.p[i] : 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c & 0x80);
}

/* ---- Numbers ---- */

/* The nanoseconds of the unit at *I, which moves behind it, or 0. */
static double unit(const struct tql_parser *p, size_t *i)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{"ns", 1},	    {"us", 1e3},
		{"\xc2\xb5s", 1e3}, /* the micro sign, and the Greek letter */
		{"\xce\xbcs", 1e3}, {"ms", 1e6},
		{"s", 1e9},	    {"m", 60e9},
		{"h", 3600e9},	    {"d", 86400e9},
		{"w", 7 * 86400e9}, {"y", 365 * 86400e9},
	};
	size_t end = *i;
	struct span_str word;

	while (is_letter(at(p, end)))
		end++;
	word = (struct span_str){p->text.p + *i, end - *i};
	for (size_t k = 0; k < sizeof(units) / sizeof(*units); k++) {
		if (!span_str_equal(word, span_str(units[k].name)))
			continue;
		*i = end;
		return units[k].ns;
	}
	return 0;
}

/* Behind the digits, the fraction and the exponent at I. */
static size_t number_end(const struct tql_parser *p, size_t i, bool *is_float)
{
	*is_float = false;
	while (is_digit(at(p, i)))
		i++;
	if (at(p, i) == '.' && is_digit(at(p, i + 1))) {
		*is_float = true;
		while (is_digit(at(p, ++i)))
			;
	}
	if (at(p, i) == 'e' || at(p, i) == 'E') {
		size_t e = i + 1;

		e += at(p, e) == '+' || at(p, e) == '-';
		if (is_digit(at(p, e))) {
			*is_float = true;
			while (is_digit(at(p, e)))
				e++;
			i = e;
		}
	}
	return i;
}

static double to_double(const struct tql_parser *p, size_t from, size_t to)
{
	double d = 0;

	(void)span__text_to_double(
		(struct span_str){p->text.p + from, to - from}, &d);
	return d;
}

/* Whole numbers are exact, so that a duration is too. */
static bool add_duration(const struct tql_parser *p, size_t from, size_t to,
			 double ns, int64_t *sum)
{
	int64_t n = 0, part;
	double d = to_double(p, from, to) * ns;

	for (size_t i = from; i < to; i++) {
		if (!is_digit(at(p, i))) {
			if (!(d < 9.2e18))
				return false;
			return !__builtin_add_overflow(
				*sum, (int64_t)llround(d), sum);
		}
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, at(p, i) - '0', &n))
			return false;
	}
	return !__builtin_mul_overflow(n, (int64_t)ns, &part) &&
	       !__builtin_add_overflow(*sum, part, sum);
}

static int lex_duration(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	int64_t sum = 0;

	*i = t->pos;
	while (is_digit(at(p, *i)) || at(p, *i) == '.') {
		size_t from = *i, end;
		bool is_float;
		double ns;

		end = number_end(p, from, &is_float);
		if (end - from > MAX_NUMBER)
			return span__tql_fail(p, from,
					      "the number is too long");
		*i = end;
		ns = end > from ? unit(p, i) : 0;
		if (!(ns > 0))
			return span__tql_fail(
				p, from,
				"this is no number and no duration: its units "
				"are ns us ms s m h d w y");
		if (!add_duration(p, from, end, ns, &sum))
			return span__tql_fail(p, t->pos,
					      "the duration is too long");
	}
	t->kind = TQL_T_LITERAL;
	t->type = TQL_DURATION;
	t->value = (struct tql_value){.type = TQL_INT, .i = sum};
	return 0;
}

int span__tql_lex_number(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	bool is_float;
	int64_t n = 0;

	*i = number_end(p, t->pos, &is_float);
	if (is_letter(at(p, *i)) || at(p, *i) == '.')
		return lex_duration(p, t, i);
	if (*i - t->pos > MAX_NUMBER)
		return span__tql_fail(p, t->pos, "the number is too long");
	t->kind = TQL_T_LITERAL;
	if (is_float) {
		t->value.type = t->type = TQL_FLOAT;
		t->value.d = to_double(p, t->pos, *i);
		if (!isfinite(t->value.d))
			return span__tql_fail(p, t->pos,
					      "the number is too large");
		return 0;
	}
	for (size_t k = t->pos; k < *i; k++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, at(p, k) - '0', &n))
			return span__tql_fail(
				p, t->pos,
				"the number is too large for 64 bits");
	t->value = (struct tql_value){.type = TQL_INT, .i = n};
	t->type = TQL_INT;
	return 0;
}

/* ---- Texts ---- */

static char simple_escape(char c)
{
	static const char from[] = "abfnrtv\\\"", to[] = "\a\b\f\n\r\t\v\\\"";
	const char *found = c ? strchr(from, c) : NULL;

	return found ? to[found - from] : 0;
}

/* N digits of BASE at I, or -1. */
static int64_t digits(const struct tql_parser *p, size_t i, int n, int base)
{
	int64_t value = 0;

	while (n--) {
		char c = at(p, i++);
		int digit = is_digit(c)		   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : 99;

		if (digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

static size_t put_utf8(char *to, int64_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* \xHH, \NNN, \uHHHH, \UHHHHHHHH: bytes written, or 0 when it is none. */
static size_t number_escape(const struct tql_parser *p, size_t *i, char *to)
{
	char c = at(p, *i);
	bool octal = c >= '0' && c <= '7';
	int n = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
	int64_t value = n ? digits(p, *i + !octal, n, octal ? 8 : 16) : -1;

	if (value < 0 || value > 0x10ffff || (n == 3 && value > 255) ||
	    (n >= 4 && value >= 0xd800 && value <= 0xdfff))
		return 0;
	*i += (size_t)n + !octal;
	if (n >= 4)
		return put_utf8(to, value);
	to[0] = (char)value;
	return 1;
}

static int lex_escape(struct tql_parser *p, size_t *i, char *to, size_t *len)
{
	size_t start = *i, n;
	char c = at(p, ++*i);

	if (simple_escape(c)) {
		to[(*len)++] = simple_escape(c);
		++*i;
		return 0;
	}
	n = number_escape(p, i, to + *len);
	*len += n;
	if (n)
		return 0;
	return span__tql_fail(
		p, start,
		"an unknown escape: write a backslash as \\\\, or "
		"the text in backquotes");
}

int span__tql_lex_string(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	char quote = p->text.p[(*i)++];
	char *to = p->room;
	size_t len = 0;

	while (*i < p->text.len && p->text.p[*i] != quote) {
		if (quote == '"' && p->text.p[*i] == '\\') {
			int rc = lex_escape(p, i, to, &len);

			if (rc < 0)
				return rc;
		} else {
			to[len++] = p->text.p[(*i)++];
		}
	}
	if (*i == p->text.len)
		return span__tql_fail(p, t->pos, "the quote is not closed");
	++*i;
	p->room += len;
	t->kind = TQL_T_LITERAL;
	t->type = TQL_STRING;
	t->value = (struct tql_value){.type = TQL_STRING, .str = {to, len}};
	return 0;
}
