/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that are not UTF-8, as Jaeger's collectors take them: another name
 * stands for it, and its bytes are kept in a tag of the span that is named so.
 * Of a span the name is that of Jaeger v2; v2 has none of its own for a
 * service, so that this is v1's.
 */
#include "codec/decoder.h"
#include "codec/zipkin.h"
#include "text/utf8.h"

#include "base/banned.h"

#define BAD_SPAN SPAN_STR("invalid-span-name")
#define BAD_SERVICE SPAN_STR("InvalidServiceName")
#define ORIGINAL SPAN_STR("spantools.original_")

/* Files that no collector is sent: what they say is what somebody had. */
static bool is_received(int format)
{
	return format != SPAN_FORMAT_JAEGER_JSON && format != SPAN_FORMAT_CSV &&
	       format != SPAN_FORMAT_JSONL;
}

/* Encoders look for these at the end. */
static bool stays_last(struct span_str key)
{
	struct span_str original = ORIGINAL;

	return span_str_equal(key, SPAN__KEY_SHARED) ||
	       (key.len > original.len &&
		!memcmp(key.p, original.p, original.len));
}

/* N tags more, before those that stay last; they live until the next span. */
static void add_tags(struct span__message *m, struct span *s,
		     const struct span_attr *more, size_t n)
{
	struct span_buf *b = &m->d->renamed;
	size_t first = s->attrs.n, kept = s->attrs.n, last;

	while (first && stays_last(s->attrs.v[first - 1].key))
		first--;
	last = kept - first;
	if (kept + n > SPAN_MAX_ATTRS) {
		first -= first < n ? first : n;
		s->marks |= SPAN_MARK_CUT;
	}
	b->len = 0;
	span_buf_put(b, s->attrs.v, first * sizeof(*more));
	span_buf_put(b, more, n * sizeof(*more));
	if (last)
		span_buf_put(b, s->attrs.v + kept - last, last * sizeof(*more));
	if (b->failed) {
		b->failed = false;
		span__cursor_fail(&m->in, m->in.p, SPAN_E_NOMEM,
				  "out of memory");
		return;
	}
	s->attrs.v = (const struct span_attr *)(const void *)b->p;
	s->attrs.n = first + n + last;
}

/* Spans of a process mostly follow each other. */
static bool has_bad_service(struct span__message *m,
			    const struct span_process *p)
{
	if (m->named != p->serial) {
		m->named = p->serial;
		m->bad_service = !span__utf8_valid(p->service);
		if (m->bad_service) {
			m->renamed = *p;
			m->renamed.service = BAD_SERVICE;
		}
	}
	return m->bad_service;
}

static struct span_attr bytes_of(struct span_str key, struct span_str name)
{
	return (struct span_attr){key, {.type = SPAN_BYTES, .str = name}};
}

void span__message_rename(struct span__message *m, struct span *s)
{
	struct span_attr more[2];
	size_t n = 0;

	if (!is_received(m->d->format))
		return;
	if (!span__utf8_valid(s->name)) {
		more[n++] = bytes_of(BAD_SPAN, s->name);
		s->name = BAD_SPAN;
	}
	if (has_bad_service(m, s->process)) {
		more[n++] = bytes_of(BAD_SERVICE, s->process->service);
		s->process = &m->renamed;
	}
	if (!n)
		return;
	add_tags(m, s, more, n);
	s->marks |= SPAN_MARK_RENAMED;
}
