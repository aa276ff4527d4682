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

#include "store/seg_counted.h"
#include "store/seg_shapes.h"
#include "store/seg_types.h"

#define SEG_SPANS_MAX (UINT64_C(1) << 31) /* of a segment */
#define SEG_BLOCK_MAX (1u << 20)   /* spans of a block before its last trace */
#define SEG_PACKED_MAX (64u << 20) /* bytes of a packed process */
#define SEG_BUCKET_MAX 4096u	   /* traces in a bucket of the directory */
#define SEG_KEPT_MAX 65536u	   /* processes (scopes) that are kept */
#define SEG_KEPT_BYTES (16u << 20) /* and their bytes */

struct span__seg {
	struct span__seg_file file;
	/* after open */
	uint64_t n_spans, n_traces, n_blocks;
	struct span__ints buckets, bucket_traces;
	struct span__ints trace_high, trace_low;
	/* after span__seg_load_blocks() */
	bool has_blocks;
	struct span__ints trace_start, trace_end;
	struct span__ints block_trace, block_span, block_min_start,
		block_max_start;
	/* after span__seg_load() */
	bool loaded;
	struct span__strings strings;
	struct span__chunks *heap, *processes, *scopes;
	struct span__ints process_ends, process_services, scope_ends;
	struct span__types types;
	struct span__ranks ranks;
	struct span__shapes *shapes;
	struct span__ints trace_shape, span_ids;
	struct span__ints explicit_trace, explicit_node, explicit_id;
	struct span__area columns;
	/* types, processes and scopes that were read; NULL: not yet */
	struct span__seg_type_reader **type_readers;
	const struct span_process **process_cache;
	const struct span_scope **scope_cache;
	struct span_arena arena;  /* lives as long as the segment is open */
	struct span_arena opened; /* columns and plans: see span__seg_tidy() */
	uint64_t serial;	  /* of process 0 */
	struct span__seg_tree *tree;
	uint32_t *type_marks; /* one a type, all 0 between calls */
};

/* A type with its columns, which are opened when they are first asked for. */
struct span__seg_type_reader {
	bool bad; /* damaged: there is nothing else */
	struct span__seg_type type;
	struct span__seg_column {
		bool bad;
		struct span__ints *ints; /* NULL: not open, or a text */
		struct span__texts
			*texts;	     /* which span__slot_is_text() tells */
	} * columns;		     /* type.n_slots */
	struct span__seg_plan *plan; /* how its spans are put together */
};

/*
 * Open a segment. Little is read until it is asked for. Codes of
 * span__seg_file_open(); SPAN_E_CORRUPT too when it has more than 2^31 spans.
 */
SPAN_NODISCARD int span__seg_open(struct span__seg **out,
				  const struct span__io *io, int dirfd,
				  const char *name, struct span_error *err);
void span__seg_close(struct span__seg **s);

/*
 * Read what every use but span__seg_find() needs. 0, SPAN_E_NOMEM; or
 * SPAN_E_CORRUPT when no span can be read for damage. Calling it again is
 * fine.
 */
SPAN_NODISCARD int span__seg_load(struct span__seg *s, struct span_error *err);

/* Only the columns of blocks and times of traces; what is damaged is empty. */
void span__seg_load_blocks(struct span__seg *s);

/* Bytes of memory that it holds. */
size_t span__seg_memory(const struct span__seg *s);

/* Give back what load and later calls hold; it can be loaded again. */
void span__seg_unload(struct span__seg *s);

/*
 * Forget the columns that were opened, and plans, when they take much memory;
 * they are opened again when they are asked for. A walk does that every 16384
 * spans, and when it begins or seeks.
 */
void span__seg_tidy(struct span__seg *s);

/* Type I, or NULL when it is damaged or memory is out. */
struct span__seg_type_reader *span__seg_type(struct span__seg *s, uint64_t i);
/*
 * Slot K of it: its column, opened, valid until a walk goes on; NULL when it is
 * damaged, memory is out, or the slot has none (a value of type SPAN_NULL).
 */
struct span__seg_column *span__seg_column(struct span__seg *s,
					  struct span__seg_type_reader *t,
					  unsigned k);
/*
 * Process and scope I; NULL as above. They are kept as long as S is open; of a
 * segment that has too many of them, or too large ones, they are in ARENA.
 */
const struct span_process *span__seg_process(struct span__seg *s, uint64_t i,
					     struct span_arena *arena);
const struct span_scope *span__seg_scope(struct span__seg *s, uint64_t i,
					 struct span_arena *arena);

/*
 * The trace directory: buckets by the highest bits of the hash of the id
 * (XXH3-64 of its 16 bytes, seeded with header.hash_seed). SEG_BUCKETS has the
 * end of each of 2^k buckets in SEG_BUCKET_TRACES, which has the numbers of
 * traces, at most SEG_BUCKET_MAX in a bucket.
 *
 * span__seg_find(): 1 with *TRACE, 0 when there is none, SPAN_E_CORRUPT. Needs
 * no load.
 */
uint64_t span__seg_bucket(const uint8_t id[16], uint64_t seed, unsigned bits);
SPAN_NODISCARD int span__seg_find(struct span__seg *s, const uint8_t id[16],
				  uint64_t *trace, struct span_error *err);

void span__seg_trace_id(struct span__seg *s, uint64_t trace, uint8_t id[16]);
/* The number of the block that holds TRACE. */
uint64_t span__seg_block_of(struct span__seg *s, uint64_t trace);

/* Where a trace's spans are in the columns. */
struct span__seg_place {
	uint64_t trace, first_span;
	const struct span__seg_node *nodes;
	size_t n;
	const uint64_t *ranks; /* n of them */
};

/*
 * Goes over traces in their order, keeping the ranks. A zeroed struct; seek,
 * then next until 0. To seek forward within a block is cheaper than back.
 */
struct span__seg_walk {
	struct span__seg *seg;
	uint64_t trace, end; /* the next one, and where to stop */
	uint64_t span;	     /* of trace */
	uint64_t tidied;     /* the span at which columns were forgotten */
	uint64_t block;	     /* where it began, or went on after damage */
	uint64_t block_end;  /* the first trace of the next block */
	uint64_t *counts;    /* by type: spans before trace; NULL: not kept */
	struct span_buf ranks;
};
/*
 * Go to trace FIRST; next returns those below END. Loads S. 0, SPAN_E_NOMEM,
 * SPAN_E_CORRUPT when nothing can be read.
 */
SPAN_NODISCARD int span__seg_walk_seek(struct span__seg_walk *w,
				       struct span__seg *s, uint64_t first,
				       uint64_t end, struct span_error *err);
/*
 * 1 with *OUT, valid until the next call; 0 at the end; SPAN_E_NOMEM. Behind a
 * trace whose shape is damaged it goes on with the next block: s->file.bad
 * tells.
 */
SPAN_NODISCARD int span__seg_walk_next(struct span__seg_walk *w,
				       struct span__seg_place *out,
				       struct span_error *err);
void span__seg_walk_release(struct span__seg_walk *w);

/*
 * The starts of all spans of a trace: p->n of them, valid until a call for
 * another trace. NULL: damaged (those of some spans may be), or memory is out.
 */
const uint64_t *span__seg_starts(struct span__seg *s,
				 const struct span__seg_place *p);
/*
 * The processes' numbers, likewise; UINT32_MAX where it is damaged.
 */
const uint32_t *span__seg_process_numbers(struct span__seg *s,
					  const struct span__seg_place *p);

enum {
	SEG_WANT_HEAD = 1, /* ids, times, name, process, kind, status, scope,
			    * flags, marks; span_is_error() */
	SEG_WANT_ALL = 2,
};

/*
 * Decode spans FROM to TO - 1 of a trace into OUT (to - from of them): those
 * whose bit is set in KEEP (bit 0: span FROM; NULL: all). What they point to
 * is in the segment or in ARENA. The bits of READ tell which of OUT are
 * filled: those that were asked for but for the ones that are damaged, which
 * s->file.bad tells too. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__seg_spans(struct span__seg *s,
				   const struct span__seg_place *p, size_t from,
				   size_t to, const uint64_t *keep, int want,
				   struct span_arena *arena, struct span *out,
				   uint64_t *read, struct span_error *err);

#endif
