/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats-field.h - what --by groups spans by
 *
 * A field of span-query's columns, or an attribute as TraceQL writes it:
 * span.KEY, resource.KEY, .KEY, or a bare key that has a dot in it.
 */
#ifndef STATS_FIELD_H
#define STATS_FIELD_H

#include "query-field.h"

enum stats_place {
	STATS_SERVICE,
	STATS_OPERATION,
	STATS_KIND,
	STATS_STATUS,
	STATS_ERROR,
	STATS_COLUMN, /* any other field of span-query */
	STATS_SPAN,   /* an attribute of the span */
	STATS_PROCESS,
	STATS_ANY, /* of the span, else of its process */
};

struct stats_field {
	enum stats_place place;
	struct query_column column;
	struct span_str key;  /* of an attribute */
	struct span_str name; /* as it was typed */
};

struct stats_fields {
	struct stats_field v[SPAN_STATS_LABELS];
	struct span_buf text[SPAN_STATS_LABELS]; /* of values that have none */
	size_t n;
	size_t n_fixed; /* of metrics, which have them whatever is typed */
	bool escape;	/* values are made harmless */
};

/* Those of metrics: service, operation, kind and status. */
void stats_fields_metrics(struct stats_fields *f);
/*
 * Add the field NAME, which is borrowed; those that metrics have are not added
 * again. 0 or SPAN_E_INVALID.
 */
SPAN_NODISCARD int stats_fields_add(struct stats_fields *f,
				    struct span_str name,
				    struct span_error *err);
/* The same of "A,B,...", with the column (from 0) in err->pos. */
SPAN_NODISCARD int stats_fields_read(struct stats_fields *f, const char *text,
				     struct span_error *err);
void stats_fields_release(struct stats_fields *f);
/* Are attributes asked for, so that heads of spans do not do? */
bool stats_fields_whole(const struct stats_fields *f);
/* Do calls of a store tell all of them? */
bool stats_fields_of_calls(const struct stats_fields *f);

/* The values, one a field, "" for none: valid until the next call. */
void stats_fields_of(struct stats_fields *f, const struct span *s,
		     struct span_str *out);

#endif
