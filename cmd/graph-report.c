/* SPDX-License-Identifier: Apache-2.0 */
/* What the shape of a graph says: cycles and hubs. */
#include "graph-report.h"

#include <stdlib.h>

#include "base/banned.h"

/* What the text shows of one cycle: those of attackers and of mistakes in
 * instrumentation have thousands. */
#define NODES_SHOWN 20u
#define CALLS_SHOWN 100u

static void json_name(struct span_buf *b, const struct span_graph_node *n,
		      const struct graph_form *form)
{
	span_buf_puts(b, "{\"service\":");
	span_text_json(b, n->service);
	if (form->operations)
		graph_json_text(b, "operation", n->operation);
	if (form->peers)
		graph_json_text(b, "type", span_str(graph_node_kind(n)));
}

/* ---- Cycles ---- */

/*
 * Nodes by component: those of K are nodes[start[K]] up to start[K + 1]; and
 * the edges out of node I, from first[I] up to first[I + 1].
 */
struct groups {
	uint32_t *component, *start, *nodes, *first;
	size_t n;
};

static int find_groups(const struct span_graph_view *g, struct groups *r,
		       struct span_error *err)
{
	uint32_t *p = calloc(4 * g->n_nodes + 3, sizeof(*p));
	int rc;

	r->component = p;
	if (!p)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	r->start = p + g->n_nodes;
	r->nodes = r->start + g->n_nodes + 2;
	r->first = r->nodes + g->n_nodes;
	rc = span_graph_components(g, r->component, &r->n, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < g->n_nodes; i++)
		r->start[r->component[i] + 2]++;
	for (size_t k = 2; k < r->n + 2; k++)
		r->start[k] += r->start[k - 1];
	for (uint32_t i = 0; i < g->n_nodes; i++)
		r->nodes[r->start[r->component[i] + 1]++] = i;
	for (size_t i = 0; i < g->n_edges; i++)
		r->first[g->edges[i].from + 1]++;
	for (size_t i = 0; i < g->n_nodes; i++)
		r->first[i + 1] += r->first[i];
	return 0;
}

/* A node alone is one when it calls itself. */
static bool is_cycle(const struct span_graph_view *g, const struct groups *r,
		     size_t k)
{
	uint32_t node = r->nodes[r->start[k]];

	if (r->start[k + 1] - r->start[k] > 1)
		return true;
	for (uint32_t i = r->first[node]; i < r->first[node + 1]; i++)
		if (g->edges[i].to == node)
			return true;
	return false;
}

static void text_nodes(struct span_buf *b, const struct span_graph_view *g,
		       const struct groups *r, size_t k)
{
	uint32_t n = r->start[k + 1] - r->start[k];
	size_t at = b->len;

	for (uint32_t i = 0; i < n && i < NODES_SHOWN; i++) {
		span_buf_puts(b, i ? ", " : "");
		graph_name(b, &g->nodes[r->nodes[r->start[k] + i]]);
	}
	if (n > NODES_SHOWN)
		span_buf_printf(b, " and %u more", n - NODES_SHOWN);
	graph_end_line(b, at, 2);
}

static void text_call(struct span_buf *b, const struct span_graph_view *g,
		      const struct span_graph_edge *e, size_t n,
		      const struct graph_form *form)
{
	size_t at = b->len;

	(void)form;
	if (n >= CALLS_SHOWN)
		return;
	span_buf_puts(b, "    ");
	graph_name(b, &g->nodes[e->from]);
	span_buf_puts(b, " -> ");
	graph_name(b, &g->nodes[e->to]);
	span_buf_printf(b, " (%s): ", graph_edge_kind(e));
	graph_counts(b, "call", e->calls, e->errors);
	graph_end_line(b, at, 8);
}

typedef void call_fn(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_edge *e, size_t n,
		     const struct graph_form *form);

/*
 * Call FN for each edge within cycle K, N of them before: only those of its
 * nodes are looked at, so that all cycles take one pass. How many there are.
 */
static size_t each_call(struct span_buf *b, const struct span_graph_view *g,
			const struct groups *r, size_t k, call_fn *fn,
			const struct graph_form *form)
{
	size_t n = 0;

	for (uint32_t i = r->start[k]; i < r->start[k + 1]; i++) {
		uint32_t node = r->nodes[i];

		for (uint32_t e = r->first[node]; e < r->first[node + 1]; e++)
			if (r->component[g->edges[e].to] == k)
				fn(b, g, &g->edges[e], n++, form);
	}
	return n;
}

static void json_call(struct span_buf *b, const struct span_graph_view *g,
		      const struct span_graph_edge *e, size_t n,
		      const struct graph_form *form)
{
	span_buf_puts(b, n ? ",\n{" : "\n{");
	graph_json_edge(b, g, e, form);
}

static void json_cycle(struct span_buf *b, const struct span_graph_view *g,
		       const struct groups *r, size_t k,
		       const struct graph_form *form)
{
	span_buf_puts(b, "{\"nodes\":[");
	for (uint32_t i = r->start[k]; i < r->start[k + 1]; i++) {
		span_buf_puts(b, i > r->start[k] ? "," : "");
		json_name(b, &g->nodes[r->nodes[i]], form);
		span_buf_putc(b, '}');
	}
	span_buf_puts(b, "],\"calls\":[");
	each_call(b, g, r, k, json_call, form);
	span_buf_puts(b, "]}");
}

static void text_cycle(struct span_buf *b, const struct span_graph_view *g,
		       const struct groups *r, size_t k,
		       const struct graph_form *form)
{
	size_t n;

	text_nodes(b, g, r, k);
	n = each_call(b, g, r, k, text_call, form);
	if (n > CALLS_SHOWN)
		span_buf_printf(b, "    and %zu more\n", n - CALLS_SHOWN);
}

int graph_report_cycles(struct span_buf *b, const struct span_graph_view *g,
			const struct graph_form *form, bool json,
			struct span_error *err)
{
	struct groups r = {0};
	int rc = find_groups(g, &r, err);
	size_t n = 0;

	if (json)
		span_buf_puts(b, "{\"cycles\":[");
	for (size_t k = 0; !rc && k < r.n && graph_drain(b, form); k++) {
		if (!is_cycle(g, &r, k))
			continue;
		n++;
		if (json) {
			span_buf_puts(b, n > 1 ? ",\n" : "\n");
			json_cycle(b, g, &r, k, form);
		} else {
			text_cycle(b, g, &r, k, form);
		}
	}
	if (json)
		span_buf_puts(b, "]}\n");
	free(r.component);
	return rc;
}

/* ---- Hubs ---- */

static void text_hub(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_hub *h)
{
	size_t at = b->len;

	graph_name(b, &g->nodes[h->node]);
	span_buf_printf(b, ": called by %u (", h->callers);
	span_text_count(b, h->calls_in);
	span_buf_printf(b, " call%s), calls %u (", h->calls_in == 1 ? "" : "s",
			h->called);
	span_text_count(b, h->calls_out);
	span_buf_printf(b, " call%s)", h->calls_out == 1 ? "" : "s");
	graph_end_line(b, at, 4);
}

static void json_hub(struct span_buf *b, const struct span_graph_view *g,
		     const struct span_graph_hub *h,
		     const struct graph_form *form)
{
	json_name(b, &g->nodes[h->node], form);
	graph_json_number(b, "callers", h->callers);
	graph_json_number(b, "called", h->called);
	graph_json_number(b, "calls_in", h->calls_in);
	graph_json_number(b, "calls_out", h->calls_out);
	span_buf_putc(b, '}');
}

int graph_report_hubs(struct span_buf *b, const struct span_graph_view *g,
		      const struct graph_form *form, bool json,
		      struct span_error *err)
{
	struct span_graph_hub *v = calloc(g->n_nodes + 1, sizeof(*v));

	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span_graph_hubs(g, v);
	if (json)
		span_buf_puts(b, "{\"hubs\":[");
	for (size_t i = 0; i < g->n_nodes && graph_drain(b, form); i++) {
		if (!json) {
			text_hub(b, g, &v[i]);
			continue;
		}
		span_buf_puts(b, i ? ",\n" : "\n");
		json_hub(b, g, &v[i], form);
	}
	if (json)
		span_buf_puts(b, "]}\n");
	free(v);
	return 0;
}
