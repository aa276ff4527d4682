/* SPDX-License-Identifier: Apache-2.0 */
/* graph-paths.h - span-graph --paths */
#ifndef GRAPH_PATHS_H
#define GRAPH_PATHS_H

#include "graph-out.h"

/*
 * Count the paths of what the options and ARGV name, and write them: 0,
 * CMD_NONE when there is none, or a negative code.
 */
SPAN_NODISCARD int graph_paths_run(int argc, char **argv,
				   struct span_error *err);

#endif
