/* SPDX-License-Identifier: Apache-2.0 */
/* GraphML: XML, with keys that say what is a number. */
#include "graph-out.h"

#include "base/banned.h"

static const struct {
	const char *of, *name, *type;
} keys[] = {
	{"node", "service", "string"}, {"node", "operation", "string"},
	{"node", "type", "string"},    {"node", "spans", "long"},
	{"node", "errors", "long"},    {"node", "roots", "long"},
	{"node", "orphans", "long"},   {"edge", "kind", "string"},
	{"edge", "calls", "long"},     {"edge", "failed", "long"},
	{"edge", "p50_ns", "long"},    {"edge", "p95_ns", "long"},
	{"edge", "p99_ns", "long"},    {"edge", "mean_ns", "long"},
};

static void put_text(struct span_buf *b, const char *key, struct span_str s)
{
	span_buf_printf(b, "<data key=\"%s\">", key);
	span_text_html(b, s);
	span_buf_puts(b, "</data>");
}

static void put_number(struct span_buf *b, const char *key, uint64_t n)
{
	span_buf_printf(b, "<data key=\"%s\">%llu</data>", key,
			(unsigned long long)n);
}

static void put_node(struct span_buf *b, const struct span_graph_node *n,
		     size_t number)
{
	span_buf_printf(b, "<node id=\"n%zu\">", number);
	put_text(b, "service", n->service);
	if (n->operation.len)
		put_text(b, "operation", n->operation);
	put_text(b, "type", span_str(graph_node_kind(n)));
	put_number(b, "spans", n->spans);
	put_number(b, "errors", n->errors);
	put_number(b, "roots", n->roots);
	put_number(b, "orphans", n->orphans);
	span_buf_puts(b, "</node>\n");
}

static void put_edge(struct span_buf *b, const struct span_graph_edge *e,
		     size_t number)
{
	span_buf_printf(b, "<edge id=\"e%zu\" source=\"n%u\" target=\"n%u\">",
			number, e->from + 1, e->to + 1);
	put_text(b, "kind", span_str(graph_edge_kind(e)));
	put_number(b, "calls", e->calls);
	put_number(b, "failed", e->errors);
	put_number(b, "p50_ns", graph_quantile_ns(e, 0));
	put_number(b, "p95_ns", graph_quantile_ns(e, 1));
	put_number(b, "p99_ns", graph_quantile_ns(e, 2));
	put_number(b, "mean_ns", graph_mean_ns(e));
	span_buf_puts(b, "</edge>\n");
}

void graph_out_graphml(struct span_buf *b, const struct span_graph_view *g,
		       const struct graph_form *form)
{
	span_buf_puts(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			 "<graphml xmlns=\"http://graphml.graphdrawing.org/"
			 "xmlns\">\n");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		span_buf_printf(b,
				"<key id=\"%s\" for=\"%s\" attr.name=\"%s\" "
				"attr.type=\"%s\"/>\n",
				keys[i].name, keys[i].of, keys[i].name,
				keys[i].type);
	span_buf_puts(b, "<graph id=\"services\" edgedefault=\"directed\">\n");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++)
		put_node(b, &g->nodes[i], i + 1);
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++)
		put_edge(b, &g->edges[i], i + 1);
	span_buf_puts(b, "</graph>\n</graphml>\n");
}
