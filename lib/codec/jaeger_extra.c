/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/jaeger_extra.h"

#include "base/banned.h"

const struct span__warning span__warnings[] = {
	{SPAN_MARK_CUT, {"a text, list or nesting was cut", 31}},
	{SPAN_MARK_CLAMPED, {"a time did not fit and was clamped", 34}},
	{SPAN_MARK_RENAMED, {"a name was missing, empty or not UTF-8", 38}},
	{0, {NULL, 0}},
};

static void add(struct span__extra *x, const char *key, struct span_value v)
{
	x->v[x->n++] = (struct span_attr){span_str(key), v};
}

static void add_text(struct span__extra *x, const char *key,
		     struct span_str text)
{
	if (text.len)
		add(x, key,
		    (struct span_value){.type = SPAN_STRING, .str = text});
}

static void add_missing(struct span__extra *x, const struct span *s,
			const char *key, struct span_str text)
{
	if (!span_attr_get(&s->attrs, span_str(key)))
		add_text(x, key, text);
}

/* "OK" or "ERROR"; empty for what Jaeger has no word for. */
static struct span_str code_of(const struct span *s)
{
	if (s->status == SPAN_STATUS_OK)
		return SPAN_STR("OK");
	return s->status == SPAN_STATUS_ERROR ? SPAN_STR("ERROR")
					      : SPAN_STR("");
}

/*
 * What a field says and a tag denies: a reader takes the first of several tags,
 * so one before the span's own says what the field does.
 */
static void add_denied(struct span__extra *x, const struct span *s,
		       const struct span *said)
{
	const struct span_attrs *a = &s->attrs;

	if (said->kind != s->kind && span_attr_get(a, SPAN_STR("span.kind")))
		add_text(x, "span.kind", span_str(span_kind_name(s->kind)));
	if (said->status != s->status &&
	    span_attr_get(a, SPAN_STR("otel.status_code")))
		add_text(x, "otel.status_code", code_of(s));
	if (!span_str_equal(said->status_message, s->status_message) &&
	    span_attr_get(a, SPAN_STR("otel.status_description")))
		add_text(x, "otel.status_description", s->status_message);
}

static void add_status(struct span__extra *x, const struct span *s)
{
	add_missing(x, s, "otel.status_code", code_of(s));
	if (s->status == SPAN_STATUS_ERROR &&
	    !span_attr_get(&s->attrs, SPAN_STR("error")))
		add(x, "error",
		    (struct span_value){.type = SPAN_BOOL, .b = true});
}

void span__extra_find(const struct span *s, struct span__extra *x)
{
	struct span said = {.attrs = s->attrs, .process = s->process};

	x->n = 0;
	span_derive(&said);
	if (s->scope) {
		add_missing(x, s, "otel.scope.name", s->scope->name);
		add_missing(x, s, "otel.scope.version", s->scope->version);
	}
	add_denied(x, s, &said);
	x->n_before = x->n;
	if (said.kind != s->kind)
		add_missing(x, s, "span.kind",
			    span_str(span_kind_name(s->kind)));
	if (said.status != s->status)
		add_status(x, s);
	if (!span_str_equal(said.status_message, s->status_message))
		add_missing(x, s, "otel.status_description", s->status_message);
	add_missing(x, s, "w3c.tracestate", s->trace_state);
}

uint32_t span__extra_flags(const struct span *s)
{
	return s->scope ? s->flags & SPAN__FLAG_SAMPLED : s->flags;
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
