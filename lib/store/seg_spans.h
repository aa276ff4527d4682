/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_spans.h - how the spans of a trace are put together: the parts
 *
 * A tree has what spans take from their parents: starts, processes and the
 * parents' places, for the trace that was asked for last. A plan has what all
 * spans of a type share.
 */
#ifndef SPAN_SEG_SPANS_H
#define SPAN_SEG_SPANS_H

#include "store/seg_read.h"

#define SEG_NO_PARENT UINT32_MAX  /* in the trace */
#define SEG_NO_PROCESS UINT32_MAX /* damaged */

struct span__seg_tree {
	uint64_t trace;
	size_t n, cap; /* n 0: of no trace */
	bool has_starts, has_processes, has_ids;
	bool bad_starts;     /* some of them */
	uint32_t *parents;   /* the parent's node, or SEG_NO_PARENT */
	uint32_t *last;	     /* the last node of each depth */
	uint64_t *starts;    /* since the Unix epoch */
	uint64_t *ids;	     /* of the spans, where has_ids */
	uint8_t *bad_start;  /* the start, or one that it counts from, is bad */
	uint32_t *processes; /* numbers, or SEG_NO_PROCESS */
};

SPAN_NODISCARD int span__tree_open(struct span__seg_tree **out,
				   struct span_error *err);
void span__tree_close(struct span__seg_tree **t);

/* s->tree with the parts that are asked for; NULL: memory is out. */
struct span__seg_tree *span__seg_tree(struct span__seg *s,
				      const struct span__seg_place *p,
				      bool starts, bool processes);

/*
 * The ids of all spans of the trace of S->tree, read at once; NULL where some
 * are damaged: each has to be read alone.
 */
const uint64_t *span__seg_ids(struct span__seg *s,
			      const struct span__seg_place *p);

/* A value that differs from span to span. */
struct span__seg_field {
	uint8_t role, value;
	uint16_t slot, event;
	uint32_t attr; /* its place in plan.attrs */
};

struct span__seg_plan {
	bool bad;	  /* nothing of its spans can be read */
	bool bad_values;  /* only their heads can */
	bool whole;	  /* attrs and fields are there, not only head */
	struct span head; /* what is the same in all */
	const struct span__ints *duration;
	struct span_attr *attrs; /* of the span, then of its events */
	size_t n_attrs;
	struct span_event *events;
	struct span__seg_field *fields;
	size_t n_fields;
};

/* The plan of T; WHOLE: with values too. NULL: memory is out. */
struct span__seg_plan *span__seg_plan(struct span__seg *s,
				      struct span__seg_type_reader *t,
				      bool whole);

#endif
