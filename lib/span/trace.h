/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/trace.h - spans put together to a trace
 *
 * A trace is built from any spans that share a trace id, in any order: with
 * several roots, missing parents, parents in a circle, spans that are their
 * own parent, span ids that several spans share (a Zipkin client and server),
 * duplicates. Every span has exactly one place in the tree. Nothing recurses,
 * and neither time nor result depends on chance.
 *
 * A span's parent is found so:
 *
 *  - A span that names no parent, or its own id, has none.
 *  - A span of kind server whose id a client span has too is a child of that
 *    client (of the earliest): Zipkin gives both sides of a call one id.
 *  - Else it is the span with the id that is named. Where several have it: one
 *    of the same service as the child, of these a server, of these the
 *    earliest; where none is of that service: the earliest server, without a
 *    server the earliest span. So what a Zipkin server calls goes below the
 *    server, what its client does beside the call below the client.
 *  - Of spans that are their own ancestors the earliest loses its parent.
 *
 * Earliest means by start, then by arrival.
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
	SPAN_TRACE_SHARED = 1 << 2,  /* another span has the same id, not 0 */
	SPAN_TRACE_FOLLOWS = 1 << 3, /* its parent is a FOLLOWS_FROM one only */
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
	/*
	 * All spans, each tree in preorder: the best root's tree first, then
	 * those of the other roots as they start.
	 */
	const uint32_t *order;
	size_t n;
	/*
	 * The best root: one that names no parent before an orphan before a
	 * cut circle, then the earliest.
	 */
	uint32_t root;
	uint64_t start_ns, end_ns; /* of all spans */
	size_t n_errors, n_orphans;
	size_t n_roots; /* spans without a parent here, orphans too */
	size_t n_services;
	size_t n_duplicates; /* spans equal in every field, left out */
};

/*
 * Gathers the spans of one trace. A zeroed struct is empty. Memory is that of
 * the spans, their processes shared, and some 130 bytes a span in build.
 */
struct span_trace_builder {
	struct span_arena arena;
	struct span_buf spans;
	struct span_buf scratch;
	/* Different processes by hash, so that equal ones are kept once. */
	const struct span_process **processes;
	size_t n_slots, n_duplicates;
	/* Set it to keep duplicates, as spans like any other. */
	bool keep_duplicates;
};

/*
 * Copy a span in. 0, SPAN_E_INVALID when it is of another trace than those
 * before, SPAN_E_LIMIT after 2^32 - 2 spans, or SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_trace_builder_put(struct span_trace_builder *b,
						   const struct span *s,
						   struct span_error *err);

/*
 * Put together what was gathered; more may be put afterwards. *OUT and all it
 * points to belong to the builder until its next call. 0, SPAN_E_INVALID when
 * nothing was put, or SPAN_E_NOMEM. Time and memory are O(n log n) and O(n) for
 * any input.
 */
SPAN_API SPAN_NODISCARD int
span_trace_builder_build(struct span_trace_builder *b, struct span_trace *out,
			 struct span_error *err);

/*
 * Correct clocks: *T, which was built last from B, is built anew with spans
 * moved to where their parents' clocks would have seen them. It is a guess: a
 * child on another host is moved only when it lies outside its parent, and then
 * to the middle of it (to its start, when it is the longer one); what the child
 * called on its own host moves along. A host is told by its resource: host.id,
 * else host.ip or ip, else host.name or hostname. A span that names none is
 * taken to be where its parent is when it is of the same service, and else
 * neither it nor what is below it on another host is moved.
 *
 * Start and events move by the same amount, durations stay. A span that was
 * moved has it in a last attribute "spantools.clock_skew_ns"; one that would
 * have to be moved by more than MAX_NS stays, with the amount in
 * "spantools.clock_skew_refused_ns".
 *
 * Returns how many spans have such an attribute; SPAN_E_NOMEM, *T is then
 * gone. Source: Jaeger's clock skew adjuster, which however
 * takes a span without a host for one on a host of its own.
 */
SPAN_API SPAN_NODISCARD int
span_trace_builder_adjust(struct span_trace_builder *b, uint64_t max_ns,
			  struct span_trace *t, struct span_error *err);

/* Empty it for the next trace; release gives the memory back too. */
SPAN_API void span_trace_builder_reset(struct span_trace_builder *b);
SPAN_API void span_trace_builder_release(struct span_trace_builder *b);

/*
 * Part of the critical path: the time during which the trace would have ended
 * earlier, had this span been faster. SPAN is an index into the trace's spans.
 */
struct span_trace_section {
	uint32_t span;
	uint64_t start_ns, end_ns; /* never empty */
};

/*
 * Whether CHILD holds up its parent's end. What is sent to a queue and taken
 * from it later (a consumer below a producer), and what only follows from its
 * parent, does not.
 */
SPAN_API bool span_trace_blocks(const struct span_trace *t, uint32_t child);

/*
 * The critical path of the best root, into *OUT as struct span_trace_section
 * in order of time; their lengths add up to the root's duration.
 *
 * From the end of a span backwards: the child that ended last takes over at
 * its end, at its start the child that ended last before it, and so on;
 * children are cut to their parents, what is between them is the span's own.
 * Of children that ended together the one with the lower span id counts.
 * After Jaeger UI's critical path, but that a child which ends exactly where
 * the next one starts counts too.
 *
 * 0 or SPAN_E_NOMEM. O(n log n); nothing recurses.
 */
SPAN_API SPAN_NODISCARD int span_trace_critical_path(const struct span_trace *t,
						     struct span_buf *out,
						     struct span_error *err);

/*
 * The duration of a span without the time in which a child that blocks it
 * (see above) was running. Linear in the number of its children.
 */
SPAN_API uint64_t span_trace_self_ns(const struct span_trace *t, uint32_t span);

#ifdef __cplusplus
}
#endif
#endif
