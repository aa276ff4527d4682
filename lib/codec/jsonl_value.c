/* SPDX-License-Identifier: Apache-2.0 */
/* Values and attributes of JSON lines, with the types that JSON has not. */
#include "codec/jsonl.h"

#include <math.h>

#include "text/parse.h"

#include "base/banned.h"

void span__jsonl_bad(struct span__jsonl *r, const unsigned char *at,
		     const char *why)
{
	if (r->bad)
		return;
	r->bad = why;
	r->bad_at = at;
}

struct span_str span__jsonl_text(struct span__jsonl *r)
{
	return span__jaeger_json_text(r->m, &r->j);
}

static void read_value(struct span__jsonl *r, struct span_value *v,
		       unsigned depth);

static void read_number(struct span__jsonl *r, struct span_value *v)
{
	struct span__cursor *in = r->j.in;
	const unsigned char *at = in->p;
	struct span_str s = span__json_number(&r->j);

	if (!memchr(s.p, '.', s.len) && !memchr(s.p, 'e', s.len) &&
	    !memchr(s.p, 'E', s.len)) {
		in->p = in->failed ? in->p : at;
		v->type = SPAN_INT;
		if (span__json_int(&r->j, &v->i))
			return;
	}
	v->type = SPAN_DOUBLE;
	if (!span__text_to_double(s, &v->d))
		v->d = (double)NAN;
}

static void read_bytes(struct span__jsonl *r, struct span_value *v)
{
	const unsigned char *at = r->j.in->p;
	struct span_str s;
	size_t len = 0;
	char *p;

	v->type = SPAN_BYTES;
	v->str = SPAN_STR("");
	if (span__json_peek(&r->j) != JSON_STRING) {
		span__json_skip(&r->j);
		span__jsonl_bad(r, at, "$bytes is no text");
		return;
	}
	s = span__json_string(&r->j);
	p = span__message_array(r->m, r->j.arena, SPAN__BASE64_ROOM(s.len), 1);
	if (!p || !span__text_from_base64(s, p, &len)) {
		span__jsonl_bad(r, at, "$bytes is no base64");
		return;
	}
	v->str = (struct span_str){p, len};
	if (len > SPAN_MAX_STRING)
		span__message_cut(r->m, &v->str, false);
}

/* [KEY, VALUE] */
static void read_pair(struct span__jsonl *r, struct span_attr *a,
		      unsigned depth)
{
	*a = (struct span_attr){.key = {"", 0}};
	if (!span__json_array(&r->j) || !span__json_item(&r->j))
		return;
	a->key = span__jsonl_text(r);
	if (!span__json_item(&r->j))
		return;
	read_value(r, &a->value, depth);
	while (span__json_item(&r->j))
		span__json_skip(&r->j);
}

static void read_pairs(struct span__jsonl *r, struct span__list *list,
		       size_t max, unsigned depth)
{
	struct span_attr a, *to;

	*list = (struct span__list){0};
	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_pair(r, &a, depth);
		to = span__jaeger_push(r->m, r->j.arena, list, max,
				       sizeof(*to));
		if (to)
			*to = a;
	}
}

static void read_members(struct span__jsonl *r, struct span__list *list,
			 size_t max, unsigned depth)
{
	struct span_attr a, *to;

	while (span__json_member(&r->j, &a.key)) {
		if (a.key.len > SPAN_MAX_STRING)
			span__message_cut(r->m, &a.key, true);
		read_value(r, &a.value, depth);
		to = span__jaeger_push(r->m, r->j.arena, list, max,
				       sizeof(*to));
		if (to)
			*to = a;
	}
}

/* What a first member with a $ says; false when it is one like any other. */
static bool read_special(struct span__jsonl *r, struct span_str key,
			 struct span_value *v, unsigned depth)
{
	struct span__list list;

	if (named(key, "$bytes")) {
		read_bytes(r, v);
	} else if (named(key, "$double")) {
		v->type = SPAN_DOUBLE;
		if (!span__json_double(&r->j, &v->d))
			span__jsonl_bad(r, r->j.in->p, "$double is no number");
	} else if (named(key, "$map")) {
		read_pairs(r, &list, SIZE_MAX, depth + 1);
		v->type = SPAN_MAP;
		v->map.v = list.v;
		v->map.n = list.n;
	} else {
		return false;
	}
	return true;
}

static void read_object(struct span__jsonl *r, struct span_value *v,
			unsigned depth)
{
	struct span__list list = {0};
	struct span_attr first, *to;

	v->type = SPAN_MAP;
	v->map.v = NULL;
	v->map.n = 0;
	if (!span__json_object(&r->j) || !span__json_member(&r->j, &first.key))
		return;
	if (read_special(r, first.key, v, depth)) {
		while (span__json_member(&r->j, &first.key))
			span__json_skip(&r->j);
		return;
	}
	read_value(r, &first.value, depth + 1);
	to = span__message_push(r->m, r->j.arena, &list, sizeof(*to));
	if (to)
		*to = first;
	read_members(r, &list, SIZE_MAX, depth + 1);
	v->map.v = list.v;
	v->map.n = list.n;
}

static void read_array(struct span__jsonl *r, struct span_value *v,
		       unsigned depth)
{
	struct span__list list = {0};
	struct span_value one, *to;

	v->type = SPAN_ARRAY;
	if (!span__json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_value(r, &one, depth + 1);
		to = span__message_push(r->m, r->j.arena, &list, sizeof(*to));
		if (to)
			*to = one;
	}
	v->array.v = list.v;
	v->array.n = list.n;
}

static void read_value(struct span__jsonl *r, struct span_value *v,
		       unsigned depth)
{
	enum json_type is = span__json_peek(&r->j);

	*v = (struct span_value){0};
	if (depth > SPAN_MAX_DEPTH && (is == JSON_ARRAY || is == JSON_OBJECT)) {
		r->m->marks |= SPAN_MARK_CUT;
		span__json_skip(&r->j);
		return;
	}
	switch (is) {
	case JSON_BOOL:
		v->type = SPAN_BOOL;
		v->b = span__json_bool(&r->j);
		break;
	case JSON_NUMBER:
		read_number(r, v);
		break;
	case JSON_STRING:
		v->type = SPAN_STRING;
		v->str = span__jsonl_text(r);
		break;
	case JSON_ARRAY:
		read_array(r, v, depth);
		break;
	case JSON_OBJECT:
		read_object(r, v, depth);
		break;
	default:
		if (!span__json_null(&r->j))
			span__json_skip(&r->j);
	}
}

static void set_attrs(struct span_attrs *a, const struct span__list *list)
{
	a->v = list->v;
	a->n = list->n;
}

bool span__jsonl_attrs(struct span__jsonl *r, struct span_str key,
		       const char *name, struct span_attrs *a)
{
	size_t len = strlen(name);
	struct span__list list = {0};

	if (named(key, name)) {
		if (!span__json_null(&r->j) && span__json_object(&r->j))
			read_members(r, &list, SPAN_MAX_ATTRS, 0);
	} else if (key.len == len + 5 && !memcmp(key.p, name, len) &&
		   !memcmp(key.p + len, "_list", 5)) {
		read_pairs(r, &list, SPAN_MAX_ATTRS, 0);
	} else {
		return false;
	}
	set_attrs(a, &list);
	return true;
}
