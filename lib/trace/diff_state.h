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
	uint64_t spans[2], traces[2];
	uint64_t last;		 /* number of the last span that had it */
	struct diff_value *next; /* of the same path */
};

struct diff_side {
	uint64_t traces, failing, spans, errors, total_ns;
	/* Of each trace that has it: the mean duration, how many spans. */
	struct span_sketch durations, counts;
};

struct diff_path {
	uint64_t hash;
	uint32_t parent, first_child, last_child, next_sibling, depth;
	struct span_str service, name;
	struct diff_side side[2];
	struct diff_value *values;
	uint64_t seen; /* number of the last trace with it */
	uint64_t spans_seen, errors_seen, ns_seen; /* there */
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
	uint64_t traces[2], spans[2];
	uint64_t spans_left_out, values_left_out;
	uint64_t n_counted;   /* spans, which is the number of the last one */
	uint64_t trace_began; /* that number before the trace at hand */
	struct span_buf of_span, text;
	/* Of the last view. */
	struct span_diff_node *nodes;
	struct span_buf attrs;
};

#endif
