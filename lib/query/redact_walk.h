/* SPDX-License-Identifier: Apache-2.0 */
/* redact_walk.h - the state of a redaction, and what it does to a value */
#ifndef SPAN_QUERY_REDACT_WALK_H
#define SPAN_QUERY_REDACT_WALK_H

#include "query/redact_cache.h"

#define REDACT_PROCESSES 256u /* that are remembered, by their serials */

struct span__redact_process {
	uint64_t serial;		/* 0: none */
	const struct span_process *out; /* NULL: stays as it is */
};

/* A text that stays, at this place in memory, in the frame with this number. */
struct span__redact_memo {
	const char *key, *text;
	uint32_t len, place;
	uint64_t frame;
};
#define REDACT_MEMO_BITS 12u

struct span_redact {
	struct span__redact_rule *rules;
	size_t n_rules;
	struct span_arena texts; /* of the rules */
	bool has_key;
	uint8_t key[SPAN_REDACT_KEY];
	span_redact_fn *found;
	void *arg;
	struct span__redact_cache *cache;
	uint64_t serial; /* of the next process */

	uint64_t frame; /* 0: there is none */
	struct span__redact_memo memo[1u << REDACT_MEMO_BITS];

	struct span_arena span; /* what changed of it */
	struct span_arena kept; /* processes */
	struct span__redact_process processes[REDACT_PROCESSES];
	struct span_buf work[2];
	const struct span *at;	 /* the span at hand */
	struct span_arena *into; /* span or kept */
};

/*
 * Where it is remembered that the text of KEY stays; *KNOWN when it does. NULL
 * when there is no frame.
 */
struct span__redact_memo *span__redact_memo(struct span_redact *r,
					    enum span__redact_place place,
					    struct span_str key,
					    struct span_str text, bool *known);

/* Forget the processes. */
void span__redact_forget(struct span_redact *r);

/*
 * The text of KEY in PLACE under the rules: enum span__redact_verdict, with
 * *OUT in r->into when it changed; or a negative code.
 */
SPAN_NODISCARD int
span__redact_string(struct span_redact *r, enum span__redact_place place,
		    struct span_str key, struct span_str text,
		    struct span_str *out, struct span_error *err);
/* The same of a text that will not be at this place for long. */
SPAN_NODISCARD int span__redact_fresh(struct span_redact *r,
				      enum span__redact_place place,
				      struct span_str key, struct span_str text,
				      struct span_str *out,
				      struct span_error *err);
/* The same of a value, and of its members. */
SPAN_NODISCARD int
span__redact_value(struct span_redact *r, enum span__redact_place place,
		   struct span_str key, const struct span_value *v,
		   struct span_value *out, struct span_error *err);
/* The attributes IN as the rules leave them: 1 changed, 0, or a code. */
SPAN_NODISCARD int span__redact_attrs(struct span_redact *r,
				      enum span__redact_place place,
				      const struct span_attrs *in,
				      struct span_attrs *out,
				      struct span_error *err);

#endif
