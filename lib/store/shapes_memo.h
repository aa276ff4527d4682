/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shapes_memo.h - shapes that were judged, and what came of it
 *
 * Many shapes differ only in what nobody asks for. What matters of one is a
 * text: who has the same text has the same answer. Those that come when the
 * memory is full are judged again.
 */
#ifndef SPAN_STORE_SHAPES_MEMO_H
#define SPAN_STORE_SHAPES_MEMO_H

#include "base/hash.h"

/* A zeroed struct is ready. */
struct span__shapes_memo {
	struct span__key key;
	struct span__memo_shape {
		uint64_t hash;
		uint32_t at, len; /* of its text; 0 long: a free place */
		uint32_t matched;
	} * places;
	size_t n;
	struct span_buf texts;
	uint64_t hash; /* of the one that was looked for last */
};

/*
 * Look for the shape with TEXT, which is not empty: 1 with *MATCHED; 0 when it
 * is not there; or a negative code.
 */
SPAN_NODISCARD int span__shapes_memo_find(struct span__shapes_memo *m,
					  struct span_str text,
					  uint32_t *matched,
					  struct span_error *err);
/* What came of TEXT, which was just not there. It may not be kept. */
void span__shapes_memo_put(struct span__shapes_memo *m, struct span_str text,
			   uint32_t matched);
void span__shapes_memo_release(struct span__shapes_memo *m);

#endif
