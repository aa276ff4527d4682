/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_scan.h - the spans of a scan out of one segment
 *
 * Conditions are resolved to types, strings and numbers once; then columns are
 * searched, and spans are decoded only where all conditions hold.
 */
#ifndef SPAN_SEG_SCAN_H
#define SPAN_SEG_SCAN_H

#include "store/seg_match.h"

struct span__seg_scan;

/*
 * 0, SPAN_E_NOMEM, SPAN_E_CORRUPT when nothing can be read, or what a function
 * of the range returned. S and FILTER are borrowed until close.
 */
SPAN_NODISCARD int span__seg_scan_open(struct span__seg_scan **out,
				       struct span__seg *s,
				       const struct span__filter *filter,
				       struct span_error *err);
/*
 * The next span, trace by trace. 1, 0 at the end or a negative code; *OUT is
 * valid until the next call. Damage is passed over: s->file.bad tells, and the
 * caller clears it.
 */
SPAN_NODISCARD int span__seg_scan_next(struct span__seg_scan *c,
				       struct span *out,
				       struct span_error *err);
/*
 * Add to *N how many next would return, from columns alone where they tell. 0
 * or a negative code. Nothing is left for next then.
 */
SPAN_NODISCARD int span__seg_scan_count(struct span__seg_scan *c, uint64_t *n,
					struct span_error *err);
void span__seg_scan_close(struct span__seg_scan **c);

#endif
