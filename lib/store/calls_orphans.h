/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls_orphans.h - parents that are in another file than their children
 */
#ifndef SPAN_CALLS_ORPHANS_H
#define SPAN_CALLS_ORPHANS_H

#include "store/calls_file.h"
#include "store/calls_groups.h"

/* A span whose parent is not in its file, in the order of traces and places. */
struct span__orphan {
	uint64_t trace; /* of the file */
	uint64_t parent_id;
	uint64_t start_ns, duration_ns;
	uint32_t name, place;
	uint32_t parent; /* CALLS_*: CALLS_ABSENT until it is found */
	bool checked;	 /* all of it is filled in, and it is an orphan */
	bool loose;	 /* as in struct span__call */
};

/* A file and the times of its spans. */
struct span__calls_source {
	struct span__calls_file file;
	uint64_t min_start_ns, max_end_ns;
};

/* Memory that the search uses again. A zeroed struct is empty. */
struct span__orphan_search {
	struct span_buf hits, places;
	struct span__call_trace own, other;
};

/*
 * How far the times of a trace in one file, and of all spans in another one,
 * may be apart.
 */
#define CALLS_NEAR_NS 60000000000u

static inline bool span__calls_near(uint64_t start_ns, uint64_t end_ns,
				    const struct span__calls_source *s)
{
	return (start_ns <= s->max_end_ns ||
		start_ns - s->max_end_ns <= CALLS_NEAR_NS) &&
	       (end_ns >= s->min_start_ns ||
		s->min_start_ns - end_ns <= CALLS_NEAR_NS);
}

/*
 * Find the parents of the orphans V of file OF that are in OTHER, where
 * parent is CALLS_ABSENT. What turns out to be none becomes CALLS_NONE. 0 or a
 * negative code.
 */
SPAN_NODISCARD int span__orphans_find(struct span__orphan_search *s,
				      const struct span__calls_file *of,
				      struct span__orphan *v, size_t n,
				      const struct span__calls_source *other,
				      const struct span__call_names *names,
				      struct span_error *err);
void span__orphan_search_release(struct span__orphan_search *s);

#endif
