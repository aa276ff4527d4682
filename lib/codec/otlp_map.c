/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/otlp_map.h"

#include <string.h>

#include "codec/decoder.h"
#include "model/model.h"

#include "base/banned.h"

#define REF_TYPE SPAN_STR("opentracing.ref_type")

/* The text of the first attribute KEY; empty when it has none. */
static struct span_str text_of(const struct span_attrs *a, struct span_str key)
{
	const struct span_value *v = span_attr_get(a, key);

	return v && v->type == SPAN_STRING ? v->str : SPAN_STR("");
}

static bool is_true(const struct span_value *v)
{
	return v &&
	       (v->type == SPAN_BOOL
			? v->b
			: v->type == SPAN_STRING &&
				  span_str_equal(v->str, SPAN_STR("true")));
}

/* 0 when there is no such tag, or not of three digits. */
static int http_status(const struct span_attrs *a)
{
	const struct span_value *v =
		span_attr_get(a, SPAN_STR("http.status_code"));
	int n = 0;

	if (!v)
		return 0;
	if (v->type == SPAN_INT)
		return v->i >= 100 && v->i < 600 ? (int)v->i : 0;
	if (v->type != SPAN_STRING || v->str.len != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (v->str.p[i] < '0' || v->str.p[i] > '9')
			return 0;
		n = n * 10 + (v->str.p[i] - '0');
	}
	return n < 600 ? n : 0;
}

static void find_status(struct span__otlp_view *v)
{
	const struct span_attrs *a = &v->s->attrs;
	int from = v->kind == SPAN_KIND_SERVER ? 500 : 400;
	bool by_tag = is_true(span_attr_get(a, SPAN_STR("error")));

	if (v->status == SPAN_STATUS_UNSET &&
	    !span_attr_get(a, SPAN_STR("otel.status_code")) &&
	    http_status(a) >= from) {
		v->status = SPAN_STATUS_ERROR;
		by_tag = true;
	}
	if (v->status == SPAN_STATUS_ERROR && by_tag && !v->message.len)
		v->message = text_of(a, SPAN_STR("http.status_message"));
}

static void find_scope(struct span__otlp_view *v)
{
	const struct span_attrs *a = &v->s->attrs;

	v->scope_name = text_of(a, SPAN_STR("otel.scope.name"));
	v->scope_version = text_of(a, SPAN_STR("otel.scope.version"));
	if (v->scope_name.len)
		return;
	v->scope_name = text_of(a, SPAN_STR("otel.library.name"));
	v->scope_version = text_of(a, SPAN_STR("otel.library.version"));
}

/* The end, or the one before the start that the last attribute has kept. */
static void find_end(struct span__otlp_view *v)
{
	const struct span *s = v->s;
	const struct span_attr *last =
		s->attrs.n ? &s->attrs.v[s->attrs.n - 1] : NULL;

	v->end_ns = span_end_ns(s);
	v->n_attrs = s->attrs.n;
	if (!(s->marks & SPAN_MARK_CLAMPED) || s->duration_ns || !last ||
	    last->value.type != SPAN_INT || !last->value.i ||
	    (uint64_t)last->value.i >= s->start_ns ||
	    !span_str_equal(last->key, SPAN__KEY_END))
		return;
	v->end_ns = (uint64_t)last->value.i;
	v->n_attrs--;
}

void span__otlp_view(struct span__otlp_view *v, const struct span *s)
{
	*v = (struct span__otlp_view){
		.s = s,
		.translated = !s->scope,
		.kind = s->kind,
		.status = s->status,
		.message = s->status_message,
		.trace_state = s->trace_state,
		.flags = s->flags,
	};
	find_end(v);
	if (!v->translated)
		return;
	v->flags &= SPAN__FLAG_SAMPLED;
	find_status(v);
	find_scope(v);
	if (!v->trace_state.len)
		v->trace_state = text_of(&s->attrs, SPAN_STR("w3c.tracestate"));
}

static bool same_resource(const struct span__otlp_view *a,
			  const struct span__otlp_view *b)
{
	const struct span_process *p = a->s->process, *q = b->s->process;

	return a->translated == b->translated &&
	       (p == q || (p->serial && p->serial == q->serial) ||
		span__process_equal(p, q));
}

static bool same_scope(const struct span__otlp_view *a,
		       const struct span__otlp_view *b)
{
	return span__scope_equal(a->s->scope, b->s->scope) &&
	       span_str_equal(a->scope_name, b->scope_name) &&
	       span_str_equal(a->scope_version, b->scope_version);
}

/* End what of the group that OPEN began has to end; NEXT is NULL at the end. */
static void close_groups(const struct span__otlp_form *form, void *arg,
			 const struct span__otlp_view *open,
			 const struct span__otlp_view *next)
{
	if (!open->s)
		return;
	form->close_scope(arg, open);
	if (!next || !same_resource(open, next))
		form->close_resource(arg, open);
}

void span__otlp_write(const struct span__otlp_form *form, void *arg,
		      const struct span_buf *b, const struct span *spans,
		      size_t n)
{
	struct span__otlp_view open = {0}, v;

	for (size_t i = 0; i < n && !b->failed; i++) {
		bool resource, scope;

		span__otlp_view(&v, &spans[i]);
		resource = !open.s || !same_resource(&open, &v);
		scope = resource || !same_scope(&open, &v);
		if (scope) {
			close_groups(form, arg, &open, &v);
			open = v;
		}
		if (resource)
			form->open_resource(arg, &v);
		if (scope)
			form->open_scope(arg, &v);
		form->span(arg, &v);
	}
	close_groups(form, arg, &open, NULL);
}

/* Does the tag say no more than the text of a field? */
static bool says(const struct span_value *v, struct span_str text)
{
	return v->type == SPAN_STRING && span_str_equal(v->str, text);
}

static bool is_otel_field(const struct span__otlp_view *v,
			  const struct span_attr *a)
{
	const struct span_value *value = &a->value;

	if (span_str_equal(a->key, SPAN_STR("otel.status_code")))
		return value->type == SPAN_STRING &&
		       span_status_parse(value->str) == v->status;
	if (span_str_equal(a->key, SPAN_STR("otel.status_description")))
		return says(value, v->message);
	if (span_str_equal(a->key, SPAN_STR("otel.scope.name")) ||
	    span_str_equal(a->key, SPAN_STR("otel.library.name")))
		return says(value, v->scope_name);
	if (span_str_equal(a->key, SPAN_STR("otel.scope.version")) ||
	    span_str_equal(a->key, SPAN_STR("otel.library.version")))
		return says(value, v->scope_version);
	return false;
}

bool span__otlp_has_attr(const struct span__otlp_view *v,
			 const struct span_attr *a)
{
	if (!v->translated)
		return true;
	if (span_str_equal(a->key, SPAN_STR("span.kind")))
		return !v->kind || a->value.type != SPAN_STRING ||
		       span_kind_parse(a->value.str) != v->kind;
	if (span_str_equal(a->key, SPAN_STR("error")))
		return v->status != SPAN_STATUS_ERROR || !is_true(&a->value);
	if (span_str_equal(a->key, SPAN_STR("w3c.tracestate")))
		return !says(&a->value, v->trace_state);
	return a->key.len < 5 || memcmp(a->key.p, "otel.", 5) != 0 ||
	       !is_otel_field(v, a);
}

struct span_attr span__otlp_process_attr(const struct span__otlp_view *v,
					 const struct span_attr *a,
					 struct span_buf *text)
{
	const struct span_attrs *attrs = &v->s->process->attrs;
	static const struct span_str host = {"host.name", 9},
				     version = {"opencensus.exporterversion",
						26};
	struct span_attr out = *a;

	if (!v->translated)
		return out;
	if (span_str_equal(a->key, SPAN_STR("hostname")) &&
	    !span_attr_get(attrs, host))
		out.key = host;
	if (span_str_equal(a->key, SPAN_STR("jaeger.version")) &&
	    a->value.type == SPAN_STRING && !span_attr_get(attrs, version)) {
		text->len = 0;
		span_buf_puts(text, "Jaeger-");
		span_buf_str(text, a->value.str);
		out.key = version;
		out.value.str = (struct span_str){text->p, text->len};
	}
	return out;
}

struct span_str span__otlp_event_name(const struct span__otlp_view *v,
				      const struct span_event *e,
				      const struct span_attr **name)
{
	*name = NULL;
	if (!v->translated || e->name.len)
		return e->name;
	for (size_t i = 0; i < e->attrs.n; i++) {
		const struct span_attr *a = &e->attrs.v[i];

		if (!span_str_equal(a->key, SPAN_STR("event")))
			continue;
		if (a->value.type != SPAN_STRING)
			break;
		*name = a;
		return a->value.str;
	}
	return e->name;
}

static bool is_plain_parent(const struct span *s, const struct span_ref *r)
{
	return r->type == SPAN_REF_CHILD_OF &&
	       !memcmp(r->span_id, s->parent_id, 8) &&
	       !memcmp(r->trace_id, s->trace_id, 16) && !r->attrs.n &&
	       !r->attrs.dropped && !r->flags && !r->trace_state.len;
}

bool span__otlp_is_link(const struct span__otlp_view *v,
			const struct span_ref *ref, struct span_str *type)
{
	*type = SPAN_STR("");
	if (ref->type == SPAN_REF_LINK)
		return true;
	if (is_plain_parent(v->s, ref))
		return false;
	if (!span_attr_get(&ref->attrs, REF_TYPE))
		*type = ref->type == SPAN_REF_CHILD_OF
				? SPAN_STR("child_of")
				: SPAN_STR("follows_from");
	return true;
}
