/* SPDX-License-Identifier: Apache-2.0 */
/* graph-out.h - the forms in which span-graph writes a graph */
#ifndef GRAPH_OUT_H
#define GRAPH_OUT_H

#include "cmd.h"

#include <span/graph.h>

/* Where the output goes, a piece at a time; opened with the first one. */
struct graph_sink {
	bool is_open;
	int fd, rc; /* RC: how it failed, or 0 */
	struct span_error *err;
};

/* What a graph is of, beside what it has. */
struct graph_form {
	bool operations; /* nodes are operations */
	bool peers;	 /* and things that have no spans */
	struct graph_sink *sink;
};

typedef void graph_out_fn(struct span_buf *b, const struct span_graph_view *g,
			  const struct graph_form *form);

graph_out_fn graph_out_csv, graph_out_cytoscape, graph_out_dot,
	graph_out_grafana, graph_out_graphml, graph_out_jaeger, graph_out_json,
	graph_out_matrix, graph_out_mermaid, graph_out_prometheus;

/*
 * Between nodes and edges: write what B has when that is much, so that the
 * output never is in memory as a whole. False when it failed, and no more is of
 * use.
 */
bool graph_drain(struct span_buf *b, const struct graph_form *form);
/* Write B, the end of the output. 0 or a negative code. */
SPAN_NODISCARD int graph_finish(struct span_buf *b, struct graph_sink *to);
/* Write B, which is all of it. */
SPAN_NODISCARD int graph_write(struct span_buf *b, bool binary,
			       struct span_error *err);

/*
 * Warn of what is not in V, and show its counts when they are wanted: BEFORE
 * ("" or "FILE: ") stands before them. SINCE is when reading began.
 */
void graph_tell(const char *before, const struct span_graph_view *v,
		const struct span_graph_opts *o, uint64_t since);

#define GRAPH_MATRIX_NODES 2048u /* that a matrix can have */

/* ---- what they share ---- */

#define GRAPH_QUANTILES 3u
extern const char *const graph_quantile_names[GRAPH_QUANTILES]; /* "p50" */
uint64_t graph_quantile_ns(const struct span_graph_edge *e, size_t i);
uint64_t graph_mean_ns(const struct span_graph_edge *e);

const char *graph_edge_kind(const struct span_graph_edge *e);
const char *graph_node_kind(const struct span_graph_node *n);

/* Red from 10 % of errors on, orange from 3 %, amber from 0.1 %. */
const char *graph_colour(uint64_t errors, uint64_t of);
/* Of a line: one more for each factor of ten. */
double graph_width(uint64_t calls);

/* A name as it stands in a picture, with its unsafe characters visible. */
void graph_label(struct span_buf *b, struct span_str name);
/* A node in a line of text: its service, operation, and kind. */
void graph_name(struct span_buf *b, const struct span_graph_node *n);
/* "113 calls, 1 error" */
void graph_counts(struct span_buf *b, const char *what, uint64_t n,
		  uint64_t errors);
/* All figures of an edge, for people. */
void graph_figures(struct span_buf *b, const struct span_graph_edge *e);

/*
 * End a line of text, which is in B from AT on: it is broken, best where
 * something else begins, so that it fits the terminal, or 80 columns; what
 * continues it stands behind INDENT spaces.
 */
void graph_end_line(struct span_buf *b, size_t at, size_t indent);

/* ,"NAME":N and ,"NAME":"TEXT" */
void graph_json_number(struct span_buf *b, const char *name, uint64_t n);
void graph_json_text(struct span_buf *b, const char *name, struct span_str s);
/* ,"calls":... of an edge, up to the mean. */
void graph_json_figures(struct span_buf *b, const struct span_graph_edge *e);
/* "parent":..., all there is of an edge, with the brace that ends it. */
void graph_json_edge(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_edge *e,
		     const struct graph_form *form);

#endif
