/* SPDX-License-Identifier: Apache-2.0 */
/* svg_row.h - a picture of a trace and its rows; for lib/render only */
#ifndef SPAN_RENDER_SVG_ROW_H
#define SPAN_RENDER_SVG_ROW_H

#include "render/tree_critical.h"
#include "render/tree_plan.h"

/* Pixels: of the picture, of a row, and to where the bars begin. */
#define SPAN__SVG_WIDTH 1200u
#define SPAN__SVG_ROW 20u
#define SPAN__SVG_BARS 540u
#define SPAN__SVG_NAMES 470u /* to where names may reach */

#define SPAN__SVG_LEVELS 16u /* that are drawn as lines */

struct span__svg {
	const struct span_render_opts *o;
	const struct span_trace *t;
	const uint8_t *matched;
	const struct span__tree_line *lines;
	size_t n_lines;
	uint64_t full_ns;
	struct span__critical critical;
	bool more[SPAN__SVG_LEVELS + 1]; /* whether a sibling follows */
};

/* A length that is given in tenths of a pixel. */
void span__svg_px(struct span_buf *b, uint64_t tenths);
/* S in COLUMNS characters, escaped. */
void span__svg_text(struct span_buf *b, struct span_str s, size_t columns);
/* Where a time is, in tenths. */
uint64_t span__svg_x(const struct span__svg *v, uint64_t ns);

/* The row of LINE, Y pixels below the trace's top. */
void span__svg_row(struct span_buf *b, struct span__svg *v,
		   const struct span__tree_line *line, size_t y);

#endif
