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

struct wanted {
	uint8_t id[16];
	bool found;
};

/*
 * What the store has, and then what the archive has of the traces that were
 * asked for and are not in the store.
 */
struct results {
	struct span__found f;
	struct span__serve_cut cut;
	struct span__serve_pool *archive; /* to be asked yet, or NULL */
	struct span_buf wanted;		  /* struct wanted, by id */
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

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static struct wanted *wanted(const struct results *res, size_t *n)
{
	*n = res->wanted.len / sizeof(struct wanted);
	return (struct wanted *)(void *)res->wanted.p;
}

static void mark_found(const struct results *res, const uint8_t id[16])
{
	size_t n;
	struct wanted *v = wanted(res, &n);

	v = n ? bsearch(id, v, n, sizeof(*v), compare_ids) : NULL;
	if (v)
		v->found = true;
}

static int look_in(struct results *res, struct span__serve_pool *pool,
		   struct span__select *s, uint64_t limit,
		   struct span_error *err)
{
	const struct span_search_opts o = {.limit = limit};
	int rc;

	span__found_close(&res->f);
	rc = span__found_open(&res->f, pool, s, &o, err);
	res->cut.search = res->f.search;
	res->cut.parts = 0;
	return rc;
}

/* Look for the rest in the archive: 1, 0 when there is none, or an error. */
static int look_in_archive(struct results *res, struct span_error *err)
{
	struct span__serve_pool *pool = res->archive;
	struct span__select s = {0};
	size_t n, left = 0;
	const struct wanted *v = wanted(res, &n);
	int rc = 0;

	res->archive = NULL;
	for (size_t i = 0; i < n && pool; i++)
		if (!v[i].found) {
			span__select_trace(&s, v[i].id);
			left++;
		}
	if (left)
		rc = look_in(res, pool, &s, 0, err);
	span__select_release(&s);
	/* An archive that is not there has no traces. */
	if (rc == SPAN_E_NOTFOUND)
		return 0;
	return rc < 0 ? rc : left > 0;
}

static int next(void *arg, struct span_buf *out, struct span_error *err)
{
	struct results *res = arg;
	struct span_trace t;
	int rc = span_search_next(res->f.search, &t, NULL, err);

	if (!rc && (rc = look_in_archive(res, err)) > 0)
		rc = span_search_next(res->f.search, &t, NULL, err);
	if (rc <= 0)
		return rc;
	mark_found(res, t.spans[0].trace_id);
	return put_trace(out, res, &t, err);
}

static void close_results(void *arg)
{
	struct results *res = arg;

	span__found_close(&res->f);
	span__serve_cut_release(&res->cut);
	span_buf_release(&res->wanted);
	free(res);
}

/*
 * Answer with what S finds. IDS (struct wanted, by id; taken over) are those
 * that it asks for, NULL when it does not. 1 when there is a result, 0, or a
 * negative code.
 */
static int find(const struct span__serve *serve, struct span__select *s,
		uint64_t limit, struct span_buf *ids, bool flat,
		struct span__serve_answer *a, struct span_error *err)
{
	struct results *res = calloc(1, sizeof(*res));
	const struct span__pieces p = {
		.head = "[",
		.between = ",",
		.tail = "]",
		.next = next,
		.close = close_results,
		.arg = res,
	};
	int rc;

	if (!res)
		return SPAN_E_NOMEM;
	res->flat = flat;
	res->cut.max = serve->max_spans;
	if (ids) {
		res->archive = serve->archive;
		res->wanted = *ids;
		*ids = (struct span_buf){0};
	}
	rc = look_in(res, serve->store, s, limit, err);
	if (rc < 0)
		close_results(res);
	else
		rc = span__pieces_answer(a, &p, err);
	a->type = SPAN__SERVE_JSON;
	return rc;
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
	struct span__select s = {0};
	uint64_t limit;
	int rc = read_search(serve, r, &s, &limit, a);

	if (!rc)
		rc = find(serve, &s, limit, NULL, false, a, err);
	else if (rc == SPAN_E_INVALID)
		rc = 0;
	span__select_release(&s);
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
			       (int)span_text_cut(text, 200),
			       text.len ? text.p : "");
	return rc < 0 ? rc : SPAN_E_INVALID;
}

/* Append the id that TEXT is. 0, SPAN_E_INVALID with 400 answered, or NOMEM. */
static int add_id(struct span_buf *ids, struct span_str text,
		  struct span__serve_answer *a)
{
	struct wanted w = {.found = false};
	int rc = read_id(text, w.id, a);

	if (!rc)
		span_buf_put(ids, &w, sizeof(w));
	return ids->failed ? SPAN_E_NOMEM : rc;
}

/* The traces IDS, as far as they are somewhere: what find() returns. */
static int find_ids(const struct span__serve *serve, struct span_buf *ids,
		    bool flat, struct span__serve_answer *a,
		    struct span_error *err)
{
	struct wanted *v = (struct wanted *)(void *)ids->p;
	size_t n = 0, n_all = ids->len / sizeof(*v);
	struct span__select s = {0};
	int rc;

	qsort(v, n_all, sizeof(*v), compare_ids);
	for (size_t i = 0; i < n_all; i++)
		if (!n || compare_ids(&v[n - 1], &v[i])) {
			v[n++] = v[i];
			span__select_trace(&s, v[i].id);
		}
	ids->len = n * sizeof(*v);
	rc = find(serve, &s, 0, ids, flat, a, err);
	span__select_release(&s);
	return rc;
}

/* What handlers return. */
static int answered(struct span_buf *ids, int rc, struct span__serve_answer *a,
		    const struct span_error *err)
{
	span_buf_release(ids);
	if (rc == SPAN_E_INVALID && a->status)
		return 0;
	return rc < 0 ? span__zipkin_failed(a, rc, err) : 0;
}

int span__zipkin_trace(const struct span__serve *serve,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	struct span_buf text = {0}, ids = {0};
	int rc = span__serve_segment(r->path, 3, &text, err);
	struct span_str id = {text.p, rc < 0 ? 0 : text.len};

	if (rc != SPAN_E_NOMEM)
		rc = add_id(&ids, id, a);
	if (!rc) {
		rc = find_ids(serve, &ids, true, a, err);
		if (!rc)
			rc = span__serve_plain(a, 404, "trace %.*s not found",
					       (int)id.len, id.p);
	}
	span_buf_release(&text);
	return answered(&ids, rc, a, err);
}

static int add_ids(struct span_buf *ids, struct span_str list,
		   struct span__serve_answer *a)
{
	int rc = 0;

	while (list.len && !rc) {
		const char *comma = memchr(list.p, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.p) : list.len;

		rc = add_id(ids, trim((struct span_str){list.p, len}), a);
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
	struct span_buf ids = {0};
	int rc;

	if (!list.len)
		return span__serve_plain(a, 400, "traceIds parameter is empty");
	rc = add_ids(&ids, list, a);
	if (!rc)
		rc = find_ids(serve, &ids, false, a, err);
	return answered(&ids, rc, a, err);
}
