/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_cache.h - which rules look at which key, and what they left as it was
 *
 * The same keys and most texts come again and again. Both tables have a fixed
 * number of places and are keyed by a hash of 128 bits under a secret of their
 * own; what comes later takes the place. Strange data costs time, not memory.
 */
#ifndef SPAN_QUERY_REDACT_CACHE_H
#define SPAN_QUERY_REDACT_CACHE_H

#include "query/redact.h"

#define REDACT_KEYS 4096u   /* places */
#define REDACT_CLEAN 16384u /* of texts */

/* The rules that look at a key somewhere. */
struct span__redact_list {
	uint64_t lo, hi; /* of the place and the key; 0, 0: nobody */
	uint64_t id;	 /* of its rules, never 0: equal ones are the same */
	uint16_t *rules; /* N of them, ascending */
	size_t n;
	unsigned kinds; /* bits of enum span__secret that they look for */
	bool has_other; /* one looks at whole values, or by a regex */
};

/* A text that stays as it is: a hash of it and of the rules; 0, 0: none. */
struct span__redact_clean {
	uint64_t lo, hi;
};

struct span__redact_cache {
	struct span__key key;
	bool used;	       /* there is something in it */
	size_t turn;	       /* which of several places is next */
	uint64_t evicted;      /* lists that are no more */
	struct span_buf lower; /* a key in lower case */
	struct span__redact_list lists[REDACT_KEYS];
	struct span__redact_clean clean[REDACT_CLEAN];
};

/* 0, SPAN_E_NOMEM, or SPAN_E_IO without randomness. */
SPAN_NODISCARD int span__redact_cache_open(struct span__redact_cache **out,
					   struct span_error *err);
/* Forget everything: there is another rule. */
void span__redact_cache_clear(struct span__redact_cache *c);
void span__redact_cache_close(struct span__redact_cache **c);

/*
 * The rules among the N RULES that look at KEY in PLACE; NULL: no memory. It is
 * there until EVICTED counts on.
 */
const struct span__redact_list *
span__redact_cache_list(struct span__redact_cache *c,
			const struct span__redact_rule *rules, size_t n,
			enum span__redact_place place, struct span_str key);

/*
 * The hash of TEXT under the rules of LIST, never 0, 0; is it known to stay as
 * it is; and remember that.
 */
struct span__redact_clean
span__redact_cache_hash(const struct span__redact_cache *c,
			const struct span__redact_list *list,
			struct span_str text);
bool span__redact_cache_is_clean(const struct span__redact_cache *c,
				 struct span__redact_clean hash);
void span__redact_cache_put_clean(struct span__redact_cache *c,
				  struct span__redact_clean hash);

#endif
