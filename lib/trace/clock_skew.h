/* SPDX-License-Identifier: Apache-2.0 */
/* clock_skew.h - whose clock is off by how much; for lib/trace only */
#ifndef SPAN_TRACE_CLOCK_SKEW_H
#define SPAN_TRACE_CLOCK_SKEW_H

#include <span/trace.h>

/* The last attribute of a span that was moved, or would have been. */
#define SPAN__KEY_MOVED SPAN_STR("spantools.clock_skew_ns")
#define SPAN__KEY_REFUSED SPAN_STR("spantools.clock_skew_refused_ns")

/* By how much a span's clock is behind, and whose clock that is. */
struct span__skew {
	struct span_str host; /* empty: not known */
	int64_t delta_ns;
	int64_t moved_ns; /* 0 when DELTA is too much */
};

/* SKEWS has one for each span of T. */
void span__skews_find(const struct span_trace *t, uint64_t max_ns,
		      struct span__skew *skews);

/* Append what tells P's host, for people; not escaped. */
void span__host_put(struct span_buf *b, const struct span_process *p);

#endif
