/* SPDX-License-Identifier: Apache-2.0 */
#include "findings-json.h"
#include "cmd_json.h"

#include <span/text.h>

#include "base/banned.h"

static void put_id(struct cmd_json *j, const char *name,
		   const uint8_t span_id[8])
{
	char id[SPAN_ID_TEXT];

	cmd_json_text(j, name, span_str(span_id_text(span_id, id)));
}

static void put_trace_id(struct cmd_json *j, const char *name,
			 const uint8_t trace_id[16])
{
	char id[SPAN_TRACE_ID_TEXT];

	cmd_json_text(j, name, span_str(span_trace_id_text(trace_id, id)));
}

static void put_finding(struct cmd_json *j, const struct span_trace *t,
			const struct span_finding *f)
{
	const struct span *s = &t->spans[f->span];

	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "kind", span_str(span_finding_name(f->kind)));
	cmd_json_text(j, "service", s->process->service);
	cmd_json_text(j, "operation", s->name);
	cmd_json_uint(j, "start_ns", f->start_ns);
	cmd_json_uint(j, "time_ns", f->ns);
	cmd_json_double(j, "share", f->share);
	cmd_json_text(j, "text", f->text);
	cmd_json_uint(j, "count", f->count);
	cmd_json_uint(j, "failed", f->failed);
	cmd_json_uint(j, "failed_above", f->depth);
	if (f->parent == SPAN_TRACE_NONE)
		cmd_json_null(j, "parent_id");
	else
		put_id(j, "parent_id", t->spans[f->parent].span_id);
	cmd_json_open(j, "spans", '[');
	for (uint32_t i = 0; i < f->n_spans; i++)
		put_id(j, NULL, t->spans[f->spans[i]].span_id);
	cmd_json_close(j, ']');
	cmd_json_close(j, '}');
}

void findings_json_put(struct span_buf *b, const struct span_trace *t,
		       const struct span_findings *f)
{
	struct cmd_json j = {.b = b};

	cmd_json_open(&j, NULL, '{');
	put_trace_id(&j, "trace_id", t->trace_id);
	cmd_json_open(&j, "findings", '[');
	for (size_t i = 0; i < f->n; i++) {
		cmd_json_line(&j);
		put_finding(&j, t, &f->v[i]);
	}
	cmd_json_close(&j, ']');
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
}

static void put_group(struct cmd_json *j, const struct span_findings_group *g)
{

	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "kind", span_str(span_finding_name(g->kind)));
	cmd_json_text(j, "service", g->service);
	cmd_json_text(j, "operation", g->name);
	cmd_json_text(j, "text", g->text);
	cmd_json_uint(j, "traces", g->traces);
	cmd_json_uint(j, "findings", g->findings);
	cmd_json_uint(j, "spans", g->spans);
	cmd_json_uint(j, "time_ns", g->total_ns);
	cmd_json_uint(j, "max_ns", g->max_ns);
	cmd_json_open(j, "samples", '[');
	for (size_t i = 0; i < g->n_samples; i++)
		put_trace_id(j, NULL, g->samples[i]);
	cmd_json_close(j, ']');
	cmd_json_close(j, '}');
}

void findings_json_put_groups(struct span_buf *b,
			      const struct span_findings_view *v)
{
	struct cmd_json j = {.b = b};

	cmd_json_open(&j, NULL, '{');
	cmd_json_uint(&j, "traces", v->traces);
	cmd_json_uint(&j, "traces_with_findings", v->found_in);
	cmd_json_uint(&j, "left_out", v->left_out);
	cmd_json_open(&j, "groups", '[');
	for (size_t i = 0; i < v->n_groups; i++) {
		cmd_json_line(&j);
		put_group(&j, v->groups[i]);
	}
	cmd_json_close(&j, ']');
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
}
