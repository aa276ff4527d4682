/* SPDX-License-Identifier: Apache-2.0 */
/* seg_scan_state.h - a scan of a segment, as its files share it */
#ifndef SPAN_SEG_SCAN_STATE_H
#define SPAN_SEG_SCAN_STATE_H

#include "store/seg_match.h"
#include "store/seg_scan.h"

#define SEG_SCAN_WINDOW 256u /* spans of a trace that are decoded at once */

struct span__seg_scan {
	struct span__seg *s;
	const struct span__filter *filter;
	struct span__seg_match match;
	uint8_t *blocks; /* enum span__block_use of each; NULL: by ids */
	uint32_t *hits;	 /* of each block */
	bool planned;	 /* blocks without spans of the scan are out */
	bool checked;	 /* only spans that must be checked are walked */
	/* the traces of a search by ids, ascending */
	uint64_t *traces;
	size_t n_traces, next_trace;
	/* the walk */
	struct span__seg_walk walk;
	uint64_t block; /* how many were gone through */
	uint64_t left;	/* hits in this block that were not come to yet */
	bool times;	/* the starts in this block must be looked at */
	struct span__seg_place place;
	struct span_buf keep; /* a bit for each span of the trace */
	size_t from, n, at;   /* the window, and the next span in it */
	uint64_t read[SEG_SCAN_WINDOW / 64];
	struct span_arena arena;
	struct span_buf text;
	struct span spans[SEG_SCAN_WINDOW]; /* the last: not zeroed */
};

/*
 * Choose the spans of C->place that are in the scan, as far as columns tell, in
 * C->keep: *N of them. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_scan_choose(struct span__seg_scan *c, size_t *n,
					 struct span_error *err);

#endif
