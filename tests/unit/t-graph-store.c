/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph that a store's calls give, against that of its traces, put
 * together here from all spans. Traces lie in several files of the store;
 * what is only looked for within one (an id that spans share, a circle) is
 * made in one.
 */
#include <span/graph.h>

#include <unistd.h>

#include "random-span.h"
#include "tap.h"

#define SECOND UINT64_C(1000000000)
#define BASE (UINT64_C(29000000) * 60 * SECOND)
#define TRACES 40u
#define SPANS 300u /* of a file */
#define FILES 7u
#define LENGTH (10 * SECOND) /* of what one file has */

struct item {
	struct span s;
	uint32_t file;
};

struct store {
	char dir[64];
	struct span_arena arena;
	struct rnd rnd;
	struct item *v;
	size_t n;
	uint64_t last_id;
	struct span_store *live; /* the appender, while its log is open */
};

static struct span_error err;

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	diag("%s: %s", what, err.msg);
	exit(1);
}

static void set_id(uint8_t id[8], uint64_t n)
{
	for (int i = 8; i-- > 0; n >>= 8)
		id[i] = (uint8_t)n;
}

/* One that is there: in its own file, or with ANY in any. */
static const struct item *any_of(struct store *t, const struct item *like,
				 bool any)
{
	for (unsigned tries = 0; tries < 200; tries++) {
		const struct item *it = &t->v[rnd_below(&t->rnd, t->n)];

		if (!memcmp(it->s.trace_id, like->s.trace_id, 16) &&
		    (any || it->file == like->file))
			return it;
	}
	return NULL;
}

static void set_parent(struct store *t, struct item *it)
{
	const struct item *parent = t->n ? any_of(t, it, true) : NULL;

	switch (rnd_below(&t->rnd, 12)) {
	case 0:
		return;
	case 1: /* its own */
		memcpy(it->s.parent_id, it->s.span_id, 8);
		return;
	case 2: /* one that never comes */
		set_id(it->s.parent_id, UINT64_MAX - t->last_id);
		return;
	default:
		if (parent)
			memcpy(it->s.parent_id, parent->s.span_id, 8);
	}
}

/* Share an id in the same file, or close a circle in it; or neither. */
static void entangle(struct store *t, struct item *it)
{
	const struct item *other = t->n ? any_of(t, it, false) : NULL;

	if (!other)
		return;
	switch (rnd_below(&t->rnd, 10)) {
	case 0: /* a server takes over the id of its client */
		it->s.kind = SPAN_KIND_SERVER;
		t->v[other - t->v].s.kind = SPAN_KIND_CLIENT;
		memcpy(it->s.span_id, other->s.span_id, 8);
		memcpy(it->s.parent_id, other->s.parent_id, 8);
		return;
	case 1: /* any two */
		memcpy(it->s.span_id, other->s.span_id, 8);
		return;
	case 2:
		memcpy(it->s.parent_id, other->s.span_id, 8);
		memcpy(t->v[other - t->v].s.parent_id, it->s.span_id, 8);
		return;
	default:
		return;
	}
}

static void set_ref(struct rnd *r, struct span *s)
{
	struct span_ref *ref = rnd_alloc(r, sizeof(*ref));

	*ref = (struct span_ref){.type = (int32_t)rnd_below(r, 2)};
	memcpy(ref->trace_id, s->trace_id, 16);
	memcpy(ref->span_id, s->parent_id, 8);
	s->refs = ref;
	s->n_refs = rnd_below(r, 2);
}

static void make_span(struct store *t, uint32_t file)
{
	static const char *const services[] = {"web", "cart", "mail", "db"};
	struct rnd *r = &t->rnd;
	struct span_process *process = rnd_alloc(r, sizeof(*process));
	struct item it = {.file = file, .s = {.process = process}};
	struct span *s = &it.s;

	*process = (struct span_process){
		.service = span_str(services[rnd_below(r, 4)])};
	s->name = span_str(services[rnd_below(r, 4)]);
	s->kind = (uint8_t)rnd_below(r, 6);
	s->status = rnd_below(r, 8) ? 0 : SPAN_STATUS_ERROR;
	s->trace_id[15] = (uint8_t)rnd_below(r, TRACES);
	set_id(s->span_id, ++t->last_id);
	s->start_ns = BASE + file * LENGTH + rnd_below(r, LENGTH);
	s->duration_ns = rnd_next(r) % SECOND >> rnd_below(r, 30);
	set_parent(t, &it);
	entangle(t, &it);
	set_ref(r, s);
	t->v[t->n++] = it;
}

/* References say who the parent is, which entangle() may change later. */
static void fix_refs(struct store *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct span *s = &t->v[i].s;

		if (s->n_refs)
			memcpy(((struct span_ref *)(uintptr_t)s->refs)->span_id,
			       s->parent_id, 8);
	}
}

/* Some come twice. */
static void add_duplicates(struct store *t, size_t from)
{
	size_t n = t->n;

	for (size_t i = from; i < n; i++)
		if (!rnd_below(&t->rnd, 15))
			t->v[t->n++] = t->v[i];
}

static void append(struct store *t, size_t from)
{
	struct span_buf bytes = {0};
	struct span_writer *w;
	struct span_reader *r;
	struct span_frame *f;
	int rc;

	check(span_writer_open_mem(&w, &bytes, &err), "writer");
	for (size_t i = from; i < t->n; i++)
		check(span_writer_put(w, &t->v[i].s, &err), "put");
	check(span_writer_flush(w, &err), "flush");
	span_writer_close(&w);
	check(span_reader_open_mem(&r, bytes.p, bytes.len, NULL, &err), "read");
	while ((rc = span_reader_next_frame(r, &f, &err)) > 0) {
		check(span_frame_validate(f, &err), "validate");
		check(span_store_append_frame(t->live, f, &err), "append");
	}
	check(rc, "frame");
	check(span_store_sync(t->live, &err), "sync");
	span_reader_close(&r);
	span_buf_release(&bytes);
}

static struct span_store *open_store(const struct store *t,
				     enum span_store_mode mode)
{
	struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	check(span_store_open(&st, t->dir, &o, &err), "open");
	return st;
}

static void seal(struct store *t)
{
	struct span_seal_opts o = {.all = true, .codec = "none"};
	struct span_sealed sealed;
	struct span_store *st = open_store(t, SPAN_STORE_MAINTAIN);

	check(span_store_seal(st, &o, &sealed, NULL, NULL, &err), "seal");
	check(span_store_close(&st, &err), "close");
}

/* A store's file, with the spans from number FROM on. */
static void add_log(struct store *t, size_t from, bool stays_open)
{
	t->live = open_store(t, SPAN_STORE_APPEND);
	append(t, from);
	if (!stays_open)
		check(span_store_close(&t->live, &err), "close");
}

/*
 * A log for each number: 's' seals what is closed after it, 'o' leaves the
 * last one open.
 */
static void init_store(struct store *t, uint64_t seed)
{
	*t = (struct store){.rnd = {seed, &t->arena}};
	snprintf(t->dir, sizeof(t->dir), "t-graph-store.%d", (int)getpid());
	t->v = calloc(2 * SPANS * FILES, sizeof(*t->v));
	if (!t->v)
		abort();
}

static void make_store(struct store *t, const char *layout, uint64_t seed)
{
	init_store(t, seed);
	for (uint32_t file = 0; *layout; layout++) {
		size_t from = t->n;

		if (*layout == 's')
			seal(t);
		if (*layout == 's' || *layout == 'o')
			continue;
		for (unsigned i = 0; i < SPANS; i++)
			make_span(t, file);
		add_duplicates(t, from);
		fix_refs(t);
		add_log(t, from, layout[1] == 'o');
		file++;
	}
}

static void remove_store(struct store *t)
{
	char command[100];

	check(span_store_close(&t->live, &err), "close");
	snprintf(command, sizeof(command), "rm -rf %s", t->dir);
	if (system(command))
		abort();
	span_arena_release(&t->arena);
	free(t->v);
}

/* ---- two ways ---- */

static bool in_time(const struct span *s,
		    const struct span_store_calls_range *r)
{
	return s->start_ns >= r->since_ns &&
	       (!r->until_ns || s->start_ns < r->until_ns);
}

static void put_trace(struct span_graph *g, const struct store *t,
		      uint8_t number, const struct span_store_calls_range *r)
{
	struct span_trace_builder b = {.keep_duplicates = true};
	struct span_trace trace;
	uint8_t *counted;

	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].s.trace_id[15] == number)
			check(span_trace_builder_put(&b, &t->v[i].s, &err),
			      "put");
	if (!b.spans.len)
		return;
	check(span_trace_builder_build(&b, &trace, &err), "build");
	counted = calloc(trace.n, 1);
	for (size_t i = 0; i < trace.n; i++)
		counted[i] = in_time(&trace.spans[i], r);
	check(span_graph_put(g, &trace, counted, &err), "graph");
	free(counted);
	span_trace_builder_release(&b);
}

static int put_calls(void *graph, const struct span_store_calls *c,
		     struct span_error *e)
{
	return span_graph_put_calls(graph, c, e);
}

static bool same_sketch(const struct span_sketch *a,
			const struct span_sketch *b)
{
	bool same = a->n == b->n && a->count == b->count;

	for (size_t i = 0; same && i < a->n; i++)
		same = a->v[i].bucket == b->v[i].bucket &&
		       a->v[i].count == b->v[i].count;
	return same;
}

static bool same_node(const struct span_graph_node *a,
		      const struct span_graph_node *b)
{
	return span_str_equal(a->service, b->service) && a->spans == b->spans &&
	       a->errors == b->errors && a->roots == b->roots &&
	       a->orphans == b->orphans;
}

static bool same_edge(const struct span_graph_edge *a,
		      const struct span_graph_edge *b)
{
	return a->from == b->from && a->to == b->to && a->async == b->async &&
	       a->calls == b->calls && a->errors == b->errors &&
	       a->sum_ns == b->sum_ns &&
	       same_sketch(&a->durations, &b->durations);
}

static bool same_view(const struct span_graph_view *a,
		      const struct span_graph_view *b)
{
	bool same = a->n_nodes == b->n_nodes && a->n_edges == b->n_edges &&
		    a->spans == b->spans && a->roots == b->roots &&
		    a->orphans == b->orphans && !a->left_out && !b->left_out;

	for (size_t i = 0; same && i < a->n_nodes; i++)
		same = same_node(&a->nodes[i], &b->nodes[i]);
	for (size_t i = 0; same && i < a->n_edges; i++)
		same = same_edge(&a->edges[i], &b->edges[i]);
	return same;
}

struct graphs {
	struct span_graph *of_store, *of_traces;
	struct span_graph_view got, want;
};

static struct graphs both(const struct store *t,
			  const struct span_store_calls_range *r)
{
	struct span_graph_opts o = {.self_edges = true};
	struct span_store *st = open_store(t, SPAN_STORE_READ);
	struct graphs b;

	check(span_graph_open(&b.of_store, &o, &err), "graph");
	check(span_graph_open(&b.of_traces, &o, &err), "graph");
	check(span_store_calls(st, r, put_calls, b.of_store, &err), "calls");
	for (unsigned i = 0; i < TRACES; i++)
		put_trace(b.of_traces, t, (uint8_t)i, r);
	check(span_graph_view(b.of_store, &b.got, &err), "view");
	check(span_graph_view(b.of_traces, &b.want, &err), "view");
	check(span_store_close(&st, &err), "close");
	return b;
}

static void release(struct graphs *b)
{
	span_graph_close(&b->of_store);
	span_graph_close(&b->of_traces);
}

static void compare(const struct store *t, const char *layout,
		    const struct span_store_calls_range *r)
{
	struct graphs b = both(t, r);

	ok(same_view(&b.got, &b.want),
	   "%s, %" PRIu64 " s to %" PRIu64 " s: the graph of %" PRIu64
	   " spans, %" PRIu64 " orphans",
	   layout, r->since_ns ? (r->since_ns - BASE) / SECOND : 0,
	   r->until_ns ? (r->until_ns - BASE) / SECOND : 0, b.want.spans,
	   b.want.orphans);
	release(&b);
}

/*
 * What span-graph(1) names as differences: two spans in one log, or in two,
 * and what they are called by. A service is a letter.
 */
struct apart {
	const char *name;
	struct {
		unsigned file, id, parent, kind, start_s;
		const char *service;
	} v[4];
	/* from, to, and how many orphans, of the store and of the trace */
	const char *of_store, *of_trace;
};

static const struct apart aparts[] = {
	{"a parent is looked for in what is a minute away",
	 {{0, 1, 0, 0, 0, "a"}, {1, 2, 1, 0, 60, "b"}},
	 "a>b 0",
	 "a>b 0"},
	{"a parent is not looked for in what is more than a minute away",
	 {{0, 1, 0, 0, 0, "a"}, {1, 2, 1, 0, 62, "b"}},
	 "1",
	 "a>b 0"},
	{"a circle in one file is cut",
	 {{0, 1, 2, 0, 0, "a"}, {0, 2, 1, 0, 1, "b"}},
	 "a>b 0",
	 "a>b 0"},
	{"a circle through two files is not cut",
	 {{0, 1, 2, 0, 0, "a"}, {1, 2, 1, 0, 1, "b"}},
	 "a>b b>a 0",
	 "a>b 0"},
	{"a server is called by a client with its id in its file",
	 {{0, 1, 0, 0, 0, "a"},
	  {0, 2, 1, SPAN_KIND_CLIENT, 1, "b"},
	  {0, 2, 1, SPAN_KIND_SERVER, 2, "c"}},
	 "a>b b>c 0",
	 "a>b b>c 0"},
	{"else by the parent that it names, in the same file if it is there",
	 {{1, 1, 0, 0, 0, "a"},
	  {0, 2, 1, SPAN_KIND_CLIENT, 1, "b"},
	  {1, 2, 1, SPAN_KIND_SERVER, 2, "c"}},
	 "a>b a>c 0",
	 "a>b b>c 0"},
};

static void print_graph(const struct span_graph_view *v, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_edges && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%c>%c ",
				      *v->nodes[v->edges[i].from].service.p,
				      *v->nodes[v->edges[i].to].service.p);
	if (n < size)
		snprintf(out + n, size - n, "%" PRIu64, v->orphans);
}

static void run_apart(const struct apart *a)
{
	static const struct span_store_calls_range all;
	struct span_process processes[4];
	char got[64], want[64];
	struct graphs b;
	struct store t;

	init_store(&t, 1);
	for (unsigned file = 0; file < 2; file++) {
		size_t from = t.n;

		for (size_t i = 0; i < 4 && a->v[i].id; i++) {
			struct item it = {.file = file};

			if (a->v[i].file != file)
				continue;
			processes[i] = (struct span_process){
				.service = span_str(a->v[i].service)};
			it.s.process = &processes[i];
			it.s.kind = (uint8_t)a->v[i].kind;
			it.s.start_ns = BASE + a->v[i].start_s * SECOND;
			it.s.duration_ns = SECOND / 2;
			set_id(it.s.span_id, a->v[i].id);
			set_id(it.s.parent_id, a->v[i].parent);
			t.v[t.n++] = it;
		}
		if (t.n > from)
			add_log(&t, from, false);
	}
	b = both(&t, &all);
	print_graph(&b.got, got, sizeof(got));
	print_graph(&b.want, want, sizeof(want));
	ok(!strcmp(got, a->of_store) && !strcmp(want, a->of_trace),
	   "%s: %s, %s", a->name, got, want);
	release(&b);
	remove_store(&t);
}

int main(void)
{
	static const char *const layouts[] = {
		"1",	"1o",	  "123",      "123o",	  "12s",
		"12s3", "12s34s", "1s2s3s4o", "12s34567", "12s34s56s7o",
	};
	static const struct span_store_calls_range ranges[] = {
		{0, 0, 0},
		{BASE + 13 * SECOND, 0, 0},
		{0, BASE + 31 * SECOND, 0},
		{BASE + 17 * SECOND, BASE + 55 * SECOND + 1, 0},
		{BASE + 60 * SECOND, BASE + 120 * SECOND, 0},
		{BASE + 5 * SECOND, BASE + 5 * SECOND, 0},
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		struct store t;

		make_store(&t, layouts[i], i + 1);
		for (size_t k = 0; k < sizeof(ranges) / sizeof(*ranges); k++)
			compare(&t, layouts[i], &ranges[k]);
		remove_store(&t);
	}
	for (size_t i = 0; i < sizeof(aparts) / sizeof(*aparts); i++)
		run_apart(&aparts[i]);
	return done_testing();
}
