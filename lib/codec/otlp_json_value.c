/* SPDX-License-Identifier: Apache-2.0 */
/* Names, and attributes with their values. */
#include "codec/otlp_json.h"

#include <span/text.h>

#include "base/banned.h"

/* Longer than every name that is known. */
#define MAX_NAME 48u

static void read_value(struct span__otlp_json *r, struct span_value *v,
		       unsigned depth);

/* snake_case to lowerCamelCase; what is too long is no name of ours. */
static struct span_str camel(struct span_str key, char out[MAX_NAME])
{
	size_t n = 0;

	if (key.len > MAX_NAME)
		return key;
	for (size_t i = 0; i < key.len; i++) {
		char c = key.p[i];

		if (c == '_' && i + 1 < key.len && key.p[i + 1] >= 'a' &&
		    key.p[i + 1] <= 'z')
			c = (char)(key.p[++i] - 'a' + 'A');
		out[n++] = c;
	}
	return (struct span_str){out, n};
}

size_t span__otlp_name(struct span__otlp_names *names, struct span_str key)
{
	char text[MAX_NAME];

	if (key.len && memchr(key.p, '_', key.len))
		key = camel(key, text);
	for (size_t i = 0, at = names->next; i < names->n; i++, at++) {
		if (at >= names->n)
			at = 0;
		if (names->v[at].len == key.len &&
		    !memcmp(names->v[at].p, key.p, key.len)) {
			names->next = at + 1;
			return at;
		}
	}
	return names->n;
}

void span__otlp_wrong(struct span__otlp_json *r)
{
	(void)span__json_peek(&r->j);
	otlp_bad(&r->o, r->j.in->p, "a value has another type than OTLP's");
	span__json_skip(&r->j);
}

bool span__otlp_object(struct span__otlp_json *r)
{
	enum json_type type = span__json_peek(&r->j);

	if (type == JSON_OBJECT)
		return span__json_object(&r->j);
	if (type != JSON_NULL || !span__json_null(&r->j))
		span__otlp_wrong(r);
	return false;
}

bool span__otlp_list(struct span__otlp_json *r)
{
	if (span__json_peek(&r->j) == JSON_ARRAY)
		return span__json_array(&r->j);
	span__otlp_wrong(r);
	return false;
}

struct span_str span__otlp_json_text(struct span__otlp_json *r)
{
	struct span_str s;

	if (span__json_peek(&r->j) != JSON_STRING) {
		span__otlp_wrong(r);
		return SPAN_STR("");
	}
	s = span__json_string(&r->j);
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(r->o.m, &s, true);
	return s;
}

uint64_t span__otlp_json_uint(struct span__otlp_json *r)
{
	const unsigned char *at;
	uint64_t v = 0;

	(void)span__json_peek(&r->j);
	at = r->j.in->p;
	if (span__json_uint(&r->j, &v))
		return v;
	otlp_bad(&r->o, at, "a value is no number of 64 bits without a sign");
	return 0;
}

uint32_t span__otlp_json_count(struct span__otlp_json *r)
{
	uint64_t v = span__otlp_json_uint(r);

	return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

void *span__otlp_unstack(struct span__otlp_json *r, size_t from, size_t size,
			 size_t more, size_t *n)
{
	struct span__message *m = r->o.m;
	size_t len = r->stack.len - from;
	void *v;

	*n = 0;
	if (r->stack.failed)
		span__cursor_fail(&m->in, m->in.p, SPAN_E_NOMEM,
				  "out of memory");
	v = span__message_array(m, r->j.arena, len / size + more, size);
	if (v && len)
		memcpy(v, r->stack.p + from, len);
	if (v)
		*n = len / size;
	r->stack.len = from;
	return v;
}

static void read_int(struct span__otlp_json *r, struct span_value *v)
{
	const unsigned char *at = r->j.in->p;

	v->type = SPAN_INT;
	if (!span__json_int(&r->j, &v->i))
		otlp_bad(&r->o, at, "an intValue is no number of 64 bits");
}

static void read_double(struct span__otlp_json *r, struct span_value *v)
{
	const unsigned char *at = r->j.in->p;

	v->type = SPAN_DOUBLE;
	if (!span__json_double(&r->j, &v->d))
		otlp_bad(&r->o, at, "a doubleValue is no number");
}

static void read_bool(struct span__otlp_json *r, struct span_value *v)
{
	v->type = SPAN_BOOL;
	if (span__json_peek(&r->j) == JSON_BOOL)
		v->b = span__json_bool(&r->j);
	else
		span__otlp_wrong(r);
}

static void read_bytes(struct span__otlp_json *r, struct span_value *v)
{
	const unsigned char *at = r->j.in->p;
	struct span_str s;
	char *out;

	v->type = SPAN_BYTES;
	v->str = SPAN_STR("");
	if (span__json_peek(&r->j) != JSON_STRING) {
		span__otlp_wrong(r);
		return;
	}
	s = span__json_string(&r->j);
	out = span__message_array(r->o.m, r->j.arena, SPAN_BASE64_ROOM(s.len),
				  1);
	if (!out)
		return;
	v->str.p = out;
	if (!span_text_from_base64(s, out, &v->str.len))
		otlp_bad(&r->o, at, "a bytesValue is not base64");
	if (v->str.len > SPAN_MAX_STRING)
		span__message_cut(r->o.m, &v->str, false);
}

/* False: a null, which is no attribute. */
static bool read_key_value(struct span__otlp_json *r, struct span_attr *a,
			   unsigned depth)
{
	static const struct span_str known[] = {OTLP_NAME("key"),
						OTLP_NAME("value")};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	*a = (struct span_attr){.key = SPAN_STR("")};
	if (!span__otlp_object(r))
		return false;
	while (span__json_member(&r->j, &key)) {
		size_t i = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		if (i == 0)
			a->key = span__otlp_json_text(r);
		else if (i == 1)
			read_value(r, &a->value, depth);
		else
			span__json_skip(&r->j);
	}
	return true;
}

static void *read_pairs(struct span__otlp_json *r, unsigned depth, size_t most,
			size_t more, size_t *n)
{
	size_t from = r->stack.len, count = 0;
	struct span_attr a;

	if (span__otlp_list(r))
		while (span__json_item(&r->j)) {
			if (count == most) {
				span__json_skip(&r->j);
				r->o.m->marks |= SPAN_MARK_CUT;
			} else if (read_key_value(r, &a, depth)) {
				span_buf_put(&r->stack, &a, sizeof(a));
				count++;
			}
		}
	return span__otlp_unstack(r, from, sizeof(a), more, n);
}

void span__otlp_json_attrs(struct span__otlp_json *r,
			   struct span__otlp_attrs *list, size_t more)
{
	list->v = read_pairs(r, 0, SPAN_MAX_ATTRS, more, &list->n);
	list->max = list->n;
}

static struct span_value *read_items(struct span__otlp_json *r, unsigned depth,
				     size_t *n)
{
	size_t from = r->stack.len;

	if (span__otlp_list(r))
		while (span__json_item(&r->j)) {
			struct span_value v = {0};

			read_value(r, &v, depth);
			span_buf_put(&r->stack, &v, sizeof(v));
		}
	return span__otlp_unstack(r, from, sizeof(struct span_value), 0, n);
}

/* {"values":[...]}, with DEPTH arrays and maps around it. */
static void read_nested(struct span__otlp_json *r, struct span_value *v,
			bool map, unsigned depth)
{
	static const struct span_str known[] = {OTLP_NAME("values")};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	if (depth >= SPAN_MAX_DEPTH) {
		span__json_skip(&r->j);
		r->o.m->marks |= SPAN_MARK_CUT;
		return;
	}
	*v = (struct span_value){.type = map ? SPAN_MAP : SPAN_ARRAY};
	if (!span__otlp_object(r))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t i = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		if (i)
			span__json_skip(&r->j);
		else if (map)
			v->map.v = read_pairs(r, depth + 1, SIZE_MAX, 0,
					      &v->map.n);
		else
			v->array.v = read_items(r, depth + 1, &v->array.n);
	}
}

static void read_member(struct span__otlp_json *r, size_t name,
			struct span_value *v, unsigned depth)
{
	(void)span__json_peek(&r->j);
	switch (name) {
	case 0:
		v->str = span__otlp_json_text(r);
		v->type = SPAN_STRING;
		break;
	case 1:
		read_int(r, v);
		break;
	case 2:
		read_bool(r, v);
		break;
	case 3:
		read_double(r, v);
		break;
	case 4:
	case 5:
		read_nested(r, v, name == 5, depth);
		break;
	case 6:
		read_bytes(r, v);
		break;
	default:
		span__json_skip(&r->j);
	}
}

static void read_value(struct span__otlp_json *r, struct span_value *v,
		       unsigned depth)
{
	static const struct span_str known[] = {
		OTLP_NAME("stringValue"), OTLP_NAME("intValue"),
		OTLP_NAME("boolValue"),	  OTLP_NAME("doubleValue"),
		OTLP_NAME("arrayValue"),  OTLP_NAME("kvlistValue"),
		OTLP_NAME("bytesValue"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	if (!span__otlp_object(r))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (!span__json_null(&r->j))
			read_member(r, name, v, depth);
	}
}
