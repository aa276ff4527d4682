/* SPDX-License-Identifier: Apache-2.0 */
/* graph_tables.h - the tables of a graph; for lib/graph only */
#ifndef SPAN_GRAPH_TABLES_H
#define SPAN_GRAPH_TABLES_H

#include <span/graph.h>

#include "base/hash.h"
#include "base/slots.h"

#define SPAN__NO_NODE UINT32_MAX

struct span_graph {
	struct span_graph_opts o;
	struct span__key key;
	struct span_arena arena;
	struct span_buf texts, nodes, edges; /* arrays */
	struct span__slots by_text, by_name, by_pair;
	struct span_buf sorted_nodes, sorted_edges, numbers;
	size_t n_buckets; /* of the sketches of all edges */
	struct span_graph_view sums;
	struct span__graph_links *links; /* made when it is needed */
	struct span_buf callers; /* of a trace: who calls another service */
};

static inline struct span_graph_node *
span__graph_node(const struct span_graph *g, uint32_t i)
{
	return (struct span_graph_node *)g->nodes.p + i;
}

static inline struct span_graph_edge *
span__graph_edge(const struct span_graph *g, uint32_t i)
{
	return (struct span_graph_edge *)g->edges.p + i;
}

/*
 * The graph's own copy of S, one for all that have this text: a service with
 * many operations is kept once. 0 or SPAN_E_NOMEM.
 */
int span__graph_keep_text(struct span_graph *g, struct span_str s,
			  struct span_str *out);

/*
 * The number of the node with NAME's service, operation and kind, which is
 * made when it is not there; SPAN__NO_NODE when there are too many. 0 or
 * SPAN_E_NOMEM.
 */
int span__graph_find_node(struct span_graph *g,
			  const struct span_graph_node *name, uint32_t *out);

/*
 * The edge between two nodes, which is made when it is not there; NULL when
 * there are too many, or of their buckets. 0 or SPAN_E_NOMEM.
 */
int span__graph_find_edge(struct span_graph *g, uint32_t from, uint32_t to,
			  uint8_t kind, struct span_graph_edge **out);

/* Calls that are counted together. */
struct span__graph_call {
	uint32_t from, to;
	uint8_t kind;
	bool error;
	uint64_t calls, sum_ns;
	double weight;			     /* of each */
	const struct span_sketch *durations; /* NULL: one, sum_ns */
};
int span__graph_put_call(struct span_graph *g,
			 const struct span__graph_call *c);

/* Spans that are counted together: one of a trace, or a group of a store. */
struct span__graph_group {
	enum span_store_parent parent;
	uint8_t caller_kind, kind;
	bool error, follows;
	uint64_t calls, sum_ns;
	double weight;
	const struct span_sketch *durations; /* NULL: one, sum_ns */
};
/*
 * Count C as spans of node TO, SPAN__NO_NODE: one that is left out. True when
 * its caller is to be told, by put_caller.
 */
bool span__graph_put_group(struct span_graph *g,
			   const struct span__graph_group *c, uint32_t to);
/* Count C as calls from a node, SPAN__NO_NODE too. 0 or SPAN_E_NOMEM. */
int span__graph_put_caller(struct span_graph *g,
			   const struct span__graph_group *c, uint32_t from,
			   uint32_t to);

/* The node, number I, that S is called without having spans, if any. */
int span__graph_put_peer(struct span_graph *g, const struct span *s,
			 uint32_t from);

/* Remember that S is of the node, and count what its links say. */
int span__graph_put_links(struct span_graph *g, const struct span *s,
			  uint32_t node);
/* Count the links whose spans came later than they. */
int span__graph_settle_links(struct span_graph *g);
void span__graph_close_links(struct span__graph_links **l);

#endif
