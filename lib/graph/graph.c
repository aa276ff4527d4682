/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three tables with open addressing: texts to the copies that are kept of them,
 * names to nodes, pairs of nodes to edges. They only grow, up to the limits of
 * the header. Their order is that of arrival; a view sorts copies.
 */
#include "graph/graph_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Numbers of 32 bits by secret ones of 64 each: few pairs meet by design. */
static uint64_t hash_pair(const struct span_graph *g, uint32_t from,
			  uint32_t to, uint8_t kind)
{
	uint64_t k[4];

	memcpy(k, g->key.secret, sizeof(k));
	return (k[0] + from * k[1] + to * k[2] + kind * k[3]) >> 32;
}

static uint64_t hash_name(const struct span_graph *g,
			  const struct span_graph_node *n)
{
	uint64_t h = span__hash_str(&g->key, n->service) + n->kind;

	if (n->operation.len)
		h = h * 31 + span__hash_str(&g->key, n->operation);
	return h;
}

static struct span_str *text_at(const struct span_graph *g, uint32_t i)
{
	return (struct span_str *)g->texts.p + i;
}

static uint64_t hash_entry(const void *graph, const struct span__slots *t,
			   uint32_t i)
{
	const struct span_graph *g = graph;
	const struct span_graph_edge *e;

	if (t == &g->by_text)
		return span__hash_str(&g->key, *text_at(g, i));
	if (t == &g->by_name)
		return hash_name(g, span__graph_node(g, i));
	e = span__graph_edge(g, i);
	return hash_pair(g, e->from, e->to, e->kind);
}

int span__graph_keep_text(struct span_graph *g, struct span_str s,
			  struct span_str *out)
{
	struct span__slots *t = &g->by_text;
	uint64_t at = span__hash_str(&g->key, s);
	struct span_str *new;
	uint32_t mask, slot;

	if (span__slots_grow(t, hash_entry, g) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = *text_at(g, slot - 1);
		if (span_str_equal(*out, s))
			return 0;
	}
	if (!span_arena_str(&g->arena, s, out))
		return SPAN_E_NOMEM;
	new = span__append_zeros(&g->texts, sizeof(*new));
	if (!new)
		return SPAN_E_NOMEM;
	*new = *out;
	t->slots[at & mask] = ++t->n;
	return 0;
}

static bool same_name(const struct span_graph_node *a,
		      const struct span_graph_node *b)
{
	return a->kind == b->kind && span_str_equal(a->service, b->service) &&
	       span_str_equal(a->operation, b->operation);
}

int span__graph_find_node(struct span_graph *g,
			  const struct span_graph_node *name, uint32_t *out)
{
	struct span__slots *t = &g->by_name;
	uint64_t at = hash_name(g, name);
	struct span_graph_node new = {.kind = name->kind};
	uint32_t mask, slot;

	if (span__slots_grow(t, hash_entry, g) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (same_name(span__graph_node(g, *out), name))
			return 0;
	}
	*out = SPAN__NO_NODE;
	if (t->n == SPAN_GRAPH_NODES)
		return 0;
	if (span__graph_keep_text(g, name->service, &new.service) < 0 ||
	    span__graph_keep_text(g, name->operation, &new.operation) < 0)
		return SPAN_E_NOMEM;
	span_buf_put(&g->nodes, &new, sizeof(new));
	if (g->nodes.failed)
		return SPAN_E_NOMEM;
	*out = t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

int span__graph_find_edge(struct span_graph *g, uint32_t from, uint32_t to,
			  uint8_t kind, struct span_graph_edge **out)
{
	struct span__slots *t = &g->by_pair;
	uint64_t at = hash_pair(g, from, to, kind);
	uint32_t mask, slot;

	*out = NULL;
	if (g->n_buckets >= SPAN_GRAPH_BUCKETS)
		return 0;
	if (span__slots_grow(t, hash_entry, g) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = span__graph_edge(g, slot - 1);
		if ((*out)->from == from && (*out)->to == to &&
		    (*out)->kind == kind)
			return 0;
	}
	*out = NULL;
	if (t->n == SPAN_GRAPH_EDGES)
		return 0;
	*out = span__append_zeros(&g->edges, sizeof(**out));
	if (!*out)
		return SPAN_E_NOMEM;
	(*out)->from = from;
	(*out)->to = to;
	(*out)->kind = kind;
	t->slots[at & mask] = (uint32_t)++t->n;
	return 0;
}

int span_graph_open(struct span_graph **out, const struct span_graph_opts *o,
		    struct span_error *err)
{
	struct span_graph *g = calloc(1, sizeof(*g));
	int rc;

	*out = NULL;
	if (!g)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (o)
		g->o = *o;
	rc = span__key_init(&g->key, err);
	if (rc < 0)
		span_graph_close(&g);
	*out = g;
	return rc;
}

void span_graph_close(struct span_graph **gp)
{
	struct span_graph *g = *gp;

	if (!g)
		return;
	span_arena_release(&g->arena);
	for (uint32_t i = 0; i < g->by_pair.n; i++)
		span_sketch_release(&span__graph_edge(g, i)->durations);
	free(g->by_text.slots);
	free(g->by_name.slots);
	free(g->by_pair.slots);
	span_buf_release(&g->texts);
	span_buf_release(&g->nodes);
	span_buf_release(&g->edges);
	span_buf_release(&g->sorted_nodes);
	span_buf_release(&g->sorted_edges);
	span_buf_release(&g->numbers);
	span_buf_release(&g->callers);
	span__graph_close_links(&g->links);
	free(g);
	*gp = NULL;
}

const struct span_graph_opts *span_graph_options(const struct span_graph *g)
{
	return &g->o;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct span_graph_node *const *x = a, *const *y = b;
	int order = span_str_compare((*x)->service, (*y)->service);

	if (!order)
		order = span_str_compare((*x)->operation, (*y)->operation);
	return order ? order : (*x)->kind - (*y)->kind;
}

static int compare_edges(const void *a, const void *b)
{
	const struct span_graph_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->kind - y->kind;
}

static uint64_t rounded(double n)
{
	return n < 9e18 ? (uint64_t)(n + 0.5) : UINT64_C(9000000000000000000);
}

static void fill_edges(const struct span_graph *g, const uint32_t *numbers,
		       struct span_graph_edge *edges, size_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		edges[i] = *span__graph_edge(g, i);
		edges[i].from = numbers[edges[i].from];
		edges[i].to = numbers[edges[i].to];
		if (!g->o.weighted)
			continue;
		edges[i].calls = rounded(edges[i].weight);
		edges[i].errors = rounded(edges[i].error_weight);
	}
}

int span_graph_view(struct span_graph *g, struct span_graph_view *out,
		    struct span_error *err)
{
	const struct span_graph_node **order;
	struct span_graph_node *nodes;
	struct span_graph_edge *edges;
	uint32_t *numbers;
	size_t n, n_edges;

	if (span__graph_settle_links(g) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	n = g->by_name.n;
	n_edges = g->by_pair.n;
	g->sorted_nodes.len = g->sorted_edges.len = g->numbers.len = 0;
	order = span__append_zeros(&g->numbers,
				   n * (sizeof(*order) + sizeof(*numbers)));
	nodes = span__append_zeros(&g->sorted_nodes, n * sizeof(*nodes));
	edges = span__append_zeros(&g->sorted_edges, n_edges * sizeof(*edges));
	if (!order || !nodes || !edges)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	numbers = (uint32_t *)(order + n);
	for (uint32_t i = 0; i < n; i++)
		order[i] = span__graph_node(g, i);
	qsort(order, n, sizeof(*order), compare_nodes);
	for (uint32_t i = 0; i < n; i++) {
		nodes[i] = *order[i];
		numbers[order[i] - span__graph_node(g, 0)] = i;
	}
	fill_edges(g, numbers, edges, n_edges);
	qsort(edges, n_edges, sizeof(*edges), compare_edges);
	*out = g->sums;
	out->nodes = nodes;
	out->n_nodes = n;
	out->edges = edges;
	out->n_edges = n_edges;
	return 0;
}
