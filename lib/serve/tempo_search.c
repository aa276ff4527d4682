/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/search: the newest traces that TraceQL, or tags, choose, with a few of
 * the spans that match.
 */
#include "serve/tempo.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "serve/answers.h"
#include "serve/params.h"
#include "serve/pieces.h"

#include "base/banned.h"

#define LIMIT 20
#define SPANS 3 /* of a trace */
#define SPANS_MAX 1000

struct results {
	struct span__found f;
	uint64_t spans; /* of a trace, at most */
};

/* ---- A trace ---- */

static void put_attribute(struct span_buf *out, const char *key,
			  struct span_str text)
{
	span_buf_printf(out,
			"{\"key\":\"%s\",\"value\":{\"stringValue\":", key);
	span_text_json(out, text);
	span_buf_puts(out, "}}");
}

static void put_span(struct span_buf *out, const struct span *s)
{
	char id[SPAN_ID_TEXT];

	span_buf_printf(out, "{\"spanID\":\"%s\",\"name\":",
			span_id_text(s->span_id, id));
	span_text_json(out, s->name);
	span_buf_printf(out,
			",\"startTimeUnixNano\":\"%" PRIu64
			"\",\"durationNanos\":\"%" PRIu64 "\",\"attributes\":[",
			s->start_ns, s->duration_ns);
	put_attribute(out, "service.name", s->process->service);
	if (s->kind && *span_kind_name(s->kind)) {
		span_buf_putc(out, ',');
		put_attribute(out, "kind", span_str(span_kind_name(s->kind)));
	}
	if (span_is_error(s) || s->status) {
		span_buf_putc(out, ',');
		put_attribute(out, "status",
			      span_is_error(s) ? SPAN_STR("error")
					       : SPAN_STR("ok"));
	}
	span_buf_puts(out, "]}");
}

/* Once as the only set of a list, and once for who knows of one alone. */
static void put_set(struct span_buf *out, const struct results *res,
		    const struct span_trace *t, const uint8_t *matched)
{
	uint64_t n = 0;

	span_buf_puts(out, "{\"spans\":[");
	for (size_t i = 0; i < t->n; i++) {
		if (matched && !matched[i])
			continue;
		if (n++ >= res->spans)
			continue;
		if (n > 1)
			span_buf_putc(out, ',');
		put_span(out, &t->spans[i]);
	}
	span_buf_printf(out, "],\"matched\":%" PRIu64 "}", n);
}

struct service {
	struct span_str name;
	uint64_t spans, errors;
};

static int by_name(const void *x, const void *y)
{
	const struct service *a = x, *b = y;

	return span_str_compare(a->name, b->name);
}

/* Spans of each service, of V, which has one for each span. */
static void put_services(struct span_buf *out, struct service *v, size_t n)
{
	bool any = false;

	span_buf_puts(out, ",\"serviceStats\":{");
	qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		struct service sum = v[i];

		while (i + 1 < n && !by_name(&v[i + 1], &sum)) {
			sum.spans++;
			sum.errors += v[++i].errors;
		}
		if (any)
			span_buf_putc(out, ',');
		any = true;
		span_text_json(out, sum.name);
		span_buf_printf(out, ":{\"spanCount\":%" PRIu64, sum.spans);
		if (sum.errors)
			span_buf_printf(out, ",\"errorCount\":%" PRIu64,
					sum.errors);
		span_buf_putc(out, '}');
	}
	span_buf_putc(out, '}');
}

static int put_stats(struct span_buf *out, const struct span_trace *t,
		     struct span_error *err)
{
	struct service *v = calloc(t->n, sizeof(*v));

	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < t->n; i++)
		v[i] = (struct service){t->spans[i].process->service, 1,
					span_is_error(&t->spans[i])};
	put_services(out, v, t->n);
	free(v);
	return 0;
}

static int put_trace(struct span_buf *out, const struct results *res,
		     const struct span_trace *t, const uint8_t *matched,
		     struct span_error *err)
{
	const struct span *root = &t->spans[t->root];
	uint64_t ms = (t->end_ns - t->start_ns) / 1000000;
	char id[SPAN_TRACE_ID_TEXT];
	bool complete = span_is_root(root);
	int rc;

	span_buf_printf(out, "{\"traceID\":\"%s\",\"rootServiceName\":",
			span_trace_id_text(t->trace_id, id));
	span_text_json(out, complete
				    ? root->process->service
				    : SPAN_STR("<root span not yet received>"));
	span_buf_puts(out, ",\"rootTraceName\":");
	span_text_json(out, complete ? root->name : SPAN_STR(""));
	/* Grafana drops all results where one has more than 32 bits. */
	span_buf_printf(out,
			",\"startTimeUnixNano\":\"%" PRIu64
			"\",\"durationMs\":%" PRIu64 ",\"spanSet\":",
			t->start_ns, ms < UINT32_MAX ? ms : UINT32_MAX);
	put_set(out, res, t, matched);
	span_buf_puts(out, ",\"spanSets\":[");
	put_set(out, res, t, matched);
	span_buf_putc(out, ']');
	rc = put_stats(out, t, err);
	span_buf_putc(out, '}');
	return rc;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct results *res = arg;
	const uint8_t *matched;
	struct span_trace t;
	int rc = span_search_next(res->f.search, &t, &matched, err);

	if (rc <= 0)
		return rc;
	rc = put_trace(out, res, &t, matched, err);
	return rc < 0 ? rc : 1;
}

static void close_results(void *arg)
{
	struct results *res = arg;

	span__found_close(&res->f);
	free(res);
}

/* ---- What is asked for ---- */

static void add_tag(struct span__select *s, struct span_str key,
		    struct span_str value)
{
	if (span_str_equal(key, SPAN_STR("service.name")))
		span__select_name_like(s, SELECT_SERVICES, value);
	else if (span_str_equal(key, SPAN_STR("name")))
		span__select_name_like(s, SELECT_OPERATIONS, value);
	else
		span__select_tag_like(s, key, value);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* A part of logfmt at *I: up to END or a blank; in quotes up to these. */
static void take_part(struct span_buf *b, struct span_str s, size_t *i,
		      char end)
{
	bool quoted = *i < s.len && s.p[*i] == '"';

	b->len = 0;
	*i += quoted;
	for (; *i < s.len; ++*i) {
		char c = s.p[*i];

		if (quoted ? c == '"' : c == end || is_blank(c))
			break;
		if (quoted && c == '\\' && *i + 1 < s.len)
			c = s.p[++*i];
		span_buf_putc(b, c);
	}
	*i += quoted && *i < s.len;
}

/* a=b "c d"="e f" */
static void read_tags(struct span__select *s, struct span_str text)
{
	struct span_buf key = {0}, value = {0};
	size_t i = 0;

	while (i < text.len) {
		if (is_blank(text.p[i])) {
			i++;
			continue;
		}
		take_part(&key, text, &i, '=');
		value.len = 0;
		if (i < text.len && text.p[i] == '=') {
			i++;
			take_part(&value, text, &i, ' ');
		}
		if (key.len)
			add_tag(s, (struct span_str){key.p, key.len},
				(struct span_str){value.p, value.len});
	}
	s->failed |= key.failed || value.failed;
	span_buf_release(&key);
	span_buf_release(&value);
}

/* Of the trace, where a search is by tags. */
static int read_duration(const struct span__serve_request *r, const char *name,
			 const char *compare, struct span_buf *b,
			 struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_error why = {0};
	int64_t ns;

	if (!v.len)
		return 0;
	if (span__serve_duration(v, &ns, &why) < 0)
		return span__tempo_refuse(a, name, &why);
	span_buf_printf(b, "%s trace:duration %s %" PRId64 "ns",
			b->len ? " &&" : "{", compare, ns);
	return 0;
}

static int read_by_tags(const struct span__serve_request *r,
			struct span__select *s, struct span__serve_answer *a)
{
	struct span_buf b = {0};
	int rc = read_duration(r, "minDuration", ">=", &b, a);

	if (!rc)
		rc = read_duration(r, "maxDuration", "<=", &b, a);
	if (!rc && b.len) {
		span_buf_puts(&b, " }");
		span__select_expression(s, (struct span_str){b.p, b.len});
	}
	s->failed |= b.failed;
	span_buf_release(&b);
	read_tags(s, span__serve_value(r, "tags"));
	return rc;
}

static int read_spans(const struct span__serve_request *r, uint64_t *spans,
		      struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, "spss");
	struct span_error why = {0};
	int64_t n = SPANS;

	if (v.len && span__serve_int(v, &n, &why) < 0)
		return span__tempo_refuse(a, "spss", &why);
	/* 0 is all that are shown at most. */
	*spans = n > 0 && n < SPANS_MAX ? (uint64_t)n : SPANS_MAX;
	return 0;
}

static int read_search(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__select *s, uint64_t *limit,
		       struct results *res, struct span__serve_answer *a)
{
	struct span_str q = span__serve_value(r, "q");
	struct span_error why = {0};
	int rc;

	*limit = LIMIT;
	rc = span__tempo_range(r, &s->sel, limit, a);
	if (!rc && *limit > serve->max_traces) {
		span_error_set(&why, SPAN_E_INVALID, "not more than %zu",
			       serve->max_traces);
		return span__tempo_refuse(a, "limit", &why);
	}
	if (!rc)
		rc = read_spans(r, &res->spans, a);
	if (!rc && q.len)
		span__select_expression(s, q);
	else if (!rc)
		rc = read_by_tags(r, s, a);
	return rc;
}

static int answer(const struct span__serve *serve, struct span__select *s,
		  uint64_t limit, struct results *res,
		  struct span__serve_answer *a, struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit};
	const struct span__pieces p = {
		.head = "{\"traces\":[",
		.between = ",",
		.tail = "],\"metrics\":{}}",
		.next = next,
		.close = close_results,
		.arg = res,
	};
	int rc = span__found_open(&res->f, serve->store, s, &o, err);

	a->type = SPAN__SERVE_JSON;
	if (rc < 0)
		close_results(res);
	else
		rc = span__pieces_answer(a, &p, err);
	return rc < 0 ? span__tempo_failed(a, rc, err) : 0;
}

int span__tempo_search(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	struct results *res = calloc(1, sizeof(*res));
	struct span__select s = {0};
	uint64_t limit;
	int rc;

	if (!res)
		return SPAN_E_NOMEM;
	rc = read_search(serve, r, &s, &limit, res, a);
	if (!rc)
		rc = answer(serve, &s, limit, res, a, err);
	else
		close_results(res);
	span__select_release(&s);
	return rc == SPAN_E_INVALID ? 0 : rc;
}
