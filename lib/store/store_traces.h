/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_traces.h - all traces of a store, by what is known of them without
 * reading their spans
 *
 * Segments have ids, times and shapes of their traces in columns; the frames
 * of logs are gone through.
 */
#ifndef SPAN_STORE_TRACES_H
#define SPAN_STORE_TRACES_H

#include "store/store_ops.h"

enum span__traces_want {
	TRACES_IDS = 0,
	TRACES_TIMES = 1 << 0,
	TRACES_SIZES = 1 << 1,
	TRACES_PARTS = 1 << 2,
};

/* N traces, or of each what one place has of it: arrays of N. */
struct span__traces {
	size_t n;
	uint64_t *high, *low; /* the ids' halves as big-endian numbers */
	/* TRACES_TIMES: of the spans, the earliest start and the latest end */
	uint64_t *start_ns, *end_ns;
	/* TRACES_SIZES: of spans, those that are stored twice too */
	uint64_t *n_spans, *n_errors;
	/* TRACES_PARTS: another call may have more of the trace */
	bool *in_parts;
};

/* What T points to is valid until it returns; below 0 ends it. */
typedef int span__traces_fn(void *arg, const struct span__traces *t,
			    struct span_error *err);

/*
 * Call FN with what WANT (enum span__traces_want) asks for, in no order, until
 * every trace was there. 1; 0 when the store cannot tell, or some of it is
 * damaged: FN may have been called then, with what is right as far as it goes;
 * or a negative code.
 */
SPAN_NODISCARD int span__store_traces(struct span_store *st, unsigned want,
				      span__traces_fn *fn, void *arg,
				      struct span_error *err);

/* That of a directory. */
SPAN_NODISCARD int span__directory_traces(struct span_store *st, unsigned want,
					  span__traces_fn *fn, void *arg,
					  struct span_error *err);

#endif
