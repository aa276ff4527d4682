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

/* What stands beside the bars of a tree. */
enum span_column {
	SPAN_COLUMN_SERVICE = 0,
	SPAN_COLUMN_OPERATION, /* behind the lines of the tree */
	SPAN_COLUMN_ID,
	SPAN_COLUMN_KIND,
	SPAN_COLUMN_STATUS,
	SPAN_COLUMN_START, /* since the trace's start */
	SPAN_COLUMN_DURATION,
	SPAN_COLUMN_SELF,     /* span_trace_self_ns() */
	SPAN_COLUMN_CRITICAL, /* time on the critical path */
	SPAN_COLUMN_TAG,      /* of the span, else of its process */
};

#define SPAN_RENDER_COLUMNS 16u /* at most */

struct span_render_column {
	enum span_column column;
	struct span_str key; /* of SPAN_COLUMN_TAG */
};

/*
 * Read "service", ..., "critical", or a key of tags with a dot before it, which
 * *OUT borrows. 0 or SPAN_E_INVALID.
 */
SPAN_API SPAN_NODISCARD int
span_render_column_parse(struct span_str name, struct span_render_column *out,
			 struct span_error *err);

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
	/* Of a tree: */
	uint32_t depth; /* levels that are shown; 0: all */
	bool fold;	/* siblings that are alike take one line */
	/*
	 * Columns in their order, below a line with their names; those without
	 * room are left out from the right. Without the operation it comes
	 * first, or after a leading service. None: service, operation, start,
	 * duration, as far as there is room.
	 */
	const struct span_render_column *shown;
	size_t n_shown;
	/* The trace's critical path, for its bars and a summary; or none. */
	const struct span_trace_section *critical;
	size_t n_critical;
	/* Said above a trace, such as what links to it; or empty. */
	struct span_str note;
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
 * A trace as a tree: the note, a head of two lines, then a line a span with its
 * service, operation, time since the trace's start, duration and bar, then a
 * note for each kind of mark that needs one. Errors are marked, orphans and
 * cut circles too; what follows from its parent hangs on a dotted line; deep
 * spans stop moving to the right and show their depth as a number. MATCHED
 * (NULL: none) has a byte for each span of the trace (by index in t->spans);
 * those that are not 0 are emphasised. A line that stands for several siblings
 * says so (x12) and has the sum of their durations; one below which spans are
 * hidden says how many (+5).
 *
 * Time is linear in the number of spans. There is no blank line before or
 * after.
 */
SPAN_API void span_render_tree(struct span_buf *b,
			       const struct span_render_opts *o,
			       const struct span_trace *t,
			       const uint8_t *matched);

/*
 * The head of a tree alone: trace id and start, then the root's service and
 * operation with duration and counts.
 */
SPAN_API void span_render_head(struct span_buf *b,
			       const struct span_render_opts *o,
			       const struct span_trace *t);

/*
 * A span whole, span I of T: ids, times, self time, status, references, tags,
 * process, scope, and each event with its fields. Times of events count from
 * the span's start with RELATIVE, else from the trace's. What has several
 * lines (a stack trace) keeps them, indented. Where a line is longer than the
 * columns it is not cut.
 */
SPAN_API void span_render_span(struct span_buf *b,
			       const struct span_render_opts *o,
			       const struct span_trace *t, uint32_t i,
			       bool relative);

/*
 * The events of span I alone, or with ERRORS only what says why it failed: the
 * status message, and exceptions with type, message and stack. Nothing when
 * there is none.
 */
SPAN_API void span_render_events(struct span_buf *b,
				 const struct span_render_opts *o,
				 const struct span_trace *t, uint32_t i,
				 bool relative, bool errors);

/*
 * Traces as one page of HTML: head, any number of traces, end. The page needs
 * nothing else and allows nothing else (its policy names the hashes of its
 * style and script); what spans say is in it as JSON only. Of O the critical
 * path, the note and local_time count; MATCHED as in a tree. The same traces
 * give the same bytes.
 *
 * The trace returns 0; or SPAN_E_NOMEM, or SPAN_E_IO without randomness from
 * the system.
 */
SPAN_API void span_render_html_head(struct span_buf *b);
SPAN_API SPAN_NODISCARD int
span_render_html_trace(struct span_buf *b, const struct span_render_opts *o,
		       const struct span_trace *t, const uint8_t *matched,
		       struct span_error *err);
SPAN_API void span_render_html_end(struct span_buf *b);

/*
 * Traces as one SVG picture, 1200 pixels wide, which needs nothing else: a
 * trace's rows, Y pixels from the top, into B, and how many pixels they take.
 * Then a head for the height of all traces comes first, and an end last. O as
 * in a tree, but for columns and colour. The same traces give the same bytes.
 */
SPAN_API size_t span_render_svg_trace(struct span_buf *b,
				      const struct span_render_opts *o,
				      const struct span_trace *t,
				      const uint8_t *matched, size_t y);
SPAN_API void span_render_svg_head(struct span_buf *b, size_t height);
SPAN_API void span_render_svg_end(struct span_buf *b);

#ifdef __cplusplus
}
#endif
#endif
