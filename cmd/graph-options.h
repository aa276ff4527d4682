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

enum graph_unit { SERVICES, OPERATIONS };

struct graph_wanted {
	int format, by, edges; /* -1: not given */
	bool self_edges, peers, links, weighted;
	const char *focus, *paths;
	uint64_t depth; /* GRAPH_ANY_DEPTH: not given */
	uint64_t top, min_calls;
	bool cycles, hubs, partial, merge, diff;
	/* Not a number: not given, until graph_options_check() has run. */
	struct span_graph_tolerance tolerance;
};
#define GRAPH_ANY_DEPTH UINT64_MAX
extern struct graph_wanted graph_wanted;

extern const struct cmd_option graph_options[];

/* Wrong usage with ARGC operands exits. */
void graph_options_check(int argc);
/* The same when --format is none for a graph of that. */
void graph_options_check_format(bool operations);
/*
 * The same when what was saved in FILE, with the options HAS, is not what was
 * asked for.
 */
void graph_options_check_saved(const char *file,
			       const struct span_graph_opts *has);

/* What is to be counted. */
struct span_graph_opts graph_options_counted(void);

#endif
