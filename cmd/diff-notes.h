/* SPDX-License-Identifier: Apache-2.0 */
/* diff-notes.h - the lines below a path that differs */
#ifndef DIFF_NOTES_H
#define DIFF_NOTES_H

#include "diff-out.h"

/* Columns that a name has at least. */
#define DIFF_MIN_NAME 20u

/* Columns by which the name of N is moved to the right. */
size_t diff_indent(const struct span_diff_node *n);
/* "1 trace", "2 traces" */
void diff_put_plural(struct span_buf *b, uint64_t n, const char *what);
/* What fails, how sure that is, and the tags: a line each. */
void diff_put_notes(struct span_buf *b, const struct diff_out_opts *o,
		    const struct span_diff_view *v,
		    const struct span_diff_node *n);

#endif
