/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search-model.h - spans to search, and an evaluator that looks at each
 */
#ifndef SEARCH_MODEL_H
#define SEARCH_MODEL_H

#include <span/query.h>
#include <span/text.h>

#include <fnmatch.h>

#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define N 700
#define ROUNDS 400
/* Of some stores traces come in several batches or rounds. */
#define SMALL_MEMORY (1u << 18)
#define BASE 1795341600000000000u

static struct span_arena arena;
static struct span_error err;
static struct span spans[N];

/* ---- Spans whose names, keys and values meet often ---- */

static const char *const services[] = {"shop", "payment", "pay-2", "db", ""};
static const char *const names[] = {"GET /", "GET /cart", "POST /pay",
				    "SELECT *", "x"};
static const char *const keys[] = {
	"error", "http.status_code", "user", "span.kind", "a b", "event"};
static const char *const words[] = {"true",   "false", "500", "ann",
				    "server", "a b",   "",    "=~x\"y\\"};

#define PICK(r, list) (list)[rnd_below(r, sizeof(list) / sizeof(*(list)))]

static inline struct span_value make_value(struct rnd *r)
{
	struct span_value v = {0};

	switch (rnd_below(r, 6)) {
	case 0:
		v.type = SPAN_INT;
		v.i = rnd_below(r, 2) ? 500 : -7;
		return v;
	case 1:
		v.type = SPAN_BOOL;
		v.b = rnd_below(r, 2);
		return v;
	case 2:
		v.type = SPAN_DOUBLE;
		v.d = rnd_below(r, 2) ? 500 : 72.5;
		return v;
	case 3:
		return rnd_value(r, 0);
	default:
		v.type = SPAN_STRING;
		v.str = span_str(PICK(r, words));
		return v;
	}
}

static inline struct span_attrs make_attrs(struct rnd *r)
{
	size_t n = rnd_below(r, 4);
	struct span_attr *v = rnd_alloc(r, n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct span_attr){span_str(PICK(r, keys)),
					  make_value(r)};
	return (struct span_attrs){.v = v, .n = n};
}

/* None, itself, one that is there, or one that is not: as it happens. */
static inline void set_parent(struct rnd *r, size_t i)
{
	struct span *s = &spans[i];

	if (rnd_below(r, 3)) {
		memset(s->parent_id, 0, sizeof(s->parent_id));
		if (rnd_below(r, 8) == 1)
			memcpy(s->parent_id, s->span_id, 8);
	}
	for (size_t j = i; j-- && rnd_below(r, 5);)
		if (!memcmp(spans[j].trace_id, s->trace_id, 16)) {
			memcpy(s->parent_id, spans[j].span_id, 8);
			return;
		}
}

static inline void make_spans(uint64_t seed)
{
	struct rnd r = {seed, &arena};
	struct span_process *p = NULL;

	for (size_t i = 0; i < N; i++) {
		struct span *s = &spans[i];

		if (!p || !rnd_below(&r, 4)) {
			p = rnd_alloc(&r, sizeof(*p));
			*p = (struct span_process){
				.service = span_str(PICK(&r, services)),
				.attrs = make_attrs(&r)};
		}
		if (i && !rnd_below(&r, 30)) {
			*s = spans[rnd_below(&r, i)]; /* a duplicate */
			continue;
		}
		*s = rnd_span(&r, p);
		s->start_ns = BASE + rnd_below(&r, 50) * 100000000u;
		s->duration_ns = rnd_below(&r, 20) * 10000000u;
		s->name = span_str(PICK(&r, names));
		s->attrs = make_attrs(&r);
		/* Few traces; half of their ids begin alike. */
		memset(s->trace_id, 0, sizeof(s->trace_id));
		s->trace_id[8] = (uint8_t)(rnd_below(&r, 2) * 0x4b);
		s->trace_id[9] = 0xf9;
		s->trace_id[15] = (uint8_t)rnd_below(&r, 200);
		if (!rnd_below(&r, 8))
			memcpy(s->trace_id, s->trace_id + 8, 8);
		rnd_id(&r, s->span_id, 8);
		set_parent(&r, i);
	}
}

/* ---- The naive evaluator ---- */

/* A condition "KEY OP VALUE" as the naive evaluator takes it. */
struct cond {
	struct span_str key, value;
	bool negate;
};

struct question {
	struct span_select sel;
	struct cond conds[2];
	size_t n_conds;
	bool not_all;  /* the conditions must not all hold */
	char tag[200]; /* the conditions as text */
	const char *tag_text, *service, *operation, *id, *kind;
	char id_text[40];
	struct span_search_opts o;
};

static inline bool text_is(const struct span_value *v, struct span_str want)
{
	struct span_buf b = {0};
	bool same;

	span_text_value(&b, v);
	same = span_str_equal((struct span_str){b.p, b.len}, want);
	span_buf_release(&b);
	return same;
}

static inline bool attrs_have(const struct span_attrs *a, const struct cond *c)
{
	for (size_t i = 0; i < a->n; i++)
		if (span_str_equal(a->v[i].key, c->key) &&
		    text_is(&a->v[i].value, c->value))
			return true;
	return false;
}

static inline bool has(const struct span *s, const struct cond *c)
{
	const char *derived = NULL;

	if (attrs_have(&s->attrs, c) || attrs_have(&s->process->attrs, c) ||
	    (s->scope && attrs_have(&s->scope->attrs, c)))
		return true;
	for (size_t i = 0; i < s->n_events; i++) {
		if (attrs_have(&s->events[i].attrs, c))
			return true;
		if (span_str_equal(c->key, SPAN_STR("event")) &&
		    s->events[i].name.len &&
		    span_str_equal(s->events[i].name, c->value))
			return true;
	}
	for (size_t i = 0; i < s->n_refs; i++)
		if (attrs_have(&s->refs[i].attrs, c))
			return true;
	if (span_str_equal(c->key, SPAN_STR("error")))
		derived = span_is_error(s) ? "true" : "false";
	if (span_str_equal(c->key, SPAN_STR("span.kind")) && s->kind)
		derived = span_kind_name(s->kind);
	return derived && span_str_equal(span_str(derived), c->value);
}

static inline bool name_fits(const char *pattern, struct span_str name)
{
	char text[64];

	if (!pattern)
		return true;
	snprintf(text, sizeof(text), "%.*s", (int)name.len, name.p);
	if (pattern[0] == '~')
		return strstr(text, pattern + 1);
	return !strcmp(pattern, text) || !fnmatch(pattern, text, 0);
}

static inline bool conds_hold(const struct question *q, const struct span *s)
{
	for (size_t i = 0; i < q->n_conds; i++)
		if (has(s, &q->conds[i]) == q->conds[i].negate)
			return false;
	return true;
}

static inline bool has_parent(const struct span *s)
{
	for (size_t i = 0; i < N; i++)
		if (!memcmp(spans[i].trace_id, s->trace_id, 16) &&
		    !memcmp(spans[i].span_id, s->parent_id, 8))
			return true;
	return false;
}

static inline bool naive(const struct question *q, const struct span *s)
{
	static const uint8_t none[8];
	char id[SPAN_TRACE_ID_TEXT];
	bool root = !memcmp(s->parent_id, none, 8) ||
		    !memcmp(s->parent_id, s->span_id, 8);
	const struct cond kind = {SPAN_STR("span.kind"), span_str(q->kind),
				  false};

	if (q->n_conds && conds_hold(q, s) == q->not_all)
		return false;
	if (q->kind && !has(s, &kind))
		return false;
	if ((q->sel.root && !root) ||
	    (q->sel.orphans && (root || has_parent(s))))
		return false;
	if (q->id && strcmp(span_trace_id_text(s->trace_id, id), q->id) != 0)
		return false;
	return name_fits(q->service, s->process->service) &&
	       name_fits(q->operation, s->name) &&
	       s->start_ns >= q->sel.since_ns &&
	       (!q->sel.until_ns || s->start_ns < q->sel.until_ns) &&
	       s->duration_ns >= q->sel.min_duration_ns &&
	       (!q->sel.max_duration_ns ||
		s->duration_ns <= q->sel.max_duration_ns) &&
	       (!q->sel.error || span_is_error(s));
}

/* A result: a trace, or a span alone. */
struct result {
	const struct span *v[N]; /* in their order, without duplicates */
	size_t n;
	uint64_t key;
	size_t first, last; /* match and span, by arrival */
};
static struct result results[N];
static size_t n_results;

static inline void add_span(struct result *r, const struct span *s)
{
	size_t i = r->n;

	for (size_t j = 0; j < r->n; j++)
		if (span_equal(r->v[j], s))
			return;
	for (; i && r->v[i - 1]->start_ns > s->start_ns; i--)
		r->v[i] = r->v[i - 1];
	r->v[i] = s;
	r->n++;
}

static inline uint64_t key_of(const struct question *q, const struct result *r)
{
	uint64_t start = UINT64_MAX, end = 0, latest = 0, errors = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct span *s = r->v[i];

		if (s->start_ns < start)
			start = s->start_ns;
		if (span_end_ns(s) > end)
			end = span_end_ns(s);
		if (naive(q, s) && s->start_ns > latest)
			latest = s->start_ns;
		errors += span_is_error(s);
	}
	switch (q->o.sort) {
	case SPAN_SORT_START:
		return UINT64_MAX - start;
	case SPAN_SORT_DURATION:
		return end - start;
	case SPAN_SORT_SPANS:
		return r->n;
	case SPAN_SORT_ERRORS:
		return errors;
	case SPAN_SORT_NEWEST:
		return latest;
	default:
		return q->o.limit ? latest : UINT64_MAX - r->last;
	}
}

static inline int by_key(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int order = (x->key < y->key) - (x->key > y->key);

	if (!order)
		order = memcmp(x->v[0]->trace_id, y->v[0]->trace_id, 16);
	if (!order && x->n == 1 && y->n == 1)
		order = memcmp(x->v[0]->span_id, y->v[0]->span_id, 8);
	return order ? order : (x->first > y->first) - (x->first < y->first);
}

static inline void want_traces(const struct question *q)
{
	n_results = 0;
	for (size_t i = 0; i < N; i++) {
		struct result *r = &results[n_results];
		bool known = false;

		for (size_t j = 0; j < n_results && !known; j++)
			known = !memcmp(results[j].v[0]->trace_id,
					spans[i].trace_id, 16);
		if (known || !naive(q, &spans[i]))
			continue;
		r->n = 0;
		r->first = i;
		for (size_t j = 0; j < N; j++)
			if (!memcmp(spans[j].trace_id, spans[i].trace_id, 16)) {
				add_span(r, &spans[j]);
				r->last = j;
			}
		r->key = key_of(q, r);
		n_results++;
	}
	qsort(results, n_results, sizeof(*results), by_key);
}

static inline void want_spans(const struct question *q)
{
	n_results = 0;
	for (size_t i = 0; i < N; i++) {
		struct result *r = &results[n_results];

		if (!naive(q, &spans[i]))
			continue;
		*r = (struct result){.v = {&spans[i]}, .n = 1, .first = i};
		r->key = q->o.sort == SPAN_SORT_START
				 ? UINT64_MAX - spans[i].start_ns
			 : q->o.sort == SPAN_SORT_DURATION
				 ? spans[i].duration_ns
				 : spans[i].start_ns;
		n_results++;
	}
	if (q->o.limit || q->o.sort != SPAN_SORT_DEFAULT)
		qsort(results, n_results, sizeof(*results), by_key);
}

static inline struct span_query *compile(struct question *q)
{
	struct span_query *out;

	q->tag_text = q->tag;
	if (q->n_conds && q->not_all) {
		q->sel.not_tags = &q->tag_text;
		q->sel.n_not_tags = 1;
	} else if (q->n_conds) {
		q->sel.tags = &q->tag_text;
		q->sel.n_tags = 1;
	}
	if (q->kind) {
		q->sel.kinds = &q->kind;
		q->sel.n_kinds = 1;
	}
	if (q->service) {
		q->sel.services = &q->service;
		q->sel.n_services = 1;
	}
	if (q->operation) {
		q->sel.operations = &q->operation;
		q->sel.n_operations = 1;
	}
	if (q->id) {
		q->sel.trace_ids = &q->id;
		q->sel.n_trace_ids = 1;
	}
	if (span_query_compile(&out, &q->sel, &err) < 0) {
		diag("%s", err.msg);
		abort();
	}
	return out;
}

#endif
