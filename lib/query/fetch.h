/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h - whole traces out of a store, by their ids
 *
 * Each of the two ways may have to look at the whole store once, or twice: a
 * batch holds some traces in memory at once and returns them in any order; a
 * walk goes through the store and returns any number of traces in the order
 * of their last spans.
 */
#ifndef SPAN_QUERY_FETCH_H
#define SPAN_QUERY_FETCH_H

#include "query/search.h"
#include "query/window.h"

struct span__batch {
	uint8_t (*ids)[16]; /* sorted */
	struct span_trace_builder *builders;
	uint64_t *arrivals; /* number of the last span, 0: none came */
	size_t n;
	size_t bytes;
	size_t max; /* traces that should fit */
	bool cut;   /* not all of the only trace has room */
	bool heads; /* what is loaded are heads; see span_search_opts */
};

/* How many traces the next batch may have. */
size_t span__batch_room(const struct span__batch *b);
/*
 * Fetch the first of the N traces at V, at least one, as many as fit into
 * MEMORY. 0 or a negative code.
 */
SPAN_NODISCARD int span__batch_load(struct span__batch *b,
				    struct span_store *st,
				    const struct span__ranked_id *v, size_t n,
				    size_t memory, struct span_error *err);
/* The index of a trace in the batch, or -1. */
ptrdiff_t span__batch_find(const struct span__batch *b, const uint8_t id[16]);
void span__batch_release(struct span__batch *b);

/*
 * A walk first counts the spans of each trace, so that it knows the last one.
 * When the open traces need more than MEMORY, the one that waits longest is
 * left to another round. What is larger than MEMORY alone is cut.
 */
struct span__walk {
	struct span_store *st;
	size_t memory;
	struct span__ids *ids;
	struct span_cursor *cursor;
	struct span__window window;
	uint8_t (*round)[16]; /* the ids of this round, sorted */
	bool counted;
};

/* IDS is borrowed until release; its keys are the walk's. */
SPAN_NODISCARD int span__walk_init(struct span__walk *w, struct span_store *st,
				   struct span__ids *ids, size_t memory,
				   struct span_error *err);
/* The next whole trace: 1, and the caller owns it; 0; or a negative code. */
SPAN_NODISCARD int span__walk_next(struct span__walk *w,
				   struct span__open_trace **out,
				   struct span_error *err);
void span__walk_release(struct span__walk *w);

/*
 * A look for the newest: at the last part of the time of a store first, then
 * further back in a few steps.
 */
struct span__look {
	uint64_t low, high, width;
};

SPAN_NODISCARD int span__look_init(struct span__look *l, struct span_store *st,
				   const struct span_range *r,
				   struct span_error *err);
/* Where the look begins; the since of R when it is all there is. */
uint64_t span__look_since(const struct span__look *l,
			  const struct span_range *r);
/* The last look had N of the LIMIT traces that are wanted. */
void span__look_further(struct span__look *l, uint64_t n, uint64_t limit);

#endif
