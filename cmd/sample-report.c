/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of spans, and of traces by the policy that decided. */
#include "sample-cmd.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define LABELS_MAX 160 /* a policy's name has at most 100 bytes */

struct count {
	uint64_t kept, dropped;
};

static struct {
	struct count spans, late, early;
	struct count *traces; /* by policy */
	const struct span_sampler *sampler;
	uint32_t n; /* policies */
	struct cmd_metric *metrics;
	char (*labels)[LABELS_MAX];
} report;

static void add_metric(struct cmd_metric **m, const char *name,
		       const char *labels, const char *help, uint64_t *value)
{
	*(*m)++ = (struct cmd_metric){name, labels, help, value, false};
}

static void add_pair(struct cmd_metric **m, const char *name, const char *help,
		     struct count *c)
{
	add_metric(m, name, "decision=\"kept\"", help, &c->kept);
	add_metric(m, name, "decision=\"dropped\"", help, &c->dropped);
}

static void add_policies(struct cmd_metric **m)
{
	static const char name[] = "span_sample_traces_total";
	static const char help[] = "Traces by the policy that decided.";

	for (uint32_t i = 0; i < report.n; i++)
		for (unsigned dropped = 0; dropped < 2; dropped++) {
			struct span_str p =
				span_sampler_policy(report.sampler, i);
			char *labels = report.labels[2 * i + dropped];

			snprintf(labels, LABELS_MAX,
				 "decision=\"%s\",policy=\"%.*s\"",
				 dropped ? "dropped" : "kept", (int)p.len, p.p);
			add_metric(m, name, labels, help,
				   dropped ? &report.traces[i].dropped
					   : &report.traces[i].kept);
		}
}

int sample_report_open(const struct span_sampler *s, struct span_error *err)
{
	struct cmd_metric *m;

	report.sampler = s;
	report.n = s ? span_sampler_n_policies(s) : 0;
	report.traces = calloc(report.n + 1, sizeof(*report.traces));
	report.labels = calloc(2 * report.n + 1, sizeof(*report.labels));
	report.metrics = m = calloc(2 * report.n + 7, sizeof(*m));
	if (!report.traces || !report.labels || !m)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	add_pair(&m, "span_sample_spans_total", "Spans by what was decided.",
		 &report.spans);
	if (!s)
		return 0;
	add_policies(&m);
	add_pair(&m, "span_sample_late_spans_total",
		 "Spans that came after their trace was decided.",
		 &report.late);
	add_pair(&m, "span_sample_early_traces_total",
		 "Traces decided before they were complete, for want of "
		 "memory.",
		 &report.early);
	return 0;
}

static void add(struct count *c, bool keep, uint64_t n)
{
	*(keep ? &c->kept : &c->dropped) += n;
}

static void explain(const struct span_sampled *s)
{
	const struct span_verdict *v = &s->verdict;
	struct span_str policy = span_sampler_policy(report.sampler, v->policy);
	char id[SPAN_TRACE_ID_TEXT];

	cmd_note("%s %s, %.*s: %zu %sspan%s%s",
		 span_trace_id_text(s->spans->trace_id, id),
		 v->keep ? "kept" : "dropped", (int)policy.len, policy.p, s->n,
		 s->late ? "late " : "", s->n == 1 ? "" : "s",
		 s->early ? ", decided early" : "");
}

void sample_count(const struct span_sampled *s, bool why)
{
	bool keep = s->verdict.keep;

	add(&report.spans, keep, s->n);
	if (s->late)
		add(&report.late, keep, s->n);
	else
		add(&report.traces[s->verdict.policy], keep, 1);
	if (s->early)
		add(&report.early, keep, 1);
	if (why)
		explain(s);
}

void sample_count_spans(uint64_t kept, uint64_t dropped)
{
	report.spans.kept += kept;
	report.spans.dropped += dropped;
}

void sample_report_metrics(bool now)
{
	cmd_metrics_write(report.metrics, now);
}

static void put_count(struct span_buf *b, uint64_t n, const char *after)
{
	span_text_count(b, n);
	span_buf_puts(b, after);
}

static void note(struct span_buf *b)
{
	if (!b->failed)
		cmd_note("%.*s", (int)b->len, b->p);
	b->len = 0;
}

static void report_policies(struct span_buf *b)
{
	for (uint32_t i = 0; i < report.n; i++) {
		struct span_str name = span_sampler_policy(report.sampler, i);

		if (!report.traces[i].kept && !report.traces[i].dropped)
			continue;
		span_buf_str(b, name);
		span_buf_puts(b, ": ");
		put_count(b, report.traces[i].kept, " traces kept, ");
		put_count(b, report.traces[i].dropped, " dropped");
		note(b);
	}
	if (report.late.kept || report.late.dropped) {
		span_buf_puts(b, "late spans: ");
		put_count(b, report.late.kept, " kept, ");
		put_count(b, report.late.dropped, " dropped");
		note(b);
	}
}

void sample_report(uint64_t since)
{
	uint64_t in = report.spans.kept + report.spans.dropped;
	struct span_buf b = {0};

	report_policies(&b);
	put_count(&b, in, " spans, ");
	span_text_count(&b, report.spans.kept);
	span_buf_printf(&b, " kept (%.2f %%), ",
			in ? 100.0 * (double)report.spans.kept / (double)in
			   : 0.0);
	put_count(&b, report.spans.dropped, " dropped, ");
	span_buf_printf(&b, "%.2f s",
			(double)(cmd_monotonic_ns() - since) / 1e9);
	note(&b);
	span_buf_release(&b);
}

void sample_report_early(void)
{
	uint64_t n = report.early.kept + report.early.dropped;

	if (n)
		cmd_warn("%llu trace%s decided before %s complete: --memory is "
			 "full",
			 (unsigned long long)n, n == 1 ? " was" : "s were",
			 n == 1 ? "it was" : "they were");
}

void sample_report_close(void)
{
	free(report.traces);
	free(report.labels);
	free(report.metrics);
}
