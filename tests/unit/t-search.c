/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random queries over random spans, by every way of searching a stream and a
 * store, against an evaluator that looks at one span after another and knows
 * nothing of indexes, windows and batches.
 */
#include <span/query.h>
#include <span/text.h>

#include <fnmatch.h>

#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define N 700
#define ROUNDS 400
/* Of some stores traces come in several batches or rounds. */
#define SMALL_MEMORY (1u << 20)
#define BASE 1795341600000000000u

static struct span_arena arena;
static struct span_error err;
static struct span spans[N];
static struct span_store *store;

/* ---- Spans whose names, keys and values meet often ---- */

static const char *const services[] = {"shop", "payment", "pay-2", "db", ""};
static const char *const names[] = {"GET /", "GET /cart", "POST /pay",
				    "SELECT *", "x"};
static const char *const keys[] = {
	"error", "http.status_code", "user", "span.kind", "a b", "event"};
static const char *const words[] = {"true",   "false", "500", "ann",
				    "server", "a b",   "",    "=~x\"y\\"};

#define PICK(r, list) (list)[rnd_below(r, sizeof(list) / sizeof(*(list)))]

static struct span_value make_value(struct rnd *r)
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

static struct span_attrs make_attrs(struct rnd *r)
{
	size_t n = rnd_below(r, 4);
	struct span_attr *v = rnd_alloc(r, n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct span_attr){span_str(PICK(r, keys)),
					  make_value(r)};
	return (struct span_attrs){.v = v, .n = n};
}

/* None, itself, one that is there, or one that is not: as it happens. */
static void set_parent(struct rnd *r, size_t i)
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

static void make_spans(uint64_t seed)
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

static bool text_is(const struct span_value *v, struct span_str want)
{
	struct span_buf b = {0};
	bool same;

	span_text_value(&b, v);
	same = span_str_equal((struct span_str){b.p, b.len}, want);
	span_buf_release(&b);
	return same;
}

static bool attrs_have(const struct span_attrs *a, const struct cond *c)
{
	for (size_t i = 0; i < a->n; i++)
		if (span_str_equal(a->v[i].key, c->key) &&
		    text_is(&a->v[i].value, c->value))
			return true;
	return false;
}

static bool has(const struct span *s, const struct cond *c)
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

static bool name_fits(const char *pattern, struct span_str name)
{
	char text[64];

	if (!pattern)
		return true;
	snprintf(text, sizeof(text), "%.*s", (int)name.len, name.p);
	if (pattern[0] == '~')
		return strstr(text, pattern + 1);
	return !strcmp(pattern, text) || !fnmatch(pattern, text, 0);
}

static bool conds_hold(const struct question *q, const struct span *s)
{
	for (size_t i = 0; i < q->n_conds; i++)
		if (has(s, &q->conds[i]) == q->conds[i].negate)
			return false;
	return true;
}

static bool has_parent(const struct span *s)
{
	for (size_t i = 0; i < N; i++)
		if (!memcmp(spans[i].trace_id, s->trace_id, 16) &&
		    !memcmp(spans[i].span_id, s->parent_id, 8))
			return true;
	return false;
}

static bool naive(const struct question *q, const struct span *s)
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
static size_t all_late; /* results of stores that did not come in order */

static void add_span(struct result *r, const struct span *s)
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

static uint64_t key_of(const struct question *q, const struct result *r)
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

static int by_key(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	int order = (x->key < y->key) - (x->key > y->key);

	if (!order)
		order = memcmp(x->v[0]->trace_id, y->v[0]->trace_id, 16);
	if (!order && x->n == 1 && y->n == 1)
		order = memcmp(x->v[0]->span_id, y->v[0]->span_id, 8);
	return order ? order : (x->first > y->first) - (x->first < y->first);
}

static void want_traces(const struct question *q)
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

static void want_spans(const struct question *q)
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

/* ---- Random questions ---- */

static void add_cond(struct rnd *r, struct question *q)
{
	struct cond *c = &q->conds[q->n_conds++];
	size_t len = strlen(q->tag);
	const char *key = PICK(r, keys), *word = PICK(r, words);

	c->key = span_str(key);
	c->value = span_str(word);
	c->negate = !rnd_below(r, 3);
	len += (size_t)snprintf(q->tag + len, sizeof(q->tag) - len,
				"\"%s\"%s=\"", key, c->negate ? "!" : "");
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			q->tag[len++] = '\\';
		q->tag[len++] = *word;
	}
	snprintf(q->tag + len, sizeof(q->tag) - len, "\"  ");
}

static void make_question(struct rnd *r, struct question *q)
{
	static const char *const service[] = {"shop", "pay*", "~pay", "[dx]b"};
	static const char *const operation[] = {"GET /*", "SELECT *", "?",
						"~/"};

	*q = (struct question){0};
	if (rnd_below(r, 2))
		q->service = PICK(r, service);
	if (!rnd_below(r, 3))
		q->operation = PICK(r, operation);
	while (q->n_conds < rnd_below(r, 3))
		add_cond(r, q);
	if (!rnd_below(r, 4))
		q->sel.min_duration_ns = rnd_below(r, 20) * 10000000u;
	if (!rnd_below(r, 4))
		q->sel.max_duration_ns = 100000000 + rnd_below(r, 9) * 10000000;
	if (q->sel.max_duration_ns < q->sel.min_duration_ns)
		q->sel.max_duration_ns = 0;
	if (!rnd_below(r, 4))
		q->sel.since_ns = BASE + rnd_below(r, 40) * 100000000u;
	if (!rnd_below(r, 4))
		q->sel.until_ns = BASE + 4000000000u;
	q->sel.error = !rnd_below(r, 6);
	q->sel.root = !rnd_below(r, 8);
	q->sel.orphans = !q->sel.root && !rnd_below(r, 8);
	q->not_all = !rnd_below(r, 4);
	if (!rnd_below(r, 6))
		q->kind = "server";
	if (!rnd_below(r, 5)) {
		span_trace_id_text(spans[rnd_below(r, N)].trace_id, q->id_text);
		q->id = q->id_text;
	}
	q->o.limit = rnd_below(r, 2) ? 1 + rnd_below(r, 12) : 0;
	q->o.sort = (enum span_sort)rnd_below(r, 6);
	q->o.window_ns = INT64_MAX; /* nothing is cut */
}

static struct span_query *compile(struct question *q)
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

/* ---- What the library says ---- */

struct array {
	size_t next;
};

static int next_of_array(void *self, struct span *out, struct span_error *e)
{
	struct array *a = self;

	(void)e;
	if (a->next == N)
		return 0;
	*out = spans[a->next++];
	return 1;
}

static struct span_search *open_search(const struct question *q,
				       const struct span_query *query,
				       struct array *a, bool in_store,
				       uint64_t memory)
{
	struct span_source src = {next_of_array, a};
	struct span_search_opts o = q->o;
	struct span_search *s;
	int rc;

	o.memory = memory;
	rc = in_store ? span_search_store(&s, store, query, &o, &err)
		      : span_search_source(&s, src, query, &o, &err);

	if (rc < 0)
		abort();
	return s;
}

static bool same_trace(const struct question *q, const struct result *r,
		       const struct span_trace *t, const uint8_t *matched)
{
	if (t->n != r->n)
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (!span_equal(&t->spans[i], r->v[i]) ||
		    matched[i] != naive(q, r->v[i]))
			return false;
	return true;
}

static size_t n_wanted(const struct question *q)
{
	return q->o.limit && q->o.limit < n_results ? q->o.limit : n_results;
}

static bool as_they_come(const struct question *q)
{
	return q->o.sort == SPAN_SORT_DEFAULT && !q->o.limit;
}

/* The result for ID; N_RESULTS: there is none. */
static size_t find_result(const uint8_t id[16])
{
	size_t i = 0;

	while (i < n_results && memcmp(results[i].v[0]->trace_id, id, 16) != 0)
		i++;
	return i;
}

static bool ask_traces(const struct question *q, const struct span_query *query,
		       bool in_store)
{
	struct array a = {0};
	struct span_search *s =
		open_search(q, query, &a, in_store,
			    in_store && q->n_conds < 2 ? SMALL_MEMORY : 0);
	const uint8_t *matched;
	struct span_trace t;
	size_t n = 0, late = 0;
	bool good = true;
	int rc;

	while ((rc = span_search_next(s, &t, &matched, &err)) > 0) {
		/* In a store some may come later, for want of memory. */
		size_t at = as_they_come(q) && in_store
				    ? find_result(t.trace_id)
				    : n;

		late += at != n;
		good = good && at < n_results &&
		       same_trace(q, &results[at], &t, matched);
		n++;
	}
	all_late += late;
	good = good && rc == 0 && n == n_wanted(q) && !span_search_cut(s) &&
	       span_search_more(s) == (n < n_results);
	span_search_close(&s);
	return good;
}

static bool ask_ids(const struct question *q, const struct span_query *query,
		    bool in_store)
{
	struct array a = {0};
	struct span_search *s = open_search(q, query, &a, in_store, 0);
	uint8_t id[16];
	size_t n = 0;
	bool good = true;
	int rc;

	while ((rc = span_search_next_id(s, id, &err)) > 0) {
		size_t at = find_result(id);

		good = good && at < n_results && (at == n || as_they_come(q));
		n++;
	}
	good = good && rc == 0 && n == n_wanted(q);
	span_search_close(&s);
	return good;
}

static bool ask_spans(const struct question *q, const struct span_query *query,
		      bool in_store)
{
	struct array a = {0};
	struct span_search *s = open_search(q, query, &a, in_store, 0);
	struct span sp;
	size_t n = 0;
	/* Spans of whole traces are in another order, without duplicates. */
	bool good = true, ordered = !q->sel.orphans;
	int rc;

	while ((rc = span_search_next_span(s, &sp, &err)) > 0) {
		good = good && n < n_results && naive(q, &sp) &&
		       (!ordered || span_equal(&sp, results[n].v[0]));
		n++;
	}
	if (q->o.sort >= SPAN_SORT_SPANS)
		good = rc == SPAN_E_INVALID;
	else
		good = good && rc == 0 && (!ordered || n == n_wanted(q));
	span_search_close(&s);
	return good;
}

static void tell(const struct question *q, uint64_t seed)
{
	diag("seed %llu: %s %s%s%s kind %s service %s operation %s id %s limit "
	     "%llu sort %d: %zu results",
	     (unsigned long long)seed, q->not_all ? "not" : "tags", q->tag,
	     q->sel.root ? " root" : "", q->sel.orphans ? " orphans" : "",
	     q->kind ? q->kind : "-", q->service ? q->service : "-",
	     q->operation ? q->operation : "-", q->id ? q->id : "-",
	     (unsigned long long)q->o.limit, (int)q->o.sort, n_results);
}

static void test_random(void)
{
	static const struct {
		const char *name;
		bool in_store;
		bool (*ask)(const struct question *, const struct span_query *,
			    bool);
	} ways[] = {
		{"traces of a stream", false, ask_traces},
		{"ids of a stream", false, ask_ids},
		{"spans of a stream", false, ask_spans},
		{"traces of a store", true, ask_traces},
		{"ids of a store", true, ask_ids},
		{"spans of a store", true, ask_spans},
	};
	int bad[6] = {0};
	size_t found = 0;

	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		struct rnd r = {seed, &arena};
		struct span_query *query;
		struct question q;

		make_question(&r, &q);
		query = compile(&q);
		for (size_t i = 0; i < 6; i++) {
			if (ways[i].ask == ask_spans)
				want_spans(&q);
			else
				want_traces(&q);
			found += n_results > 0;
			if (ways[i].ask(&q, query, ways[i].in_store))
				continue;
			bad[i]++;
			diag("%s", ways[i].name);
			tell(&q, seed);
		}
		span_query_close(&query);
	}
	for (size_t i = 0; i < 6; i++)
		is_int(bad[i], 0, "%d searches for %s", ROUNDS, ways[i].name);
	ok(all_late > 0 && all_late < found, "%zu results waited for memory",
	   all_late);
	ok(found > ROUNDS * 2, "%zu of %d have results", found, ROUNDS * 6);
}

static void fill_store(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_APPEND};
	struct span_buf stream = {0};
	struct span_writer *w;
	struct span_reader *r;
	struct span_frame *f;
	int rc = span_store_open(&store, "memory:64M", &o, &err);

	if (!rc)
		rc = span_writer_open_mem(&w, &stream, &err);
	for (size_t i = 0; i < N && !rc; i++)
		rc = span_writer_put(w, &spans[i], &err);
	if (!rc)
		rc = span_writer_flush(w, &err);
	span_writer_close(&w);
	if (!rc)
		rc = span_reader_open_mem(&r, stream.p, stream.len, NULL, &err);
	while (!rc && (rc = span_reader_next_frame(r, &f, &err)) > 0)
		rc = span_store_append_frame(store, f, &err);
	if (!rc)
		rc = span_store_sync(store, &err);
	if (!rc)
		rc = span_store_refresh(store, &err);
	span_reader_close(&r);
	span_buf_release(&stream);
	ok(!rc, "a store in memory: %s", err.msg);
}

/* ---- Typed ids ---- */

static void test_prefix(const char *typed, int want, bool in_store)
{
	struct question q = {.id = typed};
	struct span_query *query = compile(&q);
	struct array a = {0};
	struct span_search *s = open_search(&q, query, &a, in_store, 0);
	struct span_trace t;
	int rc, n = 0;

	while ((rc = span_search_next(s, &t, NULL, &err)) > 0)
		n++;
	is_int(rc < 0 ? rc : n, want, "%s: trace id '%s' in a %s",
	       rc < 0 ? err.msg : "found", typed,
	       in_store ? "store" : "stream");
	span_search_close(&s);
	span_query_close(&query);
}

static void test_prefixes(void)
{
	for (int in_store = 0; in_store < 2; in_store++) {
		/* The traces 4bf9000000000001 and 1 and the like are there. */
		test_prefix("4bf9", SPAN_E_AMBIGUOUS, in_store);
		test_prefix("4bf90000000000010", 0, in_store);
		test_prefix("dead", 0, in_store);
		test_prefix("4bf9000000000001", 1, in_store);
		test_prefix("4bf900000000000100f9000000000000", 0, in_store);
	}
	is_str(err.msg,
	       "trace id 4bf9 is ambiguous: 4bf9000000000001, "
	       "4bf9000000000002, 4bf9000000000003, 4bf9000000000004 and "
	       "185 more",
	       "the candidates are named");
}

/* ---- Windows and memory ---- */

/*
 * A source of N_TRACES traces side by side: the first spans of all of them,
 * then the second ones, and so on; GAP is between two spans.
 */
struct weave {
	size_t n_traces, n_each, next, fail_at;
	uint64_t gap_ns;
	uint64_t strange_ns; /* start of each hundredth span, 0: none */
	const char *last;    /* the name of the last span of each */
};

static int next_of_weave(void *self, struct span *out, struct span_error *e)
{
	static const struct span_process process = {.service = {"shop", 4}};
	struct weave *w = self;
	size_t round = w->next / w->n_traces, i = w->next % w->n_traces;

	if (w->fail_at && w->next == w->fail_at)
		return span_error_set(e, SPAN_E_TRUNCATED, "cut here");
	if (round == w->n_each)
		return 0;
	*out = (struct span){.process = &process, .name = SPAN_STR("work")};
	out->start_ns = BASE + w->next * w->gap_ns;
	if (w->strange_ns && w->next % 100 == 50)
		out->start_ns = w->strange_ns;
	out->trace_id[15] = (uint8_t)i;
	out->trace_id[14] = (uint8_t)(i >> 8);
	out->span_id[7] = (uint8_t)(round + 1);
	if (round + 1 == w->n_each && w->last)
		out->name = span_str(w->last);
	w->next++;
	return 1;
}

struct answer {
	size_t n, n_spans;
	uint64_t cut;
	int rc;
};

static struct answer ask_weave(struct weave w, struct span_search_opts o,
			       const char *operation)
{
	struct question q = {.operation = operation};
	struct span_query *query = compile(&q);
	struct span_source src = {next_of_weave, &w};
	struct answer a = {0};
	struct span_search *s;
	struct span_trace t;

	err = (struct span_error){0};
	if (span_search_source(&s, src, query, &o, &err) < 0)
		abort();
	while ((a.rc = span_search_next(s, &t, NULL, &err)) > 0) {
		a.n++;
		a.n_spans += t.n;
	}
	a.cut = span_search_cut(s);
	span_search_close(&s);
	span_query_close(&query);
	return a;
}

static void test_window(void)
{
	struct span_search_opts o = {.window_ns = 1000};
	struct weave w = {.n_traces = 10, .n_each = 3, .gap_ns = 99};
	struct answer a = ask_weave(w, o, NULL);

	is_uint(a.n, 10, "spans of a trace come within the window");
	is_uint(a.n_spans, 30, "so all traces are whole");
	w.gap_ns = 120;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 30, "after the window it is another result");
	is_uint(a.cut, 0, "which is no want of memory");
	a = ask_weave(w, (struct span_search_opts){.window_ns = UINT64_MAX},
		      NULL);
	is_uint(a.n, 10, "the longest window has all");
	w.gap_ns = 10;
	w.n_each = 200;
	w.strange_ns = 1;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 10, "single spans of long ago end no trace");
	w.strange_ns = UINT64_MAX / 2;
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 10, "nor do those of the far future");
	w = (struct weave){.n_traces = 1000, .n_each = 1, .gap_ns = 1000000};
	a = ask_weave(w, o, NULL);
	is_uint(a.n, 1000, "spans that are all far apart are all found");
}

static void test_memory(void)
{
	struct span_search_opts o = {.window_ns = 1u << 30, .memory = 64 << 10};
	struct weave w = {.n_traces = 100, .n_each = 2, .gap_ns = 1};
	struct answer a = ask_weave(w, o, NULL);

	is_uint(a.n_spans, 200, "short of memory no span is lost");
	/* Two of them may have the same place in the memory of the past. */
	ok(a.n == 200 && a.cut > 90 && a.cut <= 100,
	   "%zu results, %llu traces cut", a.n, (unsigned long long)a.cut);
	w.last = "bad";
	a = ask_weave(w, o, "bad");
	is_uint(a.n, 100, "the part that matches is found");
	ok(a.cut > 80, "%llu of them are not whole", (unsigned long long)a.cut);
	a = ask_weave(w, o, "none");
	is_uint(a.cut, 0, "what does not match is not counted");
	w = (struct weave){.n_traces = 1, .n_each = 250, .gap_ns = 1};
	o.memory = 256 << 10;
	a = ask_weave(w, o, NULL);
	is_uint(a.n_spans, 250, "a large trace comes in parts");
	ok(a.n > 1 && a.cut == 1, "%zu parts of %llu trace", a.n,
	   (unsigned long long)a.cut);
	w = (struct weave){.n_traces = 100, .n_each = 2, .gap_ns = 1};
	o = (struct span_search_opts){.memory = 64 << 10,
				      .sort = SPAN_SORT_START};
	a = ask_weave(w, o, NULL);
	is_int(a.rc, SPAN_E_LIMIT, "too much to put in order: %s", err.msg);
	o.limit = 3;
	a = ask_weave(w, o, NULL);
	ok(a.rc == 0 && a.n == 3, "but not with a limit");
}

static void test_end(void)
{
	struct weave w = {
		.n_traces = 10, .n_each = 2, .gap_ns = 1, .fail_at = 15};
	struct answer a = ask_weave(w, (struct span_search_opts){0}, NULL);

	is_uint(a.n_spans, 15, "what came before an error is found");
	is_int(a.rc, SPAN_E_TRUNCATED, "then there is the error: %s", err.msg);
	a = ask_weave(w, (struct span_search_opts){.limit = 2}, NULL);
	ok(a.n == 2 && a.rc == SPAN_E_TRUNCATED, "also in order");
	w.last = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	a = ask_weave(w, (struct span_search_opts){0}, "~(a+)+$");
	is_int(a.rc, SPAN_E_LIMIT, "a regex that takes too long: %s", err.msg);
}

int main(void)
{
	make_spans(1);
	fill_store();
	test_random();
	test_prefixes();
	test_window();
	test_memory();
	test_end();
	(void)span_store_close(&store, NULL);
	span_arena_release(&arena);
	return done_testing();
}
