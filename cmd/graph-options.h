/* SPDX-License-Identifier: Apache-2.0 */
/* graph-options.h - what span-graph was asked for */
#ifndef GRAPH_OPTIONS_H
#define GRAPH_OPTIONS_H

#include "cmd_source.h"

#include <span/graph.h>

/* The order of --format; TEXT is for reports only. */
enum graph_format {
	DOT,
	JSON,
	TEXT,
	CSV,
	MATRIX,
	MERMAID,
	GRAPHML,
	GRAFANA,
	CYTOSCAPE,
	JAEGER,
	PROMETHEUS
};

struct graph_wanted {
	int format, by, edges; /* format and edges -1: not given */
	bool self_edges, peers, links, weighted;
	const char *focus, *paths;
	uint64_t depth, top, min_calls;
	bool cycles, hubs, partial, merge, diff;
	struct span_graph_tolerance tolerance;
};
extern struct graph_wanted graph_wanted;

extern const struct cmd_option graph_options[];

/* Wrong usage with ARGC operands exits. */
void graph_options_check(int argc);

#endif
