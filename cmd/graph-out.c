/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-out.h"

#include "base/banned.h"

static uint64_t mean_ns(const struct span_graph_edge *e)
{
	return e->calls ? e->sum_ns / e->calls : 0;
}

static const struct {
	const char *name;
	double q;
} quantiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static uint64_t quantile_ns(const struct span_graph_edge *e, size_t i)
{
	return span_sketch_quantile(&e->durations, quantiles[i].q);
}

static const char *kind(const struct span_graph_edge *e)
{
	return e->async ? "async" : "sync";
}

/* ---- DOT ---- */

/* Red from 10 % of errors on, orange from 3 %, amber from 0.1 %. */
static const char *colour(uint64_t errors, uint64_t of)
{
	double ratio = of ? (double)errors / (double)of : 0;

	if (ratio >= 0.1)
		return "#c9190b";
	if (ratio >= 0.03)
		return "#ec7a08";
	return ratio >= 0.001 ? "#b58900" : "#4d5258";
}

/* One more for each factor of ten. */
static double width(uint64_t calls)
{
	double w = 1;

	for (; calls >= 10; calls /= 10)
		w++;
	return w + (double)(calls - 1) / 9;
}

static void put_counts(struct span_buf *b, const char *what, uint64_t n,
		       uint64_t errors)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s, ", what, n == 1 ? "" : "s");
	span_text_count(b, errors);
	span_buf_puts(b, errors == 1 ? " error" : " errors");
}

static void dot_node(struct span_buf *b, const struct span_graph_node *n,
		     size_t number)
{
	span_buf_printf(b, "\tn%zu [label=", number);
	span_text_dot(b, n->service);
	span_buf_puts(b, ", tooltip=\"");
	put_counts(b, "span", n->spans, n->errors);
	span_buf_printf(b, "\", color=\"%s\"];\n", colour(n->errors, n->spans));
}

static void dot_edge(struct span_buf *b, const struct span_graph_edge *e)
{
	const char *c = colour(e->errors, e->calls);

	span_buf_printf(b, "\tn%u -> n%u [label=\"", e->from + 1, e->to + 1);
	span_text_count(b, e->calls);
	if (e->errors) {
		span_buf_puts(b, "\\n");
		span_text_count(b, e->errors);
		span_buf_puts(b, e->errors == 1 ? " error" : " errors");
	}
	span_buf_puts(b, "\", edgetooltip=\"");
	put_counts(b, "call", e->calls, e->errors);
	for (size_t i = 0; i < QUANTILES; i++) {
		span_buf_printf(b, ", %s ", quantiles[i].name);
		span_text_duration(b, quantile_ns(e, i));
	}
	span_buf_puts(b, ", mean ");
	span_text_duration(b, mean_ns(e));
	span_buf_printf(b, "\", penwidth=%.1f, color=\"%s\"", width(e->calls),
			c);
	if (e->errors)
		span_buf_printf(b, ", fontcolor=\"%s\"", c);
	span_buf_printf(b, "%s];\n", e->async ? ", style=dashed" : "");
}

void graph_out_dot(struct span_buf *b, const struct span_graph_view *g)
{
	span_buf_puts(b, "digraph services {\n"
			 "\trankdir=LR;\n"
			 "\tnode [shape=box, style=rounded, "
			 "fontname=\"sans-serif\"];\n"
			 "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < g->n_nodes; i++)
		dot_node(b, &g->nodes[i], i + 1);
	for (size_t i = 0; i < g->n_edges; i++)
		dot_edge(b, &g->edges[i]);
	span_buf_puts(b, "}\n");
}

/* ---- JSON ---- */

static void json_number(struct span_buf *b, const char *name, uint64_t n)
{
	span_buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void json_edge(struct span_buf *b, const struct span_graph_view *g,
		      const struct span_graph_edge *e)
{
	span_buf_puts(b, "{\"parent\":");
	span_text_json(b, g->nodes[e->from].service);
	span_buf_puts(b, ",\"child\":");
	span_text_json(b, g->nodes[e->to].service);
	span_buf_printf(b, ",\"kind\":\"%s\"", kind(e));
	json_number(b, "calls", e->calls);
	json_number(b, "errors", e->errors);
	for (size_t i = 0; i < QUANTILES; i++)
		span_buf_printf(b, ",\"%s_ns\":%llu", quantiles[i].name,
				(unsigned long long)quantile_ns(e, i));
	json_number(b, "mean_ns", mean_ns(e));
	span_buf_puts(b, "}");
}

void graph_out_json(struct span_buf *b, const struct span_graph_view *g)
{
	span_buf_puts(b, "{\"services\":[");
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct span_graph_node *n = &g->nodes[i];

		span_buf_puts(b, i ? ",\n{\"service\":" : "\n{\"service\":");
		span_text_json(b, n->service);
		json_number(b, "spans", n->spans);
		json_number(b, "errors", n->errors);
		json_number(b, "roots", n->roots);
		json_number(b, "orphans", n->orphans);
		span_buf_puts(b, "}");
	}
	span_buf_puts(b, "],\n\"calls\":[");
	for (size_t i = 0; i < g->n_edges; i++) {
		span_buf_puts(b, i ? ",\n" : "\n");
		json_edge(b, g, &g->edges[i]);
	}
	span_buf_printf(b, "],\n\"spans\":%llu", (unsigned long long)g->spans);
	json_number(b, "roots", g->roots);
	json_number(b, "orphans", g->orphans);
	span_buf_puts(b, "}\n");
}

/* ---- CSV ---- */

static void csv_edge(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_edge *e)
{
	span_text_csv(b, g->nodes[e->from].service, true);
	span_buf_putc(b, ',');
	span_text_csv(b, g->nodes[e->to].service, true);
	span_buf_printf(b, ",%llu,%llu", (unsigned long long)e->calls,
			(unsigned long long)e->errors);
	for (size_t i = 0; i < QUANTILES; i++)
		span_buf_printf(b, ",%llu",
				(unsigned long long)quantile_ns(e, i));
	span_buf_printf(b, ",%llu,%s\n", (unsigned long long)mean_ns(e),
			kind(e));
}

void graph_out_csv(struct span_buf *b, const struct span_graph_view *g)
{
	span_buf_puts(b, "parent,child,calls,errors,p50,p95,p99,mean,kind\n");
	for (size_t i = 0; i < g->n_edges; i++)
		csv_edge(b, g, &g->edges[i]);
}
