/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop serves every form: bytes that mean nothing in the form are copied
 * in runs, a bad byte becomes U+FFFD, and the form's own function says what
 * becomes of each character that the form, or a terminal that shows it, would
 * act on.
 */
#include <span/text.h>

#include <csv.h>
#include <string.h>

#include "base/put.h"
#include "text/json_plain.h"
#include "text/utf8.h"

#include "base/banned.h"

#define REPLACEMENT "\xef\xbf\xbd"

/* The ASCII characters besides controls that a form must not copy. */
struct form {
	bool special[128];
	/* Put what stands for CP; AFTER is the text that follows it. */
	void (*put)(struct span_buf *b, uint32_t cp, struct span_str after);
};

static bool is_plain(const struct form *f, char c)
{
	return c >= 0x20 && c < 0x7f && !f->special[(unsigned char)c];
}

static void escape(struct span_buf *b, struct span_str s, const struct form *f)
{
	size_t from = 0, at = 0;

	for (;;) {
		uint32_t cp;
		size_t n;

		while (at < s.len && is_plain(f, s.p[at]))
			at++;
		if (at >= s.len)
			break;
		n = span__utf8_next(s.p + at, s.len - at, &cp);
		if (cp >= 0x80 && cp != SPAN__UTF8_BAD &&
		    !span__utf8_unsafe(cp)) {
			at += n;
			continue;
		}
		span_buf_put(b, s.p + from, at - from);
		at += n;
		from = at;
		if (cp == SPAN__UTF8_BAD)
			span_buf_puts(b, REPLACEMENT);
		else
			f->put(b, cp, (struct span_str){s.p + at, s.len - at});
	}
	if (at > from)
		span_buf_put(b, s.p + from, at - from);
}

static void put_visible(struct span_buf *b, uint32_t cp)
{
	char tmp[SPAN__UTF8_MAX];

	span_buf_put(b, tmp, span__utf8_escape(cp, tmp));
}

static void put_backslash(struct span_buf *b, uint32_t cp)
{
	span_buf_putc(b, '\\');
	span_buf_putc(b, (char)cp);
}

/* \n \r \t, which JSON and Go share; false for any other character. */
static bool put_short(struct span_buf *b, uint32_t cp)
{
	if (cp != '\n' && cp != '\r' && cp != '\t')
		return false;
	put_visible(b, cp);
	return true;
}

static void json_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	(void)after;
	if (cp == '"' || cp == '\\')
		put_backslash(b, cp);
	else if (put_short(b, cp))
		return;
	else if (cp < 0x10000)
		span_buf_printf(b, "\\u%04x", (unsigned)cp);
	else
		span_buf_printf(b, "\\u%04x\\u%04x",
				(unsigned)(0xd7c0 + (cp >> 10)),
				(unsigned)(0xdc00 + (cp & 0x3ff)));
}

/* Does any of eight bytes mean something in JSON, or to a terminal? */
static bool is_special(uint64_t word)
{
	uint64_t above = word | (word + SPAN__EACH(0x80 - 0x7f));

	return span__json_stops(word) | (above & SPAN__EACH(0x80));
}

/* Nearly all texts are copied as they are. */
static bool is_plain_json(struct span_str s, const struct form *f)
{
	uint64_t word;
	size_t at = 0;

	for (; s.len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.p + at, sizeof(word));
		if (is_special(word))
			return false;
	}
	while (at < s.len && is_plain(f, s.p[at]))
		at++;
	return at == s.len;
}

void span_text_json(struct span_buf *b, struct span_str s)
{
	static const struct form form = {{['"'] = true, ['\\'] = true},
					 json_put};

	span__putc(b, '"');
	if (is_plain_json(s, &form))
		span__put_str(b, s);
	else
		escape(b, s, &form);
	span__putc(b, '"');
}

static void script_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	if (cp == '\r' || (cp != '\n' && cp != '\t' && span__utf8_unsafe(cp))) {
		/* The escape begins with a backslash: that is to be seen. */
		span_buf_putc(b, '\\');
		put_visible(b, cp);
		return;
	}
	json_put(b, cp, after);
}

void span_text_script(struct span_buf *b, struct span_str s)
{
	static const struct form form = {{['"'] = true,
					  ['\\'] = true,
					  ['<'] = true,
					  ['>'] = true,
					  ['&'] = true},
					 script_put};

	span_buf_putc(b, '"');
	escape(b, s, &form);
	span_buf_putc(b, '"');
}

/*
 * Graphviz reads entities in every label, so that & is one too, and an escape
 * that must be seen needs its backslash twice.
 */
static void dot_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	(void)after;
	if (cp == '"' || cp == '\\') {
		put_backslash(b, cp);
	} else if (cp == '&') {
		span_buf_puts(b, "&amp;");
	} else {
		if (cp != '\n')
			span_buf_putc(b, '\\');
		put_visible(b, cp);
	}
}

void span_text_dot(struct span_buf *b, struct span_str s)
{
	static const struct form form = {
		{['"'] = true, ['\\'] = true, ['&'] = true}, dot_put};

	span_buf_putc(b, '"');
	escape(b, s, &form);
	span_buf_putc(b, '"');
}

static void html_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	(void)after;
	switch (cp) {
	case '&':
		span_buf_puts(b, "&amp;");
		break;
	case '<':
		span_buf_puts(b, "&lt;");
		break;
	case '>':
		span_buf_puts(b, "&gt;");
		break;
	case '"':
		span_buf_puts(b, "&quot;");
		break;
	case '\'':
		span_buf_puts(b, "&#39;");
		break;
	case '\n':
	case '\t':
		span_buf_putc(b, (char)cp);
		break;
	default:
		put_visible(b, cp);
	}
}

void span_text_html(struct span_buf *b, struct span_str s)
{
	static const struct form form = {{['&'] = true,
					  ['<'] = true,
					  ['>'] = true,
					  ['"'] = true,
					  ['\''] = true},
					 html_put};

	escape(b, s, &form);
}

/*
 * Of Go's escapes only those that readers of logfmt know as well; \U, which
 * they lack, stays for the few format characters beyond 16 bits.
 */
static void quoted_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	(void)after;
	if (cp == '"' || cp == '\\')
		put_backslash(b, cp);
	else if (put_short(b, cp))
		return;
	else
		span_buf_printf(b, cp < 0x10000 ? "\\u%04x" : "\\U%08x",
				(unsigned)cp);
}

void span_text_quoted(struct span_buf *b, struct span_str s)
{
	static const struct form form = {{['"'] = true, ['\\'] = true},
					 quoted_put};

	span_buf_putc(b, '"');
	escape(b, s, &form);
	span_buf_putc(b, '"');
}

static bool is_bare(struct span_str s)
{
	static const struct form form = {.special = {[' '] = true,
						     ['='] = true,
						     ['"'] = true,
						     ['\\'] = true}};
	size_t at = 0;

	if (!s.len || span_str_equal(s, SPAN_STR("null")))
		return false;
	while (at < s.len) {
		uint32_t cp;

		if (is_plain(&form, s.p[at])) {
			at++;
			continue;
		}
		at += span__utf8_next(s.p + at, s.len - at, &cp);
		if (cp < 0x80 || cp == SPAN__UTF8_BAD || span__utf8_unsafe(cp))
			return false;
	}
	return true;
}

void span_text_logfmt(struct span_buf *b, struct span_str s)
{
	if (is_bare(s))
		span_buf_str(b, s);
	else
		span_text_quoted(b, s);
}

static void csv_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	if (cp == '\n' || cp == '\t' ||
	    (cp == '\r' && after.len && after.p[0] == '\n'))
		span_buf_putc(b, (char)cp);
	else
		put_visible(b, cp);
}

static size_t digits(struct span_str s, size_t at)
{
	size_t from = at;

	while (at < s.len && s.p[at] >= '0' && s.p[at] <= '9')
		at++;
	return at - from;
}

/* A sign, digits, a fraction and an exponent: no formula. */
static bool is_number(struct span_str s)
{
	size_t at = s.len && (s.p[0] == '-' || s.p[0] == '+');
	size_t n = digits(s, at);

	if (!n)
		return false;
	at += n;
	if (at < s.len && s.p[at] == '.') {
		n = digits(s, ++at);
		if (!n)
			return false;
		at += n;
	}
	if (at < s.len && (s.p[at] == 'e' || s.p[at] == 'E')) {
		at++;
		at += at < s.len && (s.p[at] == '-' || s.p[at] == '+');
		n = digits(s, at);
		if (!n)
			return false;
		at += n;
	}
	return at == s.len;
}

/* Spreadsheets take the full-width forms for the plain ones. */
static bool is_formula(struct span_str s)
{
	uint32_t cp;

	if (!s.len)
		return false;
	span__utf8_next(s.p, s.len, &cp);
	switch (cp) {
	case 0xff0b:
	case 0xff0d:
	case 0xff1d:
	case 0xff20:
	case '=':
	case '@':
	case '\t':
	case '\r':
	case '\n':
		return true;
	case '+':
	case '-':
		return !is_number(s);
	default:
		return false;
	}
}

void span_text_csv(struct span_buf *b, struct span_str s, bool safe)
{
	static const struct form form = {{0}, csv_put};
	size_t from = b->len, clean, room;
	char *p;

	if (safe && is_formula(s))
		span_buf_putc(b, '\'');
	escape(b, s, &form);
	clean = b->len - from;
	/* Quoting doubles at most: out of the way of its own output. */
	room = 2 * clean + 2;
	if (!span_buf_reserve(b, room))
		return;
	p = b->p + from;
	memmove(p + room, p, clean);
	b->len = from + csv_write2(p, room, p + room, clean, '"');
}

static bool has_unsafe(struct span_str s)
{
	for (size_t at = 0, n; at < s.len; at += n) {
		uint32_t cp;

		n = span__utf8_next(s.p + at, s.len - at, &cp);
		if (cp != SPAN__UTF8_BAD && span__utf8_unsafe(cp))
			return true;
	}
	return false;
}

static void sql_put(struct span_buf *b, uint32_t cp, struct span_str after)
{
	(void)after;
	span_buf_putc(b, (char)cp);
	span_buf_putc(b, (char)cp);
}

static void put_cast(struct span_buf *b, struct span_str s)
{
	span_buf_puts(b, "CAST(X'");
	for (size_t at = 0, n; at < s.len; at += n) {
		uint32_t cp;

		n = span__utf8_next(s.p + at, s.len - at, &cp);
		span_text_hex(b, cp == SPAN__UTF8_BAD
					 ? SPAN_STR(REPLACEMENT)
					 : (struct span_str){s.p + at, n});
	}
	span_buf_puts(b, "' AS TEXT)");
}

void span_text_sql(struct span_buf *b, struct span_str s)
{
	static const struct form form = {{['\''] = true}, sql_put};

	if (has_unsafe(s)) {
		put_cast(b, s);
		return;
	}
	span_buf_putc(b, '\'');
	escape(b, s, &form);
	span_buf_putc(b, '\'');
}
