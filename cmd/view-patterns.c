/* SPDX-License-Identifier: Apache-2.0 */
#include "view-patterns.h"

#include <span/patterns.h>

#include <math.h>

#include "base/banned.h"

/* As many are shown of those that are in the very same traces. */
#define ALIKE_SHOWN 3u

static struct {
	bool patterns;
	uint64_t min_support;
	double max_q;
} opt;

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
	if (!opt.patterns && (opt.min_support || opt.max_q > 0))
		cmd_usage("--min-support and --max-q go with "
			  "--error-patterns");
	if (opt.max_q < 0 || opt.max_q > 1)
		cmd_usage("--max-q is from 0 to 1");
	return opt.patterns;
}

int view_patterns_put(const struct span_trace *t, struct span_error *err)
{
	const struct span_patterns_opts o = {opt.min_support, opt.max_q};
	int rc = 0;

	if (!patterns)
		rc = span_patterns_open(&patterns, &o, err);
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

/* "service operation", "service key=value". */
static void put_what(struct span_buf *b, const struct span_render_opts *look,
		     const struct span_pattern *p)
{
	span_text_fit(b, p->service, look->columns / 3, false);
	span_buf_putc(b, ' ');
	if (p->key.len) {
		span_text_fit(b, p->key, look->columns / 3, false);
		span_buf_putc(b, '=');
	}
	span_text_fit(b, p->value, look->columns / 2, false);
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

		span_buf_puts(b, "\n  ");
		put_what(b, look, p);
		span_buf_putc(b, '\n');
		put_measures(b, p, v);
		for (uint32_t k = 1; k <= p->alike && k <= ALIKE_SHOWN; k++) {
			span_buf_puts(b, "    the same traces: ");
			put_what(b, look, &v->patterns[i + k]);
			span_buf_putc(b, '\n');
		}
		if (p->alike > ALIKE_SHOWN)
			span_buf_printf(b, "    and %u more\n",
					p->alike - ALIKE_SHOWN);
		i += p->alike;
	}
}

static void put_timeout(struct span_buf *b, const struct span_render_opts *look,
			const struct span_timeout *t)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, "\n  ");
	span_text_fit(b, t->service, look->columns / 3, false);
	span_buf_putc(b, ' ');
	span_text_fit(b, t->name, look->columns / 2, false);
	span_buf_puts(b, ": a timeout?\n    ");
	span_text_count(b, t->within);
	span_buf_puts(b, " of ");
	span_text_count(b, t->failures);
	span_buf_puts(b, " failures took ");
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
	span_buf_puts(b, " traces fail; ");
	span_text_count(b, v->judged);
	span_buf_puts(b, " tags and operations were tested\n");
	put_patterns(b, look, v);
	for (size_t i = 0; i < v->n_timeouts; i++)
		put_timeout(b, look, &v->timeouts[i]);
	if (!v->n_patterns && !v->n_timeouts)
		span_buf_puts(b, "no pattern\n");
}

/* ---- JSON ---- */

static void json_text(struct span_buf *b, const char *name, struct span_str s)
{
	span_buf_printf(b, "\"%s\":", name);
	span_text_json(b, s);
	span_buf_putc(b, ',');
}

static void json_number(struct span_buf *b, const char *name, uint64_t n)
{
	span_buf_printf(b, "\"%s\":", name);
	span_text_uint(b, n);
	span_buf_putc(b, ',');
}

static void json_double(struct span_buf *b, const char *name, double d)
{
	span_buf_printf(b, "\"%s\":", name);
	if (isfinite(d))
		span_text_double(b, d);
	else
		span_buf_puts(b, "null");
	span_buf_putc(b, ',');
}

static void json_pattern(struct span_buf *b, const struct span_pattern *p)
{
	span_buf_putc(b, '{');
	json_text(b, "service", p->service);
	if (p->key.len)
		json_text(b, "key", p->key);
	json_text(b, p->key.len ? "value" : "operation", p->value);
	json_number(b, "failing", p->failing);
	json_number(b, "rest", p->rest);
	json_double(b, "odds_ratio", p->odds);
	json_double(b, "odds_low", p->odds_low);
	json_double(b, "odds_high", p->odds_high);
	json_double(b, "lift", p->lift);
	json_double(b, "p", p->p);
	json_double(b, "q", p->q);
	span_buf_printf(b, "\"same_traces_as_previous\":%s}",
			p->is_alike ? "true" : "false");
}

static void json_timeout(struct span_buf *b, const struct span_timeout *t)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_putc(b, '{');
	json_text(b, "service", t->service);
	json_text(b, "operation", t->name);
	json_number(b, "failures", t->failures);
	json_number(b, "within", t->within);
	json_number(b, "time_ns", t->ns);
	json_number(b, "plus_minus_ns", t->plus_minus_ns);
	json_number(b, "rest", t->rest);
	json_number(b, "rest_within", t->rest_within);
	span_buf_printf(b, "\"sample\":\"%s\"}",
			span_trace_id_text(t->sample, id));
}

static void put_json(struct span_buf *b, const struct span_patterns_view *v)
{
	span_buf_putc(b, '{');
	json_number(b, "failing", v->failing);
	json_number(b, "rest", v->rest);
	json_number(b, "tested", v->judged);
	json_number(b, "identifiers", v->identifiers);
	json_number(b, "left_out", v->left_out);
	span_buf_puts(b, "\"patterns\":[");
	for (size_t i = 0; i < v->n_patterns; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		json_pattern(b, &v->patterns[i]);
	}
	span_buf_puts(b, "],\"timeouts\":[");
	for (size_t i = 0; i < v->n_timeouts; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		json_timeout(b, &v->timeouts[i]);
	}
	span_buf_puts(b, "]}\n");
}

static void report(const struct span_patterns_view *v)
{
	if (v->identifiers && cmd_verbose)
		cmd_note("%llu keys have more than %u values, and were left "
			 "out",
			 (unsigned long long)v->identifiers,
			 SPAN_PATTERN_VALUES);
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

	if (!patterns)
		return 0;
	rc = span_patterns_view(patterns, &v, err);
	if (rc < 0)
		return rc;
	if (json)
		put_json(b, &v);
	else
		put_text(b, look, &v);
	report(&v);
	return v.n_patterns || v.n_timeouts;
}

void view_patterns_release(void)
{
	span_patterns_close(&patterns);
}
