/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of random streams, counted from rows of spans and from traces that
 * a search puts together: they are equal in everything.
 */
#include <span/graph.h>
#include <span/query.h>

#include "random-span.h"
#include "tap.h"

#define SECOND UINT64_C(1000000000)
#define BASE (UINT64_C(1750000000) * SECOND)
#define STREAMS 60u
#define SPANS 600u

static struct span_error err;

static void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	diag("%s: %s", what, err.msg);
	exit(1);
}

/* What a stream is like, and how it is counted. */
struct stream {
	struct rnd rnd;
	unsigned traces, ids, services, names;
	uint64_t length_ns;
	struct span_buf bytes;
	struct span_graph_opts graph;
	struct span_graph_stream_opts o;
};

static struct span_str word(struct rnd *r, const char *what, unsigned n)
{
	char *p = rnd_alloc(r, 24);
	int len = snprintf(p, 24, "%s %u", what, (unsigned)rnd_below(r, n));

	return (struct span_str){p, (size_t)len};
}

static void set_refs(struct rnd *r, struct span *s)
{
	struct span_ref *ref = rnd_alloc(r, 2 * sizeof(*ref));

	for (size_t i = 0; i < 2; i++) {
		ref[i] = (struct span_ref){.type = (int)rnd_below(r, 3) - 1};
		memcpy(ref[i].trace_id, s->trace_id, 16);
		memcpy(ref[i].span_id, s->parent_id, 8);
		if (!rnd_below(r, 8))
			ref[i].flags = 1;
	}
	s->refs = ref;
	s->n_refs = rnd_below(r, 3);
}

/* Several of them, of which the first with the key counts. */
static void set_attrs(struct rnd *r, struct span *s)
{
	static const struct span_value values[] = {
		{.type = SPAN_BOOL, .b = true},
		{.type = SPAN_BOOL, .b = false},
		{.type = SPAN_STRING, .str = {"true", 4}},
		{.type = SPAN_STRING, .str = {"false", 5}},
		{.type = SPAN_INT, .i = 70000},
		{.type = SPAN_DOUBLE, .d = 0.5},
	};
	struct span_attr *v = rnd_alloc(r, 6 * sizeof(*v));

	for (size_t i = 0; i < 6; i++)
		v[i] = (struct span_attr){rnd_below(r, 4) ? word(r, "key", 9)
							  : SPAN_STR("error"),
					  values[rnd_below(r, 6)]};
	s->attrs = (struct span_attrs){.v = v, .n = rnd_below(r, 7)};
}

static struct span make_span(struct stream *st)
{
	static const struct span_str states[] = {
		{"ot=th:8", 7}, {"ot=th:fd7", 9}, {"vendor=1", 8}};
	struct rnd *r = &st->rnd;
	struct span_process *p = rnd_alloc(r, sizeof(*p));
	struct span s = {
		.trace_id = {1, [15] = (uint8_t)rnd_below(r, st->traces)},
		.span_id = {[7] = (uint8_t)rnd_below(r, st->ids)},
		.parent_id = {[7] = (uint8_t)rnd_below(r, st->ids)},
		.start_ns = BASE + rnd_below(r, st->length_ns),
		.duration_ns = rnd_below(r, SECOND),
		.kind = (uint8_t)rnd_below(r, 6),
		.status = (uint8_t)(rnd_below(r, 4) ? 0 : rnd_below(r, 3)),
		.name = word(r, "operation", st->names),
		.process = p,
	};

	*p = (struct span_process){.service = word(r, "service", st->services)};
	if (!rnd_below(r, 4))
		s.parent_id[7] = 0;
	if (rnd_below(r, 2))
		set_attrs(r, &s);
	if (!rnd_below(r, 3))
		set_refs(r, &s);
	if (!rnd_below(r, 3))
		s.trace_state = states[rnd_below(r, 3)];
	return s;
}

/* Mostly a stream goes on in time, and sometimes a span comes twice. */
static void make_stream(struct stream *st)
{
	struct rnd *r = &st->rnd;
	struct span_writer *w;

	check(span_writer_open_mem(&w, &st->bytes, &err), "writer");
	for (unsigned i = 0; i < SPANS; i++) {
		struct span s = make_span(st);

		if (rnd_below(r, 20))
			s.start_ns = BASE + st->length_ns / SPANS * i;
		check(span_writer_put(w, &s, &err), "put");
		if (!rnd_below(r, 30))
			check(span_writer_put(w, &s, &err), "put");
		if (!rnd_below(r, 50))
			check(span_writer_flush(w, &err), "flush");
	}
	check(span_writer_flush(w, &err), "flush");
	span_writer_close(&w);
}

static struct span_graph *by_rows(const struct stream *st)
{
	struct span_graph_stream *gs;
	struct span_reader *r;
	struct span_graph *g;
	struct span s;
	int rc;

	check(span_graph_open(&g, &st->graph, &err), "graph");
	check(span_graph_stream_open(&gs, g, &st->o, &err), "stream");
	check(span_reader_open_mem(&r, st->bytes.p, st->bytes.len, NULL, &err),
	      "reader");
	while ((rc = span_reader_next_outline(r, &s, &err)) > 0)
		check(span_graph_stream_put(gs, &s, &err), "put");
	check(rc, "read");
	check(span_graph_stream_finish(gs, &err), "finish");
	if (span_graph_stream_cut(gs))
		exit(1);
	span_graph_stream_close(&gs);
	span_reader_close(&r);
	return g;
}

static int next(void *self, struct span *out, struct span_error *e)
{
	return span_reader_next(self, out, e);
}

static void put_trace(struct span_graph *g, const struct stream *st,
		      const struct span_trace *t)
{
	uint8_t *counted = malloc(t->n);

	if (!counted)
		abort();
	for (size_t i = 0; i < t->n; i++)
		counted[i] = t->spans[i].start_ns >= st->o.since_ns &&
			     (!st->o.until_ns ||
			      t->spans[i].start_ns < st->o.until_ns);
	check(span_graph_put(g, t, counted, &err), "graph");
	free(counted);
}

static struct span_graph *by_traces(const struct stream *st)
{
	struct span_search_opts o = {.window_ns = st->o.window_ns,
				     .keep_duplicates = true};
	struct span_select sel = {.since_ns = st->o.since_ns,
				  .until_ns = st->o.until_ns};
	struct span_search *search;
	struct span_query *q;
	struct span_reader *r;
	struct span_graph *g;
	struct span_trace t;
	int rc;

	check(span_graph_open(&g, &st->graph, &err), "graph");
	check(span_query_compile(&q, &sel, &err), "query");
	check(span_reader_open_mem(&r, st->bytes.p, st->bytes.len, NULL, &err),
	      "reader");
	check(span_search_source(&search, (struct span_source){next, r}, q, &o,
				 &err),
	      "search");
	while ((rc = span_search_next(search, &t, NULL, &err)) > 0)
		put_trace(g, st, &t);
	check(rc, "search");
	span_search_close(&search);
	span_query_close(&q);
	span_reader_close(&r);
	return g;
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

static bool equal(struct span_graph *a, struct span_graph *b)
{
	struct span_graph_view v, w;
	bool same;

	check(span_graph_view(a, &v, &err), "view");
	check(span_graph_view(b, &w, &err), "view");
	same = v.n_nodes == w.n_nodes && v.n_edges == w.n_edges &&
	       v.traces == w.traces && v.spans == w.spans &&
	       v.roots == w.roots && v.orphans == w.orphans &&
	       v.left_out == w.left_out;
	for (size_t i = 0; same && i < v.n_nodes; i++) {
		const struct span_graph_node *x = &v.nodes[i], *y = &w.nodes[i];

		same = span_str_equal(x->service, y->service) &&
		       span_str_equal(x->operation, y->operation) &&
		       x->spans == y->spans && x->errors == y->errors &&
		       x->roots == y->roots && x->orphans == y->orphans;
	}
	for (size_t i = 0; same && i < v.n_edges; i++) {
		const struct span_graph_edge *x = &v.edges[i], *y = &w.edges[i];

		same = x->from == y->from && x->to == y->to &&
		       x->kind == y->kind && x->calls == y->calls &&
		       x->errors == y->errors && x->sum_ns == y->sum_ns &&
		       x->weight == y->weight &&
		       x->error_weight == y->error_weight &&
		       same_sketch(&x->durations, &y->durations);
	}
	return same;
}

static void run(uint64_t seed)
{
	struct span_arena arena = {0};
	struct stream st = {.rnd = {seed, &arena}};
	struct rnd *r = &st.rnd;
	struct span_graph *rows, *traces;
	struct span_graph_view v;

	st.traces = 1 + (unsigned)rnd_below(r, 40);
	st.ids = 2 + (unsigned)rnd_below(r, 60);
	st.services = 1 + (unsigned)rnd_below(r, 6);
	st.names = 1 + (unsigned)rnd_below(r, 4);
	st.length_ns = rnd_below(r, 2) ? 5 * SECOND : 300 * SECOND;
	st.o.window_ns = (1 + rnd_below(r, 15)) * SECOND;
	st.graph = (struct span_graph_opts){.by_operation = rnd_below(r, 2),
					    .self_edges = rnd_below(r, 2)};
	if (!rnd_below(r, 3))
		st.o.since_ns = BASE + st.length_ns / 3;
	if (!rnd_below(r, 3))
		st.o.until_ns = BASE + st.length_ns / 3 * 2;
	make_stream(&st);
	rows = by_rows(&st);
	traces = by_traces(&st);
	check(span_graph_view(rows, &v, &err), "view");
	ok(equal(rows, traces),
	   "stream %d: %zu nodes, %zu edges, %d traces, %d roots, %d orphans",
	   (int)seed, v.n_nodes, v.n_edges, (int)v.traces, (int)v.roots,
	   (int)v.orphans);
	span_graph_close(&rows);
	span_graph_close(&traces);
	span_buf_release(&st.bytes);
	span_arena_release(&arena);
}

static struct span_graph *open_graph(bool peers, bool links)
{
	struct span_graph_opts o = {.peers = peers, .links = links};
	struct span_graph *g;

	check(span_graph_open(&g, &o, &err), "graph");
	return g;
}

/* Spans of one trace that has no end, in COUNT different services. */
static struct span_graph *many(unsigned count, uint64_t memory, uint64_t *cut)
{
	struct span_graph_stream_opts o = {.memory = memory};
	struct span_graph *g = open_graph(false, false);
	struct span_graph_stream *gs;
	char text[16];

	check(span_graph_stream_open(&gs, g, &o, &err), "stream");
	for (unsigned i = 0; i < count; i++) {
		struct span_process p = {.service.p = text};
		struct span s = {.trace_id = {1}, .process = &p};

		p.service.len = (size_t)snprintf(text, sizeof(text), "%u", i);
		s.span_id[0] = (uint8_t)(i >> 16);
		s.span_id[1] = (uint8_t)(i >> 8);
		s.span_id[2] = (uint8_t)i;
		s.span_id[7] = 1;
		s.parent_id[7] = i ? 1 : 0;
		check(span_graph_stream_put(gs, &s, &err), "put");
	}
	check(span_graph_stream_finish(gs, &err), "finish");
	*cut = span_graph_stream_cut(gs);
	span_graph_stream_close(&gs);
	return g;
}

static void test_limits(void)
{
	struct span_graph *g = open_graph(true, false);
	struct span_graph_stream *gs;
	struct span_graph_view v;
	uint64_t cut;

	is_int(span_graph_stream_open(&gs, g, NULL, &err), SPAN_E_INVALID,
	       "not for a graph with peers");
	span_graph_close(&g);
	g = open_graph(false, true);
	is_int(span_graph_stream_open(&gs, g, NULL, &err), SPAN_E_INVALID,
	       "nor for one with links");
	span_graph_close(&g);
	g = many(100000, 1 << 20, &cut);
	check(span_graph_view(g, &v, &err), "view");
	ok(cut == 1, "a trace above a quarter of the memory comes in parts");
	is_uint(v.spans, 100000, "of which each span counts");
	span_graph_close(&g);
	g = many(150000, 0, &cut);
	check(span_graph_view(g, &v, &err), "view");
	ok(!cut && v.spans == 150000 && v.n_nodes == SPAN_GRAPH_NODES,
	   "nodes are as many as they may be");
	is_uint(v.left_out, 150000 - SPAN_GRAPH_NODES,
		"the spans of others are left out");
	span_graph_close(&g);
}

/* Whatever has it as its service or operation, a text is kept once. */
static void test_texts(void)
{
	struct span_graph_opts o = {.by_operation = true};
	struct span_graph_stream *gs;
	struct span_graph_view v;
	struct span_graph *g;
	bool once = true;

	check(span_graph_open(&g, &o, &err), "graph");
	check(span_graph_stream_open(&gs, g, NULL, &err), "stream");
	for (uint8_t i = 1; i <= 100; i++) {
		char service[] = "a service", name[] = "a";
		struct span_process p = {.service = SPAN_STR(service)};
		struct span s = {.trace_id = {1},
				 .span_id = {i},
				 .parent_id = {(uint8_t)(i - 1)},
				 .process = &p,
				 .name = SPAN_STR(name)};

		name[0] = (char)('0' + i / 2);
		service[0] = (char)('a' + i % 2);
		check(span_graph_stream_put(gs, &s, &err), "put");
	}
	check(span_graph_stream_finish(gs, &err), "finish");
	span_graph_stream_close(&gs);
	check(span_graph_view(g, &v, &err), "view");
	for (size_t i = 1; i < v.n_nodes; i++)
		once &= v.nodes[i].service.p == v.nodes[i - 1].service.p ||
			!span_str_equal(v.nodes[i].service,
					v.nodes[i - 1].service);
	ok(once && v.n_nodes == 100 && v.n_edges == 99,
	   "a text is kept once for all its nodes");
	span_graph_close(&g);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= STREAMS; seed++)
		run(seed);
	test_limits();
	test_texts();
	return done_testing();
}
