/* SPDX-License-Identifier: Apache-2.0 */
/* redact_table.h - what becomes of the strings of a frame, by their numbers */
#ifndef SPAN_QUERY_REDACT_TABLE_H
#define SPAN_QUERY_REDACT_TABLE_H

#include "query/redact_walk.h"
#include "stream/frame.h"

/* A string, as the rules that looked at it last left it. */
struct redact_text {
	uint64_t rules;			      /* their id, 0: it is not used */
	const struct span__redact_done *done; /* NULL: it stays as it is */
	uint32_t len;			      /* that it will have */
	uint32_t uses;			      /* not counted yet, of DONE */
};

/* A string that is a key of attributes in one place. */
struct redact_key {
	const struct span__redact_list *list; /* NULL: not looked up yet */
	uint32_t len;			      /* that it will have */
	bool changes;
	uint32_t added1; /* number plus one of what a value became last */
};

/* A value in the bytes of the frame that becomes a string of the table. */
struct redact_edit {
	const unsigned char *key;	  /* the last byte of its key */
	const unsigned char *value, *end; /* its bytes */
	uint32_t string;
};

/* A process or a scope. */
struct redact_owner {
	uint32_t spans; /* that have it */
	bool changes;
};

enum redact_field {
	FIELD_NAME,
	FIELD_STATUS,
	FIELD_SERVICE,
	FIELD_EVENT,
	FIELD_SCOPE,
	FIELD_VERSION,
	FIELD_STATE,
	FIELD_SCHEMA,
	FIELD_KEY,
	REDACT_FIELDS,
};
enum redact_owner_of {
	OF_SPAN,
	OF_PROCESS,
	OF_EVENT,
	OF_LINK,
	OF_SCOPE,
	REDACT_OWNERS,
};

struct span__redact_table {
	struct span_redact *r;
	const struct span_str *strings_of; /* the N of the frame */
	size_t n, n_processes, n_scopes;
	struct redact_text *texts;
	struct redact_key *keys;     /* N for each enum redact_owner_of */
	struct redact_owner *owners; /* processes, then scopes */
	size_t texts_cap, keys_cap, owners_cap;
	uint64_t evicted; /* lists, when this began */
	const struct span__redact_list *fields[REDACT_FIELDS];
	/* Parts of the frame, as they are to be written. */
	struct span_buf strings, body, part;
	struct span_buf edits; /* struct redact_edit, in the order of bytes */
	size_t n_body_edits;   /* those behind are of owners */
	struct span_buf added; /* struct span_str, strings behind the N */

	/* What is being looked at: */
	uint32_t weight; /* spans that it is of */
	size_t bytes;	 /* of its texts */
	bool changes;
	uint32_t n_changed; /* spans */
	uint64_t applied[SPAN_REDACT_RULES];

	struct span_error why; /* it does not go; nobody asks */

	unsigned tries, wait; /* that failed; frames that are not tried */
};

static inline const struct redact_edit *
redact_edits(const struct span__redact_table *t, size_t *n)
{
	*n = t->edits.len / sizeof(struct redact_edit);
	return (const void *)t->edits.p;
}

static inline const struct span_str *
redact_added(const struct span__redact_table *t, size_t *n)
{
	*n = t->added.len / sizeof(struct span_str);
	return (const void *)t->added.p;
}

/* Count the uses of M. */
void span__redact_flush_uses(struct span__redact_table *t,
			     struct redact_text *m);

/*
 * Look at all that the spans of F use. False when one span has to be made anew,
 * or is bad, or memory is out.
 */
bool span__redact_look(struct span__redact_table *t, struct span_frame *f);

#endif
