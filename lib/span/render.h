/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/render.h - traces as text for people
 *
 * All append to a struct span_buf and end each line with a newline; wire text
 * passes through span/text.h. Nothing is wider than the columns that are
 * given.
 */
#ifndef SPAN_RENDER_H
#define SPAN_RENDER_H

#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

struct span_render_opts {
	size_t columns;	 /* of the terminal; 0: 80 */
	bool colour;	 /* ANSI colours */
	bool local_time; /* else UTC */
	bool ascii;	 /* no box drawing, no ellipsis character */
	/* duration that fills a bar; 0: the trace's own */
	uint64_t full_ns;
};

/* The table of traces: a head, then a line a trace. */
SPAN_API void span_render_traces_head(struct span_buf *b,
				      const struct span_render_opts *o);
SPAN_API void span_render_traces_row(struct span_buf *b,
				     const struct span_render_opts *o,
				     const struct span_trace *t);

/* The table of single spans. */
SPAN_API void span_render_spans_head(struct span_buf *b,
				     const struct span_render_opts *o);
SPAN_API void span_render_spans_row(struct span_buf *b,
				    const struct span_render_opts *o,
				    const struct span *s);

/*
 * A trace as a tree: a head line, then a line a span with its service,
 * operation, time since the trace's start, duration, bar, and errors marked.
 * MATCHED (NULL: none) has a byte for each span of the trace; those that are
 * not 0 are emphasised.
 */
SPAN_API void span_render_tree(struct span_buf *b,
			       const struct span_render_opts *o,
			       const struct span_trace *t,
			       const uint8_t *matched);

#ifdef __cplusplus
}
#endif
#endif
