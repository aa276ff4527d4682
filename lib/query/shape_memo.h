/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape_memo.h - shapes that were judged, and what came of it
 *
 * Many shapes differ only in what the expression does not ask for: of each
 * span remain two bytes, what was chosen of it and its depth. Shapes that do
 * not fit these, and those that come when the memory is full, are judged again.
 */
#ifndef SPAN_QUERY_SHAPE_MEMO_H
#define SPAN_QUERY_SHAPE_MEMO_H

#include "base/hash.h"
#include "store/store_shapes.h"

/* A zeroed struct is ready. */
struct span__shape_memo {
	struct span__key key;
	struct span__memo_shape {
		uint64_t hash;
		uint32_t at, len; /* of its bytes; 0 long: a free place */
		uint32_t matched;
	} * places;
	size_t n;
	struct span_buf bytes;
	struct span_buf asked; /* the shape that was looked for last */
	uint64_t hash;	       /* of it */
};

/*
 * Look for a shape of N nodes: 1 with *MATCHED; 0 when it is not there, or is
 * one that does not fit; or a negative code.
 */
SPAN_NODISCARD int span__shape_memo_find(struct span__shape_memo *m,
					 const struct span__shape_node *v,
					 size_t n, uint32_t *matched,
					 struct span_error *err);
/* What came of the one that was not there. It may not be kept. */
void span__shape_memo_put(struct span__shape_memo *m, uint32_t matched);
void span__shape_memo_release(struct span__shape_memo *m);

#endif
