/* SPDX-License-Identifier: Apache-2.0 */
#include "findings-json.h"

#include <span/text.h>

#include "base/banned.h"

static void put_json_name(struct span_buf *b, struct span_str service,
			  struct span_str name)
{
	span_buf_puts(b, ",\"service\":");
	span_text_json(b, service);
	span_buf_puts(b, ",\"operation\":");
	span_text_json(b, name);
}

static void put_json_number(struct span_buf *b, const char *name, uint64_t n)
{
	span_buf_printf(b, ",\"%s\":", name);
	span_text_uint(b, n);
}

static void put_json_text(struct span_buf *b, struct span_str text)
{
	span_buf_puts(b, ",\"text\":");
	span_text_json(b, text);
}

static void put_json_finding(struct span_buf *b, const struct span_trace *t,
			     const struct span_finding *f)
{
	const struct span *s = &t->spans[f->span];
	char id[SPAN_ID_TEXT];

	span_buf_printf(b, "{\"kind\":\"%s\"", span_finding_name(f->kind));
	put_json_name(b, s->process->service, s->name);
	put_json_number(b, "start_ns", f->start_ns);
	put_json_number(b, "time_ns", f->ns);
	span_buf_puts(b, ",\"share\":");
	span_text_double(b, f->share);
	put_json_text(b, f->text);
	put_json_number(b, "count", f->count);
	put_json_number(b, "failed", f->failed);
	put_json_number(b, "failed_above", f->depth);
	span_buf_puts(b, ",\"parent_id\":");
	if (f->parent == SPAN_TRACE_NONE)
		span_buf_puts(b, "null");
	else
		span_buf_printf(b, "\"%s\"",
				span_id_text(t->spans[f->parent].span_id, id));
	span_buf_puts(b, ",\"spans\":[");
	for (uint32_t i = 0; i < f->n_spans; i++)
		span_buf_printf(
			b, "%s\"%s\"", i ? "," : "",
			span_id_text(t->spans[f->spans[i]].span_id, id));
	span_buf_puts(b, "]}");
}

void findings_json_put(struct span_buf *b, const struct span_trace *t,
		       const struct span_findings *f)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_printf(b, "{\"trace_id\":\"%s\",\"findings\":[",
			span_trace_id_text(t->trace_id, id));
	for (size_t i = 0; i < f->n; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		put_json_finding(b, t, &f->v[i]);
	}
	span_buf_puts(b, "]}\n");
}

static void put_json_group(struct span_buf *b,
			   const struct span_findings_group *g)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_printf(b, "{\"kind\":\"%s\"", span_finding_name(g->kind));
	put_json_name(b, g->service, g->name);
	put_json_text(b, g->text);
	put_json_number(b, "traces", g->traces);
	put_json_number(b, "findings", g->findings);
	put_json_number(b, "spans", g->spans);
	put_json_number(b, "time_ns", g->total_ns);
	put_json_number(b, "max_ns", g->max_ns);
	span_buf_puts(b, ",\"samples\":[");
	for (size_t i = 0; i < g->n_samples; i++)
		span_buf_printf(b, "%s\"%s\"", i ? "," : "",
				span_trace_id_text(g->samples[i], id));
	span_buf_puts(b, "]}");
}

void findings_json_put_groups(struct span_buf *b,
			      const struct span_findings_view *v)
{
	span_buf_puts(b, "{\"traces\":");
	span_text_uint(b, v->traces);
	put_json_number(b, "traces_with_findings", v->found_in);
	put_json_number(b, "left_out", v->left_out);
	span_buf_puts(b, ",\"groups\":[");
	for (size_t i = 0; i < v->n_groups; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		put_json_group(b, v->groups[i]);
	}
	span_buf_puts(b, "]}\n");
}
