/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to an ExportTraceServiceRequest in OTLP's JSON, one object in one
 * line as the file exporter writes it: see otlp_map.h.
 */
#include "codec/decoder.h"
#include "codec/otlp_map.h"
#include "codec/otlp_model.h"

#include <span/text.h>

#include <math.h>

#include "base/banned.h"

struct out {
	struct span_buf *b;
	struct span_buf text; /* of an attribute that is made */
};

static void put_value(struct span_buf *b, const struct span_value *v);

/* A comma where something stands before in the array or object. */
static void put_comma(struct span_buf *b)
{
	if (b->len && b->p[b->len - 1] != '[' && b->p[b->len - 1] != '{')
		span_buf_putc(b, ',');
}

/* NAME is of ours: it needs no escapes. */
static void put_name(struct span_buf *b, const char *name)
{
	put_comma(b);
	span_buf_putc(b, '"');
	span_buf_puts(b, name);
	span_buf_puts(b, "\":");
}

static void put_text(struct span_buf *b, const char *name, struct span_str s)
{
	if (!s.len)
		return;
	put_name(b, name);
	span_text_json(b, s);
}

static void put_number(struct span_buf *b, const char *name, uint64_t n)
{
	if (!n)
		return;
	put_name(b, name);
	span_text_uint(b, n);
}

static void put_time(struct span_buf *b, const char *name, uint64_t ns)
{
	put_name(b, name);
	span_buf_putc(b, '"');
	span_text_uint(b, ns);
	span_buf_putc(b, '"');
}

static void put_id(struct span_buf *b, const char *name, const uint8_t *id,
		   size_t len)
{
	put_name(b, name);
	span_buf_putc(b, '"');
	span_text_hex(b, (struct span_str){(const char *)id, len});
	span_buf_putc(b, '"');
}

static void put_attr(struct span_buf *b, const struct span_attr *a)
{
	put_comma(b);
	span_buf_puts(b, "{\"key\":");
	span_text_json(b, a->key);
	span_buf_puts(b, ",\"value\":");
	put_value(b, &a->value);
	span_buf_putc(b, '}');
}

static void put_list(struct span_buf *b, const struct span_value *v)
{
	bool array = v->type == SPAN_ARRAY;
	size_t n = array ? v->array.n : v->map.n;

	span_buf_puts(b, array ? "\"arrayValue\":{\"values\":["
			       : "\"kvlistValue\":{\"values\":[");
	for (size_t i = 0; i < n; i++) {
		if (!array) {
			put_attr(b, &v->map.v[i]);
			continue;
		}
		put_comma(b);
		put_value(b, &v->array.v[i]);
	}
	span_buf_puts(b, "]}");
}

static void put_double(struct span_buf *b, double d)
{
	const char *quote = isfinite(d) ? "" : "\"";

	put_name(b, "doubleValue");
	span_buf_puts(b, quote);
	span_text_double(b, d);
	span_buf_puts(b, quote);
}

static void put_value(struct span_buf *b, const struct span_value *v)
{
	span_buf_putc(b, '{');
	switch (v->type) {
	case SPAN_NULL:
		break;
	case SPAN_STRING:
		put_name(b, "stringValue");
		span_text_json(b, v->str);
		break;
	case SPAN_BOOL:
		put_name(b, "boolValue");
		span_buf_puts(b, v->b ? "true" : "false");
		break;
	case SPAN_INT:
		put_name(b, "intValue");
		span_buf_putc(b, '"');
		span_text_int(b, v->i);
		span_buf_putc(b, '"');
		break;
	case SPAN_DOUBLE:
		put_double(b, v->d);
		break;
	case SPAN_BYTES:
		put_name(b, "bytesValue");
		span_buf_putc(b, '"');
		span_text_base64(b, v->str);
		span_buf_putc(b, '"');
		break;
	case SPAN_ARRAY:
	case SPAN_MAP:
		put_list(b, v);
		break;
	}
	span_buf_putc(b, '}');
}

static void put_text_attr(struct span_buf *b, struct span_str key,
			  struct span_str text)
{
	struct span_attr a = {key, {.type = SPAN_STRING, .str = text}};

	put_attr(b, &a);
}

static void open_list(struct span_buf *b, const char *name)
{
	put_name(b, name);
	span_buf_putc(b, '[');
}

static void put_attrs(struct span_buf *b, const struct span_attrs *a)
{
	if (a->n) {
		open_list(b, "attributes");
		for (size_t i = 0; i < a->n; i++)
			put_attr(b, &a->v[i]);
		span_buf_putc(b, ']');
	}
	put_number(b, "droppedAttributesCount", a->dropped);
}

static void put_event(struct out *o, const struct span__otlp_view *v,
		      const struct span_event *e)
{
	struct span_buf *b = o->b;
	const struct span_attr *name;

	put_comma(b);
	span_buf_putc(b, '{');
	put_time(b, "timeUnixNano", e->time_ns);
	put_text(b, "name", span__otlp_event_name(v, e, &name));
	open_list(b, "attributes");
	for (size_t i = 0; i < e->attrs.n; i++)
		if (&e->attrs.v[i] != name)
			put_attr(b, &e->attrs.v[i]);
	span_buf_putc(b, ']');
	put_number(b, "droppedAttributesCount", e->attrs.dropped);
	span_buf_putc(b, '}');
}

static void put_link(struct out *o, const struct span__otlp_view *v,
		     const struct span_ref *r)
{
	struct span_buf *b = o->b;
	struct span_str type;

	if (!span__otlp_is_link(v, r, &type))
		return;
	put_comma(b);
	span_buf_putc(b, '{');
	put_id(b, "traceId", r->trace_id, 16);
	put_id(b, "spanId", r->span_id, 8);
	put_text(b, "traceState", r->trace_state);
	open_list(b, "attributes");
	if (type.len)
		put_text_attr(b, SPAN_STR("opentracing.ref_type"), type);
	for (size_t i = 0; i < r->attrs.n; i++)
		put_attr(b, &r->attrs.v[i]);
	span_buf_putc(b, ']');
	put_number(b, "droppedAttributesCount", r->attrs.dropped);
	put_number(b, "flags", r->flags);
	span_buf_putc(b, '}');
}

static void put_events(struct out *o, const struct span__otlp_view *v)
{
	const struct span *s = v->s;

	if (s->n_events) {
		open_list(o->b, "events");
		for (size_t i = 0; i < s->n_events; i++)
			put_event(o, v, &s->events[i]);
		span_buf_putc(o->b, ']');
	}
	put_number(o->b, "droppedEventsCount", s->dropped_events);
}

static void put_links(struct out *o, const struct span__otlp_view *v)
{
	const struct span *s = v->s;

	if (s->n_refs) {
		open_list(o->b, "links");
		for (size_t i = 0; i < s->n_refs; i++)
			put_link(o, v, &s->refs[i]);
		span_buf_putc(o->b, ']');
	}
	put_number(o->b, "droppedLinksCount", s->dropped_refs);
}

static void put_status(struct span_buf *b, const struct span__otlp_view *v)
{
	put_name(b, "status");
	span_buf_putc(b, '{');
	put_text(b, "message", v->message);
	put_number(b, "code", v->status);
	span_buf_putc(b, '}');
}

static void put_span(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	static const uint8_t none[8];
	const struct span *s = v->s;
	struct span_buf *b = o->b;

	put_comma(b);
	span_buf_putc(b, '{');
	put_id(b, "traceId", s->trace_id, 16);
	put_id(b, "spanId", s->span_id, 8);
	put_text(b, "traceState", v->trace_state);
	if (memcmp(s->parent_id, none, 8) != 0)
		put_id(b, "parentSpanId", s->parent_id, 8);
	put_number(b, "flags", v->flags);
	put_text(b, "name", s->name);
	put_number(b, "kind", v->kind);
	put_time(b, "startTimeUnixNano", s->start_ns);
	put_time(b, "endTimeUnixNano", v->end_ns);
	open_list(b, "attributes");
	for (size_t i = 0; i < v->n_attrs; i++)
		if (span__otlp_has_attr(v, &s->attrs.v[i]))
			put_attr(b, &s->attrs.v[i]);
	span_buf_putc(b, ']');
	put_number(b, "droppedAttributesCount", s->attrs.dropped);
	put_events(o, v);
	put_links(o, v);
	put_status(b, v);
	span_buf_putc(b, '}');
}

static void open_resource(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_process *p = v->s->process;
	struct span_buf *b = o->b;

	put_comma(b);
	span_buf_puts(b, "{\"resource\":{\"attributes\":[");
	put_text_attr(b, SPAN_STR("service.name"), p->service);
	for (size_t i = 0; i < p->attrs.n; i++) {
		struct span_attr a =
			span__otlp_process_attr(v, &p->attrs.v[i], &o->text);

		put_attr(b, &a);
	}
	span_buf_putc(b, ']');
	put_number(b, "droppedAttributesCount", p->attrs.dropped);
	span_buf_puts(b, "},\"scopeSpans\":[");
}

static void open_scope(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_scope *c = v->s->scope;

	put_comma(o->b);
	span_buf_puts(o->b, "{\"scope\":{");
	put_text(o->b, "name", c ? c->name : v->scope_name);
	put_text(o->b, "version", c ? c->version : v->scope_version);
	if (c)
		put_attrs(o->b, &c->attrs);
	span_buf_puts(o->b, "},\"spans\":[");
}

static void close_scope(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_scope *c = v->s->scope;

	span_buf_putc(o->b, ']');
	if (c)
		put_text(o->b, "schemaUrl", c->schema_url);
	span_buf_putc(o->b, '}');
}

static void close_resource(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;

	span_buf_putc(o->b, ']');
	put_text(o->b, "schemaUrl", v->s->process->schema_url);
	span_buf_putc(o->b, '}');
}

static const struct span__otlp_form form = {
	.open_resource = open_resource,
	.close_resource = close_resource,
	.open_scope = open_scope,
	.close_scope = close_scope,
	.span = put_span,
};

int span__otlp_json_write(struct span_buf *b, const struct span *spans,
			  size_t n, struct span_error *err)
{
	struct out o = {.b = b};

	span_buf_puts(b, "{\"resourceSpans\":[");
	span__otlp_write(&form, &o, b, spans, n);
	span_buf_puts(b, "]}");
	b->failed |= o.text.failed;
	span_buf_release(&o.text);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}
