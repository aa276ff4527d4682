/* SPDX-License-Identifier: Apache-2.0 */
#include <span/model.h>

#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "model/model.h"

#include "base/banned.h"

static const struct span_str kinds[] = {
	{"", 0},       {"internal", 8}, {"server", 6},
	{"client", 6}, {"producer", 8}, {"consumer", 8},
};
static const struct span_str statuses[] = {
	{"unset", 5},
	{"ok", 2},
	{"error", 5},
};

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

static int index_of(const struct span_str *names, size_t n,
		    struct span_str name)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].len == name.len && name.len &&
		    !strncasecmp(names[i].p, name.p, name.len))
			return (int)i;
	return -1;
}

const char *span_kind_name(int kind)
{
	if (kind < 0 || (size_t)kind >= N_ELEMENTS(kinds))
		return "";
	return kinds[kind].p;
}

int span_kind_parse(struct span_str name)
{
	return index_of(kinds, N_ELEMENTS(kinds), name);
}

const char *span_status_name(int status)
{
	if (status < 0 || (size_t)status >= N_ELEMENTS(statuses))
		return statuses[0].p;
	return statuses[status].p;
}

int span_status_parse(struct span_str name)
{
	return index_of(statuses, N_ELEMENTS(statuses), name);
}

const struct span_value *span_attr_get(const struct span_attrs *a,
				       struct span_str key)
{
	for (size_t i = 0; i < a->n; i++)
		if (span__str_equal(a->v[i].key, key))
			return &a->v[i].value;
	return NULL;
}

struct span_str span_event_name(const struct span_event *e)
{
	const struct span_value *v;

	if (e->name.len)
		return e->name;
	v = span_attr_get(&e->attrs, SPAN_STR("event"));
	if (v && v->type == SPAN_STRING)
		return v->str;
	return (struct span_str){0};
}

static bool is_true(const struct span_value *v)
{
	if (v->type == SPAN_BOOL)
		return v->b;
	return v->type == SPAN_STRING &&
	       span_str_equal(v->str, SPAN_STR("true"));
}

const struct span_attr span__error_attr = {
	.key = {"error", 5}, .value = {.type = SPAN_BOOL, .b = true}};

bool span_is_error(const struct span *s)
{
	const struct span_value *v;

	if (s->status == SPAN_STATUS_ERROR)
		return true;
	v = span_attr_get(&s->attrs, SPAN_STR("error"));
	return v && is_true(v);
}

static bool is_zero(const uint8_t id[8])
{
	static const uint8_t zero[8];

	return !memcmp(id, zero, 8);
}

bool span_is_root(const struct span *s)
{
	return is_zero(s->parent_id) || !memcmp(s->parent_id, s->span_id, 8);
}

uint64_t span_end_ns(const struct span *s)
{
	uint64_t end;

	if (__builtin_add_overflow(s->start_ns, s->duration_ns, &end))
		return UINT64_MAX;
	return end;
}

/* The parent is a reference into the same trace, a child-of one first. */
static void derive_parent(struct span *s)
{
	const struct span_ref *found = NULL;

	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		if (memcmp(r->trace_id, s->trace_id, 16) != 0)
			continue;
		if (r->type == SPAN_REF_CHILD_OF) {
			found = r;
			break;
		}
		if (r->type == SPAN_REF_FOLLOWS_FROM && !found)
			found = r;
	}
	if (found)
		memcpy(s->parent_id, found->span_id, 8);
}

/*
 * The attributes that say what OpenTelemetry has fields for are met in one
 * pass; a length check keeps it cheap for all others.
 */
static void derive_from_attr(struct span *s, const struct span_attr *a,
			     bool *code_known)
{
	const struct span_value *v = &a->value;
	int n;

	switch (a->key.len) {
	case 5:
		if (memcmp(a->key.p, "error", 5) != 0 || *code_known)
			return;
		if (is_true(v))
			s->status = SPAN_STATUS_ERROR;
		return;
	case 9:
		if (memcmp(a->key.p, "span.kind", 9) != 0 || s->kind)
			return;
		n = v->type == SPAN_STRING ? span_kind_parse(v->str) : -1;
		if (n > 0)
			s->kind = (uint8_t)n;
		return;
	case 16:
		if (memcmp(a->key.p, "otel.status_code", 16) != 0 ||
		    *code_known)
			return;
		n = v->type == SPAN_STRING ? span_status_parse(v->str) : -1;
		if (n < 0)
			return;
		s->status = (uint8_t)n;
		*code_known = true;
		return;
	case 23:
		if (!memcmp(a->key.p, "otel.status_description", 23) &&
		    v->type == SPAN_STRING && !s->status_message.len)
			s->status_message = v->str;
		return;
	default:
		return;
	}
}

void span_derive(struct span *s)
{
	bool code_known = s->status != SPAN_STATUS_UNSET;

	for (size_t i = 0; i < s->attrs.n; i++)
		derive_from_attr(s, &s->attrs.v[i], &code_known);
	if (is_zero(s->parent_id))
		derive_parent(s);
}

bool span__plain_parent(const struct span *s)
{
	const struct span_ref *r = s->refs;

	return s->n_refs == 1 && !r->flags && !r->trace_state.len &&
	       !r->attrs.n && !r->attrs.dropped &&
	       !memcmp(r->span_id, s->parent_id, 8) &&
	       !memcmp(r->trace_id, s->trace_id, 16);
}

bool span__follows(const struct span *s)
{
	return span__plain_parent(s) && s->refs->type == SPAN_REF_FOLLOWS_FROM;
}
