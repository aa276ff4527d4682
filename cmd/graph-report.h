/* SPDX-License-Identifier: Apache-2.0 */
/* graph-report.h - what span-graph tells of the shape of a graph */
#ifndef GRAPH_REPORT_H
#define GRAPH_REPORT_H

#include "graph-out.h"

/* As text or JSON: 0 or SPAN_E_NOMEM. */
typedef int graph_report_fn(struct span_buf *b, const struct span_graph_view *g,
			    const struct graph_form *form, bool json,
			    struct span_error *err);

/* Nodes that call each other, or themselves, in a circle; and their calls. */
graph_report_fn graph_report_cycles;
/* Nodes by how many others they have to do with. */
graph_report_fn graph_report_hubs;

#endif
