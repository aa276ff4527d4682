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

/* Sets of fewer traces, on either side, are not tested. */
#define SPAN_DIFF_MIN_TRACES 8u

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

struct span_diff_opts {
	bool exact_names; /* else names are templates, see span/findings.h */
	bool no_attrs;	  /* do not look at attributes */
	/*
	 * Durations differ when they do by more than both, counts by more than
	 * the ratio; what is on one side only always does.
	 */
	double ratio;
	uint64_t min_ns;
	double max_q; /* of sets */
};

#define SPAN_DIFF_DEFAULTS                                                     \
	{                                                                      \
		.ratio = 0.1, .min_ns = 1000000, .max_q = 0.05                 \
	}

struct span_diff_attr {
	struct span_str key, value; /* as text */
	/* Spans of A and B that have it, and traces with such a span. */
	uint64_t spans[2], traces[2];
	double q; /* of sets */
};

struct span_diff_node {
	uint32_t parent; /* or SPAN_TRACE_NONE */
	uint32_t depth;
	struct span_str service, name;
	struct {
		uint64_t traces;    /* that have it */
		uint64_t of_traces; /* that have the path above */
		uint64_t failing;   /* traces in which a span of it fails */
		uint64_t spans, errors;
		/* The mean; of sets the median of the means of the traces. */
		uint64_t typical_ns;
		double per_trace; /* spans, by of_traces */
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
	bool sets;   /* more than one trace on a side */
	bool tested; /* sets with enough traces */
	uint64_t spans_left_out, values_left_out; /* without room */
};

/* Without options O has the defaults. 0, SPAN_E_NOMEM or SPAN_E_IO. */
SPAN_API SPAN_NODISCARD int span_diff_open(struct span_diff **out,
					   const struct span_diff_opts *o,
					   struct span_error *err);
/* Add T to a side. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_diff_put(struct span_diff *d, int side,
					  const struct span_trace *t,
					  struct span_error *err);
/*
 * Compare. One trace on each side differs where numbers do; sets where
 * Mann and Whitney's test of counts and durations, or Fisher's of failures and
 * attributes, says so too, at max_q after the correction of Benjamini and
 * Hochberg for all tests that were made. What is tested has one value a trace,
 * as the spans of one are no independent samples. Sets with fewer traces than
 * SPAN_DIFF_MIN_TRACES are not tested: CHANGES are then what numbers say, no
 * verdict, and there are no attributes. *V is valid until the next call on D.
 * 0 or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_diff_view(struct span_diff *d,
					   struct span_diff_view *v,
					   struct span_error *err);
SPAN_API void span_diff_close(struct span_diff **d);

#ifdef __cplusplus
}
#endif
#endif
