/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quickest way to the spans that there is: calls that a store knows in
 * advance; slices of frames, whose spans are only decoded whole when it
 * matters; or a search.
 */
#include "stats-input.h"

#include <string.h>

#include "base/banned.h"

#define MINUTE_NS UINT64_C(60000000000)
#define MS UINT64_C(1000000)

/* Those of OpenTelemetry's span metrics. */
static const uint64_t usual_bounds[] = {
	2 * MS,	   4 * MS,    6 * MS,	  8 * MS,     10 * MS,	 50 * MS,
	100 * MS,  200 * MS,  400 * MS,	  800 * MS,   1000 * MS, 1400 * MS,
	2000 * MS, 5000 * MS, 10000 * MS, 15000 * MS,
};

static uint64_t read_bound(const char *p, size_t len)
{
	struct span_error err = {0};
	char text[64];
	uint64_t ns;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, p, len);
	text[len] = 0;
	if (cmd_parse_duration(text, &ns, &err) < 0)
		cmd_usage("--buckets: %s", err.msg);
	return ns;
}

void stats_bounds(struct stats_input *in, const char *text)
{
	size_t n = 0;

	if (!text) {
		n = sizeof(usual_bounds) / sizeof(*usual_bounds);
		memcpy(in->bounds, usual_bounds, sizeof(usual_bounds));
	}
	while (text) {
		size_t len = strcspn(text, ",");

		if (n == SPAN_STATS_BOUNDS)
			cmd_usage("--buckets: more than %u of them",
				  SPAN_STATS_BOUNDS);
		in->bounds[n] = read_bound(text, len);
		if (n && in->bounds[n] <= in->bounds[n - 1])
			cmd_usage("--buckets: the bounds have to ascend");
		n++;
		text = text[len] ? text + len + 1 : NULL;
	}
	in->opts.bounds = in->bounds;
	in->opts.n_bounds = n;
}

static bool wanted(struct stats_input *in, uint8_t kind)
{
	if (in->all_kinds || kind == SPAN_KIND_SERVER ||
	    kind == SPAN_KIND_CONSUMER)
		return true;
	in->n_other_kinds++;
	return false;
}

int stats_input_put(struct stats_input *in, const struct span *s)
{
	struct span_str labels[SPAN_STATS_LABELS];

	if (in->rc < 0 || !wanted(in, s->kind))
		return in->rc;
	stats_fields_of(&in->fields, s, labels);
	in->rc = span_stats_put(in->st, labels, s, in->err);
	return in->rc;
}

/* No slice is forwarded. */
static bool put_selected(void *arg, const struct span *s)
{
	(void)!stats_input_put(arg, s);
	return false;
}

/* An outline tells of a tag "error", and has the weight. */
static enum cmd_source_part needs(void *arg, const struct span_frame_info *f)
{
	const struct stats_input *in = arg;

	(void)f;
	return stats_fields_whole(&in->fields) ? CMD_SOURCE_WHOLE
					       : CMD_SOURCE_OUTLINE;
}

static void widen(struct stats_input *in, uint64_t from_ns, uint64_t to_ns)
{
	in->from_ns = from_ns < in->from_ns ? from_ns : in->from_ns;
	in->to_ns = to_ns > in->to_ns ? to_ns : in->to_ns;
}

static int read_slices(struct stats_input *in, struct cmd_source *source,
		       struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc;

	while ((rc = cmd_source_next_slice(source, &frame, &keep, &n, err)) >
	       0) {
		const struct span_frame_info *f = span_frame_info(frame);

		if (in->rc < 0)
			return in->rc;
		if (f->n_spans)
			widen(in, f->min_start_ns, f->max_end_ns);
		cmd_progress(cmd_source_spans(source), "spans");
	}
	return rc < 0 ? rc : in->rc;
}

static int read_spans(struct stats_input *in, struct cmd_source *source,
		      struct span_error *err)
{
	uint64_t n = 0;
	struct span s;
	int rc;

	while ((rc = cmd_source_next(source, &s, err)) > 0) {
		widen(in, s.start_ns, span_end_ns(&s));
		if (stats_input_put(in, &s) < 0)
			return in->rc;
		cmd_progress(++n, "spans");
	}
	return rc;
}

static int put_calls(void *arg, const struct span_store_calls *c,
		     struct span_error *err)
{
	struct stats_input *in = arg;
	struct span_str labels[SPAN_STATS_LABELS];
	struct span_process process = {.service = c->service};
	struct span s = {.process = &process,
			 .name = c->name,
			 .kind = c->kind,
			 .status = c->error ? SPAN_STATUS_ERROR
					    : SPAN_STATUS_UNSET};

	if (!wanted(in, c->kind))
		return 0;
	stats_fields_of(&in->fields, &s, labels);
	return span_stats_put_calls(in->st, labels, c, err);
}

static bool calls_will_do(const struct stats_input *in,
			  const struct cmd_source *source)
{
	return cmd_source_has_named_calls(source) &&
	       stats_fields_of_calls(&in->fields) && !in->opts.n_bounds &&
	       in->opts.width_ns % MINUTE_NS == 0;
}

static int store_times(struct stats_input *in, struct cmd_source *source,
		       struct span_error *err)
{
	struct span_store_stat stat;
	int rc = span_store_stat(cmd_source_store(source), &stat, err);

	if (!rc && stat.n_spans)
		widen(in, stat.min_start_ns, stat.max_end_ns);
	return rc;
}

static int read_source(struct stats_input *in, struct cmd_source *source,
		       struct span_error *err)
{
	int rc = 0;

	in->err = err;
	in->from_ns = UINT64_MAX;
	if (cmd_source_is_store(source))
		rc = store_times(in, source, err);
	if (rc < 0)
		return rc;
	if (in->totals && cmd_source_is_store(source))
		rc = stats_totals_arrived(in, source, err);
	else if (calls_will_do(in, source))
		rc = cmd_source_named_calls(source, in->opts.width_ns,
					    put_calls, in, err);
	else if (cmd_source_slices(source))
		rc = read_slices(in, source, err);
	else
		rc = read_spans(in, source, err);
	cmd_progress_end();
	return rc;
}

/* What --since and --until say is what rates are about. */
static void set_times(struct stats_input *in)
{
	bool none = in->from_ns > in->to_ns;
	uint64_t since, until;

	cmd_source_time(&since, &until);
	if (since)
		in->from_ns = since;
	if (until)
		in->to_ns = until;
	if (!none || (since && until))
		span_stats_widen(in->st, in->from_ns, in->to_ns);
}

static int open_stats(struct stats_input *in, struct span_error *err)
{
	int rc = stats_names_put(in, err);

	in->opts.n_labels = in->fields.n;
	if (rc < 0)
		return rc;
	return span_stats_open(&in->st, &in->opts, err);
}

static int merge_file(struct stats_input *in, const char *name,
		      struct span_error *err)
{
	struct span_buf text = {0};
	struct span_error why = {0};
	size_t used = 0, at = 0;
	int rc = cmd_file_read(name, &text, err);

	if (rc < 0)
		return rc;
	do {
		rc = stats_input_add(in, text.p + at, text.len - at, &used,
				     &why);
		at += used;
	} while (!rc && at < text.len);
	span_buf_release(&text);
	return rc < 0 ? span_error_at(err, rc, at + why.pos, "%s: %s", name,
				      why.msg)
		      : 0;
}

int stats_input_merge(struct stats_input *in, int argc, char **argv,
		      struct span_error *err)
{
	static char usual[] = "/dev/stdin", *only[] = {usual};
	uint64_t until;
	int rc;

	cmd_source_time(&in->opts.since_ns, &until);
	in->all_kinds |= cmd_source_has_kind() || cmd_source_has_expression();
	rc = open_stats(in, err);
	if (!argc) {
		argv = only;
		argc = 1;
	}
	for (int i = 0; i < argc && !rc; i++)
		rc = merge_file(in, argv[i], err);
	return rc;
}

static void add_fields(struct stats_input *in, const struct span_metrics *m,
		       struct span_error *err)
{
	for (size_t i = 0; i < m->n_by; i++) {
		span_buf_puts(&in->by_text, i ? "," : "");
		span_buf_str(&in->by_text, m->by[i]);
	}
	span_buf_putc(&in->by_text, 0);
	if (!in->by_text.failed &&
	    stats_fields_read(&in->fields, in->by_text.p, err) < 0)
		cmd_usage("by(), %s", err->msg);
}

/* The groups, quantiles and histogram of { ... } | rate() by(...). */
static void apply_metrics(struct stats_input *in, const struct span_metrics *m)
{
	struct span_error err = {0};

	if (m->n_by && in->by)
		cmd_usage("--by and by() at once");
	if (!in->by && !in->fields.escape)
		in->fields.n = 0;
	if (m->n_by)
		add_fields(in, m, &err);
	in->n_quantiles = m->n_quantiles;
	for (size_t i = 0; i < m->n_quantiles; i++)
		in->quantiles[i] = m->quantiles[i];
	if (m->what == SPAN_METRIC_HISTOGRAM && !in->opts.n_bounds)
		stats_bounds(in, NULL);
}

int stats_input_read(struct stats_input *in, int argc, char **argv,
		     struct span_error *err)
{
	struct cmd_source *source = NULL;
	const struct span_metrics *metrics;
	uint64_t until;
	int rc;

	cmd_source_metrics();
	cmd_source_also(put_selected, needs, in);
	rc = cmd_source_open(&source, argc, argv, NULL, err);
	if (rc < 0)
		goto done;
	metrics = span_query_metrics(cmd_source_query(source));
	if (metrics)
		apply_metrics(in, metrics);
	in->all_kinds |= cmd_source_has_kind() || cmd_source_has_expression();
	cmd_source_time(&in->opts.since_ns, &until);
	rc = open_stats(in, err);
	if (!rc && in->totals)
		rc = stats_totals_lock(in, err);
	if (!rc)
		rc = read_source(in, source, err);
	if (rc < 0)
		goto done;
	set_times(in);
	if (in->totals && !cmd_source_is_store(source))
		rc = stats_totals_add(in, err);
done:
	cmd_source_close(&source);
	return rc;
}

void stats_input_release(struct stats_input *in)
{
	span_stats_close(&in->st);
	stats_fields_release(&in->fields);
	span_buf_release(&in->names);
	span_buf_release(&in->by_text);
}
