/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query-explain.h - how a search was done
 */
#ifndef QUERY_EXPLAIN_H
#define QUERY_EXPLAIN_H

#include "cmd_source.h"

struct query_explain {
	bool count, spans, ids;	    /* what is searched for; else traces */
	uint64_t start_ns;	    /* on cmd_monotonic_ns() */
	uint64_t n_traces, n_spans; /* found */
	uint64_t open_ns, first_ns; /* when it was open, when one was found */
};

/* Search, and put into OUT what there is to say. 0 or a negative code. */
SPAN_NODISCARD int query_explain(struct query_explain *e, struct cmd_source *in,
				 struct span_buf *out, struct span_error *err);

#endif
