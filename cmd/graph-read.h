/* SPDX-License-Identifier: Apache-2.0 */
/* graph-read.h - where span-graph gets a graph from */
#ifndef GRAPH_READ_H
#define GRAPH_READ_H

#include <span/graph.h>

#include "cmd_source.h"

/* Count what the source has, that the options and ARGV name. */
SPAN_NODISCARD int graph_read_source(struct span_graph *g, int argc,
				     char **argv, struct span_error *err);
/* Count the paths of what it has. */
SPAN_NODISCARD int graph_read_paths(struct span_paths *p, int argc, char **argv,
				    struct span_error *err);
/* Add the saved graphs of FILE, "-" is standard input. */
SPAN_NODISCARD int graph_read_saved(struct span_graph *g, const char *file,
				    struct span_error *err);
/* Does FILE begin like a saved graph, or cannot be looked at beforehand? */
bool graph_read_is_saved(const char *file);

#endif
