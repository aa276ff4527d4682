/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_groups.h - calls counted in groups, and given out
 */
#ifndef SPAN_CALLS_GROUPS_H
#define SPAN_CALLS_GROUPS_H

#include <span/store.h>

#include "store/calls_names.h"
#include "store/seg_agg_sum.h"

/* What a group's parent is: one of these, or CALLS_NAME plus its name. */
enum {
	CALLS_NONE = 0,
	CALLS_ABSENT = 1,
	CALLS_NAME = 2,
};

/* Which calls are asked for, and where they go to. */
struct span__calls_sink {
	uint64_t since_ns, last_ns; /* both are in it */
	uint64_t width_ns;	    /* 0: one bucket */
	const struct span__call_names *names;
	span_store_calls_fn *fn;
	void *arg;
};

static inline bool span__calls_in(const struct span__calls_sink *s,
				  uint64_t start_ns)
{
	return start_ns >= s->since_ns && start_ns <= s->last_ns;
}

/* The number of the bucket of a start that is in the range. */
static inline uint64_t span__calls_bucket(const struct span__calls_sink *s,
					  uint64_t start_ns)
{
	return s->width_ns ? (start_ns - s->since_ns) / s->width_ns : 0;
}

/* Give out one group. What the function returned. */
SPAN_NODISCARD int span__calls_emit(const struct span__calls_sink *s,
				    uint32_t parent, uint32_t name,
				    uint64_t bucket, span__sum sum,
				    const struct span_sketch *sketch,
				    struct span_error *err);

struct span__calls_groups;
SPAN_NODISCARD int span__calls_groups_open(struct span__calls_groups **out,
					   const struct span__calls_sink *sink,
					   struct span_error *err);
/*
 * Count a call whose start is in the range. Groups are given out when they
 * take too much memory. 0, SPAN_E_NOMEM, or what the function returned.
 */
SPAN_NODISCARD int span__calls_groups_add(struct span__calls_groups *g,
					  uint32_t parent, uint32_t name,
					  uint64_t start_ns,
					  uint64_t duration_ns,
					  struct span_error *err);
/*
 * Count calls that were counted before, or take one out again that was, or
 * will be, counted before the next flush. There is none in between.
 */
SPAN_NODISCARD int span__calls_groups_put(struct span__calls_groups *g,
					  uint32_t parent, uint32_t name,
					  uint64_t bucket, span__sum sum,
					  const struct span_sketch *sketch,
					  struct span_error *err);
SPAN_NODISCARD int span__calls_groups_take(struct span__calls_groups *g,
					   uint32_t parent, uint32_t name,
					   uint64_t start_ns,
					   uint64_t duration_ns,
					   struct span_error *err);
/* Give out all groups, and forget them. */
SPAN_NODISCARD int span__calls_groups_flush(struct span__calls_groups *g,
					    struct span_error *err);
void span__calls_groups_close(struct span__calls_groups **g);

#endif
