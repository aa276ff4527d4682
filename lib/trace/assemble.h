/* SPDX-License-Identifier: Apache-2.0 */
/* assemble.h - the tree of a trace; for lib/trace only */
#ifndef SPAN_TRACE_ASSEMBLE_H
#define SPAN_TRACE_ASSEMBLE_H

#include <span/trace.h>

/*
 * Sort the N > 0 spans at SPANS, move those that are not duplicates, or with
 * KEEP_DUPLICATES all, to the front (*LEFT of them) and fill *OUT, whose arrays
 * are in SCRATCH; all but n_duplicates. 0 or SPAN_E_NOMEM.
 */
int span__assemble(struct span *spans, size_t n, bool keep_duplicates,
		   struct span_buf *scratch, struct span_trace *out,
		   size_t *left);

#endif
