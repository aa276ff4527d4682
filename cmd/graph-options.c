/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-options.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

static const char *const formats[] = {
	"dot",	   "json",    "text",	   "csv",    "matrix",	   "mermaid",
	"graphml", "grafana", "cytoscape", "jaeger", "prometheus", NULL};
static const char *const units[] = {"service", "operation", NULL};
static const char *const kinds[] = {"sync", "async", "link", NULL};

struct graph_wanted graph_wanted = {
	.format = -1,
	.by = -1,
	.edges = -1,
	.depth = GRAPH_ANY_DEPTH,
	.tolerance = {.errors = NAN, .latency = NAN, .calls = NAN},
};

static const struct cmd_option view_options[] = {
	{CMD_STRING, 0, "focus", &graph_wanted.focus, "SERVICE",
	 "only what leads to a service, and away from it", NULL},
	{CMD_INT, 0, "depth", &graph_wanted.depth, "N",
	 "with --focus: at most N calls away from it", NULL},
	{CMD_INT, 0, "top", &graph_wanted.top, "N",
	 "only the N edges, or paths, with most calls; 0: all", NULL},
	{CMD_INT, 0, "min-calls", &graph_wanted.min_calls, "N",
	 "only edges, or paths, with at least N calls", NULL},
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

struct span_graph_opts graph_options_counted(void)
{
	const struct graph_wanted *o = &graph_wanted;

	return (struct span_graph_opts){
		.by_operation = o->by == OPERATIONS,
		.self_edges = o->self_edges,
		.peers = o->peers,
		.links = o->links,
		.weighted = o->weighted,
	};
}

static void check_source(const char *what)
{
	const char *option = cmd_source_option();

	if (option)
		cmd_usage("%s goes with no --%s", what, option);
}

/* Saved graphs were counted: what is said about that comes too late. */
static void check_merge(const struct graph_wanted *o)
{
	if (!o->merge)
		return;
	if (o->by >= 0 || o->self_edges || o->peers || o->links)
		cmd_usage("--merge takes --by, --self-edges, --peers and "
			  "--links from its FILEs");
	if (o->diff || o->paths)
		cmd_usage("--merge goes with no --diff or --paths");
	check_source("--merge");
	if (cmd_source_selects())
		cmd_usage("--merge adds up whole graphs: no traces can be "
			  "selected any more");
}

static void check_paths(const struct graph_wanted *o)
{
	if (!o->paths)
		return;
	if (o->focus || o->edges >= 0 || o->self_edges || o->peers ||
	    o->links || o->weighted)
		cmd_usage("--paths goes with no --focus, --edges, "
			  "--self-edges, --peers, --links or --weighted");
}

/* VALUE, which --NAME has, or USUAL when it was not given. */
static void check_tolerance(const char *name, double *value, double usual)
{
	if (isnan(*value))
		*value = usual;
	else if (!graph_wanted.diff)
		cmd_usage("--%s goes with --diff", name);
	else if (*value < 0)
		cmd_usage("--%s is not negative", name);
}

static void check_diff(const struct graph_wanted *o, int argc)
{
	struct span_graph_tolerance *t = &graph_wanted.tolerance;

	check_tolerance("diff-errors", &t->errors, 0.01);
	check_tolerance("diff-latency", &t->latency, 0.5);
	check_tolerance("diff-calls", &t->calls, -1);
	t->min_calls = o->min_calls;
	if (!o->diff)
		return;
	if (argc != 2)
		cmd_usage("--diff takes two FILEs");
	if (o->top)
		cmd_usage("--diff goes with no --top");
	if (cmd_source_option() && !strcmp(cmd_source_option(), "store"))
		cmd_usage("--diff compares two FILEs, not a --store");
}

static void check_part(const struct graph_wanted *o)
{
	if (o->depth != GRAPH_ANY_DEPTH && !o->focus)
		cmd_usage("--depth goes with --focus");
	if (!o->depth)
		cmd_usage("--depth is at least 1");
	if (o->hubs && o->self_edges)
		cmd_usage("--hubs is about other nodes, and goes with no "
			  "--self-edges");
	if (o->partial && (o->format >= 0 || o->focus || o->top ||
			   o->min_calls || o->edges >= 0 || o->weighted))
		cmd_usage("--partial saves all of a graph, in its own format");
}

void graph_options_check(int argc)
{
	const struct graph_wanted *o = &graph_wanted;
	int reports =
		o->cycles + o->hubs + o->diff + o->partial + (o->paths != NULL);

	if (reports > 1)
		cmd_usage("--partial, --diff, --cycles, --hubs and --paths do "
			  "not go together");
	if (!reports && o->format == TEXT)
		cmd_usage("-o text is for --cycles, --hubs, --paths and "
			  "--diff");
	if (o->diff && o->format > TEXT)
		cmd_usage("--diff is text, json or dot");
	if ((o->cycles || o->hubs || o->paths) &&
	    (o->format == DOT || o->format > TEXT))
		cmd_usage("--cycles, --hubs and --paths are text or json");
	check_merge(o);
	check_paths(o);
	check_diff(o, argc);
	check_part(o);
	graph_options_check_format(o->by == OPERATIONS);
}

void graph_options_check_format(bool operations)
{
	if (graph_wanted.format == JAEGER && operations)
		cmd_usage("Jaeger's dependencies are of services, not of "
			  "operations");
}

void graph_options_check_saved(const char *file,
			       const struct span_graph_opts *has)
{
	const struct graph_wanted *o = &graph_wanted;

	if (cmd_source_selects())
		cmd_usage("%s is a saved graph: no traces of it can be "
			  "selected any more",
			  file);
	if (o->by >= 0 && (o->by == OPERATIONS) != has->by_operation)
		cmd_usage("%s was saved with --by %s", file,
			  units[has->by_operation]);
	if (o->self_edges > has->self_edges || o->peers > has->peers ||
	    o->links > has->links)
		cmd_usage("%s was saved without --%s", file,
			  o->self_edges > has->self_edges ? "self-edges"
			  : o->peers > has->peers	  ? "peers"
							  : "links");
}
