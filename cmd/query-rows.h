/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-rows.h - rows of the table of traces, kept until the longest is known
 */
#ifndef QUERY_ROWS_H
#define QUERY_ROWS_H

#include <span/span.h>

/* A zeroed struct is empty. */
struct query_rows {
	struct span_arena arena;
	struct span_buf v; /* of struct span_trace, with the root alone */
	uint64_t longest_ns;
	bool failed; /* memory is out */
};

void query_rows_put(struct query_rows *r, const struct span_trace *t);
/* Append the table, if there is a row, with bars for the longest one. */
void query_rows_render(const struct query_rows *r, struct span_buf *b,
		       const struct span_render_opts *look);
void query_rows_release(struct query_rows *r);

#endif
