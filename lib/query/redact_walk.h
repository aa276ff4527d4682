/* SPDX-License-Identifier: Apache-2.0 */
/* redact_walk.h - the state of a redaction, and what it does to a value */
#ifndef SPAN_QUERY_REDACT_WALK_H
#define SPAN_QUERY_REDACT_WALK_H

#include "query/redact_cache.h"

#define REDACT_PROCESSES 256u /* that are remembered, by their serials */
#define REDACT_APPLIED 6u     /* rules of a text that are told */
#define REDACT_KEY_BITS 10u
#define REDACT_TEXT_BITS 12u

struct span__redact_table;

struct span__redact_process {
	uint64_t serial;		/* 0: none */
	const struct span_process *out; /* NULL: stays as it is */
	uint32_t generation;		/* in which it is so; 0: any */
	size_t n_applied;
	const uint16_t *applied; /* rules: each counts for every span */
};

/* What the rules of a list made of a text. */
struct span__redact_done {
	struct span_str text;
	uint8_t verdict; /* enum span__redact_verdict */
	uint8_t n_applied;
	uint16_t applied[REDACT_APPLIED];
};

/*
 * What is known of keys and texts by their places in memory, in this
 * GENERATION: within a frame, or else a span, a text is at one place.
 */
struct span__redact_key {
	const char *p;
	uint32_t len, place;
	const struct span__redact_list *list;
	uint32_t generation;
	bool stays; /* the key itself, not its values */
};

struct span__redact_text {
	uint64_t rules; /* their id */
	const char *p;
	const struct span__redact_done *done; /* NULL: stays as it is */
	uint32_t len, generation;
};

struct span_redact {
	struct span__redact_rule *rules;
	size_t n_rules;
	struct span_arena texts; /* of the rules */
	bool has_key;
	uint8_t key[SPAN_REDACT_KEY];
	bool anonymize;
	uint8_t id_key[SPAN_REDACT_KEY];
	uint64_t shift_ns; /* that times are moved back by */
	span_redact_fn *found;
	void *arg;
	struct span__redact_cache *cache;
	uint64_t serial; /* of the next process */

	bool has_frame;
	uint32_t generation;	 /* never 0 */
	uint64_t evicted;	 /* of the cache, when GENERATION began */
	struct span_arena frame; /* what is known of its texts */
	struct span__redact_key keys[1u << REDACT_KEY_BITS];
	struct span__redact_text known[1u << REDACT_TEXT_BITS];

	struct span_arena span; /* what changed of it */
	struct span_arena kept; /* processes */
	struct span__redact_process processes[REDACT_PROCESSES];
	bool is_noting;	       /* what applies is noted, and not counted yet */
	struct span_buf noted; /* uint16_t each */
	uint64_t values;       /* that were counted */
	struct span_buf work[2];
	struct span__redact_table *table; /* of redact_frame.c */
	const struct span *at;		  /* the span at hand */
	struct span_arena *into;	  /* span, frame or kept */
};

/* Forget the processes, and what is known of keys and texts. */
void span__redact_forget(struct span_redact *r);
/* Only the latter: there are other texts at the same places. */
void span__redact_next_generation(struct span_redact *r);
/* Is there room in r->frame for what is remembered? */
bool span__redact_has_room(const struct span_redact *r);

static inline size_t span__redact_slot(uint64_t a, const char *p, unsigned bits)
{
	return ((uintptr_t)p + a * UINT64_C(0x9e3779b97f4a7c15)) *
		       UINT64_C(0xbf58476d1ce4e5b9) >>
	       (64 - bits);
}

/* Look up, and remember. NULL: no memory. */
struct span__redact_key *span__redact_new_key(struct span_redact *r,
					      struct span__redact_key *slot,
					      enum span__redact_place place,
					      struct span_str key);

/*
 * What is known of KEY in PLACE: the rules that look at it. It is there until
 * the next call. NULL: no memory.
 */
static inline struct span__redact_key *
span__redact_key(struct span_redact *r, enum span__redact_place place,
		 struct span_str key)
{
	struct span__redact_key *k =
		&r->keys[span__redact_slot(place, key.p, REDACT_KEY_BITS)];

	/* Lists that are no more may be of what is known. */
	if (k->generation == r->generation && r->evicted == r->cache->evicted &&
	    k->p == key.p && k->len == key.len && k->place == (uint32_t)place)
		return k;
	return span__redact_new_key(r, k, place, key);
}

static inline struct span__redact_text *
span__redact_text_slot(struct span_redact *r,
		       const struct span__redact_list *list, const char *p)
{
	return &r->known[span__redact_slot(list->id, p, REDACT_TEXT_BITS)];
}

static inline bool span__redact_is_known(const struct span_redact *r,
					 const struct span__redact_text *m,
					 const struct span__redact_list *list,
					 struct span_str text)
{
	return m->generation == r->generation && m->p == text.p &&
	       m->rules == list->id && m->len == text.len;
}

/* Is it known that TEXT stays as it is under LIST? */
static inline bool span__redact_is_same(struct span_redact *r,
					const struct span__redact_list *list,
					struct span_str text)
{
	const struct span__redact_text *m =
		span__redact_text_slot(r, list, text.p);

	return span__redact_is_known(r, m, list, text) && !m->done;
}

/*
 * TEXT under the rules of LIST: its verdict, and in *OUT, NULL when it stays,
 * what is remembered until the next frame. Or a negative code. The second one
 * remembers where the text is, too, so that asking again costs nothing.
 */
SPAN_NODISCARD int span__redact_judge(struct span_redact *r,
				      const struct span__redact_list *list,
				      struct span_str text,
				      const struct span__redact_done **out,
				      struct span_error *err);
SPAN_NODISCARD int span__redact_known(struct span_redact *r,
				      const struct span__redact_list *list,
				      struct span_str text,
				      const struct span__redact_done **out,
				      struct span_error *err);

/*
 * TEXT, of KEY, under the rules that K has: enum span__redact_verdict, with
 * *OUT in r->into or r->frame when it changed; or a negative code.
 */
SPAN_NODISCARD int
span__redact_string(struct span_redact *r, const struct span__redact_key *k,
		    struct span_str key, struct span_str text,
		    struct span_str *out, struct span_error *err);
/* The same of a text that will not be at this place for long. */
SPAN_NODISCARD int span__redact_fresh(struct span_redact *r,
				      const struct span__redact_key *k,
				      struct span_str key, struct span_str text,
				      struct span_str *out,
				      struct span_error *err);
/* RULE applied to N values. */
static inline void span__redact_count(struct span_redact *r, uint16_t rule,
				      uint64_t n)
{
	r->rules[rule].applied += n;
	r->values += n;
}

/* Draw from the key what ids and times are moved by, and move them. */
void span__redact_anonymous_init(struct span_redact *r);
void span__redact_move_span(const struct span_redact *r, struct span *s);
void span__redact_move_ref(const struct span_redact *r, struct span_ref *ref);
uint64_t span__redact_move_time(const struct span_redact *r, uint64_t ns);

void span__redact_table_close(struct span__redact_table **t);

/*
 * V, a value of KEY that is in no table: REDACT_SAME; REDACT_CHANGED, when it
 * becomes *TEXT; or a negative code, SPAN_E_LIMIT also for what is no text.
 */
SPAN_NODISCARD int
span__redact_value(struct span_redact *r, enum span__redact_place place,
		   const struct span__redact_list *list, struct span_str key,
		   const struct span_value *v, struct span_str *text,
		   struct span_error *err);

/* The attributes IN as the rules leave them: 1 changed, 0, or a code. */
SPAN_NODISCARD int span__redact_attrs(struct span_redact *r,
				      enum span__redact_place place,
				      const struct span_attrs *in,
				      struct span_attrs *out,
				      struct span_error *err);

#endif
