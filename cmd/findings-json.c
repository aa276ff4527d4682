/* SPDX-License-Identifier: Apache-2.0 */
#include "findings-json.h"
#include "json-out.h"

#include <span/text.h>

#include "base/banned.h"

/* An element of an array of ids. */
static void put_id(struct span_buf *b, bool first, const char *id)
{
	span_buf_printf(b, "%s\"%s\"", first ? "" : ",", id);
}

static void put_finding(struct span_buf *b, const struct span_trace *t,
			const struct span_finding *f)
{
	const struct span *s = &t->spans[f->span];
	char id[SPAN_ID_TEXT];

	span_buf_putc(b, '{');
	json_plain(b, "kind", span_finding_name(f->kind));
	json_text(b, "service", s->process->service);
	json_text(b, "operation", s->name);
	json_uint(b, "start_ns", f->start_ns);
	json_uint(b, "time_ns", f->ns);
	json_double(b, "share", f->share);
	json_text(b, "text", f->text);
	json_uint(b, "count", f->count);
	json_uint(b, "failed", f->failed);
	json_uint(b, "failed_above", f->depth);
	json_name(b, "parent_id");
	if (f->parent == SPAN_TRACE_NONE)
		span_buf_puts(b, "null");
	else
		put_id(b, true, span_id_text(t->spans[f->parent].span_id, id));
	json_name(b, "spans");
	span_buf_putc(b, '[');
	for (uint32_t i = 0; i < f->n_spans; i++)
		put_id(b, !i, span_id_text(t->spans[f->spans[i]].span_id, id));
	span_buf_puts(b, "]}");
}

void findings_json_put(struct span_buf *b, const struct span_trace *t,
		       const struct span_findings *f)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_putc(b, '{');
	json_plain(b, "trace_id", span_trace_id_text(t->trace_id, id));
	json_name(b, "findings");
	span_buf_putc(b, '[');
	for (size_t i = 0; i < f->n; i++) {
		json_line(b, !i);
		put_finding(b, t, &f->v[i]);
	}
	span_buf_puts(b, "]}\n");
}

static void put_group(struct span_buf *b, const struct span_findings_group *g)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_putc(b, '{');
	json_plain(b, "kind", span_finding_name(g->kind));
	json_text(b, "service", g->service);
	json_text(b, "operation", g->name);
	json_text(b, "text", g->text);
	json_uint(b, "traces", g->traces);
	json_uint(b, "findings", g->findings);
	json_uint(b, "spans", g->spans);
	json_uint(b, "time_ns", g->total_ns);
	json_uint(b, "max_ns", g->max_ns);
	json_name(b, "samples");
	span_buf_putc(b, '[');
	for (size_t i = 0; i < g->n_samples; i++)
		put_id(b, !i, span_trace_id_text(g->samples[i], id));
	span_buf_puts(b, "]}");
}

void findings_json_put_groups(struct span_buf *b,
			      const struct span_findings_view *v)
{
	span_buf_putc(b, '{');
	json_uint(b, "traces", v->traces);
	json_uint(b, "traces_with_findings", v->found_in);
	json_uint(b, "left_out", v->left_out);
	json_name(b, "groups");
	span_buf_putc(b, '[');
	for (size_t i = 0; i < v->n_groups; i++) {
		json_line(b, !i);
		put_group(b, v->groups[i]);
	}
	span_buf_puts(b, "]}\n");
}
