/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace ids as people have them in hand: digits, a header's value, a link, a
 * line of a log. A text that is a value as a whole is taken as it is;
 * otherwise the first value behind a name that is known, or behind "/trace/",
 * counts, and all values that are found must agree.
 */
#include <span/log.h>

#include <string.h>
#include <strings.h>

#include "query/match.h"

#include "base/banned.h"

#define MAX_TEXT 65536u
#define MAX_PARTS 5u
#define DECODINGS 2 /* a link inside a link */
#define LEAST_QUERY 16u
#define MAX_VALUE 160u

/* Names that stand before an id, with = or : between, in any case. */
static const char *const names[] = {
	"traceparent",	"b3",	       "uber-trace-id", "traceid",
	"trace_id",	"trace-id",    "trace.id",	"trace:id",
	"x-b3-traceid", "oteltraceid",
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static size_t hex_len(struct span_str s)
{
	size_t n = 0;

	while (n < s.len && is_hex(s.p[n]))
		n++;
	return n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without blanks, and quotes if they are around all of it. */
static struct span_str trim(struct span_str s)
{
	while (s.len && is_blank(*s.p)) {
		s.p++;
		s.len--;
	}
	while (s.len && is_blank(s.p[s.len - 1]))
		s.len--;
	if (s.len >= 2 && (*s.p == '"' || *s.p == '\'') &&
	    s.p[s.len - 1] == *s.p)
		s = (struct span_str){s.p + 1, s.len - 2};
	return s;
}

/* The parts between SEPARATOR, the first MAX_PARTS of them: how many. */
static size_t split(struct span_str s, char separator,
		    struct span_str parts[MAX_PARTS])
{
	size_t n = 0;

	for (;;) {
		size_t len = 0;

		while (len < s.len && s.p[len] != separator)
			len++;
		parts[n++] = (struct span_str){s.p, len};
		if (len == s.len || n == MAX_PARTS)
			return n;
		s.p += len + 1;
		s.len -= len + 1;
	}
}

static bool is_part(struct span_str s, size_t least, size_t most)
{
	return s.len >= least && s.len <= most && hex_len(s) == s.len;
}

static bool put(struct span_str digits, char out[SPAN_TRACE_ID_TEXT])
{
	memcpy(out, digits.p, digits.len);
	out[digits.len] = '\0';
	return true;
}

/* "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", or the beginning of it. */
static bool read_uuid(struct span_str s, char out[SPAN_TRACE_ID_TEXT])
{
	size_t n = 0;

	if (s.len < 10 || s.len > 36)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
		if (!dash)
			out[n++] = s.p[i];
	}
	out[n] = '\0';
	return true;
}

/* traceparent: "00-{trace}-{span}-01"; of a later version more may follow. */
static bool read_traceparent(const struct span_str *v, size_t n,
			     char out[SPAN_TRACE_ID_TEXT])
{
	return n >= 4 && is_part(v[0], 2, 2) && is_part(v[1], 32, 32) &&
	       is_part(v[2], 16, 16) && is_part(v[3], 2, 2) && put(v[1], out);
}

static bool is_b3_flag(struct span_str s)
{
	return s.len == 1 && (*s.p == '0' || *s.p == '1' || *s.p == 'd');
}

/* b3: "{trace}-{span}[-{sampled}[-{parent}]]" */
static bool read_b3(const struct span_str *v, size_t n,
		    char out[SPAN_TRACE_ID_TEXT])
{
	return n >= 2 && n <= 4 &&
	       (is_part(v[0], 16, 16) || is_part(v[0], 32, 32)) &&
	       is_part(v[1], 16, 16) && (n < 3 || is_b3_flag(v[2])) &&
	       (n < 4 || is_part(v[3], 16, 16)) && put(v[0], out);
}

/*
 * uber-trace-id: "{trace}:{span}:{parent}:{flags}"; and "{trace}:{span}", as
 * span-query prints spans.
 */
static bool read_uber(const struct span_str *v, size_t n,
		      char out[SPAN_TRACE_ID_TEXT])
{
	return (n == 2 || n == 4) && is_part(v[0], 1, 32) &&
	       is_part(v[1], 1, 16) &&
	       (n == 2 || (is_part(v[2], 1, 16) && is_part(v[3], 1, 2))) &&
	       put(v[0], out);
}

/* A value that is all of S. */
static bool read_value(struct span_str s, char out[SPAN_TRACE_ID_TEXT])
{
	struct span_str parts[MAX_PARTS];
	size_t n;

	if (is_part(s, 1, 32))
		return put(s, out);
	if (read_uuid(s, out))
		return true;
	n = split(s, '-', parts);
	if (read_traceparent(parts, n, out) || read_b3(parts, n, out))
		return true;
	n = split(s, ':', parts);
	return read_uber(parts, n, out);
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
}

/* Replace each %41 of S. */
static void decode(struct span_str s, struct span_buf *out)
{
	out->len = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (c == '%' && i + 2 < s.len && is_hex(s.p[i + 1]) &&
		    is_hex(s.p[i + 2])) {
			c = (char)(hex_digit(s.p[i + 1]) << 4 |
				   hex_digit(s.p[i + 2]));
			i += 2;
		}
		span_buf_putc(out, c);
	}
}

/* What may end a value inside a longer text. */
static bool ends_value(char c)
{
	return is_blank(c) || strchr("\"'\\&?#/,;)]}>|", c);
}

/* ---- Values inside a longer text ---- */

struct finder {
	bool link;
	size_t n; /* different ids */
	char *out;
	uint8_t id[16]; /* the first one */
	/* In a log, for each id; 32 digits alone are one, too. */
	span_log_id_fn *each;
	void *arg;
};

static void found(struct finder *f, const char *digits, struct span_str value)
{
	static const uint8_t none[16];
	uint8_t id[16];

	if (span_trace_id_parse(span_str(digits), id) < 0)
		return;
	if (f->each) {
		if (memcmp(id, none, sizeof(id)) != 0)
			f->each(f->arg, id, value);
		return;
	}
	if (!f->n) {
		memcpy(f->id, id, sizeof(id));
		put(span_str(digits), f->out);
	}
	if (!f->n || memcmp(f->id, id, sizeof(id)) != 0)
		f->n++;
}

/* The value at S, of at least LEAST digits when it is digits alone. */
static void try_value(struct finder *f, struct span_str s, size_t least)
{
	char digits[SPAN_TRACE_ID_TEXT];
	size_t len = 0;

	while (len < s.len && len < MAX_VALUE && s.p[len] &&
	       !ends_value(s.p[len]))
		len++;
	s.len = len;
	/* As in "trace_id=c0ffee:" and "traceID c0ffee." */
	while (s.len && strchr(":.", s.p[s.len - 1]))
		s.len--;
	if (s.len >= least && read_value(s, digits))
		found(f, digits, s);
}

static struct span_str after(struct span_str s, size_t n)
{
	return (struct span_str){s.p + n, s.len - n};
}

static size_t skip_any(struct span_str s, size_t at, const char *set)
{
	while (at < s.len && s.p[at] && strchr(set, s.p[at]))
		at++;
	return at;
}

static bool begins(struct span_str s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && !strncasecmp(s.p, word, len);
}

/* NAME at S, then = or : with quotes and blanks around it. */
bool span__trace_text_named(struct span_str s, const char *name,
			    struct span_str *value)
{
	size_t at = strlen(name), sign;

	if (!begins(s, name))
		return false;
	sign = skip_any(s, at, "\"'\\ ");
	if (sign == s.len || (s.p[sign] != '=' && s.p[sign] != ':'))
		return false;
	*value = after(s, skip_any(s, sign + 1, "\"'\\ "));
	return true;
}

static void try_name(struct finder *f, struct span_str s, const char *name,
		     size_t least)
{
	struct span_str value;

	if (span__trace_text_named(s, name, &value))
		try_value(f, value, least);
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
	       c == '_' || c == '-' || c == '.';
}

static bool is_letter_or_digit(char c)
{
	return is_word(c) && c != '-' && c != '.';
}

/* 32 digits that are no part of a longer word, and what hangs on them. */
static void try_bare(struct finder *f, struct span_str s, size_t i)
{
	char digits[SPAN_TRACE_ID_TEXT];
	struct span_str rest = after(s, i);
	size_t len = 0;

	if (i && is_letter_or_digit(s.p[i - 1]))
		return;
	while (len < rest.len && len < MAX_VALUE && is_hex(rest.p[len]))
		len++;
	if (len != 32 || (rest.len > 32 && is_letter_or_digit(rest.p[32])))
		return;
	put((struct span_str){rest.p, 32}, digits);
	while (len < rest.len && len < MAX_VALUE && !ends_value(rest.p[len]))
		len++;
	found(f, digits, (struct span_str){rest.p, len});
}

static void find(struct finder *f, struct span_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		struct span_str rest = after(s, i);

		if (f->each && is_hex(*rest.p))
			try_bare(f, s, i);

		if (*rest.p == '/' && f->link) {
			if (begins(rest, "/trace/"))
				try_value(f, after(rest, 7), 1);
			if (begins(rest, "/traces/"))
				try_value(f, after(rest, 8), 1);
		}
		if (i && is_word(s.p[i - 1]))
			continue;
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
			try_name(f, rest, names[k], 1);
		if (f->link)
			try_name(f, rest, "query", LEAST_QUERY);
	}
}

void span_log_ids(struct span_str line, span_log_id_fn *fn, void *arg)
{
	struct finder f = {.link = true, .each = fn, .arg = arg};

	find(&f, line);
}

int span_log_trace_id(const char *text, uint8_t out[16], struct span_error *err)
{
	char digits[SPAN_TRACE_ID_TEXT];
	int rc = span__trace_text_read(text, digits, err);

	return rc < 0 ? rc : span_trace_id_parse(span_str(digits), out);
}

static bool is_link(struct span_str s)
{
	return begins(s, "http://") || begins(s, "https://");
}

static int fail(struct span_error *err, const char *text, struct span_str s)
{
	size_t column = (size_t)(s.p - text);

	if (is_link(s))
		return span_error_at(err, SPAN_E_INVALID, column,
				     "no trace id is in the link '%.120s'",
				     text);
	column += hex_len(s) < 32 ? hex_len(s) : 32;
	return span_error_at(
		err, SPAN_E_INVALID, column,
		"trace id '%.60s', column %zu: 1 to 32 hex digits were "
		"expected, or a traceparent, b3 or uber-trace-id, or a link "
		"to a trace",
		text, column + 1);
}

/* How many different ids are in S; the first one is in OUT. */
static size_t look(struct span_str s, char out[SPAN_TRACE_ID_TEXT])
{
	struct finder f = {.link = is_link(s), .out = out};

	if (read_value(s, out))
		return 1;
	find(&f, s);
	return f.n;
}

int span__trace_text_read(const char *text, char out[SPAN_TRACE_ID_TEXT],
			  struct span_error *err)
{
	struct span_str s = {text, strnlen(text, MAX_TEXT + 1)}, whole;
	struct span_buf decoded[DECODINGS] = {{0}};
	bool failed = false;
	size_t n;

	if (s.len > MAX_TEXT)
		return span_error_set(err, SPAN_E_INVALID,
				      "a trace id of more than %u bytes",
				      MAX_TEXT);
	whole = s = trim(s);
	n = look(s, out);
	for (int i = 0; !n && i < DECODINGS && s.len && memchr(s.p, '%', s.len);
	     i++) {
		decode(s, &decoded[i]);
		failed |= decoded[i].failed;
		if (failed)
			break;
		s = (struct span_str){decoded[i].p, decoded[i].len};
		n = look(s, out);
	}
	for (int i = 0; i < DECODINGS; i++)
		span_buf_release(&decoded[i]);
	if (failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (n > 1)
		return span_error_set(err, SPAN_E_INVALID,
				      "several trace ids are in '%.120s'",
				      text);
	return n ? 0 : fail(err, text, whole);
}
