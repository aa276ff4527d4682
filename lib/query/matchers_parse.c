/* SPDX-License-Identifier: Apache-2.0 */
/* A selector as it is typed, or copied with its sample: see matchers.h. */
#include "query/matchers.h"

#include <string.h>

#include "query/match.h"
#include "text/parse.h"

#include "base/banned.h"

#define MAX_TEXT 131072u
#define MAX_MATCHERS 256u

struct parser {
	const char *start, *p, *end;
	struct span__selector *out;
	struct span_arena *arena;
	struct span_error *err;
};

static int fail(const struct parser *in, const char *at, const char *what)
{
	size_t pos = (size_t)(at - in->start);

	return span_error_at(in->err, SPAN_E_INVALID, pos,
			     "matchers, column %zu: %s", pos + 1, what);
}

static int out_of_memory(const struct parser *in)
{
	return span_error_set(in->err, SPAN_E_NOMEM, "memory is out");
}

static bool at(const struct parser *in, char c)
{
	return in->p < in->end && *in->p == c;
}

static void skip_blanks(struct parser *in)
{
	while (in->p < in->end && strchr(" \t\r\n", *in->p))
		in->p++;
}

static bool is_name(char c, bool metric, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (metric && c == ':') || (!first && c >= '0' && c <= '9');
}

static struct span_str read_name(struct parser *in, bool metric)
{
	const char *from = in->p;

	while (in->p < in->end && is_name(*in->p, metric, in->p == from))
		in->p++;
	return (struct span_str){from, (size_t)(in->p - from)};
}

/* ---- Text in quotes ---- */

/* N digits of BASE behind the cursor: -1 when they are not there. */
static int64_t read_digits(struct parser *in, unsigned base, int n)
{
	int64_t value = 0;

	for (int i = 0; i < n; i++, in->p++) {
		char c = in->p < in->end ? *in->p : 0;
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'W')
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - '7')
							: base;

		if (digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

/* What one letter behind a backslash is; 0 when it is none of these. */
static char letter_of(char c, char quote)
{
	static const char letters[] = "abfnrtv\\";
	static const char meant[] = "\a\b\f\n\r\t\v\\";
	const char *found = c ? strchr(letters, c) : NULL;

	if (found)
		return meant[found - letters];
	return c == quote ? c : 0;
}

/* CP as UTF-8: how many bytes. */
static size_t put_char(char *to, uint32_t cp)
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; cp >>= 6)
		to[i] = (char)(0x80 | (cp & 0x3f));
	to[0] = (char)(leads[n] | cp);
	return n;
}

/* Digits behind \x, \u, \U, or three that are octal, which LETTER tells. */
static int read_code(struct parser *in, char letter, char *to, size_t *len)
{
	const char *backslash = in->p - 1;
	bool is_char = letter == 'u' || letter == 'U';
	int64_t code;

	in->p += is_char || letter == 'x';
	if (!is_char && letter != 'x')
		code = read_digits(in, 8, 3);
	else
		code = read_digits(in, 16,
				   letter == 'x'   ? 2
				   : letter == 'u' ? 4
						   : 8);
	if (code < 0 || code > (is_char ? 0x10ffff : 255) ||
	    (is_char && code >= 0xd800 && code < 0xe000))
		return fail(in, backslash, "no character is that");
	if (is_char)
		*len += put_char(to + *len, (uint32_t)code);
	else
		to[(*len)++] = (char)code;
	return 0;
}

/* At the backslash of an escape: append what it stands for. */
static int read_escape(struct parser *in, char quote, char *to, size_t *len)
{
	const char *backslash = in->p++;
	char c = in->p < in->end ? *in->p : 0;
	char letter = letter_of(c, quote);

	if (letter) {
		to[(*len)++] = letter;
		in->p++;
		return 0;
	}
	if (!c || !strchr("01234567xuU", c))
		return fail(in, backslash,
			    "an escape that there is not; \\\\ is a "
			    "backslash");
	return read_code(in, c, to, len);
}

/* An escape is never shorter than what it stands for. */
static int read_quoted(struct parser *in, struct span_str *out, bool *escapes)
{
	const char *from = in->p++;
	char quote = *from;
	char *to = span_arena_alloc(in->arena, (size_t)(in->end - from));
	size_t len = 0;
	int rc = 0;

	*escapes = false;
	if (!to)
		return out_of_memory(in);
	while (in->p < in->end && *in->p != quote && !rc) {
		if (*in->p == '\n' && quote != '`')
			return fail(in, in->p,
				    "a line ends inside of quotes; \\n is its "
				    "end");
		if (*in->p == '\\' && quote != '`') {
			*escapes = true;
			rc = read_escape(in, quote, to, &len);
		} else {
			to[len++] = *in->p++;
		}
	}
	if (rc < 0)
		return rc;
	if (in->p == in->end)
		return fail(in, from, "the quote is not closed");
	in->p++;
	*out = (struct span_str){to, len};
	return 0;
}

static bool at_quote(const struct parser *in)
{
	return in->p < in->end && strchr("\"'`", *in->p);
}

/* ---- Matchers ---- */

static bool grow(struct parser *in)
{
	struct span__selector *s = in->out;

	if (!(s->n & (s->n - 1))) {
		size_t cap = s->n ? s->n * 2 : 1;
		struct span__matcher *v =
			span_arena_array(in->arena, cap, sizeof(*v));

		if (!v)
			return false;
		if (s->n)
			memcpy(v, s->v, s->n * sizeof(*v));
		s->v = v;
	}
	s->v[s->n] = (struct span__matcher){0};
	return true;
}

static int read_op(struct parser *in, struct span__matcher *m)
{
	const char *from = in->p;
	bool negate = at(in, '!');

	in->p += negate;
	if (in->p < in->end && (*in->p == '~' || *in->p == '=')) {
		m->negate = negate;
		m->is_regex = *in->p++ == '~';
		if (m->is_regex && !negate)
			return fail(in, from, "a regular expression is =~");
		if (!negate && at(in, '~')) {
			m->is_regex = true;
			in->p++;
		}
		return 0;
	}
	return fail(in, from,
		    "=, !=, =~ or !~ was expected; a name of other characters "
		    "is in quotes");
}

static int set_metric(struct parser *in, struct span_str name, const char *from)
{
	if (in->out->metric.len)
		return fail(in, from, "the metric has a name already");
	in->out->metric = name;
	return 0;
}

static int read_value(struct parser *in, struct span__matcher *m)
{
	int rc = read_op(in, m);

	if (rc < 0)
		return rc;
	skip_blanks(in);
	m->value_pos = (size_t)(in->p - in->start);
	if (!at_quote(in))
		return fail(in, in->p, "a value in quotes was expected");
	rc = read_quoted(in, &m->value, &m->escapes);
	if (!rc && span_str_equal(m->name, SPAN_STR("__name__")) &&
	    !m->negate && !m->is_regex)
		rc = set_metric(in, m->value, in->start + m->pos);
	return rc;
}

/* A matcher, or the name of the metric in quotes. */
static int read_matcher(struct parser *in)
{
	const char *from = in->p;
	bool quoted = at_quote(in), escapes;
	struct span__matcher *m;
	int rc = 0;

	if (in->out->n == MAX_MATCHERS)
		return fail(in, from, "too many labels");
	if (!grow(in))
		return out_of_memory(in);
	m = &in->out->v[in->out->n];
	m->pos = (size_t)(from - in->start);
	if (quoted)
		rc = read_quoted(in, &m->name, &escapes);
	else
		m->name = read_name(in, false);
	if (rc < 0)
		return rc;
	if (!m->name.len)
		return fail(in, from, "the name of a label was expected");
	skip_blanks(in);
	if (quoted && (at(in, ',') || at(in, '}')))
		return set_metric(in, m->name, from);
	rc = read_value(in, m);
	in->out->n += !rc;
	return rc;
}

static int read_braces(struct parser *in)
{
	const char *brace = in->p++;
	int rc;

	for (;;) {
		skip_blanks(in);
		if (at(in, '}'))
			break;
		if (in->p == in->end)
			return fail(in, brace, "the brace is not closed");
		rc = read_matcher(in);
		if (rc < 0)
			return rc;
		skip_blanks(in);
		if (at(in, ','))
			in->p++;
		else if (in->p < in->end && *in->p != '}')
			return fail(in, in->p, "',' or '}' was expected");
	}
	in->p++;
	return 0;
}

/* ---- What may follow ---- */

/* A number; nothing is done with it. */
static bool skip_number(struct parser *in)
{
	const char *from = in->p;
	double d;

	while (in->p < in->end && !strchr(" \t\r\n]", *in->p))
		in->p++;
	if (span__text_to_double(
		    (struct span_str){from, (size_t)(in->p - from)}, &d))
		return true;
	in->p = from;
	return false;
}

/* "1712345678.9", "@1712345678.9", or "@[1712345678.9]". */
static bool skip_time(struct parser *in)
{
	bool bracket;

	in->p += at(in, '@');
	bracket = at(in, '[');
	in->p += bracket;
	if (!skip_number(in) || (bracket && !at(in, ']')))
		return false;
	in->p += bracket;
	return true;
}

static int skip_exemplar(struct parser *in)
{
	struct span__selector labels = {0}, *out = in->out;
	int rc;

	in->p++;
	skip_blanks(in);
	if (!at(in, '{'))
		return fail(in, in->p,
			    "the labels of an exemplar were "
			    "expected");
	in->out = &labels;
	rc = read_braces(in);
	in->out = out;
	for (int i = 0; i < 2 && !rc; i++) {
		skip_blanks(in);
		if (in->p < in->end && !skip_number(in))
			return fail(in, in->p, "a number was expected");
	}
	return rc;
}

static int skip_sample(struct parser *in)
{
	int rc = 0;

	skip_blanks(in);
	if (at(in, '=') && in->p + 1 < in->end && in->p[1] == '>') {
		in->p += 2;
		skip_blanks(in);
	}
	if (in->p < in->end && skip_number(in)) {
		skip_blanks(in);
		if (in->p < in->end && *in->p != '#' && !skip_time(in))
			return fail(in, in->p, "a time was expected");
		skip_blanks(in);
		if (at(in, '#'))
			rc = skip_exemplar(in);
		skip_blanks(in);
	}
	if (rc < 0 || in->p == in->end)
		return rc;
	return fail(in, in->p, "the selector was expected to end here");
}

int span__selector_read(struct span__selector *s, const char *text,
			struct span_arena *arena, struct span_error *err)
{
	struct parser in = {.start = text,
			    .p = text,
			    .end = text + strlen(text),
			    .out = s,
			    .arena = arena,
			    .err = err};
	int rc = 0;

	*s = (struct span__selector){0};
	if ((size_t)(in.end - text) > MAX_TEXT)
		return fail(&in, text + MAX_TEXT, "the selector is too long");
	skip_blanks(&in);
	s->metric = read_name(&in, true);
	skip_blanks(&in);
	if (at(&in, '(') && s->metric.len)
		return fail(&in, s->metric.p,
			    "only the selector inside of a function is "
			    "understood");
	if (at(&in, '{'))
		rc = read_braces(&in);
	else if (!s->metric.len)
		rc = fail(&in, in.p,
			  "'{' or the name of a metric was "
			  "expected");
	return rc < 0 ? rc : skip_sample(&in);
}
