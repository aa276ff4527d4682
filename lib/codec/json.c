/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include <string.h>

#include "base/banned.h"

static void fail(struct span__json *j, const char *what)
{
	struct span__cursor *in = j->in;
	bool at_end = in->p == in->end;

	span__cursor_fail(in, in->p, at_end ? SPAN_E_TRUNCATED : SPAN_E_CORRUPT,
			  at_end ? "the JSON text is cut short" : what);
}

void span__json_init(struct span__json *j, struct span__cursor *in,
		     struct span_arena *arena)
{
	*j = (struct span__json){.in = in, .arena = arena};
}

/* The next byte that is no space, or 0. */
static int next(struct span__json *j)
{
	struct span__cursor *in = j->in;

	while (in->p < in->end && (*in->p == ' ' || *in->p == '\n' ||
				   *in->p == '\t' || *in->p == '\r'))
		in->p++;
	return in->p < in->end ? *in->p : 0;
}

enum json_type span__json_peek(struct span__json *j)
{
	int c = next(j);

	switch (c) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
	case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER
							  : JSON_NONE;
	}
}

static bool take(struct span__json *j, int c, const char *what)
{
	if (next(j) != c || j->in->p == j->in->end) {
		fail(j, what);
		return false;
	}
	j->in->p++;
	return true;
}

static bool enter(struct span__json *j, int c, const char *what)
{
	if (j->depth == SPAN__JSON_DEPTH) {
		span__cursor_fail(j->in, j->in->p, SPAN_E_LIMIT,
				  "values are nested too deep");
		return false;
	}
	if (!take(j, c, what))
		return false;
	j->depth++;
	j->first = true;
	return true;
}

bool span__json_object(struct span__json *j)
{
	return enter(j, '{', "an object should be here");
}

bool span__json_array(struct span__json *j)
{
	return enter(j, '[', "an array should be here");
}

/* At the end of what CLOSE ends, or behind the comma before the next. */
static bool another(struct span__json *j, int close, const char *what)
{
	bool first = j->first;

	j->first = false;
	if (next(j) == close) {
		j->in->p++;
		j->depth--;
		return false;
	}
	return first ? !j->in->failed : take(j, ',', what);
}

bool span__json_member(struct span__json *j, struct span_str *key)
{
	if (!another(j, '}', "a comma or } should be here"))
		return false;
	*key = span__json_string(j);
	return take(j, ':', "a colon should be here");
}

bool span__json_item(struct span__json *j)
{
	if (!another(j, ']', "a comma or ] should be here"))
		return false;
	if (span__json_peek(j) == JSON_NONE)
		fail(j, "a value should be here");
	return !j->in->failed;
}

/* One that is cut short is a failure. */
static bool word(struct span__json *j, struct span_str w)
{
	struct span__cursor *in = j->in;
	size_t len;

	(void)next(j);
	len = cursor_left(in) < w.len ? cursor_left(in) : w.len;
	if (!len || memcmp(in->p, w.p, len) != 0)
		return false;
	in->p += len;
	if (len == w.len)
		return true;
	fail(j, "");
	return false;
}

bool span__json_null(struct span__json *j)
{
	return word(j, SPAN_STR("null"));
}

bool span__json_bool(struct span__json *j)
{
	if (word(j, SPAN_STR("true")))
		return true;
	if (!word(j, SPAN_STR("false")))
		fail(j, "true or false should be here");
	return false;
}

/* Digits from the cursor on; false when there is none. */
static bool digits(struct span__cursor *in)
{
	const unsigned char *start = in->p;

	while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
		in->p++;
	return in->p > start;
}

static bool one_of(struct span__cursor *in, const char *set)
{
	if (in->p == in->end || !*in->p || !strchr(set, *in->p))
		return false;
	in->p++;
	return true;
}

static bool number(struct span__cursor *in)
{
	bool zero;

	(void)one_of(in, "-");
	zero = one_of(in, "0");
	if (!zero && !digits(in))
		return false;
	if (one_of(in, ".") && !digits(in))
		return false;
	if (!one_of(in, "eE"))
		return true;
	(void)one_of(in, "+-");
	return digits(in);
}

bool span__json_is_number(struct span_str s)
{
	struct span__cursor in;

	cursor_init(&in, s.p, s.len);
	return number(&in) && in.p == in.end;
}

struct span_str span__json_number(struct span__json *j)
{
	struct span__cursor *in = j->in;
	const unsigned char *start;

	(void)next(j);
	start = in->p;
	if (!number(in)) {
		fail(j, "a number should be here");
		return SPAN_STR("");
	}
	return (struct span_str){(const char *)start, (size_t)(in->p - start)};
}

static void skip(struct span__json *j)
{
	struct span_str key;

	switch (span__json_peek(j)) {
	case JSON_OBJECT:
		if (span__json_object(j))
			while (span__json_member(j, &key))
				skip(j);
		break;
	case JSON_ARRAY:
		if (span__json_array(j))
			while (span__json_item(j))
				skip(j);
		break;
	case JSON_STRING:
		(void)span__json_string(j);
		break;
	case JSON_NUMBER:
		(void)span__json_number(j);
		break;
	case JSON_BOOL:
		(void)span__json_bool(j);
		break;
	case JSON_NULL:
		if (!span__json_null(j))
			fail(j, "null should be here");
		break;
	default:
		fail(j, "a value should be here");
	}
}

/* What nobody wants takes no memory. */
void span__json_skip(struct span__json *j)
{
	struct span_arena *arena = j->arena;

	j->arena = NULL;
	skip(j);
	j->arena = arena;
}

struct span_str span__json_raw(struct span__json *j)
{
	const unsigned char *start;

	(void)next(j);
	start = j->in->p;
	span__json_skip(j);
	return (struct span_str){(const char *)start,
				 (size_t)(j->in->p - start)};
}

void span__json_end(struct span__json *j)
{
	(void)next(j);
	if (j->in->p != j->in->end)
		fail(j, "something follows the value");
}
