/* SPDX-License-Identifier: Apache-2.0 */
/* graph-compare.h - span-graph --diff */
#ifndef GRAPH_COMPARE_H
#define GRAPH_COMPARE_H

#include <span/graph.h>

#include "cmd.h"

/*
 * Count what the two FILEs have, the first one into the empty OLD, and write
 * the difference: 0, CMD_NONE when something got worse, or a negative code.
 */
SPAN_NODISCARD int graph_compare(struct span_graph *old, char **files,
				 struct span_error *err);

#endif
