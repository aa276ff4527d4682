/* SPDX-License-Identifier: Apache-2.0 */
/* tree_columns.h - columns of a tree that were chosen; for lib/render only */
#ifndef SPAN_RENDER_TREE_COLUMNS_H
#define SPAN_RENDER_TREE_COLUMNS_H

#include "render/tree_critical.h"
#include "render/tree_plan.h"

struct span__tree_column {
	struct span_render_column is;
	size_t width; /* the spaces before it included; not of the operation */
};

struct span__tree_columns {
	struct span__tree_column v[SPAN_RENDER_COLUMNS + 1];
	size_t n;
	size_t width; /* of all but the operation */
};

/*
 * The columns of O that have room in WIDTH beside an operation, which is
 * always one of them.
 */
void span__tree_columns_choose(struct span__tree_columns *c,
			       const struct span_render_opts *o,
			       const struct span_trace *t,
			       const struct span__tree_line *lines,
			       size_t n_lines, size_t width);

/* The name of a column in its width; of LINE what belongs there. */
void span__tree_column_head(struct span_buf *b,
			    const struct span_render_opts *o,
			    const struct span__tree_column *c);
void span__tree_column_put(struct span_buf *b, const struct span_render_opts *o,
			   const struct span__critical *critical,
			   const struct span__tree_line *line,
			   const struct span__tree_column *c);

#endif
