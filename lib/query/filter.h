/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query/filter.h - a structured filter, as a tree
 *
 * Of calls and what they are applied to; of names and constants the texts as
 * they were sent.
 */
#ifndef SPAN__FILTER_H
#define SPAN__FILTER_H

#include <span/query.h>

#define SPAN__FILTER_DEPTH 60u /* calls in each other */

enum filter_term {
	FILTER_NONE = 0,
	FILTER_ATTR,   /* of NAME, at LEVEL, which may be empty */
	FILTER_FIELD,  /* the built-in field NAME of LEVEL */
	FILTER_NESTED, /* the events or links, for "some" */
	FILTER_SCALAR, /* NAME is its value, TYPE may be empty */
	FILTER_LIST,   /* ARGS are its values, scalars of TYPE */
	FILTER_CALL,   /* the operator NAME, applied to ARGS */
};

struct filter_node {
	enum filter_term term;
	struct span_str name, level, type;
	const struct filter_node *args;
	size_t n;
};

/*
 * Read JSON into *OUT, a call, which borrows it and ARENA. 0; SPAN_E_INVALID
 * with the offset in err->pos; SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__filter_read(struct filter_node *out,
				     struct span_str json,
				     struct span_arena *arena,
				     struct span_error *err);

struct span__filter_writer {
	struct span_buf *out; /* TraceQL */
	struct span_error *err;
	int rc; /* of the first failure; what follows it is of no use */
	bool in_some;
};

void span__filter_fail(struct span__filter_writer *w, int code,
		       const char *what, struct span_str name);

/* What a field holds says how a constant beside it is written. */
enum filter_holds {
	HOLDS_ANY = 0, /* it is none */
	HOLDS_TEXT,
	HOLDS_DURATION,
	HOLDS_KIND,
	HOLDS_STATUS,
};
enum filter_holds span__filter_holds(const struct filter_node *node);

/* An attribute or field; a constant beside what holds WHAT; a text. */
void span__filter_reference(struct span__filter_writer *w,
			    const struct filter_node *node);
void span__filter_constant(struct span__filter_writer *w, struct span_str value,
			   struct span_str type, enum filter_holds what);
void span__filter_text(struct span__filter_writer *w, struct span_str s);

#endif
