/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What elements of XML hold that are named as secrets are,
 * <password>x</password>, and, of settings, <entry key="password">x</entry> and
 * <name>password</name> <value>x</value>. XML that is in XML or in JSON has
 * other brackets.
 *
 * A bracket alone says little: List<Token> is Java, and <token> is something to
 * be filled in. So an end tag has to follow, but for a text that was cut, where
 * the tag stands where elements do.
 */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define NESTED_TAGS 64u
#define NESTED_MAX                                                             \
	8192u /* bytes in which the end of an element is looked for */

/* How brackets are written, and what the end tag begins with. */
static const struct markup {
	const char *open, *end, *close;
} markups[] = {
	{"<", "</", ">"},
	{"&lt;", "&lt;/", "&gt;"},
	{"\\u003c", "\\u003c/", "\\u003e"},
};

/* An open tag: NAME, up to NAME_END; what it holds begins at BODY. */
struct tag {
	const struct markup *m;
	size_t at, name, name_end, end, body;
};

static const struct markup *markup_at(struct span_str s, size_t i)
{
	if (s.p[i] == '<')
		return &markups[0];
	if (s.p[i] == '&' && span__has_word(s, i, markups[1].open))
		return &markups[1];
	if (s.p[i] == '\\' && span__has_word(s, i, markups[2].open))
		return &markups[2];
	return NULL;
}

/* Where WORD is next, before END; END: nowhere. */
static size_t find(struct span_str s, size_t i, size_t end, const char *word)
{
	for (; i < end; i++) {
		const char *p = memchr(s.p + i, *word, end - i);

		if (!p)
			return end;
		i = (size_t)(p - s.p);
		if (span__has_word(s, i, word))
			return i;
	}
	return end;
}

static bool is_name(char c)
{
	return span__is_alnum(c) || (c && strchr(":_-.", c)) ||
	       (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the tag ends, with quotes in mind; it has no other bracket. */
static size_t tag_end(struct span_str s, size_t i, const struct markup *m)
{
	char quote = 0;

	for (; i < s.len; i++) {
		char c = s.p[i];

		if (quote && c == quote)
			quote = 0;
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (!quote && span__has_word(s, i, m->close))
			return i;
		else if (!quote && span__has_word(s, i, m->open))
			break;
	}
	return s.len;
}

/* Is there an open tag at I? */
static bool tag_at(struct span_str s, size_t i, struct tag *t)
{
	t->m = markup_at(s, i);
	if (!t->m)
		return false;
	t->at = i;
	t->name = t->name_end = i + strlen(t->m->open);
	while (is_name(span__char_at(s, t->name_end)))
		t->name_end++;
	if (t->name_end == t->name ||
	    !(span__is_letter(s.p[t->name]) || s.p[t->name] == '_'))
		return false;
	t->end = tag_end(s, t->name_end, t->m);
	t->body = t->end + strlen(t->m->close);
	return t->end < s.len && s.p[t->end - 1] != '/' &&
	       (t->end == t->name_end || is_blank(s.p[t->name_end]));
}

/* Has the tag that name, which is of lower case? */
static bool is_called(struct span_str s, const struct tag *t, const char *name)
{
	return t->name_end - t->name == strlen(name) &&
	       span__has_word(s, t->name, name);
}

/* Elements of HTML that have names, but hold no value, or nothing. */
static bool is_of_html(struct span_str s, const struct tag *t)
{
	static const char *const names[] = {
		"a",	"button", "details", "embed",  "fieldset",
		"form", "iframe", "img",     "input",  "map",
		"meta", "object", "param",   "select", "slot"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_called(s, t, names[i]))
			return true;
	return false;
}

/* <entry key="password">, and "name": is one of the attributes such? */
static bool is_keyed(struct span_str s, const struct tag *t)
{
	for (size_t i = t->name_end; i < t->end; i++) {
		bool key = span__has_word(s, i, " key=");
		size_t at = i + (key ? 5 : 6), end;
		char quote = span__char_at(s, at);

		if ((!key && !span__has_word(s, i, " name=")) ||
		    (quote != '"' && quote != '\''))
			continue;
		for (end = at + 1; end < t->end && s.p[end] != quote;)
			end++;
		if (span__is_secret_name(s, end) && !is_of_html(s, t))
			return true;
	}
	return false;
}

/* <name>password</name> before <value>, and <key> before <string>. */
static bool is_behind_key(struct span_str s, const struct tag *t)
{
	static const char *const ends[] = {"</name>", "</key>"};
	size_t i = t->at;

	if (!is_called(s, t, "value") && !is_called(s, t, "string"))
		return false;
	while (i && is_blank(s.p[i - 1]))
		i--;
	for (size_t k = 0; k < 2; k++) {
		size_t n = strlen(ends[k]);

		if (n <= i && span__has_word(s, i - n, ends[k]))
			return span__is_secret_name(s, i - n);
	}
	return false;
}

/* Is the tag at the beginning of a line, or right behind another one? */
static bool is_in_place(struct span_str s, const struct tag *t)
{
	size_t i = t->at, n = strlen(t->m->close);

	if (i >= n && span__has_word(s, i - n, t->m->close))
		return true;
	while (i && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
		i--;
	return !i || s.p[i - 1] == '\n';
}

/* Does the end tag at I have the name of T? */
static bool ends_tag(struct span_str s, const struct tag *t, size_t i)
{
	size_t n = t->name_end - t->name;

	i += strlen(t->m->end);
	if (n > s.len - i || is_name(span__char_at(s, i + n)))
		return false;
	for (size_t k = 0; k < n; k++)
		if (span__lower(s.p[t->name + k]) != span__lower(s.p[i + k]))
			return false;
	return true;
}

/* Where what T holds ends: 0 where there is no telling. */
static size_t body_end(struct span_str s, const struct tag *t, bool named)
{
	size_t next = find(s, t->body, s.len, t->m->open), max, i;
	size_t n = NESTED_TAGS;

	/* Nothing but text, and an end tag, whatever its name is. */
	if (next < s.len && span__has_word(s, next, t->m->end) &&
	    (named || ends_tag(s, t, next)))
		return next;
	max = s.len - t->body < NESTED_MAX ? s.len : t->body + NESTED_MAX;
	for (i = next; i < max && n--; i++) {
		i = find(s, i, max, t->m->open);
		if (i < max && span__has_word(s, i, t->m->end) &&
		    ends_tag(s, t, i))
			return i;
	}
	return is_in_place(s, t) ? s.len : 0;
}

static bool is_secret(struct span_str s, const struct tag *t, bool *named)
{
	*named = span__is_secret_name(s, t->name_end);
	return *named || is_behind_key(s, t) || is_keyed(s, t);
}

bool span__find_xml(struct span_str s, size_t from, size_t *start, size_t *len)
{
	for (size_t i = from; i < s.len; i++) {
		struct tag t;
		size_t end;
		bool named;

		if ((s.p[i] != '<' && s.p[i] != '&' && s.p[i] != '\\') ||
		    !tag_at(s, i, &t) || !is_secret(s, &t, &named))
			continue;
		end = body_end(s, &t, named);
		while (t.body < end && is_blank(s.p[t.body]))
			t.body++;
		while (end > t.body && is_blank(s.p[end - 1]))
			end--;
		*start = t.body;
		*len = end > t.body ? end - t.body : 0;
		if (*len && span__label_at(s, t.body) != *len)
			return true;
	}
	return false;
}
