/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mermaid has no escape but its entities, #NN;: every punctuation mark of ASCII
 * that could mean something to it, or to Markdown and HTML, is written so.
 */
#include "graph-out.h"

#include <string.h>

#include "base/banned.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c && strchr(" -_./", c));
}

static void put_label(struct span_buf *b, struct span_str name)
{
	struct span_buf label = {0};

	graph_label(&label, name);
	span_buf_putc(b, '"');
	for (size_t i = 0; i < label.len; i++) {
		unsigned char c = (unsigned char)label.p[i];

		if (is_plain(c))
			span_buf_putc(b, (char)c);
		else
			span_buf_printf(b, "#%u;", c);
	}
	span_buf_putc(b, '"');
	b->failed |= label.failed;
	span_buf_release(&label);
}

static void put_node(struct span_buf *b, const struct span_graph_node *n,
		     size_t number)
{
	static const char *const shapes[][2] = {
		{"[", "]"}, {"[(", ")]"}, {"[[", "]]"}, {"([", "])"}};

	span_buf_printf(b, "\tn%zu%s", number, shapes[n->kind][0]);
	put_label(b, n->operation.len ? n->operation : n->service);
	span_buf_printf(b, "%s\n", shapes[n->kind][1]);
}

static void put_nodes(struct span_buf *b, const struct span_graph_view *g,
		      const struct graph_form *form)
{
	bool clusters = form->operations;

	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		const struct span_graph_node *n = &g->nodes[i];
		bool first = !i || !span_str_equal(n[-1].service, n->service);

		if (clusters && first) {
			span_buf_printf(b, "%s\tsubgraph s%zu[",
					i ? "\tend\n" : "", i + 1);
			put_label(b, n->service);
			span_buf_puts(b, "]\n");
		}
		put_node(b, n, i + 1);
	}
	if (clusters && g->n_nodes)
		span_buf_puts(b, "\tend\n");
}

void graph_out_mermaid(struct span_buf *b, const struct span_graph_view *g,
		       const struct graph_form *form)
{
	span_buf_puts(b, "flowchart LR\n");
	put_nodes(b, g, form);
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++) {
		const struct span_graph_edge *e = &g->edges[i];

		span_buf_printf(b, "\tn%u %s|\"", e->from + 1,
				e->kind == SPAN_GRAPH_SYNC ? "-->" : "-.->");
		graph_counts(b, "call", e->calls, e->errors);
		span_buf_printf(b, "\"| n%u\n", e->to + 1);
	}
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++) {
		const struct span_graph_edge *e = &g->edges[i];

		span_buf_printf(b,
				"\tlinkStyle %zu stroke:%s,"
				"stroke-width:%.1fpx\n",
				i, graph_colour(e->errors, e->calls),
				graph_width(e->calls));
	}
}
