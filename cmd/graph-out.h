/* SPDX-License-Identifier: Apache-2.0 */
/* graph-out.h - the forms in which span-graph writes a graph */
#ifndef GRAPH_OUT_H
#define GRAPH_OUT_H

#include "cmd.h"

#include <span/graph.h>

typedef void graph_out_fn(struct span_buf *b, const struct span_graph_view *g);

graph_out_fn graph_out_dot, graph_out_json, graph_out_csv;

#endif
