/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings of a trace are kept as text until there is a second one: only
 * then are groups what is asked for.
 */
#include "view-findings.h"
#include "findings-json.h"

#include <span/findings.h>

#include "base/banned.h"

#define IDS_SHOWN 3u

static struct {
	bool findings;
	uint64_t repeat, min_ns, skew_ns;
	double min_share, guilty;
} opt;

const struct cmd_option view_findings_options[] = {
	{CMD_FLAG, 0, "findings", &opt.findings, NULL,
	 "tell what stands out: guilty span, error origin, N+1, retries, gaps",
	 NULL},
	{CMD_INT, 0, "repeat", &opt.repeat, "N",
	 "of --findings: calls that make an N+1 (5)", NULL},
	{CMD_DURATION, 0, "min-time", &opt.min_ns, "TIME",
	 "of --findings: least gap, and time that calls at once save (10ms)",
	 NULL},
	{CMD_DOUBLE, 0, "min-share", &opt.min_share, "SHARE",
	 "of --findings: least share of the trace of these (0.1)", NULL},
	{CMD_DOUBLE, 0, "guilty-share", &opt.guilty, "SHARE",
	 "of --findings: least share of the path of a guilty span (0.25)",
	 NULL},
	{CMD_DURATION, 0, "min-skew", &opt.skew_ns, "TIME",
	 "of --findings: least skew of clocks (1ms)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct {
	struct span_findings found;
	struct span_findings_set *set;
	struct span_buf text, json; /* of the first trace */
	uint64_t n_traces;
	size_t columns;
} have;

bool view_findings_wanted(void)
{
	if (!opt.findings && (opt.repeat || opt.min_ns || opt.min_share > 0 ||
			      opt.guilty > 0 || opt.skew_ns))
		cmd_usage("--repeat, --min-time, --min-share, --guilty-share "
			  "and --min-skew go with --findings");
	if (opt.repeat == 1)
		cmd_usage("--repeat needs at least 2");
	if (opt.min_share < 0 || opt.min_share > 1 || opt.guilty < 0 ||
	    opt.guilty > 1)
		cmd_usage("a share is from 0 to 1");
	return opt.findings;
}

/* ---- Text ---- */

static void put_plural(struct span_buf *b, uint64_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void put_name(struct span_buf *b, struct span_str service,
		     struct span_str name)
{
	span_text_fit(b, service, have.columns / 3, false);
	if (service.len && name.len)
		span_buf_putc(b, ' ');
	span_text_fit(b, name, have.columns / 3, false);
}

static void put_span_name(struct span_buf *b, const struct span *s)
{
	put_name(b, s->process->service, s->name);
}

static void put_time_share(struct span_buf *b, const struct span_finding *f)
{
	span_text_duration(b, f->ns);
	span_buf_printf(b, " (%.0f %%)", f->share * 100);
}

/* A text in what is left of the line that began at FROM. */
static void put_rest(struct span_buf *b, const struct span_render_opts *look,
		     size_t from, struct span_str text)
{
	size_t used =
		span_text_width((struct span_str){b->p + from, b->len - from});

	if (used + 20 > look->columns)
		used = look->columns > 20 ? look->columns - 20 : 0;
	span_text_fit(b, text, look->columns - used, false);
}

static void put_calls(struct span_buf *b, const struct span_render_opts *look,
		      size_t from, const struct span_trace *t,
		      const struct span_finding *f)
{
	put_span_name(b, &t->spans[f->parent]);
	span_buf_printf(b, ": %u %s ", f->count,
			look->ascii ? "x" : "\xc3\x97");
	put_rest(b, look, from, f->text);
}

static void put_targets(struct span_buf *b, const struct span_trace *t,
			const struct span_finding *f)
{
	put_span_name(b, &t->spans[f->parent]);
	span_buf_puts(b, ": ");
	put_plural(b, f->count, "call");
	span_buf_puts(b, " could run at once, which would save ");
	put_time_share(b, f);
}

/* What it is, in a line that begins at FROM. */
static void put_sentence(struct span_buf *b,
			 const struct span_render_opts *look, size_t from,
			 const struct span_trace *t,
			 const struct span_finding *f)
{
	switch (f->kind) {
	case SPAN_FINDING_GUILTY:
		put_span_name(b, &t->spans[f->span]);
		span_buf_puts(b, ": ");
		put_time_share(b, f);
		span_buf_puts(b, " of the critical path");
		break;
	case SPAN_FINDING_ERROR:
		put_span_name(b, &t->spans[f->span]);
		span_buf_puts(b, f->text.len ? ": " : " failed");
		put_rest(b, look, from, f->text);
		break;
	case SPAN_FINDING_SERIAL:
		put_targets(b, t, f);
		break;
	case SPAN_FINDING_GAP:
		put_span_name(b, &t->spans[f->span]);
		span_buf_puts(b, ": ");
		put_time_share(b, f);
		span_buf_puts(b, " without a span below it");
		break;
	case SPAN_FINDING_SKEW:
		span_text_fit(b, f->text, have.columns / 2, false);
		span_buf_puts(b, ": clocks differ by ");
		span_text_duration(b, f->ns);
		span_buf_puts(b, " or more");
		break;
	default:
		put_calls(b, look, from, t, f);
	}
}

static void put_ids(struct span_buf *b, const struct span_trace *t,
		    const struct span_finding *f)
{
	uint32_t n = f->n_spans < IDS_SHOWN ? f->n_spans : IDS_SHOWN;
	char id[SPAN_ID_TEXT];

	for (uint32_t i = 0; i < n; i++)
		span_buf_printf(
			b, " %s",
			span_id_text(t->spans[f->spans[i]].span_id, id));
	if (f->count > n)
		span_buf_printf(b, " and %u more", f->count - n);
}

/* Where to look. */
static void put_evidence(struct span_buf *b, const struct span_trace *t,
			 const struct span_finding *f)
{
	span_buf_printf(b, "%*s+", 10, "");
	span_text_duration(b, f->start_ns - t->start_ns);
	switch (f->kind) {
	case SPAN_FINDING_N_PLUS_1:
	case SPAN_FINDING_REPEATED:
		span_buf_puts(b, ", together ");
		put_time_share(b, f);
		break;
	case SPAN_FINDING_RETRY:
		span_buf_printf(b, ", %u failed, ", f->failed);
		put_time_share(b, f);
		span_buf_puts(b, " until the last one");
		break;
	case SPAN_FINDING_ERROR:
		if (!f->depth)
			break;
		span_buf_puts(b, ", ");
		put_plural(b, f->depth, "span");
		span_buf_puts(b, " above it failed too");
		break;
	default:
		break;
	}
	span_buf_puts(b, f->count == 1 ? ", span" : ", spans");
	put_ids(b, t, f);
	span_buf_putc(b, '\n');
}

static void put_head(struct span_buf *b, const struct span_trace *t,
		     const struct span_render_opts *look)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, span_trace_id_text(t->trace_id, id));
	span_buf_puts(b, "  ");
	if (look->local_time)
		span_text_local_time(b, t->start_ns, 3);
	else
		span_text_time(b, t->start_ns, 3);
	span_buf_putc(b, '\n');
	put_span_name(b, &t->spans[t->root]);
	span_buf_puts(b, "  ");
	span_text_duration(b, t->end_ns - t->start_ns);
	span_buf_puts(b, "  ");
	put_plural(b, t->n, "span");
	span_buf_puts(b, "\n\n");
}

static void put_text(struct span_buf *b, const struct span_render_opts *look,
		     const struct span_trace *t)
{
	put_head(b, t, look);
	for (size_t i = 0; i < have.found.n; i++) {
		const struct span_finding *f = &have.found.v[i];
		size_t from = b->len;

		span_buf_printf(b, "%-10s", span_finding_name(f->kind));
		put_sentence(b, look, from, t, f);
		span_buf_putc(b, '\n');
		put_evidence(b, t, f);
	}
	if (!have.found.n)
		span_buf_puts(b, "nothing stands out\n");
}

/* ---- Many traces ---- */

static const char *const heads[] = {
	"guilty: spans with the largest share of the critical path",
	"error: where errors come from",
	"n+1: calls of one target, one after another",
	"repeated: the same call, one after another",
	"retry: calls again after one that failed",
	"serial: calls that could run at once",
	"gap: time without a span below",
	"skew: clocks that differ",
};

static void put_group(struct span_buf *b, const struct span_render_opts *look,
		      const struct span_findings_group *g)
{
	size_t from = b->len;
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, "  ");
	put_name(b, g->service, g->name);
	if (g->text.len) {
		if (b->len > from + 2)
			span_buf_puts(b, ": ");
		put_rest(b, look, from, g->text);
	}
	span_buf_puts(b, "\n    ");
	put_plural(b, g->traces, "trace");
	span_buf_puts(b, ", ");
	put_plural(b, g->findings, "time");
	span_buf_puts(b, ", ");
	put_plural(b, g->spans, "span");
	span_buf_puts(b, ", ");
	span_text_duration(b, g->total_ns);
	span_buf_puts(b, ", at most ");
	span_text_duration(b, g->max_ns);
	span_buf_puts(b, "\n    such as");
	for (size_t i = 0; i < g->n_samples && i < 2; i++)
		span_buf_printf(b, " %s",
				span_trace_id_text(g->samples[i], id));
	span_buf_putc(b, '\n');
}

static void put_groups(struct span_buf *b, const struct span_render_opts *look,
		       const struct span_findings_view *v)
{
	span_buf_puts(b, "something stands out in ");
	span_text_count(b, v->found_in);
	span_buf_puts(b, " of ");
	put_plural(b, v->traces, "trace");
	span_buf_putc(b, '\n');
	for (size_t i = 0; i < v->n_groups; i++) {
		const struct span_findings_group *g = v->groups[i];

		if (!i || v->groups[i - 1]->kind != g->kind)
			span_buf_printf(b, "\n%s\n", heads[g->kind]);
		put_group(b, look, g);
	}
}

/* ---- From outside ---- */

int view_findings_put(const struct span_trace *t,
		      const struct span_render_opts *look,
		      struct span_error *err)
{
	const struct span_findings_opts o = {
		.repeat = opt.repeat,
		.min_ns = opt.min_ns,
		.min_share = opt.min_share,
		.guilty = opt.guilty,
		.skew_ns = opt.skew_ns,
	};
	int rc = 0;

	have.columns = look->columns;
	if (!have.set)
		rc = span_findings_set_open(&have.set, err);
	if (rc >= 0)
		rc = span_findings_find(&have.found, t, &o, err);
	if (rc >= 0)
		rc = span_findings_set_put(have.set, t, &have.found, err);
	if (rc >= 0 && !have.n_traces++) {
		put_text(&have.text, look, t);
		findings_json_put(&have.json, t, &have.found);
	}
	return rc;
}

int view_findings_show(struct span_buf *b, const struct span_render_opts *look,
		       bool json, struct span_error *err)
{
	struct span_findings_view v;
	int rc;

	if (!have.n_traces)
		return 0;
	rc = span_findings_set_view(have.set, &v, err);
	if (rc < 0)
		return rc;
	if (have.text.failed || have.json.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (have.n_traces == 1)
		span_buf_put(b, json ? have.json.p : have.text.p,
			     json ? have.json.len : have.text.len);
	else if (json)
		findings_json_put_groups(b, &v);
	else
		put_groups(b, look, &v);
	if (v.left_out)
		cmd_warn("%llu findings are beyond %u groups, and left out",
			 (unsigned long long)v.left_out, SPAN_FINDINGS_GROUPS);
	return v.found_in != 0;
}

void view_findings_release(void)
{
	span_findings_release(&have.found);
	span_findings_set_close(&have.set);
	span_buf_release(&have.text);
	span_buf_release(&have.json);
}
