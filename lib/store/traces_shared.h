/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traces_shared.h - which traces have spans in more than one file
 *
 * The traces of several segments are numbered on from one to the next. Ids are
 * told apart by most bits of their hashes: that two traces seem to be one
 * happens hardly ever, and only costs looking twice.
 */
#ifndef SPAN_TRACES_SHARED_H
#define SPAN_TRACES_SHARED_H

#include "store/seg_read.h"
#include "store/trace_set.h"

struct span__traces_shared {
	uint64_t *bits; /* one a trace */
	uint64_t n;	/* how many are set */
};

/*
 * Find the traces that several of the N segments have, or a segment and LOGS.
 * 0; SPAN_E_NOMEM; SPAN_E_LIMIT when there are 2^31 traces. OUT is released by
 * the caller, whatever is returned.
 */
SPAN_NODISCARD int span__traces_shared(struct span__traces_shared *out,
				       struct span__seg *const *segs, size_t n,
				       const struct span__trace_set *logs);
void span__traces_shared_release(struct span__traces_shared *s);

static inline bool span__traces_shared_has(const struct span__traces_shared *s,
					   uint64_t trace)
{
	return s->bits[trace / 64] >> trace % 64 & 1;
}

#endif
