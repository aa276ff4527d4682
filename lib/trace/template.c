/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts without what differs from call to call. One pass: a word is read
 * whole, judged, and written; what makes a list of "?" is taken back as it
 * is completed, so that nothing is ever looked at twice.
 */
#include <span/findings.h>
#include <span/text.h>

#include <string.h>

#include "base/banned.h"

#define HEX_ID 8
#define UUID_LENGTH 36

struct scan {
	const char *p, *end;
	struct span_buf *out;
	size_t from;		   /* where this text begins in OUT */
	bool no_single, no_double; /* no such quote follows any more */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool ends_with(const struct scan *s, const char *tail)
{
	size_t n = strlen(tail);

	return s->out->len - s->from >= n &&
	       !memcmp(s->out->p + s->out->len - n, tail, n);
}

/* Where OUT ends with ELEMENT and a comma, one of them is enough. */
static void put_once(struct scan *s, const char *element)
{
	static const char *const commas[] = {",", ", ", " ,", " , "};
	size_t n = strlen(element);

	for (int i = 0; i < 4; i++) {
		size_t back = strlen(commas[i]) + n;

		if (!ends_with(s, commas[i]) || s->out->len - s->from < back ||
		    memcmp(s->out->p + s->out->len - back, element, n) != 0)
			continue;
		s->out->len -= back;
		break;
	}
	span_buf_puts(s->out, element);
}

static void put_placeholder(struct scan *s)
{
	if (ends_with(s, "?"))
		return;
	put_once(s, "?");
}

static void put_close(struct scan *s)
{
	if (ends_with(s, "(?")) {
		s->out->len -= 2;
		put_once(s, "(?)");
	} else {
		span_buf_putc(s->out, ')');
	}
}

static void put_space(struct scan *s)
{
	if (s->out->len > s->from && !ends_with(s, " "))
		span_buf_putc(s->out, ' ');
}

/* A quoted literal at P; false when the quote is one of something else. */
static bool put_quoted(struct scan *s)
{
	char quote = *s->p;
	bool *none = quote == '\'' ? &s->no_single : &s->no_double;
	const char *q = s->p + 1;

	if (*none ||
	    (s->out->len > s->from && s->p[-1] != ' ' && is_word(s->p[-1])))
		return false;
	while (q < s->end && *q != quote)
		q += *q == '\\' && q + 1 < s->end ? 2 : 1;
	if (q >= s->end) {
		*none = true;
		return false;
	}
	s->p = q + 1;
	put_placeholder(s);
	return true;
}

static bool is_uuid(const char *p, const char *end)
{
	if (end - p < UUID_LENGTH ||
	    (end - p > UUID_LENGTH && is_word(p[UUID_LENGTH])))
		return false;
	for (int i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? p[i] != '-' : !is_hex(p[i]))
			return false;
	}
	return true;
}

/* All of it hexadecimal, long, and not a word like "defaced". */
static bool is_hex_id(const char *p, const char *end)
{
	bool digit = false;

	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	else if (end - p < HEX_ID)
		return false;
	for (; p < end; p++) {
		if (!is_hex(*p))
			return false;
		digit |= is_digit(*p);
	}
	return digit;
}

/* A number with its fraction and exponent ends where? P if there is none. */
static const char *number_end(const char *p, const char *end)
{
	const char *q = p;

	while (q < end && is_digit(*q))
		q++;
	while (q > p && q + 1 < end && *q == '.' && is_digit(q[1]))
		for (q++; q < end && is_digit(*q);)
			q++;
	return q;
}

static void put_word(struct scan *s)
{
	const char *p = s->p, *end = p;

	while (end < s->end && is_word(*end))
		end++;
	if (is_uuid(p, s->end)) {
		s->p = p + UUID_LENGTH;
		put_placeholder(s);
		return;
	}
	if (is_hex_id(p, end)) {
		s->p = end;
		put_placeholder(s);
		return;
	}
	while (p < end) {
		const char *q = number_end(p, s->end);

		if (q > p) {
			put_placeholder(s);
			p = q;
		} else {
			span_buf_putc(s->out, *p++);
		}
	}
	s->p = p;
}

/* A sign at P that belongs to a number: 5, -5 and +5 are alike. */
static bool is_sign(const struct scan *s)
{
	const char *p = s->p;
	char before = s->out->len > s->from ? p[-1] : ' ';

	return (*p == '-' || *p == '+') && p + 1 < s->end && is_digit(p[1]) &&
	       !is_word(before) && !strchr(")]\"'`?", before);
}

static void put_next(struct scan *s)
{
	char c = *s->p;

	if (is_word(c)) {
		put_word(s);
		return;
	}
	if ((c == '\'' || c == '"') && put_quoted(s))
		return;
	if (is_sign(s)) {
		s->p++;
		return;
	}
	s->p++;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		put_space(s);
	else if (c == '?')
		put_placeholder(s);
	else if (c == '$' && s->p < s->end && is_digit(*s->p))
		return; /* $1, of which the digit becomes the placeholder */
	else if (c == ')')
		put_close(s);
	else
		span_buf_putc(s->out, c);
}

void span_template_put(struct span_buf *out, struct span_str text)
{
	size_t len = text.len <= SPAN_TEMPLATE_MAX
			     ? text.len
			     : span_text_cut(text, SPAN_TEMPLATE_MAX);
	struct scan s = {text.p, text.p + len, out, out->len, false, false};

	while (s.p < s.end && !out->failed)
		put_next(&s);
	if (ends_with(&s, " "))
		out->len--;
}
