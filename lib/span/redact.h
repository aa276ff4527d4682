/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/redact.h - take out of spans what should not be passed on
 *
 * Rules are tried on every text and value of a span, one after another; span-
 * redact(1) has their syntax and meaning. What a rule replaces is nowhere in
 * the span that comes out; a span stream written from it, by span_writer_put(),
 * has it nowhere either.
 */
#ifndef SPAN_REDACT_H
#define SPAN_REDACT_H

#include <span/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_REDACT_KEY 16u	/* bytes of a key for hashes */
#define SPAN_REDACT_RULES 1024u /* rules at most */
#define SPAN_REDACT_LINE 8192u	/* bytes of a rule */

struct span_redact;

/* What happened to a value, for who wants to know. Valid during the call. */
struct span_redact_found {
	const struct span *span; /* as it came in */
	const char *place;	 /* "span", "process", "event" ... */
	struct span_str key;	 /* of the attribute, as it becomes; a field */
	const char *rule;	 /* as it was written */
};
typedef void span_redact_fn(void *arg, const struct span_redact_found *f);

struct span_redact_opts {
	/*
	 * SipHash-2-4's key, for "hash"; NULL: rules that hash are refused, and
	 * the default ones mask instead. It is copied.
	 */
	const uint8_t *key;
	/*
	 * Move ids and times too, by that key, and have other default rules:
	 * for spans that are shared.
	 */
	bool anonymize;
	/*
	 * Called for each rule that applied, or NULL; for a process when it is
	 * looked at, which is not for each span that has it.
	 */
	span_redact_fn *found;
	void *arg;
};

/*
 * A key out of LEN secret bytes of any form: SipHash-2-4 of them under two
 * fixed keys. It is as hard to guess as they are, no harder.
 */
SPAN_API void span_redact_key(const void *p, size_t len,
			      uint8_t key[SPAN_REDACT_KEY]);

/*
 * Without any rule. 0; SPAN_E_NOMEM; SPAN_E_IO without randomness;
 * SPAN_E_INVALID: to anonymize needs a key.
 */
SPAN_API SPAN_NODISCARD int span_redact_open(struct span_redact **out,
					     const struct span_redact_opts *o,
					     struct span_error *err);
/*
 * Add a rule behind those that are there. An empty line and one that begins
 * with # are none. 0; SPAN_E_INVALID with the column (from 0) in err->pos;
 * SPAN_E_LIMIT; SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_redact_rule(struct span_redact *r,
					     struct span_str line,
					     struct span_error *err);
/* Add the default rules. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_redact_defaults(struct span_redact *r,
						 struct span_error *err);

/*
 * From now on, until the next call of this, texts that are at the same place in
 * memory are the same: so it is for the spans of one frame of a stream. That
 * spares looking at them again.
 */
SPAN_API void span_redact_frame(struct span_redact *r);

/*
 * All spans of F, which is at its beginning, to W as the rules leave them, as
 * one frame: 1, with the number of those that changed in *CHANGED. That is many
 * times as fast as one by one, but goes only where nothing changes but texts of
 * the frame's table, each in one way. Where it does not go, as when FOUND is to
 * be called, 0, and nothing has happened; F may be damaged then. Or a negative
 * code of span_writer_put_frame().
 */
SPAN_API SPAN_NODISCARD int span_redact_put_frame(struct span_redact *r,
						  struct span_frame *f,
						  struct span_writer *w,
						  uint32_t *changed,
						  struct span_error *err);

/*
 * S as the rules leave it: 1 with *OUT, valid until the next call on R and as
 * long as S is; 0 when nothing had to be done to it; SPAN_E_LIMIT when a
 * regular expression takes too many steps: the span must not be passed on;
 * SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_redact_span(struct span_redact *r,
					     const struct span *s,
					     struct span *out,
					     struct span_error *err);

/*
 * How many values of spans rule I (from 0) applied to, and the rule; NULL: no
 * such one. Those of a process count for each span that has it.
 */
SPAN_API const char *span_redact_count(const struct span_redact *r, size_t i,
				       uint64_t *n);

/* The sum of that. */
SPAN_API uint64_t span_redact_values(const struct span_redact *r);

SPAN_API void span_redact_close(struct span_redact **r);

#ifdef __cplusplus
}
#endif
#endif
