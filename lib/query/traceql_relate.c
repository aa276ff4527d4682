/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is whose child, descendant, sibling: one walk through the trees in
 * preorder, with the spans from the root to here as a path. Groups are told
 * apart by counting each on its own, so that a trace of any shape takes time
 * in proportion to its spans.
 */
#include "query/traceql.h"

#include "base/banned.h"

static void children(const struct span_trace *t, const uint32_t *from,
		     const uint32_t *to, uint8_t *hit)
{
	for (size_t i = 0; i < t->n; i++) {
		uint32_t parent = t->nodes[i].parent;

		if (to[i] && parent != SPAN_TRACE_NONE)
			hit[i] = from[parent] == to[i];
	}
}

static void parents(const struct span_trace *t, const uint32_t *from,
		    const uint32_t *to, uint8_t *hit)
{
	for (size_t i = 0; i < t->n; i++) {
		uint32_t parent = t->nodes[i].parent;

		if (from[i] && parent != SPAN_TRACE_NONE &&
		    to[parent] == from[i])
			hit[parent] = 1;
	}
}

/* COUNT has how often each group of FROM is on the path. */
static int descendants(struct tql_run *r, const uint32_t *from,
		       const uint32_t *to, uint8_t *hit)
{
	const struct span_trace *t = r->t;
	uint32_t *path = span__tql_array(r), *count = span__tql_array(r);
	uint32_t depth = 0;

	if (!path || !count)
		return span__tql_nomem_run(r);
	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k];

		while (depth > t->nodes[i].depth)
			count[from[path[--depth]]]--;
		hit[i] = to[i] && count[to[i]];
		path[depth++] = i;
		count[from[i]]++;
	}
	return 0;
}

/* COUNT has how many of each group of FROM were met; SEEN what it was. */
static int ancestors(struct tql_run *r, const uint32_t *from,
		     const uint32_t *to, uint8_t *hit)
{
	const struct span_trace *t = r->t;
	uint32_t *path = span__tql_array(r), *count = span__tql_array(r);
	uint32_t *seen = span__tql_array(r);
	uint32_t depth = 0;

	if (!path || !count || !seen)
		return span__tql_nomem_run(r);
	for (size_t k = 0; k <= t->n; k++) {
		uint32_t below = k < t->n ? t->nodes[t->order[k]].depth : 0;
		uint32_t i;

		while (depth > below) {
			i = path[--depth];
			hit[i] = to[i] && count[to[i]] > seen[i];
		}
		if (k == t->n)
			break;
		i = t->order[k];
		path[depth++] = i;
		count[from[i]]++;
		seen[i] = count[to[i]];
	}
	return 0;
}

/* The spans from FIRST on, all with one parent. */
static void one_family(const struct span_trace *t, uint32_t first,
		       const uint32_t *from, const uint32_t *to,
		       uint32_t *count, uint8_t *hit)
{
	const struct span_trace_node *nodes = t->nodes;
	const uint32_t none = SPAN_TRACE_NONE;

	for (uint32_t i = first; i != none; i = nodes[i].next_sibling)
		count[from[i]]++;
	for (uint32_t i = first; i != none; i = nodes[i].next_sibling)
		hit[i] = to[i] && count[to[i]] > (from[i] == to[i]);
	for (uint32_t i = first; i != none; i = nodes[i].next_sibling)
		count[from[i]] = 0;
}

static int siblings(struct tql_run *r, const uint32_t *from, const uint32_t *to,
		    uint8_t *hit)
{
	uint32_t *count = span__tql_array(r);

	if (!count)
		return span__tql_nomem_run(r);
	for (size_t i = 0; i < r->t->n; i++)
		one_family(r->t, r->t->nodes[i].first_child, from, to, count,
			   hit);
	return 0;
}

int span__tql_relate(struct tql_run *r, enum tql_set_op op,
		     const uint32_t *from, const uint32_t *to, uint8_t *hit)
{
	switch (op) {
	case TQL_CHILD:
		children(r->t, from, to, hit);
		return 0;
	case TQL_PARENT_OF:
		parents(r->t, from, to, hit);
		return 0;
	case TQL_DESCENDANT:
		return descendants(r, from, to, hit);
	case TQL_ANCESTOR:
		return ancestors(r, from, to, hit);
	default:
		return siblings(r, from, to, hit);
	}
}
