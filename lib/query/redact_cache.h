/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_cache.h - what rules said of keys and texts before
 *
 * The same keys and most texts come again and again. Both tables have a fixed
 * number of places and are keyed by a hash of 128 bits under a secret of their
 * own; what comes later takes the place. Strange data costs time, not memory.
 */
#ifndef SPAN_QUERY_REDACT_CACHE_H
#define SPAN_QUERY_REDACT_CACHE_H

#include "query/redact.h"

#define REDACT_KEYS 1024u    /* places */
#define REDACT_TEXTS 16384u  /* of texts */
#define REDACT_TEXT_LEN 256u /* bytes of one that is remembered */
#define REDACT_APPLIED 6u    /* rules of one that is remembered */

/* The rules that look at a key somewhere. */
struct span__redact_list {
	uint64_t lo, hi; /* of the place and the key; 0, 0: nobody */
	uint16_t *rules; /* N of them, ascending */
	size_t n;
	uint64_t seed;	/* of these rules */
	bool has_whole; /* one of them looks at whole values, or by a regex */
};

/* What the rules of a list made of a text. */
struct span__redact_done {
	uint64_t lo, hi; /* of the list's seed and the text */
	char *text;	 /* the caller's to free, if it is not in the cache */
	uint32_t len;
	uint8_t verdict; /* enum span__redact_verdict */
	uint8_t n_applied;
	uint16_t applied[REDACT_APPLIED];
};

struct span__redact_cache {
	struct span__key key;
	size_t turn; /* which of several places is next */
	struct span__redact_list lists[REDACT_KEYS];
	struct span__redact_done texts[REDACT_TEXTS];
};

/* 0, SPAN_E_NOMEM, or SPAN_E_IO without randomness. */
SPAN_NODISCARD int span__redact_cache_open(struct span__redact_cache **out,
					   struct span_error *err);
/* Forget everything: there is another rule. */
void span__redact_cache_clear(struct span__redact_cache *c);
void span__redact_cache_close(struct span__redact_cache **c);

/* The rules among the N RULES that look at KEY in PLACE; NULL: no memory. */
const struct span__redact_list *
span__redact_cache_list(struct span__redact_cache *c,
			const struct span__redact_rule *rules, size_t n,
			enum span__redact_place place, struct span_str key);

/*
 * The place of TEXT under LIST; *KNOWN when it was done before, else it is
 * empty and the caller fills all but the hashes in. NULL: it is too long.
 */
struct span__redact_done *
span__redact_cache_text(struct span__redact_cache *c,
			const struct span__redact_list *list,
			struct span_str text, bool *known);

#endif
