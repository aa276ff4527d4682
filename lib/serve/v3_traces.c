/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces by id, and those that a search finds, as OTLP's JSON: all resources
 * of all traces are one list, which is sent trace by trace.
 */
#include "serve/v3.h"

#include <stdlib.h>
#include <string.h>

#include <span/codec.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"
#include "serve/pieces.h"
#include "serve/v3_params.h"

#include "base/banned.h"

#define OTLP_HEAD "{\"resourceSpans\":["
#define OTLP_TAIL "]}"

int span__v3_resources(struct span_buf *out, const struct span_trace *t,
		       struct span__serve_cut *cut, struct span_error *err)
{
	size_t len = out->len, head = sizeof(OTLP_HEAD) - 1, n = t->n;
	const struct span *spans = span__serve_cut(cut, t->spans, &n, err);
	int rc = spans ? span_encode_message(out, SPAN_FORMAT_OTLP_JSON, spans,
					     n, err)
		       : SPAN_E_NOMEM;

	if (rc < 0)
		return rc;
	memmove(out->p + len, out->p + len + head, out->len - len - head);
	out->len -= head + sizeof(OTLP_TAIL) - 1;
	return 1;
}

struct results {
	struct span__found f;
	struct span__serve_cut cut;
	uint64_t max_skew_ns;
	bool raw; /* as it is stored */
	struct span_trace_builder builder;
};

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct results *res = arg;
	struct span_trace t;
	int rc = span_search_next(res->f.search, &t, NULL, err);

	if (rc > 0 && !res->raw) {
		struct span_trace stored = t;

		rc = span__v3_adjust(&res->builder, &stored, res->max_skew_ns,
				     &t, err);
		rc = rc < 0 ? rc : 1;
	}
	return rc > 0 ? span__v3_resources(out, &t, &res->cut, err) : rc;
}

static void close_results(void *arg)
{
	struct results *res = arg;

	span__found_close(&res->f);
	span__serve_cut_release(&res->cut);
	span_trace_builder_release(&res->builder);
	free(res);
}

/* Answer with what is found in POOL, or that there is nothing. */
static int find(const struct span__serve *serve, struct span__serve_pool *pool,
		struct span__select *s, uint64_t limit, bool raw,
		struct span__serve_answer *a, struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit};
	struct results *res = calloc(1, sizeof(*res));
	const struct span__pieces p = {
		.head = "{\"result\":" OTLP_HEAD,
		.between = ",",
		.tail = OTLP_TAIL "}",
		.next = next,
		.close = close_results,
		.arg = res,
	};
	int rc;

	if (!res)
		return SPAN_E_NOMEM;
	res->cut.max = serve->max_spans;
	res->max_skew_ns = serve->max_skew_ns;
	res->raw = raw;
	rc = span__found_open(&res->f, pool, s, &o, err);
	res->cut.search = res->f.search;
	if (rc < 0)
		close_results(res);
	else
		rc = span__pieces_answer(a, &p, err);
	if (rc < 0)
		return span__v3_failed(a, rc, err);
	a->type = SPAN__SERVE_JSON;
	return rc ? 0 : span__serve_error_v3(a, 404, "No traces found");
}

int span__v3_traces(const struct span__serve *serve,
		    const struct span__serve_request *r,
		    struct span__serve_answer *a, struct span_error *err)
{
	struct span__v3_search s;
	int rc = span__v3_search(serve, r, &s, a);

	if (!rc)
		rc = find(serve, serve->store, &s.select, s.depth, s.raw, a,
			  err);
	span__select_release(&s.select);
	return rc == SPAN_E_INVALID ? 0 : rc;
}

/* As Go's reader of ids says it. */
static int bad_id(struct span__serve_answer *a, struct span_str id)
{
	int len = (int)span_text_cut(id, 200);

	if (id.len > 32)
		return span__serve_error_v3(
			a, 400,
			"malformed parameter trace_id: TraceID cannot be "
			"longer than 32 hex characters: %.*s",
			len, id.p);
	return span__serve_error_v3(a, 400,
				    "malformed parameter trace_id: "
				    "strconv.ParseUint: parsing \"%.*s\": "
				    "invalid syntax",
				    len, id.p);
}

/* And whether it is to be raw: times are hints, which a store does not need. */
static int check_hints(const struct span__serve_request *r, bool *raw,
		       struct span__serve_answer *a)
{
	uint64_t ns;
	int rc = span__v3_time(r, "startTime", "start_time", &ns, a);

	if (!rc)
		rc = span__v3_time(r, "endTime", "end_time", &ns, a);
	if (!rc)
		rc = span__v3_bool(r, "rawTraces", "raw_traces", raw, a);
	return rc;
}

static int find_id(const struct span__serve *serve, struct span_str text,
		   bool raw, struct span__serve_answer *a,
		   struct span_error *err)
{
	struct span__select s = {0};
	struct span__serve_pool *pool;
	uint8_t id[16];
	int rc;

	rc = span_trace_id_parse(text, id) < 0 ? span__serve_base64_id(text, id)
					       : 0;
	if (rc)
		return rc < 0 ? bad_id(a, text)
			      : span__serve_error_v3(
					a, 400,
					"malformed parameter "
					"trace_id: " SPAN__SERVE_ID_LENGTH);
	rc = span__found_where(serve, id, &pool, err);
	if (rc < 0)
		return span__v3_failed(a, rc, err);
	span__select_trace(&s, id);
	rc = find(serve, pool, &s, 0, raw, a, err);
	span__select_release(&s);
	return rc;
}

int span__v3_trace(const struct span__serve *serve,
		   const struct span__serve_request *r,
		   struct span__serve_answer *a, struct span_error *err)
{
	struct span_error why = {0};
	struct span_buf id = {0};
	bool raw;
	int rc = check_hints(r, &raw, a);

	if (!rc)
		rc = span__serve_segment(r->path, 3, &id, &why);
	if (!rc)
		rc = find_id(serve, (struct span_str){id.p, id.len}, raw, a,
			     err);
	else if (rc == SPAN_E_INVALID && !a->status)
		rc = bad_id(a, (struct span_str){"%", 1});
	span_buf_release(&id);
	return rc == SPAN_E_INVALID ? 0 : rc;
}
