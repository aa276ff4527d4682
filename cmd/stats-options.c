/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An option that would do nothing is refused, so that nobody believes that it
 * did.
 */
#include "stats-options.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const char *const formats[] = {"table",	     "csv", "json",
				      "plot",	     "svg", "prometheus",
				      "openmetrics", NULL};

/* In the order of enum stats_value. */
static const char *const values[] = {"rate", "ratio", "latency", "mean",
				     "min",  "max",   "sum",	 NULL};

/* In the order of enum stats_style. */
static const char *const styles[] = {"otel", "otel-seconds", "tempo", NULL};

/* In the order of enum stats_order. */
static const char *const orders[] = {"calls",	"errors", "ratio",
				     "latency", "name",	  NULL};

struct stats_wanted stats_wanted = {
	.format = -1,
	.order = -1,
	.style = -1,
	.value = -1,
	.step = STATS_NOT_GIVEN,
	.top = STATS_NOT_GIVEN,
};

const struct cmd_option stats_options[] = {
	{CMD_CHOICE, 'o', "format", &stats_wanted.format, "FORMAT",
	 "what to write", formats},
	{CMD_LIST, 0, "by", &stats_wanted.by, "FIELD,...",
	 "a group for each value of these (service,operation)", NULL},
	{CMD_DURATION, 0, "step", &stats_wanted.step, "TIME",
	 "in buckets of time that are that long", NULL},
	{CMD_LIST, 0, "quantile", &stats_wanted.quantiles, "Q,...",
	 "quantiles of durations, 0 to 1 (0.5,0.95,0.99)", NULL},
	{CMD_FLAG, 0, "histogram", &stats_wanted.histogram, NULL,
	 "a histogram of durations, too", NULL},
	{CMD_STRING, 0, "buckets", &stats_wanted.buckets, "TIME,...",
	 "its upper bounds, in place of 2ms to 15s", NULL},
	{CMD_FLAG, 0, "all-kinds", &stats_wanted.all_kinds, NULL,
	 "count spans of all kinds, not only of servers and consumers", NULL},
	{CMD_FLAG, 0, "unweighted", &stats_wanted.unweighted, NULL,
	 "count a sampled span as one, not as all that it stands for", NULL},
	{CMD_CHOICE, 0, "value", &stats_wanted.value, "VALUE",
	 "what -o plot and svg show", values},
	{CMD_CHOICE, 0, "metric-names", &stats_wanted.style, "NAMES",
	 "names of -o prometheus and openmetrics", styles},
	{CMD_STRING, 0, "totals", &stats_wanted.totals, "FILE",
	 "add to the totals in FILE, then show these", NULL},
	{CMD_FLAG, 0, "partial", &stats_wanted.partial, NULL,
	 "write a partial result, for --merge", NULL},
	{CMD_FLAG, 0, "merge", &stats_wanted.merge, NULL,
	 "FILEs are partial results", NULL},
	{CMD_CHOICE, 0, "sort", &stats_wanted.order, "ORDER",
	 "order of the groups", orders},
	{CMD_INT, 0, "top", &stats_wanted.top, "N",
	 "only the first N groups; 0 is all", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_look_options, NULL, "Look", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static bool is_picture(void)
{
	return stats_wanted.format == PLOT || stats_wanted.format == SVG;
}

static bool is_metrics(void)
{
	return stats_wanted.format >= PROMETHEUS;
}

/* ---- Reading ---- */

static void read_fields(struct stats_fields *f)
{
	static const char *const usual = "service,operation";
	struct span_error err = {0};

	if (is_metrics())
		stats_fields_metrics(f);
	else if (!stats_wanted.by.n && stats_fields_read(f, usual, &err) < 0)
		cmd_usage("--by, %s", err.msg);
	for (size_t i = 0; i < stats_wanted.by.n; i++)
		if (stats_fields_read(f, stats_wanted.by.v[i], &err) < 0)
			cmd_usage("--by, %s", err.msg);
}

/* Quantiles have to differ in their names, which JSON and CSV have. */
static void add_quantile(struct stats_out *o, double q, const char *from)
{
	struct span_buf name = {0}, other = {0};

	if (o->n_quantiles == STATS_QUANTILES)
		cmd_usage("%s: more than %u quantiles", from, STATS_QUANTILES);
	stats_quantile_name(&name, q);
	for (size_t i = 0; i < o->n_quantiles; i++) {
		other.len = 0;
		stats_quantile_name(&other, o->quantiles[i]);
		if (span_str_equal((struct span_str){name.p, name.len},
				   (struct span_str){other.p, other.len}))
			cmd_usage("%s: %.*s is there twice", from,
				  (int)name.len, name.p);
	}
	span_buf_release(&name);
	span_buf_release(&other);
	o->quantiles[o->n_quantiles++] = q;
}

static void read_quantiles(struct stats_out *o, const char *text)
{
	const char *p = text;

	for (;;) {
		char *end;
		double q = strtod(p, &end);

		if (end == p || (*end && *end != ',') || !(q >= 0 && q <= 1))
			cmd_usage("--quantile: '%s' is no number from 0 to 1",
				  p);
		add_quantile(o, q, "--quantile");
		if (!*end)
			return;
		p = end + 1;
	}
}

static void read_values(struct stats_out *o)
{
	const struct stats_wanted *w = &stats_wanted;

	for (size_t i = 0; i < w->quantiles.n; i++)
		read_quantiles(o, w->quantiles.v[i]);
	if (!w->quantiles.n)
		read_quantiles(o, "0.5,0.95,0.99");
	o->latency = w->quantiles.n ? o->quantiles[0] : 0.95;
	if (w->value >= 0)
		o->value = (enum stats_value)w->value;
	else if (w->quantiles.n)
		o->value = STATS_LATENCY;
}

static enum stats_value figure_of(enum span_metric what)
{
	switch (what) {
	case SPAN_METRIC_AVG:
		return STATS_MEAN;
	case SPAN_METRIC_MIN:
		return STATS_MIN;
	case SPAN_METRIC_MAX:
		return STATS_MAX;
	case SPAN_METRIC_SUM:
		return STATS_SUM;
	default:
		return STATS_RATE;
	}
}

void stats_options_metrics(const struct stats_input *in, struct stats_out *o)
{
	const struct span_metrics *m = &in->metrics;
	enum stats_value figure = figure_of(m->what);

	if (!in->has_metrics)
		return;
	if (m->n_quantiles || figure) {
		if (stats_wanted.quantiles.n)
			cmd_usage("--quantile, and a function that says what "
				  "is shown of durations");
		o->n_quantiles = 0;
	}
	for (size_t i = 0; i < m->n_quantiles; i++)
		add_quantile(o, m->quantiles[i], "quantile_over_time()");
	if (m->n_quantiles)
		o->latency = m->quantiles[0];
	o->figure = figure;
	if (stats_wanted.value < 0)
		o->value = figure	    ? figure
			   : m->n_quantiles ? STATS_LATENCY
					    : o->value;
}

/* 14 powers of two, as Tempo's. */
static const char tempo_buckets[] =
	"2ms,4ms,8ms,16ms,32ms,64ms,128ms,256ms,512ms,1024ms,2048ms,4096ms,"
	"8192ms,16384ms";

static void read_metrics(struct stats_input *in, struct stats_out *o)
{
	struct span_buf twice = {0};

	o->open_metrics = stats_wanted.format == OPENMETRICS;
	in->opts.exemplars = o->open_metrics;
	stats_wanted.histogram = true;
	if (!stats_wanted.buckets && o->style == STATS_TEMPO)
		stats_wanted.buckets = tempo_buckets;
	if (!stats_prom_names(o, &twice))
		cmd_usage("--by: two fields have the label %.*s",
			  (int)twice.len, twice.p);
}

/* ---- What does not go together ---- */

static void refuse(bool given, const char *name, const char *with)
{
	if (given)
		cmd_usage("%s goes with no --%s", with, name);
}

static void check_metrics(const struct stats_wanted *w)
{
	char with[32];

	snprintf(with, sizeof(with), "-o %s", formats[w->format]);
	if (w->step != STATS_NOT_GIVEN)
		cmd_usage("%s has no times, and goes with no --step", with);
	refuse(w->quantiles.n, "quantile", with);
	refuse(w->order >= 0, "sort", with);
	refuse(w->top != STATS_NOT_GIVEN, "top", with);
}

static void check_picture(const struct stats_wanted *w)
{
	char with[32];

	snprintf(with, sizeof(with), "-o %s", formats[w->format]);
	if (w->step == STATS_NOT_GIVEN)
		cmd_usage("%s shows times: --step says of which length", with);
	/* Of results that are kept it says which ones they are. */
	if (!w->merge && !w->totals) {
		refuse(w->histogram, "histogram", with);
		refuse(w->buckets, "buckets", with);
	}
	if (w->quantiles.n && w->value >= 0 && w->value != STATS_LATENCY)
		cmd_usage("--value %s goes with no --quantile",
			  values[w->value]);
}

static void check_partial(const struct stats_wanted *w)
{
	if (w->format >= 0 && !is_metrics())
		cmd_usage("--partial writes a partial result, and no %s",
			  formats[w->format]);
	refuse(w->quantiles.n, "quantile", "--partial");
	refuse(w->order >= 0, "sort", "--partial");
	refuse(w->top != STATS_NOT_GIVEN, "top", "--partial");
}

static void check_merge(const struct stats_wanted *w)
{
	const char *option = cmd_source_option();

	if (w->totals)
		cmd_usage("--merge and --totals at once");
	if (option)
		cmd_usage("--merge adds up partial results, and takes no "
			  "--%s",
			  option);
}

static void check(const struct stats_wanted *w)
{
	if (!w->step)
		cmd_usage("--step: a time above 0 is needed");
	if (is_metrics())
		check_metrics(w);
	else if (w->style >= 0)
		cmd_usage("--metric-names is for -o prometheus and "
			  "openmetrics");
	if (is_picture())
		check_picture(w);
	else if (w->value >= 0)
		cmd_usage("--value is for -o plot and svg");
	if (w->partial)
		check_partial(w);
	if (w->merge)
		check_merge(w);
}

void stats_options_read(struct stats_input *in, struct stats_out *o)
{
	const struct stats_wanted *w = &stats_wanted;

	check(w);
	read_fields(&in->fields);
	read_values(o);
	o->fields = &in->fields;
	o->step_ns = w->step == STATS_NOT_GIVEN ? 0 : w->step;
	if (w->style >= 0)
		o->style = (enum stats_style)w->style;
	in->all_kinds = w->all_kinds || is_metrics();
	in->any_selection = w->merge && !w->all_kinds;
	in->opts.unweighted = w->unweighted;
	in->opts.width_ns = o->step_ns;
	in->totals = w->totals;
	in->by = w->by.n;
	in->exact = w->value == STATS_MIN || w->value == STATS_MAX;
	if (is_metrics())
		read_metrics(in, o);
	if (w->histogram || w->buckets)
		stats_bounds(in, w->buckets);
}
