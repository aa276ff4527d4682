/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/jaeger_model.h"

#include "codec/jaeger_extra.h"

#include "base/banned.h"

void span__jaeger_bad(struct span__jaeger_span *s, const unsigned char *at,
		      const char *why)
{
	if (s->bad)
		return;
	s->bad = why;
	s->bad_at = at;
}

uint16_t span__jaeger_process_begin(struct span__message *m)
{
	uint16_t marks = m->marks;

	m->marks = 0;
	m->process_marks = 0;
	return marks;
}

void span__jaeger_process_end(struct span__message *m, uint16_t before,
			      struct span__jaeger_process *p,
			      struct span_arena *arena)
{
	span__message_process(m, &p->p, arena);
	p->marks = m->marks | m->process_marks;
	m->marks = before;
	m->process_marks = 0;
}

void span__jaeger_reserve(struct span__message *m, struct span_arena *arena,
			  struct span__list *list, size_t n, size_t max,
			  size_t size)
{
	list->max = n < max ? n : max;
	list->v = span__message_array(m, arena, list->max, size);
	if (!list->v)
		list->max = 0;
}

void *span__jaeger_push(struct span__message *m, struct span_arena *arena,
			struct span__list *list, size_t max, size_t size)
{
	if (list->n < max)
		return span__message_push(m, arena, list, size);
	m->marks |= SPAN_MARK_CUT;
	return NULL;
}

void span__jaeger_warning(struct span__message *m, struct span__jaeger_span *s,
			  struct span_str text)
{
	const struct span__warning *w = span__warnings;
	struct span_value *v;

	while (w->mark && !span_str_equal(w->text, text))
		w++;
	if (w->mark) {
		m->marks |= w->mark;
		return;
	}
	v = span__jaeger_push(m, &m->d->arena, &s->warnings, SPAN_MAX_ATTRS,
			      sizeof(*v));
	if (v)
		*v = (struct span_value){.type = SPAN_STRING, .str = text};
}

static void add_warnings(struct span__message *m, struct span__jaeger_span *s)
{
	struct span_attr *a;

	if (!s->warnings.n)
		return;
	a = span__jaeger_push(m, &m->d->arena, &s->attrs, SPAN_MAX_ATTRS,
			      sizeof(*a));
	if (!a)
		return;
	a->key = SPAN__KEY_WARNINGS;
	a->value.type = SPAN_ARRAY;
	a->value.array.v = s->warnings.v;
	a->value.array.n = s->warnings.n;
}

/* NS is that of microseconds; where they did not fit it says so itself. */
static void add_rest(uint64_t *ns, unsigned rest)
{
	if (*ns % 1000 == 0 && __builtin_add_overflow(*ns, rest, ns))
		*ns = UINT64_MAX;
}

void span__jaeger_event_time(struct span__message *m, struct span_event *e,
			     int64_t us, unsigned rest)
{
	span__message_event_time(m, e, us);
	if (us >= 0)
		add_rest(&e->time_ns, rest);
}

static void set_times(struct span__message *m, struct span__jaeger_span *s)
{
	span__message_times(m, &s->s, s->start_us, s->duration_us);
	if (s->start_us >= 0)
		add_rest(&s->s.start_ns, s->start_rest);
	if (s->duration_us >= 0)
		add_rest(&s->s.duration_ns, s->duration_rest);
}

void span__jaeger_span(struct span__message *m, struct span__jaeger_span *s)
{
	struct span *out = &s->s;

	if (m->in.failed)
		return;
	if (s->bad) {
		span__message_bad_span(m, s->bad_at, s->bad);
		if (m->pass != SPAN__COLLECT)
			span_arena_reset(&m->d->arena);
		return;
	}
	add_warnings(m, s);
	out->attrs = (struct span_attrs){.v = s->attrs.v, .n = s->attrs.n};
	set_times(m, s);
	out->events = s->events.v;
	out->n_events = s->events.n;
	out->refs = s->refs.v;
	out->n_refs = s->refs.n;
	out->marks = m->marks | s->process->marks;
	span__message_span(m, out, &s->process->p);
}
