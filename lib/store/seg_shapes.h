/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_shapes.h - the shapes of traces: each different tree of types once
 *
 * A shape lists the spans of a trace in preorder, children of one span in the
 * order of (type, start, id): a type and a link each. The link is 0 for a span
 * without a parent id; 1 for one whose parent id is stored apart (it is not in
 * the trace here, or would close a circle); else 1 + depth, the parent being
 * the nearest span before it whose depth is one less. Spans with link 0 or 1
 * have depth 0; their start slot counts from the start of the trace.
 *
 * The section: the number of symbols, as a column of one; the symbols' types
 * and their turns, as two columns; the end of each shape, as a column; then
 * chunks, of which each shape takes a piece: symbol numbers, 7 bits a byte,
 * the lowest first, with the highest bit set on all bytes but the last. A turn
 * is 0 or 1 as a link is; else 2 and how many levels up from a child of the
 * span before. Frequent symbols have small numbers.
 */
#ifndef SPAN_SEG_SHAPES_H
#define SPAN_SEG_SHAPES_H

#include "store/seg_chunks.h"

struct span__seg_node {
	uint32_t type, link;
};

#define SEG_SHAPE_KEPT 4096u /* nodes of a shape that is kept once read */

#define SEG_LINK_NONE 0u
#define SEG_LINK_EXPLICIT 1u

/* Gathers shapes; each gets a number by first use. */
struct span__shapes_writer;
SPAN_NODISCARD int span__shapes_writer_open(struct span__shapes_writer **out,
					    enum span__seg_codec codec,
					    struct span_error *err);
/* The number of the shape of N nodes, or a negative code. */
int64_t span__shapes_writer_put(struct span__shapes_writer *w,
				const struct span__seg_node *v, size_t n,
				struct span_error *err);
uint64_t span__shapes_writer_count(const struct span__shapes_writer *w);
size_t span__shapes_writer_memory(const struct span__shapes_writer *w);
/*
 * Append the section to OUT, of a segment of N_SPANS: few shapes, of two nodes
 * for five spans at most, are not compressed, as nearly all searches read them.
 * 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__shapes_writer_finish(struct span__shapes_writer *w,
					      uint64_t n_spans,
					      struct span_buf *out,
					      struct span_error *err);
void span__shapes_writer_close(struct span__shapes_writer **w);

/* Reading; what was read is kept as long as it is open. */
struct span__shapes;
SPAN_NODISCARD int span__shapes_open(struct span__shapes **out,
				     const struct span__area *area, uint64_t n,
				     uint64_t n_types, struct span_error *err);
/*
 * The nodes of shape I: true with *V (valid until close; for shapes above
 * 4096 nodes until the next call) and *N. Links are checked to make a tree,
 * types to be below n_types. False when it is damaged or memory is out.
 */
bool span__shapes_get(struct span__shapes *s, uint64_t i,
		      const struct span__seg_node **v, size_t *n);
/*
 * The same for who looks at each shape once, one after another: none is kept,
 * *V is valid until the next call.
 */
bool span__shapes_read(struct span__shapes *s, uint64_t i,
		       const struct span__seg_node **v, size_t *n);
/*
 * For who asks what shapes have in common: the symbols, each with a turn for a
 * link, which live as long as S; returns how many there are. And shape I as it
 * is stored, until the next call: quick when shapes ascend, and not checked to
 * be whole. False when it is damaged or memory is out.
 */
size_t span__shapes_symbols(const struct span__shapes *s,
			    const struct span__seg_node **v);
bool span__shapes_piece(struct span__shapes *s, uint64_t i,
			struct span_str *out);
/* How many spans shape I has; 0 when it is damaged, and the file is marked. */
size_t span__shapes_size(struct span__shapes *s, uint64_t i);
/* Memory that they hold. */
size_t span__shapes_held(const struct span__shapes *s);
void span__shapes_close(struct span__shapes **s);

#endif
