/* SPDX-License-Identifier: Apache-2.0 */
#include "stats-options.h"

#include "base/banned.h"

static stats_out_fn *const writers[] = {
	[TABLE] = stats_out_table,
	[CSV] = stats_out_csv,
	[JSON] = stats_out_json,
	[PLOT] = stats_out_plot,
	[SVG] = stats_out_svg,
	[PROMETHEUS] = stats_out_prometheus,
	[OPENMETRICS] = stats_out_prometheus,
};

static void warn(const struct stats_input *in, const struct stats_out *o)
{
	uint64_t left_out = span_stats_left_out(in->st);

	if (left_out)
		cmd_warn("%llu spans are beyond %u rows, %u bytes of labels "
			 "and %u sketch buckets, and left out; see --by and "
			 "--step",
			 (unsigned long long)left_out, SPAN_STATS_ROWS,
			 SPAN_STATS_TEXT, SPAN_STATS_BUCKETS);
	if (o->full)
		cmd_warn("a count is above %llu, and shown as that; see "
			 "--unweighted",
			 (unsigned long long)(UINT64_MAX / SPAN_STATS_ONE));
	if (!span_stats_spans(in->st) && in->n_other_kinds)
		cmd_warn("no span is of a server or a consumer; see "
			 "--all-kinds");
}

static void report(const struct stats_input *in, const struct stats_out *o,
		   uint64_t since)
{
	warn(in, o);
	if (!span_stats_spans(in->st) && !in->n_other_kinds &&
	    cmd_output_is_terminal())
		cmd_note("nothing matches");
	if (o->n_hidden && stats_wanted.format <= TABLE)
		cmd_note("%zu more groups are not shown; see --top",
			 o->n_hidden);
	if (stats_wanted.format == SVG && o->n_groups > STATS_LINES)
		cmd_note("%zu more groups are not shown; see --sort",
			 o->n_groups - STATS_LINES);
	if (cmd_verbose)
		cmd_note("%llu spans counted, %llu of other kinds, %zu groups, "
			 "%.2f s",
			 (unsigned long long)span_stats_spans(in->st),
			 (unsigned long long)in->n_other_kinds,
			 o->n_groups + o->n_hidden,
			 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static int write_stats(const struct stats_input *in, struct stats_out *o,
		       struct span_error *err)
{
	const struct stats_wanted *w = &stats_wanted;
	struct stats_sink sink = {.err = err};
	struct span_buf b = {0};
	int rc = cmd_output_open(&sink.fd, w->partial, err);

	if (rc < 0)
		return rc;
	o->sink = &sink;
	if (w->partial)
		rc = stats_input_save(in, &b, err);
	else
		writers[w->format < 0 ? TABLE : w->format](&b, o);
	if (!rc) {
		(void)stats_drain_all(&b, o);
		rc = sink.rc;
	}
	span_buf_release(&b);
	return rc < 0 ? rc : cmd_output_close(sink.fd, err);
}

/* Rows in order, and how to show them. */
static int show(struct stats_input *in, struct stats_out *o,
		struct span_error *err)
{
	const struct stats_wanted *w = &stats_wanted;
	enum stats_order order =
		w->order < 0 ? STATS_BY_CALLS : (enum stats_order)w->order;
	int rc;

	o->st = in->st;
	span_stats_times(in->st, &o->from_ns, &o->to_ns);
	rc = stats_groups(o, order, w->top == STATS_NOT_GIVEN ? 0 : w->top,
			  err);
	if (rc >= 0)
		rc = write_stats(in, o, err);
	if (rc >= 0 && in->totals)
		rc = stats_totals_commit(in, err);
	return rc;
}

static int read_input(struct stats_input *in, struct stats_out *o, int argc,
		      char **argv, struct span_error *err)
{
	int rc;

	if (stats_wanted.merge)
		return stats_input_merge(in, argc, argv, err);
	rc = stats_input_source(in, argc, argv, err);
	if (rc < 0)
		return rc;
	stats_options_metrics(in, o);
	return stats_input_read(in, err);
}

static int run(int argc, char **argv, struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct stats_input in = {0};
	struct stats_out out = {0};
	int rc;

	cmd_look(&out.look);
	stats_options_read(&in, &out);
	rc = read_input(&in, &out, argc, argv, err);
	if (rc >= 0)
		rc = show(&in, &out, err);
	if (rc >= 0)
		report(&in, &out, since);
	stats_groups_release(&out);
	stats_input_release(&in);
	return rc;
}

static const struct cmd span_stats = {
	.name = "span-stats",
	.operands = "[EXPR] [FILE...]",
	.summary = "the monitor: rate, errors, latency quantiles of spans",
	.options = stats_options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_stats, argc, argv);
}
