/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/graph.h - who calls whom: the graph of services, or of operations
 *
 * A span whose parent in the trace belongs to another service is a call of
 * its service by that of the parent. What the parent is, span/trace.h says:
 * span ids that a client and a server share are resolved, circles cut. It is
 * counted from traces, or from the calls that a store knows (span/store.h);
 * when the traces keep their duplicates the two agree as far as parents are in
 * the same file of the store. Services and calls are counted in tables of
 * bounded size.
 */
#ifndef SPAN_GRAPH_H
#define SPAN_GRAPH_H

#include <span/sketch.h>
#include <span/store.h>
#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_GRAPH_NODES 65536u	  /* services that are told apart */
#define SPAN_GRAPH_EDGES 1048576u /* and pairs of them */
/* Buckets of sketches, of all edges together, 16 bytes each. */
#define SPAN_GRAPH_BUCKETS 16777216u

enum span_graph_node_kind {
	SPAN_GRAPH_SERVICE = 0,
	/* What has no spans of its own, but is called: see peers below. */
	SPAN_GRAPH_DATABASE,
	SPAN_GRAPH_QUEUE,
	SPAN_GRAPH_EXTERNAL,
};

enum span_graph_edge_kind {
	SPAN_GRAPH_SYNC = 0,
	/*
	 * Nobody waits: the caller is a producer, the called a consumer, or its
	 * one reference is to the parent it names, a FOLLOWS_FROM one without
	 * attributes, trace state or flags.
	 */
	SPAN_GRAPH_ASYNC,
	SPAN_GRAPH_LINK, /* a reference to a span of another trace */
};

struct span_graph_node {
	struct span_str service;
	struct span_str operation; /* of a graph of operations, else empty */
	uint8_t kind;		   /* enum span_graph_node_kind */
	uint64_t spans, errors;	   /* of the node's own spans */
	uint64_t roots;		   /* spans without a parent */
	uint64_t orphans;	   /* spans whose parent is not there */
};

struct span_graph_edge {
	uint32_t from, to; /* indices of nodes: the caller, the called */
	uint8_t kind;	   /* enum span_graph_edge_kind */
	uint64_t calls;
	uint64_t errors; /* calls whose span in TO is an error */
	uint64_t sum_ns; /* of the durations of these, at most UINT64_MAX */
	/*
	 * How many calls and errors there were before sampling, as far as trace
	 * states tell it.
	 */
	double weight, error_weight;
	struct span_sketch durations; /* in ns; the graph's own */
};

/*
 * Nodes sorted by service, operation and kind, edges by their nodes, then by
 * kind.
 */
struct span_graph_view {
	const struct span_graph_node *nodes;
	size_t n_nodes;
	const struct span_graph_edge *edges;
	size_t n_edges;
	uint64_t traces; /* those that were put; a store's calls have none */
	uint64_t spans;
	uint64_t roots, orphans;
	uint64_t left_out;   /* spans beyond the size of the tables */
	uint64_t lost_links; /* to spans that were not seen, or are too many */
};

struct span_graph_opts {
	bool by_operation; /* nodes are operations of services */
	bool self_edges;   /* calls of a node by itself too */
	/*
	 * Databases, queues and other things without spans are nodes, called by
	 * the client and producer spans that have no child in another service
	 * and name one: a database by the tag "db.system" (or ".name"), a queue
	 * by "messaging.system", else "peer.service". Only of traces.
	 */
	bool peers;
	bool links;    /* references to other traces are edges; of traces */
	bool weighted; /* a view's calls and errors are the weights, rounded */
};

struct span_graph;

/* O may be NULL. 0, SPAN_E_NOMEM, or SPAN_E_IO without randomness. */
SPAN_API SPAN_NODISCARD int span_graph_open(struct span_graph **out,
					    const struct span_graph_opts *o,
					    struct span_error *err);

/*
 * Count the spans of T and the calls that they are. COUNTED (NULL: all) has a
 * byte for each span, 0 for those that only help to find parents. 0 or
 * SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_graph_put(struct span_graph *g,
					   const struct span_trace *t,
					   const uint8_t *counted,
					   struct span_error *err);

/*
 * Count a group of calls of a store: span_store_calls() of any range and width
 * calls it with each. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int
span_graph_put_calls(struct span_graph *g, const struct span_store_calls *c,
		     struct span_error *err);

/* What was counted so far, valid until the next call on G. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_graph_view(struct span_graph *g,
					    struct span_graph_view *out,
					    struct span_error *err);

SPAN_API void span_graph_close(struct span_graph **g);

#ifdef __cplusplus
}
#endif
#endif
