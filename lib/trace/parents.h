/* SPDX-License-Identifier: Apache-2.0 */
/* parents.h - the parents of a trace's spans, as <span/trace.h> finds them */
#ifndef SPAN_TRACE_PARENTS_H
#define SPAN_TRACE_PARENTS_H

#include <span/trace.h>

#include "base/id.h"

/* What decides about parents; equal services have equal numbers. */
struct span__member {
	uint64_t id, parent_id; /* big-endian values */
	uint32_t service;
	uint8_t kind;
};

/* Room for the work on a trace. A zeroed struct is empty; reuse it. */
struct span__parents {
	struct span_buf buf;
	/* The result, one a span, until the next call. */
	const uint32_t *parent; /* index or SPAN_TRACE_NONE */
	const uint8_t *flags;	/* SPAN_TRACE_ORPHAN, _CYCLE, _SHARED */
	/* for span__parents_adopt() */
	const struct span__member *v;
	size_t n;
	struct span__item *ids;
	struct span__group *groups;
};

/*
 * The parents of the N spans V, which are in order of start, then of arrival.
 * Duplicates are spans like any other here. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__parents_find(struct span__parents *p,
				      const struct span__member *v, size_t n);
/*
 * Of the spans whose parents were found last, the one that is the parent of a
 * span of SERVICE (a number that none has: of another service) that is not
 * among them and names PARENT_ID: an index, or SPAN_TRACE_NONE.
 */
uint32_t span__parents_adopt(const struct span__parents *p, uint64_t parent_id,
			     uint32_t service);
void span__parents_release(struct span__parents *p);

#define SPAN__FEW 64u
struct span__few_parents {
	uint32_t parent[SPAN__FEW]; /* as of struct span__parents */
	uint8_t flags[SPAN__FEW];
};
/*
 * The same parents, and less work, in whatever order the spans are. False: they
 * are more than SPAN__FEW, two share an id, or some go in a circle.
 */
bool span__parents_find_few(struct span__few_parents *p,
			    const struct span__member *v, size_t n);

#endif
