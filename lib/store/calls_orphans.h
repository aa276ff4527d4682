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
	uint64_t number; /* in SEG_EXPLICIT_* of a segment */
	uint64_t trace;	 /* of the file */
	uint64_t parent_id;
	uint64_t start_ns, duration_ns;
	uint32_t name, place;
	uint32_t parent; /* CALLS_*: CALLS_ABSENT until it is found */
	bool checked;	 /* all of it is filled in, and it is an orphan */
	uint32_t type;
	bool loose;	      /* as in struct span__call */
	uint32_t parent_type; /* in its own segment */
	bool parent_loose;
};

/* A file and the times of its spans. */
struct span__calls_source {
	struct span__calls_file file;
	struct span__seg *seg; /* what it is, but for a log */
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
/*
 * Fill in up to N spans of SEG from number *AT on that may be orphans, and
 * whose traces have times in the range; *AT goes up. Returns how many.
 */
size_t span__orphans_next(struct span__seg *seg, uint64_t since_ns,
			  uint64_t last_ns, uint64_t *at,
			  struct span__orphan *v, size_t n);
/* The same for number AT alone; false: it is damaged. */
bool span__orphan_at(const struct span__seg *seg, uint64_t at,
		     struct span__orphan *out);
void span__orphan_search_release(struct span__orphan_search *s);

#endif
