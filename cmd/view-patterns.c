/* SPDX-License-Identifier: Apache-2.0 */
#include "view-patterns.h"
#include "cmd_json.h"

#include <span/patterns.h>

#include <math.h>

#include "base/banned.h"

#define NOT_GIVEN UINT64_MAX

/* As many are shown of those that are in the very same traces. */
#define ALIKE_SHOWN 3u

#define MIN_TEXT 8u /* columns */

static struct {
	bool patterns;
	uint64_t min_support;
	double max_q;
} opt = {.min_support = NOT_GIVEN, .max_q = NAN};

const struct cmd_option view_patterns_options[] = {
	{CMD_FLAG, 0, "error-patterns", &opt.patterns, NULL,
	 "tell what failing traces have in common, and others do not", NULL},
	{CMD_INT, 0, "min-support", &opt.min_support, "N",
	 "of --error-patterns: failing traces that have it (5)", NULL},
	{CMD_DOUBLE, 0, "max-q", &opt.max_q, "Q",
	 "of --error-patterns: expected part of false ones (0.05)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static struct span_patterns *patterns;

bool view_patterns_wanted(void)
{
	if (!opt.patterns &&
	    (opt.min_support != NOT_GIVEN || !isnan(opt.max_q)))
		cmd_usage("--min-support and --max-q go with "
			  "--error-patterns");
	if (opt.max_q < 0 || opt.max_q > 1)
		cmd_usage("--max-q is from 0 to 1");
	return opt.patterns;
}

static int open_patterns(struct span_error *err)
{
	struct span_patterns_opts o = SPAN_PATTERNS_DEFAULTS;

	if (patterns)
		return 0;
	if (opt.min_support != NOT_GIVEN)
		o.min_support = opt.min_support;
	if (!isnan(opt.max_q))
		o.max_q = opt.max_q;
	return span_patterns_open(&patterns, &o, err);
}

int view_patterns_put(const struct span_trace *t, struct span_error *err)
{
	int rc = open_patterns(err);

	return rc < 0 ? rc : span_patterns_put(patterns, t, err);
}

/* ---- Text ---- */

static void put_of(struct span_buf *b, uint64_t n, uint64_t of)
{
	span_text_count(b, n);
	span_buf_puts(b, " of ");
	span_text_count(b, of);
	if (of)
		span_buf_printf(b, " (%.1f %%)", (double)n / (double)of * 100);
}

/* S in what is left of the line that began at FROM, but for TAIL columns. */
static void put_rest(struct span_buf *b, const struct span_render_opts *look,
		     size_t from, size_t tail, struct span_str s)
{
	size_t used = tail;

	if (b->len > from)
		used += span_text_width(
			(struct span_str){b->p + from, b->len - from});
	cmd_look_fit(b, look, s,
		     used + MIN_TEXT < look->columns ? look->columns - used
						     : MIN_TEXT,
		     false);
}

/* After LEAD, a line of "service operation", or "service key=value". */
static void put_what(struct span_buf *b, const struct span_render_opts *look,
		     const char *lead, const struct span_pattern *p)
{
	size_t from = b->len;

	span_buf_puts(b, lead);
	cmd_look_fit(b, look, p->service, look->columns / 4, false);
	span_buf_putc(b, ' ');
	if (p->key.len) {
		cmd_look_fit(b, look, p->key, look->columns / 4, false);
		span_buf_putc(b, '=');
	}
	put_rest(b, look, from, 0, p->value);
	span_buf_putc(b, '\n');
}

static void put_odds(struct span_buf *b, double d)
{
	if (d < 100)
		span_buf_printf(b, "%.1f", d);
	else
		span_text_count(b, d < 1e15 ? (uint64_t)d
					    : UINT64_C(1000000000000000));
}

static void put_measures(struct span_buf *b, const struct span_pattern *p,
			 const struct span_patterns_view *v)
{
	span_buf_puts(b, "    ");
	put_of(b, p->failing, v->failing);
	span_buf_puts(b, " failing, ");
	put_of(b, p->rest, v->rest);
	span_buf_puts(b, " others\n    odds ratio ");
	put_odds(b, p->odds);
	span_buf_puts(b, " (");
	put_odds(b, p->odds_low);
	span_buf_puts(b, " to ");
	put_odds(b, p->odds_high);
	span_buf_printf(b, "), p %.2g, q %.2g\n", p->p, p->q);
}

static void put_patterns(struct span_buf *b,
			 const struct span_render_opts *look,
			 const struct span_patterns_view *v)
{
	for (size_t i = 0; i < v->n_patterns; i++) {
		const struct span_pattern *p = &v->patterns[i];

		span_buf_putc(b, '\n');
		put_what(b, look, "  ", p);
		put_measures(b, p, v);
		for (uint32_t k = 1; k <= p->alike && k <= ALIKE_SHOWN; k++)
			put_what(b, look,
				 "    the same traces: ", &v->patterns[i + k]);
		if (p->alike > ALIKE_SHOWN)
			span_buf_printf(b, "    and %u more\n",
					p->alike - ALIKE_SHOWN);
		i += p->alike;
	}
}

static void put_cluster(struct span_buf *b, const struct span_render_opts *look,
			const struct span_cluster *t)
{
	const char *what =
		t->is_long ? ": a timeout?" : ": failures that take one time";
	char id[SPAN_TRACE_ID_TEXT];
	size_t from;

	span_buf_putc(b, '\n');
	from = b->len;
	span_buf_puts(b, "  ");
	cmd_look_fit(b, look, t->service, look->columns / 4, false);
	span_buf_putc(b, ' ');
	put_rest(b, look, from, span_str(what).len, t->name);
	span_buf_printf(b, "%s\n    ", what);
	span_text_count(b, t->within);
	span_buf_puts(b, " of ");
	span_text_count(b, t->failures);
	span_buf_puts(b, t->failures == 1 ? " failure" : " failures");
	span_buf_puts(b, " took ");
	span_text_duration(b, t->ns);
	span_buf_puts(b, look->ascii ? " +- " : " \xc2\xb1 ");
	span_text_duration(b, t->plus_minus_ns);
	span_buf_puts(b, "; of what did not fail ");
	span_text_count(b, t->rest_within);
	span_buf_puts(b, " of ");
	span_text_count(b, t->rest);
	span_buf_printf(b, "\n    such as %s\n",
			span_trace_id_text(t->sample, id));
}

static void put_text(struct span_buf *b, const struct span_render_opts *look,
		     const struct span_patterns_view *v)
{
	span_text_count(b, v->failing);
	span_buf_puts(b, " of ");
	span_text_count(b, v->failing + v->rest);
	span_buf_puts(b, v->failing + v->rest == 1 ? " trace" : " traces");
	span_buf_puts(b, v->failing == 1 ? " fails; " : " fail; ");
	span_text_count(b, v->judged);
	span_buf_puts(b, v->judged == 1 ? " tag or operation was tested\n"
					: " tags and operations were tested\n");
	put_patterns(b, look, v);
	for (size_t i = 0; i < v->n_clusters; i++)
		put_cluster(b, look, &v->clusters[i]);
	if (!v->n_patterns && !v->n_clusters)
		span_buf_puts(b, "no pattern\n");
}

/* ---- JSON ---- */

static void json_pattern(struct cmd_json *j, const struct span_pattern *p)
{
	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "service", p->service);
	if (p->key.len)
		cmd_json_text(j, "key", p->key);
	cmd_json_text(j, p->key.len ? "value" : "operation", p->value);
	cmd_json_uint(j, "failing", p->failing);
	cmd_json_uint(j, "rest", p->rest);
	cmd_json_double(j, "odds_ratio", p->odds);
	cmd_json_double(j, "odds_low", p->odds_low);
	cmd_json_double(j, "odds_high", p->odds_high);
	cmd_json_double(j, "lift", p->lift);
	cmd_json_double(j, "p", p->p);
	cmd_json_double(j, "q", p->q);
	cmd_json_bool(j, "same_traces_as_previous", p->is_alike);
	cmd_json_close(j, '}');
}

static void json_cluster(struct cmd_json *j, const struct span_cluster *t)
{
	char id[SPAN_TRACE_ID_TEXT];

	cmd_json_open(j, NULL, '{');
	cmd_json_text(j, "service", t->service);
	cmd_json_text(j, "operation", t->name);
	cmd_json_uint(j, "failures", t->failures);
	cmd_json_uint(j, "within", t->within);
	cmd_json_uint(j, "time_ns", t->ns);
	cmd_json_uint(j, "plus_minus_ns", t->plus_minus_ns);
	cmd_json_uint(j, "rest", t->rest);
	cmd_json_uint(j, "rest_within", t->rest_within);
	cmd_json_bool(j, "timeout", t->is_long);
	cmd_json_text(j, "sample", span_str(span_trace_id_text(t->sample, id)));
	cmd_json_close(j, '}');
}

static void put_json(struct span_buf *b, const struct span_patterns_view *v)
{
	struct cmd_json j = {.b = b};

	cmd_json_open(&j, NULL, '{');
	cmd_json_uint(&j, "failing", v->failing);
	cmd_json_uint(&j, "rest", v->rest);
	cmd_json_uint(&j, "tested", v->judged);
	cmd_json_uint(&j, "identifiers", v->identifiers);
	cmd_json_uint(&j, "left_out", v->left_out);
	cmd_json_open(&j, "patterns", '[');
	for (size_t i = 0; i < v->n_patterns; i++) {
		cmd_json_line(&j);
		json_pattern(&j, &v->patterns[i]);
	}
	cmd_json_close(&j, ']');
	cmd_json_open(&j, "durations", '[');
	for (size_t i = 0; i < v->n_clusters; i++) {
		cmd_json_line(&j);
		json_cluster(&j, &v->clusters[i]);
	}
	cmd_json_close(&j, ']');
	cmd_json_close(&j, '}');
	span_buf_putc(b, '\n');
}

static void report(const struct span_patterns_view *v)
{
	if (v->identifiers && cmd_verbose)
		cmd_note("%llu %s more than %u values, and %s left out",
			 (unsigned long long)v->identifiers,
			 v->identifiers == 1 ? "key has" : "keys have",
			 SPAN_PATTERN_VALUES,
			 v->identifiers == 1 ? "was" : "were");
	if (v->left_out)
		cmd_warn("memory for patterns is full: %llu times there was "
			 "something new that was left out",
			 (unsigned long long)v->left_out);
}

int view_patterns_show(struct span_buf *b, const struct span_render_opts *look,
		       bool json, struct span_error *err)
{
	struct span_patterns_view v;
	int rc;

	/* Of no trace JSON is as of others. */
	if (!patterns && !json)
		return 0;
	rc = open_patterns(err);
	if (rc >= 0)
		rc = span_patterns_view(patterns, &v, err);
	if (rc < 0)
		return rc;
	if (json)
		put_json(b, &v);
	else
		put_text(b, look, &v);
	report(&v);
	return v.n_patterns || v.n_clusters;
}

void view_patterns_release(void)
{
	span_patterns_close(&patterns);
}
