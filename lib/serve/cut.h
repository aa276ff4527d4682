/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/cut.h - traces with more spans than an answer shows of one
 *
 * The first span of such a trace says so, in the attribute SPAN_WARNINGS, which
 * is where Jaeger says it: behind other warnings that it has.
 */
#ifndef SERVE_CUT_H
#define SERVE_CUT_H

#include <span/query.h>

/* Zeroed at first, but for what is set by who uses it. */
struct span__serve_cut {
	size_t max; /* spans of a trace; 0: any number */
	/* Whose traces these are, which may be there only in part; or NULL. */
	const struct span_search *search;
	uint64_t parts;		 /* traces that it had in part so far */
	struct span_arena arena; /* of what is shown instead */
	char warning[100];
};

/*
 * Those of the *N spans V of a trace that are shown, *N then: V itself, or what
 * is valid until the next call. NULL when memory is out.
 */
const struct span *span__serve_cut(struct span__serve_cut *c,
				   const struct span *v, size_t *n,
				   struct span_error *err);
void span__serve_cut_release(struct span__serve_cut *c);

#endif
