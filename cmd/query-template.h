/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-template.h - lines made of fields: templates, and lists of columns
 */
#ifndef QUERY_TEMPLATE_H
#define QUERY_TEMPLATE_H

#include "query-field.h"

/* A text with %(fields), as span-query(1) describes it. */
struct query_template;

/*
 * 0; SPAN_E_INVALID with the column (from 0) in err->pos: no such field, one
 * of traces where SPANS says that lines are about spans, a % that means
 * nothing, a width above 1000; SPAN_E_NOMEM. TEXT is borrowed.
 */
SPAN_NODISCARD int query_template_open(struct query_template **out,
				       const char *text, bool spans,
				       struct span_error *err);
/* Append a line, without its end. Text from the network is escaped. */
void query_template_put(struct span_buf *b, const struct query_template *t,
			const struct query_item *item, bool local);
/* True when heads of spans have all it needs; see span_search_opts. */
bool query_template_takes_heads(const struct query_template *t);
void query_template_close(struct query_template **t);

/* Columns of a table or of CSV. */
#define QUERY_MAX_COLUMNS 64
struct query_columns {
	struct query_column v[QUERY_MAX_COLUMNS];
	unsigned width[QUERY_MAX_COLUMNS]; /* in a table */
	size_t n;
};

/* Read "start,service,tag:KEY" as above; the table is COLUMNS wide. */
SPAN_NODISCARD int query_columns_read(struct query_columns *out,
				      const char *text, bool spans,
				      size_t columns, struct span_error *err);
bool query_columns_take_heads(const struct query_columns *c);
void query_columns_head(struct span_buf *b, const struct query_columns *c,
			bool csv);
void query_columns_row(struct span_buf *b, const struct query_columns *c,
		       const struct query_item *item, bool local);
void query_columns_csv(struct span_buf *b, const struct query_columns *c,
		       const struct query_item *item, bool safe);

#endif
