/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two tables with open addressing: names to nodes, pairs of nodes to edges.
 * Both only grow, up to the limits of the header. Their order is that of
 * arrival; a view sorts copies.
 */
#include <span/graph.h>

#include "base/hash.h"
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_BITS 6u
#define NO_NODE UINT32_MAX

/* Slots hold a number plus one; 0 is free. */
struct table {
	uint32_t *slots;
	unsigned bits;
	size_t n;
};

struct span_graph {
	struct span_graph_opts o;
	struct span__key key;
	struct span_arena names;
	struct table by_name, by_pair;
	struct span_buf nodes, edges; /* arrays */
	struct span_buf sorted_nodes, sorted_edges, numbers;
	size_t n_buckets; /* of the sketches of all edges */
	struct span_graph_view sums;
};

static struct span_graph_node *node(const struct span_graph *g, uint32_t i)
{
	return (struct span_graph_node *)g->nodes.p + i;
}

static struct span_graph_edge *edge(const struct span_graph *g, uint32_t i)
{
	return (struct span_graph_edge *)g->edges.p + i;
}

static uint64_t hash_pair(const struct span_graph *g,
			  const struct span_graph_edge *e)
{
	uint32_t words[3] = {e->from, e->to, e->async};

	return span__hash(&g->key, words, sizeof(words));
}

static uint64_t hash_entry(const struct span_graph *g, const struct table *t,
			   uint32_t i)
{
	return t == &g->by_name ? span__hash_str(&g->key, node(g, i)->service)
				: hash_pair(g, edge(g, i));
}

/* Room for one more at half full at most: 0 or SPAN_E_NOMEM. */
static int grow(struct span_graph *g, struct table *t)
{
	unsigned bits = t->slots ? t->bits + 1 : FIRST_BITS;
	uint32_t *slots, mask = (1u << bits) - 1;

	if (t->slots && 2 * (t->n + 1) <= (size_t)1 << t->bits)
		return 0;
	slots = calloc((size_t)mask + 1, sizeof(*slots));
	if (!slots)
		return SPAN_E_NOMEM;
	free(t->slots);
	t->slots = slots;
	t->bits = bits;
	for (uint32_t i = 0; i < t->n; i++) {
		uint64_t at = hash_entry(g, t, i);

		while (slots[at & mask])
			at++;
		slots[at & mask] = i + 1;
	}
	return 0;
}

static void *append(struct span_buf *array, size_t size)
{
	char *p = span_buf_reserve(array, size);

	if (!p)
		return NULL;
	array->len += size;
	return memset(p, 0, size);
}

/* The number of the node called NAME, NO_NODE when there are too many. */
static int find_node(struct span_graph *g, struct span_str name, uint32_t *out)
{
	struct table *t = &g->by_name;
	uint64_t at = span__hash_str(&g->key, name);
	struct span_graph_node *new;
	uint32_t mask, slot;

	if (grow(g, t) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = slot - 1;
		if (span_str_equal(node(g, *out)->service, name))
			return 0;
	}
	*out = NO_NODE;
	if (t->n == SPAN_GRAPH_NODES)
		return 0;
	new = append(&g->nodes, sizeof(*new));
	if (!new || !span_arena_str(&g->names, name, &new->service))
		return SPAN_E_NOMEM;
	*out = (uint32_t)t->n++;
	t->slots[at & mask] = *out + 1;
	return 0;
}

static int find_edge(struct span_graph *g, uint32_t from, uint32_t to,
		     bool async, struct span_graph_edge **out)
{
	struct table *t = &g->by_pair;
	struct span_graph_edge key = {.from = from, .to = to, .async = async};
	uint64_t at = hash_pair(g, &key);
	uint32_t mask, slot;

	if (grow(g, t) < 0)
		return SPAN_E_NOMEM;
	mask = (1u << t->bits) - 1;
	for (; (slot = t->slots[at & mask]); at++) {
		*out = edge(g, slot - 1);
		if ((*out)->from == from && (*out)->to == to &&
		    (*out)->async == async)
			return 0;
	}
	*out = NULL;
	if (t->n == SPAN_GRAPH_EDGES)
		return 0;
	*out = append(&g->edges, sizeof(**out));
	if (!*out)
		return SPAN_E_NOMEM;
	**out = key;
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
	span_arena_release(&g->names);
	for (uint32_t i = 0; i < g->by_pair.n; i++)
		span_sketch_release(&edge(g, i)->durations);
	free(g->by_name.slots);
	free(g->by_pair.slots);
	span_buf_release(&g->nodes);
	span_buf_release(&g->edges);
	span_buf_release(&g->sorted_nodes);
	span_buf_release(&g->sorted_edges);
	span_buf_release(&g->numbers);
	free(g);
	*gp = NULL;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Spans that are counted together: one of a trace, or a group of a store. */
struct group {
	enum span_store_parent parent;
	struct span_str caller, service; /* CALLER: SPAN_PARENT_KNOWN */
	uint8_t caller_kind, kind;
	bool error, follows;
	uint64_t calls, sum_ns;
	const struct span_sketch *durations; /* NULL: one, sum_ns */
};

static bool is_async(const struct group *c)
{
	return c->follows || c->caller_kind == SPAN_KIND_PRODUCER ||
	       c->kind == SPAN_KIND_CONSUMER;
}

static int add_durations(struct span_graph *g, struct span_sketch *to,
			 const struct group *c)
{
	size_t before = to->n;
	int rc = c->durations ? span_sketch_merge(to, c->durations, NULL)
			      : span_sketch_put(to, c->sum_ns, 1, NULL);

	g->n_buckets += to->n - before;
	return rc;
}

static int put_call(struct span_graph *g, const struct group *c, uint32_t to)
{
	struct span_graph_edge *e = NULL;
	uint32_t from;
	int rc = find_node(g, c->caller, &from);

	if (rc < 0 || (from == to && !g->o.self_edges))
		return rc;
	if (from != NO_NODE && g->n_buckets < SPAN_GRAPH_BUCKETS)
		rc = find_edge(g, from, to, is_async(c), &e);
	if (rc < 0)
		return rc;
	if (!e) {
		g->sums.left_out += c->calls;
		return 0;
	}
	e->calls += c->calls;
	e->errors += c->error ? c->calls : 0;
	e->sum_ns = add(e->sum_ns, c->sum_ns);
	return add_durations(g, &e->durations, c);
}

static int put_group(struct span_graph *g, const struct group *c)
{
	uint64_t roots = c->parent == SPAN_PARENT_NONE ? c->calls : 0;
	uint64_t orphans = c->parent == SPAN_PARENT_ABSENT ? c->calls : 0;
	struct span_graph_node *n;
	uint32_t to;
	int rc = find_node(g, c->service, &to);

	if (rc < 0)
		return rc;
	g->sums.spans += c->calls;
	g->sums.roots += roots;
	g->sums.orphans += orphans;
	if (to == NO_NODE) {
		g->sums.left_out += c->calls;
		return 0;
	}
	n = node(g, to);
	n->spans += c->calls;
	n->errors += c->error ? c->calls : 0;
	n->roots += roots;
	n->orphans += orphans;
	return c->parent == SPAN_PARENT_KNOWN ? put_call(g, c, to) : 0;
}

static int put_span(struct span_graph *g, const struct span_trace *t,
		    uint32_t i)
{
	const struct span_trace_node *place = &t->nodes[i];
	const struct span *s = &t->spans[i];
	struct group c = {
		.service = s->process->service,
		.kind = s->kind,
		.error = span_is_error(s),
		.follows = span__follows(s),
		.calls = 1,
		.sum_ns = s->duration_ns,
	};

	if (place->flags & SPAN_TRACE_ORPHAN) {
		c.parent = SPAN_PARENT_ABSENT;
	} else if (place->parent != SPAN_TRACE_NONE) {
		const struct span *caller = &t->spans[place->parent];

		c.parent = SPAN_PARENT_KNOWN;
		c.caller = caller->process->service;
		c.caller_kind = caller->kind;
	}
	return put_group(g, &c);
}

int span_graph_put(struct span_graph *g, const struct span_trace *t,
		   const uint8_t *counted, struct span_error *err)
{
	for (uint32_t i = 0; i < t->n; i++)
		if ((!counted || counted[i]) && put_span(g, t, i) < 0)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
	g->sums.traces++;
	return 0;
}

int span_graph_put_calls(struct span_graph *g, const struct span_store_calls *c,
			 struct span_error *err)
{
	struct group group = {
		.parent = c->parent,
		.caller = c->parent_service,
		.caller_kind = c->parent_kind,
		.service = c->service,
		.kind = c->kind,
		.error = c->error,
		.follows = c->follows,
		.calls = c->calls,
		.sum_ns = c->sum_ns,
		.durations = c->sketch,
	};

	if (put_group(g, &group) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct span_graph_node *const *x = a, *const *y = b;

	return span_str_compare((*x)->service, (*y)->service);
}

static int compare_edges(const void *a, const void *b)
{
	const struct span_graph_edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->async - y->async;
}

int span_graph_view(struct span_graph *g, struct span_graph_view *out,
		    struct span_error *err)
{
	size_t n = g->by_name.n, n_edges = g->by_pair.n;
	const struct span_graph_node **order;
	struct span_graph_node *nodes;
	struct span_graph_edge *edges;
	uint32_t *numbers;

	g->sorted_nodes.len = g->sorted_edges.len = g->numbers.len = 0;
	order = append(&g->numbers, n * (sizeof(*order) + sizeof(*numbers)));
	nodes = append(&g->sorted_nodes, n * sizeof(*nodes));
	edges = append(&g->sorted_edges, n_edges * sizeof(*edges));
	if (!order || !nodes || !edges)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	numbers = (uint32_t *)(order + n);
	for (uint32_t i = 0; i < n; i++)
		order[i] = node(g, i);
	qsort(order, n, sizeof(*order), compare_nodes);
	for (uint32_t i = 0; i < n; i++) {
		nodes[i] = *order[i];
		numbers[order[i] - node(g, 0)] = i;
	}
	for (uint32_t i = 0; i < n_edges; i++) {
		edges[i] = *edge(g, i);
		edges[i].from = numbers[edges[i].from];
		edges[i].to = numbers[edges[i].to];
	}
	qsort(edges, n_edges, sizeof(*edges), compare_edges);
	*out = g->sums;
	out->nodes = nodes;
	out->n_nodes = n;
	out->edges = edges;
	out->n_edges = n_edges;
	return 0;
}
