/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_agg.h - what a segment knows in advance about its spans
 *
 * For each edge, that is a type and the type of its parent (or none, or a
 * parent that is not in the segment), and each bucket of time: calls, the sum
 * of their durations, and a sketch of them. Errors need no count of their own,
 * as a type says whether its spans are errors. A bucket is by the start of the
 * child. What the parent of a span is, trace/parents.h says, of the spans of
 * the trace that are in the segment, in order of start, and where that is
 * equal in the order of the segment: the edge of a span whose parent is found
 * is SEG_PARENT_TYPE plus its type; of one with SPAN_TRACE_ORPHAN,
 * SEG_PARENT_ABSENT; of any other SEG_PARENT_NONE.
 *
 * Spans whose parent is not in the segment are listed by SEG_EXPLICIT_*; when
 * a later sealer finds the parent in another segment, it writes that edge into
 * SEG_EDGES of its own segment, with the origin of the other one.
 */
#ifndef SPAN_SEG_AGG_H
#define SPAN_SEG_AGG_H

#include <span/sketch.h>

#include "store/seg_chunks.h"

enum {
	SEG_PARENT_NONE = 0,   /* names none, or a circle is cut there */
	SEG_PARENT_ABSENT = 1, /* its parent is not in the segment */
	SEG_PARENT_TYPE = 2,   /* 2 + type */
};

/* Gathers calls while a segment is built. */
struct span__agg_writer;
SPAN_NODISCARD int span__agg_writer_open(struct span__agg_writer **out,
					 struct span_error *err);
/* PARENT is SEG_PARENT_*. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__agg_writer_put(struct span__agg_writer *w,
					uint64_t parent, uint32_t type,
					uint64_t start_ns, uint64_t duration_ns,
					struct span_error *err);
size_t span__agg_writer_memory(const struct span__agg_writer *w);
/*
 * The section; N_SPANS is how many there are in the segment: where buckets of
 * a minute would take more than SEG_AGG_BUDGET bytes a span they are made
 * longer (5, 15, 60 minutes, 6 hours, a day), and where that does not do, left
 * out: who asks for finer ones than there are reads the columns.
 */
#define SEG_AGG_BUDGET 0.3
SPAN_NODISCARD int span__agg_writer_finish(struct span__agg_writer *w,
					   uint64_t n_spans,
					   struct span_buf *out,
					   struct span_error *err);
void span__agg_writer_close(struct span__agg_writer **w);

/* One entry of the section. SKETCH is valid until the next call. */
struct span__agg_entry {
	uint64_t parent; /* SEG_PARENT_* */
	uint32_t type;
	uint64_t start_ns, width_ns; /* of the bucket */
	uint64_t calls;
	uint64_t sum_ns; /* of durations, at most UINT64_MAX */
	const struct span_sketch *sketch;
};

struct span__agg_reader;
/* Sections are checked as they are read: damage ends it, the file is bad. */
SPAN_NODISCARD int span__agg_reader_open(struct span__agg_reader **out,
					 const struct span__area *area,
					 uint64_t n_types,
					 struct span_error *err);
/* 0: the section is absent or empty */
uint64_t span__agg_reader_width(const struct span__agg_reader *r);
/* 1 with *OUT, 0 at the end, or a negative code. */
SPAN_NODISCARD int span__agg_reader_next(struct span__agg_reader *r,
					 struct span__agg_entry *out,
					 struct span_error *err);
void span__agg_reader_close(struct span__agg_reader **r);

#endif
