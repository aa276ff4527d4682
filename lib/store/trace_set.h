/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_set.h - which traces have spans in more than one file
 *
 * Ids are told apart by hashes of 64 bits, with a key of their own: that two
 * traces seem to be one happens hardly ever, and only costs looking twice.
 */
#ifndef SPAN_TRACE_SET_H
#define SPAN_TRACE_SET_H

#include "base/hash.h"
#include "store/seg_read.h"

struct span__trace_set {
	struct span__key key;
	uint64_t *slots; /* hashes; 0: free */
	size_t n, n_slots;
};

/* Zeroed, but for a key. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__trace_set_init(struct span__trace_set *s,
					struct span_error *err);
void span__trace_set_release(struct span__trace_set *s);

/* What stands for a trace id; never 0. */
uint64_t span__trace_set_hash(const struct span__trace_set *s, uint64_t high,
			      uint64_t low);
/* 1 when it is new, 0, or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__trace_set_put(struct span__trace_set *s,
				       uint64_t hash);
bool span__trace_set_has(const struct span__trace_set *s, uint64_t hash);

/*
 * Put the hashes of traces that several of the N segments have, or a segment
 * and LOGS, into OUT, whose key it is. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__trace_set_shared(struct span__trace_set *out,
					  struct span__seg *const *segs,
					  size_t n,
					  const struct span__trace_set *logs);

#endif
