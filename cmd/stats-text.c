/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics for programs: CSV and JSON. */
#include "cmd_json.h"
#include "stats-out.h"

#include "base/banned.h"

/* Up to bound I of the histogram of row R, which may be the last, +Inf. */
static uint64_t below(const uint64_t *counts, size_t i)
{
	uint64_t n = 0;

	for (size_t k = 0; k <= i; k++)
		n = n > UINT64_MAX - counts[k] ? UINT64_MAX : n + counts[k];
	return n;
}

static double seconds_of(const struct stats_out *o)
{
	return o->step_ns ? (double)o->step_ns / 1e9 : stats_seconds(o);
}

/* ---- CSV ---- */

static void csv_head(struct span_buf *b, const struct stats_out *o)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);

	for (size_t i = 0; i < o->fields->n; i++) {
		span_text_csv(b, o->fields->v[i].name, true);
		span_buf_putc(b, ',');
	}
	if (o->step_ns)
		span_buf_puts(b, "start,");
	span_buf_puts(b, "calls,errors,error_ratio,rate");
	for (size_t i = 0; i < o->n_quantiles; i++) {
		span_buf_putc(b, ',');
		stats_quantile_name(b, o->quantiles[i]);
	}
	if (o->figure > STATS_MEAN)
		span_buf_printf(b, ",%s", stats_figure_name(o->figure));
	span_buf_puts(b, ",mean");
	for (size_t i = 0; i < opts->n_bounds; i++)
		span_buf_printf(b, ",le_%llu",
				(unsigned long long)opts->bounds[i]);
	span_buf_puts(b, opts->n_bounds ? ",le_inf\n" : "\n");
}

static void csv_row(struct span_buf *b, const struct stats_out *o, size_t i)
{
	const struct span_stats_row *r = span_stats_row(o->st, i);
	const uint64_t *counts = span_stats_histogram(o->st, i);

	for (size_t k = 0; k < o->fields->n; k++) {
		span_text_csv(b, span_stats_label(o->st, i, k), true);
		span_buf_putc(b, ',');
	}
	if (o->step_ns) {
		span_text_time(b, r->start_ns, 0);
		span_buf_putc(b, ',');
	}
	stats_count(b, r->calls);
	span_buf_putc(b, ',');
	stats_count(b, r->errors);
	span_buf_putc(b, ',');
	span_text_double(b, stats_ratio(r));
	span_buf_putc(b, ',');
	span_text_double(b, stats_rate(r, seconds_of(o)));
	for (size_t k = 0; k < o->n_quantiles; k++) {
		span_buf_putc(b, ',');
		span_text_uint(b, span_sketch_quantile(&r->durations,
						       o->quantiles[k]));
	}
	if (o->figure > STATS_MEAN) {
		span_buf_putc(b, ',');
		span_text_uint(b, stats_figure_ns(r, o->figure));
	}
	span_buf_putc(b, ',');
	span_text_uint(b, span_stats_mean_ns(r));
	for (size_t k = 0; counts && k <= span_stats_opts(o->st)->n_bounds;
	     k++) {
		span_buf_putc(b, ',');
		stats_count(b, below(counts, k));
	}
	span_buf_putc(b, '\n');
}

void stats_out_csv(struct span_buf *b, const struct stats_out *o)
{
	csv_head(b, o);
	for (size_t i = 0; i < o->n_groups; i++)
		for (size_t k = 0; k < o->groups[i].n && stats_drain(b, o); k++)
			csv_row(b, o, o->groups[i].first + k);
}

/* ---- JSON ---- */

/* A number with the name "p95_ns". */
static void json_ns(struct cmd_json *j, const char *name, uint64_t ns)
{
	struct span_buf text = {0};

	span_buf_printf(&text, "%s_ns", name);
	cmd_json_name(j, (struct span_str){text.p, text.len});
	cmd_json_uint(j, NULL, ns);
	j->b->failed |= text.failed;
	span_buf_release(&text);
}

static void json_quantile(struct cmd_json *j, const struct span_stats_row *r,
			  double q)
{
	struct span_buf name = {0};

	stats_quantile_name(&name, q);
	span_buf_putc(&name, 0);
	json_ns(j, name.failed ? "" : name.p,
		span_sketch_quantile(&r->durations, q));
	j->b->failed |= name.failed;
	span_buf_release(&name);
}

static void json_count(struct cmd_json *j, const char *name, uint64_t count)
{
	cmd_json_value(j, name);
	stats_count(j->b, count);
}

static void json_values(struct cmd_json *j, const struct stats_out *o,
			const struct span_stats_row *r, double seconds)
{
	json_count(j, "calls", r->calls);
	json_count(j, "errors", r->errors);
	cmd_json_double(j, "error_ratio", stats_ratio(r));
	cmd_json_double(j, "rate", stats_rate(r, seconds));
	for (size_t i = 0; i < o->n_quantiles; i++)
		json_quantile(j, r, o->quantiles[i]);
	if (o->figure > STATS_MEAN)
		json_ns(j, stats_figure_name(o->figure),
			stats_figure_ns(r, o->figure));
	cmd_json_uint(j, "mean_ns", span_stats_mean_ns(r));
}

static void json_histogram(struct cmd_json *j, const struct stats_out *o,
			   size_t row)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	const uint64_t *counts = span_stats_histogram(o->st, row);

	if (!counts)
		return;
	cmd_json_open(j, "histogram", '[');
	for (size_t i = 0; i <= opts->n_bounds; i++) {
		cmd_json_open(j, NULL, '{');
		if (i < opts->n_bounds)
			cmd_json_uint(j, "le_ns", opts->bounds[i]);
		else
			cmd_json_null(j, "le_ns");
		json_count(j, "count", below(counts, i));
		cmd_json_close(j, '}');
	}
	cmd_json_close(j, ']');
}

static void json_points(struct cmd_json *j, const struct stats_out *o,
			const struct stats_group *g)
{
	cmd_json_open(j, "points", '[');
	for (size_t i = g->first; i < g->first + g->n && stats_drain(j->b, o);
	     i++) {
		const struct span_stats_row *r = span_stats_row(o->st, i);

		cmd_json_line(j);
		span_buf_putc(j->b, ' ');
		cmd_json_open(j, NULL, '{');
		cmd_json_value(j, "start");
		span_buf_putc(j->b, '"');
		span_text_time(j->b, r->start_ns, 0);
		span_buf_putc(j->b, '"');
		json_values(j, o, r, seconds_of(o));
		json_histogram(j, o, i);
		cmd_json_close(j, '}');
	}
	cmd_json_close(j, ']');
}

static void json_group(struct cmd_json *j, const struct stats_out *o,
		       const struct stats_group *g)
{
	cmd_json_open(j, NULL, '{');
	cmd_json_open(j, "labels", '{');
	for (size_t i = 0; i < o->fields->n; i++) {
		cmd_json_name(j, o->fields->v[i].name);
		cmd_json_text(j, NULL, span_stats_label(o->st, g->first, i));
	}
	cmd_json_close(j, '}');
	json_values(j, o, &g->total, stats_seconds(o));
	if (o->step_ns)
		json_points(j, o, g);
	else
		json_histogram(j, o, g->first);
	cmd_json_close(j, '}');
}

/* null where there is no span and no time. */
static void json_time(struct cmd_json *j, const struct stats_out *o,
		      const char *name, uint64_t ns)
{
	if (o->from_ns || o->to_ns)
		cmd_json_time(j, name, ns);
	else
		cmd_json_null(j, name);
}

void stats_out_json(struct span_buf *b, const struct stats_out *o)
{
	struct cmd_json j = {.b = b};

	cmd_json_open(&j, NULL, '{');
	json_time(&j, o, "from", o->from_ns);
	json_time(&j, o, "to", o->to_ns);
	if (o->step_ns)
		cmd_json_uint(&j, "step_ns", o->step_ns);
	cmd_json_open(&j, "groups", '[');
	for (size_t i = 0; i < o->n_groups && stats_drain(b, o); i++) {
		cmd_json_line(&j);
		json_group(&j, o, &o->groups[i]);
	}
	cmd_json_close(&j, ']');
	cmd_json_line(&j);
	cmd_json_uint(&j, "spans", span_stats_spans(o->st));
	cmd_json_uint(&j, "left_out", span_stats_left_out(o->st));
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
}
