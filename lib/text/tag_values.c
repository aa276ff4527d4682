/* SPDX-License-Identifier: Apache-2.0 */
#include "text/tag_values.h"

#include <string.h>

#include "base/bytes.h"
#include "text/parse.h"

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

static struct span_str status_code(const struct span *s)
{
	if (s->status == SPAN_STATUS_ERROR)
		return SPAN_STR("ERROR");
	if (s->status == SPAN_STATUS_OK)
		return SPAN_STR("OK");
	return (struct span_str){0};
}

struct span_str span__derived_text(enum span__derived d, const struct span *s)
{
	const struct span_str none = {0};

	switch (d) {
	case SPAN__DERIVED_ERROR:
		return span_is_error(s) ? SPAN_STR("true") : SPAN_STR("false");
	case SPAN__DERIVED_KIND:
		return span_str(span_kind_name(s->kind));
	case SPAN__DERIVED_SCOPE_NAME:
		return s->scope ? s->scope->name : none;
	case SPAN__DERIVED_SCOPE_VERSION:
		return s->scope ? s->scope->version : none;
	case SPAN__DERIVED_SERVICE:
		return s->process->service;
	case SPAN__DERIVED_STATUS:
		return span_str(span_status_name(s->status));
	case SPAN__DERIVED_STATUS_CODE:
		return status_code(s);
	case SPAN__DERIVED_STATUS_MESSAGE:
		return s->status_message;
	case SPAN__DERIVED_TRACE_STATE:
		return s->trace_state;
	default:
		return none;
	}
}

int span__attr_values(const struct span_attrs *a, struct span_str key,
		      span__tag_value_fn *fn, void *arg)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct span_attr *attr = &a->v[i];
		int rc;

		if (!span__str_equal(attr->key, key))
			continue;
		rc = fn(arg, &attr->value);
		if (rc)
			return rc;
	}
	return 0;
}

static int ask_text(struct span_str text, span__tag_value_fn *fn, void *arg)
{
	struct span_value v = {.type = SPAN_STRING, .str = text};

	return text.len ? fn(arg, &v) : 0;
}

static int event_values(const struct span *s, struct span_str key,
			enum span__derived derived, span__tag_value_fn *fn,
			void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < s->n_events && !rc; i++) {
		rc = span__attr_values(&s->events[i].attrs, key, fn, arg);
		if (!rc && derived == SPAN__DERIVED_EVENT)
			rc = ask_text(s->events[i].name, fn, arg);
	}
	return rc;
}

int span__tag_values(const struct span *s, struct span_str key,
		     enum span__derived derived, span__tag_value_fn *fn,
		     void *arg)
{
	int rc = span__attr_values(&s->attrs, key, fn, arg);

	if (!rc && derived)
		rc = ask_text(span__derived_text(derived, s), fn, arg);
	if (!rc)
		rc = span__attr_values(&s->process->attrs, key, fn, arg);
	if (!rc)
		rc = event_values(s, key, derived, fn, arg);
	if (!rc && s->scope)
		rc = span__attr_values(&s->scope->attrs, key, fn, arg);
	for (size_t i = 0; i < s->n_refs && !rc; i++)
		rc = span__attr_values(&s->refs[i].attrs, key, fn, arg);
	return rc;
}

bool span__int_of(struct span_str s, int64_t *out)
{
	bool minus = s.len && s.p[0] == '-';
	size_t i = minus;
	uint64_t n = 0, max = (uint64_t)INT64_MAX + minus;

	if (s.len == i || (s.p[i] == '0' && s.len > 1))
		return false;
	for (; i < s.len; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (digit > 9 || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = (int64_t)(minus ? 0 - n : n);
	return true;
}

void span__tag_eq_init(struct span__tag_eq *eq, struct span_str key,
		       struct span_str value)
{
	*eq = (struct span__tag_eq){.key = key, .value = value};
	eq->derived = span__derived_find(key);
	eq->is_int = span__int_of(value, &eq->i);
	/* What a double prints as is read back as the same double. */
	eq->is_double = span__text_to_double(value, &eq->d);
	eq->is_true = span_str_equal(value, SPAN_STR("true"));
	eq->is_false = span_str_equal(value, SPAN_STR("false"));
}

int span__tag_eq_value(const struct span__tag_eq *eq,
		       const struct span_value *v, struct span_buf *text)
{
	switch (v->type) {
	case SPAN_STRING:
		return span__str_equal(v->str, eq->value);
	case SPAN_INT:
		return eq->is_int && eq->i == v->i;
	case SPAN_BOOL:
		return v->b ? eq->is_true : eq->is_false;
	case SPAN_DOUBLE:
		if (!eq->is_double)
			return 0;
		break;
	default:
		break;
	}
	text->len = 0;
	span_text_value(text, v);
	if (text->failed)
		return SPAN_E_NOMEM;
	return span_str_equal((struct span_str){text->p, text->len}, eq->value);
}

struct asked {
	const struct span__tag_eq *eq;
	struct span_buf *text;
};

static int is_equal(void *arg, const struct span_value *v)
{
	const struct asked *a = arg;

	return span__tag_eq_value(a->eq, v, a->text);
}

int span__tag_eq_attrs(const struct span__tag_eq *eq,
		       const struct span_attrs *a, struct span_buf *text)
{
	struct asked asked = {eq, text};

	return span__attr_values(a, eq->key, is_equal, &asked);
}

int span__tag_eq_span(const struct span__tag_eq *eq, const struct span *s,
		      struct span_buf *text)
{
	struct asked asked = {eq, text};

	return span__tag_values(s, eq->key, eq->derived, is_equal, &asked);
}
