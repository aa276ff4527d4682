/* SPDX-License-Identifier: Apache-2.0 */
/* search_store.h - what the files of a search in a store share */
#ifndef SPAN_QUERY_SEARCH_STORE_H
#define SPAN_QUERY_SEARCH_STORE_H

#include "query/fetch.h"

struct span__store_search {
	struct span_store *st;
	struct span__batch batch;
	struct span__walk walk;
	struct span__open_trace *current; /* the last one of a walk returned */
	struct span_cursor *spans;
	uint8_t (*typed)[16];	 /* for SPANS, when ids were typed */
	struct span_range range; /* of SPANS */
	uint64_t floor;		 /* of it: what starts before is not wanted */
	bool floored;
	/* of SPANS too, where not 0: it is narrower than the query has it */
	uint64_t until, least_ns;
	bool judged;   /* what SPANS returns matches */
	bool needed;   /* SPANS are what a trace needs */
	bool in_parts; /* they are those of a part, this one: */
	size_t part;
	bool walking;
};

/*
 * Put a trace together from the spans in B and judge it: 1 with s->matched, 0
 * when it does not match or has no span, or a negative code.
 */
SPAN_NODISCARD int span__search_build(struct span_search *s,
				      struct span_trace_builder *b,
				      struct span_trace *out,
				      struct span_error *err);
/*
 * Put the trace V[0] together, from the batch or a new one of the N at V. 1
 * with s->matched; 0 when it does not match, or is gone; or a negative code.
 */
SPAN_NODISCARD int span__search_fetch(struct span_search *s,
				      const struct span__ranked_id *v, size_t n,
				      struct span_trace *out,
				      struct span_error *err);
/* Find out what the typed ids mean: S->ids are then the traces they name. */
SPAN_NODISCARD int span__search_resolve(struct span_search *s,
					struct span_error *err);
/*
 * Open a scan of spans that start at SINCE or later, where none is open; HEADS:
 * only ids and times are needed of what it returns. 0 or a negative code.
 */
SPAN_NODISCARD int span__scan_open(struct span_search *s, uint64_t since,
				   bool heads, struct span_error *err);
/* The next matching span as it comes: 1, 0, or a negative code. */
SPAN_NODISCARD int span__scan_match(struct span_search *s, struct span *out,
				    struct span_error *err);
/* Into S->ids the traces with a matching span that starts at SINCE or later. */
SPAN_NODISCARD int span__scan_since(struct span_search *s, uint64_t since,
				    struct span_error *err);
/*
 * The same until there are MOST: 1 when that are all, 0 when some may be
 * missing, or a negative code.
 */
SPAN_NODISCARD int span__scan_some(struct span_search *s, uint64_t since,
				   size_t most, struct span_error *err);
/*
 * At least the newest LIMIT traces by the latest start of a matching span.
 */
SPAN_NODISCARD int span__scan_newest(struct span_search *s, uint64_t limit,
				     struct span_error *err);

/* Has the search a limit, and an order of whole traces? */
bool span__best_can(const struct span_search *s);
/*
 * The results of one that can, in order, into S->ids: 1; 0 when these are the
 * candidates, all of which have to be judged, since the store does not tell
 * which are the best, or hardly any matches; or a negative code.
 */
SPAN_NODISCARD int span__find_best(struct span_search *s,
				   struct span_error *err);

#endif
