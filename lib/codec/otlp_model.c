/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/otlp_model.h"

#include "base/banned.h"

#define SERVICE SPAN_STR("service.name")

void span__otlp_resource_begin(struct span__otlp *o)
{
	o->resource = (struct span_process){0};
	o->attrs = (struct span__otlp_attrs){0};
	o->process = NULL;
	o->resource_marks = 0;
	o->resource_from = o->m->d->spans.len;
}

void span__otlp_scope_begin(struct span__otlp *o)
{
	o->scope = (struct span_scope){0};
	o->spans_scope = NULL;
	o->scope_marks = 0;
	o->scope_from = o->m->d->spans.len;
}

/* The first service.name leaves the attributes, when it is a text. */
static void take_service(struct span__otlp *o, struct span_process *p)
{
	struct span__otlp_attrs *a = &o->attrs;
	size_t i = 0;

	while (i < a->n && !span_str_equal(a->v[i].key, SERVICE))
		i++;
	if (i < a->n && a->v[i].value.type == SPAN_STRING) {
		p->service = a->v[i].value.str;
		if (i)
			memmove(a->v + 1, a->v, i * sizeof(*a->v));
		a->v++;
		a->n--;
		a->max--;
		return;
	}
	p->service = i < a->n ? SPAN_STR("service-name-wrong-type")
			      : SPAN_STR("missing-service-name");
	o->resource_marks |= SPAN_MARK_RENAMED;
}

static void fill_process(struct span__otlp *o)
{
	struct span__message *m = o->m;
	struct span_process *p = o->process;

	*p = o->resource;
	take_service(o, p);
	p->attrs.v = o->attrs.v;
	p->attrs.n = o->attrs.n;
	m->process_marks = 0;
	span__message_process(m, p, &m->d->keep);
	o->resource_marks |= m->process_marks;
	m->process_marks = 0;
}

static void fill_scope(struct span__otlp *o)
{
	struct span_scope *s = o->spans_scope;

	*s = o->scope;
	if (!o->m->is_short && !span__limit_scope(s))
		o->scope_marks |= SPAN_MARK_CUT;
}

/* Spans that were collected, from FROM on, get the marks of their owner. */
static void mark_spans(struct span__otlp *o, size_t from, uint16_t marks)
{
	struct span_buf *spans = &o->m->d->spans;

	for (size_t at = from; marks && at < spans->len;
	     at += sizeof(struct span)) {
		struct span *s = (struct span *)(void *)(spans->p + at);

		s->marks |= marks;
	}
}

void span__otlp_resource_end(struct span__otlp *o)
{
	struct span__message *m = o->m;

	if (m->in.failed)
		return;
	if (o->process && !o->ahead) {
		fill_process(o);
		mark_spans(o, o->resource_from, o->resource_marks);
	}
	o->process = NULL;
	if (m->pass != SPAN__COLLECT)
		span_arena_reset(&m->d->keep);
}

void span__otlp_scope_end(struct span__otlp *o)
{
	if (o->m->in.failed || !o->spans_scope || o->ahead)
		return;
	fill_scope(o);
	mark_spans(o, o->scope_from, o->scope_marks);
}

/* Owners that have no span cost nothing, so that memory has its bound. */
static bool own(struct span__otlp *o)
{
	struct span_arena *keep = &o->m->d->keep;

	if (!o->process) {
		o->process =
			span__message_array(o->m, keep, 1, sizeof(*o->process));
		if (!o->process)
			return false;
		if (o->ahead)
			fill_process(o);
	}
	if (!o->spans_scope) {
		o->spans_scope = span__message_array(o->m, keep, 1,
						     sizeof(*o->spans_scope));
		if (!o->spans_scope)
			return false;
		if (o->ahead)
			fill_scope(o);
	}
	return !o->m->in.failed;
}

/* An end before the start makes no duration; it is kept as it came. */
static void set_end(struct span__otlp *o, struct span *s,
		    struct span__otlp_attrs *list, uint64_t end_ns)
{
	if (end_ns >= s->start_ns) {
		s->duration_ns = end_ns - s->start_ns;
		return;
	}
	if (!end_ns)
		return;
	if (list->n == SPAN_MAX_ATTRS) {
		list->n--;
		o->m->marks |= SPAN_MARK_CUT;
	}
	list->v[list->n++] = (struct span_attr){
		SPAN__KEY_END, {.type = SPAN_INT, .i = (int64_t)end_ns}};
	o->m->marks |= SPAN_MARK_CLAMPED;
}

static bool is_zero(const uint8_t *id, size_t len)
{
	static const uint8_t zero[16];

	return !memcmp(id, zero, len);
}

void span__otlp_span(struct span__otlp *o, struct span *s,
		     struct span__otlp_attrs *list, uint64_t end_ns,
		     const unsigned char *at)
{
	struct span__message *m = o->m;

	if (m->in.failed)
		return;
	if (is_zero(s->trace_id, 16))
		otlp_bad(o, at, "a span has no trace id");
	if (is_zero(s->span_id, 8))
		otlp_bad(o, at, "a span has no id");
	if (o->bad) {
		span__message_bad_span(m, o->bad_at, o->bad);
		if (m->pass != SPAN__COLLECT)
			span_arena_reset(&m->d->arena);
		return;
	}
	if (!own(o))
		return;
	set_end(o, s, list, end_ns);
	s->attrs.v = list->v;
	s->attrs.n = list->n;
	s->scope = o->spans_scope;
	s->marks = m->marks;
	if (o->ahead)
		s->marks |= o->resource_marks | o->scope_marks;
	span__message_span(m, s, o->process);
}
