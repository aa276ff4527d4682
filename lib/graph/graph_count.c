/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of traces, and groups of them from a store, become nodes and edges. */
#include "graph/graph_tables.h"

#include "model/model.h"

#include "base/banned.h"

static bool is_async(const struct span__graph_group *c)
{
	return c->follows || c->caller_kind == SPAN_KIND_PRODUCER ||
	       c->kind == SPAN_KIND_CONSUMER;
}

static int add_durations(struct span_graph *g, struct span_sketch *to,
			 const struct span__graph_call *c)
{
	size_t before = to->n;
	int rc = c->durations ? span_sketch_merge(to, c->durations, NULL)
			      : span_sketch_put(to, c->sum_ns, 1, NULL);

	g->n_buckets += to->n - before;
	return rc;
}

int span__graph_put_call(struct span_graph *g, const struct span__graph_call *c)
{
	struct span_graph_edge *e = NULL;
	int rc = 0;

	if (c->from == c->to && c->from != SPAN__NO_NODE && !g->o.self_edges)
		return 0;
	if (c->from != SPAN__NO_NODE && c->to != SPAN__NO_NODE)
		rc = span__graph_find_edge(g, c->from, c->to, c->kind, &e);
	if (rc < 0)
		return rc;
	if (!e) {
		g->sums.left_out += c->calls;
		return 0;
	}
	e->calls += c->calls;
	e->sum_ns = span__plus(e->sum_ns, c->sum_ns);
	e->weight += c->weight * (double)c->calls;
	if (c->error) {
		e->errors += c->calls;
		e->error_weight += c->weight * (double)c->calls;
	}
	return add_durations(g, &e->durations, c);
}

int span__graph_put_caller(struct span_graph *g,
			   const struct span__graph_group *c, uint32_t from,
			   uint32_t to)
{
	struct span__graph_call call = {
		.from = from,
		.to = to,
		.kind = is_async(c) ? SPAN_GRAPH_ASYNC : SPAN_GRAPH_SYNC,
		.error = c->error,
		.calls = c->calls,
		.sum_ns = c->sum_ns,
		.weight = c->weight,
		.durations = c->durations,
	};

	return span__graph_put_call(g, &call);
}

bool span__graph_put_group(struct span_graph *g,
			   const struct span__graph_group *c, uint32_t to)
{
	uint64_t roots = c->parent == SPAN_PARENT_NONE ? c->calls : 0;
	uint64_t orphans = c->parent == SPAN_PARENT_ABSENT ? c->calls : 0;
	struct span_graph_node *n;

	g->sums.spans += c->calls;
	g->sums.roots += roots;
	g->sums.orphans += orphans;
	if (to == SPAN__NO_NODE) {
		g->sums.left_out += c->calls;
		return false;
	}
	n = span__graph_node(g, to);
	n->spans += c->calls;
	n->errors += c->error ? c->calls : 0;
	n->roots += roots;
	n->orphans += orphans;
	return c->parent == SPAN_PARENT_KNOWN;
}

static struct span_graph_node name_of(const struct span_graph *g,
				      struct span_str service,
				      struct span_str operation)
{
	struct span_graph_node n = {.service = service};

	if (g->o.by_operation)
		n.operation = operation;
	return n;
}

/*
 * C, which CALLED does; CALLER is looked at when C knows its parent. *TO is the
 * number of the node, SPAN__NO_NODE when it was left out.
 */
static int put_named(struct span_graph *g, const struct span__graph_group *c,
		     const struct span_graph_node *caller,
		     const struct span_graph_node *called, uint32_t *to)
{
	uint32_t from;
	int rc = span__graph_find_node(g, called, to);

	if (rc < 0 || !span__graph_put_group(g, c, *to))
		return rc;
	rc = span__graph_find_node(g, caller, &from);
	return rc < 0 ? rc : span__graph_put_caller(g, c, from, *to);
}

static int put_span(struct span_graph *g, const struct span_trace *t,
		    uint32_t i)
{
	const struct span_trace_node *place = &t->nodes[i];
	const struct span *s = &t->spans[i];
	struct span_graph_node caller = {0};
	struct span_graph_node called =
		name_of(g, s->process->service, s->name);
	struct span__graph_group c = {
		.kind = s->kind,
		.error = span_is_error(s),
		.follows = span__follows(s),
		.calls = 1,
		.weight = span__weight(s->trace_state),
		.sum_ns = s->duration_ns,
	};
	uint32_t node;
	int rc;

	if (place->flags & SPAN_TRACE_ORPHAN) {
		c.parent = SPAN_PARENT_ABSENT;
	} else if (place->parent != SPAN_TRACE_NONE) {
		const struct span *parent = &t->spans[place->parent];

		c.parent = SPAN_PARENT_KNOWN;
		c.caller_kind = parent->kind;
		caller = name_of(g, parent->process->service, parent->name);
	}
	rc = put_named(g, &c, &caller, &called, &node);
	if (rc < 0 || node == SPAN__NO_NODE)
		return rc;
	if (g->o.peers && !g->callers.p[i])
		rc = span__graph_put_peer(g, s, node);
	return !rc && g->o.links ? span__graph_put_links(g, s, node) : rc;
}

/* Which spans have a child in another service. */
static int mark_callers(struct span_graph *g, const struct span_trace *t)
{
	char *mark;

	g->callers.len = 0;
	mark = span__append_zeros(&g->callers, t->n);
	if (!mark)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < t->n; i++) {
		uint32_t parent = t->nodes[i].parent;

		if (parent != SPAN_TRACE_NONE &&
		    !span_str_equal(t->spans[parent].process->service,
				    t->spans[i].process->service))
			mark[parent] = 1;
	}
	return 0;
}

int span_graph_put(struct span_graph *g, const struct span_trace *t,
		   const uint8_t *counted, struct span_error *err)
{
	int rc = g->o.peers ? mark_callers(g, t) : 0;

	for (uint32_t i = 0; i < t->n && !rc; i++)
		if (!counted || counted[i])
			rc = put_span(g, t, i);
	if (rc < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	g->sums.traces++;
	return 0;
}

int span_graph_put_calls(struct span_graph *g, const struct span_store_calls *c,
			 struct span_error *err)
{
	struct span_graph_node called = name_of(g, c->service, c->name);
	struct span_graph_node caller =
		name_of(g, c->parent_service, c->parent_name);
	struct span__graph_group group = {
		.parent = c->parent,
		.caller_kind = c->parent_kind,
		.kind = c->kind,
		.error = c->error,
		.follows = c->follows,
		.calls = c->calls,
		.weight = c->weight,
		.sum_ns = c->sum_ns,
		.durations = c->sketch,
	};
	uint32_t node;

	if (put_named(g, &group, &caller, &called, &node) < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return 0;
}
