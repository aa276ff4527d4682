/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_read.h - read a segment
 *
 * Everything is found by number: a trace's number gives its shape, that the
 * types of its spans; the rank of a span among those of its type is the rank
 * at the begin of its block and a count over the shapes of the traces before
 * it in the block. One thread at a time; other threads open the segment for
 * themselves.
 */
#ifndef SPAN_SEG_READ_H
#define SPAN_SEG_READ_H

#include <span/model.h>

#include "store/seg_shapes.h"
#include "store/seg_types.h"

struct span__seg {
	struct span__seg_file file;
	struct span__strings strings; /* after span__seg_load() */
	bool loaded;
	struct span__chunks *heap, *processes, *scopes;
	struct span__ints process_ends, process_services, scope_ends;
	struct span__types types;
	struct span__ranks ranks;
	struct span__shapes *shapes;
	struct span__ints trace_high, trace_low, trace_start, trace_end,
		trace_shape, span_ids;
	struct span__ints block_trace, block_span, block_min_start,
		block_max_start;
	struct span__ints explicit_trace, explicit_node, explicit_id;
	struct span__ints buckets, bucket_traces;
	struct span__area columns;
	/* types and processes that were read, by number; NULL: not yet */
	struct span__seg_type_reader **type_readers;
	const struct span_process **process_cache;
	const struct span_scope **scope_cache;
	struct span_arena arena; /* lives as long as the segment is open */
	uint64_t serial;	 /* of process 0 */
	struct span__seg_private *priv;
};

/* A type with its columns opened, when they were first asked for. */
struct span__seg_type_reader {
	struct span__seg_type type;
	struct span__seg_column {
		bool open, bad;
		union {
			struct span__ints ints;
			struct span__texts texts;
		};
	} * columns; /* type.n_slots */
};

/*
 * Open a segment. Little is read until it is asked for. Codes of
 * span__seg_file_open().
 */
SPAN_NODISCARD int span__seg_open(struct span__seg **out,
				  const struct span__io *io, int dirfd,
				  const char *name, struct span_error *err);
void span__seg_close(struct span__seg **s);

/* Read what every use needs: strings. 0, SPAN_E_CORRUPT, SPAN_E_NOMEM. */
SPAN_NODISCARD int span__seg_load(struct span__seg *s, struct span_error *err);

/* Type I, or NULL when it is damaged or memory is out. */
struct span__seg_type_reader *span__seg_type(struct span__seg *s, uint64_t i);
/* Slot K of it: its column, opened; NULL when it is damaged. */
struct span__seg_column *span__seg_column(struct span__seg *s,
					  struct span__seg_type_reader *t,
					  unsigned k);
/* Process and scope I, kept as long as S is open; NULL as above. */
const struct span_process *span__seg_process(struct span__seg *s, uint64_t i);
const struct span_scope *span__seg_scope(struct span__seg *s, uint64_t i);

/*
 * The trace directory: buckets by the highest bits of the hash of the id
 * (XXH3-64 seeded with header.hash_seed). SEG_BUCKETS has the end of each of
 * 2^k buckets in SEG_BUCKET_TRACES, which has the numbers of traces.
 *
 * 1 with *TRACE, 0 when there is none, SPAN_E_CORRUPT.
 */
SPAN_NODISCARD int span__seg_find(struct span__seg *s, const uint8_t id[16],
				  uint64_t *trace, struct span_error *err);

void span__seg_trace_id(struct span__seg *s, uint64_t trace, uint8_t id[16]);

/* Where a trace's spans are in the columns. */
struct span__seg_place {
	uint64_t trace, first_span;
	const struct span__seg_node *nodes;
	size_t n;
	uint64_t *ranks; /* n of them */
};

/*
 * Goes over traces in their order, keeping the ranks. A zeroed struct; seek,
 * then next until 0.
 */
struct span__seg_walk {
	struct span__seg *seg;
	uint64_t trace, end, span;
	uint64_t *counts; /* by type: spans before trace */
	struct span_buf ranks;
};
/* Go to trace FIRST; next returns those below END. 0 or a negative code. */
SPAN_NODISCARD int span__seg_walk_seek(struct span__seg_walk *w,
				       struct span__seg *s, uint64_t first,
				       uint64_t end, struct span_error *err);
/* 1 with *OUT, valid until the next call; 0 at the end; SPAN_E_CORRUPT. */
SPAN_NODISCARD int span__seg_walk_next(struct span__seg_walk *w,
				       struct span__seg_place *out,
				       struct span_error *err);
void span__seg_walk_release(struct span__seg_walk *w);

/* The starts of all spans of a trace into OUT (n of them); false: damaged. */
bool span__seg_starts(struct span__seg *s, const struct span__seg_place *p,
		      uint64_t *out);

enum {
	SEG_WANT_HEAD = 1, /* ids, times, name, process, kind, status, scope,
			    * flags, marks */
	SEG_WANT_ALL = 2,
};

/*
 * Decode the spans of a trace whose bit is set in KEEP (NULL: all) into OUT
 * (n of them, in order; others are left alone). What they point to is in the
 * segment or in ARENA. Spans that cannot be read for damage are left out:
 * their bit is cleared in READ (one bit each, p->n). 0, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_spans(struct span__seg *s,
				   const struct span__seg_place *p,
				   const uint64_t *keep, int want,
				   struct span_arena *arena, struct span *out,
				   uint64_t *read, struct span_error *err);

/* The number of the block that holds TRACE. */
uint64_t span__seg_block_of(struct span__seg *s, uint64_t trace);

#endif
