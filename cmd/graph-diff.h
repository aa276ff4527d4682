/* SPDX-License-Identifier: Apache-2.0 */
/* graph-diff.h - how span-graph shows what differs between two graphs */
#ifndef GRAPH_DIFF_H
#define GRAPH_DIFF_H

#include "graph-out.h"

struct graph_changes {
	const struct span_graph_change *v;
	size_t n;
	const struct graph_form *form;
};

typedef void graph_diff_fn(struct span_buf *b, const struct graph_changes *c);

graph_diff_fn graph_diff_dot, graph_diff_json, graph_diff_text;

/* Changes that are no improvement. */
size_t graph_diff_count(const struct graph_changes *c);

#endif
