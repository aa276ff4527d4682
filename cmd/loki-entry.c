/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels make streams, and Loki keeps an index and a file for each: so they
 * are few names, fixed here, with values that a service has for long. All
 * else, ids above all, is in the line or in structured metadata.
 */
#include "loki-entry.h"

#include "base/banned.h"

#define CUT_MARK " cut=true"

/* Process tags that become labels, when they are texts, by their new name. */
static const struct {
	struct span_str key;
	const char *label;
} labels[] = {
	{{"deployment.environment.name", 27}, "deployment_environment"},
	{{"deployment.environment", 22}, "deployment_environment"},
	{{"service.namespace", 17}, "service_namespace"},
};

/* A byte that is no UTF-8 becomes three, so the cut is a third of 2048. */
static void put_label(struct span_buf *b, const char *name, struct span_str v)
{
	span_buf_printf(b, "\"%s\":", name);
	v.len = span_text_cut(v, LOKI_MAX_LABEL);
	span_text_json(b, v);
}

static bool is_failure(const struct span *s, size_t event)
{
	struct span_str name;

	if (event == LOKI_SPAN)
		return span_is_error(s);
	name = span_event_name(&s->events[event]);
	return span_str_equal(name, SPAN_STR("error")) ||
	       span_str_equal(name, SPAN_STR("exception"));
}

void loki_labels(struct span_buf *b, const struct span *s, size_t event)
{
	struct span_str service = s->process->service;
	const char *last = "";

	if (!service.len)
		service = SPAN_STR("unknown_service");
	span_buf_putc(b, '{');
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		const struct span_value *v =
			span_attr_get(&s->process->attrs, labels[i].key);

		if (!v || v->type != SPAN_STRING || !v->str.len ||
		    last == labels[i].label)
			continue;
		put_label(b, labels[i].label, v->str);
		span_buf_putc(b, ',');
		last = labels[i].label;
	}
	put_label(b, "level",
		  is_failure(s, event) ? SPAN_STR("error") : SPAN_STR("info"));
	span_buf_putc(b, ',');
	put_label(b, "service_name", service);
	span_buf_putc(b, '}');
}

/* ---- The line, in logfmt ---- */

/* What a key may not have becomes _: space, = and ", controls, no UTF-8. */
static void put_key(struct span_buf *b, struct span_str key)
{
	if (!key.len)
		span_buf_putc(b, '_');
	for (size_t i = 0; i < key.len; i++) {
		unsigned char c = (unsigned char)key.p[i];
		bool bad = c <= ' ' || c >= 0x7f || c == '=' || c == '"' ||
			   c == '\\';

		span_buf_putc(b, bad ? '_' : (char)c);
	}
}

/* A field of the line, or nothing when it would be too long: false then. */
static bool put_field(struct span_buf *line, struct span_str key,
		      struct span_str value)
{
	size_t before = line->len;

	if (before)
		span_buf_putc(line, ' ');
	put_key(line, key);
	span_buf_putc(line, '=');
	span_text_logfmt(line, value);
	if (line->len + sizeof(CUT_MARK) <= LOKI_MAX_LINE)
		return true;
	line->len = before;
	return false;
}

static bool put_attrs(struct span_buf *line, const struct span_attrs *attrs,
		      struct span_buf *scratch)
{
	bool whole = true;

	for (size_t i = 0; i < attrs->n; i++) {
		scratch->len = 0;
		span_text_value(scratch, &attrs->v[i].value);
		whole &= put_field(line, attrs->v[i].key,
				   (struct span_str){scratch->p, scratch->len});
	}
	return whole;
}

/* As Go reads it back without loss: "1500us" or "1500001ns". */
static void put_duration(struct span_buf *line, uint64_t ns)
{
	bool us = ns % 1000 == 0;

	span_buf_printf(line, " duration=%llu%s",
			(unsigned long long)(us ? ns / 1000 : ns),
			us ? "us" : "ns");
}

static void put_ids(struct span_buf *line, const struct span *s)
{
	char trace_id[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(line, "trace_id=%s span_id=%s",
			span_trace_id_text(s->trace_id, trace_id),
			span_id_text(s->span_id, id));
}

static bool has(const struct span *s, struct span_str key)
{
	return span_attr_get(&s->attrs, key);
}

/* What a tag says already is not said again. */
static bool put_span(struct span_buf *line, const struct span *s,
		     struct span_buf *scratch)
{
	const char *kind = span_kind_name(s->kind);
	char parent[SPAN_ID_TEXT];
	bool whole = put_field(line, SPAN_STR("span"), s->name);

	put_duration(line, s->duration_ns);
	if (*kind && !has(s, SPAN_STR("span.kind")))
		span_buf_printf(line, " kind=%s", kind);
	if (s->status != SPAN_STATUS_UNSET && !has(s, SPAN_STR("error")) &&
	    !has(s, SPAN_STR("otel.status_code")))
		span_buf_printf(line, " status=%s",
				span_status_name(s->status));
	if (s->status_message.len)
		whole &= put_field(line, SPAN_STR("status_message"),
				   s->status_message);
	if (!span_is_root(s))
		span_buf_printf(line, " parent_id=%s",
				span_id_text(s->parent_id, parent));
	return put_attrs(line, &s->attrs, scratch) && whole;
}

static bool put_event(struct span_buf *line, const struct span *s,
		      const struct span_event *e, struct span_buf *scratch)
{
	bool whole = put_field(line, SPAN_STR("span"), s->name);

	if (e->name.len)
		whole &= put_field(line, SPAN_STR("event"), e->name);
	return put_attrs(line, &e->attrs, scratch) && whole;
}

static void put_metadata(struct span_buf *b, const struct span *s)
{
	char trace_id[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(b, ",{\"trace_id\":\"%s\",\"span_id\":\"%s\"}",
			span_trace_id_text(s->trace_id, trace_id),
			span_id_text(s->span_id, id));
}

uint64_t loki_value(struct loki_writer *w, struct span_buf *b,
		    const struct span *s, size_t event)
{
	bool is_span = event == LOKI_SPAN, whole;
	uint64_t ns = is_span ? s->start_ns : s->events[event].time_ns;
	struct span_buf *line = &w->line;

	*(is_span ? &w->spans : &w->events) += 1;
	w->clamped += ns > INT64_MAX;
	if (ns > INT64_MAX)
		ns = INT64_MAX;
	line->len = 0;
	if (w->no_metadata)
		put_ids(line, s);
	whole = is_span ? put_span(line, s, &w->scratch)
			: put_event(line, s, &s->events[event], &w->scratch);
	w->cut += !whole;
	if (!whole)
		span_buf_puts(line, CUT_MARK);
	span_buf_printf(b, "[\"%llu\",", (unsigned long long)ns);
	span_text_json(b, (struct span_str){line->p, line->len});
	if (!w->no_metadata)
		put_metadata(b, s);
	span_buf_putc(b, ']');
	b->failed |= line->failed || w->scratch.failed;
	return ns;
}

void loki_release(struct loki_writer *w)
{
	span_buf_release(&w->line);
	span_buf_release(&w->scratch);
}
