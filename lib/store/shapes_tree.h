/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_tree.h - a trace of a log as a shape: the tree of its parent ids
 */
#ifndef SPAN_STORE_SHAPES_TREE_H
#define SPAN_STORE_SHAPES_TREE_H

#include "store/store_shapes.h"
#include "trace/parents.h"

/* A span that was asked. */
struct span__asked {
	uint64_t id, parent_id; /* as big-endian values */
	uint64_t chosen;
	uint32_t trace;
};

/* Room for the work on a trace. A zeroed struct is empty; reuse it. */
struct span__shapes_tree {
	struct span__few_parents few;
	struct span_buf items, nodes, shape;
};

/*
 * The N spans in preorder: 1 with *OUT, which is valid until the next call; 0
 * when two have one id, a parent is not there, or some go in a circle; or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__shapes_tree(struct span__shapes_tree *t,
				     const struct span__asked *const *span,
				     size_t n,
				     const struct span__shape_node **out);
void span__shapes_tree_release(struct span__shapes_tree *t);

#endif
