/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Literals of SQL, of the dialects together: strings in single and double
 * quotes, with doubled quotes and backslashes, strings between $tags$, and
 * numbers. A name in double quotes is taken for a string, which is the safe
 * side.
 */
#include "text/secret_scan.h"

#include <string.h>

#include "base/banned.h"

#define TAG_LEN 32u    /* of $tag$ */
#define HEAD_LEN 1024u /* in which the verb is looked for */

static const char *const verbs[] = {
	"select", "insert", "update", "delete",	 "replace", "merge",   "upsert",
	"with",	  "values", "call",   "exec",	 "execute", "set",     "create",
	"alter",  "copy",   "grant",  "explain", "begin",   "declare",
};
#define VERB_LETTERS "siudrmwvceagb" /* that they begin with */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Where the comment at I ends, or HEAD_LEN + 1. */
static size_t skip_comment(struct span_str s, size_t i)
{
	size_t n = s.len < HEAD_LEN ? s.len : HEAD_LEN;
	const char *end = i < n ? memmem(s.p + i, n - i, "*/", 2) : NULL;

	return end ? (size_t)(end - s.p) + 2 : HEAD_LEN + 1;
}

/*
 * Does it begin with a verb, behind spaces, brackets and comments? So does
 * what hides it behind very many of them.
 */
static bool is_sql(struct span_str s)
{
	size_t i = 0;

	while (i < s.len &&
	       (is_space(s.p[i]) || s.p[i] == '(' || s.p[i] == '/')) {
		if (s.p[i] == '/' && span__char_at(s, i + 1) != '*')
			return false;
		i = s.p[i] == '/' ? skip_comment(s, i) : i + 1;
		if (i > HEAD_LEN)
			return true;
	}
	if (i == s.len || !span__is_letter(s.p[i]) ||
	    !strchr(VERB_LETTERS, span__lower(s.p[i])))
		return false;
	for (size_t k = 0; k < sizeof(verbs) / sizeof(*verbs); k++) {
		size_t n = strlen(verbs[k]);
		char next = span__char_at(s, i + n);

		if (span__has_word(s, i, verbs[k]) && next &&
		    !span__is_alnum(next) && next != '_' && next != '.' &&
		    next != ':' && next != '/')
			return true;
	}
	return false;
}

/* Where the string ends whose quote is at I. */
static size_t string_end(struct span_str s, size_t i)
{
	char quote = s.p[i++];

	for (; i < s.len; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == quote && span__char_at(s, i + 1) == quote)
			i++;
		else if (s.p[i] == quote)
			return i + 1;
	}
	return s.len;
}

/* Where the string ends that begins with $tag$ at I; I when none does. */
static size_t dollar_end(struct span_str s, size_t i)
{
	size_t n = 1;
	const char *end;

	while (n < TAG_LEN && (span__is_letter(span__char_at(s, i + n)) ||
			       span__char_at(s, i + n) == '_'))
		n++;
	if (span__char_at(s, i + n) != '$')
		return i;
	n++;
	end = memmem(s.p + i + n, s.len - i - n, s.p + i, n);
	return end ? (size_t)(end - s.p) + n : s.len;
}

static size_t number_end(struct span_str s, size_t i)
{
	while (i < s.len && (span__is_alnum(s.p[i]) || s.p[i] == '.' ||
			     ((s.p[i] == '+' || s.p[i] == '-') &&
			      span__lower(s.p[i - 1]) == 'e')))
		i++;
	return i;
}

/* A digit there begins a number: no part of a name or of a parameter. */
static bool begins_number(struct span_str s, size_t i)
{
	char before = span__char_before(s, i);

	return span__is_digit(s.p[i]) && !span__is_alnum(before) &&
	       !(before && strchr("_$@:.", before)) &&
	       (unsigned char)before < 0x80;
}

bool span__find_sql(struct span_str s, size_t from, size_t *start, size_t *len)
{
	if (!is_sql(s))
		return false;
	for (size_t i = from; i < s.len; i++) {
		size_t end = i;

		if (s.p[i] == '\'' || s.p[i] == '"')
			end = string_end(s, i);
		else if (s.p[i] == '$')
			end = dollar_end(s, i);
		else if (begins_number(s, i))
			end = number_end(s, i);
		if (end == i)
			continue;
		*start = i;
		*len = end - i;
		return true;
	}
	return false;
}
