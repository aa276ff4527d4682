/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to an ExportTraceServiceRequest: see otlp_map.h. */
#include "codec/decoder.h"
#include "codec/otlp_map.h"
#include "codec/otlp_model.h"
#include "codec/proto_out.h"
#include "text/utf8.h"

#include "base/banned.h"

struct out {
	struct span_buf *b;
	struct span_buf text;	/* of an attribute that is made */
	size_t resource, scope; /* what is open */
};

static void put_value(struct span_buf *b, unsigned id,
		      const struct span_value *v);

static void put_attr(struct span_buf *b, unsigned id, const struct span_attr *a)
{
	size_t mark = span__proto_open(b, id);

	span__proto_opt_text(b, 1, a->key);
	put_value(b, 2, &a->value);
	span__proto_close(b, mark);
}

static void put_list(struct span_buf *b, const struct span_value *v)
{
	size_t mark = span__proto_open(b, v->type == SPAN_ARRAY ? 5 : 6);

	if (v->type == SPAN_ARRAY)
		for (size_t i = 0; i < v->array.n; i++)
			put_value(b, 1, &v->array.v[i]);
	else
		for (size_t i = 0; i < v->map.n; i++)
			put_attr(b, 1, &v->map.v[i]);
	span__proto_close(b, mark);
}

static void put_value(struct span_buf *b, unsigned id,
		      const struct span_value *v)
{
	size_t mark = span__proto_open(b, id);

	switch (v->type) {
	case SPAN_NULL:
		break;
	case SPAN_STRING:
		/* What is not UTF-8 can only be bytes there. */
		span__proto_put_bytes(b, span__utf8_valid(v->str) ? 1 : 7,
				      v->str);
		break;
	case SPAN_BOOL:
		span__proto_put_varint(b, 2, v->b);
		break;
	case SPAN_INT:
		span__proto_put_varint(b, 3, (uint64_t)v->i);
		break;
	case SPAN_DOUBLE:
		span__proto_put_double(b, 4, v->d);
		break;
	case SPAN_BYTES:
		span__proto_put_bytes(b, 7, v->str);
		break;
	case SPAN_ARRAY:
	case SPAN_MAP:
		put_list(b, v);
		break;
	}
	span__proto_close(b, mark);
}

static void put_text_attr(struct span_buf *b, unsigned id, struct span_str key,
			  struct span_str text)
{
	size_t mark = span__proto_open(b, id), value;

	span__proto_put_bytes(b, 1, key);
	value = span__proto_open(b, 2);
	span__proto_put_text(b, 1, text);
	span__proto_close(b, value);
	span__proto_close(b, mark);
}

static void put_attrs(struct span_buf *b, unsigned id,
		      const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++)
		put_attr(b, id, &a->v[i]);
	span__proto_opt_varint(b, id + 1, a->dropped);
}

static void put_time(struct span_buf *b, unsigned id, uint64_t ns)
{
	if (ns)
		span__proto_put_fixed64(b, id, ns);
}

static void put_id(struct span_buf *b, unsigned id, const uint8_t *p,
		   size_t len)
{
	span__proto_put_bytes(b, id, (struct span_str){(const char *)p, len});
}

static void put_event(struct out *o, const struct span__otlp_view *v,
		      const struct span_event *e)
{
	size_t mark = span__proto_open(o->b, 11);
	const struct span_attr *name;

	put_time(o->b, 1, e->time_ns);
	span__proto_opt_text(o->b, 2, span__otlp_event_name(v, e, &name));
	for (size_t i = 0; i < e->attrs.n; i++)
		if (&e->attrs.v[i] != name)
			put_attr(o->b, 3, &e->attrs.v[i]);
	span__proto_opt_varint(o->b, 4, e->attrs.dropped);
	span__proto_close(o->b, mark);
}

static void put_link(struct out *o, const struct span__otlp_view *v,
		     const struct span_ref *r)
{
	struct span_str type;
	size_t mark;

	if (!span__otlp_is_link(v, r, &type))
		return;
	mark = span__proto_open(o->b, 13);
	put_id(o->b, 1, r->trace_id, 16);
	put_id(o->b, 2, r->span_id, 8);
	span__proto_opt_text(o->b, 3, r->trace_state);
	if (type.len)
		put_text_attr(o->b, 4, SPAN_STR("opentracing.ref_type"), type);
	put_attrs(o->b, 4, &r->attrs);
	if (r->flags)
		span__proto_put_fixed32(o->b, 6, r->flags);
	span__proto_close(o->b, mark);
}

static void put_status(struct span_buf *b, const struct span__otlp_view *v)
{
	size_t mark;

	if (!v->status && !v->message.len)
		return;
	mark = span__proto_open(b, 15);
	span__proto_opt_text(b, 2, v->message);
	span__proto_opt_varint(b, 3, v->status);
	span__proto_close(b, mark);
}

static void put_lists(struct out *o, const struct span__otlp_view *v)
{
	const struct span *s = v->s;
	struct span_buf *b = o->b;

	for (size_t i = 0; i < v->n_attrs; i++)
		if (span__otlp_has_attr(v, &s->attrs.v[i]))
			put_attr(b, 9, &s->attrs.v[i]);
	span__proto_opt_varint(b, 10, s->attrs.dropped);
	for (size_t i = 0; i < s->n_events; i++)
		put_event(o, v, &s->events[i]);
	span__proto_opt_varint(b, 12, s->dropped_events);
	for (size_t i = 0; i < s->n_refs; i++)
		put_link(o, v, &s->refs[i]);
	span__proto_opt_varint(b, 14, s->dropped_refs);
}

static void put_span(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	static const uint8_t none[8];
	const struct span *s = v->s;
	struct span_buf *b = o->b;
	size_t mark = span__proto_open(b, 2);

	put_id(b, 1, s->trace_id, 16);
	put_id(b, 2, s->span_id, 8);
	span__proto_opt_text(b, 3, v->trace_state);
	if (memcmp(s->parent_id, none, 8) != 0)
		put_id(b, 4, s->parent_id, 8);
	span__proto_opt_text(b, 5, s->name);
	span__proto_opt_varint(b, 6, v->kind);
	put_time(b, 7, s->start_ns);
	put_time(b, 8, v->end_ns);
	put_lists(o, v);
	put_status(b, v);
	if (v->flags)
		span__proto_put_fixed32(b, 16, v->flags);
	span__proto_close(b, mark);
}

static void open_resource(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_process *p = v->s->process;
	size_t mark;

	o->resource = span__proto_open(o->b, 1);
	mark = span__proto_open(o->b, 1);
	put_text_attr(o->b, 1, SPAN_STR("service.name"), p->service);
	for (size_t i = 0; i < p->attrs.n; i++) {
		struct span_attr a =
			span__otlp_process_attr(v, &p->attrs.v[i], &o->text);

		put_attr(o->b, 1, &a);
	}
	span__proto_opt_varint(o->b, 2, p->attrs.dropped);
	span__proto_close(o->b, mark);
}

static void open_scope(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_scope *c = v->s->scope;
	size_t mark;

	o->scope = span__proto_open(o->b, 2);
	mark = span__proto_open(o->b, 1);
	span__proto_opt_text(o->b, 1, c ? c->name : v->scope_name);
	span__proto_opt_text(o->b, 2, c ? c->version : v->scope_version);
	if (c)
		put_attrs(o->b, 3, &c->attrs);
	span__proto_close(o->b, mark);
}

static void close_scope(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;
	const struct span_scope *c = v->s->scope;

	if (c)
		span__proto_opt_text(o->b, 3, c->schema_url);
	span__proto_close(o->b, o->scope);
}

static void close_resource(void *arg, const struct span__otlp_view *v)
{
	struct out *o = arg;

	span__proto_opt_text(o->b, 3, v->s->process->schema_url);
	span__proto_close(o->b, o->resource);
}

static const struct span__otlp_form form = {
	.open_resource = open_resource,
	.close_resource = close_resource,
	.open_scope = open_scope,
	.close_scope = close_scope,
	.span = put_span,
};

int span__otlp_proto_write(struct span_buf *b, const struct span *spans,
			   size_t n, struct span_error *err)
{
	struct out o = {.b = b};

	span__otlp_write(&form, &o, b, spans, n);
	b->failed |= o.text.failed;
	span_buf_release(&o.text);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}
