/* SPDX-License-Identifier: Apache-2.0 */
/* diff-sides.h - the sides of a comparison: the first, and each other one */
#ifndef DIFF_SIDES_H
#define DIFF_SIDES_H

#include "cmd.h"

#include <span/diff.h>

struct diff_sides {
	char **names;
	int n;
	struct span_diff *
		*diffs;	  /* the first side with each other one: N - 1 */
	uint64_t *traces; /* of each side */
	uint64_t n_spans;
	bool of_one_source; /* so that a trace can be on both of two sides */
	uint64_t n_both;    /* those that are */
	struct span_buf
		ids; /* of the first side, when they are OF_ONE_SOURCE */
	bool sorted;
};

/* NAMES are the caller's. 0 or a negative code, as all of these. */
SPAN_NODISCARD int diff_sides_open(struct diff_sides *s, char **names, int n,
				   const struct span_diff_opts *opts,
				   struct span_error *err);
/* Another trace of SIDE: the first side is whole before the next one begins,
 * when they are OF_ONE_SOURCE. */
SPAN_NODISCARD int diff_sides_put(struct diff_sides *s, int side,
				  const struct span_trace *t,
				  struct span_error *err);
/* A trace for all sides that name it best. */
SPAN_NODISCARD int diff_sides_put_named(struct diff_sides *s,
					const struct span_trace *t,
					struct span_error *err);
/* All was put: SPAN_E_INVALID when a side is empty, and a warning when some
 * traces are on both. */
SPAN_NODISCARD int diff_sides_check(const struct diff_sides *s,
				    struct span_error *err);
void diff_sides_close(struct diff_sides *s);

#endif
