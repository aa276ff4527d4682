/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span_dump.h - a span in a line, every field, for tests to compare
 *
 * service{tags}[s=TYPE:value] trace/span<parent name flags kind status start
 * +duration (tags) {refs} [events] marks; what is empty is left out.
 */
#ifndef SPAN_DUMP_H
#define SPAN_DUMP_H

#include <span/span.h>

#include <inttypes.h>
#include <string.h>

static inline void put_attrs(struct span_buf *b, const struct span_attrs *a)
{
	static const char types[] = "nsbidyam";

	for (size_t i = 0; i < a->n; i++) {
		if (i)
			span_buf_putc(b, ' ');
		span_text_terminal(b, a->v[i].key);
		span_buf_printf(b, "=%c:", types[a->v[i].value.type]);
		span_text_value(b, &a->v[i].value);
	}
}

static inline void put_refs(struct span_buf *b, const struct span *s)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	for (size_t i = 0; i < s->n_refs; i++)
		span_buf_printf(b, " {%d %s/%s}", s->refs[i].type,
				span_trace_id_text(s->refs[i].trace_id, trace),
				span_id_text(s->refs[i].span_id, id));
}

static inline void put_events(struct span_buf *b, const struct span *s)
{
	for (size_t i = 0; i < s->n_events; i++) {
		span_buf_printf(b, " [%" PRIu64, s->events[i].time_ns);
		if (s->events[i].attrs.n)
			span_buf_putc(b, ' ');
		put_attrs(b, &s->events[i].attrs);
		span_buf_putc(b, ']');
	}
}

static inline void put_span(struct span_buf *b, const struct span *s)
{
	static const uint8_t none[8];
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_str(b, s->process->service);
	if (s->process->attrs.n) {
		span_buf_putc(b, '(');
		put_attrs(b, &s->process->attrs);
		span_buf_putc(b, ')');
	}
	span_buf_printf(b, " %s/%s", span_trace_id_text(s->trace_id, trace),
			span_id_text(s->span_id, id));
	if (memcmp(s->parent_id, none, 8))
		span_buf_printf(b, "<%s", span_id_text(s->parent_id, id));
	span_buf_puts(b, " \"");
	span_text_terminal(b, s->name);
	span_buf_printf(b, "\" flags=%" PRIu32 " %" PRIu64 "+%" PRIu64,
			s->flags, s->start_ns, s->duration_ns);
	if (s->kind)
		span_buf_printf(b, " %s", span_kind_name(s->kind));
	if (s->status)
		span_buf_printf(b, " %s", span_status_name(s->status));
	if (s->status_message.len) {
		span_buf_puts(b, ":");
		span_text_terminal(b, s->status_message);
	}
	if (s->attrs.n) {
		span_buf_puts(b, " (");
		put_attrs(b, &s->attrs);
		span_buf_putc(b, ')');
	}
	put_refs(b, s);
	put_events(b, s);
	if (s->marks)
		span_buf_printf(b, " marks=%u", s->marks);
	span_buf_putc(b, '\n');
}

#endif
