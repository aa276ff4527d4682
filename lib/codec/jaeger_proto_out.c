/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans to Jaeger's PostSpansRequest. One batch has one process, so spans of
 * other processes than the first one's carry their own.
 */
#include "codec/jaeger_extra.h"
#include "codec/jaeger_proto.h"
#include "codec/proto_out.h"
#include "text/utf8.h"

#include <span/text.h>

#include "base/banned.h"

struct out {
	struct span_buf *b;
	struct span_buf text; /* a value that has to be made text first */
};

static void put_text(struct out *o, const struct span_value *v)
{
	o->text.len = 0;
	if (v->type != SPAN_NULL)
		span_text_value(&o->text, v);
	span__proto_opt_text(o->b, 3,
			     (struct span_str){o->text.p, o->text.len});
}

static void put_type(struct out *o, enum jaeger_value_type type)
{
	span__proto_opt_varint(o->b, 2, (uint64_t)type);
}

/* Also texts that are not UTF-8: there they can only be bytes. */
static void put_bytes(struct out *o, struct span_str s)
{
	put_type(o, JAEGER_BINARY);
	span__proto_opt_bytes(o->b, 7, s);
}

static void put_tag(struct out *o, unsigned id, const struct span_attr *a)
{
	const struct span_value *v = &a->value;
	size_t mark = span__proto_open(o->b, id);
	uint64_t bits;

	span__proto_opt_text(o->b, 1, a->key);
	switch (v->type) {
	case SPAN_STRING:
		if (!span__utf8_valid(v->str)) {
			put_bytes(o, v->str);
			break;
		}
		span__proto_opt_bytes(o->b, 3, v->str);
		break;
	case SPAN_BOOL:
		put_type(o, JAEGER_BOOL);
		span__proto_opt_varint(o->b, 4, v->b);
		break;
	case SPAN_INT:
		put_type(o, JAEGER_INT64);
		span__proto_opt_varint(o->b, 5, (uint64_t)v->i);
		break;
	case SPAN_DOUBLE:
		put_type(o, JAEGER_FLOAT64);
		memcpy(&bits, &v->d, sizeof(bits));
		if (bits)
			span__proto_put_double(o->b, 6, v->d);
		break;
	case SPAN_BYTES:
		put_bytes(o, v->str);
		break;
	default:
		put_text(o, v);
	}
	span__proto_close(o->b, mark);
}

static void put_tags(struct out *o, unsigned id, const struct span_attr *v,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!span__extra_is_warnings(&v[i]))
			put_tag(o, id, &v[i]);
}

/* US is that of NS, or the original of a time that was clamped. */
static void put_time(struct out *o, unsigned id, int64_t us, uint64_t ns)
{
	size_t mark = span__proto_open(o->b, id);
	int64_t seconds = us / 1000000, nanos = us % 1000000 * 1000;

	if (nanos < 0) {
		nanos += 1000000000;
		seconds--;
	}
	if (us >= 0 && (uint64_t)us == ns / 1000)
		nanos += (int64_t)(ns % 1000);
	span__proto_opt_varint(o->b, 1, (uint64_t)seconds);
	span__proto_opt_varint(o->b, 2, (uint64_t)nanos);
	span__proto_close(o->b, mark);
}

static void put_ref(struct out *o, const uint8_t trace_id[16],
		    const uint8_t span_id[8], int32_t type)
{
	size_t mark = span__proto_open(o->b, 4);

	span__proto_put_bytes(o->b, 1,
			      (struct span_str){(const char *)trace_id, 16});
	span__proto_put_bytes(o->b, 2,
			      (struct span_str){(const char *)span_id, 8});
	span__proto_opt_varint(o->b, 3, (uint64_t)(int64_t)type);
	span__proto_close(o->b, mark);
}

static void put_refs(struct out *o, const struct span *s)
{
	const struct span_ref *link;

	if (span__extra_parent(s, &link))
		put_ref(o, s->trace_id, s->parent_id,
			link ? span__extra_ref_type(link) : SPAN_REF_CHILD_OF);
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		if (r != link)
			put_ref(o, r->trace_id, r->span_id,
				span__extra_ref_type(r));
	}
}

static void put_log(struct out *o, const struct span *s,
		    const struct span_event *e)
{
	struct span_attr name = {SPAN_STR("event"),
				 {.type = SPAN_STRING, .str = e->name}};
	size_t mark = span__proto_open(o->b, 9), n = e->attrs.n;

	put_time(
		o, 1,
		span__original_us(s, &e->attrs, &n, SPAN__KEY_TIME, e->time_ns),
		e->time_ns);
	if (e->name.len && !span_attr_get(&e->attrs, name.key))
		put_tag(o, 2, &name);
	for (size_t i = 0; i < n; i++)
		put_tag(o, 2, &e->attrs.v[i]);
	span__proto_close(o->b, mark);
}

static void put_process(struct out *o, unsigned id,
			const struct span_process *p)
{
	size_t mark = span__proto_open(o->b, id);

	span__proto_opt_text(o->b, 1, p->service);
	for (size_t i = 0; i < p->attrs.n; i++)
		put_tag(o, 2, &p->attrs.v[i]);
	span__proto_close(o->b, mark);
}

static void put_warnings(struct out *o, const struct span *s)
{
	for (const struct span__warning *w = span__warnings; w->mark; w++)
		if (s->marks & w->mark)
			span__proto_put_bytes(o->b, 12, w->text);
	for (size_t i = 0; i < s->attrs.n; i++) {
		const struct span_value *v = &s->attrs.v[i].value;

		if (!span__extra_is_warnings(&s->attrs.v[i]))
			continue;
		for (size_t k = 0; k < v->array.n; k++)
			span__proto_opt_text(o->b, 12, v->array.v[k].str);
	}
}

static bool same_process(const struct span_process *a,
			 const struct span_process *b)
{
	return a == b || (a->serial && a->serial == b->serial);
}

static void put_span(struct out *o, const struct span *s,
		     const struct span_process *shared)
{
	size_t mark = span__proto_open(o->b, 1), n = s->attrs.n;
	int64_t duration = span__original_us(
		s, &s->attrs, &n, SPAN__KEY_DURATION, s->duration_ns);
	int64_t start = span__original_us(s, &s->attrs, &n, SPAN__KEY_START,
					  s->start_ns);
	struct span__extra x;

	span__extra_find(s, &x);
	span__proto_put_bytes(o->b, 1,
			      (struct span_str){(const char *)s->trace_id, 16});
	span__proto_put_bytes(o->b, 2,
			      (struct span_str){(const char *)s->span_id, 8});
	span__proto_opt_text(o->b, 3, s->name);
	put_refs(o, s);
	span__proto_opt_varint(o->b, 5, span__extra_flags(s));
	put_time(o, 6, start, s->start_ns);
	put_time(o, 7, duration, s->duration_ns);
	put_tags(o, 8, x.v, x.n_before);
	put_tags(o, 8, s->attrs.v, n);
	put_tags(o, 8, x.v + x.n_before, x.n - x.n_before);
	for (size_t i = 0; i < s->n_events; i++)
		put_log(o, s, &s->events[i]);
	if (!same_process(s->process, shared))
		put_process(o, 10, s->process);
	put_warnings(o, s);
	span__proto_close(o->b, mark);
}

int span__jaeger_proto_encode(struct span_buf *b, const struct span *spans,
			      size_t n, struct span_error *err)
{
	struct out o = {.b = b};
	size_t mark = span__proto_open(b, 1);

	for (size_t i = 0; i < n; i++)
		put_span(&o, &spans[i], spans->process);
	if (n)
		put_process(&o, 2, spans->process);
	span__proto_close(b, mark);
	if (o.text.failed)
		b->failed = true;
	span_buf_release(&o.text);
	return b->failed ? span_error_set(err, SPAN_E_NOMEM, "out of memory")
			 : 0;
}
