/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_set.h - a set of traces
 *
 * Ids are told apart by hashes of 64 bits, with a key of their own: that two
 * traces seem to be one happens hardly ever, and only costs looking twice.
 */
#ifndef SPAN_TRACE_SET_H
#define SPAN_TRACE_SET_H

#include "base/hash.h"

/* A product of two numbers. */
__extension__ typedef unsigned __int128 span__product;

struct span__trace_set {
	uint64_t key[2];
	uint64_t *slots; /* hashes; 0: free */
	size_t n, n_slots;
};

/* Zeroed, but for a key. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__trace_set_init(struct span__trace_set *s,
					struct span_error *err);
void span__trace_set_release(struct span__trace_set *s);

/*
 * What stands for a trace id; never 0. Who does not know the key cannot make
 * ids of which many have the same.
 */
static inline uint64_t span__trace_set_hash(const struct span__trace_set *s,
					    uint64_t high, uint64_t low)
{
	span__product both =
		(span__product)(high ^ s->key[0]) * (low ^ s->key[1]);
	uint64_t hash = (uint64_t)(both >> 64) ^ (uint64_t)both;

	return hash + !hash;
}

/* 1 when it is new, 0, or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__trace_set_put(struct span__trace_set *s,
				       uint64_t hash);

static inline bool span__trace_set_has(const struct span__trace_set *s,
				       uint64_t hash)
{
	size_t at;

	if (!s->n)
		return false;
	at = (size_t)hash & (s->n_slots - 1);
	while (s->slots[at] && s->slots[at] != hash)
		at = (at + 1) & (s->n_slots - 1);
	return s->slots[at];
}

#endif
