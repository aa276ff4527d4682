/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a list of results shows of a trace, without its spans. Times are texts,
 * as OTLP's JSON has numbers of 64 bits.
 */
#include "serve/v3.h"

#include <inttypes.h>
#include <stdlib.h>

#include "serve/answers.h"
#include "serve/pieces.h"
#include "serve/v3_params.h"

#include "base/banned.h"

struct service {
	struct span_str name;
	uint64_t spans, errors;
};

static int by_name(const void *x, const void *y)
{
	const struct service *a = x, *b = y;

	return span_str_compare(a->name, b->name);
}

/* One for each span, and then one for each service; returns how many. */
static size_t count_services(struct service *v, const struct span_trace *t)
{
	size_t k = 0;

	for (size_t i = 0; i < t->n; i++)
		v[i] = (struct service){t->spans[i].process->service, 1,
					span_is_error(&t->spans[i])};
	qsort(v, t->n, sizeof(*v), by_name);
	for (size_t i = 1; i < t->n; i++) {
		if (by_name(&v[k], &v[i])) {
			v[++k] = v[i];
			continue;
		}
		v[k].spans++;
		v[k].errors += v[i].errors;
	}
	return k + 1;
}

static void put_services(struct span_buf *out, const struct service *v,
			 size_t n)
{
	span_buf_puts(out, ",\"services\":[");
	for (size_t i = 0; i < n; i++) {
		span_buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
		span_text_json(out, v[i].name);
		span_buf_printf(out,
				",\"spanCount\":%" PRIu64
				",\"errorSpanCount\":%" PRIu64 "}",
				v[i].spans, v[i].errors);
	}
	span_buf_putc(out, ']');
}

int span__v3_summary(struct span_buf *out, const struct span_trace *t,
		     struct span_error *err)
{
	struct service *v = calloc(t->n, sizeof(*v));
	const struct span *root = &t->spans[t->root];
	bool complete = span_is_root(root);

	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span_buf_puts(out, "{\"traceId\":\"");
	span_text_hex(out, (struct span_str){(const char *)t->trace_id, 16});
	span_buf_puts(out, "\",\"rootServiceName\":");
	span_text_json(out, complete ? root->process->service : span_str(""));
	span_buf_puts(out, ",\"rootOperationName\":");
	span_text_json(out, complete ? root->name : span_str(""));
	span_buf_printf(out,
			",\"minStartTimeUnixNano\":\"%" PRIu64
			"\",\"maxEndTimeUnixNano\":\"%" PRIu64
			"\",\"spanCount\":%zu,\"errorSpanCount\":%zu",
			t->start_ns, t->end_ns, t->n, t->n_errors);
	if (t->n_orphans)
		span_buf_printf(out, ",\"orphanSpanCount\":%zu", t->n_orphans);
	put_services(out, v, count_services(v, t));
	span_buf_putc(out, '}');
	free(v);
	return 1;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct span__found *f = arg;
	struct span_trace t;
	int rc = span_search_next(f->search, &t, NULL, err);

	return rc > 0 ? span__v3_summary(out, &t, err) : rc;
}

static void close_found(void *arg)
{
	span__found_close(arg);
	free(arg);
}

static int find(const struct span__serve *serve, struct span__v3_search *s,
		struct span__serve_answer *a, struct span_error *err)
{
	const struct span_search_opts o = {.limit = s->depth, .heads = true};
	struct span__found *f = calloc(1, sizeof(*f));
	const struct span__pieces p = {
		.head = "{\"summaries\":[",
		.between = ",",
		.tail = "]}",
		.next = next,
		.close = close_found,
		.arg = f,
	};
	int rc;

	if (!f)
		return SPAN_E_NOMEM;
	rc = span__found_open(f, serve->store, &s->select, &o, err);
	if (rc < 0)
		close_found(f);
	else
		rc = span__pieces_answer(a, &p, err);
	if (rc < 0)
		return span__v3_failed(a, rc, err);
	a->type = SPAN__SERVE_JSON;
	return 0;
}

int span__v3_summaries(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	struct span__v3_search s;
	int rc = span__v3_search(serve, r, &s, a);

	if (!rc)
		rc = find(serve, &s, a, err);
	span__select_release(&s.select);
	return rc == SPAN_E_INVALID ? 0 : rc;
}
