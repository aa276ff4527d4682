/* SPDX-License-Identifier: Apache-2.0 */
#include "stats-input.h"
#include "stats-out.h"

#include <stdlib.h>

#include "base/banned.h"

enum { TABLE, CSV, JSON, PLOT, SVG, PROMETHEUS, OPENMETRICS };
static const char *const formats[] = {"table",	     "csv", "json",
				      "plot",	     "svg", "prometheus",
				      "openmetrics", NULL};
static stats_out_fn *const writers[] = {
	stats_out_table,      stats_out_csv, stats_out_json,
	stats_out_plot,	      stats_out_svg, stats_out_prometheus,
	stats_out_prometheus,
};

/* In the order of enum stats_value. */
static const char *const values[] = {"rate", "ratio", "latency", NULL};

/* In the order of enum stats_style. */
static const char *const styles[] = {"otel", "otel-seconds", "tempo", NULL};

/* In the order of enum stats_order. */
static const char *const orders[] = {"calls",	"errors", "ratio",
				     "latency", "name",	  NULL};

static struct {
	int format, order, style, value;
	bool all_kinds, unweighted, histogram, partial, merge;
	struct cmd_list by, quantiles;
	const char *buckets, *totals;
	uint64_t step, top;
} opt;

static const struct cmd_option options[] = {
	{CMD_CHOICE, 'o', "format", &opt.format, "FORMAT", "what to write",
	 formats},
	{CMD_LIST, 0, "by", &opt.by, "FIELD,...",
	 "a group for each value of these (service,operation)", NULL},
	{CMD_DURATION, 0, "step", &opt.step, "TIME",
	 "in buckets of time that are that long", NULL},
	{CMD_LIST, 0, "quantile", &opt.quantiles, "Q,...",
	 "quantiles of durations, 0 to 1 (0.5,0.95,0.99)", NULL},
	{CMD_FLAG, 0, "histogram", &opt.histogram, NULL,
	 "a histogram of durations, too", NULL},
	{CMD_STRING, 0, "buckets", &opt.buckets, "TIME,...",
	 "its upper bounds, in place of 2ms to 15s", NULL},
	{CMD_FLAG, 0, "all-kinds", &opt.all_kinds, NULL,
	 "count spans of all kinds, not only of servers and consumers", NULL},
	{CMD_FLAG, 0, "unweighted", &opt.unweighted, NULL,
	 "count a sampled span as one, not as all that it stands for", NULL},
	{CMD_CHOICE, 0, "value", &opt.value, "VALUE",
	 "what -o plot and svg show", values},
	{CMD_CHOICE, 0, "metric-names", &opt.style, "NAMES",
	 "names of -o prometheus and openmetrics", styles},
	{CMD_STRING, 0, "totals", &opt.totals, "FILE",
	 "add to the totals in FILE, then show these", NULL},
	{CMD_FLAG, 0, "partial", &opt.partial, NULL,
	 "write a partial result, for --merge", NULL},
	{CMD_FLAG, 0, "merge", &opt.merge, NULL, "FILEs are partial results",
	 NULL},
	{CMD_CHOICE, 0, "sort", &opt.order, "ORDER", "order of the groups",
	 orders},
	{CMD_INT, 0, "top", &opt.top, "N", "only the first N groups", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_look_options, NULL, "Look", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const char usual_by[] = "service,operation";

static void read_fields(struct stats_fields *f)
{
	static const char *usual[] = {usual_by};
	struct span_error err = {0};

	if (opt.format >= PROMETHEUS) {
		f->escape = true;
		if (stats_fields_read(f, "service,operation,kind,status",
				      &err) < 0)
			cmd_usage("--by, %s", err.msg);
	} else if (!opt.by.n) {
		opt.by = (struct cmd_list){usual, 1};
	}
	for (size_t i = 0; i < opt.by.n; i++)
		if (stats_fields_read(f, opt.by.v[i], &err) < 0)
			cmd_usage("--by, %s", err.msg);
}

static void read_quantiles(struct stats_out *o)
{
	static const char *usual[] = {"0.5,0.95,0.99"};

	if (!opt.quantiles.n)
		opt.quantiles = (struct cmd_list){usual, 1};
	for (size_t i = 0; i < opt.quantiles.n; i++) {
		const char *p = opt.quantiles.v[i];

		for (;;) {
			char *end;
			double q = strtod(p, &end);

			if (end == p || (*end && *end != ',') ||
			    !(q >= 0 && q <= 1))
				cmd_usage("--quantile: '%s' is no number from "
					  "0 to 1",
					  p);
			if (o->n_quantiles == STATS_QUANTILES)
				cmd_usage("--quantile: more than %u of them",
					  STATS_QUANTILES);
			o->quantiles[o->n_quantiles++] = q;
			if (!*end)
				break;
			p = end + 1;
		}
	}
}

/* 14 powers of two, as Tempo's. */
static const char tempo_buckets[] =
	"2ms,4ms,8ms,16ms,32ms,64ms,128ms,256ms,512ms,1024ms,2048ms,4096ms,"
	"8192ms,16384ms";

static void read_metrics(struct stats_input *in, struct stats_out *o)
{
	struct span_buf twice = {0};

	if (opt.step)
		cmd_usage("-o %s has no times, and goes with no --step",
			  formats[opt.format]);
	o->style = (enum stats_style)opt.style;
	o->open_metrics = opt.format == OPENMETRICS;
	in->opts.exemplars = o->open_metrics;
	opt.histogram = true;
	if (!opt.buckets && o->style == STATS_TEMPO)
		opt.buckets = tempo_buckets;
	if (!stats_prom_names(o, &twice))
		cmd_usage("--by: two fields have the label %.*s",
			  (int)twice.len, twice.p);
}

static void read_options(struct stats_input *in, struct stats_out *o)
{
	read_fields(&in->fields);
	read_quantiles(o);
	o->fields = &in->fields;
	o->step_ns = opt.step;
	in->all_kinds = opt.all_kinds || opt.format >= PROMETHEUS;
	in->any_selection = opt.merge && !opt.all_kinds;
	in->opts.unweighted = opt.unweighted;
	in->opts.width_ns = opt.step;
	in->totals = opt.totals;
	in->by = opt.by.n && opt.by.v[0] != usual_by;
	if (opt.format >= PROMETHEUS)
		read_metrics(in, o);
	o->value = (enum stats_value)opt.value;
	if ((opt.format == PLOT || opt.format == SVG) && !opt.step)
		cmd_usage("-o %s shows times: --step says of which length",
			  formats[opt.format]);
	if (opt.merge && opt.totals)
		cmd_usage("--merge and --totals at once");
	if (opt.histogram || opt.buckets)
		stats_bounds(in, opt.buckets);
}

static void report(const struct stats_input *in, const struct stats_out *o,
		   uint64_t since)
{
	uint64_t left_out = span_stats_left_out(in->st);

	if (left_out)
		cmd_warn("%llu spans are beyond %u rows, %u bytes of labels "
			 "and %u sketch buckets, and left out; see --by and "
			 "--step",
			 (unsigned long long)left_out, SPAN_STATS_ROWS,
			 SPAN_STATS_TEXT, SPAN_STATS_BUCKETS);
	if (!span_stats_spans(in->st) && in->n_other_kinds)
		cmd_warn("no span is of a server or a consumer; see "
			 "--all-kinds");
	if (o->n_hidden && opt.format == TABLE)
		cmd_note("%zu more groups are not shown; see --top",
			 o->n_hidden);
	if (cmd_verbose)
		cmd_note("%llu spans counted, %llu of other kinds, %zu groups, "
			 "%.2f s",
			 (unsigned long long)span_stats_spans(in->st),
			 (unsigned long long)in->n_other_kinds,
			 o->n_groups + o->n_hidden,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int write_stats(const struct stats_input *in, const struct stats_out *o,
		       struct span_error *err)
{
	struct span_buf b = {0};
	int fd, rc = cmd_output_open(&fd, opt.partial, err);

	if (rc < 0)
		return rc;
	if (opt.partial)
		rc = stats_input_save(in, &b, err);
	else
		writers[opt.format](&b, o);
	if (!rc)
		rc = b.failed ? span_error_set(err, SPAN_E_NOMEM,
					       "memory is out")
			      : span_write_all(fd, b.p, b.len, err);
	span_buf_release(&b);
	return rc < 0 ? rc : cmd_output_close(fd, err);
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct stats_input in = {0};
	struct stats_out out = {0};
	int rc;

	cmd_look(&out.look);
	read_options(&in, &out);
	rc = opt.merge ? stats_input_merge(&in, argc, argv, err)
		       : stats_input_read(&in, argc, argv, err);
	if (rc < 0)
		goto done;
	out.st = in.st;
	for (size_t i = 0; i < in.n_quantiles; i++)
		out.quantiles[i] = in.quantiles[i];
	if (in.n_quantiles)
		out.n_quantiles = in.n_quantiles;
	span_stats_times(in.st, &out.from_ns, &out.to_ns);
	rc = stats_groups(&out, (enum stats_order)opt.order, opt.top, err);
	if (rc >= 0)
		rc = write_stats(&in, &out, err);
	if (rc >= 0)
		report(&in, &out, since);
done:
	stats_groups_release(&out);
	stats_input_release(&in);
	return rc;
}

static const struct cmd span_stats = {
	.name = "span-stats",
	.operands = "[EXPR] [FILE...]",
	.summary = "the monitor: rate, errors, latency quantiles of spans",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_stats, argc, argv);
}
