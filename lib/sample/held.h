/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.h - very many spans that wait, in little memory
 *
 * They are kept as they are in a stream: in frames, whose texts and processes
 * their spans share, and which are read in place when one of them is asked for.
 * Frames lie in blocks. A block is freed with its last span; one of which less
 * than half is left can be compacted.
 */
#ifndef SPAN_SAMPLE_HELD_H
#define SPAN_SAMPLE_HELD_H

#include "sample/blocks.h"
#include "stream/writer.h"

#define SPAN__HELD_NONE UINT32_MAX

/* A span, by its number: where it is. */
struct span__held_span {
	uint32_t next;		 /* the caller's: another span */
	uint32_t frame, at, len; /* bytes in the frame's body */
};

struct span__held {
	struct span__blocks *blocks;
	struct span__building building; /* the last frame */
	uint32_t building_frame;	/* its number */
	struct span_buf numbers;	/* of the spans in it */
	size_t tables;			/* bytes to read its tables */
	size_t frame_bytes;		/* at which it ends */
	uint64_t serial;
	struct span__numbered spans, frames;
	struct span__held_block *first, *current;
	uint32_t n_sparse; /* blocks that can be compacted */
	struct span_arena arena;
};

SPAN_NODISCARD int span__held_init(struct span__held *h,
				   struct span__blocks *blocks,
				   struct span_error *err);
/* Keep a copy of S: 0 and its *NUMBER, SPAN_E_LIMIT as a writer, or NOMEM. */
SPAN_NODISCARD int span__held_put(struct span__held *h, const struct span *s,
				  uint32_t *number, struct span_error *err);
/*
 * Read a span. Its lists are in A, which is the caller's, and its texts are
 * valid until it is dropped. 0, or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__held_get(struct span__held *h, uint32_t number,
				  struct span_arena *a, struct span *out,
				  struct span_error *err);
/* It is going to be read: what is not in the processor's cache comes there. */
void span__held_expect(const struct span__held *h, uint32_t number);
/* Forget a span that was read, and with it what nothing else needs. */
void span__held_drop(struct span__held *h, uint32_t number);
/*
 * Free a block by moving what is left of it: 1; 0: none is sparse but that of
 * the span SPARED, which empties by itself when spans are dropped by their age;
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__held_compact(struct span__held *h, uint32_t spared,
				      struct span_error *err);
void span__held_release(struct span__held *h);

static inline struct span__held_span *span__held_at(const struct span__held *h,
						    uint32_t number)
{
	return span__numbered_at(&h->spans, number);
}

/* Bytes that the lists of S, as span__held_get() reads it, take at most. */
size_t span__held_lists(const struct span *s);

#endif
