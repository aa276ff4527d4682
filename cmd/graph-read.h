/* SPDX-License-Identifier: Apache-2.0 */
/* graph-read.h - where span-graph gets a graph from */
#ifndef GRAPH_READ_H
#define GRAPH_READ_H

#include <span/graph.h>

#include "cmd_source.h"

/* Count what the source has, that the options and ARGV name. */
SPAN_NODISCARD int graph_read_source(struct span_graph *g, int argc,
				     char **argv, struct span_error *err);
/* Count the paths of what it has, and its traces into *TRACES. */
SPAN_NODISCARD int graph_read_paths(struct span_paths *p, int argc, char **argv,
				    uint64_t *traces, struct span_error *err);
/* Add the saved graphs of FILE, "-" is standard input. */
SPAN_NODISCARD int graph_read_saved(struct span_graph *g, const char *file,
				    struct span_error *err);
/* Does FILE, or "-", begin like a saved graph, or is no regular file? */
bool graph_read_is_saved(const char *file);
/*
 * Make V the part of it that --focus, --top, MIN_CALLS and others want; its
 * arrays are in SCRATCH. SPAN_E_NOTFOUND when the focus is not there.
 */
SPAN_NODISCARD int graph_read_part(struct span_graph_view *v,
				   uint64_t min_calls, struct span_buf *scratch,
				   struct span_error *err);

#endif
