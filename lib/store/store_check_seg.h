/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_check_seg.h - whether all of a segment is as it was written
 */
#ifndef SPAN_STORE_CHECK_SEG_H
#define SPAN_STORE_CHECK_SEG_H

#include "store/seg_read.h"

/*
 * Check every byte, read every span, and compare them with all that a segment
 * says of them in advance: directory, bounds, counts, aggregates. COMPLAIN is
 * called with the place of each damage; below 0 ends it. 0, what COMPLAIN
 * returned, or a negative code.
 */
SPAN_NODISCARD int span__segment_verify(struct span__seg *s,
					int (*complain)(void *arg,
							const char *text),
					void *arg, struct span_error *err);

#endif
