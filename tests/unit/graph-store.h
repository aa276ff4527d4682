/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph-store.h - a store, and its graph from its calls and from its traces
 */
#ifndef GRAPH_STORE_H
#define GRAPH_STORE_H

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

static inline void check(int rc, const char *what)
{
	if (rc >= 0)
		return;
	diag("%s: %s", what, err.msg);
	exit(1);
}

static inline void set_id(uint8_t id[8], uint64_t n)
{
	for (int i = 8; i-- > 0; n >>= 8)
		id[i] = (uint8_t)n;
}

static inline void append(struct store *t, size_t from)
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

static inline struct span_store *open_store(const struct store *t,
					    enum span_store_mode mode)
{
	struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	check(span_store_open(&st, t->dir, &o, &err), "open");
	return st;
}

/* A store's file, with the spans from number FROM on. */
static inline void add_log(struct store *t, size_t from, bool stays_open)
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
static inline void init_store(struct store *t, uint64_t seed)
{
	*t = (struct store){.rnd = {seed, &t->arena}};
	snprintf(t->dir, sizeof(t->dir), "t-graph-store.%d", (int)getpid());
	t->v = calloc(2 * SPANS * FILES, sizeof(*t->v));
	if (!t->v)
		abort();
}

static inline void remove_store(struct store *t)
{
	char command[100];

	check(span_store_close(&t->live, &err), "close");
	snprintf(command, sizeof(command), "rm -rf %s", t->dir);
	if (system(command))
		abort();
	span_arena_release(&t->arena);
	free(t->v);
}

static inline bool in_time(const struct span *s,
			   const struct span_store_calls_range *r)
{
	return s->start_ns >= r->since_ns &&
	       (!r->until_ns || s->start_ns < r->until_ns);
}

static inline void put_trace(struct span_graph *g, const struct store *t,
			     uint8_t number,
			     const struct span_store_calls_range *r)
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

static inline int put_calls(void *graph, const struct span_store_calls *c,
			    struct span_error *e)
{
	return span_graph_put_calls(graph, c, e);
}

struct graphs {
	struct span_graph *of_store, *of_traces;
	struct span_graph_view got, want;
};

static inline struct graphs both(const struct store *t,
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

static inline void release(struct graphs *b)
{
	span_graph_close(&b->of_store);
	span_graph_close(&b->of_traces);
}

#endif
