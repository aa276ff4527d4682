/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_judge.h - what a sink says of shapes
 *
 * Nearly all shapes have few spans: they are spelled from their symbols
 * (seg_shapes.h) into a struct on the spot. Those that lack what every trace
 * needs are passed over, and the others decoded.
 */
#ifndef SPAN_STORE_SHAPES_JUDGE_H
#define SPAN_STORE_SHAPES_JUDGE_H

#include "store/seg_read.h"
#include "store/store_shapes.h"

/* Zeroed but for the sink it is ready. */
struct span__shapes_judge {
	struct span__shapes_sink *sink;
	/* of the segment at hand */
	struct span__seg *seg;
	const uint8_t *told;
	const uint64_t *chosen;
	struct span_buf symbols; /* what counts of each, 32 bits */
	struct span_buf nodes;
	struct span__shape_few few;
	uint8_t turns[SPAN__SHAPE_FEW + 1];
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
