/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/diff.h - two traces, or two sets of them, side by side
 *
 * Spans are put together by call path: the services and names from the root to
 * the span. What is compared for each path are how many spans a trace has of
 * it, how long they take, how many fail, and their attributes with those of
 * their processes.
 */
#ifndef SPAN_DIFF_H
#define SPAN_DIFF_H

#include <span/sketch.h>
#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds of memory: paths, values of attributes, bytes of one that count. */
#define SPAN_DIFF_PATHS (UINT32_C(1) << 17)
#define SPAN_DIFF_VALUES (UINT32_C(1) << 19)
#define SPAN_DIFF_VALUE_MAX 200u

enum { SPAN_DIFF_A, SPAN_DIFF_B };

enum span_diff_change {
	SPAN_DIFF_ADDED = 1 << 0,   /* B only */
	SPAN_DIFF_REMOVED = 1 << 1, /* A only */
	SPAN_DIFF_COUNT = 1 << 2,
	SPAN_DIFF_DURATION = 1 << 3,
	SPAN_DIFF_ERRORS = 1 << 4,
};

/* Zero means the default. */
struct span_diff_opts {
	bool exact_names; /* else names are templates, see span/findings.h */
	bool no_attrs;	  /* do not look at attributes */
	/*
	 * Durations differ when they do by more than both, counts by more than
	 * the ratio.
	 */
	double ratio;	 /* 0.1 */
	uint64_t min_ns; /* 1 ms */
	double max_q;	 /* of sets: 0.05 */
};

struct span_diff_attr {
	struct span_str key, value; /* as text */
	uint64_t n[2];		    /* spans of A and B that have it */
	double q;		    /* of sets */
};

struct span_diff_node {
	uint32_t parent; /* or SPAN_TRACE_NONE */
	uint32_t depth;
	struct span_str service, name;
	struct {
		uint64_t traces; /* that have it */
		uint64_t spans, errors;
		/* The mean of one trace each, the median of sets. */
		uint64_t typical_ns;
		/* Spans, by the traces that have the path above. */
		double per_trace;
	} side[2];
	unsigned changes; /* SPAN_DIFF_* */
	bool below;	  /* a path below it has changes or attributes */
	/*
	 * Of sets: how probable so much of a difference is if there was none,
	 * in view of all that was tested; 1 for traces.
	 */
	double q_count, q_duration, q_errors;
	/* That differ: by key, those of A before those of B. */
	const struct span_diff_attr *attrs;
	size_t n_attrs;
};

struct span_diff;

struct span_diff_view {
	/* In preorder, siblings as they were first seen. */
	const struct span_diff_node *nodes;
	size_t n_nodes, n_changed;
	uint64_t traces[2], spans[2];
	bool sets;	   /* more than one trace on a side */
	uint64_t left_out; /* spans or values without room */
};

SPAN_API SPAN_NODISCARD int span_diff_open(struct span_diff **out,
					   const struct span_diff_opts *o,
					   struct span_error *err);
/* Add T to a side. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_diff_put(struct span_diff *d, int side,
					  const struct span_trace *t,
					  struct span_error *err);
/*
 * Compare. One trace on each side differs where numbers do; sets where
 * Mann and Whitney's test of counts and durations, or Fisher's of errors and
 * attributes, says so at max_q after the correction of Benjamini and Hochberg
 * for all that was tested; that takes 8 traces on each side at least. *V is
 * valid until the next call on D. 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_diff_view(struct span_diff *d,
					   struct span_diff_view *v,
					   struct span_error *err);
SPAN_API void span_diff_close(struct span_diff **d);

#ifdef __cplusplus
}
#endif
#endif
