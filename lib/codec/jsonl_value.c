/* SPDX-License-Identifier: Apache-2.0 */
/* Values and attributes of JSON lines, with the types that JSON has not. */
#include "codec/jsonl.h"

#include <span/text.h>

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
	p = span__message_array(r->m, r->j.arena, SPAN_BASE64_ROOM(s.len), 1);
	if (!p || !span_text_from_base64(s, p, &len)) {
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

/*
 * Items are pushed when they are read, and go to the arena when all of them
 * are: nothing is there twice. FROM is r->stack.len before.
 */
static void push(struct span__jsonl *r, size_t from, size_t max,
		 const void *item, size_t size)
{
	if ((r->stack.len - from) / size >= max)
		r->m->marks |= SPAN_MARK_CUT;
	else
		span_buf_put(&r->stack, item, size);
}

static void *unstack(struct span__jsonl *r, size_t from, size_t size, size_t *n)
{
	struct span__message *m = r->m;
	size_t len = r->stack.len - from;
	void *v;

	*n = 0;
	if (r->stack.failed)
		span__cursor_fail(&m->in, m->in.p, SPAN_E_NOMEM,
				  "out of memory");
	v = span__message_array(m, r->j.arena, len / size, size);
	if (v && len)
		memcpy(v, r->stack.p + from, len);
	if (v)
		*n = len / size;
	r->stack.len = from;
	return v;
}

static void read_pairs(struct span__jsonl *r, struct span_attrs *to, size_t max,
		       unsigned depth)
{
	size_t from = r->stack.len;
	struct span_attr a;

	if (span__jaeger_json_array(&r->j))
		while (span__json_item(&r->j)) {
			read_pair(r, &a, depth);
			push(r, from, max, &a, sizeof(a));
		}
	to->v = unstack(r, from, sizeof(a), &to->n);
}

static void read_members(struct span__jsonl *r, size_t from, size_t max,
			 unsigned depth)
{
	struct span_attr a;

	while (span__json_member(&r->j, &a.key)) {
		if (a.key.len > SPAN_MAX_STRING)
			span__message_cut(r->m, &a.key, true);
		read_value(r, &a.value, depth);
		push(r, from, max, &a, sizeof(a));
	}
}

/* What a first member with a $ says; false when it is one like any other. */
static bool read_special(struct span__jsonl *r, struct span_str key,
			 struct span_value *v, unsigned depth)
{
	struct span_attrs list = {0};

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
	size_t from = r->stack.len;
	struct span_attr first;

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
	push(r, from, SIZE_MAX, &first, sizeof(first));
	read_members(r, from, SIZE_MAX, depth + 1);
	v->map.v = unstack(r, from, sizeof(first), &v->map.n);
}

static void read_array(struct span__jsonl *r, struct span_value *v,
		       unsigned depth)
{
	size_t from = r->stack.len;
	struct span_value one;

	v->type = SPAN_ARRAY;
	v->array.v = NULL;
	v->array.n = 0;
	if (!span__json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_value(r, &one, depth + 1);
		push(r, from, SIZE_MAX, &one, sizeof(one));
	}
	v->array.v = unstack(r, from, sizeof(one), &v->array.n);
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

bool span__jsonl_attrs(struct span__jsonl *r, struct span_str key,
		       const char *name, struct span_attrs *a)
{
	size_t len = strlen(name);
	size_t from = r->stack.len;

	if (named(key, name)) {
		if (!span__json_null(&r->j) && span__json_object(&r->j))
			read_members(r, from, SPAN_MAX_ATTRS, 0);
		a->v = unstack(r, from, sizeof(*a->v), &a->n);
	} else if (key.len == len + 5 && !memcmp(key.p, name, len) &&
		   !memcmp(key.p + len, "_list", 5)) {
		read_pairs(r, a, SPAN_MAX_ATTRS, 0);
	} else {
		return false;
	}
	return true;
}
