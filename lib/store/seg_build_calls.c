/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who called whom, for the aggregates. Where no two spans of a trace have one
 * id, the tree that is stored is also the tree that is meant; for others it is
 * found as span/trace.h says.
 */
#include "store/seg_build_state.h"

#include "base/sort.h"

#include "base/banned.h"

static int put(struct span__seg_builder *b, struct span__build_order *o,
	       const struct span__tree_node *node, uint64_t parent,
	       struct span_error *err)
{
	return span__agg_writer_put(o->calls, parent, node->type, node->start,
				    span__build_spans(b)[node->span].duration,
				    err);
}

static uint64_t stored_parent(const struct span__build_tree *t,
			      const struct span__tree_node *node)
{
	if (node->parent != UINT32_MAX)
		return SEG_PARENT_TYPE + (uint64_t)t->nodes[node->parent].type;
	if (node->cut || !node->parent_id || node->parent_id == node->id)
		return SEG_PARENT_NONE;
	return SEG_PARENT_ABSENT;
}

/* The spans in order of start into items[], and to MEMBERS. */
static void list_members(struct span__seg_builder *b,
			 struct span__build_tree *t,
			 struct span__member *members, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		t->items[i] = (struct span__item){t->nodes[i].start, i};
	span__sort(t->items, t->items + n, n, NULL, NULL);
	for (uint32_t i = 0; i < n; i++) {
		const struct span__tree_node *node = &t->nodes[t->items[i].i];
		const struct span__build_span *s =
			&span__build_spans(b)[node->span];

		members[i] = (struct span__member){
			.id = node->id,
			.parent_id = node->parent_id,
			.service = b->services[node->process],
			.kind = span__build_types(b)[s->type].type.kind,
		};
	}
}

static int put_meant(struct span__seg_builder *b, struct span__build_order *o,
		     uint32_t n, struct span_error *err)
{
	struct span__build_tree *t = &o->tree;
	struct span__member *members;
	int rc = SPAN_E_NOMEM;

	o->members.len = 0;
	members = (void *)span_buf_reserve(&o->members, n * sizeof(*members));
	if (members) {
		list_members(b, t, members, n);
		rc = span__parents_find(&o->parents, members, n);
	}
	if (rc < 0)
		return span_error_set(err, rc, "no memory for a trace");
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		uint32_t p = o->parents.parent[i];
		uint64_t parent = SEG_PARENT_NONE;

		if (p != SPAN_TRACE_NONE)
			parent = SEG_PARENT_TYPE +
				 (uint64_t)t->nodes[t->items[p].i].type;
		else if (o->parents.flags[i] & SPAN_TRACE_ORPHAN)
			parent = SEG_PARENT_ABSENT;
		rc = put(b, o, &t->nodes[t->items[i].i], parent, err);
	}
	return rc;
}

int span__build_calls(struct span__seg_builder *b, struct span__build_order *o,
		      uint32_t n, struct span_error *err)
{
	int rc = 0;

	if (o->tree.shared)
		return put_meant(b, o, n, err);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		const struct span__tree_node *node = &o->tree.nodes[i];

		rc = put(b, o, node, stored_parent(&o->tree, node), err);
	}
	return rc;
}
