/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_check_calls.h - whether what a segment knows of its calls is true
 *
 * The aggregates (section 27) are read, and each call is taken out of its
 * entries: nothing may be left. So memory is that of the entries, some 60
 * bytes each, however many spans there are.
 */
#ifndef SPAN_STORE_CHECK_CALLS_H
#define SPAN_STORE_CHECK_CALLS_H

#include "store/calls_file.h"

/* Says what is wrong; below 0 ends it. */
typedef int span__complain_fn(void *arg, const char *text);

struct span__calls_check;
/*
 * 0, also when the segment has no aggregates; SPAN_E_NOMEM; SPAN_E_IO without
 * randomness. Where they make no sense the file is marked, and nothing is
 * compared.
 */
SPAN_NODISCARD int span__calls_check_open(struct span__calls_check **out,
					  struct span__seg *seg,
					  struct span_error *err);
/* Take out the calls of trace number TRACE, which is linked. */
void span__calls_check_trace(struct span__calls_check *c, uint64_t trace,
			     const struct span__call_trace *t);
/* All traces were taken out: say what is left, or was not there. */
SPAN_NODISCARD int span__calls_check_finish(struct span__calls_check *c,
					    span__complain_fn *fn, void *arg);
void span__calls_check_close(struct span__calls_check **c);

/*
 * The edges (section 28) between SEG, which is sound but for them, and the N
 * segments OTHERS, those that are there: looked up anew in the columns of both.
 * OTHERS are unloaded; a pair of which something cannot be read is passed over.
 * 0, SPAN_E_NOMEM, or what FN returned.
 */
SPAN_NODISCARD int span__edges_check(struct span__seg *seg,
				     struct span__seg *const *others, size_t n,
				     span__complain_fn *fn, void *arg,
				     struct span_error *err);

#endif
