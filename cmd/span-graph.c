/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_source.h"
#include "graph-out.h"

#include "base/banned.h"

static const char *const formats[] = {
	"dot",	   "json",	"csv",	  "matrix",	"mermaid", "graphml",
	"grafana", "cytoscape", "jaeger", "prometheus", NULL};
static graph_out_fn *const writers[] = {
	graph_out_dot,	     graph_out_json,	  graph_out_csv,
	graph_out_matrix,    graph_out_mermaid,	  graph_out_graphml,
	graph_out_grafana,   graph_out_cytoscape, graph_out_jaeger,
	graph_out_prometheus};

static const char *const units[] = {"service", "operation", NULL};

static struct {
	int format, by;
	bool self_edges, peers, links, weighted;
} opt;

static const struct cmd_option options[] = {
	{CMD_CHOICE, 'o', "format", &opt.format, "FORMAT", "what to write",
	 formats},
	{CMD_CHOICE, 0, "by", &opt.by, "UNIT", "what the nodes are", units},
	{CMD_FLAG, 0, "self-edges", &opt.self_edges, NULL,
	 "count calls of a node by itself too", NULL},
	{CMD_FLAG, 0, "peers", &opt.peers, NULL,
	 "databases, queues and others without spans are nodes", NULL},
	{CMD_FLAG, 0, "links", &opt.links, NULL,
	 "links to other traces are edges", NULL},
	{CMD_FLAG, 0, "weighted", &opt.weighted, NULL,
	 "count what sampling left out, as trace states tell it", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_source_options, NULL, "Source", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_search_options, NULL, "Traces", NULL},
	{CMD_GROUP, 0, NULL, (void *)cmd_output_options, NULL, "Output", NULL},
	{CMD_END, 0, NULL, NULL, NULL, NULL, NULL},
};

/*
 * A call counts by its own start: of a trace at the edge of --since or
 * --until only the spans inside do.
 */
static int put_trace(struct span_graph *g, const struct span_trace *t,
		     struct span_buf *counted, struct span_error *err)
{
	uint8_t *in_time;

	counted->len = 0;
	in_time = (uint8_t *)span_buf_reserve(counted, t->n);
	if (!in_time)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	for (size_t i = 0; i < t->n; i++)
		in_time[i] = cmd_source_in_time(&t->spans[i]);
	return span_graph_put(g, t, in_time, err);
}

static int read_traces(struct cmd_source *in, struct span_graph *g,
		       struct span_error *err)
{
	struct span_buf counted = {0};
	struct span_trace t;
	uint64_t n = 0;
	int rc;

	while ((rc = cmd_source_next_trace(in, &t, NULL, err)) > 0) {
		if ((rc = put_trace(g, &t, &counted, err)) < 0)
			break;
		cmd_progress(++n, "traces");
	}
	cmd_progress_end();
	span_buf_release(&counted);
	return rc;
}

static int put_calls(void *graph, const struct span_store_calls *c,
		     struct span_error *err)
{
	return span_graph_put_calls(graph, c, err);
}

static int read_source(struct cmd_source *in, struct span_graph *g,
		       struct span_error *err)
{
	return !opt.peers && !opt.links && cmd_source_has_calls(in)
		       ? cmd_source_calls(in, put_calls, g, err)
		       : read_traces(in, g, err);
}

static void note(const struct span_graph_view *v, uint64_t since)
{
	char traces[32] = "";

	if (v->traces)
		snprintf(traces, sizeof(traces), "%llu traces, ",
			 (unsigned long long)v->traces);
	cmd_note("%s%llu spans (%llu roots, %llu orphans), %zu services, "
		 "%zu edges, %.2f s",
		 traces, (unsigned long long)v->spans,
		 (unsigned long long)v->roots, (unsigned long long)v->orphans,
		 v->n_nodes, v->n_edges,
		 (double)(cmd_monotonic_ns() - since) / 1e9);
}

static void report(const struct span_graph_view *v, uint64_t since)
{
	if (v->left_out)
		cmd_warn("%llu spans are beyond %u services, %u pairs of "
			 "them and %u sketch buckets, and left out",
			 (unsigned long long)v->left_out, SPAN_GRAPH_NODES,
			 SPAN_GRAPH_EDGES, SPAN_GRAPH_BUCKETS);
	if (v->lost_links)
		cmd_warn("%llu links lead to spans that are not there",
			 (unsigned long long)v->lost_links);
	if (cmd_verbose)
		note(v, since);
}

static int write_graph(const struct span_graph_view *v, struct span_error *err)
{
	struct graph_form form = {opt.by, opt.peers};
	struct span_buf b = {0};
	int fd, rc;

	if (writers[opt.format] == graph_out_matrix &&
	    v->n_nodes > GRAPH_MATRIX_NODES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "a matrix of %zu nodes is above %u",
				      v->n_nodes, GRAPH_MATRIX_NODES);
	rc = cmd_output_open(&fd, false, err);
	if (rc < 0)
		return rc;
	writers[opt.format](&b, v, &form);
	rc = b.failed ? span_error_set(err, SPAN_E_NOMEM, "memory is out")
		      : span_write_all(fd, b.p, b.len, err);
	span_buf_release(&b);
	return rc < 0 ? rc : cmd_output_close(fd, err);
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_graph_opts o = {
		.by_operation = opt.by,
		.self_edges = opt.self_edges,
		.peers = opt.peers,
		.links = opt.links,
		.weighted = opt.weighted,
	};
	uint64_t since = cmd_monotonic_ns();
	struct cmd_source *in = NULL;
	struct span_graph *g = NULL;
	struct span_graph_view v;
	int rc;

	if (opt.by && writers[opt.format] == graph_out_jaeger)
		cmd_usage("Jaeger's dependencies are of services, not of "
			  "operations");
	cmd_source_keep_duplicates();
	if ((rc = span_graph_open(&g, &o, err)) < 0 ||
	    (rc = cmd_source_open(&in, argc, argv, NULL, err)) < 0 ||
	    (rc = read_source(in, g, err)) < 0 ||
	    (rc = span_graph_view(g, &v, err)) < 0)
		goto done;
	rc = write_graph(&v, err);
	if (rc >= 0)
		report(&v, since);
done:
	cmd_source_close(&in);
	span_graph_close(&g);
	return rc;
}

static const struct cmd span_graph = {
	.name = "span-graph",
	.operands = "[FILE...]",
	.summary = "draw who calls whom: services, calls, errors",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_graph, argc, argv);
}
