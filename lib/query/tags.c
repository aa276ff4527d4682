/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of tag conditions as people type them, logfmt with more operators:
 *
 *	list  = cond { blank cond }
 *	cond  = key [ op value ]	a key alone means key=true
 *	op    = "=" "!=" "~" "!~" "=~" "!=~"
 *	key, value = text without blanks, or "quoted"
 *
 * After a value without quotes no other key than "error" may stand alone: it
 * is far more often a part of the value that was not quoted.
 *
 * In quotes \" \\ \n \t \r are escapes; before any other character the
 * backslash stays, so that regular expressions need not double it.
 */
#include "query/match.h"

#include <stdio.h>
#include <string.h>

#include "base/banned.h"

#define MAX_CONDITIONS 1024u
#define MAX_KEY 4096u

struct parser {
	const char *start, *p, *end;
	bool bare_value; /* the condition before had one */
	struct span_arena *arena;
	struct span_error *err;
};

static int fail(const struct parser *in, const char *at, const char *what)
{
	size_t column = (size_t)(at - in->start);

	return span_error_at(in->err, SPAN_E_INVALID, column,
			     "tag condition '%.80s', column %zu: %s", in->start,
			     column + 1, what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct parser *in)
{
	while (in->p < in->end && is_blank(*in->p))
		in->p++;
}

/* What a backslash and C stand for, or 0 when the backslash stays. */
static char unescape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return 0;
	}
}

static int parse_quoted(struct parser *in, struct span_str *out)
{
	const char *quote = in->p++;
	char *to = span_arena_alloc(in->arena, (size_t)(in->end - in->p));
	size_t len = 0;

	if (!to)
		return span_error_set(in->err, SPAN_E_NOMEM, "memory is out");
	for (; in->p < in->end && *in->p != '"'; in->p++) {
		char c = in->p + 1 < in->end ? unescape(in->p[1]) : 0;

		if (*in->p == '\\' && c) {
			to[len++] = c;
			in->p++;
		} else {
			to[len++] = *in->p;
		}
	}
	if (in->p == in->end)
		return fail(in, quote, "the quote is not closed");
	in->p++;
	*out = (struct span_str){to, len};
	return 0;
}

/* At an operator? "!" is one only together with what follows it. */
static bool is_op(const struct parser *in)
{
	const char *p = in->p;

	if (*p == '!' && p + 1 < in->end)
		p++;
	return *p == '=' || *p == '~';
}

static int parse_key(struct parser *in, struct span_str *key)
{
	const char *start = in->p;

	if (*in->p == '"')
		return parse_quoted(in, key);
	while (in->p < in->end && !is_blank(*in->p) && !is_op(in))
		in->p++;
	*key = (struct span_str){start, (size_t)(in->p - start)};
	if (!key->len)
		return fail(in, start, "a key is missing");
	return 0;
}

static int parse_value(struct parser *in, struct span_str *value)
{
	const char *start = in->p;

	in->bare_value = in->p == in->end || *in->p != '"';
	if (!in->bare_value)
		return parse_quoted(in, value);
	while (in->p < in->end && !is_blank(*in->p))
		in->p++;
	*value = (struct span_str){start, (size_t)(in->p - start)};
	return 0;
}

/* Sets *REGEX for ~ and =~. */
static void parse_op(struct parser *in, bool *negate, bool *regex)
{
	*negate = *in->p == '!';
	in->p += *negate;
	*regex = *in->p++ == '~';
	if (!*regex && in->p < in->end && *in->p == '~') {
		*regex = true;
		in->p++;
	}
}

static int finish(struct parser *in, struct span__tag *tag, const char *at,
		  struct span_str key, struct span_str value, bool regex)
{
	struct span_error why = {0};

	if (key.len > MAX_KEY)
		return fail(in, at, "the key is too long");
	if (!span_arena_str(in->arena, key, &key) ||
	    !span_arena_str(in->arena, value, &value))
		return span_error_set(in->err, SPAN_E_NOMEM, "memory is out");
	span__tag_eq_init(&tag->eq, key, value);
	if (!regex || span__regex_open(&tag->regex, value, &why) == 0)
		return 0;
	if (why.code == SPAN_E_INVALID)
		return fail(in, at, why.msg);
	return span_error_set(in->err, why.code, "%s", why.msg);
}

/* A key without a value: is that what was meant? */
static int check_alone(struct parser *in, const char *at, struct span_str key)
{
	char what[160];

	if (!in->bare_value || span_str_equal(key, SPAN_STR("error")))
		return 0;
	snprintf(what, sizeof(what),
		 "a value with blanks needs quotes, a key alone is written "
		 "%.*s=true",
		 key.len < 60 ? (int)key.len : 60, key.p);
	return fail(in, at, what);
}

static int parse_condition(struct parser *in, struct span__tag *tag)
{
	struct span_str key, value = SPAN_STR("true");
	bool regex = false;
	const char *start = in->p, *at;
	int rc = parse_key(in, &key);

	if (rc < 0)
		return rc;
	at = in->p;
	if (in->p < in->end && is_op(in)) {
		parse_op(in, &tag->negate, &regex);
		at = in->p;
		rc = parse_value(in, &value);
	} else {
		rc = check_alone(in, start, key);
	}
	if (rc < 0)
		return rc;
	if (in->p < in->end && !is_blank(*in->p))
		return fail(in, in->p, "a blank is missing here");
	return finish(in, tag, at, key, value, regex);
}

/* Make room for one more, which is empty: the array doubles. */
static bool grow(struct span__tags *tags, struct span_arena *arena)
{
	if (!(tags->n & (tags->n - 1))) {
		size_t cap = tags->n ? tags->n * 2 : 1;
		struct span__tag *v = span_arena_array(arena, cap, sizeof(*v));

		if (!v)
			return false;
		if (tags->n)
			memcpy(v, tags->v, tags->n * sizeof(*v));
		tags->v = v;
	}
	tags->v[tags->n] = (struct span__tag){0};
	return true;
}

int span__tags_add(struct span__tags *tags, struct span_str key,
		   struct span_str value, bool regex, struct span_arena *arena,
		   struct span_error *err)
{
	struct span__tag *tag;

	if (tags->n == MAX_CONDITIONS)
		return span_error_set(err, SPAN_E_INVALID,
				      "too many conditions on tags");
	if (!grow(tags, arena))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	tag = &tags->v[tags->n++];
	span__tag_eq_init(&tag->eq, key, value);
	return regex ? span__regex_open(&tag->regex, value, err) : 0;
}

int span__tags_parse(struct span__tags *tags, const char *text,
		     struct span_arena *arena, struct span_error *err)
{
	struct parser in = {.start = text,
			    .p = text,
			    .end = text + strlen(text),
			    .arena = arena,
			    .err = err};

	skip_blanks(&in);
	if (in.p == in.end)
		return fail(&in, in.p, "a key is missing");
	for (; in.p < in.end; skip_blanks(&in)) {
		int rc;

		if (tags->n == MAX_CONDITIONS)
			return fail(&in, in.p, "too many conditions");
		if (!grow(tags, arena))
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		rc = parse_condition(&in, &tags->v[tags->n++]);
		if (rc < 0)
			return rc;
	}
	return 0;
}
