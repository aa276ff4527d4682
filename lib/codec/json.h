/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - read JSON
 *
 * One value after the other, straight down, as the reader of a format knows
 * them; nothing is built. Numbers stay text until somebody says what they
 * should be, so that 64-bit integers are exact.
 *
 *	if (span__json_object(&j))
 *		while (span__json_member(&j, &key))
 *			if (span_str_equal(key, SPAN_STR("name")))
 *				name = span__json_string(&j);
 *			else
 *				span__json_skip(&j);
 *
 * Text without escapes points into the message; other text is the arena's. A
 * half of a surrogate pair alone becomes U+FFFD; bytes that are no UTF-8
 * stay as they are.
 *
 * By hand, because cJSON loses 64-bit integers and builds trees. Source: RFC
 * 8259; nothing beyond it is taken.
 */
#ifndef SPAN__JSON_H
#define SPAN__JSON_H

#include "codec/cursor.h"

/* Objects and arrays in each other. OTLP takes four for one of its maps. */
#define SPAN__JSON_DEPTH 320u

enum json_type {
	JSON_NONE, /* no value begins here */
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct span__json {
	struct span__cursor *in;
	struct span_arena *arena;
	unsigned depth;
	bool first; /* nothing of the innermost object or array is read */
};

/* Read what IN has, both borrowed, as is the arena. */
void span__json_init(struct span__json *j, struct span__cursor *in,
		     struct span_arena *arena);

/* What comes next; nothing is read but space. */
enum json_type span__json_peek(struct span__json *j);

/*
 * Go into an object or array; when something else is there, that is a failure
 * and false.
 */
bool span__json_object(struct span__json *j);
bool span__json_array(struct span__json *j);

/*
 * The next member's key, or whether there is another item: its value is to be
 * read or skipped next. False when there is none: the object or array has
 * been left.
 */
bool span__json_member(struct span__json *j, struct span_str *key);
bool span__json_item(struct span__json *j);

/* The value; anything else is a failure. A number is its text. */
struct span_str span__json_string(struct span__json *j);
struct span_str span__json_number(struct span__json *j);
bool span__json_bool(struct span__json *j);

/* Pass over a null, when there is one. */
bool span__json_null(struct span__json *j);

/* Pass over the next value, whatever it is. */
void span__json_skip(struct span__json *j);
/* The same; returns its text, as it stands there. */
struct span_str span__json_raw(struct span__json *j);

/* Nothing but space follows; anything else is a failure. */
void span__json_end(struct span__json *j);

/*
 * A number or a string that holds one, as an integer: "12", 12.0 and 1.2e1 are
 * 12. False when it is anything else or does not fit; it has been passed
 * over then.
 */
bool span__json_int(struct span__json *j, int64_t *v);
bool span__json_uint(struct span__json *j, uint64_t *v);

/*
 * A number or a string that holds one, or "NaN", "Infinity", "-Infinity".
 * False, when it is anything else; it has been passed over then.
 */
bool span__json_double(struct span__json *j, double *v);

#endif
