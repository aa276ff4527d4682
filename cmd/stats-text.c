/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics for programs: CSV and JSON. */
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

static void json_values(struct span_buf *b, const struct stats_out *o,
			const struct span_stats_row *r, double seconds)
{
	span_buf_puts(b, "\"calls\":");
	stats_count(b, r->calls);
	span_buf_puts(b, ",\"errors\":");
	stats_count(b, r->errors);
	span_buf_puts(b, ",\"error_ratio\":");
	span_text_double(b, stats_ratio(r));
	span_buf_puts(b, ",\"rate\":");
	span_text_double(b, stats_rate(r, seconds));
	for (size_t i = 0; i < o->n_quantiles; i++) {
		span_buf_puts(b, ",\"");
		stats_quantile_name(b, o->quantiles[i]);
		span_buf_puts(b, "_ns\":");
		span_text_uint(b, span_sketch_quantile(&r->durations,
						       o->quantiles[i]));
	}
	if (o->figure > STATS_MEAN) {
		span_buf_printf(b, ",\"%s_ns\":", stats_figure_name(o->figure));
		span_text_uint(b, stats_figure_ns(r, o->figure));
	}
	span_buf_puts(b, ",\"mean_ns\":");
	span_text_uint(b, span_stats_mean_ns(r));
}

static void json_histogram(struct span_buf *b, const struct stats_out *o,
			   size_t row)
{
	const struct span_stats_opts *opts = span_stats_opts(o->st);
	const uint64_t *counts = span_stats_histogram(o->st, row);

	if (!counts)
		return;
	span_buf_puts(b, ",\"histogram\":[");
	for (size_t i = 0; i <= opts->n_bounds; i++) {
		span_buf_puts(b, i ? ",{\"le_ns\":" : "{\"le_ns\":");
		if (i < opts->n_bounds)
			span_text_uint(b, opts->bounds[i]);
		else
			span_buf_puts(b, "null");
		span_buf_puts(b, ",\"count\":");
		stats_count(b, below(counts, i));
		span_buf_putc(b, '}');
	}
	span_buf_putc(b, ']');
}

static void json_points(struct span_buf *b, const struct stats_out *o,
			const struct stats_group *g)
{
	span_buf_puts(b, ",\"points\":[");
	for (size_t i = g->first; i < g->first + g->n && stats_drain(b, o);
	     i++) {
		const struct span_stats_row *r = span_stats_row(o->st, i);

		span_buf_puts(b, i > g->first ? ",\n {" : "\n {");
		span_buf_puts(b, "\"start\":\"");
		span_text_time(b, r->start_ns, 0);
		span_buf_puts(b, "\",");
		json_values(b, o, r, seconds_of(o));
		json_histogram(b, o, i);
		span_buf_putc(b, '}');
	}
	span_buf_putc(b, ']');
}

static void json_group(struct span_buf *b, const struct stats_out *o,
		       const struct stats_group *g)
{
	span_buf_puts(b, "{\"labels\":{");
	for (size_t i = 0; i < o->fields->n; i++) {
		span_buf_puts(b, i ? "," : "");
		span_text_json(b, o->fields->v[i].name);
		span_buf_putc(b, ':');
		span_text_json(b, span_stats_label(o->st, g->first, i));
	}
	span_buf_puts(b, "},");
	json_values(b, o, &g->total, stats_seconds(o));
	if (o->step_ns)
		json_points(b, o, g);
	else
		json_histogram(b, o, g->first);
	span_buf_putc(b, '}');
}

/* null where there is no span and no time. */
static void json_time(struct span_buf *b, const struct stats_out *o,
		      uint64_t ns)
{
	if (!o->from_ns && !o->to_ns) {
		span_buf_puts(b, "null");
		return;
	}
	span_buf_putc(b, '"');
	span_text_time(b, ns, 9);
	span_buf_putc(b, '"');
}

void stats_out_json(struct span_buf *b, const struct stats_out *o)
{
	span_buf_puts(b, "{\"from\":");
	json_time(b, o, o->from_ns);
	span_buf_puts(b, ",\"to\":");
	json_time(b, o, o->to_ns);
	if (o->step_ns)
		span_buf_printf(b, ",\"step_ns\":%llu",
				(unsigned long long)o->step_ns);
	span_buf_puts(b, ",\"groups\":[");
	for (size_t i = 0; i < o->n_groups && stats_drain(b, o); i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		json_group(b, o, &o->groups[i]);
	}
	span_buf_printf(b, "],\n\"spans\":%llu,\"left_out\":%llu}\n",
			(unsigned long long)span_stats_spans(o->st),
			(unsigned long long)span_stats_left_out(o->st));
}
