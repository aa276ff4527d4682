/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_blocks.h - which blocks of a segment have to be walked for a scan
 */
#ifndef SPAN_SEG_BLOCKS_H
#define SPAN_SEG_BLOCKS_H

#include "store/seg_match.h"

enum span__block_use {
	SEG_BLOCK_OUT = 0, /* nothing is in the scan */
	SEG_BLOCK_IN,	   /* all starts are between the times */
	SEG_BLOCK_PART,
};

/*
 * Fill in USE (n_blocks) by the times of RANGE, or NULL. False when all blocks
 * are out.
 */
bool span__blocks_between(uint8_t *use, struct span__seg *s,
			  const struct span_range *range);

/*
 * Add to HITS, of each block, how many spans of M it has to be walked for, and
 * put those blocks out that have none. When only COUNT (or NULL) is asked for,
 * spans of which columns tell all are added to it in blocks that lie between
 * the times, and are no reason to walk. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__blocks_plan(uint8_t *use, uint32_t *hits,
				     struct span__seg_match *m, uint64_t *count,
				     struct span_error *err);

#endif
