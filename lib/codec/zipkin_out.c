/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/zipkin_out.h"

#include "codec/zipkin.h"

#include <span/text.h>

#include "base/banned.h"

static uint8_t kind_of(const struct span *s)
{
	switch (s->kind) {
	case SPAN_KIND_CLIENT:
	case SPAN_KIND_SERVER:
	case SPAN_KIND_PRODUCER:
	case SPAN_KIND_CONSUMER:
		return s->kind;
	default:
		return 0;
	}
}

/* A name that was filled in on receipt is none. */
static struct span_str name_of(const struct span *s, struct span_str name,
			       struct span_str filled_in)
{
	if ((s->marks & SPAN_MARK_RENAMED) && span_str_equal(name, filled_in))
		return SPAN_STR("");
	return name;
}

/*
 * Zipkin takes a time that is 0 for none, and readers take that of the
 * annotations then: beside these it is written.
 */
static void put_times(struct span__zipkin_out *o, size_t *n)
{
	const struct span *s = o->span;

	o->duration_us = span__original_us(s, &s->attrs, n, SPAN__KEY_DURATION,
					   s->duration_ns);
	o->start_us = span__original_us(s, &s->attrs, n, SPAN__KEY_START,
					s->start_ns);
	o->has_duration = o->duration_us || s->n_events;
	o->has_start = o->start_us || s->n_events;
}

void span__zipkin_out(struct span__zipkin_out *o, const struct span *s)
{
	size_t n = s->attrs.n;

	span_arena_reset(&o->arena);
	o->span = s;
	o->kind = kind_of(s);
	o->debug = !s->scope && (s->flags & SPAN__FLAG_DEBUG);
	o->name = name_of(s, s->name, SPAN_STR("empty-span-name"));
	o->local = o->remote = (struct span__zipkin_address){0};
	o->local.service = name_of(s, s->process->service,
				   SPAN_STR("unknown-service-name"));
	o->local.has_service = o->local.service.len;
	put_times(o, &n);
	span__zipkin_out_tags(o, n);
}

struct span_str span__zipkin_out_text(struct span__zipkin_out *o,
				      const struct span_value *v)
{
	if (v->type == SPAN_STRING)
		return v->str;
	o->text.len = 0;
	span_text_value(&o->text, v);
	o->failed |= o->text.failed;
	return (struct span_str){o->text.p, o->text.len};
}

/* What a reader would not take for the text of an event. */
static bool is_ambiguous(struct span__zipkin_out *o, struct span_str s)
{
	return !s.len || span__zipkin_core(s) ||
	       span__zipkin_is_log(s, &o->arena);
}

/* One that does not fit is left out, as a cut object would be none. */
static void put_field(struct span__zipkin_out *o, struct span_str key,
		      const struct span_value *v)
{
	size_t len = o->text.len;
	struct span_buf text = {0};

	if (len > 1)
		span_buf_putc(&o->text, ',');
	span_text_json(&o->text, key);
	span_buf_putc(&o->text, ':');
	if (v->type == SPAN_STRING) {
		span_text_json(&o->text, v->str);
	} else {
		span_text_value(&text, v);
		span_text_json(&o->text, (struct span_str){text.p, text.len});
	}
	if (o->text.len + 1 > SPAN_MAX_STRING)
		o->text.len = len;
	o->failed |= text.failed;
	span_buf_release(&text);
}

/* The event's only text, when it is all there is; else NULL. */
static const struct span_str *only_text(const struct span_event *e, size_t n)
{
	const struct span_attr *v = e->attrs.v;

	if (!n)
		return &e->name;
	if (n == 1 && !e->name.len && v->value.type == SPAN_STRING &&
	    span_str_equal(v->key, SPAN_STR("event")))
		return &v->value.str;
	return NULL;
}

struct span_str span__zipkin_out_event(struct span__zipkin_out *o,
				       const struct span_event *e, int64_t *us)
{
	const struct span_str key = SPAN_STR("event");
	struct span_value name = {.type = SPAN_STRING, .str = e->name};
	const struct span_attr *v = e->attrs.v;
	size_t n = e->attrs.n;
	const struct span_str *only;

	*us = span__original_us(o->span, &e->attrs, &n, SPAN__KEY_TIME,
				e->time_ns);
	only = only_text(e, n);
	if (only && !is_ambiguous(o, *only))
		return *only;
	o->text.len = 0;
	span_buf_putc(&o->text, '{');
	if (e->name.len && !span_attr_get(&e->attrs, key))
		put_field(o, key, &name);
	for (size_t i = 0; i < n; i++)
		put_field(o, v[i].key, &v[i].value);
	name.str = SPAN_STR("");
	if (o->text.len == 1)
		put_field(o, key, &name);
	span_buf_putc(&o->text, '}');
	o->failed |= o->text.failed;
	return (struct span_str){o->text.p, o->text.len};
}

void span__zipkin_out_release(struct span__zipkin_out *o)
{
	span_buf_release(&o->tags);
	span_buf_release(&o->text);
	span_buf_release(&o->repeats.memory);
	span_arena_release(&o->arena);
}
