/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/edges.h"

#include <span/graph.h>

#include "base/banned.h"

static int put_calls(void *arg, const struct span_store_calls *c,
		     struct span_error *err)
{
	return span_graph_put_calls(arg, c, err);
}

static int count(const struct span__serve *serve, struct span_graph *g,
		 const struct span_store_calls_range *range,
		 struct span_error *err)
{
	struct span_store *st;
	int rc = span__serve_take(serve->store, &st, err);

	if (rc < 0)
		return rc;
	rc = span_store_calls(st, range, put_calls, g, err);
	span__serve_give_back(serve->store, st);
	return rc;
}

static void hand_out(const struct span_graph_view *v, span__edge_fn *fn,
		     void *arg)
{
	for (size_t i = 0; i < v->n_edges; i++) {
		const struct span_graph_edge *e = &v->edges[i];
		struct span__edge edge = {v->nodes[e->from].service,
					  v->nodes[e->to].service, e->calls,
					  e->errors};

		/* Calls for which nobody waits are calls like others here. */
		while (i + 1 < v->n_edges && v->edges[i + 1].from == e->from &&
		       v->edges[i + 1].to == e->to) {
			edge.calls += v->edges[++i].calls;
			edge.errors += v->edges[i].errors;
		}
		fn(arg, &edge);
	}
}

int span__edges(const struct span__serve *serve,
		const struct span_store_calls_range *range, span__edge_fn *fn,
		void *arg, struct span_error *err)
{
	struct span_graph_view v;
	struct span_graph *g = NULL;
	int rc = span_graph_open(&g, NULL, err);

	if (!rc)
		rc = count(serve, g, range, err);
	if (!rc)
		rc = span_graph_view(g, &v, err);
	if (!rc)
		hand_out(&v, fn, arg);
	span_graph_close(&g);
	return rc;
}
