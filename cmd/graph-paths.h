/* SPDX-License-Identifier: Apache-2.0 */
/* graph-paths.h - how span-graph writes the paths through a service */
#ifndef GRAPH_PATHS_H
#define GRAPH_PATHS_H

#include "graph-out.h"

/* As Jaeger's deep dependencies, or as text; 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int graph_paths_json(struct span_buf *b, struct span_paths *p,
				    struct span_error *err);
SPAN_NODISCARD int graph_paths_text(struct span_buf *b, struct span_paths *p,
				    struct span_error *err);

#endif
