/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_edges.h - parents that a segment and others have for each other's spans
 *
 * When a segment is sealed it is looked up which of its spans have their
 * parents in the segments that are there already, and which of theirs have
 * them in the new one. Section SEG_EDGES says so for each pair that was looked
 * at; what it says of a segment that is there no more is of no use.
 */
#ifndef SPAN_SEG_EDGES_H
#define SPAN_SEG_EDGES_H

#include "store/seg_ints.h"
#include "store/seg_read.h"

/* Which of the two has the children. */
enum span__edges_children {
	EDGES_OWN = 0, /* the segment whose section it is */
	EDGES_OTHER,
};

/* One orphan whose parent is in the other segment of the pair. */
struct span__edge {
	uint64_t orphan; /* its number in SEG_EXPLICIT_*; they ascend */
	uint64_t start_ns, duration_ns;
	uint32_t type, parent_type; /* each in its own segment */
};

/* Columns with as many values as there are edges. */
enum {
	EDGE_ORPHAN = 0,
	EDGE_START,
	EDGE_DURATION,
	EDGE_TYPE,
	EDGE_PARENT_TYPE,
	EDGE_COLUMNS,
};

struct span__edges {
	uint64_t n;
	struct span__ints columns[EDGE_COLUMNS];
};

/*
 * The edges between S, in whose section they are looked for, and OTHER. True
 * with *OUT when the section has this pair.
 */
bool span__edges_open(struct span__edges *out, struct span__seg *s,
		      const struct span__seg *other,
		      enum span__edges_children children);
/*
 * Edge I; false when it is damaged: its numbers are checked, the orphan's by
 * CHILD.
 */
bool span__edges_get(const struct span__edges *e, uint64_t i,
		     const struct span__seg *child,
		     const struct span__seg *parent, struct span__edge *out);

/* Append one pair to the section: the edges of each direction. */
void span__edges_put(struct span_buf *out, const struct span__seg *other,
		     const struct span__edge *own, size_t n_own,
		     const struct span__edge *others, size_t n_others);

/*
 * Look up the parents between the segment NAME and the N segments OTHERS, and
 * where that is worth it append the section to NAME; *SIZE is its length then.
 * OTHERS are unloaded. 0 or a negative code: NAME may be no segment then.
 */
SPAN_NODISCARD int span__edges_add(const struct span__io *io, int dirfd,
				   const char *name,
				   struct span__seg *const *others, size_t n,
				   uint64_t *size, struct span_error *err);

#endif
