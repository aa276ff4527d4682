/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window.h - the traces that may still get spans
 */
#ifndef SPAN_QUERY_WINDOW_H
#define SPAN_QUERY_WINDOW_H

#include "base/hash.h"
#include "query/stream_time.h"

#include <span/trace.h>

#define SPAN__WINDOW_NS UINT64_C(10000000000)
#define SPAN__WINDOW_MEMORY (64u << 20)

struct span__open_trace {
	uint8_t id[16];
	struct span_trace_builder builder;
	struct span_buf items; /* instead of it: see span__window_put_item() */
	size_t bytes;
	bool candidate; /* a span of it was one */
	bool goes_on;	/* an earlier part of it was a candidate */
	bool late;	/* an earlier part of it was none */
	bool counted;	/* as cut */
	bool full;	/* in a store: the rest of it has no room */
	uint64_t left;	/* in a store: spans that are to come */
	uint64_t last;	/* when it got a span, in the window's time */
	struct span__open_trace *older, *newer, *chain;
};

struct span__window {
	struct span__stream_time time;
	size_t bytes; /* of all open traces */
	uint64_t cut; /* traces that were candidates and came in parts */
	struct span__key secret;
	struct span__open_trace **places, *oldest, *newest, *big;
	size_t n, n_places;
	struct span__past *past; /* NULL until the first early end */
};

SPAN_NODISCARD int span__window_init(struct span__window *w, uint64_t window_ns,
				     struct span_error *err);
/* The trace ID, a new one when there is none; NULL when memory is out. */
struct span__open_trace *span__window_get(struct span__window *w,
					  const uint8_t id[16]);
/* Add a span to T. */
SPAN_NODISCARD int span__window_add(struct span__window *w,
				    struct span__open_trace *t,
				    const struct span *s,
				    struct span_error *err);
/*
 * Add a span of a stream to its trace, which ends early above MAX bytes, and
 * move the time on.
 */
SPAN_NODISCARD int span__window_put(struct span__window *w,
				    const struct span *s, bool candidate,
				    size_t max, struct span_error *err);
/*
 * The same for who keeps something of a span instead: SIZE bytes at ITEM are
 * appended to the items of the trace ID.
 */
SPAN_NODISCARD int span__window_put_item(struct span__window *w,
					 const uint8_t id[16], uint64_t end_ns,
					 bool candidate, const void *item,
					 size_t size, size_t max,
					 struct span_error *err);
/*
 * A trace that is complete, or that must end since all need more than MEMORY;
 * with END any. The caller owns it. NULL: none.
 */
struct span__open_trace *span__window_pop(struct span__window *w, size_t memory,
					  bool end);
/* NS have passed in which nothing came: the time of the stream moves on. */
void span__window_idle(struct span__window *w, uint64_t ns);
/* Take T out; it is the caller's then. */
void span__window_take(struct span__window *w, struct span__open_trace *t);
void span__open_trace_free(struct span__open_trace *t);
void span__window_release(struct span__window *w);

#endif
