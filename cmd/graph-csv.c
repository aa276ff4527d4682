/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-out.h"

#include "base/banned.h"

static void put_edge(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_edge *e,
		     const struct graph_form *form)
{
	const struct span_graph_node *from = &g->nodes[e->from];
	const struct span_graph_node *to = &g->nodes[e->to];

	span_text_csv(b, from->service, true);
	span_buf_putc(b, ',');
	span_text_csv(b, to->service, true);
	span_buf_printf(b, ",%llu,%llu", (unsigned long long)e->calls,
			(unsigned long long)e->errors);
	for (size_t i = 0; i < GRAPH_QUANTILES; i++)
		span_buf_printf(b, ",%llu",
				(unsigned long long)graph_quantile_ns(e, i));
	span_buf_printf(b, ",%llu,%s", (unsigned long long)graph_mean_ns(e),
			graph_edge_kind(e));
	if (form->operations) {
		span_buf_putc(b, ',');
		span_text_csv(b, from->operation, true);
		span_buf_putc(b, ',');
		span_text_csv(b, to->operation, true);
	}
	if (form->peers)
		span_buf_printf(b, ",%s", graph_node_kind(to));
	span_buf_putc(b, '\n');
}

void graph_out_csv(struct span_buf *b, const struct span_graph_view *g,
		   const struct graph_form *form)
{
	span_buf_printf(
		b, "parent,child,calls,errors,p50,p95,p99,mean,kind%s%s\n",
		form->operations ? ",parent_operation,child_operation" : "",
		form->peers ? ",child_type" : "");
	for (size_t i = 0; i < g->n_edges && graph_drain(b, form); i++)
		put_edge(b, g, &g->edges[i], form);
}

static void put_name(struct span_buf *b, const struct span_graph_node *n)
{
	struct span_buf name = {0};

	span_buf_str(&name, n->service);
	if (n->operation.len) {
		span_buf_putc(&name, ' ');
		span_buf_str(&name, n->operation);
	}
	if (n->kind != SPAN_GRAPH_SERVICE)
		span_buf_printf(&name, " (%s)", graph_node_kind(n));
	span_text_csv(b, (struct span_str){name.p, name.len}, true);
	b->failed |= name.failed;
	span_buf_release(&name);
}

void graph_out_matrix(struct span_buf *b, const struct span_graph_view *g,
		      const struct graph_form *form)
{
	const struct span_graph_edge *e = g->edges, *end = e + g->n_edges;

	span_buf_puts(b, "parent");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		span_buf_putc(b, ',');
		put_name(b, &g->nodes[i]);
	}
	span_buf_putc(b, '\n');
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		put_name(b, &g->nodes[i]);
		for (size_t k = 0; k < g->n_nodes; k++) {
			uint64_t calls = 0;

			for (; e < end && e->from == i && e->to == k; e++)
				calls += e->calls;
			span_buf_putc(b, ',');
			span_text_uint(b, calls);
		}
		span_buf_putc(b, '\n');
	}
}
