/* SPDX-License-Identifier: Apache-2.0 */
#include "loki-entry.h"

#include "base/banned.h"

struct loki_opts loki_opts;
struct loki_counts loki_counts;
static struct loki_line line;

static bool is_called(const struct span_event *e, const char *name)
{
	return span_str_equal(span_event_name(e), span_str(name));
}

bool loki_is_error(const struct loki_subject *s)
{
	if (s->trace)
		return s->trace->n_errors;
	if (s->event)
		return is_called(s->event, "error") ||
		       is_called(s->event, "exception");
	return span_is_error(s->span);
}

static bool has(const struct span *s, struct span_str key)
{
	return span_attr_get(&s->attrs, key);
}

/* What a tag says already is not said again. */
static void put_span(const struct span *s)
{
	const char *kind = span_kind_name(s->kind);
	char parent[SPAN_ID_TEXT];

	loki_line_text(&line, "span", s->name);
	loki_line_duration(&line, "duration", s->duration_ns);
	if (*kind && !has(s, SPAN_STR("span.kind")))
		loki_line_text(&line, "kind", span_str(kind));
	if (s->status != SPAN_STATUS_UNSET && !has(s, SPAN_STR("error")) &&
	    !has(s, SPAN_STR("otel.status_code")))
		loki_line_text(&line, "status",
			       span_str(span_status_name(s->status)));
	if (s->status_message.len)
		loki_line_text(&line, "status_message", s->status_message);
	if (!span_is_root(s))
		loki_line_text(&line, "parent_id",
			       span_str(span_id_text(s->parent_id, parent)));
	loki_line_attrs(&line, &s->attrs);
}

static void put_event(const struct span *s, const struct span_event *e)
{
	loki_line_text(&line, "span", s->name);
	if (e->name.len)
		loki_line_text(&line, "event", e->name);
	line.named = e->name.len;
	loki_line_attrs(&line, &e->attrs);
}

static void put_trace(const struct span *root, const struct span_trace *t)
{
	loki_line_text(&line, "trace", root->name);
	loki_line_duration(&line, "duration", t->end_ns - t->start_ns);
	loki_line_uint(&line, "spans", t->n);
	loki_line_uint(&line, "services", t->n_services);
	loki_line_uint(&line, "errors", t->n_errors);
	if (root->status_message.len)
		loki_line_text(&line, "status_message", root->status_message);
	loki_line_attrs(&line, &root->attrs);
}

/* What a stream would say of it, where there is none, or not this one. */
static void put_origin(const struct loki_subject *s, uint64_t ns)
{
	const struct span_process *p = s->span->process;

	if (loki_opts.format != LOKI_PUSH) {
		loki_line_time(&line, ns);
		loki_line_text(&line, "level",
			       loki_is_error(s) ? SPAN_STR("error")
						: SPAN_STR("info"));
	}
	loki_line_text(&line, "service", p->service);
}

static void put_metadata(struct span_buf *b, const struct span *s)
{
	char trace_id[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(b, ",{\"trace_id\":\"%s\",\"span_id\":\"%s\"}",
			span_trace_id_text(s->trace_id, trace_id),
			span_id_text(s->span_id, id));
}

static uint64_t time_of(const struct loki_subject *s)
{
	uint64_t ns = s->span->start_ns;

	if (s->event)
		ns = s->event->time_ns;
	if (s->trace)
		ns = s->trace->start_ns;
	if (loki_opts.format != LOKI_PUSH || ns <= INT64_MAX)
		return ns;
	loki_counts.clamped++;
	return INT64_MAX;
}

static void count(const struct loki_subject *s)
{
	loki_counts.events += s->event != NULL;
	loki_counts.traces += s->trace != NULL;
	loki_counts.spans += !s->event && !s->trace;
}

/* Write the line into line.text. */
static bool make_line(const struct loki_subject *s, bool other, uint64_t ns)
{
	loki_line_begin(&line, loki_opts.format == LOKI_PUSH
				       ? loki_opts.json
				       : loki_opts.format == LOKI_JSON);
	if (other || loki_opts.format != LOKI_PUSH)
		put_origin(s, ns);
	loki_line_ids(&line, s->span);
	if (s->trace)
		put_trace(s->span, s->trace);
	else if (s->event)
		put_event(s->span, s->event);
	else
		put_span(s->span);
	loki_counts.cut += line.cut;
	return loki_line_end(&line);
}

bool loki_entry(struct span_buf *b, const struct loki_subject *s,
		const struct loki_stream *stream, uint64_t *time_ns)
{
	struct span_str text;

	*time_ns = time_of(s);
	count(s);
	if (!make_line(s, stream && stream->other, *time_ns))
		return false;
	text = (struct span_str){line.text.p, line.text.len};
	if (loki_opts.format != LOKI_PUSH) {
		span_buf_str(b, text);
		span_buf_putc(b, '\n');
		return !b->failed;
	}
	span_buf_printf(b, "[\"%llu\",", (unsigned long long)*time_ns);
	span_text_json(b, text);
	if (!loki_opts.no_metadata)
		put_metadata(b, s->span);
	span_buf_putc(b, ']');
	return !b->failed;
}

void loki_entry_release(void)
{
	loki_line_release(&line);
}
