/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tag conditions on a span, with Jaeger's meaning: a key's values are those of
 * the span's tags, of its process, scope, events and links, and the fields
 * that Jaeger shows as tags. A value is compared by its text. A condition
 * holds when one value fits; a negated one when none does, which includes
 * that there is none.
 */
#include "query/match.h"

#include <span/text.h>

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const struct {
	struct span_str key;
	enum span__derived derived;
} derived_keys[] = {
	{{"error", 5}, SPAN__DERIVED_ERROR},
	{{"event", 5}, SPAN__DERIVED_EVENT},
	{{"otel.scope.name", 15}, SPAN__DERIVED_SCOPE_NAME},
	{{"otel.scope.version", 18}, SPAN__DERIVED_SCOPE_VERSION},
	{{"otel.status_code", 16}, SPAN__DERIVED_STATUS_CODE},
	{{"otel.status_description", 23}, SPAN__DERIVED_STATUS_MESSAGE},
	{{"service.name", 12}, SPAN__DERIVED_SERVICE},
	{{"span.kind", 9}, SPAN__DERIVED_KIND},
	{{"status", 6}, SPAN__DERIVED_STATUS},
	{{"w3c.tracestate", 14}, SPAN__DERIVED_TRACE_STATE},
};

enum span__derived span__derived_find(struct span_str key)
{
	for (size_t i = 0; i < sizeof(derived_keys) / sizeof(*derived_keys);
	     i++)
		if (span_str_equal(key, derived_keys[i].key))
			return derived_keys[i].derived;
	return SPAN__DERIVED_NONE;
}

/* What one condition is asked about, and what one call shares. */
struct asked {
	const struct span__tag *tag;
	struct span_buf *text;
	struct span_error *err;
};

static int text_fits(const struct asked *a, struct span_str text)
{
	if (a->tag->regex)
		return span__regex_match(a->tag->regex, text, a->err);
	return span_str_equal(a->tag->value, text);
}

static int value_fits(const struct asked *a, const struct span_value *v)
{
	if (v->type == SPAN_STRING)
		return text_fits(a, v->str);
	if (!a->tag->regex && v->type == SPAN_INT)
		return a->tag->is_int && a->tag->i == v->i;
	if (!a->tag->regex && v->type == SPAN_BOOL)
		return v->b ? a->tag->is_true : a->tag->is_false;
	a->text->len = 0;
	span_text_value(a->text, v);
	if (a->text->failed)
		return span_error_set(a->err, SPAN_E_NOMEM, "memory is out");
	return text_fits(a, (struct span_str){a->text->p, a->text->len});
}

static int attrs_fit(const struct asked *a, const struct span_attrs *attrs)
{
	struct span_str key = a->tag->key;

	for (size_t i = 0; i < attrs->n; i++) {
		const struct span_attr *attr = &attrs->v[i];
		int rc;

		if (attr->key.len != key.len ||
		    (key.len && memcmp(attr->key.p, key.p, key.len) != 0))
			continue;
		rc = value_fits(a, &attr->value);
		if (rc)
			return rc;
	}
	return 0;
}

/* A field that is empty is not there. */
static int field_fits(const struct asked *a, struct span_str text)
{
	return text.len ? text_fits(a, text) : 0;
}

static int events_fit(const struct asked *a, const struct span *s)
{
	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];
		int rc = attrs_fit(a, &e->attrs);

		if (!rc && a->tag->derived == SPAN__DERIVED_EVENT)
			rc = field_fits(a, e->name);
		if (rc)
			return rc;
	}
	return 0;
}

static int refs_fit(const struct asked *a, const struct span *s)
{
	for (size_t i = 0; i < s->n_refs; i++) {
		int rc = attrs_fit(a, &s->refs[i].attrs);

		if (rc)
			return rc;
	}
	return 0;
}

static struct span_str status_code(const struct span *s)
{
	if (s->status == SPAN_STATUS_ERROR)
		return SPAN_STR("ERROR");
	if (s->status == SPAN_STATUS_OK)
		return SPAN_STR("OK");
	return (struct span_str){0};
}

static int derived_fits(const struct asked *a, const struct span *s)
{
	switch (a->tag->derived) {
	case SPAN__DERIVED_ERROR:
		return text_fits(a, span_is_error(s) ? SPAN_STR("true")
						     : SPAN_STR("false"));
	case SPAN__DERIVED_KIND:
		return field_fits(a, span_str(span_kind_name(s->kind)));
	case SPAN__DERIVED_SCOPE_NAME:
		return s->scope ? field_fits(a, s->scope->name) : 0;
	case SPAN__DERIVED_SCOPE_VERSION:
		return s->scope ? field_fits(a, s->scope->version) : 0;
	case SPAN__DERIVED_SERVICE:
		return field_fits(a, s->process->service);
	case SPAN__DERIVED_STATUS:
		return field_fits(a, span_str(span_status_name(s->status)));
	case SPAN__DERIVED_STATUS_CODE:
		return field_fits(a, status_code(s));
	case SPAN__DERIVED_STATUS_MESSAGE:
		return field_fits(a, s->status_message);
	case SPAN__DERIVED_TRACE_STATE:
		return field_fits(a, s->trace_state);
	default:
		return 0;
	}
}

/* Does one value of the key fit? */
static int span_fits(const struct asked *a, const struct span *s)
{
	int rc = attrs_fit(a, &s->attrs);

	if (!rc && a->tag->derived)
		rc = derived_fits(a, s);
	if (!rc)
		rc = attrs_fit(a, &s->process->attrs);
	if (!rc)
		rc = events_fit(a, s);
	if (!rc && s->scope)
		rc = attrs_fit(a, &s->scope->attrs);
	if (!rc)
		rc = refs_fit(a, s);
	return rc;
}

int span__tags_match(const struct span__tags *tags, const struct span *s,
		     struct span_error *err)
{
	for (size_t i = 0; i < tags->n; i++) {
		struct asked a = {&tags->v[i], tags->text, err};
		int rc = span_fits(&a, s);

		if (rc < 0)
			return rc;
		if ((rc > 0) == tags->v[i].negate)
			return 0;
	}
	return 1;
}

void span__tags_release(struct span__tags *tags)
{
	for (size_t i = 0; i < tags->n; i++)
		span__regex_close(&tags->v[i].regex);
	if (tags->text)
		span_buf_release(tags->text);
	free(tags->text);
	*tags = (struct span__tags){0};
}
