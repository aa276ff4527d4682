/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An annotation that is a JSON object of strings: that is how clients put the
 * fields of a log into Zipkin's model. Anything else is plain text.
 */
#include "codec/json.h"
#include "codec/zipkin.h"

#include "base/banned.h"

/* Bytes of the shortest member, "":"" and a comma or brace. */
#define MIN_MEMBER 6u

static bool take_members(struct span__json *j, struct span_attr *v, size_t max,
			 size_t *n, bool *cut)
{
	struct span_attr a = {.value = {.type = SPAN_STRING}};

	if (!span__json_object(j))
		return false;
	while (span__json_member(j, &a.key)) {
		a.value.str = span__json_string(j);
		if (*n < max)
			v[(*n)++] = a;
		else
			*cut = true;
	}
	span__json_end(j);
	return !j->in->failed;
}

bool span__zipkin_log_fields(struct span__message *m, struct span_str s,
			     struct span_attrs *out)
{
	size_t n = 0, max = s.len / MIN_MEMBER + 1;
	struct span__cursor in;
	struct span__json j;
	struct span_attr *v;
	bool cut = false;

	cursor_init(&in, s.p, s.len);
	span__json_init(&j, &in, &m->d->arena);
	if (span__json_peek(&j) != JSON_OBJECT)
		return false;
	if (max > SPAN_MAX_ATTRS)
		max = SPAN_MAX_ATTRS;
	v = span__message_array(m, &m->d->arena, max, sizeof(*v));
	if (!v || !take_members(&j, v, max, &n, &cut) || !n)
		return false;
	if (cut)
		m->marks |= SPAN_MARK_CUT;
	*out = (struct span_attrs){.v = v, .n = n};
	return true;
}

bool span__zipkin_is_log(struct span_str s, struct span_arena *arena)
{
	struct span__cursor in;
	struct span__json j;
	bool cut = false;
	size_t n = 0;

	cursor_init(&in, s.p, s.len);
	span__json_init(&j, &in, arena);
	return span__json_peek(&j) == JSON_OBJECT &&
	       take_members(&j, NULL, 0, &n, &cut) && cut;
}
