/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics in Prometheus' text format 0.0.4, and as OpenMetrics 1.0 with
 * exemplars. Names and labels are those of OpenTelemetry's span metrics
 * connector, which Jaeger's monitor reads, or of Tempo's metrics generator.
 */
#include "stats-out.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const struct style {
	const char *calls, *duration, *service;
	double unit_ns;
} styles[] = {
	{"traces_span_metrics_calls",
	 "traces_span_metrics_duration_milliseconds", "service_name", 1e6},
	{"traces_span_metrics_calls", "traces_span_metrics_duration_seconds",
	 "service_name", 1e9},
	{"traces_spanmetrics_calls", "traces_spanmetrics_latency", "service",
	 1e9},
};

/*
 * The name of a label, dots as '_'. Where Prometheus has a meaning of its own
 * for that it is "exported_" and the name, as Prometheus does it itself.
 */
static void put_label(struct span_buf *b, struct span_str name)
{
	struct span_buf label = {0};
	struct span_str text;

	span_text_label(&label, name);
	text = (struct span_str){label.p, label.len};
	if (span_str_equal(text, SPAN_STR("le")) ||
	    (text.len > 1 && !memcmp(text.p, "__", 2)))
		span_buf_puts(b, "exported_");
	span_buf_put(b, label.p, label.len);
	b->failed |= label.failed;
	span_buf_release(&label);
}

/* What the label of field I is called. */
static void put_name(struct span_buf *b, const struct stats_out *o, size_t i)
{
	const struct stats_field *f = &o->fields->v[i];
	struct span_str name = f->key.len	   ? f->key
			       : f->column.key.len ? f->column.key
						   : f->name;

	if (f->place == STATS_SERVICE)
		name = span_str(styles[o->style].service);
	else if (f->place == STATS_OPERATION)
		name = SPAN_STR("span_name");
	else if (f->place == STATS_KIND)
		name = SPAN_STR("span_kind");
	else if (f->place == STATS_STATUS)
		name = SPAN_STR("status_code");
	put_label(b, name);
}

bool stats_prom_names(const struct stats_out *o, struct span_buf *twice)
{
	struct span_buf names[SPAN_STATS_LABELS] = {{0}};
	bool good = true;

	for (size_t i = 0; i < o->fields->n && good; i++) {
		put_name(&names[i], o, i);
		for (size_t k = 0; k < i && good; k++)
			good = !span_str_equal(
				(struct span_str){names[i].p, names[i].len},
				(struct span_str){names[k].p, names[k].len});
		if (!good)
			span_buf_put(twice, names[i].p, names[i].len);
	}
	for (size_t i = 0; i < o->fields->n; i++)
		span_buf_release(&names[i]);
	return good;
}

/* A value is escaped for a terminal already: what is left are " and \. */
static void put_value(struct span_buf *b, const struct stats_out *o, size_t row,
		      size_t i)
{
	struct span_str s = span_stats_label(o->st, row, i);
	enum stats_place place = o->fields->v[i].place;

	if (place == STATS_KIND)
		span_buf_puts(b, "SPAN_KIND_");
	else if (place == STATS_STATUS)
		span_buf_puts(b, "STATUS_CODE_");
	if (place == STATS_KIND && !s.len)
		s = SPAN_STR("unspecified");
	for (size_t k = 0; k < s.len; k++) {
		bool upper = place == STATS_KIND || place == STATS_STATUS;
		char c = s.p[k];

		if (c == '"' || c == '\\')
			span_buf_putc(b, '\\');
		span_buf_putc(b, (char)(upper ? c - 'a' + 'A' : c));
	}
}

static void put_labels(struct span_buf *b, const struct stats_out *o,
		       size_t row)
{
	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "," : "{");
		put_name(b, o, i);
		span_buf_puts(b, "=\"");
		put_value(b, o, row, i);
		span_buf_putc(b, '"');
	}
}

static void put_family(struct span_buf *b, const struct stats_out *o,
		       const char *name, const char *type, const char *help)
{
	const char *total =
		!o->open_metrics && !strcmp(type, "counter") ? "_total" : "";

	span_buf_printf(b, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total,
			help, name, total, type);
}

static void put_calls(struct span_buf *b, const struct stats_out *o)
{
	const char *name = styles[o->style].calls;

	put_family(b, o, name, "counter", "Spans, by what they are.");
	for (size_t i = 0; i < span_stats_rows(o->st) && stats_drain(b, o);
	     i++) {
		span_buf_printf(b, "%s_total", name);
		put_labels(b, o, i);
		span_buf_puts(b, "} ");
		stats_count(b, span_stats_row(o->st, i)->calls);
		span_buf_putc(b, '\n');
	}
}

/*
 * The canonical form of a float in OpenMetrics is that of Go: "2.0", and with
 * an exponent of two digits below 1e-4 and from 1e6 on, "1e-09".
 */
static void put_canonical(struct span_buf *b, double d)
{
	size_t from = b->len;
	char text[32];

	if (d > 0 && (d < 1e-4 || d >= 1e6)) {
		for (int digits = 0; digits < 17; digits++) {
			snprintf(text, sizeof(text), "%.*e", digits, d);
			if (strtod(text, NULL) == d)
				break;
		}
		span_buf_puts(b, text);
		return;
	}
	span_text_double(b, d);
	if (!b->failed && !memchr(b->p + from, '.', b->len - from))
		span_buf_puts(b, ".0");
}

static void put_bound(struct span_buf *b, const struct stats_out *o, size_t i)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	double bound;

	if (i == opts->n_bounds) {
		span_buf_puts(b, "+Inf");
		return;
	}
	bound = (double)opts->bounds[i] / styles[o->style].unit_ns;
	if (o->open_metrics)
		put_canonical(b, bound);
	else
		span_text_double(b, bound);
}

static void put_exemplar(struct span_buf *b, const struct stats_out *o,
			 const struct span_stats_exemplar *e)
{
	char trace[SPAN_TRACE_ID_TEXT], span[SPAN_ID_TEXT];

	span_buf_printf(b, " # {trace_id=\"%s\",span_id=\"%s\"} ",
			span_trace_id_text(e->trace_id, trace),
			span_id_text(e->span_id, span));
	span_text_double(b, (double)e->duration_ns / styles[o->style].unit_ns);
}

static void put_buckets(struct span_buf *b, const struct stats_out *o,
			size_t row)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	const uint64_t *counts = span_stats_histogram(o->st, row);
	const struct span_stats_exemplar *e = span_stats_exemplars(o->st, row);
	uint64_t sum = 0;

	for (size_t i = 0; i <= opts->n_bounds; i++) {
		sum = sum > UINT64_MAX - counts[i] ? UINT64_MAX
						   : sum + counts[i];
		span_buf_printf(b, "%s_bucket", styles[o->style].duration);
		put_labels(b, o, row);
		span_buf_puts(b, ",le=\"");
		put_bound(b, o, i);
		span_buf_puts(b, "\"} ");
		stats_count(b, sum);
		if (e && e[i].set)
			put_exemplar(b, o, &e[i]);
		span_buf_putc(b, '\n');
	}
}

static void put_durations(struct span_buf *b, const struct stats_out *o)
{
	const char *name = styles[o->style].duration;

	put_family(b, o, name, "histogram", "How long spans took.");
	for (size_t i = 0; i < span_stats_rows(o->st) && stats_drain(b, o);
	     i++) {
		const struct span_stats_row *r = span_stats_row(o->st, i);

		put_buckets(b, o, i);
		span_buf_printf(b, "%s_sum", name);
		put_labels(b, o, i);
		span_buf_puts(b, "} ");
		span_text_double(b, span_stats_sum_ns(r) /
					    styles[o->style].unit_ns);
		span_buf_printf(b, "\n%s_count", name);
		put_labels(b, o, i);
		span_buf_puts(b, "} ");
		stats_count(b, r->calls);
		span_buf_putc(b, '\n');
	}
}

void stats_out_prometheus(struct span_buf *b, const struct stats_out *o)
{
	if (span_stats_rows(o->st)) {
		put_calls(b, o);
		put_durations(b, o);
	}
	if (o->open_metrics)
		span_buf_puts(b, "# EOF\n");
}
