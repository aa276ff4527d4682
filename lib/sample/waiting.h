/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiting.h - the traces that may still get spans, by id and by age
 */
#ifndef SPAN_SAMPLE_WAITING_H
#define SPAN_SAMPLE_WAITING_H

#include "base/hash.h"
#include "sample/held.h"

#include <span/trace.h>

struct span__waiting_trace {
	uint8_t id[16];
	uint64_t hash;
	uint64_t last;	      /* when it got a span */
	uint64_t need;	      /* bytes to read it as a whole, at most */
	uint32_t first, tail; /* its spans, see struct span__held_span */
	uint32_t n;
	uint32_t older, newer; /* SPAN__WAITING_NONE: none */
};
#define SPAN__WAITING_NONE UINT32_MAX

struct span__waiting {
	struct span__blocks *blocks;
	size_t memory, max;
	struct span__held held;
	struct span__numbered traces;
	struct span__waiting_place *places;
	size_t n, n_places; /* a power of two */
	uint32_t oldest, newest;
	uint32_t big; /* one that needs more than MAX, or none */
	/* How many need 2^i bytes or more, and less than twice that. */
	uint32_t n_needing[64];
};

/*
 * All that is taken from BLOCKS, and what reading a trace takes, has MEMORY
 * bytes. A trace of which reading takes more than MAX is big.
 */
SPAN_NODISCARD int span__waiting_init(struct span__waiting *w,
				      struct span__blocks *blocks,
				      size_t memory, size_t max,
				      struct span_error *err);

/* The number of the trace ID, whose hash is HASH, or SPAN__WAITING_NONE. */
uint32_t span__waiting_find(const struct span__waiting *w, const uint8_t id[16],
			    uint64_t hash);
/*
 * Add S, which came at CAME, to its trace NUMBER, as find has it: 0,
 * SPAN_E_LIMIT when it fits no stream, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__waiting_put(struct span__waiting *w, uint32_t number,
				     const struct span *s, uint64_t hash,
				     uint64_t came, struct span_error *err);

static inline struct span__waiting_trace *
span__waiting_at(const struct span__waiting *w, uint32_t number)
{
	return span__numbered_at(&w->traces, number);
}

/*
 * Read the spans of a trace into B, which is empty; they are valid until the
 * next call but for take. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__waiting_read(struct span__waiting *w, uint32_t number,
				      struct span_trace_builder *b,
				      struct span_error *err);
/* The oldest are going to be taken and read. */
void span__waiting_expect(const struct span__waiting *w);
/* Take a trace out: no span is added to it any more. Then drop it. */
void span__waiting_take(struct span__waiting *w, uint32_t number);
void span__waiting_drop(struct span__waiting *w, uint32_t number);

/*
 * Is there no room for the next span? Then compact w->held, and when there is
 * nothing to compact take a trace out.
 */
bool span__waiting_is_full(const struct span__waiting *w);
void span__waiting_release(struct span__waiting *w);

#endif
