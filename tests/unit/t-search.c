/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random queries over random spans, by every way of searching a stream and a
 * store, against an evaluator that looks at one span after another and knows
 * nothing of indexes, windows and batches.
 */
#include "search-model.h"

static struct span_store *store;
static size_t all_late; /* results of stores that did not come in order */

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

int main(void)
{
	make_spans(1);
	fill_store();
	test_random();
	test_prefixes();
	(void)span_store_close(&store, NULL);
	span_arena_release(&arena);
	return done_testing();
}
