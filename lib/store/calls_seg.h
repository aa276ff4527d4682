/* SPDX-License-Identifier: Apache-2.0 */
/* calls_seg.h - a segment as calls_file.h reads it; for it only */
#ifndef SPAN_CALLS_SEG_H
#define SPAN_CALLS_SEG_H

#include "store/calls_file.h"

struct span__calls_seg {
	struct span__seg *seg;
	struct span__call_names *names;
	uint32_t *type_names; /* of each type; or one of these */
	bool any_loose;
	struct span__seg_walk walk;
	struct span_buf ids;  /* uint64_t, of a trace */
	struct span_buf path; /* uint32_t: the last node of each depth */
	struct span_arena arena;
};

#define CALLS_LOOSE UINT32_MAX
#define CALLS_UNKNOWN (UINT32_MAX - 1)

SPAN_NODISCARD int span__calls_seg_trace(struct span__calls_seg *s,
					 uint64_t trace,
					 struct span__call_trace *out,
					 struct span_error *err);

#endif
