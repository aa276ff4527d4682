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

/*
 * The same from a stream, without putting its traces together: what is kept of
 * a span until its trace is complete are 48 bytes. Complete is what
 * span/query.h says of a search of a source; the counts are those of
 * span_graph_put() with traces that keep their duplicates. Where there are more
 * names than nodes can have it may be other ones that are left out. Not for
 * graphs with peers or links.
 */
struct span_graph_stream;
struct span_graph_stream_opts {
	uint64_t window_ns; /* 0: 10 s */
	uint64_t memory;    /* bytes for spans of traces, 0: 64 MiB */
	/* Spans that start in [since, until) count; until 0: no end. */
	uint64_t since_ns, until_ns;
};

/* G is borrowed until close. 0, SPAN_E_INVALID, _NOMEM, or _IO. */
SPAN_API SPAN_NODISCARD int
span_graph_stream_open(struct span_graph_stream **out, struct span_graph *g,
		       const struct span_graph_stream_opts *o,
		       struct span_error *err);
/* Of S span_frame_outline() is enough. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_graph_stream_put(struct span_graph_stream *gs,
						  const struct span *s,
						  struct span_error *err);
/* Count what is not complete, too: there is no more. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int
span_graph_stream_finish(struct span_graph_stream *gs, struct span_error *err);
/* Traces that came in parts for want of memory. */
SPAN_API uint64_t span_graph_stream_cut(const struct span_graph_stream *gs);
SPAN_API void span_graph_stream_close(struct span_graph_stream **gs);

/* What was counted so far, valid until the next call on G. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_graph_view(struct span_graph *g,
					    struct span_graph_view *out,
					    struct span_error *err);

#define SPAN_GRAPH_SAVED_MAX (256u << 20) /* bytes of a saved graph */

/*
 * Append all that was counted to OUT, as span-graph(1) describes it, for
 * span_graph_load(). Links that wait for their spans are lost. 0, SPAN_E_NOMEM,
 * or SPAN_E_LIMIT.
 */
SPAN_API SPAN_NODISCARD int span_graph_save(struct span_graph *g,
					    struct span_buf *out,
					    struct span_error *err);

/*
 * Add the saved graph that begins at P, of at most LEN bytes, to G: the result
 * is that of counting all at once. *USED is its length. A graph that has
 * nothing yet takes the options with which it was counted, but for weighted.
 *
 * 0; SPAN_E_TRUNCATED, SPAN_E_CORRUPT, SPAN_E_FORMAT, with the offset in
 * err->pos; SPAN_E_INVALID when it was counted with other options;
 * SPAN_E_NOMEM. After an error G is only good for closing.
 */
SPAN_API SPAN_NODISCARD int span_graph_load(struct span_graph *g, const void *p,
					    size_t len, size_t *used,
					    struct span_error *err);

/* With what G counts. */
SPAN_API const struct span_graph_opts *
span_graph_options(const struct span_graph *g);

SPAN_API void span_graph_close(struct span_graph **g);

/* Which part of a graph is wanted; zero means not set. */
struct span_graph_filter {
	/* Who calls this service, directly or not, and who it calls. */
	const struct span_str *focus;
	unsigned depth;	    /* how many calls away from it at most */
	size_t top;	    /* edges: those with the most calls */
	uint64_t min_calls; /* of an edge */
	unsigned kinds;	    /* bits 1 << enum span_graph_edge_kind */
};

/*
 * The part of V that F wants, into *OUT, whose arrays are in SCRATCH and whose
 * sums are those of V. Nodes without an edge are left out, but for the focus.
 * 0, SPAN_E_NOTFOUND when no node is of the focus, or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_graph_select(const struct span_graph_view *v,
					      const struct span_graph_filter *f,
					      struct span_buf *scratch,
					      struct span_graph_view *out,
					      struct span_error *err);

/*
 * The number of the strongly connected component of each node, from 0, into
 * COMPONENT, and how many there are into *N: nodes are in one when calls lead
 * from each to each other. Nothing recurses. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int
span_graph_components(const struct span_graph_view *v, uint32_t *component,
		      size_t *n, struct span_error *err);

/* What is between a node and others; edges to itself do not count. */
struct span_graph_hub {
	uint32_t node;
	uint32_t callers, called; /* different nodes */
	uint64_t calls_in, calls_out;
};
/* One for each node of V, most neighbours first, then by node. */
SPAN_API void span_graph_hubs(const struct span_graph_view *v,
			      struct span_graph_hub *out);

enum span_graph_change_kind {
	SPAN_GRAPH_ADDED = 1 << 0,
	SPAN_GRAPH_REMOVED = 1 << 1,
	SPAN_GRAPH_MORE_ERRORS = 1 << 2, /* their share; or fewer */
	SPAN_GRAPH_FEWER_ERRORS = 1 << 3,
	SPAN_GRAPH_SLOWER = 1 << 4, /* the p95 */
	SPAN_GRAPH_FASTER = 1 << 5,
	SPAN_GRAPH_MORE_CALLS = 1 << 6,
	SPAN_GRAPH_FEWER_CALLS = 1 << 7,
};

/* How far two graphs may differ. */
struct span_graph_tolerance {
	double errors;	    /* of their share, 0.01: one in a hundred */
	double latency;	    /* of the p95, in parts of the old one */
	double calls;	    /* in parts of the old ones; below 0: any */
	uint64_t min_calls; /* edges with fewer before and after are alike */
};

struct span_graph_change {
	const struct span_graph_node *from, *to;
	const struct span_graph_edge *before, *after; /* one may be NULL */
	unsigned what; /* enum span_graph_change_kind; 0: as it was */
};

/*
 * Compare two graphs of one kind: struct span_graph_change for each edge of
 * either that has the calls, in order of names, into OUT. They point into both
 * views. Returns how many edges changed, or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int64_t
span_graph_diff(const struct span_graph_view *before,
		const struct span_graph_view *after,
		const struct span_graph_tolerance *t, struct span_buf *out,
		struct span_error *err);

/*
 * The ways that calls take through a service: from a span without a parent, or
 * whose parent is missing, to one that calls no other service, as the services
 * that were called on it, or with the operations by which they were.
 */
#define SPAN_PATHS_STEPS 64u	/* of a path; longer ones end there */
#define SPAN_PATHS_MAX 1048576u /* different beginnings of paths */

struct span_path_step {
	struct span_str service, operation; /* operation: may be empty */
};
struct span_path {
	const struct span_path_step *steps;
	size_t n;
	uint64_t calls, traces; /* that took it */
	uint8_t trace_id[16];	/* the first of these */
};

struct span_paths;

/* FOCUS is copied. 0, SPAN_E_NOMEM, or SPAN_E_IO without randomness. */
SPAN_API SPAN_NODISCARD int span_paths_open(struct span_paths **out,
					    struct span_str focus,
					    bool by_operation,
					    struct span_error *err);
/* Count the paths of T. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_paths_put(struct span_paths *p,
					   const struct span_trace *t,
					   struct span_error *err);
/*
 * The next path, those with the most calls first, then by name: 1, 0 after the
 * last one, or SPAN_E_NOMEM. Nothing may be put any more. *OUT is valid until
 * the next call.
 */
SPAN_API SPAN_NODISCARD int span_paths_next(struct span_paths *p,
					    struct span_path *out,
					    struct span_error *err);
/* Spans beyond the limits. */
SPAN_API uint64_t span_paths_left_out(const struct span_paths *p);
SPAN_API void span_paths_close(struct span_paths **p);

#ifdef __cplusplus
}
#endif
#endif
