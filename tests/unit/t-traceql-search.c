/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random expressions over random spans, by every way of searching a stream, a
 * store in memory, and a directory of segments, closed logs and an active one,
 * against the naive evaluator of traceql-random.h.
 */
#include <span/query.h>

#include <unistd.h>

#include "tests/unit/make-drafts.h"
#include "tests/unit/tap.h"
#include "tests/unit/traceql-random.h"

#define N 400
#define N_TRACES 32
#define ROUNDS 2000
#define BASE 1795341600000000000u

static struct span_arena arena;
static struct span_error err;
static struct span spans[N];
static char dir[] = "/tmp/t-traceql-search.XXXXXX";

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

/* ---- Spans ---- */

static struct span_value make_value(struct rnd *r)
{
	static const char *const words[] = {"ann",  "bob",  "500",   "true",
					    "0500", "72.5", "error", "server",
					    "",	    "ok",   "72.50", "false"};
	static struct span_value items[2] = {
		{.type = SPAN_INT, {.i = 500}},
		{.type = SPAN_STRING, {.str = {"ann", 3}}},
	};
	struct span_value v = {.type = SPAN_STRING};

	switch (rnd_below(r, 12)) {
	case 0:
	case 1:
		v.type = SPAN_INT;
		v.i = TR_PICK(r, ((const int64_t[]){500, 0, -7, 2, 1}));
		return v;
	case 2:
		v.type = SPAN_BOOL;
		v.b = rnd_below(r, 2);
		return v;
	case 3:
		v.type = SPAN_DOUBLE;
		v.d = TR_PICK(r, ((const double[]){500, 72.5, -0.0, 0.5}));
		return v;
	case 4:
		v.type = rnd_below(r, 2) ? SPAN_NULL : SPAN_ARRAY;
		v.array.v = items;
		v.array.n = v.type ? rnd_below(r, 3) : 0;
		return v;
	case 5:
		v.type = SPAN_BYTES;
		v.str = (struct span_str){"\x05\x00", 2};
		return v;
	default:
		v.str = span_str(TR_PICK(r, words));
		return v;
	}
}

static struct span_attrs make_attrs(struct rnd *r)
{
	static const char *const keys[] = {"user", "http.status_code", "a b",
					   "error"};
	size_t n = rnd_below(r, 4);
	struct span_attr *v = rnd_alloc(r, (n + 1) * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct span_attr){
			span_str(keys[rnd_below(r, 8) ? rnd_below(r, 3) : 3]),
			make_value(r)};
	return (struct span_attrs){.v = v, .n = n};
}

static void make_details(struct rnd *r, struct span *s)
{
	struct span_event *e = rnd_alloc(r, 2 * sizeof(*e));
	struct span_ref *ref = rnd_alloc(r, 2 * sizeof(*ref));
	struct span_scope *scope = rnd_alloc(r, sizeof(*scope));

	s->events = e;
	s->n_events = rnd_below(r, 3);
	for (size_t i = 0; i < s->n_events; i++)
		e[i] = (struct span_event){
			s->start_ns + rnd_below(r, 3) * 10000000 - 10000000,
			span_str(rnd_below(r, 3) ? "retry" : ""),
			make_attrs(r)};
	s->refs = ref;
	s->n_refs = rnd_below(r, 3);
	for (size_t i = 0; i < s->n_refs; i++) {
		ref[i] = (struct span_ref){.type = (int32_t)rnd_below(r, 3) - 1,
					   .attrs = make_attrs(r)};
		memcpy(ref[i].trace_id, s->trace_id, 16);
		memcpy(ref[i].span_id, s->parent_id, 8);
		ref[i].span_id[0] = (uint8_t)rnd_below(r, 2);
	}
	*scope = (struct span_scope){
		.name = span_str(rnd_below(r, 2) ? "lib" : ""),
		.attrs = make_attrs(r)};
	s->scope = rnd_below(r, 2) ? scope : NULL;
}

static const struct span_process *make_process(struct rnd *r)
{
	static const char *const services[] = {"shop", "payment", "db", "500"};
	struct span_process *p = rnd_alloc(r, sizeof(*p));

	*p = (struct span_process){.service = span_str(TR_PICK(r, services)),
				   .attrs = make_attrs(r)};
	return p;
}

static void make_spans(uint64_t seed)
{
	static const char *const names[] = {"GET /", "GET /cart", "work",
					    "SELECT", "500"};
	static const char *const messages[] = {"", "timeout", "500"};
	struct rnd r = {seed, &arena};
	const struct span_process *p = NULL;

	for (size_t i = 0; i < N; i++) {
		struct span *s = &spans[i];

		if (!p || !rnd_below(&r, 3))
			p = make_process(&r);
		if (i && !rnd_below(&r, 40)) {
			*s = spans[rnd_below(&r, i)]; /* a duplicate */
			continue;
		}
		*s = (struct span){
			.process = p,
			/* No two alike: the order of arrival must not matter */
			.start_ns = BASE + i + rnd_below(&r, 50) * 100000000u,
			.duration_ns = rnd_below(&r, 20) * 10000000u,
			.name = span_str(TR_PICK(&r, names)),
			.kind = (uint8_t)rnd_below(&r, 4),
			.status = (uint8_t)(rnd_below(&r, 4) % 3),
			.status_message = span_str(TR_PICK(&r, messages)),
			.attrs = make_attrs(&r),
		};
		s->trace_id[15] = (uint8_t)(1 + rnd_below(&r, N_TRACES));
		s->trace_id[0] = s->trace_id[15] % 5 == 0;
		s->parent_id[7] =
			(uint8_t)(rnd_below(&r, 5) ? rnd_below(&r, 12) : 0);
		s->span_id[7] = (uint8_t)rnd_below(&r, 14);
		make_details(&r, s);
	}
}

/* ---- What is wanted ---- */

struct question {
	const struct tr_node *tree;
	char *text;
	struct span_select sel;
	const char *service;
	struct span_search_opts o;
	bool whole;
};

/* A trace, put together once, and what the question chooses of it. */
static struct known {
	struct span_trace_builder builder;
	struct span_trace t;
	uint64_t chosen, key;
} traces[N_TRACES];

static size_t n_wanted, n_wanted_spans;

static void put_traces_together(void)
{
	for (size_t i = 0; i < N; i++) {
		struct known *k = &traces[spans[i].trace_id[15] - 1];

		must(!span_trace_builder_put(&k->builder, &spans[i], &err));
	}
	for (size_t i = 0; i < N_TRACES; i++) {
		struct known *k = &traces[i];

		if (k->builder.spans.len)
			must(!span_trace_builder_build(&k->builder, &k->t,
						       &err));
		must(k->t.n <= 64);
	}
}

static bool options_hold(const struct question *q, const struct span *s)
{
	return s->start_ns >= q->sel.since_ns &&
	       (!q->sel.until_ns || s->start_ns < q->sel.until_ns) &&
	       s->duration_ns >= q->sel.min_duration_ns &&
	       (!q->sel.error || span_is_error(s)) &&
	       (!q->service ||
		span_str_equal(s->process->service, span_str(q->service)));
}

static uint64_t key_of(const struct question *q, const struct known *k)
{
	uint64_t latest = 0;

	for (size_t i = 0; i < k->t.n; i++)
		if ((k->chosen & TR_BIT(i)) && k->t.spans[i].start_ns > latest)
			latest = k->t.spans[i].start_ns;
	switch (q->o.sort) {
	case SPAN_SORT_START:
		return UINT64_MAX - k->t.start_ns;
	case SPAN_SORT_DURATION:
		return k->t.end_ns - k->t.start_ns;
	case SPAN_SORT_SPANS:
		return k->t.n;
	case SPAN_SORT_ERRORS:
		return k->t.n_errors;
	default:
		return latest;
	}
}

/* How many of the spans as they came are equal to S of a trace. */
static size_t copies(const struct question *q, const struct span *s)
{
	size_t n = 0;

	for (size_t i = 0; i < N && !q->whole; i++)
		n += span_equal(&spans[i], s);
	return q->whole ? 1 : n;
}

static void want(const struct question *q)
{
	n_wanted = n_wanted_spans = 0;
	for (size_t i = 0; i < N_TRACES; i++) {
		struct known *k = &traces[i];
		uint64_t all = k->t.n == 64 ? UINT64_MAX : TR_BIT(k->t.n) - 1;

		k->chosen = k->t.n ? tr_choose(q->tree, &k->t, all) : 0;
		for (size_t j = 0; j < k->t.n; j++)
			if (!options_hold(q, &k->t.spans[j]))
				k->chosen &= ~TR_BIT(j);
			else if (k->chosen & TR_BIT(j))
				n_wanted_spans += copies(q, &k->t.spans[j]);
		k->key = key_of(q, k);
		n_wanted += k->chosen != 0;
	}
}

/* How many results come before those of K. */
static size_t rank_of(const struct known *k)
{
	size_t rank = 0;

	for (size_t i = 0; i < N_TRACES; i++) {
		const struct known *o = &traces[i];

		rank += o->chosen &&
			(o->key > k->key ||
			 (o->key == k->key &&
			  memcmp(o->t.trace_id, k->t.trace_id, 16) < 0));
	}
	return rank;
}

static size_t at_most(const struct question *q, size_t n)
{
	return q->o.limit && q->o.limit < n ? q->o.limit : n;
}

static bool in_order(const struct question *q, const struct known *k, size_t n)
{
	return (!q->o.limit && !q->o.sort) || rank_of(k) == n;
}

/* ---- What the library says ---- */

static int next_of_array(void *self, struct span *out, struct span_error *e)
{
	size_t *next = self;

	(void)e;
	if (*next == N)
		return 0;
	*out = spans[(*next)++];
	return 1;
}

static struct span_search *open_search(const struct question *q,
				       const struct span_query *query,
				       struct span_store *st, size_t *next)
{
	struct span_source src = {next_of_array, next};
	struct span_search *s;

	*next = 0;
	must(!(st ? span_search_store(&s, st, query, &q->o, &err)
		  : span_search_source(&s, src, query, &q->o, &err)));
	return s;
}

static bool same_trace(const struct known *k, const struct span_trace *t,
		       const uint8_t *matched)
{
	if (!k->chosen || t->n != k->t.n)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		size_t j = 0;

		/* Equal starts come in the order of arrival. */
		while (j < t->n && !span_equal(&k->t.spans[j], &t->spans[i]))
			j++;
		if (j == t->n || matched[i] != ((k->chosen >> j) & 1))
			return false;
	}
	return true;
}

static bool ask_traces(const struct question *q, const struct span_query *query,
		       struct span_store *st)
{
	size_t next, n = 0;
	struct span_search *s = open_search(q, query, st, &next);
	const uint8_t *matched;
	struct span_trace t;
	bool good = true;
	int rc;

	while ((rc = span_search_next(s, &t, &matched, &err)) > 0) {
		const struct known *k = &traces[t.trace_id[15] - 1];

		good = good && same_trace(k, &t, matched) &&
		       in_order(q, k, n++);
	}
	if ((q->o.limit || q->o.sort) && good)
		good = span_search_more(s) == (n < n_wanted);
	span_search_close(&s);
	return good && rc == 0 &&
	       (!good || n == at_most(q, n_wanted) ||
		(!q->o.limit && !q->o.sort));
}

static bool ask_ids(const struct question *q, const struct span_query *query,
		    struct span_store *st)
{
	size_t next, n = 0;
	struct span_search *s = open_search(q, query, st, &next);
	bool good = true;
	uint8_t id[16];
	int rc;

	while ((rc = span_search_next_id(s, id, &err)) > 0) {
		const struct known *k = &traces[id[15] - 1];

		good = good && k->chosen && in_order(q, k, n);
		n++;
	}
	span_search_close(&s);
	return good && rc == 0 && n == at_most(q, n_wanted);
}

static bool is_chosen(const struct span *s)
{
	const struct known *k = &traces[s->trace_id[15] - 1];

	for (size_t i = 0; i < k->t.n; i++)
		if (span_equal(&k->t.spans[i], s))
			return k->chosen >> i & 1;
	return false;
}

static bool ask_spans(const struct question *q, const struct span_query *query,
		      struct span_store *st)
{
	size_t next, n = 0;
	struct span_search *s = open_search(q, query, st, &next);
	uint64_t last = UINT64_MAX, count;
	struct span sp;
	bool good = true, ordered = q->o.sort || q->o.limit;
	int rc;

	while ((rc = span_search_next_span(s, &sp, &err)) > 0) {
		uint64_t key =
			q->o.sort == SPAN_SORT_START ? UINT64_MAX - sp.start_ns
			: q->o.sort == SPAN_SORT_DURATION ? sp.duration_ns
							  : sp.start_ns;

		good = good && is_chosen(&sp) && (!ordered || key <= last);
		last = key;
		n++;
	}
	span_search_close(&s);
	if (q->o.sort >= SPAN_SORT_SPANS)
		return rc == SPAN_E_INVALID;
	s = open_search(q, query, st, &next);
	good = good && !span_search_count(s, &count, &err) && count == n;
	span_search_close(&s);
	return good && rc == 0 && n == at_most(q, n_wanted_spans);
}

/* ---- Stores ---- */

/* Append spans FROM to TO - 1 in frames. */
static void append(struct span_store *st, size_t from, size_t to)
{
	struct span_buf mem = {0};
	struct span_frame *f;
	struct span_writer *w;
	size_t used;

	must(span_frame_open(&f, &err) == 0);
	must(span_writer_open_mem(&w, &mem, &err) == 0);
	for (size_t i = from; i < to; i++)
		must(span_writer_put(w, &spans[i], &err) == 0);
	must(span_writer_flush(w, &err) == 0);
	for (size_t at = 0; at < mem.len; at += used) {
		must(span_frame_parse(f, mem.p + at, mem.len - at, &used,
				      &err) > 0);
		must(span_frame_validate(f, &err) == 0);
		must(span_store_append_frame(st, f, &err) == 0);
	}
	must(span_store_sync(st, &err) == 0);
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&mem);
}

static struct span_store *open_store(const char *name,
				     enum span_store_mode mode)
{
	const struct span_store_opts o = {
		.mode = mode,
		.sync = SPAN_SYNC_NONE,
		.rotate_bytes = 8u << 10,
	};
	struct span_store *st;

	must(span_store_open(&st, name, &o, &err) == 0);
	return st;
}

/* Half of the spans sealed, in segments that traces straddle. */
static struct span_store *fill_directory(struct span_store **appender)
{
	const struct span_seal_opts how = {.all = true, .max_spans = 100};
	struct span_sealed done;
	struct span_store_stat stat;
	struct span_store *st;

	must(mkdtemp(dir) != NULL);
	st = open_store(dir, SPAN_STORE_APPEND);
	for (size_t i = 0; i < N / 2; i += N / 10)
		append(st, i, i + N / 10);
	must(span_store_close(&st, &err) == 0);
	st = open_store(dir, SPAN_STORE_MAINTAIN);
	must(span_store_seal(st, &how, &done, NULL, NULL, &err) == 0);
	must(span_store_close(&st, &err) == 0);
	*appender = open_store(dir, SPAN_STORE_APPEND);
	for (size_t i = N / 2; i < N; i += N / 10) {
		append(*appender, i, i + N / 10);
		if (i == N / 2 + N / 10 * 2)
			ok(make_drafts(dir) > 0,
			   "drafts, one of the active log");
	}
	st = open_store(dir, SPAN_STORE_READ);
	must(span_store_stat(st, &stat, &err) == 0);
	ok(stat.n_segments > 1 && stat.n_files > stat.n_segments + 1,
	   "a store of %d files, %d of them segments", (int)stat.n_files,
	   (int)stat.n_segments);
	return st;
}

/* ---- Questions ---- */

static void make_question(struct rnd *r, struct question *q)
{
	struct span_buf b = {0};

	*q = (struct question){.tree = tr_set(r, (int)rnd_below(r, 4))};
	tr_write(&b, q->tree);
	span_buf_putc(&b, 0);
	q->text = b.p;
	q->sel.expression = b.p;
	if (!rnd_below(r, 4))
		q->sel.since_ns = BASE + rnd_below(r, 40) * 100000000u;
	if (!rnd_below(r, 6))
		q->sel.until_ns = BASE + 4000000000u;
	if (!rnd_below(r, 6))
		q->sel.min_duration_ns = rnd_below(r, 10) * 10000000u;
	q->sel.error = !rnd_below(r, 8);
	q->service = rnd_below(r, 6) ? NULL : "shop";
	if (rnd_below(r, 2)) {
		q->o.sort = (enum span_sort)rnd_below(r, 6);
		q->o.limit = rnd_below(r, 2) ? 1 + rnd_below(r, 12) : 0;
	}
	q->o.window_ns = INT64_MAX; /* nothing is cut */
}

/* Of the three ways one, another one in the next store. */
static bool ask(const struct question *q, const struct span_query *query,
		struct span_store *st, uint64_t way)
{
	static const struct {
		const char *name;
		bool (*ask)(const struct question *, const struct span_query *,
			    struct span_store *);
	} ways[] = {
		{"traces", ask_traces}, {"ids", ask_ids}, {"spans", ask_spans}};

	if (ways[way % 3].ask(q, query, st))
		return true;
	diag("%s: %s; since %d until %d min %d error %d service %s sort %d "
	     "limit %d",
	     ways[way % 3].name, q->text, q->sel.since_ns > 0,
	     q->sel.until_ns > 0, q->sel.min_duration_ns > 0, q->sel.error,
	     q->service ? q->service : "-", (int)q->o.sort, (int)q->o.limit);
	return false;
}

int main(int argc, char **argv)
{
	struct span_store *appender, *stores[3] = {NULL};
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : ROUNDS;
	static const char *const names[] = {"a stream", "memory:", "a store"};
	int bad[3] = {0}, found = 0, some = 0, invalid = 0;
	char command[64];

	make_spans(argc > 2 ? strtoull(argv[2], NULL, 10) : 1);
	put_traces_together();
	stores[1] = open_store("memory:64M", SPAN_STORE_APPEND);
	append(stores[1], 0, N);
	must(span_store_refresh(stores[1], &err) == 0);
	stores[2] = fill_directory(&appender);
	for (uint64_t seed = 0; seed < rounds; seed++) {
		struct span_arena scratch = {0};
		struct rnd r = {seed, &scratch};
		struct span_query *query;
		struct question q;

		make_question(&r, &q);
		q.sel.services = &q.service;
		q.sel.n_services = q.service != NULL;
		if (span_query_compile(&query, &q.sel, &err) < 0) {
			diag("%s: %s", q.text, err.msg);
			invalid++;
		} else {
			q.whole = span_query_needs_trace(query);
			want(&q);
			found += n_wanted > 0;
			some += n_wanted > 0 && n_wanted < N_TRACES;
			for (size_t i = 0; i < 3; i++)
				bad[i] += !ask(&q, query, stores[i], seed + i);
			span_query_close(&query);
		}
		free(q.text);
		span_arena_release(&scratch);
	}
	is_int(invalid, 0, "all expressions are accepted");
	for (size_t i = 0; i < 3; i++)
		is_int(bad[i], 0, "%d expressions in %s", (int)rounds,
		       names[i]);
	ok(found > (int)rounds / 2 && some > (int)rounds / 3,
	   "%d find something, %d not everything", found, some);
	for (size_t i = 0; i < N_TRACES; i++)
		span_trace_builder_release(&traces[i].builder);
	must(span_store_close(&stores[1], &err) == 0);
	must(span_store_close(&stores[2], &err) == 0);
	must(span_store_close(&appender, &err) == 0);
	span_arena_release(&arena);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) ? 1 : done_testing();
}
