/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-compare.h"
#include "graph-options.h"
#include "graph-out.h"
#include "graph-paths.h"
#include "graph-read.h"
#include "graph-report.h"

#include "base/banned.h"

static graph_out_fn *const writers[] = {
	[DOT] = graph_out_dot,	       [JSON] = graph_out_json,
	[CSV] = graph_out_csv,	       [MATRIX] = graph_out_matrix,
	[MERMAID] = graph_out_mermaid, [GRAPHML] = graph_out_graphml,
	[GRAFANA] = graph_out_grafana, [CYTOSCAPE] = graph_out_cytoscape,
	[JAEGER] = graph_out_jaeger,   [PROMETHEUS] = graph_out_prometheus,
};

static int put_graph(struct span_buf *b, const struct span_graph_view *v,
		     const struct graph_form *form, struct span_error *err)
{
	int format = graph_wanted.format < 0 ? DOT : graph_wanted.format;

	if (graph_wanted.cycles)
		return graph_report_cycles(b, v, form, format == JSON, err);
	if (graph_wanted.hubs)
		return graph_report_hubs(b, v, form, format == JSON, err);
	if (format == MATRIX && v->n_nodes > GRAPH_MATRIX_NODES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "a matrix of %zu nodes is above %u",
				      v->n_nodes, GRAPH_MATRIX_NODES);
	graph_options_check_format(form->operations);
	writers[format](b, v, form);
	return 0;
}

static int read_graph(struct span_graph *g, int argc, char **argv,
		      struct span_error *err)
{
	static char dash[] = "-";
	int rc = 0;

	if (!graph_wanted.merge)
		return graph_read_source(g, argc, argv, err);
	for (int i = 0; !rc && i < (argc ? argc : 1); i++)
		rc = graph_read_saved(g, argc ? argv[i] : dash, err);
	return rc;
}

/* The part of V that is wanted, which V is then. */
static int write_graph(const struct span_graph *g, struct span_graph_view *v,
		       struct span_error *err)
{
	const struct span_graph_opts *o = span_graph_options(g);
	struct graph_sink sink = {.err = err};
	struct graph_form form = {o->by_operation, o->peers, &sink};
	struct span_buf b = {0}, scratch = {0};
	int rc = graph_read_part(v, graph_wanted.min_calls, &scratch, err);

	if (!rc)
		rc = put_graph(&b, v, &form, err);
	if (!rc && cmd_output_is_terminal() &&
	    !(v->n_edges && (b.len || sink.is_open)))
		cmd_note(graph_wanted.cycles && v->n_edges ? "no cycles"
							   : "no calls");
	if (!rc)
		rc = graph_finish(&b, &sink);
	span_buf_release(&b);
	span_buf_release(&scratch);
	return rc;
}

static int write_partial(struct span_graph *g, struct span_error *err)
{
	struct span_buf b = {0};
	int rc = span_graph_save(g, &b, err);

	if (!rc)
		rc = graph_write(&b, true, err);
	span_buf_release(&b);
	return rc;
}

/* 0, or 1 when the focus is not there. */
static int run_graph(struct span_graph *g, int argc, char **argv,
		     struct span_error *err)
{
	uint64_t since = cmd_monotonic_ns();
	struct span_graph_view v;
	int rc = read_graph(g, argc, argv, err);

	if (!rc)
		rc = span_graph_view(g, &v, err);
	if (rc < 0)
		return rc;
	rc = graph_wanted.partial ? write_partial(g, err)
				  : write_graph(g, &v, err);
	if (rc == SPAN_E_NOTFOUND) {
		cmd_warn("%s", err->msg);
		return CMD_NONE;
	}
	if (!rc)
		graph_tell("", &v, span_graph_options(g), since);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_graph_opts o = graph_options_counted();
	struct span_graph *g = NULL;
	int rc;

	graph_options_check(argc);
	cmd_source_keep_duplicates();
	if (graph_wanted.paths)
		return graph_paths_run(argc, argv, err);
	rc = span_graph_open(&g, &o, err);
	if (!rc)
		rc = graph_wanted.diff ? graph_compare(g, argv, err)
				       : run_graph(g, argc, argv, err);
	span_graph_close(&g);
	return rc;
}

static const struct cmd span_graph = {
	.name = "span-graph",
	.operands = "[FILE...]",
	.summary = "draw who calls whom: services, calls, errors",
	.options = graph_options,
	.run = run,
};

int main(int argc, char **argv)
{
	return cmd_main(&span_graph, argc, argv);
}
