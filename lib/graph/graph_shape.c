/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cycles, by Tarjan's algorithm with a stack of its own; edges are sorted by
 * their callers, so that those of a node lie together. And hubs.
 */
#include "graph/graph_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define NONE UINT32_MAX

struct visit {
	uint32_t index, low; /* index NONE: not yet */
	uint32_t edge;	     /* the next one to follow */
};

struct tarjan {
	const struct span_graph_view *v;
	struct visit *visits;
	uint32_t *stack, *path; /* of nodes: open ones; how they were reached */
	uint32_t *component;	/* NONE: open, or not yet */
	size_t n_stack, n_path, n_components;
	uint32_t next_index;
};

static void enter(struct tarjan *t, uint32_t n)
{
	struct visit *at = &t->visits[n];

	at->index = at->low = t->next_index++;
	t->stack[t->n_stack++] = n;
	t->path[t->n_path++] = n;
}

/* All edges of N were followed. */
static void leave(struct tarjan *t, uint32_t n)
{
	struct visit *at = &t->visits[n];
	uint32_t top;

	t->n_path--;
	if (t->n_path) {
		struct visit *up = &t->visits[t->path[t->n_path - 1]];

		if (at->low < up->low)
			up->low = at->low;
	}
	if (at->low != at->index)
		return;
	do {
		top = t->stack[--t->n_stack];
		t->component[top] = (uint32_t)t->n_components;
	} while (top != n);
	t->n_components++;
}

static void step(struct tarjan *t, uint32_t n)
{
	struct visit *at = &t->visits[n];
	uint32_t to;

	if (at->edge == t->v->n_edges || t->v->edges[at->edge].from != n) {
		leave(t, n);
		return;
	}
	to = t->v->edges[at->edge++].to;
	if (t->visits[to].index == NONE)
		enter(t, to);
	else if (t->component[to] == NONE && t->visits[to].index < at->low)
		at->low = t->visits[to].index;
}

int span_graph_components(const struct span_graph_view *v, uint32_t *component,
			  size_t *n, struct span_error *err)
{
	struct tarjan t = {.v = v, .component = component};
	size_t each = sizeof(*t.visits) + 2 * sizeof(*t.stack);

	t.visits = malloc((v->n_nodes + 1) * each);
	if (!t.visits)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	t.stack = (uint32_t *)(t.visits + v->n_nodes);
	t.path = t.stack + v->n_nodes;
	for (uint32_t i = 0, edge = 0; i < v->n_nodes; i++) {
		t.visits[i] = (struct visit){.index = NONE, .edge = edge};
		component[i] = NONE;
		while (edge < v->n_edges && v->edges[edge].from == i)
			edge++;
	}
	for (uint32_t i = 0; i < v->n_nodes; i++) {
		if (t.visits[i].index != NONE)
			continue;
		enter(&t, i);
		while (t.n_path)
			step(&t, t.path[t.n_path - 1]);
	}
	*n = t.n_components;
	free(t.visits);
	return 0;
}

static int compare_hubs(const void *a, const void *b)
{
	const struct span_graph_hub *x = a, *y = b;
	uint64_t n = (uint64_t)x->callers + x->called;
	uint64_t m = (uint64_t)y->callers + y->called;

	if (n != m)
		return n > m ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

void span_graph_hubs(const struct span_graph_view *v,
		     struct span_graph_hub *out)
{
	for (uint32_t i = 0; i < v->n_nodes; i++)
		out[i] = (struct span_graph_hub){.node = i};
	for (size_t i = 0; i < v->n_edges; i++) {
		const struct span_graph_edge *e = &v->edges[i];
		bool first = !i || e[-1].from != e->from || e[-1].to != e->to;

		if (e->from == e->to)
			continue;
		out[e->from].called += first;
		out[e->to].callers += first;
		out[e->from].calls_out += e->calls;
		out[e->to].calls_in += e->calls;
	}
	if (v->n_nodes)
		qsort(out, v->n_nodes, sizeof(*out), compare_hubs);
}
