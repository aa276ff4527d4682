/* SPDX-License-Identifier: Apache-2.0 */
/* cell.h - parts of a line on a terminal; for lib/render only */
#ifndef SPAN_RENDER_CELL_H
#define SPAN_RENDER_CELL_H

#include <span/render.h>

enum span__style {
	SPAN__PLAIN = 0,
	SPAN__DIM,
	SPAN__BOLD,
	SPAN__ERROR,
};

/* Columns of a duration at most ("213504d") and of a count (5 digits). */
#define SPAN__DURATION_WIDTH 7
#define SPAN__COUNT_WIDTH 5

size_t span__columns(const struct span_render_opts *o);

/* Switch to a style, or to the colour of a service; span__style_end() back. */
void span__style(struct span_buf *b, const struct span_render_opts *o,
		 enum span__style style);
void span__style_service(struct span_buf *b, const struct span_render_opts *o,
			 struct span_str service);
/* The number of a service's colour, below SPAN__COLOURS. */
#define SPAN__COLOURS 12
unsigned span__service_colour(struct span_str service);
void span__style_end(struct span_buf *b, const struct span_render_opts *o);

/* What marks an error, in one column. */
struct span_str span__error_mark(const struct span_render_opts *o);

/* What a reference is called; what is said of a mark, bit BIT of SPAN_MARK_*.
 */
const char *span__ref_name(int32_t type);
#define SPAN__MARKS 3u
const char *span__mark_text(unsigned bit);

/* WIDTH spaces. */
void span__spaces(struct span_buf *b, size_t width);

/* S in a style, cut or padded to WIDTH columns. */
void span__cell(struct span_buf *b, const struct span_render_opts *o,
		enum span__style style, struct span_str s, size_t width);

/* S in a style, however long it is; returns the columns. */
size_t span__whole(struct span_buf *b, const struct span_render_opts *o,
		   enum span__style style, struct span_str s);

/* A service in its colour; returns the columns, not padded. */
size_t span__service(struct span_buf *b, const struct span_render_opts *o,
		     struct span_str service, size_t width);

/* "service operation" in WIDTH columns, the operation as STYLE. */
void span__name(struct span_buf *b, const struct span_render_opts *o,
		enum span__style style, const struct span *s, size_t width);

/* What was put from FROM on, one column a byte, moved right in WIDTH. */
void span__right(struct span_buf *b, size_t from, size_t width);

/* Right in SPAN__DURATION_WIDTH, in WIDTH (3 to 9). */
void span__duration(struct span_buf *b, uint64_t ns);
void span__count(struct span_buf *b, uint64_t n, size_t width);

/*
 * WIDTH columns that stand for FULL_NS, with a bar from START_NS on of
 * DURATION_NS: never nothing, and nothing outside. Columns that are not 0 in
 * HEAVY (WIDTH bytes, or NULL) have another glyph. Not padded.
 */
void span__bar(struct span_buf *b, const struct span_render_opts *o,
	       size_t width, uint64_t full_ns, uint64_t start_ns,
	       uint64_t duration_ns, const uint8_t *heavy);

/* Take away the spaces that end the line, before a style's end too; end it. */
void span__line_end(struct span_buf *b);

#endif
