/* SPDX-License-Identifier: Apache-2.0 */
/* gen-hostile.h - the two halves of the profile hostile */
#ifndef GEN_HOSTILE_H
#define GEN_HOSTILE_H

#include "gen.h"

#define N_PROCESSES 12u
#define N_SCOPES 6u
#define MAX_SPANS 40u

struct gen_hostile {
	const struct gen_live_opts *o;
	struct span_arena fixed, arena;
	bool failed; /* memory is out */
	uint64_t state;
	uint64_t now_ns;
	struct span_process processes[N_PROCESSES];
	struct span_scope scopes[N_SCOPES];
	struct span spans[MAX_SPANS];
	size_t n;
};

static inline uint64_t below(struct gen_hostile *h, uint64_t n)
{
	return gen_below(&h->state, n);
}

static inline bool one_in(struct gen_hostile *h, uint64_t n)
{
	return !below(h, n);
}

/* Zeroed; from the trace's memory, NULL when that is out. */
void *gen_hostile_alloc(struct gen_hostile *h, size_t n, size_t size);
/* LEN random bytes, or letters. */
struct span_str gen_hostile_bytes(struct gen_hostile *h, size_t len,
				  bool letters);
struct span_str gen_hostile_text(struct gen_hostile *h);
uint64_t gen_hostile_time(struct gen_hostile *h);
/* DEPTH arrays and maps in one another, with scalars beside them. */
void gen_hostile_nested(struct gen_hostile *h, struct span_value *v,
			unsigned int depth);
struct span_attrs gen_hostile_attrs(struct gen_hostile *h, size_t n);

#endif
