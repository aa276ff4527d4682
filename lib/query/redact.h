/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact.h - rules, and what they do to a text; for lib/query/redact*.c
 */
#ifndef SPAN_QUERY_REDACT_H
#define SPAN_QUERY_REDACT_H

#include <span/redact.h>

#include "base/hash.h"
#include "query/match.h"
#include "text/secrets.h"

enum span__redact_action {
	REDACT_KEEP,
	REDACT_DROP,
	REDACT_MASK,
	REDACT_TRUNCATE,
	REDACT_HASH,
	REDACT_TEMPLATE,
};

/* Where a text is. Bits of a rule's places. */
enum span__redact_place {
	REDACT_SPAN = 1 << 0,
	REDACT_PROCESS = 1 << 1,
	REDACT_EVENT = 1 << 2,
	REDACT_LINK = 1 << 3,
	REDACT_SCOPE = 1 << 4,
	REDACT_FIELD = 1 << 5,
	REDACT_ATTRIBUTES = REDACT_FIELD - 1,
	REDACT_ALL = 2 * REDACT_FIELD - 1,
};
const char *span__redact_place_name(enum span__redact_place place);

struct span__redact_rule {
	enum span__redact_action action;
	unsigned places;
	struct span_str key;  /* a glob in lower case */
	struct span_str mask; /* of MASK, none: the usual; of TEMPLATE */
	bool hashes;	      /* needs a key */
	size_t keep;	      /* bytes that TRUNCATE leaves */
	/* What is looked for in the text: neither: the whole of it. */
	struct span__regex *regex;
	int secret;	  /* enum span__secret, or -1 */
	const char *text; /* as it was written */
	uint64_t applied;
};

/* 1, 0 when LINE is none, or a negative code. Texts go to ARENA. */
SPAN_NODISCARD int span__redact_parse(struct span__redact_rule *rule,
				      struct span_str line,
				      struct span_arena *arena,
				      struct span_error *err);

/* The default rules, a line each, with comments. */
const char *span__redact_default_rules(bool anonymize);

void span__redact_rule_release(struct span__redact_rule *rule);

/* "card" and so on; "redacted" when it is no detector's. */
const char *span__redact_kind(const struct span__redact_rule *rule);

/*
 * May TEXT be a template? 0, and *HASHES set when it needs a key; or
 * SPAN_E_INVALID with where it is wrong in *POS.
 */
SPAN_NODISCARD int span__redact_template_check(struct span_str text,
					       bool *hashes, size_t *pos);
/* What a template makes of WHAT. */
void span__redact_template_put(struct span_buf *out,
			       const struct span__redact_rule *rule,
			       const uint8_t *key, struct span_str what);
/* Its hash under KEY in 16 letters, which no detector takes for anything. */
void span__redact_put_hash(struct span_buf *out, const uint8_t *key,
			   struct span_str what);
/* N bytes of it at most, cut before a character. */
void span__redact_put_first(struct span_buf *out, struct span_str what,
			    size_t n);

/* Does it look at the text of KEY, in lower case, there? */
bool span__redact_looks(const struct span__redact_rule *rule,
			enum span__redact_place place, struct span_str key);

enum span__redact_verdict { REDACT_SAME, REDACT_CHANGED, REDACT_DROPPED };

/*
 * Apply the one rule to TEXT. REDACT_CHANGED with the text in OUT, which was
 * empty; *SETTLED when no later rule is to look. Or a negative code.
 */
SPAN_NODISCARD int span__redact_text(struct span__redact_rule *rule,
				     const uint8_t *key, struct span_str text,
				     struct span_buf *out, bool *settled,
				     struct span_error *err);

#endif
