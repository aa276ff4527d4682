/* SPDX-License-Identifier: Apache-2.0 */
/* diff_state.h - what span_diff counts; for lib/trace only */
#ifndef SPAN_TRACE_DIFF_STATE_H
#define SPAN_TRACE_DIFF_STATE_H

#include <span/diff.h>

#include "base/hash.h"

#define NONE SPAN_TRACE_NONE

/* A value of an attribute of the spans of a path. */
struct diff_value {
	uint64_t hash;
	struct span_str key, value;
	uint64_t n[2];
	struct diff_value *next; /* of the same path */
};

struct diff_side {
	uint64_t traces, spans, errors, total_ns;
	struct span_sketch durations;
	struct span_sketch counts; /* spans of a trace, of those that have it */
};

struct diff_path {
	uint64_t hash;
	uint32_t parent, first_child, last_child, next_sibling, depth;
	struct span_str service, name;
	struct diff_side side[2];
	struct diff_value *values;
	uint64_t seen; /* number of the last trace with it */
	uint64_t in_trace;
	uint32_t next_seen; /* another path of that trace */
};

struct span_diff {
	struct span_diff_opts o;
	struct span__key secret;
	struct span_arena arena;
	struct diff_path **paths; /* by number */
	uint32_t *path_slots;	  /* number + 1 */
	struct diff_value **value_slots;
	uint32_t n_paths, first_root, last_root;
	size_t n_values;
	uint64_t traces[2], spans[2], left_out;
	struct span_buf of_span, text;
	/* Of the last view. */
	struct span_diff_node *nodes;
	struct span_buf attrs;
};

#endif
