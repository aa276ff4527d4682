/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of Jaeger's JSON. A value that is not of the type it claims is kept as
 * the text it is.
 */
#include "codec/jaeger_json.h"

#include <span/text.h>

#include "base/banned.h"

enum tag_type { STRING, BOOL, INT64, FLOAT64, BINARY, UNKNOWN };

static struct span_str cut(struct span__message *m, struct span_str s,
			   bool text)
{
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(m, &s, text);
	return s;
}

struct span_str span__jaeger_json_text(struct span__message *m,
				       struct span__json *j)
{
	struct span_str s = {"", 0};

	if (span__json_null(j))
		return s;
	s = span__json_peek(j) == JSON_STRING ? span__json_string(j)
					      : span__json_raw(j);
	return cut(m, s, true);
}

static enum tag_type type_of(struct span_str s)
{
	static const char *const names[] = {"string", "bool", "int64",
					    "float64", "binary"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (named(s, names[i]))
			return (enum tag_type)i;
	return UNKNOWN;
}

static bool looks_whole(struct span_str s)
{
	return !memchr(s.p, '.', s.len) && !memchr(s.p, 'e', s.len) &&
	       !memchr(s.p, 'E', s.len);
}

/* The type of a value without one. */
static enum tag_type guess(const struct span__json *like)
{
	struct span__json j = *like;
	struct span__cursor in = *j.in;

	j.in = &in;
	switch (span__json_peek(&j)) {
	case JSON_BOOL:
		return BOOL;
	case JSON_NUMBER:
		return looks_whole(span__json_number(&j)) ? INT64 : FLOAT64;
	default:
		return STRING;
	}
}

static bool read_bytes(struct span__message *m, struct span__json *j,
		       struct span_value *v)
{
	struct span_str s;
	size_t len;
	char *p;

	if (span__json_peek(j) != JSON_STRING)
		return false;
	s = span__json_string(j);
	p = span__message_array(m, j->arena, SPAN_BASE64_ROOM(s.len), 1);
	if (!p || !span_text_from_base64(s, p, &len))
		return false;
	v->str = cut(m, (struct span_str){p, len}, false);
	return true;
}

static bool read_typed(struct span__message *m, struct span__json *j,
		       enum tag_type type, struct span_value *v)
{
	switch (type) {
	case BOOL:
		v->type = SPAN_BOOL;
		if (span__json_peek(j) != JSON_BOOL)
			return false;
		v->b = span__json_bool(j);
		return true;
	case INT64:
		v->type = SPAN_INT;
		return span__json_int(j, &v->i);
	case FLOAT64:
		v->type = SPAN_DOUBLE;
		return span__json_double(j, &v->d);
	case BINARY:
		v->type = SPAN_BYTES;
		return read_bytes(m, j, v);
	default:
		return false;
	}
}

static void read_value(struct span__message *m, struct span__json *j,
		       enum tag_type type, struct span_value *v)
{
	struct span__cursor *in = j->in;
	const unsigned char *at;

	if (type == UNKNOWN)
		type = guess(j);
	(void)span__json_peek(j);
	at = in->p;
	if (read_typed(m, j, type, v) || in->failed)
		return;
	in->p = at;
	v->type = SPAN_STRING;
	v->str = span__jaeger_json_text(m, j);
}

/* The value may stand before its type. False for a tag without a key. */
static bool read_tag(struct span__message *m, struct span__json *j,
		     struct span_attr *a)
{
	struct span__cursor *in = j->in;
	enum tag_type type = UNKNOWN;
	const unsigned char *at = NULL, *end;
	bool typed = false, done = false, keyed = false;
	struct span_str key;

	*a = (struct span_attr){.key = {"", 0}};
	if (!span__json_object(j))
		return false;
	while (span__json_member(j, &key)) {
		if (named(key, "key")) {
			a->key = span__jaeger_json_text(m, j);
			keyed = true;
		} else if (named(key, "type")) {
			type = type_of(span__jaeger_json_text(m, j));
			typed = true;
		} else if (named(key, "value") && typed) {
			read_value(m, j, type, &a->value);
			done = true;
		} else {
			if (named(key, "value"))
				at = in->p;
			span__json_skip(j);
		}
	}
	if (done || !at || in->failed)
		return keyed;
	end = in->p;
	in->p = at;
	read_value(m, j, type, &a->value);
	if (!in->failed)
		in->p = end;
	return keyed;
}

bool span__jaeger_json_array(struct span__json *j)
{
	return !span__json_null(j) && span__json_array(j);
}

void span__jaeger_json_tags(struct span__message *m, struct span__json *j,
			    struct span__list *list)
{
	struct span_attr tag, *a;

	if (!span__jaeger_json_array(j))
		return;
	while (span__json_item(j)) {
		if (!read_tag(m, j, &tag)) {
			m->marks |= SPAN_MARK_CUT;
			continue;
		}
		a = span__jaeger_push(m, j->arena, list, SPAN_MAX_ATTRS,
				      sizeof(*a));
		if (a)
			*a = tag;
	}
}
