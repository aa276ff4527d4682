/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json.h - what the reader of OTLP in JSON consists of
 *
 * A value of another type than OTLP has there spoils the span that it is in;
 * in a resource or scope, whose spans would not be what they were, the
 * message. A null is as good as nothing.
 */
#ifndef SPAN__OTLP_JSON_H
#define SPAN__OTLP_JSON_H

#include "codec/json.h"
#include "codec/otlp_model.h"

struct span__otlp_json {
	struct span__otlp o;
	struct span__json j;   /* its arena is that of what is being read */
	struct span_buf stack; /* lists that are not complete yet */
};

/*
 * Members by name, in the order in which they are usually written. Names are
 * taken in lowerCamelCase and as the fields are called in protobuf, with
 * underscores.
 */
struct span__otlp_names {
	const struct span_str *v;
	size_t n, next; /* NEXT is likely to come */
};

#define OTLP_NAME(text)                                                        \
	{                                                                      \
		(text), sizeof(text) - 1                                       \
	}
#define OTLP_NAMES(list)                                                       \
	{                                                                      \
		(list), sizeof(list) / sizeof(*(list)), 0                      \
	}

/* The number of a member's name; names->n when it is not known. */
size_t span__otlp_name(struct span__otlp_names *names, struct span_str key);

/* What a value is there that OTLP does not have; it is passed over. */
void span__otlp_wrong(struct span__otlp_json *r);

/* Go into one; false when there is null or something wrong instead. */
bool span__otlp_object(struct span__otlp_json *r);
bool span__otlp_list(struct span__otlp_json *r);

/* Values that are not null; 0 and empty when they are wrong. */
struct span_str span__otlp_json_text(struct span__otlp_json *r);
uint64_t span__otlp_json_uint(struct span__otlp_json *r);

/* The same, but a count: what does not fit is the most. */
uint32_t span__otlp_json_count(struct span__otlp_json *r);

/*
 * A list's items are pushed when they are read, and taken off, into the
 * arena, when all of them are; FROM is r->stack.len before. MORE have room.
 */
void *span__otlp_unstack(struct span__otlp_json *r, size_t from, size_t size,
			 size_t more, size_t *n);

/* The list of attributes that comes next, with room for MORE. */
void span__otlp_json_attrs(struct span__otlp_json *r,
			   struct span__otlp_attrs *list, size_t more);

/* The span that comes next: passed on, or counted as bad. */
void span__otlp_json_span(struct span__otlp_json *r);

#endif
