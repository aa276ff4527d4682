/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of a search, in two forms: tag=key:value, repeated, and
 * tags={"key":"value"}. Later ones take the place of earlier ones.
 */
#include "serve/jaeger_params.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "serve/answers.h"
#include "serve/params.h"

#include "base/banned.h"

#define MAX_TAGS 1000u

struct pairs {
	struct span_arena *arena;
	struct pair {
		struct span_str key, value;
	} v[MAX_TAGS];
	size_t n;
};

/* False when there are too many. */
static bool put_pair(struct pairs *p, struct span_str key,
		     struct span_str value)
{
	size_t i = 0;

	while (i < p->n && !span_str_equal(p->v[i].key, key))
		i++;
	if (i == MAX_TAGS)
		return false;
	p->v[i] = (struct pair){key, value};
	p->n += i == p->n;
	return true;
}

static int too_many(struct span__serve_answer *a)
{
	int rc = span__serve_error(a, 400, "more than %u tags", MAX_TAGS);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int read_tag(struct pairs *p, struct span_str text,
		    struct span__serve_answer *a)
{
	const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
	size_t at;
	int rc;

	if (!colon) {
		rc = span__serve_error(a, 400,
				       "malformed 'tag' parameter, expecting "
				       "key:value, received: %.*s",
				       text.len < 500 ? (int)text.len : 500,
				       text.len ? text.p : "");
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	at = (size_t)(colon - text.p);
	return put_pair(p, (struct span_str){text.p, at},
			(struct span_str){colon + 1, text.len - at - 1})
		       ? 0
		       : too_many(a);
}

static const char *type_of(const cJSON *j)
{
	if (cJSON_IsNumber(j))
		return "number";
	if (cJSON_IsBool(j))
		return "bool";
	if (cJSON_IsArray(j))
		return "array";
	return cJSON_IsObject(j) ? "object" : "string";
}

static int malformed(struct span__serve_answer *a, const char *why)
{
	int rc = span__serve_error(a, 400,
				   "malformed 'tags' parameter, cannot "
				   "unmarshal JSON: %s",
				   why);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int bad_type(struct span__serve_answer *a, const cJSON *j,
		    const char *wanted)
{
	char why[100];

	snprintf(why, sizeof(why),
		 "json: cannot unmarshal %s into Go value of type %s",
		 type_of(j), wanted);
	return malformed(a, why);
}

/* JSON, an object or null; or what Go would say is wrong with it. */
static int parse_json(struct span_str text, cJSON **out,
		      struct span__serve_answer *a)
{
	const char *at = text.p, *end = text.p + text.len;
	char why[100];

	*out = NULL;
	if (text.len)
		*out = cJSON_ParseWithLengthOpts(text.p, text.len, &at, 0);
	if (!*out && (!text.len || at >= end - 1))
		return malformed(a, "unexpected end of JSON input");
	while (*out && at < end && strchr(" \t\r\n", *at))
		at++;
	if (*out && at == end)
		return 0;
	snprintf(why, sizeof(why), "invalid character '%c' %s",
		 *at >= ' ' && *at <= '~' ? *at : '?',
		 *out ? "after top-level value"
		      : "looking for beginning of value");
	return malformed(a, why);
}

/* A null is an empty text, as Go has it. */
static int take_members(struct pairs *p, const cJSON *object,
			struct span__serve_answer *a)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, object)
	{
		struct span_str key, value;

		if (!cJSON_IsString(j) && !cJSON_IsNull(j))
			return bad_type(a, j, "string");
		if (!span_arena_str(p->arena, span_str(j->string), &key) ||
		    !span_arena_str(p->arena, span_str(j->valuestring), &value))
			return SPAN_E_NOMEM;
		if (!put_pair(p, key, value))
			return too_many(a);
	}
	return 0;
}

/* cJSON would cut a text at a NUL. */
static bool has_nul(struct span_str json)
{
	for (size_t i = 0; i + 6 <= json.len; i++)
		if (!memcmp(json.p + i, "\\u0000", 6))
			return true;
	return json.len && memchr(json.p, '\0', json.len);
}

static int read_json(struct pairs *p, struct span_str text,
		     struct span__serve_answer *a)
{
	cJSON *json;
	int rc;

	if (has_nul(text))
		return malformed(a, "a text with a NUL");
	rc = parse_json(text, &json, a);
	if (rc == 0 && cJSON_IsObject(json))
		rc = take_members(p, json, a);
	else if (rc == 0 && !cJSON_IsNull(json))
		rc = bad_type(a, json, "map[string]string");
	cJSON_Delete(json);
	return rc;
}

static void put_quoted(struct span_buf *b, struct span_str s)
{
	span_buf_putc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			span_buf_putc(b, '\\');
		span_buf_putc(b, s.p[i]);
	}
	span_buf_putc(b, '"');
}

/* "key"="value", a condition as people type it; NULL when memory is out. */
static const char *condition(struct span_arena *a, const struct pair *p)
{
	struct span_buf b = {0};
	struct span_str copy;
	bool good;

	put_quoted(&b, p->key);
	span_buf_putc(&b, '=');
	put_quoted(&b, p->value);
	span_buf_putc(&b, '\0');
	good = !b.failed &&
	       span_arena_str(a, (struct span_str){b.p, b.len}, &copy);
	span_buf_release(&b);
	return good ? copy.p : NULL;
}

static int take_pairs(struct span__serve_search *s, const struct pairs *p)
{
	s->tags = span_arena_array(&s->arena, p->n, sizeof(*s->tags));
	if (!s->tags)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < p->n; i++) {
		const struct pair *pair = &p->v[i];

		s->nothing |= strnlen(pair->key.p ? pair->key.p : "",
				      pair->key.len) < pair->key.len ||
			      strnlen(pair->value.p ? pair->value.p : "",
				      pair->value.len) < pair->value.len;
		s->tags[i] = condition(&s->arena, pair);
		if (!s->tags[i])
			return SPAN_E_NOMEM;
	}
	s->sel.tags = s->tags;
	s->sel.n_tags = p->n;
	return 0;
}

int span__serve_read_tags(const struct span__serve_request *r,
			  struct span__serve_search *s,
			  struct span__serve_answer *a, struct span_error *err)
{
	struct pairs *p = span_arena_alloc(&s->arena, sizeof(*p));
	const struct span_str *text;
	size_t at = 0;
	int rc = p ? 0 : SPAN_E_NOMEM;

	if (p) {
		p->arena = &s->arena;
		p->n = 0;
	}
	while (!rc && (text = span__serve_next(r, "tag", &at)))
		rc = read_tag(p, *text, a);
	at = 0;
	while (!rc && (text = span__serve_next(r, "tags", &at)))
		rc = read_json(p, *text, a);
	if (!rc)
		rc = take_pairs(s, p);
	return rc == SPAN_E_NOMEM ? span_error_set(err, rc, "out of memory")
				  : rc;
}
