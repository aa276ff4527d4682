/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_tree.h"

#include "base/sort.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

struct node {
	uint32_t child, sibling; /* the first one, the next one, or NONE */
	uint32_t parent;
};

/* The item of the span with ID; NULL: there is none. */
static const struct span__item *find_id(const struct span__item *v, size_t n,
					uint64_t id)
{
	size_t from = 0;

	while (n) {
		size_t half = n / 2;

		if (v[from + half].key < id) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return &v[from];
}

/*
 * Everybody's parent into NODES, by the items V of the N spans. False when two
 * have one id, or a parent is not there.
 */
static bool find_parents(const struct span__asked *const *span, size_t n,
			 struct span__item *v, struct node *nodes)
{
	for (uint32_t i = 0; i < n; i++) {
		v[i] = (struct span__item){span[i]->id, i};
		nodes[i] = (struct node){NONE, NONE, NONE};
	}
	span__sort(v, v + n, n, NULL, NULL);
	for (size_t i = 1; i < n; i++)
		if (v[i].key == v[i - 1].key)
			return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t id = span[i]->parent_id;
		const struct span__item *found;

		if (!id)
			continue;
		found = find_id(v, n, id);
		if (found == v + n || found->key != id || found->i == i)
			return false;
		nodes[i].parent = found->i;
	}
	return true;
}

/* The same of few, without sorting them. */
static bool find_few_parents(struct span__few_parents *few,
			     const struct span__asked *const *span, size_t n,
			     struct node *nodes)
{
	struct span__member members[SPAN__FEW] = {0};

	for (size_t i = 0; i < n; i++)
		members[i] = (struct span__member){
			.id = span[i]->id, .parent_id = span[i]->parent_id};
	if (!span__parents_find_few(few, members, n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (span[i]->parent_id && few->parent[i] == NONE)
			return false;
		nodes[i] = (struct node){NONE, NONE, few->parent[i]};
	}
	return true;
}

/* As lists of children. Returns the first root. */
static uint32_t link_children(struct node *v, size_t n)
{
	uint32_t root = NONE;

	for (uint32_t i = (uint32_t)n; i-- > 0;) {
		uint32_t *list =
			v[i].parent == NONE ? &root : &v[v[i].parent].child;

		v[i].sibling = *list;
		*list = i;
	}
	return root;
}

/* In preorder into SHAPE: how many were reached, all but those in circles. */
static size_t walk(const struct span__asked *const *span, const struct node *v,
		   uint32_t root, struct span__shape_node *shape)
{
	uint32_t i = root, depth = 0;
	size_t n = 0;

	while (i != NONE) {
		shape[n++] = (struct span__shape_node){span[i]->chosen, depth};
		if (v[i].child != NONE) {
			i = v[i].child;
			depth++;
			continue;
		}
		while (v[i].sibling == NONE && v[i].parent != NONE) {
			i = v[i].parent;
			depth--;
		}
		i = v[i].sibling;
	}
	return n;
}

int span__shapes_tree(struct span__shapes_tree *t,
		      const struct span__asked *const *span, size_t n,
		      const struct span__shape_node **out)
{
	struct span__shape_node *shape;
	struct span__item *items;
	struct node *nodes;

	t->items.len = t->nodes.len = t->shape.len = 0;
	items = (void *)span_buf_reserve(&t->items, 2 * n * sizeof(*items));
	nodes = (void *)span_buf_reserve(&t->nodes, n * sizeof(*nodes));
	shape = (void *)span_buf_reserve(&t->shape, n * sizeof(*shape));
	if (!items || !nodes || !shape)
		return SPAN_E_NOMEM;
	*out = shape;
	if (n <= SPAN__FEW ? !find_few_parents(&t->few, span, n, nodes)
			   : !find_parents(span, n, items, nodes))
		return 0;
	return walk(span, nodes, link_children(nodes, n), shape) == n;
}

void span__shapes_tree_release(struct span__shapes_tree *t)
{
	span_buf_release(&t->items);
	span_buf_release(&t->nodes);
	span_buf_release(&t->shape);
}
