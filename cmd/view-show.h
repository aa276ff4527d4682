/* SPDX-License-Identifier: Apache-2.0 */
/* view-show.h - what trace-view shows of a trace, and how */
#ifndef VIEW_SHOW_H
#define VIEW_SHOW_H

#include "cmd.h"

#include <span/render.h>

enum { VIEW_NOT_SAID = -1, VIEW_FROM_TRACE, VIEW_FROM_SPAN };

struct view_opts {
	struct cmd_list spans;
	const char *find, *logs;
	uint64_t adjust_ns;
	int relative;
	bool critical, events, errors, html, svg, follow_links;
	bool findings, patterns, json;
};

struct view {
	const struct view_opts *opt;
	struct span_render_opts look;
	int fd;
	struct span_buf text;
	struct span_buf part; /* a piece of it */
	struct span_buf path; /* critical, of the trace at hand */
	struct span_buf marks;
	struct span_trace_builder builder; /* of traces with other times */
	size_t height;			   /* of a picture so far */
	struct span_buf seen;		   /* a byte for each --span: found */
	uint64_t n_traces, n_spans;
	uint64_t n_shown; /* spans that were asked for */
};

/* True when single spans are shown and no tree. */
bool view_is_list(const struct view_opts *opt);
/* True when something is said of all traces together. */
bool view_is_analysis(const struct view_opts *opt);

/*
 * Begin, show each trace with what matched (or NULL), and end, WHOLE when that
 * was all of the input. The trace may become another one with corrected times.
 * 0 or a negative code.
 */
SPAN_NODISCARD int view_begin(struct view *v, struct span_error *err);
SPAN_NODISCARD int view_show(struct view *v, struct span_trace *t,
			     const uint8_t *matched, struct span_error *err);
SPAN_NODISCARD int view_end(struct view *v, bool whole, struct span_error *err);
/* Write what there is, but of a picture, which is written when it ends. */
SPAN_NODISCARD int view_flush(struct view *v, struct span_error *err);
void view_release(struct view *v);

#endif
