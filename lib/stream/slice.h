/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.h - a part of a frame's spans with the frame's own tables
 *
 * Spans are copied as the bytes they are. Another trace state is patched in:
 * its text goes into the table of strings once, and its number to where a span
 * has it.
 */
#ifndef SPAN_SLICE_H
#define SPAN_SLICE_H

#include "stream/writer.h"

/* Spans of a frame, and who says what their trace states become, or NULL. */
struct span__kept {
	struct span_frame *frame;
	const uint8_t *keep; /* a bit for each */
	uint32_t n;	     /* how many that are, one at least */
	span_trace_state_fn state;
	void *arg;
};

static inline bool span__is_kept(const uint8_t *keep, uint32_t i)
{
	return keep[i / 8] >> i % 8 & 1;
}

/* Zero it before its first use. */
struct span__slice {
	struct span_buf body;
	struct span_buf head, strings; /* the table's, and what is added */
	struct span_buf numbers;       /* of new trace states by old ones */
	uint32_t n_added;
};

/*
 * Fill in the tables and the body of PARTS, which borrow the frame's bytes and
 * S until its next use. 1; 0 when the frame would be above a limit, or would
 * have many new states; SPAN_E_CORRUPT, SPAN_E_NOMEM or the code of k->state.
 */
SPAN_NODISCARD int span__slice(struct span__slice *s,
			       const struct span__kept *k,
			       struct span__parts *parts,
			       struct span_error *err);
void span__slice_release(struct span__slice *s);

#endif
