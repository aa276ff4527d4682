/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-diff.h"
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
		cmd_warn("%llu link%s to spans that are not there",
			 (unsigned long long)v->lost_links,
			 v->lost_links == 1 ? " leads" : "s lead");
	if (cmd_verbose)
		note(v, since);
}

static int write_out(const struct span_buf *b, bool binary,
		     struct span_error *err)
{
	int fd, rc;

	if (b->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = cmd_output_open(&fd, binary, err);
	if (!rc)
		rc = span_write_all(fd, b->p, b->len, err);
	return rc < 0 ? rc : cmd_output_close(fd, err);
}

/* The part of V that is wanted; its arrays are in SCRATCH. */
static int select_part(struct span_graph_view *v, struct span_buf *scratch,
		       uint64_t min_calls, struct span_error *err)
{
	struct span_str focus = span_str(graph_wanted.focus);
	struct span_graph_filter f = {
		.focus = graph_wanted.focus ? &focus : NULL,
		.depth = graph_wanted.depth < UINT32_MAX
				 ? (unsigned)graph_wanted.depth
				 : 0,
		.top = graph_wanted.top,
		.min_calls = min_calls,
		.kinds = graph_wanted.edges < 0 ? 0 : 1u << graph_wanted.edges,
	};
	struct span_graph_view whole = *v;

	if (!f.focus && !f.top && !f.min_calls && !f.kinds)
		return 0;
	return span_graph_select(&whole, &f, scratch, v, err);
}

static int put_graph(struct span_buf *b, const struct span_graph_view *v,
		     const struct span_graph_opts *o, struct span_error *err)
{
	struct graph_form form = {o->by_operation, o->peers};
	int format = graph_wanted.format < 0 ? DOT : graph_wanted.format;

	if (graph_wanted.cycles)
		return graph_report_cycles(b, v, format == JSON, err);
	if (graph_wanted.hubs)
		return graph_report_hubs(b, v, format == JSON, err);
	if (format == MATRIX && v->n_nodes > GRAPH_MATRIX_NODES)
		return span_error_set(err, SPAN_E_LIMIT,
				      "a matrix of %zu nodes is above %u",
				      v->n_nodes, GRAPH_MATRIX_NODES);
	if (format == JAEGER && o->by_operation)
		cmd_usage("Jaeger's dependencies are of services, not of "
			  "operations");
	writers[format](b, v, &form);
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

/* 0, or 1 when the focus is not there. */
static int run_graph(struct span_graph *g, int argc, char **argv,
		     struct span_error *err)
{
	struct span_buf b = {0}, scratch = {0};
	uint64_t since = cmd_monotonic_ns();
	struct span_graph_view v;
	int rc = read_graph(g, argc, argv, err);

	if (!rc)
		rc = span_graph_view(g, &v, err);
	if (rc < 0)
		goto done;
	if (graph_wanted.partial) {
		rc = span_graph_save(g, &b, err);
	} else {
		rc = select_part(&v, &scratch, graph_wanted.min_calls, err);
		if (!rc)
			rc = put_graph(&b, &v, span_graph_options(g), err);
	}
	if (rc == SPAN_E_NOTFOUND) {
		cmd_warn("%s", err->msg);
		rc = CMD_NONE;
		goto done;
	}
	if (rc >= 0)
		rc = write_out(&b, graph_wanted.partial, err);
	if (rc >= 0)
		report(&v, since);
done:
	span_buf_release(&b);
	span_buf_release(&scratch);
	return rc;
}

static int run_paths(int argc, char **argv, struct span_error *err)
{
	struct span_paths *p = NULL;
	struct span_buf b = {0};
	int rc = span_paths_open(&p, span_str(graph_wanted.paths),
				 graph_wanted.by, err);

	if (!rc)
		rc = graph_read_paths(p, argc, argv, err);
	if (!rc)
		rc = graph_wanted.format == JSON ? graph_paths_json(&b, p, err)
						 : graph_paths_text(&b, p, err);
	if (!rc)
		rc = write_out(&b, false, err);
	if (!rc && span_paths_left_out(p))
		cmd_warn("%llu spans are beyond %u paths, and left out",
			 (unsigned long long)span_paths_left_out(p),
			 SPAN_PATHS_MAX);
	span_buf_release(&b);
	span_paths_close(&p);
	return rc;
}

/* One side of a comparison: a saved graph, or spans. */
static int read_side(struct span_graph *g, char *file,
		     struct span_graph_view *v, struct span_buf *scratch,
		     struct span_error *err)
{
	int rc = graph_read_is_saved(file)
			 ? graph_read_saved(g, file, err)
			 : graph_read_source(g, 1, &file, err);

	if (!rc)
		rc = span_graph_view(g, v, err);
	if (!rc)
		rc = select_part(v, scratch, 0, err);
	if (rc != SPAN_E_NOTFOUND)
		return rc;
	v->n_nodes = v->n_edges = 0;
	return 0;
}

static bool same_options(const struct span_graph_opts *a,
			 const struct span_graph_opts *b)
{
	return a->by_operation == b->by_operation &&
	       a->self_edges == b->self_edges && a->peers == b->peers &&
	       a->links == b->links;
}

static int put_diff(struct span_buf *b, const struct span_graph_view *old,
		    const struct span_graph_view *new,
		    const struct graph_form *form, struct span_error *err)
{
	struct span_buf changes = {0};
	struct graph_changes c = {.form = form};
	int64_t n;

	graph_wanted.tolerance.min_calls = graph_wanted.min_calls;
	n = span_graph_diff(old, new, &graph_wanted.tolerance, &changes, err);
	if (n >= 0) {
		c.v = (struct span_graph_change *)changes.p;
		c.n = changes.len / sizeof(*c.v);
		(graph_wanted.format == DOT    ? graph_diff_dot
		 : graph_wanted.format == JSON ? graph_diff_json
					       : graph_diff_text)(b, &c);
		n = graph_diff_count(&c) ? CMD_NONE : CMD_OK;
	}
	span_buf_release(&changes);
	return (int)n;
}

static int run_diff(struct span_graph *old, char **argv, struct span_error *err)
{
	struct span_buf b = {0}, first = {0}, second = {0};
	struct span_graph *new = NULL;
	struct span_graph_view v, w;
	struct graph_form form;
	int rc = read_side(old, argv[0], &v, &first, err), written;

	if (!rc)
		rc = span_graph_open(&new, span_graph_options(old), err);
	if (!rc)
		rc = read_side(new, argv[1], &w, &second, err);
	if (!rc &&
	    !same_options(span_graph_options(old), span_graph_options(new)))
		rc = span_error_set(err, SPAN_E_INVALID,
				    "graphs that were counted with different "
				    "options");
	if (!rc) {
		form.operations = span_graph_options(new)->by_operation;
		form.peers = span_graph_options(new)->peers;
		rc = put_diff(&b, &v, &w, &form, err);
	}
	if (rc >= 0 && (written = write_out(&b, false, err)) < 0)
		rc = written;
	span_graph_close(&new);
	span_buf_release(&b);
	span_buf_release(&first);
	span_buf_release(&second);
	return rc;
}

static int run(int argc, char **argv, struct span_error *err)
{
	struct span_graph_opts o = {
		.by_operation = graph_wanted.by,
		.self_edges = graph_wanted.self_edges,
		.peers = graph_wanted.peers,
		.links = graph_wanted.links,
		.weighted = graph_wanted.weighted,
	};
	struct span_graph *g = NULL;
	int rc;

	graph_options_check(argc);
	cmd_source_keep_duplicates();
	if (graph_wanted.paths)
		return run_paths(argc, argv, err);
	rc = span_graph_open(&g, &o, err);
	if (!rc)
		rc = graph_wanted.diff ? run_diff(g, argv, err)
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
