/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results are counted by the shapes of traces as they are one by one: of a
 * store of segments and logs, some with duplicates, damaged parents and traces
 * in parts, against the same spans in memory, which has no shapes.
 */
#include <span/query.h>

#include <unistd.h>

#include "tests/unit/make-drafts.h"
#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define BATCHES 12u /* logs, most of them sealed two by two */
#define SEALED 10u
#define N 150u /* spans of a batch */
#define ROUNDS 600u
#define BASE 1795341600000000000u
#define SECOND 1000000000u
#define TEXT 600u

static struct span_arena arena;
static struct rnd rnd = {11, &arena};
static struct span_error err;
static struct span spans[BATCHES][N];
static char dir[] = "/tmp/t-search-shapes.XXXXXX";

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

#define PICK(list) (list)[rnd_below(&rnd, sizeof(list) / sizeof(*(list)))]

/* ---- Spans ---- */

/* No two alike. */
static void new_id(uint8_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		id[i] = (uint8_t)rnd_next(&rnd);
}

static struct span_value make_value(void)
{
	static const char *const words[] = {"ann", "bob", "5", "redis"};
	static const struct span_value item = {.type = SPAN_INT, {.i = 5}};
	struct span_value v = {.type = SPAN_STRING};

	switch (rnd_below(&rnd, 40)) {
	case 0:
	case 4:
	case 5:
		v.type = SPAN_INT;
		v.i = (int64_t)rnd_below(&rnd, 8);
		return v;
	case 1:
		v.type = SPAN_NULL;
		return v;
	case 2:
		v.type = SPAN_ARRAY;
		v.array.v = &item;
		v.array.n = rnd_below(&rnd, 2);
		return v;
	case 3:
		v.type = SPAN_BOOL;
		v.b = true;
		return v;
	default:
		v.str = span_str(PICK(words));
		return v;
	}
}

static struct span_attrs make_attrs(const char *const *keys, size_t n)
{
	struct span_attr *v = rnd_alloc(&rnd, (n + 1) * sizeof(*v));
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (rnd_below(&rnd, 2))
			v[k++] = (struct span_attr){span_str(keys[i]),
						    make_value()};
	return (struct span_attrs){.v = v, .n = k};
}

/* In the last batches a process may have what else only spans have. */
static const struct span_process *make_process(unsigned batch)
{
	static const char *const services[] = {"shop", "cart", "db"};
	static const char *const keys[] = {"host", "db.system"};
	struct span_process *p = rnd_alloc(&rnd, sizeof(*p));

	*p = (struct span_process){.service = span_str(PICK(services)),
				   .attrs = make_attrs(keys, 1 + (batch > 7))};
	return p;
}

static void make_span(struct span *s, unsigned batch)
{
	static const char *const names[] = {"GET", "SELECT", "work", "a b"};
	static const char *const keys[] = {"user", "db.system", "error"};

	*s = (struct span){
		.process = make_process(batch),
		.start_ns = BASE + batch * SECOND +
			    rnd_below(&rnd, 1000) * 1000000u,
		.duration_ns = rnd_below(&rnd, 20) * 10000000u,
		.name = span_str(PICK(names)),
		.kind = (uint8_t)rnd_below(&rnd, 4),
		.status = (uint8_t)(rnd_below(&rnd, 4) % 3),
		.attrs = make_attrs(keys, 2 + !rnd_below(&rnd, 4)),
	};
}

/*
 * A trace at the N spans V, in batch BATCH: a tree, with a parent that is not
 * there now and then.
 */
static void make_trace(struct span *v, size_t n, unsigned batch)
{
	uint8_t id[16];

	new_id(id, 16);
	for (size_t i = 0; i < n; i++) {
		make_span(&v[i], batch);
		memcpy(v[i].trace_id, id, 16);
		new_id(v[i].span_id, 8);
		if (i && rnd_below(&rnd, 8))
			memcpy(v[i].parent_id,
			       v[rnd_below(&rnd, 2) ? i - 1
						    : rnd_below(&rnd, i)]
				       .span_id,
			       8);
		else if (!rnd_below(&rnd, 20))
			new_id(v[i].parent_id, 8);
	}
	/* Some batches have duplicates, or ids that two spans share. */
	for (size_t i = 1; i < n && batch % 5 == 4; i++) {
		if (!rnd_below(&rnd, 30))
			v[i] = v[i - 1];
		else if (!rnd_below(&rnd, 30))
			memcpy(v[i].span_id, v[i - 1].span_id, 8);
	}
}

static void make_spans(void)
{
	for (unsigned b = 0; b < BATCHES; b++) {
		for (size_t i = 0, n; i < N; i += n) {
			n = 1 + rnd_below(&rnd, 12);
			if (n > N - i)
				n = N - i;
			make_trace(&spans[b][i], n, b);
		}
	}
	/* Some spans come with another batch. */
	for (unsigned k = 0; k < 30; k++) {
		struct span *a =
			&spans[rnd_below(&rnd, BATCHES)][rnd_below(&rnd, N)];
		struct span *b =
			&spans[rnd_below(&rnd, BATCHES)][rnd_below(&rnd, N)];
		struct span s = *a;

		*a = *b;
		*b = s;
	}
}

/* ---- Stores ---- */

static struct span_store *open_store(const char *name,
				     enum span_store_mode mode)
{
	const struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	must(span_store_open(&st, name, &o, &err) == 0);
	return st;
}

static void append(struct span_store *st, const struct span *v)
{
	struct span_buf mem = {0};
	struct span_frame *f;
	struct span_writer *w;
	size_t used;

	must(span_frame_open(&f, &err) == 0);
	must(span_writer_open_mem(&w, &mem, &err) == 0);
	for (size_t i = 0; i < N; i++)
		must(span_writer_put(w, &v[i], &err) == 0);
	must(span_writer_flush(w, &err) == 0);
	for (size_t at = 0; at < mem.len; at += used) {
		must(span_frame_parse(f, mem.p + at, mem.len - at, &used,
				      &err) > 0);
		must(span_store_append_frame(st, f, &err) == 0);
	}
	must(span_store_sync(st, &err) == 0);
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&mem);
}

static struct span_store *fill_directory(void)
{
	const struct span_seal_opts how = {.all = true, .max_spans = 2 * N};
	struct span_sealed done;
	struct span_store_stat stat;
	struct span_store *st;

	must(mkdtemp(dir) != NULL);
	for (unsigned b = 0; b < BATCHES; b++) {
		if (b == SEALED) {
			st = open_store(dir, SPAN_STORE_MAINTAIN);
			must(span_store_seal(st, &how, &done, NULL, NULL,
					     &err) == 0);
			must(span_store_close(&st, &err) == 0);
		}
		st = open_store(dir, SPAN_STORE_APPEND);
		append(st, spans[b]);
		must(span_store_close(&st, &err) == 0);
	}
	is_uint(make_drafts(dir), BATCHES - SEALED, "drafts");
	st = open_store(dir, SPAN_STORE_READ);
	must(span_store_stat(st, &stat, &err) == 0);
	is_uint(stat.n_drafts, BATCHES - SEALED, "drafts that fit");
	is_uint(stat.n_segments, SEALED / 2, "segments");
	is_uint(stat.n_files - stat.n_segments, BATCHES - SEALED, "logs");
	return st;
}

/* ---- Expressions ---- */

struct text {
	char p[TEXT];
	size_t len;
};

static void put(struct text *t, const char *s)
{
	t->len += (size_t)snprintf(t->p + t->len, TEXT - t->len, "%s", s);
	if (t->len >= TEXT)
		abort();
}

/* TOLD: only what keys and types of values decide. */
static void put_cond(struct text *t, int depth, bool told)
{
	static const char *const conds[] = {
		"status = error",
		"status != ok",
		"kind = server",
		"kind != client",
		"name = \"SELECT\"",
		"name =~ \"[GS].*\"",
		"resource.service.name = \"shop\"",
		"service != \"cart\"",
		".absent = 5",
		"span.absent != nil",
		/* of some types only */
		".db.system != nil",
		".user = nil",
		"span.user != nil",
		"span.db.system = nil",
		/* of few */
		".user = \"ann\"",
		"span.user > 3",
		".db.system =~ \"re.*\"",
	};

	switch (depth ? rnd_below(&rnd, 4) : 3) {
	case 0:
		put(t, "(");
		put_cond(t, depth - 1, told);
		put(t, rnd_below(&rnd, 2) ? " && " : " || ");
		put_cond(t, depth - 1, told);
		put(t, ")");
		break;
	case 1:
		put(t, "!(");
		put_cond(t, depth - 1, told);
		put(t, ")");
		break;
	default:
		put(t, conds[rnd_below(&rnd, told ? 14 : 17)]);
	}
}

static void put_filter(struct text *t, bool told)
{
	put(t, "{ ");
	if (rnd_below(&rnd, 8))
		put_cond(t, 2, told);
	put(t, " }");
}

static void put_stages(struct text *t, bool told)
{
	static const char *const stages[] = {
		" | count() > 1",	" | count() < 3",
		" | count() = 2",	" | coalesce()",
		" | by(span:parentID)", " | select(name)",
		" | 2 * count() >= 4",
	};

	for (uint64_t n = 1 + rnd_below(&rnd, 3); n; n--) {
		if (rnd_below(&rnd, 4)) {
			put(t, PICK(stages));
			continue;
		}
		put(t, " | ");
		put_filter(t, told);
	}
}

static void put_set(struct text *t, int depth, bool told)
{
	static const char *const ops[] = {
		" > ",	" < ",	" >> ",	 " << ",  " ~ ",   " && ",
		" || ", " !> ", " !< ",	 " !>> ", " !<< ", " !~ ",
		" &> ", " &< ", " &>> ", " &<< ", " &~ ",
	};

	switch (depth ? rnd_below(&rnd, 4) : 3) {
	case 0:
	case 1:
		put_set(t, depth - 1, told);
		put(t, PICK(ops));
		put_set(t, depth - 1, told);
		break;
	case 2:
		put(t, "(");
		put_set(t, depth - 1, told);
		put_stages(t, told);
		put(t, ")");
		break;
	default:
		put_filter(t, told);
	}
}

/* ---- Asking ---- */

struct counts {
	uint64_t traces, spans;
};

/* With so little memory that traces are not all fetched in some batches. */
static const struct span_search_opts little = {.memory = 256u << 10};

static struct counts count(struct span_store *st, const struct span_query *q,
			   const struct span_search_opts *o)
{
	struct span_search *s;
	struct counts n;

	must(span_search_store(&s, st, q, o, &err) == 0);
	must(span_search_count_traces(s, &n.traces, &err) == 0);
	span_search_close(&s);
	must(span_search_store(&s, st, q, o, &err) == 0);
	must(span_search_count(s, &n.spans, &err) == 0);
	span_search_close(&s);
	return n;
}

static uint64_t shapes_asked(const struct span_store *st)
{
	struct span_store_work w;

	span_store_work(st, &w);
	return w.n_shapes;
}

/* Ask both stores. False when they differ. */
static bool ask(struct span_store *store, struct span_store *memory,
		const char *text, const struct span_search_opts *o,
		struct counts *want)
{
	const struct span_select sel = {
		.expression = text,
		.since_ns = rnd_below(&rnd, 3)
				    ? 0
				    : BASE + rnd_below(&rnd, 12) * SECOND,
		.until_ns =
			rnd_below(&rnd, 3)
				? 0
				: BASE + (12 + rnd_below(&rnd, 12)) * SECOND,
	};
	struct span_query *q;
	struct counts got;

	if (span_query_compile(&q, &sel, &err) < 0) {
		diag("%s: %s", text, err.msg);
		return false;
	}
	got = count(store, q, o);
	*want = count(memory, q, NULL);
	span_query_close(&q);
	if (got.traces == want->traces && got.spans == want->spans)
		return true;
	diag("%s: %" PRIu64 " traces and %" PRIu64 " spans, want %" PRIu64
	     " and %" PRIu64,
	     text, got.traces, got.spans, want->traces, want->spans);
	return false;
}

static void test_random(struct span_store *store, struct span_store *memory)
{
	unsigned bad = 0, found = 0, some = 0, asked = 0;

	for (unsigned i = 0; i < ROUNDS && bad < 5; i++) {
		uint64_t before = shapes_asked(store);
		struct text t = {.len = 0};
		struct counts n = {0};

		put_set(&t, 3, i % 3 != 0);
		if (rnd_below(&rnd, 2))
			put_stages(&t, i % 3 != 0);
		bad += !ask(store, memory, t.p, i % 2 ? &little : NULL, &n);
		found += n.traces > 0;
		some += n.traces && n.spans < BATCHES * N / 2;
		asked += shapes_asked(store) > before;
	}
	is_uint(bad, 0, "%u expressions count the same", ROUNDS);
	ok(found > ROUNDS / 3 && some > ROUNDS / 4,
	   "%u find something, %u not most of it", found, some);
	/* Of others no trace has all that they need. */
	ok(asked > ROUNDS / 3, "of %u shapes were asked", asked);
}

static void test_told(struct span_store *store)
{
	static const struct {
		const char *text;
		bool told;
	} tests[] = {
		{"{ status = error } >> { .db.system != nil }", true},
		{"{ kind = server } > { service = \"db\" }", true},
		{"{ .db.system != nil } | by(span:parentID) | count() > 1",
		 true},
		{"{ status = error } | count() > 3", true},
		{"{ status = error } >> { duration > 10ms }", false},
		{"{ status = error } | avg(duration) > 10ms", false},
		{"{} | by(name) | count() > 2", false},
		{"{ parent.name = \"GET\" }", false},
		{"{ event:name = \"x\" } | count() > 1", false},
		{"{ resource.host = \"ann\" } > {}", false},
		{"{ traceDuration > 1s } > {}", false},
	};

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		const struct span_select sel = {.expression = tests[i].text};
		uint64_t before = shapes_asked(store);
		struct span_query *q;

		must(span_query_compile(&q, &sel, &err) == 0);
		count(store, q, NULL);
		is_int(shapes_asked(store) > before, tests[i].told, "%s",
		       tests[i].text);
		span_query_close(&q);
	}
}

int main(void)
{
	struct span_store *store, *memory;
	char command[64];

	make_spans();
	store = fill_directory();
	memory = open_store("memory:64M", SPAN_STORE_APPEND);
	for (unsigned b = 0; b < BATCHES; b++)
		append(memory, spans[b]);
	must(span_store_refresh(memory, &err) == 0);
	test_random(store, memory);
	test_told(store);
	must(span_store_close(&store, &err) == 0);
	must(span_store_close(&memory, &err) == 0);
	span_arena_release(&arena);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) ? 1 : done_testing();
}
