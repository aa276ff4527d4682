/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_judge.h - what a sink says of shapes, asked as seldom as can be
 *
 * A symbol of a shape (seg_shapes.h) is of a class: what is chosen of its type,
 * and its turn. The classes of a shape's symbols, a byte each, are all that the
 * answer depends on, whatever segment it is in.
 */
#ifndef SPAN_STORE_SHAPES_JUDGE_H
#define SPAN_STORE_SHAPES_JUDGE_H

#include "store/seg_read.h"
#include "store/shapes_memo.h"
#include "store/store_shapes.h"

#define SHAPES_CLASSES 256u

/* Zeroed but for the sink it is ready. */
struct span__shapes_judge {
	struct span__shapes_sink *sink;
	struct span__shapes_memo memo;
	struct span__shapes_class {
		uint64_t chosen;
		uint32_t turn;
	} classes[SHAPES_CLASSES];
	size_t n_classes;
	uint8_t flags[SHAPES_CLASSES];
	uint16_t by_hash[4 * SHAPES_CLASSES]; /* 0: free */
	/* of the segment at hand */
	struct span__seg *seg;
	const uint8_t *told;
	const uint64_t *chosen;
	struct span_buf symbols; /* the class of each */
	struct span_buf text, nodes;
};

enum span__shapes_verdict {
	SHAPES_UNTOLD = 0, /* a type does not tell, or there is damage */
	SHAPES_UNNEEDED,   /* it has nothing of what is needed */
	SHAPES_TOLD,
};

/*
 * Go on with the shapes of SEG, of whose types each has TOLD, and CHOSEN. 0 or
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__shapes_judge_segment(struct span__shapes_judge *j,
					      struct span__seg *seg,
					      const uint8_t *told,
					      const uint64_t *chosen,
					      struct span_error *err);
/*
 * Shape I of it: a verdict, with *MATCHED of its spans when it is told, or a
 * negative code. Quick when shapes ascend.
 */
SPAN_NODISCARD int span__shapes_judge_shape(struct span__shapes_judge *j,
					    uint64_t i, uint32_t *matched,
					    struct span_error *err);
/* The same of N nodes; 0 or a negative code. */
SPAN_NODISCARD int span__shapes_judge_nodes(struct span__shapes_judge *j,
					    const struct span__shape_node *v,
					    size_t n, uint32_t *matched,
					    struct span_error *err);
void span__shapes_judge_release(struct span__shapes_judge *j);

#endif
