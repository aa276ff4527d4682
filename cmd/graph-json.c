/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: a form of its own, Jaeger's, Cytoscape's, Grafana's. */
#include "graph-out.h"

#include "base/banned.h"

/* The beginning of list entry I: a comma, a line, a brace. */
static void entry(struct span_buf *b, size_t i)
{
	span_buf_puts(b, i ? ",\n{" : "\n{");
}

/* ---- our own ---- */

void graph_json_edge(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_edge *e,
		     const struct graph_form *form)
{
	const struct span_graph_node *from = &g->nodes[e->from];
	const struct span_graph_node *to = &g->nodes[e->to];

	span_buf_puts(b, "\"parent\":");
	span_text_json(b, from->service);
	graph_json_text(b, "child", to->service);
	if (form->operations) {
		graph_json_text(b, "parent_operation", from->operation);
		graph_json_text(b, "child_operation", to->operation);
	}
	if (form->peers)
		graph_json_text(b, "child_type", span_str(graph_node_kind(to)));
	graph_json_text(b, "kind", span_str(graph_edge_kind(e)));
	graph_json_figures(b, e);
	span_buf_putc(b, '}');
}

static void put_node(struct span_buf *b, const struct span_graph_node *n,
		     const struct graph_form *form)
{
	span_buf_puts(b, "\"service\":");
	span_text_json(b, n->service);
	if (form->operations)
		graph_json_text(b, "operation", n->operation);
	if (form->peers)
		graph_json_text(b, "type", span_str(graph_node_kind(n)));
	graph_json_number(b, "spans", n->spans);
	graph_json_number(b, "errors", n->errors);
	graph_json_number(b, "roots", n->roots);
	graph_json_number(b, "orphans", n->orphans);
	span_buf_puts(b, "}");
}

void graph_out_json(struct span_buf *b, const struct span_graph_view *g,
		    const struct graph_form *form)
{
	span_buf_puts(b, "{\"services\":[");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		entry(b, i);
		put_node(b, &g->nodes[i], form);
	}
	span_buf_puts(b, "],\n\"calls\":[");
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++) {
		entry(b, i);
		graph_json_edge(b, g, &g->edges[i], form);
	}
	span_buf_printf(b, "],\n\"spans\":%llu", (unsigned long long)g->spans);
	graph_json_number(b, "roots", g->roots);
	graph_json_number(b, "orphans", g->orphans);
	span_buf_puts(b, "}\n");
}

/* ---- Jaeger's /api/dependencies ---- */

/* Jaeger knows names only: a database and a service may have the same one. */
static bool same_names(const struct span_graph_view *g,
		       const struct span_graph_edge *a,
		       const struct span_graph_edge *b)
{
	return a->from == b->from &&
	       span_str_equal(g->nodes[a->to].service, g->nodes[b->to].service);
}

void graph_out_jaeger(struct span_buf *b, const struct span_graph_view *g,
		      const struct graph_form *form)
{
	size_t n = 0;

	span_buf_puts(b, "{\"data\":[");
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); n++) {
		const struct span_graph_edge *e = &g->edges[i];
		uint64_t calls = 0;

		for (; i < g->n_edges && same_names(g, e, &g->edges[i]); i++)
			calls += g->edges[i].calls;
		entry(b, n);
		span_buf_puts(b, "\"parent\":");
		span_text_json(b, g->nodes[e->from].service);
		graph_json_text(b, "child", g->nodes[e->to].service);
		graph_json_number(b, "callCount", calls);
		span_buf_puts(b, "}");
	}
	span_buf_puts(b, "],\n\"total\":0,\"limit\":0,\"offset\":0,"
			 "\"errors\":null}\n");
}

/* ---- Cytoscape ---- */

void graph_out_cytoscape(struct span_buf *b, const struct span_graph_view *g,
			 const struct graph_form *form)
{
	span_buf_puts(b, "{\"elements\":{\"nodes\":[");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		entry(b, i);
		span_buf_printf(b, "\"data\":{\"id\":\"n%zu\",", i + 1);
		put_node(b, &g->nodes[i], form);
		span_buf_putc(b, '}');
	}
	span_buf_puts(b, "],\n\"edges\":[");
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++) {
		const struct span_graph_edge *e = &g->edges[i];

		entry(b, i);
		span_buf_printf(b,
				"\"data\":{\"id\":\"e%zu\",\"source\":\"n%u\","
				"\"target\":\"n%u\",",
				i + 1, e->from + 1, e->to + 1);
		graph_json_edge(b, g, e, form);
		span_buf_putc(b, '}');
	}
	span_buf_puts(b, "]}}\n");
}

/* ---- Grafana's node graph ---- */

/* ,"NAME":A/B */
static void put_ratio(struct span_buf *b, const char *name, uint64_t a,
		      uint64_t of)
{
	span_buf_printf(b, ",\"%s\":", name);
	span_text_double(b, of ? (double)a / (double)of : 0);
}

static void put_grafana_node(struct span_buf *b,
			     const struct span_graph_node *n, size_t number)
{
	uint64_t of = n->spans ? n->spans : 1;

	span_buf_printf(b, "\"id\":\"n%zu\"", number);
	graph_json_text(b, "title", n->service);
	graph_json_text(b, "subtitle",
			n->operation.len ? n->operation
					 : span_str(graph_node_kind(n)));
	graph_json_number(b, "mainstat", n->spans);
	put_ratio(b, "secondarystat", n->errors, n->spans);
	put_ratio(b, "arc__ok", of - n->errors, of);
	put_ratio(b, "arc__errors", n->errors, of);
	graph_json_text(b, "detail__type", span_str(graph_node_kind(n)));
	span_buf_puts(b, "}");
}

static void put_grafana_edge(struct span_buf *b,
			     const struct span_graph_edge *e, size_t number)
{
	span_buf_printf(b,
			"\"id\":\"e%zu\",\"source\":\"n%u\",\"target\":\"n%u\"",
			number, e->from + 1, e->to + 1);
	graph_json_number(b, "mainstat", e->calls);
	put_ratio(b, "secondarystat", e->errors, e->calls);
	span_buf_printf(b, ",\"thickness\":%.1f", graph_width(e->calls));
	graph_json_text(b, "color",
			span_str(graph_colour(e->errors, e->calls)));
	graph_json_text(b, "detail__kind", span_str(graph_edge_kind(e)));
	for (size_t i = 0; i < GRAPH_QUANTILES; i++)
		span_buf_printf(b, ",\"detail__%s_ns\":%llu",
				graph_quantile_names[i],
				(unsigned long long)graph_quantile_ns(e, i));
	span_buf_puts(b, "}");
}

void graph_out_grafana(struct span_buf *b, const struct span_graph_view *g,
		       const struct graph_form *form)
{
	span_buf_puts(b, "{\"nodes\":[");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		entry(b, i);
		put_grafana_node(b, &g->nodes[i], i + 1);
	}
	span_buf_puts(b, "],\n\"edges\":[");
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++) {
		entry(b, i);
		put_grafana_edge(b, &g->edges[i], i + 1);
	}
	span_buf_puts(b, "]}\n");
}
