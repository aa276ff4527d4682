/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-news.h - new traces of a store: --follow and --cursor
 */
#ifndef QUERY_NEWS_H
#define QUERY_NEWS_H

#include "cmd_source.h"
#include "query-print.h"

struct query_news {
	bool count; /* print nothing, but count */
	bool spans; /* the matching spans only */
	/* of --cursor: what to remember, to be written when all is well */
	struct span_buf cursor;
};

/* Print what comes until a signal. 0 or a negative code. */
SPAN_NODISCARD int query_follow(struct query_news *n, struct query_print *out,
				struct cmd_source *in, struct span_error *err);
/* Print what is new since the cursor PATH was written. */
SPAN_NODISCARD int query_since_cursor(struct query_news *n,
				      struct query_print *out,
				      struct cmd_source *in, const char *path,
				      struct span_error *err);
/* Write n->cursor in the place of PATH, durably. */
SPAN_NODISCARD int query_cursor_write(const struct query_news *n,
				      const char *path, struct span_error *err);

#endif
