/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of deep dependencies: paths of calls through a service, each with a
 * trace that took it, in the shape that Jaeger's UI draws. It wants every path
 * to have the service in it, and the operation where one is given.
 */
#include <span/graph.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger.h"
#include "serve/jaeger_sample.h"
#include "serve/params.h"

#include "base/banned.h"

#define MAX_PATHS 5000u

struct wanted {
	struct span_str service, operation; /* operation: empty for all */
	uint64_t since_ns, until_ns, limit;
};

/* Microseconds; 0, which the UI sends, is as good as nothing. */
static int read_time(const struct span__serve_request *r, const char *name,
		     int64_t *us, struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, name);
	struct span_error why = {0};
	int64_t n = 0;
	int rc;

	if (text.len && span__serve_int(text, &n, &why) < 0) {
		rc = span__serve_bad_param(a, name, &why);
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	if (n > 0)
		*us = n;
	return 0;
}

static int read_wanted(const struct span__serve *s,
		       const struct span__serve_request *r, struct wanted *w,
		       struct span__serve_answer *a)
{
	uint64_t now = s->now(), most = UINT64_MAX / 1000 - 1;
	int64_t end = (int64_t)(now / 1000);
	int64_t start = now > s->lookback_ns
				? (int64_t)((now - s->lookback_ns) / 1000)
				: 0;
	int rc;

	*w = (struct wanted){.service = span__serve_value(r, "service"),
			     .operation = span__serve_value(r, "operation")};
	if (!w->service.len) {
		rc = span__serve_error(a, 400,
				       "parameter 'service' is required");
		return rc < 0 ? rc : SPAN_E_INVALID;
	}
	rc = read_time(r, "start", &start, a);
	if (rc == 0)
		rc = read_time(r, "end", &end, a);
	if (rc == 0)
		rc = span__serve_sample_limit(s, r, &w->limit, a);
	w->since_ns =
		(uint64_t)start < most ? (uint64_t)start * 1000 : most * 1000;
	w->until_ns =
		(uint64_t)end < most ? (uint64_t)(end + 1) * 1000 : UINT64_MAX;
	return rc;
}

/* What was counted, as the store knows calls in advance, but no paths. */
struct sample {
	uint64_t traces;
	bool more; /* there are more traces than were counted */
};

static int gather(const struct span__serve *s,
		  const struct span__serve_request *r, const struct wanted *w,
		  struct span_paths *p, struct sample *counted,
		  struct span_error *err)
{
	struct span__found sample = {0};
	struct span_trace t;
	int rc;

	if (w->until_ns <= w->since_ns)
		return 0;
	rc = span__serve_sample_open(&sample, s, w->service, w->since_ns,
				     w->until_ns, w->limit, err);
	while (rc >= 0 && !span__serve_gone(r) &&
	       (rc = span_search_next(sample.search, &t, NULL, err)) > 0) {
		counted->traces++;
		rc = span_paths_put(p, &t, err);
	}
	if (rc >= 0)
		counted->more = span_search_more(sample.search);
	span__found_close(&sample);
	return rc < 0 ? rc : 0;
}

static bool is_wanted(const struct span_path *path, const struct wanted *w)
{
	for (size_t i = 0; i < path->n; i++)
		if (span_str_equal(path->steps[i].service, w->service) &&
		    (!w->operation.len ||
		     span_str_equal(path->steps[i].operation, w->operation)))
			return true;
	return false;
}

static void put_path(struct span_buf *b, const struct span_path *path)
{
	char id[SPAN_TRACE_ID_TEXT];

	span_buf_puts(b, "{\"path\":[");
	for (size_t i = 0; i < path->n; i++) {
		span_buf_puts(b, i ? ",{\"service\":" : "{\"service\":");
		span_text_json(b, path->steps[i].service);
		span_buf_puts(b, ",\"operation\":");
		span_text_json(b, path->steps[i].operation);
		span_buf_putc(b, '}');
	}
	span_buf_printf(b,
			"],\"attributes\":[{\"key\":\"exemplar_trace_id\","
			"\"value\":\"%s\"}],\"calls\":",
			span_trace_id_text(path->trace_id, id));
	span_text_uint(b, path->calls);
	span_buf_puts(b, ",\"traces\":");
	span_text_uint(b, path->traces);
	span_buf_putc(b, '}');
}

/* And how much of all it is about, which Jaeger's UI passes over. */
static int put_paths(struct span_buf *b, struct span_paths *p,
		     const struct wanted *w, const struct sample *counted,
		     struct span_error *err)
{
	struct span_path path;
	size_t n = 0;
	int rc = 0;

	span_buf_puts(b, "{\"dependencies\":[");
	while ((rc = span_paths_next(p, &path, err)) > 0) {
		if (!is_wanted(&path, w))
			continue;
		if (n++ == MAX_PATHS)
			break;
		if (n > 1)
			span_buf_putc(b, ',');
		put_path(b, &path);
	}
	span_buf_puts(b, "],\"traces\":");
	span_text_uint(b, counted->traces);
	span_buf_printf(b, ",\"moreTraces\":%s,\"morePaths\":%s}",
			counted->more ? "true" : "false",
			n > MAX_PATHS || span_paths_left_out(p) ? "true"
								: "false");
	return rc < 0 ? rc : 0;
}

int span__serve_jaeger_paths(const struct span__serve *s,
			     const struct span__serve_request *r,
			     struct span__serve_answer *a,
			     struct span_error *err)
{
	struct sample counted = {0};
	struct span_paths *p = NULL;
	struct wanted w;
	int rc = read_wanted(s, r, &w, a);

	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	rc = span_paths_open(&p, w.service, true, err);
	if (rc == 0)
		rc = gather(s, r, &w, p, &counted, err);
	a->type = SPAN__SERVE_JSON;
	if (rc == 0)
		rc = put_paths(&a->body, p, &w, &counted, err);
	span_paths_close(&p);
	return rc < 0 ? span__serve_sample_failed(a, rc, err) : 0;
}
