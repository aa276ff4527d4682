/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts for Prometheus. Paths are those of routes, never what a client sent:
 * so there are only as many series as routes and codes.
 */
#include <inttypes.h>
#include <string.h>

#include <span/text.h>

#include "net/clock.h"
#include "net/web_state.h"

#include "base/banned.h"

static const unsigned codes[SPAN__WEB_CODES] = {
	200, 204, 206, 301, 302, 304, 400, 401, 403, 404,
	405, 413, 415, 422, 429, 500, 501, 503, 499, 0};
#define CANCELLED 499u /* as others call it; 0: another one */

/* Upper bounds of durations, in microseconds. */
static const uint64_t bounds_us[SPAN__WEB_BUCKETS] = {
	500,	1000,	2500,	5000,	 10000,	  25000,   50000,
	100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};

void span__web_count(struct span__web_server *w, uint64_t *counter)
{
	pthread_mutex_lock(&w->count_lock);
	(*counter)++;
	pthread_mutex_unlock(&w->count_lock);
}

static size_t route_index(const struct span__web_server *w,
			  const struct span__serve_route *route)
{
	size_t i = 0;

	while (i < w->n_routes && span__serve_route_at(i) != route)
		i++;
	return i;
}

static size_t code_index(unsigned code)
{
	size_t i = 0;

	while (i < SPAN__WEB_CODES - 1 && codes[i] != code)
		i++;
	return i;
}

void span__web_count_request(const struct span__web_job *j)
{
	struct span__web_server *w = j->web;
	struct span__web_counts *c = &w->counts;
	uint64_t ns = span__monotonic_ns() - j->start_ns;
	size_t route = route_index(w, j->route), bucket = 0;
	size_t code = code_index(j->answered ? j->status : CANCELLED);

	while (bucket < SPAN__WEB_BUCKETS && ns > bounds_us[bucket] * 1000)
		bucket++;
	pthread_mutex_lock(&w->count_lock);
	c->requests[route * SPAN__WEB_CODES + code]++;
	c->durations[bucket]++;
	c->n_durations++;
	c->duration_ns += ns;
	c->bytes += j->sent;
	c->failed += j->answered && j->status >= 500;
	pthread_mutex_unlock(&w->count_lock);
}

void span__web_count_gauge(struct span__web_server *w)
{
	pthread_mutex_lock(&w->count_lock);
	w->counts.open = w->n_open;
	pthread_mutex_unlock(&w->count_lock);
}

void span__web_server_sum(struct span__web_server *w, struct span__web_sum *out)
{
	const struct span__web_counts *c = &w->counts;
	const size_t cancelled = code_index(CANCELLED);

	pthread_mutex_lock(&w->count_lock);
	*out = (struct span__web_sum){.requests = c->n_durations,
				      .failed = c->failed,
				      .bytes = c->bytes,
				      .refused = c->refused};
	for (size_t i = 0; i <= w->n_routes; i++)
		out->cancelled += c->requests[i * SPAN__WEB_CODES + cancelled];
	pthread_mutex_unlock(&w->count_lock);
}

static void put_head(struct span_buf *b, const char *name, const char *type,
		     const char *help)
{
	span_buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
			type);
}

static void put_one(struct span_buf *b, const char *name, const char *type,
		    const char *help, uint64_t n)
{
	put_head(b, name, type, help);
	span_buf_printf(b, "%s %" PRIu64 "\n", name, n);
}

static void put_requests(const struct span__web_server *w, struct span_buf *b)
{
	static const char name[] = "span_serve_requests_total";

	put_head(b, name, "counter", "Requests that have ended.");
	for (size_t i = 0; i <= w->n_routes; i++) {
		const struct span__serve_route *r = span__serve_route_at(i);

		for (size_t c = 0; c < SPAN__WEB_CODES; c++) {
			uint64_t n =
				w->counts.requests[i * SPAN__WEB_CODES + c];

			if (!n)
				continue;
			span_buf_printf(b, "%s{path=\"%s\",code=\"", name,
					r ? r->pattern : "other");
			if (codes[c])
				span_text_uint(b, codes[c]);
			else
				span_buf_puts(b, "other");
			span_buf_printf(b, "\"} %" PRIu64 "\n", n);
		}
	}
}

static void put_durations(const struct span__web_counts *c, struct span_buf *b)
{
	static const char name[] = "span_serve_request_duration_seconds";
	uint64_t sum = 0;

	put_head(b, name, "histogram",
		 "From the begin of a request to the end of its answer.");
	for (size_t i = 0; i < SPAN__WEB_BUCKETS; i++) {
		sum += c->durations[i];
		span_buf_printf(b, "%s_bucket{le=\"", name);
		span_text_double(b, (double)bounds_us[i] / 1e6);
		span_buf_printf(b, "\"} %" PRIu64 "\n", sum);
	}
	span_buf_printf(b, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name,
			c->n_durations);
	span_buf_printf(b, "%s_sum ", name);
	span_text_double(b, (double)c->duration_ns / 1e9);
	span_buf_printf(b, "\n%s_count %" PRIu64 "\n", name, c->n_durations);
}

static void put_queues(struct span__web_server *w, struct span_buf *b)
{
	size_t waiting = 0, begun;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < SPAN__WEB_LANES; i++)
		waiting += w->share.n_fresh[i];
	begun = w->share.n_open;
	pthread_mutex_unlock(&w->lock);
	put_one(b, "span_serve_queue_length", "gauge",
		"Requests that wait for a thread.", waiting);
	put_one(b, "span_serve_answers_begun", "gauge",
		"Answers that are being made.", begun);
}

void span__web_server_metrics(void *arg, struct span_buf *b)
{
	struct span__web_server *w = arg;
	const struct span__web_counts *c = &w->counts;

	put_queues(w, b);
	pthread_mutex_lock(&w->count_lock);
	put_requests(w, b);
	put_durations(c, b);
	put_one(b, "span_serve_response_bytes_total", "counter",
		"Bytes of answers, without heads.", c->bytes);
	put_one(b, "span_serve_connections", "gauge",
		"Connections that are open.", c->open);
	put_one(b, "span_serve_connections_total", "counter",
		"Connections accepted.", c->connections);
	put_one(b, "span_serve_connections_refused_total", "counter",
		"Connections refused because there were too many.", c->refused);
	put_one(b, "span_serve_timeouts_total", "counter",
		"Requests and answers that took too long.", c->timeouts);
	put_one(b, "span_serve_cancelled_total", "counter",
		"Requests whose client went away before the answer.",
		c->cancelled);
	put_one(b, "span_serve_yielded_total", "counter",
		"Answers cut off because they were read slowly while others "
		"waited.",
		c->yielded);
	put_one(b, "span_serve_queue_full_total", "counter",
		"Requests refused because too many waited.", c->queue_full);
	put_one(b, "span_serve_errors_total", "counter",
		"Requests answered with an error of the server.", c->failed);
	put_one(b, "span_serve_too_large_total", "counter",
		"Requests whose body was too large.", c->too_large);
	pthread_mutex_unlock(&w->count_lock);
}
