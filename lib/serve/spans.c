/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What span-query(1) prints, as an answer: spans one by one, or traces. Only
 * one of them is in memory, unless there is an order to put them into.
 */
#include "serve/spans.h"

#include <stdlib.h>

#include <span/codec.h>

#include "serve/answers.h"
#include "serve/cut.h"
#include "serve/families.h"
#include "serve/params.h"
#include "serve/pieces.h"

#include "base/banned.h"

struct results {
	struct span__found f;
	enum span__spans_format format;
	bool traces;
	struct span_writer *writer; /* of frames, into */
	struct span_buf frames;
	struct span_buf kept; /* spans of a trace that match */
	struct span__serve_cut cut;
};

/* ---- One after another ---- */

static void put_id(struct span_buf *out, const struct span *s)
{
	char trace[SPAN_TRACE_ID_TEXT], id[SPAN_ID_TEXT];

	span_buf_printf(out, "%s:%s\n", span_trace_id_text(s->trace_id, trace),
			span_id_text(s->span_id, id));
}

static int put_span(struct results *res, const struct span *s,
		    struct span_buf *out, struct span_error *err)
{
	int rc = 0;

	if (res->format == SPANS_JSONL)
		span_encode_jsonl(out, s);
	else if (res->format == SPANS_CSV)
		span_encode_csv(out, s, true);
	else if (res->format == SPANS_IDS)
		put_id(out, s);
	else
		rc = span_writer_put(res->writer, s, err);
	return rc < 0 ? rc : 1;
}

/* Frames that are full go on; the last one at the end. */
static int take_frames(struct results *res, int rc, struct span_buf *out,
		       struct span_error *err)
{
	if (res->format != SPANS_STREAM || rc < 0)
		return rc;
	if (!rc && span_writer_flush(res->writer, err) < 0)
		return SPAN_E_NOMEM;
	if (!rc && !res->frames.len)
		return 0;
	span_buf_put(out, res->frames.p, res->frames.len);
	res->frames.len = 0;
	return 1;
}

static int next_span(struct results *res, struct span_buf *out,
		     struct span_error *err)
{
	struct span s;
	int rc = span_search_next_span(res->f.search, &s, err);

	if (rc > 0)
		rc = put_span(res, &s, out, err);
	return take_frames(res, rc, out, err);
}

/* Those of T that match, or all. */
static const struct span *keep(struct results *res, const struct span_trace *t,
			       const uint8_t *matched, size_t *n)
{
	*n = t->n;
	if (res->traces || !matched)
		return t->spans;
	res->kept.len = 0;
	for (size_t i = 0; i < t->n; i++)
		if (matched[i])
			span_buf_put(&res->kept, &t->spans[i],
				     sizeof(*t->spans));
	*n = res->kept.len / sizeof(*t->spans);
	return (const struct span *)(void *)res->kept.p;
}

static int put_trace(struct results *res, const struct span_trace *t,
		     const uint8_t *matched, struct span_buf *out,
		     struct span_error *err)
{
	size_t n;
	const struct span *v = keep(res, t, matched, &n);
	int rc = 1;

	if (res->kept.failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	v = span__serve_cut(&res->cut, v, &n, err);
	if (!v)
		return SPAN_E_NOMEM;
	if (res->format == SPANS_JSON) {
		span_encode_jaeger_json(out, v, n);
	} else if (res->format == SPANS_OTLP) {
		rc = span_encode_message(out, SPAN_FORMAT_OTLP_JSON, v, n, err);
		span_buf_putc(out, '\n');
	} else {
		for (size_t i = 0; i < n && rc > 0; i++)
			rc = put_span(res, &v[i], out, err);
	}
	return rc < 0 ? rc : 1;
}

static int next_trace(struct results *res, struct span_buf *out,
		      struct span_error *err)
{
	const uint8_t *matched;
	struct span_trace t;
	int rc = span_search_next(res->f.search, &t, &matched, err);

	if (rc > 0)
		rc = put_trace(res, &t, matched, out, err);
	return take_frames(res, rc, out, err);
}

static int next_id(struct results *res, struct span_buf *out,
		   struct span_error *err)
{
	char text[SPAN_TRACE_ID_TEXT];
	uint8_t id[16];
	int rc = span_search_next_id(res->f.search, id, err);

	if (rc > 0)
		span_buf_printf(out, "%s\n", span_trace_id_text(id, text));
	return rc;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct results *res = arg;

	if (res->format == SPANS_IDS && res->traces)
		return next_id(res, out, err);
	if (res->traces || res->format >= SPANS_JSON)
		return next_trace(res, out, err);
	return next_span(res, out, err);
}

/* ---- The answer ---- */

static void close_results(void *arg)
{
	struct results *res = arg;

	span__found_close(&res->f);
	span_writer_close(&res->writer);
	span_buf_release(&res->frames);
	span_buf_release(&res->kept);
	span__serve_cut_release(&res->cut);
	free(res);
}

/* Whose fault it is, and where, when the expression is to blame. */
static int failed(struct span__spans_query *q, int rc,
		  struct span__serve_answer *a, const struct span_error *err)
{
	struct span_select sel = {.expression = q->select.sel.expression};
	struct span_error why = {0};
	struct span_query *alone = NULL;

	if (rc == SPAN_E_NOMEM)
		return rc;
	if (rc == SPAN_E_INVALID && sel.expression &&
	    span_query_compile(&alone, &sel, &why) == SPAN_E_INVALID)
		return span__spans_error(a, 400, "q", (int64_t)why.pos,
					 why.msg);
	span_query_close(&alone);
	return span__spans_error(a, span__found_fault(rc), NULL, -1, err->msg);
}

static const struct {
	const char *type, *head, *between, *tail;
} forms[] = {
	[SPANS_JSONL] = {SPAN__SERVE_NDJSON, "", "", ""},
	[SPANS_CSV] = {"text/csv; charset=utf-8", "", "", ""},
	[SPANS_STREAM] = {"application/octet-stream", "", "", ""},
	[SPANS_IDS] = {SPAN__SERVE_PLAIN, "", "", ""},
	[SPANS_JSON] = {SPAN__SERVE_JSON, "{\"data\":[", ",\n", "]}\n"},
	[SPANS_OTLP] = {SPAN__SERVE_NDJSON, "", "", ""},
};

static int open_results(struct results *res, const struct span__serve *serve,
			struct span__spans_query *q, struct span_error *err)
{
	int rc = span__found_open(&res->f, serve->store, &q->select, &q->search,
				  err);

	res->format = q->format;
	res->traces = q->traces;
	res->cut = (struct span__serve_cut){.max = serve->max_spans,
					    .search = res->f.search};
	if (!rc && q->format == SPANS_STREAM)
		rc = span_writer_open_mem(&res->writer, &res->frames, err);
	return rc;
}

/* CSV begins with its header, which is no constant. */
static int answer(struct results *res, struct span__serve_answer *a,
		  struct span_error *err)
{
	struct span_buf head = {0};
	const struct span__pieces p = {
		.head = forms[res->format].head,
		.between = forms[res->format].between,
		.tail = forms[res->format].tail,
		.next = next,
		.close = close_results,
		.arg = res,
	};
	bool csv = res->format == SPANS_CSV;
	int rc = span__pieces_answer(a, &p, err);

	if (rc < 0 || !csv)
		return rc;
	span_encode_csv_head(&head);
	span_buf_put(&head, a->body.p, a->body.len);
	span_buf_release(&a->body);
	a->body = head;
	return rc;
}

static int spans(const struct span__serve *serve,
		 const struct span__serve_request *r,
		 struct span__serve_answer *a, struct span_error *err)
{
	struct results *res = calloc(1, sizeof(*res));
	struct span__spans_query q;
	int rc;

	if (!res)
		return SPAN_E_NOMEM;
	rc = span__spans_read(serve, r, &q, a);
	if (rc < 0) {
		close_results(res);
		span__select_release(&q.select);
		return rc == SPAN_E_INVALID ? 0 : rc;
	}
	rc = open_results(res, serve, &q, err);
	a->type = forms[q.format].type;
	if (rc < 0)
		close_results(res);
	else
		rc = answer(res, a, err);
	if (rc < 0)
		rc = failed(&q, rc, a, err);
	span__select_release(&q.select);
	return rc < 0 ? rc : 0;
}

const struct span__serve_route span__serve_spans_routes[] = {
	{.method = "GET", .pattern = "/api/spans", .fn = spans},
};
const size_t span__serve_spans_n_routes =
	sizeof(span__serve_spans_routes) / sizeof(*span__serve_spans_routes);
