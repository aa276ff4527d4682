/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-out.h"

#include "base/banned.h"

static void put_label(struct span_buf *b, struct span_str name)
{
	struct span_buf label = {0};

	graph_label(&label, name);
	span_text_dot(b, (struct span_str){label.p, label.len});
	b->failed |= label.failed;
	span_buf_release(&label);
}

static void put_node(struct span_buf *b, const struct span_graph_node *n,
		     size_t number, const char *indent)
{
	static const char *const shapes[] = {
		"", ", shape=cylinder, style=solid", ", shape=cds, style=solid",
		", style=\"rounded,dashed\""};

	span_buf_printf(b, "%s\tn%zu [label=", indent, number);
	put_label(b, n->operation.len ? n->operation : n->service);
	span_buf_puts(b, ", tooltip=\"");
	if (n->kind == SPAN_GRAPH_SERVICE)
		graph_counts(b, "span", n->spans, n->errors);
	else
		span_buf_puts(b, graph_node_kind(n));
	span_buf_printf(b, "\", color=\"%s\"%s];\n",
			graph_colour(n->errors, n->spans), shapes[n->kind]);
}

/* The nodes of one service, from I on, in a frame of its own. */
static size_t put_cluster(struct span_buf *b, const struct span_graph_view *g,
			  size_t i)
{
	struct span_str service = g->nodes[i].service;

	span_buf_printf(b, "\tsubgraph cluster_%zu {\n\t\tlabel=", i + 1);
	put_label(b, service);
	span_buf_puts(b, ";\n");
	while (i < g->n_nodes && span_str_equal(g->nodes[i].service, service)) {
		put_node(b, &g->nodes[i], i + 1, "\t");
		i++;
	}
	span_buf_puts(b, "\t}\n");
	return i;
}

static void put_nodes(struct span_buf *b, const struct span_graph_view *g,
		      const struct graph_form *form)
{
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form);) {
		if (form->operations) {
			i = put_cluster(b, g, i);
			continue;
		}
		put_node(b, &g->nodes[i], i + 1, "");
		i++;
	}
}

static void put_edge(struct span_buf *b, const struct span_graph_edge *e)
{
	static const char *const styles[] = {"", ", style=dashed",
					     ", style=dotted"};
	const char *c = graph_colour(e->errors, e->calls);

	span_buf_printf(b, "\tn%u -> n%u [label=\"", e->from + 1, e->to + 1);
	span_text_count(b, e->calls);
	if (e->errors) {
		span_buf_puts(b, "\\n");
		span_text_count(b, e->errors);
		span_buf_puts(b, e->errors == 1 ? " error" : " errors");
	}
	span_buf_puts(b, "\", edgetooltip=\"");
	graph_figures(b, e);
	span_buf_printf(b, "\", penwidth=%.1f, color=\"%s\"",
			graph_width(e->calls), c);
	if (e->errors)
		span_buf_printf(b, ", fontcolor=\"%s\"", c);
	span_buf_printf(b, "%s];\n", styles[e->kind]);
}

void graph_out_dot(struct span_buf *b, const struct span_graph_view *g,
		   const struct graph_form *form)
{
	span_buf_printf(
		b,
		"digraph services {\n"
		"\trankdir=LR;\n"
		"\tnode [shape=box, style=rounded, "
		"fontname=\"sans-serif\"];\n"
		"\tedge [fontname=\"sans-serif\", fontsize=10];\n"
		"%s",
		form->operations
			? "\tnewrank=true;\n\tgraph [fontname=\"sans-serif\", "
			  "color=\"#b8bbbe\", "
			  "style=rounded];\n"
			: "");
	put_nodes(b, g, form);
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++)
		put_edge(b, &g->edges[i]);
	span_buf_puts(b, "}\n");
}
