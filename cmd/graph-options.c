/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-options.h"

#include "base/banned.h"

static const char *const formats[] = {
	"dot",	   "json",    "text",	   "csv",    "matrix",	   "mermaid",
	"graphml", "grafana", "cytoscape", "jaeger", "prometheus", NULL};
static const char *const units[] = {"service", "operation", NULL};
static const char *const kinds[] = {"sync", "async", "link", NULL};

struct graph_wanted graph_wanted = {
	.format = -1,
	.edges = -1,
	.tolerance = {.errors = 0.01, .latency = 0.5, .calls = -1},
};

static const struct cmd_option view_options[] = {
	{CMD_STRING, 0, "focus", &graph_wanted.focus, "SERVICE",
	 "only what leads to a service, and away from it", NULL},
	{CMD_INT, 0, "depth", &graph_wanted.depth, "N",
	 "with --focus: at most N calls away from it", NULL},
	{CMD_INT, 0, "top", &graph_wanted.top, "N",
	 "only the N edges with most calls", NULL},
	{CMD_INT, 0, "min-calls", &graph_wanted.min_calls, "N",
	 "only edges with at least N calls", NULL},
	{CMD_CHOICE, 0, "edges", &graph_wanted.edges, "KIND",
	 "only edges of a kind", kinds},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

static const struct cmd_option report_options[] = {
	{CMD_FLAG, 0, "cycles", &graph_wanted.cycles, NULL,
	 "show who calls each other in a circle", NULL},
	{CMD_FLAG, 0, "hubs", &graph_wanted.hubs, NULL,
	 "show who has to do with how many others", NULL},
	{CMD_STRING, 0, "paths", &graph_wanted.paths, "SERVICE",
	 "show the ways that calls take through a service", NULL},
	{CMD_FLAG, 0, "diff", &graph_wanted.diff, NULL,
	 "compare two FILEs, old and new; exit 1 when they differ", NULL},
	{CMD_DOUBLE, 0, "diff-errors", &graph_wanted.tolerance.errors, "SHARE",
	 "how much more of the calls may fail (0.01)", NULL},
	{CMD_DOUBLE, 0, "diff-latency", &graph_wanted.tolerance.latency, "PART",
	 "by which part the p95 may grow (0.5)", NULL},
	{CMD_DOUBLE, 0, "diff-calls", &graph_wanted.tolerance.calls, "PART",
	 "by which part calls may become more or fewer (any)", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

const struct cmd_option graph_options[] = {
	{CMD_CHOICE, 'o', "format", &graph_wanted.format, "FORMAT",
	 "what to write", formats},
	{CMD_CHOICE, 0, "by", &graph_wanted.by, "UNIT", "what the nodes are",
	 units},
	{CMD_FLAG, 0, "self-edges", &graph_wanted.self_edges, NULL,
	 "count calls of a node by itself too", NULL},
	{CMD_FLAG, 0, "peers", &graph_wanted.peers, NULL,
	 "databases, queues and others without spans are nodes", NULL},
	{CMD_FLAG, 0, "links", &graph_wanted.links, NULL,
	 "links to other traces are edges", NULL},
	{CMD_FLAG, 0, "weighted", &graph_wanted.weighted, NULL,
	 "count what sampling left out, as trace states tell it", NULL},
	{CMD_FLAG, 0, "partial", &graph_wanted.partial, NULL,
	 "save the graph, for --merge and --diff", NULL},
	{CMD_FLAG, 0, "merge", &graph_wanted.merge, NULL,
	 "FILEs are saved graphs: add them up", NULL},
	{CMD_GROUP, 0, NULL, (void *)view_options, NULL, "Part of the graph",
	 NULL},
	{CMD_GROUP, 0, NULL, (void *)report_options, NULL, "Reports", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

void graph_options_check(int argc)
{
	const struct graph_wanted *o = &graph_wanted;
	int reports =
		o->cycles + o->hubs + o->diff + o->partial + (o->paths != NULL);

	if (reports > 1)
		cmd_usage("--partial, --diff, --cycles, --hubs and --paths do "
			  "not go together");
	if (o->diff && argc != 2)
		cmd_usage("--diff takes two FILEs");
	if (o->merge && (o->by || o->self_edges || o->peers || o->links))
		cmd_usage("--merge takes --by, --self-edges, --peers and "
			  "--links from its FILEs");
	if (o->merge && (o->diff || o->paths))
		cmd_usage("--merge goes with no --diff or --paths");
	if (o->depth && !o->focus)
		cmd_usage("--depth goes with --focus");
	if (o->tolerance.errors < 0 || o->tolerance.latency < 0)
		cmd_usage("--diff-errors and --diff-latency are not negative");
	if (o->diff && o->top)
		cmd_usage("--diff goes with no --top");
	if (!reports && o->format == TEXT)
		cmd_usage("-o text is for --cycles, --hubs, --paths and "
			  "--diff");
	if (reports && !o->partial && o->format > TEXT)
		cmd_usage("reports are text or json");
	if (o->format == DOT && (o->cycles || o->hubs || o->paths))
		cmd_usage("--cycles, --hubs and --paths are text or json");
	if (o->partial && (o->format >= 0 || o->focus || o->top ||
			   o->min_calls || o->edges >= 0))
		cmd_usage("--partial saves all of a graph");
}
