/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-field.h - what can be said of a trace or a span in a line, by name
 *
 * Columns and templates are made of fields. A field of a trace that is about
 * one span, such as its service, is about the root.
 */
#ifndef QUERY_FIELD_H
#define QUERY_FIELD_H

#include <span/span.h>

/* What a line is about: a trace and its root, or a span alone. */
struct query_item {
	const struct span *span;
	const struct span_trace *trace; /* NULL: the span alone */
};

struct query_field {
	const char *name;
	const char *help;
	unsigned width; /* in a table; 0: shares what is left */
	bool right;	/* flush right in a table */
	bool of_trace;	/* only traces have it */
	bool text;	/* from the network: has to be escaped */
	bool deep;	/* of a span more than its head is needed */
	void (*put)(struct span_buf *b, const struct query_item *item);
};

/* A field, with the key of a tag where it is one. */
struct query_column {
	const struct query_field *field;
	struct span_str key;  /* of "tag:KEY" */
	struct span_str name; /* as it was typed */
};

/* All of them but tag:KEY, a NULL name last. */
extern const struct query_field query_fields[];

/* Find "service" or "tag:KEY", which is borrowed. */
bool query_field_find(struct span_str name, struct query_column *out);
/*
 * Append it as it is, not escaped. LOCAL: times in local time, with
 * milliseconds; else in UTC, RFC 3339, with all digits.
 */
void query_column_put(struct span_buf *b, const struct query_column *c,
		      const struct query_item *item, bool local);

#endif
