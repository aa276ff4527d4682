/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distances from the focus are found by a walk in breadth along the edges, and
 * against them: an edge is wanted when it lies on such a way.
 */
#include "graph/graph_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FAR UINT32_MAX

/* The edges of each node, out of it or into it, as a list of numbers. */
struct lists {
	uint32_t *start, *edge; /* those of node I: edge[start[I]...] */
};

struct work {
	const struct span_graph_view *v;
	uint8_t *keep;	    /* of edges */
	uint32_t *numbers;  /* of nodes, in the result */
	uint32_t *far;	    /* how far a node is from the focus */
	uint32_t *queue;    /* of nodes */
	uint32_t *by_calls; /* edges */
	struct lists lists;
};

static uint32_t end_of(const struct span_graph_edge *e, bool back)
{
	return back ? e->to : e->from;
}

static void list_edges(struct work *w, bool back)
{
	const struct span_graph_view *v = w->v;
	uint32_t *start = w->lists.start;

	memset(start, 0, (v->n_nodes + 2) * sizeof(*start));
	for (size_t i = 0; i < v->n_edges; i++)
		start[end_of(&v->edges[i], back) + 2]++;
	for (size_t i = 2; i < v->n_nodes + 2; i++)
		start[i] += start[i - 1];
	for (uint32_t i = 0; i < v->n_edges; i++)
		w->lists.edge[start[end_of(&v->edges[i], back) + 1]++] = i;
}

/* Mark what is up to DEPTH calls away, in one direction, by 2 in keep[]. */
static bool walk(struct work *w, const struct span_graph_filter *f, bool back)
{
	const struct span_graph_view *v = w->v;
	size_t head = 0, tail = 0;

	list_edges(w, back);
	for (uint32_t i = 0; i < v->n_nodes; i++) {
		bool focus = span_str_equal(v->nodes[i].service, *f->focus);

		w->far[i] = focus ? 0 : FAR;
		if (focus)
			w->queue[tail++] = i;
	}
	while (head < tail) {
		uint32_t n = w->queue[head++];

		if (f->depth && w->far[n] == f->depth)
			continue;
		for (uint32_t k = w->lists.start[n]; k < w->lists.start[n + 1];
		     k++) {
			uint32_t i = w->lists.edge[k];
			uint32_t to = end_of(&v->edges[i], !back);

			if (!w->keep[i])
				continue;
			w->keep[i] |= 2;
			if (w->far[to] != FAR)
				continue;
			w->far[to] = w->far[n] + 1;
			w->queue[tail++] = to;
		}
	}
	return tail;
}

static int by_calls(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct span_graph_edge *edges = arg;

	if (edges[*x].calls != edges[*y].calls)
		return edges[*x].calls > edges[*y].calls ? -1 : 1;
	return *x < *y ? -1 : *x > *y;
}

static void keep_top(struct work *w, size_t top)
{
	size_t n = 0;

	for (uint32_t i = 0; i < w->v->n_edges; i++)
		if (w->keep[i])
			w->by_calls[n++] = i;
	qsort_r(w->by_calls, n, sizeof(*w->by_calls), by_calls,
		(void *)w->v->edges);
	for (size_t i = top; i < n; i++)
		w->keep[w->by_calls[i]] = 0;
}

static void fill(struct work *w, const struct span_graph_filter *f,
		 struct span_graph_node *nodes, struct span_graph_edge *edges,
		 struct span_graph_view *out)
{
	const struct span_graph_view *v = w->v;
	size_t n = 0, n_edges = 0;

	for (uint32_t i = 0; i < v->n_nodes; i++)
		w->numbers[i] = f->focus &&
				span_str_equal(v->nodes[i].service, *f->focus);
	for (size_t i = 0; i < v->n_edges; i++)
		if (w->keep[i])
			w->numbers[v->edges[i].from] =
				w->numbers[v->edges[i].to] = 1;
	for (uint32_t i = 0; i < v->n_nodes; i++) {
		if (!w->numbers[i])
			continue;
		nodes[n] = v->nodes[i];
		w->numbers[i] = (uint32_t)n++;
	}
	for (size_t i = 0; i < v->n_edges; i++) {
		if (!w->keep[i])
			continue;
		edges[n_edges] = v->edges[i];
		edges[n_edges].from = w->numbers[v->edges[i].from];
		edges[n_edges++].to = w->numbers[v->edges[i].to];
	}
	*out = *v;
	out->nodes = nodes;
	out->edges = edges;
	out->n_nodes = n;
	out->n_edges = n_edges;
}

/* Set W's arrays up in SCRATCH, behind those of the result. */
static bool set_up(struct work *w, struct span_buf *scratch)
{
	size_t n = w->v->n_nodes, m = w->v->n_edges;
	size_t words = 4 * n + 2 + 2 * m;
	size_t result = n * sizeof(struct span_graph_node) +
			m * sizeof(struct span_graph_edge);
	char *p;

	scratch->len = 0;
	p = span_buf_reserve(scratch, result + words * sizeof(uint32_t) + m);
	if (!p)
		return false;
	w->numbers = (uint32_t *)(p + result);
	w->far = w->numbers + n;
	w->queue = w->far + n;
	w->lists.start = w->queue + n;
	w->lists.edge = w->lists.start + n + 2;
	w->by_calls = w->lists.edge + m;
	w->keep = (uint8_t *)(w->by_calls + m);
	return true;
}

int span_graph_select(const struct span_graph_view *v,
		      const struct span_graph_filter *f,
		      struct span_buf *scratch, struct span_graph_view *out,
		      struct span_error *err)
{
	struct work w = {.v = v};
	struct span_graph_node *nodes;
	bool found;

	if (!set_up(&w, scratch))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	nodes = (struct span_graph_node *)scratch->p;
	for (size_t i = 0; i < v->n_edges; i++)
		w.keep[i] = v->edges[i].calls >= f->min_calls &&
			    (!f->kinds || f->kinds >> v->edges[i].kind & 1);
	if (f->focus) {
		found = walk(&w, f, false);
		(void)walk(&w, f, true);
		if (!found)
			return span_error_set(err, SPAN_E_NOTFOUND,
					      "no such service in the graph");
		for (size_t i = 0; i < v->n_edges; i++)
			w.keep[i] = w.keep[i] > 1;
	}
	if (f->top)
		keep_top(&w, f->top);
	fill(&w, f, nodes, (struct span_graph_edge *)(nodes + v->n_nodes), out);
	return 0;
}
