/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_part.h - the spans that a segment has of a trace, by their ids
 *
 * A trace that is in several files is put together of what each has: who is
 * whose parent is told by ids then, as in a log, and no span is decoded.
 */
#ifndef SPAN_STORE_SHAPES_PART_H
#define SPAN_STORE_SHAPES_PART_H

#include "store/seg_read.h"
#include "store/shapes_tree.h"

/* Parts of a segment. Zeroed but for the segment, which is loaded, it is
 * ready. */
struct span__shapes_parts {
	struct span__seg *seg;
	uint64_t trace, end, span; /* counted up to here, in a block */
	struct span_buf nodes;	   /* struct span__asked */
};

/*
 * The N spans of TRACE, a shape of types of which each has TOLD and CHOSEN:
 * *OUT, valid until the next call. 1; 0 when a type does not tell, or there is
 * damage, and the file is marked; or SPAN_E_NOMEM. Quick when traces ascend.
 */
SPAN_NODISCARD int span__shapes_part(struct span__shapes_parts *p,
				     uint64_t trace, const uint8_t *told,
				     const uint64_t *chosen,
				     const struct span__asked **out, size_t *n);
void span__shapes_parts_release(struct span__shapes_parts *p);

#endif
