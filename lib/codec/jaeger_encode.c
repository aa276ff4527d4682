/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to Jaeger's Thrift Batch. */
#include "codec/jaeger_extra.h"
#include "codec/thrift_out.h"
#include "model/model.h"

#include <span/text.h>

#include "base/id.h"

#include "base/banned.h"

enum tag_type { TAG_STRING, TAG_DOUBLE, TAG_BOOL, TAG_LONG, TAG_BINARY };

struct out {
	struct span__thrift_out t;
	struct span_buf text; /* a value that has to be made text first */
};

static void put_i32(struct out *o, int *last, int id, int32_t v)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_I32);
	span__thrift_put_i32(&o->t, v);
}

static void put_i64(struct out *o, int *last, int id, int64_t v)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_I64);
	span__thrift_put_i64(&o->t, v);
}

static void put_string(struct out *o, int *last, int id, struct span_str s)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_STRING);
	span__thrift_put_string(&o->t, s);
}

static void put_list(struct out *o, int *last, int id, size_t n)
{
	span__thrift_put_field(&o->t, last, id, THRIFT_LIST);
	span__thrift_put_list(&o->t, THRIFT_STRUCT, n);
}

static void put_text_tag(struct out *o, int *last, const struct span_value *v)
{
	put_i32(o, last, 2, TAG_STRING);
	o->text.len = 0;
	if (v->type != SPAN_NULL)
		span_text_value(&o->text, v);
	put_string(o, last, 3, (struct span_str){o->text.p, o->text.len});
}

static void put_tag(struct out *o, const struct span_attr *a)
{
	const struct span_value *v = &a->value;
	int last = 0;

	put_string(o, &last, 1, a->key);
	switch (v->type) {
	case SPAN_STRING:
		put_i32(o, &last, 2, TAG_STRING);
		put_string(o, &last, 3, v->str);
		break;
	case SPAN_DOUBLE:
		put_i32(o, &last, 2, TAG_DOUBLE);
		span__thrift_put_field(&o->t, &last, 4, THRIFT_DOUBLE);
		span__thrift_put_double(&o->t, v->d);
		break;
	case SPAN_BOOL:
		put_i32(o, &last, 2, TAG_BOOL);
		span__thrift_put_bool(&o->t, &last, 5, v->b);
		break;
	case SPAN_INT:
		put_i32(o, &last, 2, TAG_LONG);
		put_i64(o, &last, 6, v->i);
		break;
	case SPAN_BYTES:
		put_i32(o, &last, 2, TAG_BINARY);
		put_string(o, &last, 7, v->str);
		break;
	default:
		put_text_tag(o, &last, v);
	}
	span__thrift_put_stop(&o->t);
}

static void put_tags(struct out *o, const struct span_attr *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_tag(o, &v[i]);
}

static void put_event(struct out *o, const struct span *s,
		      const struct span_event *e)
{
	struct span_attr name = {SPAN_STR("event"),
				 {.type = SPAN_STRING, .str = e->name}};
	bool named = e->name.len && !span_attr_get(&e->attrs, name.key);
	size_t n = e->attrs.n;
	int last = 0;

	put_i64(o, &last, 1,
		span__original_us(s, &e->attrs, &n, SPAN__KEY_TIME,
				  e->time_ns));
	put_list(o, &last, 2, n + named);
	put_tags(o, &name, named);
	put_tags(o, e->attrs.v, n);
	span__thrift_put_stop(&o->t);
}

static int64_t id_at(const uint8_t *p)
{
	return (int64_t)span__id_get(p);
}

static void put_ref(struct out *o, const struct span_ref *r)
{
	int last = 0;

	put_i32(o, &last, 1, span__extra_ref_type(r));
	put_i64(o, &last, 2, id_at(r->trace_id + 8));
	put_i64(o, &last, 3, id_at(r->trace_id));
	put_i64(o, &last, 4, id_at(r->span_id));
	span__thrift_put_stop(&o->t);
}

static void put_span(struct out *o, const struct span *s)
{
	size_t n = s->attrs.n;
	int64_t duration = span__original_us(
		s, &s->attrs, &n, SPAN__KEY_DURATION, s->duration_ns);
	int64_t start = span__original_us(s, &s->attrs, &n, SPAN__KEY_START,
					  s->start_ns);
	struct span__extra x;
	int last = 0;

	span__extra_find(s, &x);
	put_i64(o, &last, 1, id_at(s->trace_id + 8));
	put_i64(o, &last, 2, id_at(s->trace_id));
	put_i64(o, &last, 3, id_at(s->span_id));
	put_i64(o, &last, 4, id_at(s->parent_id));
	put_string(o, &last, 5, s->name);
	if (s->n_refs)
		put_list(o, &last, 6, s->n_refs);
	for (size_t i = 0; i < s->n_refs; i++)
		put_ref(o, &s->refs[i]);
	put_i32(o, &last, 7, (int32_t)span__extra_flags(s));
	put_i64(o, &last, 8, start);
	put_i64(o, &last, 9, duration);
	if (n + x.n)
		put_list(o, &last, 10, n + x.n);
	put_tags(o, x.v, x.n_before);
	put_tags(o, s->attrs.v, n);
	put_tags(o, x.v + x.n_before, x.n - x.n_before);
	if (s->n_events)
		put_list(o, &last, 11, s->n_events);
	for (size_t i = 0; i < s->n_events; i++)
		put_event(o, s, &s->events[i]);
	span__thrift_put_stop(&o->t);
}

static void put_process(struct out *o, const struct span_process *p)
{
	int last = 0;

	put_string(o, &last, 1, p->service);
	if (p->attrs.n)
		put_list(o, &last, 2, p->attrs.n);
	put_tags(o, p->attrs.v, p->attrs.n);
	span__thrift_put_stop(&o->t);
}

static void put_batch(struct out *o, const struct span *spans, size_t n,
		      uint64_t seqno)
{
	int last = 0;

	span__thrift_put_field(&o->t, &last, 1, THRIFT_STRUCT);
	put_process(o, spans->process);
	put_list(o, &last, 2, n);
	for (size_t i = 0; i < n; i++)
		put_span(o, &spans[i]);
	if (seqno)
		put_i64(o, &last, 3, (int64_t)seqno);
	span__thrift_put_stop(&o->t);
}

int span_encode_jaeger(struct span_buf *b, int format, const struct span *spans,
		       size_t n, uint64_t seqno, struct span_error *err)
{
	struct out o = {
		.t = {.b = b, .compact = format == SPAN_FORMAT_JAEGER_COMPACT},
	};
	int last = 0;

	if (format != SPAN_FORMAT_JAEGER_COMPACT &&
	    format != SPAN_FORMAT_JAEGER_BINARY)
		return span_error_set(err, SPAN_E_INVALID,
				      "not a format of Jaeger's Thrift");
	if (!n || n > INT32_MAX)
		return span_error_set(err, SPAN_E_INVALID,
				      "a batch needs at least one span");
	span__thrift_put_head(&o.t, SPAN_STR("emitBatch"));
	span__thrift_put_field(&o.t, &last, 1, THRIFT_STRUCT);
	put_batch(&o, spans, n, seqno);
	span__thrift_put_stop(&o.t);
	if (o.text.failed)
		b->failed = true;
	span_buf_release(&o.text);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}

/* A batch has one process. */
static int encode(struct span_buf *b, int format, const struct span *spans,
		  size_t n, struct span_error *err)
{
	for (size_t i = 1; i < n; i++)
		if (spans[i].process != spans->process &&
		    !span__process_equal(spans[i].process, spans->process))
			return span_error_set(err, SPAN_E_INVALID,
					      "a batch of Jaeger's holds spans "
					      "of one process");
	return span_encode_jaeger(b, format, spans, n, 0, err);
}

int span__jaeger_encode_compact(struct span_buf *b, const struct span *spans,
				size_t n, struct span_error *err)
{
	return encode(b, SPAN_FORMAT_JAEGER_COMPACT, spans, n, err);
}

int span__jaeger_encode_binary(struct span_buf *b, const struct span *spans,
			       size_t n, struct span_error *err)
{
	return encode(b, SPAN_FORMAT_JAEGER_BINARY, spans, n, err);
}
