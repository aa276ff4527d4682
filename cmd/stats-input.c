/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quickest way to the spans that there is: calls that a store knows in
 * advance; slices of frames, whose spans are only decoded whole when it
 * matters; or a search.
 */
#include "stats-input.h"

#include <span/text.h>

#include "base/banned.h"

#define MINUTE_NS UINT64_C(60000000000)
/* Are N spans of KIND to be counted? */
static bool wanted(struct stats_input *in, uint8_t kind, uint64_t n)
{
	if (in->all_kinds || kind == SPAN_KIND_SERVER ||
	    kind == SPAN_KIND_CONSUMER)
		return true;
	in->n_other_kinds += n;
	return false;
}

int stats_input_put(struct stats_input *in, const struct span *s)
{
	struct span_str labels[SPAN_STATS_LABELS];

	if (in->rc < 0 || !wanted(in, s->kind, 1))
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

static int read_slices(struct stats_input *in, struct cmd_source *source,
		       struct span_error *err)
{
	struct span_frame *frame;
	const uint8_t *keep;
	size_t n;
	int rc;

	while ((rc = cmd_source_next_slice(source, &frame, &keep, &n, err)) >
	       0) {
		if (in->rc < 0)
			return in->rc;
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

	if (!wanted(in, c->kind, c->calls))
		return 0;
	stats_fields_of(&in->fields, &s, labels);
	return span_stats_put_calls(in->st, labels, c, err);
}

static bool calls_will_do(const struct stats_input *in,
			  const struct cmd_source *source)
{
	return cmd_source_has_named_calls(source) && !in->exact &&
	       stats_fields_of_calls(&in->fields) && !in->opts.n_bounds &&
	       in->opts.width_ns % MINUTE_NS == 0;
}

static int read_source(struct stats_input *in, struct cmd_source *source,
		       struct span_error *err)
{
	int rc;

	in->err = err;
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
	if (!rc && in->totals && !cmd_source_is_store(source))
		rc = stats_totals_add(in, err);
	return rc;
}

/* From when to when the spans of the source are: false when there are none. */
static int find_times(struct cmd_source *source, bool *any, uint64_t *from_ns,
		      uint64_t *to_ns, struct span_error *err)
{
	struct span_store_stat stat;
	int rc;

	*any = cmd_source_times(source, from_ns, to_ns);
	if (!cmd_source_is_store(source))
		return 0;
	rc = span_store_stat(cmd_source_store(source), &stat, err);
	*any = !rc && stat.n_spans;
	*from_ns = stat.min_start_ns;
	*to_ns = stat.max_end_ns;
	return rc;
}

/* What --since and --until say is what rates are about. */
static int set_times(struct stats_input *in, struct cmd_source *source,
		     struct span_error *err)
{
	uint64_t since, until, from, to;
	bool any;
	int rc = find_times(source, &any, &from, &to, err);

	cmd_source_time(&since, &until);
	if (rc < 0 || (!any && !(since && until)))
		return rc;
	span_stats_widen(in->st, since ? since : from, until ? until : to);
	return 0;
}

int stats_input_open(struct stats_input *in, struct span_error *err)
{
	int rc = stats_names_put(in, err);

	in->opts.n_labels = in->fields.n;
	if (rc < 0)
		return rc;
	return span_stats_open(&in->st, &in->opts, err);
}

/* Scopes that TraceQL has, and would be taken for attributes. */
static void refuse_scope(struct span_str field)
{
	static const struct span_str scopes[] = {{"parent.", 7},
						 {"event.", 6},
						 {"link.", 5},
						 {"instrumentation.", 16}};

	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if (field.len > scopes[i].len &&
		    span_str_equal((struct span_str){field.p, scopes[i].len},
				   scopes[i]))
			cmd_usage("by(): '%.*s' is no field of a span or its "
				  "process",
				  (int)span_text_cut(field, 60), field.p);
}

/* A key may be in quotes, in which a backslash stands before what is meant. */
static void put_unquoted(struct span_buf *b, struct span_str field)
{
	bool quoted = false;

	for (size_t i = 0; i < field.len; i++) {
		if (field.p[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && field.p[i] == '\\' && i + 1 < field.len)
			i++;
		span_buf_putc(b, field.p[i]);
	}
}

static void add_fields(struct stats_input *in, const struct span_metrics *m)
{
	size_t ends[SPAN_METRICS_FIELDS], from = 0;
	struct span_error err = {0};

	for (size_t i = 0; i < m->n_by; i++) {
		refuse_scope(m->by[i]);
		put_unquoted(&in->by_text, m->by[i]);
		ends[i] = in->by_text.len;
	}
	for (size_t i = 0; i < m->n_by && !in->by_text.failed; i++) {
		struct span_str name = {in->by_text.p + from, ends[i] - from};

		if (stats_fields_add(&in->fields, name, &err) < 0)
			cmd_usage("by(): %s", err.msg);
		from = ends[i];
	}
}

/* The groups, quantiles and histogram of { ... } | rate() by(...). */
static void apply_metrics(struct stats_input *in, const struct span_metrics *m)
{
	if (m->n_by && in->by)
		cmd_usage("--by and by() at once");
	if (!in->by && !in->fields.escape)
		in->fields.n = 0;
	add_fields(in, m);
	in->metrics = *m;
	in->has_metrics = true;
	in->exact |= m->what == SPAN_METRIC_MIN || m->what == SPAN_METRIC_MAX;
	if (m->what == SPAN_METRIC_HISTOGRAM && !in->opts.n_bounds)
		stats_bounds(in, NULL);
}

int stats_input_source(struct stats_input *in, int argc, char **argv,
		       struct span_error *err)
{
	const struct span_metrics *metrics;
	int rc;

	cmd_source_metrics();
	cmd_source_also(put_selected, needs, in);
	rc = cmd_source_open(&in->source, argc, argv, NULL, err);
	if (rc < 0)
		return rc;
	metrics = span_query_metrics(cmd_source_query(in->source));
	if (metrics)
		apply_metrics(in, metrics);
	return 0;
}

int stats_input_read(struct stats_input *in, struct span_error *err)
{
	uint64_t until;
	int rc;

	in->all_kinds |= cmd_source_has_kind() || cmd_source_has_expression();
	/* Those of totals are the same in each run. */
	if (!in->totals)
		cmd_source_time(&in->opts.since_ns, &until);
	rc = stats_input_open(in, err);
	if (!rc && in->totals)
		rc = stats_totals_lock(in, err);
	if (!rc)
		rc = read_source(in, in->source, err);
	if (!rc)
		rc = set_times(in, in->source, err);
	cmd_source_close(&in->source);
	return rc;
}

void stats_input_release(struct stats_input *in)
{
	cmd_source_close(&in->source);
	span_stats_close(&in->st);
	stats_fields_release(&in->fields);
	span_buf_release(&in->names);
	span_buf_release(&in->by_text);
	span_buf_release(&in->place);
}
