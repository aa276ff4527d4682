/* SPDX-License-Identifier: Apache-2.0 */
/* adjust.h - what the adjusters share; for lib/trace only */
#ifndef SPAN_TRACE_ADJUST_H
#define SPAN_TRACE_ADJUST_H

#include <span/adjust.h>

/*
 * The spans of a builder, which owns them and all they point to: they may be
 * changed, and so may their attributes, events, references and processes.
 */
static inline struct span *span__adjusted(const struct span_trace_builder *b,
					  size_t *n)
{
	*n = b->spans.len / sizeof(struct span);
	return (struct span *)(void *)b->spans.p;
}

/* Add N texts, which live as long as A, to the warnings of S. 0 or NOMEM. */
SPAN_NODISCARD int span__warn(struct span_arena *a, struct span *s,
			      const struct span_str *texts, size_t n);

/* A copy of what TEXT has as a warning. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__warn_text(struct span_arena *a, struct span *s,
				   const struct span_buf *text);

/*
 * The spans of B by process: I of an item is a span's index, equal keys are one
 * process. NULL when memory is out.
 */
struct span__item *span__by_process(struct span_trace_builder *b);

/* By key, then type, then value. */
void span__sort_attrs(const struct span_attrs *attrs);

/*
 * Call SORT with each span of B, and sort the attributes of each process, once.
 * 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__sort_spans(struct span_trace_builder *b,
				    void (*sort)(struct span *s));

/* Sets ERR when RC says that memory is out, and returns RC. */
int span__adjust_end(int rc, struct span_error *err);

#endif
