/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_cursor.h - the spans of a scan, for stores that keep frames
 */
#ifndef SPAN_STORE_CURSOR_H
#define SPAN_STORE_CURSOR_H

#include "store/frame_judge.h"

/* Embedded first in the cursor of an implementation. */
struct span__frame_cursor {
	struct span_cursor base;
	struct span__filter filter;
	struct span__judge judge;
	struct span_frame *frame;
	uint32_t next, n_spans; /* of the frame, which was judged */
	bool is_bad;		/* after these spans it is damaged */
	struct span_error why;
	/*
	 * The bytes of the next frame, valid until the next call: 1, 0 at the
	 * end, or a negative code. Their checksum was checked, or they were
	 * never on a disk. It may leave out what span__scan_overlaps() says
	 * has none of the spans.
	 */
	int (*next_frame)(struct span__frame_cursor *c, struct span_str *out,
			  struct span_error *err);
	/* The frame that came last is damaged, as WHY says. */
	void (*bad_frame)(struct span__frame_cursor *c,
			  const struct span_error *why);
};

/* Fill in the base and the frame; next_frame and bad_frame are set. */
SPAN_NODISCARD int span__frame_cursor_init(struct span__frame_cursor *c,
					   const struct span__cursor_ops *ops,
					   const struct span__scan *scan,
					   struct span_error *err);
void span__frame_cursor_release(struct span__frame_cursor *c);

/* The count function of struct span__cursor_ops. */
SPAN_NODISCARD int span__frame_cursor_count(struct span_cursor *c, uint64_t *n,
					    struct span_error *err);

/* The next function of struct span__cursor_ops. */
SPAN_NODISCARD int span__frame_cursor_next(struct span_cursor *c,
					   struct span *out,
					   struct span_error *err);

/* May spans between these times be in the scan? */
bool span__scan_overlaps(const struct span__scan *scan, uint64_t min_start_ns,
			 uint64_t max_end_ns);

#endif
