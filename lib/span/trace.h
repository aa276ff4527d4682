/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/trace.h - spans put together to a trace
 *
 * A trace is built from any spans that share a trace id, in any order: with
 * several roots, missing parents, parents in a circle, spans that are their
 * own parent, span ids that two spans share (a Zipkin client and server),
 * duplicates. Every span has exactly one place in the tree. Nothing recurses.
 */
#ifndef SPAN_TRACE_H
#define SPAN_TRACE_H

#include <span/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_TRACE_NONE UINT32_MAX

enum span_trace_flag {
	SPAN_TRACE_ORPHAN = 1 << 0,  /* names a parent that is not there */
	SPAN_TRACE_CYCLE = 1 << 1,   /* its parents form a circle, cut here */
	SPAN_TRACE_SHARED = 1 << 2,  /* another span has the same id */
	SPAN_TRACE_FOLLOWS = 1 << 3, /* its parent is a FOLLOWS_FROM one */
};

/*
 * A span's place. Indices are into the trace's spans; children are in order
 * of start, then of arrival.
 */
struct span_trace_node {
	uint32_t parent, first_child, next_sibling; /* or SPAN_TRACE_NONE */
	uint32_t depth;				    /* of a root: 0 */
	uint32_t flags;				    /* SPAN_TRACE_* */
};

struct span_trace {
	uint8_t trace_id[16];
	const struct span *spans;	     /* by start, then by arrival */
	const struct span_trace_node *nodes; /* one per span */
	const uint32_t *order; /* all spans, parents before children */
	size_t n;
	uint32_t root; /* the best root: no parent before a missing parent,
			* then the earliest */
	uint64_t start_ns, end_ns; /* of all spans */
	size_t n_errors, n_orphans, n_roots, n_services;
	size_t n_duplicates; /* spans equal in every field, left out */
};

/*
 * Gathers the spans of one trace. A zeroed struct is empty.
 */
struct span_trace_builder {
	struct span_arena arena;
	struct span_buf spans;
	struct span_buf scratch;
};

/* Copy a span in. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_trace_builder_put(struct span_trace_builder *b,
						   const struct span *s,
						   struct span_error *err);

/*
 * Put together what was gathered. *OUT and all it points to belong to the
 * builder until its next call. 0, SPAN_E_INVALID when nothing was put, or
 * SPAN_E_NOMEM. Time and memory are O(n log n) and O(n) for any input.
 */
SPAN_API SPAN_NODISCARD int
span_trace_builder_build(struct span_trace_builder *b, struct span_trace *out,
			 struct span_error *err);

/* Empty it for the next trace; release gives the memory back too. */
SPAN_API void span_trace_builder_reset(struct span_trace_builder *b);
SPAN_API void span_trace_builder_release(struct span_trace_builder *b);

#ifdef __cplusplus
}
#endif
#endif
