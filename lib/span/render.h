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
	bool colour;	 /* ANSI colours, a service's from its name */
	bool local_time; /* else UTC */
	bool ascii;	 /* no box drawing, no ellipsis character */
	/*
	 * Duration that fills a bar; 0: in a tree the trace's own, in a table
	 * no bars.
	 */
	uint64_t full_ns;
};

/*
 * The table of traces: a head, then a line a trace with its start, the first
 * digits of its id (all where there is room), the service and operation of its
 * root, duration, spans, services, errors, and from 80 columns on a bar.
 */
SPAN_API void span_render_traces_head(struct span_buf *b,
				      const struct span_render_opts *o);
SPAN_API void span_render_traces_row(struct span_buf *b,
				     const struct span_render_opts *o,
				     const struct span_trace *t);

/*
 * The table of single spans: start, trace id, span id and kind where there is
 * room, service, operation, duration, and a mark for errors.
 */
SPAN_API void span_render_spans_head(struct span_buf *b,
				     const struct span_render_opts *o);
SPAN_API void span_render_spans_row(struct span_buf *b,
				    const struct span_render_opts *o,
				    const struct span *s);

/*
 * A trace as a tree: a head of two lines, then a line a span with its
 * service, operation, time since the trace's start, duration and bar, then a
 * note for each kind of mark that needs one. Errors are marked, orphans and
 * cut circles too; what follows from its parent hangs on a dotted line; deep
 * spans stop moving to the right and show their depth as a number. MATCHED
 * (NULL: none) has a byte for each span of the trace (by index in t->spans);
 * those that are not 0 are emphasised.
 *
 * Time is linear in the number of spans. There is no blank line before or
 * after.
 */
SPAN_API void span_render_tree(struct span_buf *b,
			       const struct span_render_opts *o,
			       const struct span_trace *t,
			       const uint8_t *matched);

#ifdef __cplusplus
}
#endif
#endif
