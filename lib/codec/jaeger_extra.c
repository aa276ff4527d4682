/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/jaeger_extra.h"

#include "base/banned.h"

const struct span__warning span__warnings[] = {
	{SPAN_MARK_CUT, {"a text, list or nesting was cut", 31}},
	{SPAN_MARK_CLAMPED, {"a time did not fit and was clamped", 34}},
	{SPAN_MARK_RENAMED, {"a missing or empty name was filled in", 37}},
	{0, {NULL, 0}},
};

static void add(struct span__extra *x, const char *key, struct span_value v)
{
	x->v[x->n++] = (struct span_attr){span_str(key), v};
}

static void add_text(struct span__extra *x, const struct span *s,
		     const char *key, struct span_str text)
{
	if (text.len && !span_attr_get(&s->attrs, span_str(key)))
		add(x, key,
		    (struct span_value){.type = SPAN_STRING, .str = text});
}

static void add_status(struct span__extra *x, const struct span *s)
{
	if (s->status == SPAN_STATUS_OK)
		add_text(x, s, "otel.status_code", SPAN_STR("OK"));
	if (s->status != SPAN_STATUS_ERROR)
		return;
	add_text(x, s, "otel.status_code", SPAN_STR("ERROR"));
	if (!span_attr_get(&s->attrs, SPAN_STR("error")))
		add(x, "error",
		    (struct span_value){.type = SPAN_BOOL, .b = true});
}

void span__extra_find(const struct span *s, struct span__extra *x)
{
	struct span said = {.attrs = s->attrs, .process = s->process};

	*x = (struct span__extra){0};
	span_derive(&said);
	if (s->scope) {
		add_text(x, s, "otel.scope.name", s->scope->name);
		add_text(x, s, "otel.scope.version", s->scope->version);
	}
	x->n_before = x->n;
	if (said.kind != s->kind)
		add_text(x, s, "span.kind", span_str(span_kind_name(s->kind)));
	if (said.status != s->status)
		add_status(x, s);
	if (!span_str_equal(said.status_message, s->status_message))
		add_text(x, s, "otel.status_description", s->status_message);
	add_text(x, s, "w3c.tracestate", s->trace_state);
}

int32_t span__extra_ref_type(const struct span_ref *r)
{
	const struct span_value *v;

	if (r->type != SPAN_REF_LINK)
		return r->type;
	v = span_attr_get(&r->attrs, SPAN_STR("opentracing.ref_type"));
	if (v && v->type == SPAN_STRING &&
	    span_str_equal(v->str, SPAN_STR("child_of")))
		return SPAN_REF_CHILD_OF;
	return SPAN_REF_FOLLOWS_FROM;
}

bool span__extra_parent(const struct span *s, const struct span_ref **link)
{
	static const uint8_t none[8];

	*link = NULL;
	if (!memcmp(s->parent_id, none, sizeof(none)))
		return false;
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		if (memcmp(r->span_id, s->parent_id, 8) != 0 ||
		    memcmp(r->trace_id, s->trace_id, 16) != 0)
			continue;
		if (r->type != SPAN_REF_LINK)
			return false;
		*link = r;
		return true;
	}
	return true;
}

bool span__extra_is_warnings(const struct span_attr *a)
{
	if (a->value.type != SPAN_ARRAY || !a->value.array.n ||
	    !span_str_equal(a->key, SPAN__KEY_WARNINGS))
		return false;
	for (size_t i = 0; i < a->value.array.n; i++)
		if (a->value.array.v[i].type != SPAN_STRING)
			return false;
	return true;
}
