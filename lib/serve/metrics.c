/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's monitor: rates, errors and latencies of services over time.
 *
 * Calls are counted in buckets of time that divide step and window, once for
 * all that ask for the same ones at the same time, and each point is about the
 * buckets of its window. From one point to the next those that leave it are
 * taken away and those that enter it are added, so the work does not depend on
 * the window's length.
 */
#include "serve/metrics.h"

#include <stdlib.h>
#include <string.h>

#include <span/stats.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/families.h"
#include "serve/metrics_counts.h"
#include "serve/params.h"
#include "serve/pieces.h"

#include "base/banned.h"

enum metric { LATENCIES, CALLS, ERRORS };

static const struct {
	const char *name, *help;
} metrics[] = {
	[LATENCIES] = {"latencies", "th quantile latency, grouped by service"},
	[CALLS] = {"call_rate", "calls/sec, grouped by service"},
	[ERRORS] = {"error_rate",
		    "error rate, computed as a fraction of errors/sec over "
		    "calls/sec, grouped by service"},
};

/* What is in the window of a point. Counts wrap, as they are taken back. */
struct window {
	size_t first, behind; /* its rows */
	uint64_t calls, errors;
	uint64_t counts[SPAN_SKETCH_BUCKETS];
};

struct series {
	enum metric metric;
	struct span__metrics_query q;
	struct span__metrics_counts *counts; /* has: */
	struct span__metrics_count *count;
	const struct span_stats *st; /* of it */
	struct span_buf head;
	size_t row; /* the first of the next group */
	struct window w;
};

/* ---- Counting ---- */

struct counter {
	const struct span__serve_request *r;
	const struct span__metrics_query *q;
	struct span_stats *st;
};

static int count(void *arg, const struct span_store_calls *c,
		 struct span_error *err)
{
	const struct counter *counter = arg;
	const struct span_str labels[2] = {c->service, c->name};

	if (c->kind > SPAN_KIND_CONSUMER ||
	    !(counter->q->kinds & 1u << c->kind) ||
	    !span__metrics_wants(counter->r, c->service))
		return 0;
	return span_stats_put_calls(counter->st, labels, c, err);
}

static int count_all(const struct span__serve *serve, struct counter *c,
		     struct span_error *err)
{
	const struct span__metrics_query *q = c->q;
	/* What one point is about needs no buckets, whatever segments know. */
	const struct span_store_calls_range range = {
		.since_ns = q->start_ns - q->rate_ns,
		.until_ns = q->end_ns,
		.width_ns = q->start_ns == q->end_ns ? 0 : q->width_ns,
	};
	struct span_store *st;
	int rc;

	/* Nothing is in an empty range, but zero would mean all. */
	if (q->end_ns <= range.since_ns)
		return 0;
	rc = span__serve_take(serve->store, &st, err);
	if (rc < 0)
		return rc;
	rc = span_store_calls(st, &range, count, c, err);
	span__serve_give_back(serve->store, st);
	return rc < 0 ? rc : span_stats_sort(c->st, err);
}

static int count_anew(const struct span__serve *serve,
		      const struct span__serve_request *r,
		      const struct span__metrics_query *q,
		      struct span_stats **out, struct span_error *err)
{
	const struct span_stats_opts o = {
		.n_labels = q->by_operation ? 2 : 1,
		.since_ns = q->start_ns - q->rate_ns,
		.width_ns = q->width_ns,
	};
	struct counter c = {r, q, NULL};
	int rc = span_stats_open(out, &o, err);

	c.st = *out;
	return rc < 0 ? rc : count_all(serve, &c, err);
}

/* What calls depend on, and when they are asked for: not for how long. */
static void put_key(struct span_buf *b, const struct span__serve_request *r,
		    const struct span__metrics_query *q)
{
	const uint64_t numbers[] = {q->by_operation, q->kinds,	  q->rate_ns,
				    q->width_ns,     q->start_ns, q->end_ns,
				    q->asked_ns};
	const struct span_str *v;
	size_t at = 0;

	span_buf_put(b, numbers, sizeof(numbers));
	while ((v = span__serve_next(r, "service", &at))) {
		span_buf_put(b, &v->len, sizeof(v->len));
		span_buf_str(b, *v);
	}
}

/* Have S counted, by whom ever. */
static int take_count(const struct span__serve *serve,
		      const struct span__serve_request *r, struct series *s,
		      struct span_error *err)
{
	struct span_buf key = {0};
	int rc;

	put_key(&key, r, &s->q);
	s->counts = serve->counts;
	rc = key.failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
			: span__metrics_counts_take(
				  s->counts, (struct span_str){key.p, key.len},
				  r, &s->count, err);
	span_buf_release(&key);
	if (!rc) {
		rc = count_anew(serve, r, &s->q, &s->count->stats, err);
		span__metrics_counts_done(s->counts, s->count, rc >= 0);
	}
	s->st = s->count ? s->count->stats : NULL;
	return rc < 0 ? rc : 0;
}

/* ---- Points ---- */

static void add_row(struct series *s, size_t i, bool enters)
{
	const struct span_stats_row *r = span_stats_row(s->st, i);
	struct window *w = &s->w;

	w->calls += enters ? r->calls : -r->calls;
	w->errors += enters ? r->errors : -r->errors;
	if (s->metric != LATENCIES)
		return;
	for (size_t k = 0; k < r->durations.n; k++) {
		const struct span_sketch_bucket *b = &r->durations.v[k];

		w->counts[b->bucket] += enters ? b->count : -b->count;
	}
}

static double quantile_ms(const struct series *s)
{
	struct span_sketch_bucket v[SPAN_SKETCH_BUCKETS];
	struct span_sketch sketch = {.v = v};

	for (uint32_t b = 0; b < SPAN_SKETCH_BUCKETS; b++) {
		if (!s->w.counts[b])
			continue;
		v[sketch.n++] = (struct span_sketch_bucket){b, s->w.counts[b]};
		sketch.count += s->w.counts[b];
	}
	return (double)span_sketch_quantile(&sketch, s->q.quantile) / 1e6;
}

static double value(const struct series *s)
{
	const struct window *w = &s->w;

	switch (s->metric) {
	case LATENCIES:
		return quantile_ms(s);
	case CALLS:
		return (double)w->calls / SPAN_STATS_ONE /
		       ((double)s->q.rate_ns / 1e9);
	default:
		return (double)w->errors / (double)w->calls;
	}
}

static void put_point(struct span_buf *out, const struct series *s,
		      uint64_t time_ns)
{
	span_buf_puts(out, "{\"gaugeValue\":{\"doubleValue\":");
	if (s->metric != CALLS && !s->w.calls)
		span_buf_puts(out, "\"NaN\"");
	else
		span_text_double(out, value(s));
	span_buf_puts(out, "},\"timestamp\":\"");
	span_text_time(out, time_ns, 0);
	span_buf_puts(out, "\"}");
}

/* Points from the first row of the group, which ends before BEHIND, on. */
static void put_points(struct span_buf *out, struct series *s, size_t behind)
{
	struct window *w = &s->w;
	uint64_t t = s->q.start_ns;
	bool any = false;

	memset(w, 0, sizeof(*w));
	w->first = w->behind = s->row;
	for (; t <= s->q.end_ns; t += s->q.step_ns) {
		while (w->behind < behind &&
		       span_stats_row(s->st, w->behind)->start_ns < t)
			add_row(s, w->behind++, true);
		while (w->first < w->behind &&
		       span_stats_row(s->st, w->first)->start_ns <
			       t - s->q.rate_ns)
			add_row(s, w->first++, false);
		if (w->behind == s->row)
			continue;
		if (any)
			span_buf_putc(out, ',');
		put_point(out, s, t);
		any = true;
	}
}

static void put_label(struct span_buf *out, const char *name,
		      struct span_str text)
{
	span_buf_printf(out, "{\"name\":\"%s\",\"value\":", name);
	span_text_json(out, text);
	span_buf_putc(out, '}');
}

static bool same_group(const struct series *s, size_t a, size_t b)
{
	for (size_t k = 0; k < span_stats_opts(s->st)->n_labels; k++)
		if (!span_str_equal(span_stats_label(s->st, a, k),
				    span_stats_label(s->st, b, k)))
			return false;
	return true;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct series *s = arg;
	size_t n = span_stats_rows(s->st), behind = s->row;

	(void)err;
	if (s->row == n)
		return 0;
	while (behind < n && same_group(s, s->row, behind))
		behind++;
	span_buf_puts(out, "{\"labels\":[");
	if (s->q.by_operation) {
		put_label(out, "operation", span_stats_label(s->st, s->row, 1));
		span_buf_putc(out, ',');
	}
	put_label(out, "service_name", span_stats_label(s->st, s->row, 0));
	span_buf_puts(out, "],\"metricPoints\":[");
	put_points(out, s, behind);
	span_buf_puts(out, "]}");
	s->row = behind;
	return 1;
}

/* ---- Answers ---- */

static void close_series(void *arg)
{
	struct series *s = arg;

	span__metrics_counts_release(s->counts, &s->count);
	span_buf_release(&s->head);
	free(s);
}

static void put_head(struct series *s)
{
	struct span_buf *b = &s->head;
	const char *by = s->q.by_operation ? "_operation" : "";

	span_buf_printf(b,
			"{\"name\":\"service%s_%s\",\"type\":\"GAUGE\","
			"\"help\":\"",
			by, metrics[s->metric].name);
	if (s->metric == LATENCIES)
		span_buf_printf(b, "%.2f", s->q.quantile);
	span_buf_printf(b, "%s%s\",\"metrics\":[", metrics[s->metric].help,
			*by ? " & operation" : "");
	span_buf_putc(b, 0);
}

static int too_many(struct span__serve_answer *a)
{
	return span__serve_error(a, 400,
				 "more than %u operations and steps: ask for "
				 "fewer services, or a longer step",
				 SPAN_STATS_ROWS);
}

static int answer(struct series *s, struct span__serve_answer *a,
		  struct span_error *err)
{
	const struct span__pieces p = {
		.head = s->head.p,
		.between = ",",
		.tail = "]}",
		.next = next,
		.close = close_series,
		.arg = s,
	};
	int rc;

	if (s->head.failed) {
		close_series(s);
		return SPAN_E_NOMEM;
	}
	rc = span__pieces_answer(a, &p, err);
	a->type = SPAN__SERVE_JSON;
	return rc < 0 ? rc : 0;
}

static int serve_metric(const struct span__serve *serve,
			const struct span__serve_request *r, enum metric metric,
			struct span__serve_answer *a, struct span_error *err)
{
	struct series *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return SPAN_E_NOMEM;
	s->metric = metric;
	rc = span__metrics_read(serve, r, metric == LATENCIES, &s->q, a);
	if (rc < 0) {
		close_series(s);
		return rc == SPAN_E_INVALID ? 0 : rc;
	}
	put_head(s);
	rc = take_count(serve, r, s, err);
	if (!rc && !span_stats_left_out(s->st))
		return answer(s, a, err);
	close_series(s);
	return rc < 0 ? span__serve_failed(a, rc, err) : too_many(a);
}

static int latencies(const struct span__serve *s,
		     const struct span__serve_request *r,
		     struct span__serve_answer *a, struct span_error *err)
{
	return serve_metric(s, r, LATENCIES, a, err);
}

static int calls(const struct span__serve *s,
		 const struct span__serve_request *r,
		 struct span__serve_answer *a, struct span_error *err)
{
	return serve_metric(s, r, CALLS, a, err);
}

static int errors(const struct span__serve *s,
		  const struct span__serve_request *r,
		  struct span__serve_answer *a, struct span_error *err)
{
	return serve_metric(s, r, ERRORS, a, err);
}

/* What segments know of a time, when it is given; in milliseconds. */
static int min_step(const struct span__serve *serve,
		    const struct span__serve_request *r,
		    struct span__serve_answer *a, struct span_error *err)
{
	struct span_store_calls_range range = {0};
	uint64_t width = SPAN__METRICS_MINUTE;
	struct span_store *st = NULL;
	int rc = span__metrics_time(serve, r, &range.since_ns, &range.until_ns,
				    a);

	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	/* Of longer ones there are too few for a line. */
	range.width_ns = (range.until_ns - range.since_ns) / 4;
	if (range.until_ns)
		rc = span__serve_take(serve->store, &st, err);
	if (st)
		rc = span_store_calls_width(st, &range, &width, err);
	span__serve_give_back(serve->store, st);
	if (rc < 0)
		return span__serve_failed(a, rc, err);
	span__serve_data(a);
	span_text_uint(&a->body, width / 1000000);
	span__serve_data_end(a, 0, NULL);
	return 0;
}

const struct span__serve_route span__serve_metrics_routes[] = {
	{.method = "GET", .pattern = "/api/metrics/latencies", .fn = latencies},
	{.method = "GET", .pattern = "/api/metrics/calls", .fn = calls},
	{.method = "GET", .pattern = "/api/metrics/errors", .fn = errors},
	{.method = "GET", .pattern = "/api/metrics/minstep", .fn = min_step},
};
const size_t span__serve_metrics_n_routes = sizeof(span__serve_metrics_routes) /
					    sizeof(*span__serve_metrics_routes);
