/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_agg.h - what a segment knows in advance about its spans
 *
 * For each edge, that is a type and the type of its parent (or none, or a
 * parent that is not in the segment), calls, the sum of their durations, and a
 * sketch of them: once over the whole segment, and once for each bucket of
 * time that the start of a child falls in. Errors need no count of their own,
 * as a type says whether its spans are errors.
 *
 * What the parent of a span is, trace/parents.h says, of the spans of the
 * trace that are in the segment, in order of start, and where that is equal in
 * the order of the segment: the edge of a span whose parent is found is
 * SEG_PARENT_TYPE plus its type; of one with SPAN_TRACE_ORPHAN,
 * SEG_PARENT_ABSENT; of any other SEG_PARENT_NONE.
 */
#ifndef SPAN_SEG_AGG_H
#define SPAN_SEG_AGG_H

#include <span/sketch.h>

#include "store/seg_file.h"

enum {
	SEG_PARENT_NONE = 0,   /* names none, or a circle is cut there */
	SEG_PARENT_ABSENT = 1, /* its parent is not in the segment */
	SEG_PARENT_TYPE = 2,   /* 2 + type */
};

#define SEG_AGG_UNIT 60000000000u /* buckets are multiples of it: a minute */

/* Gathers calls while a segment is built. Memory: 20 bytes for each. */
struct span__agg_writer;
SPAN_NODISCARD int span__agg_writer_open(struct span__agg_writer **out,
					 struct span_error *err);
/* PARENT is SEG_PARENT_*. 0, SPAN_E_LIMIT after 2^31 calls, SPAN_E_NOMEM. */
SPAN_NODISCARD int span__agg_writer_put(struct span__agg_writer *w,
					uint64_t parent, uint32_t type,
					uint64_t start_ns, uint64_t duration_ns,
					struct span_error *err);
/* Bytes it holds and will hold when it finishes. */
size_t span__agg_writer_memory(const struct span__agg_writer *w);
/*
 * Append the section to OUT. N_SPANS is how many there are in the segment:
 * where buckets of a minute would take more than SEG_AGG_BUDGET bytes a span
 * they are made longer (5, 15, 60 minutes, 6 hours, a day), and where that
 * does not do, left out: who asks for finer ones than there are reads the
 * columns. Nothing can be put afterwards.
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
	uint64_t start_ns; /* of the bucket; 0 for the whole segment */
	uint64_t calls;
	uint64_t sum_ns, sum_high; /* of durations: 128 bits */
	const struct span_sketch *sketch;
};

/*
 * Where the entries of the whole segment end, and those of buckets begin, in
 * the section; and how long the buckets are. False: there are none.
 */
struct span__agg_info {
	struct span__area whole, buckets;
	uint64_t width_ns; /* 0: none */
};
bool span__agg_info(const struct span__area *section,
		    struct span__agg_info *out);

/*
 * Reading. What is read is checked: damage ends it, and the file is bad.
 */
struct span__agg_reader {
	struct span__area area;
	uint64_t pos, ok; /* as of struct span__take */
	uint64_t n_types, width_ns, scale;
	uint64_t entries_left; /* of this edge */
	uint64_t bucket;
	uint64_t parent,
		type; /* of this edge; type: of the next one at least */
	bool failed, started;
	struct span_sketch sketch;
};

/* AREA and WIDTH_NS are of span__agg_info(), 0 for the whole. */
void span__agg_reader_init(struct span__agg_reader *r,
			   const struct span__area *area, uint64_t width_ns,
			   uint64_t n_types);
/* 1 with *OUT, 0 at the end, SPAN_E_CORRUPT or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__agg_reader_next(struct span__agg_reader *r,
					 struct span__agg_entry *out,
					 struct span_error *err);
void span__agg_reader_release(struct span__agg_reader *r);

#endif
