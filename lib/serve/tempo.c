/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of Grafana Tempo, as far as its data source in Grafana asks for it:
 * traces by id, and what other files have. Source: Tempo's documentation of it.
 */
#include "serve/tempo.h"

#include <stdlib.h>

#include <span/codec.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/families.h"
#include "serve/params.h"
#include "serve/v3.h"

#include "base/banned.h"

#define PROTOBUF "application/protobuf"
#define API_VERSION "2.7.0"

int span__tempo_failed(struct span__serve_answer *a, int rc,
		       const struct span_error *err)
{
	if (rc == SPAN_E_NOMEM)
		return rc;
	return span__serve_plain(
		a, span__found_fault(rc), "%s%s",
		rc == SPAN_E_INVALID ? "invalid TraceQL query: " : "",
		err->msg);
}

int span__tempo_refuse(struct span__serve_answer *a, const char *name,
		       const struct span_error *why)
{
	int rc = why->code == SPAN_E_NOMEM
			 ? SPAN_E_NOMEM
			 : span__serve_plain(a, 400, "invalid %s: %s", name,
					     why->msg);

	return rc < 0 ? rc : SPAN_E_INVALID;
}

static int read_seconds(const struct span__serve_request *r, const char *name,
			uint64_t *ns, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_error why = {0};

	if (!v.len || span_epoch_parse(v, ns, &why) == 0)
		return 0;
	return span__tempo_refuse(a, name, &why);
}

int span__tempo_range(const struct span__serve_request *r,
		      struct span_select *sel, uint64_t *limit,
		      struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "limit");
	struct span_error why = {0};
	int64_t n = 0;
	int rc = read_seconds(r, "start", &sel->since_ns, a);

	if (!rc)
		rc = read_seconds(r, "end", &sel->until_ns, a);
	if (rc < 0 || !v.len)
		return rc;
	if (span__serve_int(v, &n, &why) < 0)
		return span__tempo_refuse(a, "limit", &why);
	if (n < 1) {
		span_error_set(&why, SPAN_E_INVALID,
			       "must be a positive number");
		return span__tempo_refuse(a, "limit", &why);
	}
	*limit = (uint64_t)n;
	return 0;
}

/* ---- A trace by its id ---- */

static int bad_id(struct span__serve_answer *a, struct span_str id)
{
	if (id.len > 32)
		return span__serve_plain(
			a, 400, "trace IDs can't be larger than 128 bits");
	return span__serve_plain(a, 400,
				 "trace IDs can only contain hex characters: "
				 "%.*s",
				 (int)id.len, id.len ? id.p : "");
}

/* An integer as protobuf writes it. */
static void put_varint(struct span_buf *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		span_buf_putc(b, (char)(n | 0x80));
	span_buf_putc(b, (char)n);
}

/* TracesData, in version 2 as the first field of an answer. */
static int put_protobuf(struct span_buf *out, const struct span_trace *t,
			bool wrapped, struct span__serve_cut *cut,
			struct span_error *err)
{
	struct span_buf b = {0};
	size_t n = t->n;
	const struct span *v = span__serve_cut(cut, t->spans, &n, err);
	int rc = v ? span_encode_message(&b, SPAN_FORMAT_OTLP_PROTO, v, n, err)
		   : SPAN_E_NOMEM;

	if (wrapped && !rc) {
		span_buf_putc(out, 1 << 3 | 2);
		put_varint(out, b.len);
	}
	if (!rc)
		span_buf_put(out, b.p, b.len);
	span_buf_release(&b);
	return rc;
}

static int put_json(struct span_buf *out, const struct span_trace *t,
		    struct span__serve_cut *cut, struct span_error *err)
{
	int rc;

	span_buf_puts(out, "{\"trace\":{\"resourceSpans\":[");
	rc = span__v3_resources(out, t, cut, err);
	span_buf_puts(out, "]},\"metrics\":{}}");
	return rc < 0 ? rc : 0;
}

enum form { TRACE_JSON, TRACE_PROTOBUF, TRACE_WRAPPED };

static int put_trace(const struct span__serve *serve,
		     struct span__serve_pool *pool, struct span__select *s,
		     enum form form, struct span__serve_answer *a,
		     struct span_error *err)
{
	const struct span_search_opts o = {0};
	struct span__serve_cut cut = {.max = serve->max_spans};
	struct span__found f = {0};
	struct span_trace t;
	int rc = span__found_open(&f, pool, s, &o, err);

	cut.search = f.search;
	if (!rc)
		rc = span_search_next(f.search, &t, NULL, err);
	if (!rc)
		rc = span__serve_plain(a, 404, "trace not found");
	else if (rc > 0 && form == TRACE_JSON)
		rc = put_json(&a->body, &t, &cut, err);
	else if (rc > 0)
		rc = put_protobuf(&a->body, &t, form == TRACE_WRAPPED, &cut,
				  err);
	span__serve_cut_release(&cut);
	span__found_close(&f);
	return rc < 0 ? span__tempo_failed(a, rc, err) : 0;
}

static int find_trace(const struct span__serve *serve, struct span_str text,
		      enum form form, struct span__serve_answer *a,
		      struct span_error *err)
{
	struct span__select s = {0};
	struct span__serve_pool *pool;
	uint8_t id[16];
	int rc;

	if (span_trace_id_parse(text, id) < 0)
		return bad_id(a, text);
	rc = span__found_where(serve, id, &pool, err);
	if (rc < 0)
		return span__tempo_failed(a, rc, err);
	span__select_trace(&s, id);
	a->type = form == TRACE_JSON ? SPAN__SERVE_JSON : PROTOBUF;
	rc = put_trace(serve, pool, &s, form, a, err);
	span__select_release(&s);
	return rc;
}

/* Its times are hints, of which a store has no need. */
static int trace(const struct span__serve *serve,
		 const struct span__serve_request *r, size_t segment,
		 enum form form, struct span__serve_answer *a,
		 struct span_error *err)
{
	struct span_select ignored = {0};
	struct span_buf id = {0};
	uint64_t limit = 0;
	int rc = span__tempo_range(r, &ignored, &limit, a);

	if (rc < 0)
		return rc == SPAN_E_INVALID ? 0 : rc;
	rc = span__serve_segment(r->path, segment, &id, err);
	if (rc == SPAN_E_INVALID)
		rc = bad_id(a, SPAN_STR("%"));
	else if (!rc)
		rc = find_trace(serve, (struct span_str){id.p, id.len}, form, a,
				err);
	span_buf_release(&id);
	return rc;
}

static int trace_v1(const struct span__serve *s,
		    const struct span__serve_request *r,
		    struct span__serve_answer *a, struct span_error *err)
{
	return trace(s, r, 2, TRACE_PROTOBUF, a, err);
}

static int trace_v2(const struct span__serve *s,
		    const struct span__serve_request *r,
		    struct span__serve_answer *a, struct span_error *err)
{
	return trace(s, r, 3, TRACE_JSON, a, err);
}

static int trace_v2_protobuf(const struct span__serve *s,
			     const struct span__serve_request *r,
			     struct span__serve_answer *a,
			     struct span_error *err)
{
	return trace(s, r, 3, TRACE_WRAPPED, a, err);
}

static int echo(const struct span__serve *s,
		const struct span__serve_request *r,
		struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)r;
	(void)err;
	a->type = SPAN__SERVE_PLAIN;
	span_buf_puts(&a->body, "echo");
	return 0;
}

/* Which API this is, by the version of Tempo that has all of it. */
static int build_info(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)r;
	(void)err;
	a->type = SPAN__SERVE_JSON;
	span_buf_puts(&a->body, "{\"version\":\"" API_VERSION
				"\",\"revision\":\"span-serve\","
				"\"branch\":\"\",\"buildUser\":\"\","
				"\"buildDate\":\"\",\"goVersion\":\"\"}");
	return 0;
}

/* Grafana shows the text. */
static int no_metrics(const struct span__serve *s,
		      const struct span__serve_request *r,
		      struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)r;
	(void)err;
	return span__serve_plain(
		a, 501,
		"TraceQL metrics are not supported by span-serve: rates, "
		"errors and latencies are at /api/metrics/calls, errors and "
		"latencies, and span-stats has them for Prometheus");
}

const struct span__serve_route span__serve_tempo_routes[] = {
	{.method = "GET", .pattern = PROTOBUF " /api/traces/*", .fn = trace_v1},
	{.method = "GET",
	 .pattern = PROTOBUF " /api/v2/traces/*",
	 .fn = trace_v2_protobuf},
	{.method = "GET", .pattern = "/api/v2/traces/*", .fn = trace_v2},
	{.method = "GET", .pattern = "/api/echo", .fn = echo, .quick = true},
	{.method = "GET",
	 .pattern = "/api/status/buildinfo",
	 .fn = build_info,
	 .quick = true},
	{.method = "GET",
	 .pattern = "/api/metrics/query_range",
	 .fn = no_metrics,
	 .quick = true},
	{.method = "GET",
	 .pattern = "/api/metrics/query",
	 .fn = no_metrics,
	 .quick = true},
	{.method = "GET", .pattern = "/api/search", .fn = span__tempo_search},
	{.method = "GET",
	 .pattern = "/api/search/tags",
	 .fn = span__tempo_tags},
	{.method = "GET",
	 .pattern = "/api/search/tag/*/values",
	 .fn = span__tempo_values},
	{.method = "GET",
	 .pattern = "/api/v2/search/tags",
	 .fn = span__tempo_tags_v2},
	{.method = "GET",
	 .pattern = "/api/v2/search/tag/*/values",
	 .fn = span__tempo_values_v2},
};
const size_t span__serve_tempo_n_routes =
	sizeof(span__serve_tempo_routes) / sizeof(*span__serve_tempo_routes);
