/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls whom, from what the store has counted in advance. */
#include <span/graph.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/jaeger.h"
#include "serve/params.h"

#include "base/banned.h"

#define MS 1000000
#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* A number of milliseconds: 0, or SPAN_E_INVALID with the answer made. */
static int read_ms(const struct span__serve_request *r, const char *name,
		   int64_t *ms, struct span__serve_answer *a)
{
	struct span_str text = span__serve_value(r, name);
	struct span_error why = {0};
	int rc;

	if (!text.len || span__serve_int(text, ms, &why) == 0)
		return 0;
	rc = span__serve_bad_param(a, name, &why);
	return rc < 0 ? rc : SPAN_E_INVALID;
}

static uint64_t to_ns(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < INT64_MAX / MS ? (uint64_t)ms * MS : INT64_MAX;
}

/* Both ends belong to it, and the whole of the last millisecond. */
static int read_range(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span_store_calls_range *range,
		      struct span__serve_answer *a)
{
	int64_t end = (int64_t)(s->now() / MS), lookback = DAY_MS;
	int rc = read_ms(r, "endTs", &end, a);
	uint64_t length;

	if (rc == 0)
		rc = read_ms(r, "lookback", &lookback, a);
	length = to_ns(lookback);
	range->until_ns = to_ns(end) + MS;
	range->since_ns = to_ns(end) > length ? to_ns(end) - length : 0;
	return rc;
}

static int put_calls(void *arg, const struct span_store_calls *c,
		     struct span_error *err)
{
	return span_graph_put_calls(arg, c, err);
}

static int count_calls(const struct span__serve *s,
		       const struct span_store_calls_range *range,
		       struct span_graph *g, struct span_error *err)
{
	struct span_store *st = NULL;
	int rc = span__serve_take(s->store, &st, err);

	if (rc == 0)
		rc = span_store_calls(st, range, put_calls, g, err);
	span__serve_give_back(s->store, st);
	return rc;
}

/* The edges of one pair of services, which lie together, are one link. */
static void put_links(struct span_buf *b, const struct span_graph_view *v,
		      struct span_str service)
{
	bool any = false;

	for (size_t i = 0, end; i < v->n_edges; i = end) {
		const struct span_graph_edge *e = &v->edges[i];
		struct span_str from = v->nodes[e->from].service;
		struct span_str to = v->nodes[e->to].service;
		uint64_t calls = 0;

		for (end = i; end < v->n_edges; end++) {
			if (v->edges[end].from != e->from ||
			    v->edges[end].to != e->to)
				break;
			calls += v->edges[end].calls;
		}
		if (service.len && !span_str_equal(service, from) &&
		    !span_str_equal(service, to))
			continue;
		span_buf_puts(b, any ? ",{\"parent\":" : "{\"parent\":");
		span_text_json(b, from);
		span_buf_puts(b, ",\"child\":");
		span_text_json(b, to);
		span_buf_puts(b, ",\"callCount\":");
		span_text_uint(b, calls);
		span_buf_putc(b, '}');
		any = true;
	}
}

int span__serve_jaeger_dependencies(const struct span__serve *s,
				    const struct span__serve_request *r,
				    struct span__serve_answer *a,
				    struct span_error *err)
{
	struct span_store_calls_range range = {0};
	struct span_graph *g = NULL;
	struct span_graph_view v;
	int rc = read_range(s, r, &range, a);

	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	rc = span_graph_open(&g, NULL, err);
	if (rc == 0)
		rc = count_calls(s, &range, g, err);
	if (rc == 0)
		rc = span_graph_view(g, &v, err);
	if (rc == 0) {
		span__serve_data(a);
		span_buf_putc(&a->body, '[');
		put_links(&a->body, &v, span__serve_value(r, "service"));
		span_buf_putc(&a->body, ']');
		span__serve_data_end(a, 0, NULL);
	}
	span_graph_close(&g);
	return rc < 0 ? span__serve_failed(a, rc, err) : 0;
}
