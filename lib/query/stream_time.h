/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_time.h - the time of a stream of spans
 *
 * It is that of the spans, so that a file gives the same results at any speed:
 * the latest end of a span so far. An end that is further than the window from
 * it, before or after, is strange: a clock that is wrong, or a stream with a
 * pause. Only many in a row are believed and set the clock anew; the stream's
 * own time then moves on by one window, and never goes back.
 */
#ifndef SPAN_QUERY_STREAM_TIME_H
#define SPAN_QUERY_STREAM_TIME_H

#include <span/base.h>

struct span__stream_time {
	uint64_t window_ns; /* see span__stream_time_init() */
	uint64_t clock_ns, now_ns;
	unsigned strange;
	bool started;
};

void span__stream_time_init(struct span__stream_time *t, uint64_t window_ns);
/* A span ended at END_NS: moves the time on, and returns when it came. */
uint64_t span__stream_time_tick(struct span__stream_time *t, uint64_t end_ns);
/* NS have passed in which nothing came. */
void span__stream_time_idle(struct span__stream_time *t, uint64_t ns);

/* Has the window passed since a span came at CAME? */
static inline bool span__stream_time_over(const struct span__stream_time *t,
					  uint64_t came)
{
	return came < t->now_ns && t->now_ns - came > t->window_ns;
}

#endif
