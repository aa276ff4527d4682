/* SPDX-License-Identifier: Apache-2.0 */
/* Traces for Zipkin: lists of spans, each trace a list of its own. */
#include "serve/zipkin.h"

#include <stdlib.h>
#include <string.h>

#include <span/codec.h>
#include <span/text.h>

#include "serve/answers.h"
#include "serve/cut.h"
#include "serve/params.h"
#include "serve/pieces.h"

#include "base/banned.h"

#define LIMIT 10

/* ---- The answer ---- */

/* What is found in the store, and then in the archive when that is asked. */
struct results {
	struct span__found f[2];
	struct span__serve_cut cut;
	size_t at;
	bool flat; /* one trace, which is not in a list */
};

static int put_trace(struct span_buf *out, struct results *res,
		     const struct span_trace *t, struct span_error *err)
{
	size_t n = t->n;
	const struct span *v = span__serve_cut(&res->cut, t->spans, &n, err);

	if (!v)
		return SPAN_E_NOMEM;
	if (!res->flat)
		span_buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			span_buf_putc(out, ',');
		span_encode_zipkin_json(out, &v[i]);
	}
	if (!res->flat)
		span_buf_putc(out, ']');
	return 1;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct results *res = arg;
	struct span_trace t;
	int rc = 0;

	for (; res->at < 2 && !rc; res->at += !rc) {
		if (!res->f[res->at].search)
			continue;
		if (res->cut.search != res->f[res->at].search)
			res->cut.parts = 0;
		res->cut.search = res->f[res->at].search;
		rc = span_search_next(res->f[res->at].search, &t, NULL, err);
	}
	return rc > 0 ? put_trace(out, res, &t, err) : rc;
}

static void close_results(void *arg)
{
	struct results *res = arg;

	span__found_close(&res->f[0]);
	span__found_close(&res->f[1]);
	span__serve_cut_release(&res->cut);
	free(res);
}

/* Where to look for what. */
struct places {
	struct span__serve_pool *pool[2];
	struct span__select s[2]; /* of those that have a pool */
};

/* 1 when there is a result, 0, or a negative code. */
static int find(const struct span__serve *serve, struct places *places,
		uint64_t limit, bool flat, struct span__serve_answer *a,
		struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit};
	struct results *res = calloc(1, sizeof(*res));
	const struct span__pieces p = {
		.head = "[",
		.between = ",",
		.tail = "]",
		.next = next,
		.close = close_results,
		.arg = res,
	};
	int rc = 0;

	if (!res)
		return SPAN_E_NOMEM;
	res->flat = flat;
	res->cut.max = serve->max_spans;
	for (size_t i = 0; i < 2 && !rc; i++)
		if (places->pool[i])
			rc = span__found_open(&res->f[i], places->pool[i],
					      &places->s[i], &o, err);
	if (rc < 0)
		close_results(res);
	else
		rc = span__pieces_answer(a, &p, err);
	a->type = SPAN__SERVE_JSON;
	return rc;
}

static void release(struct places *places)
{
	span__select_release(&places->s[0]);
	span__select_release(&places->s[1]);
}

/* ---- A search ---- */

/* A text of TraceQL, in quotes. */
static void put_text(struct span_buf *b, struct span_str s)
{
	span_buf_putc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			span_buf_putc(b, '\\');
		span_buf_putc(b, s.p[i]);
	}
	span_buf_putc(b, '"');
}

/*
 * "key=value" is a tag; a word alone is the value of an annotation or the key
 * of a tag, and "error" whatever makes a span one.
 */
static void put_condition(struct span_buf *b, struct span_str word)
{
	const char *equals = memchr(word.p, '=', word.len);
	struct span_str key = {word.p,
			       equals ? (size_t)(equals - word.p) : word.len};

	if (equals) {
		span_buf_puts(b, "span.");
		put_text(b, key);
		span_buf_puts(b, " = ");
		put_text(b,
			 (struct span_str){equals + 1, word.len - key.len - 1});
		return;
	}
	span_buf_puts(b, "(event:name = ");
	put_text(b, word);
	span_buf_puts(b, " || span.");
	put_text(b, word);
	span_buf_puts(b, " != nil");
	if (span_str_equal(word, SPAN_STR("error")))
		span_buf_puts(b, " || status = error");
	span_buf_putc(b, ')');
}

static struct span_str trim(struct span_str s)
{
	while (s.len && s.p[0] == ' ') {
		s.p++;
		s.len--;
	}
	while (s.len && s.p[s.len - 1] == ' ')
		s.len--;
	return s;
}

/* Conditions with " and " between them. */
static void read_annotations(const struct span__serve_request *r,
			     struct span__select *s)
{
	static const char and[] = " and ";
	struct span_str rest = span__serve_value(r, "annotationQuery");
	struct span_buf b = {0};

	while (rest.len) {
		const char *end = memmem(rest.p, rest.len, and, 5);
		size_t len = end ? (size_t)(end - rest.p) : rest.len;
		struct span_str word = trim((struct span_str){rest.p, len});

		if (word.len && word.p[0] != '=') {
			span_buf_puts(&b, b.len ? " && " : "{ ");
			put_condition(&b, word);
		}
		len += end ? 5 : 0;
		rest = (struct span_str){rest.p + len, rest.len - len};
	}
	if (b.len) {
		span_buf_puts(&b, " }");
		span__select_expression(s, (struct span_str){b.p, b.len});
	}
	s->failed |= b.failed;
	span_buf_release(&b);
}

static void read_names(const struct span__serve_request *r,
		       struct span__select *s)
{
	struct span_str service = span__serve_value(r, "serviceName");
	struct span_str remote = span__serve_value(r, "remoteServiceName");
	struct span_str span = span__serve_value(r, "spanName");

	if (service.len)
		span__select_name(s, SELECT_SERVICES, service);
	if (span.len && !span_str_equal(span, SPAN_STR("all")))
		span__select_name(s, SELECT_OPERATIONS, span);
	if (remote.len)
		span__select_tag(s, SPAN_STR("peer.service"), remote);
}

static int read_count(const struct span__serve_request *r, const char *name,
		      uint64_t max, uint64_t *n, struct span__serve_answer *a)
{
	struct span_str v = span__serve_value(r, name);
	struct span_error why = {0};
	int64_t read = 0;

	if (!v.len)
		return 0;
	if (span__serve_int(v, &read, &why) < 0)
		return span__zipkin_refuse(a, name, &why);
	if (read < 1 || (uint64_t)read > max) {
		span_error_set(&why, SPAN_E_INVALID, "out of range");
		return span__zipkin_refuse(a, name, &why);
	}
	*n = (uint64_t)read;
	return 0;
}

static int read_search(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__select *s, uint64_t *limit,
		       struct span__serve_answer *a)
{
	uint64_t min = 0, max = 0, most = UINT64_MAX / 1000;
	int rc = span__zipkin_times(serve, r, &s->sel.since_ns,
				    &s->sel.until_ns, a);

	*limit = LIMIT;
	if (!rc)
		rc = read_count(r, "limit", serve->max_traces, limit, a);
	if (!rc)
		rc = read_count(r, "minDuration", most, &min, a);
	if (!rc)
		rc = read_count(r, "maxDuration", most, &max, a);
	/* A duration is of whole microseconds there. */
	s->sel.min_duration_ns = min * 1000;
	s->sel.max_duration_ns = max ? max * 1000 + 999 : 0;
	read_names(r, s);
	read_annotations(r, s);
	return rc;
}

int span__zipkin_traces(const struct span__serve *serve,
			const struct span__serve_request *r,
			struct span__serve_answer *a, struct span_error *err)
{
	struct places places = {.pool = {serve->store}};
	uint64_t limit;
	int rc = read_search(serve, r, &places.s[0], &limit, a);

	if (!rc)
		rc = find(serve, &places, limit, false, a, err);
	else if (rc == SPAN_E_INVALID)
		rc = 0;
	release(&places);
	return rc < 0 ? span__zipkin_failed(a, rc, err) : 0;
}

/* ---- By id ---- */

/* 0, or SPAN_E_INVALID with 400 answered. */
static int read_id(struct span_str text, uint8_t id[16],
		   struct span__serve_answer *a)
{
	int rc;

	if (span_trace_id_parse(text, id) == 0)
		return 0;
	rc = span__serve_plain(a, 400,
			       "%.*s should be a 1 to 32 character lower-hex "
			       "string",
			       text.len < 200 ? (int)text.len : 200,
			       text.len ? text.p : "");
	return rc < 0 ? rc : SPAN_E_INVALID;
}

/* To where it is: the store, or the archive when only that one has it. */
static int add_id(const struct span__serve *serve, struct places *places,
		  const uint8_t id[16], struct span_error *err)
{
	struct span__serve_pool *pool;
	int rc = span__found_where(serve, id, &pool, err);
	size_t i = pool != serve->store;

	if (rc < 0)
		return rc;
	places->pool[i] = pool;
	span__select_trace(&places->s[i], id);
	return 0;
}

/* What handlers return. */
static int answered(struct places *places, int rc, struct span__serve_answer *a,
		    const struct span_error *err)
{
	release(places);
	if (rc == SPAN_E_INVALID && a->status)
		return 0;
	return rc < 0 ? span__zipkin_failed(a, rc, err) : 0;
}

int span__zipkin_trace(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	struct places places = {0};
	struct span_buf text = {0};
	uint8_t bytes[16];
	int rc = span__serve_segment(r->path, 3, &text, err);
	struct span_str id = {text.p, rc < 0 ? 0 : text.len};

	if (rc != SPAN_E_NOMEM)
		rc = read_id(id, bytes, a);
	if (!rc)
		rc = add_id(serve, &places, bytes, err);
	if (!rc) {
		rc = find(serve, &places, 0, true, a, err);
		if (!rc)
			rc = span__serve_plain(a, 404, "trace %.*s not found",
					       (int)id.len, id.p);
	}
	span_buf_release(&text);
	return answered(&places, rc, a, err);
}

static int add_ids(const struct span__serve *serve, struct places *places,
		   struct span_str list, struct span__serve_answer *a,
		   struct span_error *err)
{
	uint8_t id[16];
	int rc = 0;

	while (list.len && !rc) {
		const char *comma = memchr(list.p, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.p) : list.len;

		rc = read_id(trim((struct span_str){list.p, len}), id, a);
		if (!rc)
			rc = add_id(serve, places, id, err);
		len += comma ? 1 : 0;
		list = (struct span_str){list.p + len, list.len - len};
	}
	return rc;
}

int span__zipkin_many(const struct span__serve *serve,
		      const struct span__serve_request *r,
		      struct span__serve_answer *a, struct span_error *err)
{
	struct span_str list = span__serve_value(r, "traceIds");
	struct places places = {0};
	int rc;

	if (!list.len)
		return span__serve_plain(a, 400, "traceIds parameter is empty");
	rc = add_ids(serve, &places, list, a, err);
	if (!rc)
		rc = find(serve, &places, 0, false, a, err);
	return answered(&places, rc, a, err);
}
