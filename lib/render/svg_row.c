/* SPDX-License-Identifier: Apache-2.0 */
#include "render/svg_row.h"

#include <span/text.h>

#include <inttypes.h>
#include <stdio.h>

#include "render/cell.h"
#include "text/utf8.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE
#define LEFT 16u
#define INDENT 12u
#define CHARACTER 7u /* pixels that one takes on average, at most */
#define TITLE 400    /* columns of a name in a tooltip */
#define BAR_TOP 4u
#define BAR_HEIGHT 12u

static uint32_t levels_of(const struct span__svg *v,
			  const struct span__tree_line *line)
{
	uint32_t depth = v->t->nodes[line->span].depth;

	return depth < SPAN__SVG_LEVELS ? depth : SPAN__SVG_LEVELS;
}

/* The lines of the tree to the left of a name. */
static void put_lines(struct span_buf *b, struct span__svg *v,
		      const struct span__tree_line *line, size_t y)
{
	const struct span_trace_node *node = &v->t->nodes[line->span];
	uint32_t drawn = levels_of(v, line);
	bool more = span__tree_more(v->t, line);

	if (!drawn)
		return;
	if (node->depth <= SPAN__SVG_LEVELS)
		v->more[node->depth] = more;
	span_buf_printf(b, "<path class=\"l%s\" d=\"",
			node->flags & SPAN_TRACE_FOLLOWS ? " f" : "");
	for (uint32_t level = 1;
	     level < drawn && node->depth <= SPAN__SVG_LEVELS; level++)
		if (v->more[level])
			span_buf_printf(b, "M%u %zuv%u",
					LEFT + INDENT * level - 8, y,
					SPAN__SVG_ROW);
	span_buf_printf(b, "M%u %zuv%u", LEFT + INDENT * drawn - 8, y,
			more ? SPAN__SVG_ROW : SPAN__SVG_ROW / 2);
	span_buf_printf(b, "M%u %zuh7\"/>", LEFT + INDENT * drawn - 8,
			y + SPAN__SVG_ROW / 2);
}

static void put_marks(struct span_buf *b, const struct span__svg *v,
		      const struct span__tree_line *line)
{
	const struct span_trace_node *node = &v->t->nodes[line->span];

	if (node->depth > SPAN__SVG_LEVELS)
		span_buf_printf(b,
				"<tspan class=\"q\">\xe2\x8b\xaf %" PRIu32
				"</tspan> ",
				node->depth);
	if (span_is_error(&v->t->spans[line->span]))
		span_buf_puts(b, "<tspan class=\"e\">\xe2\x9c\x97</tspan> ");
	if (node->flags & SPAN_TRACE_ORPHAN)
		span_buf_puts(b, "<tspan class=\"q\">?</tspan> ");
	if (node->flags & SPAN_TRACE_CYCLE)
		span_buf_puts(b, "<tspan class=\"q\">@</tspan> ");
}

/* " x12" or " +5", or nothing. */
static void put_suffix(struct span_buf *b, const struct span__tree_line *line)
{
	if (line->n > 1)
		span_buf_printf(b, " \xc3\x97%" PRIu32, line->n);
	else if (line->hidden)
		span_buf_printf(b, " +%" PRIu32, line->hidden);
}

/* The columns that put_marks() and SUFFIX take beside a name. */
static size_t beside(const struct span__svg *v,
		     const struct span__tree_line *line, struct span_str suffix)
{
	const struct span_trace_node *node = &v->t->nodes[line->span];
	char depth[12];
	size_t n = span__text_width(suffix, SIZE_MAX, false);

	if (node->depth > SPAN__SVG_LEVELS)
		n += 3 + (size_t)snprintf(depth, sizeof(depth), "%" PRIu32,
					  node->depth);
	n += span_is_error(&v->t->spans[line->span]) ? 2 : 0;
	n += node->flags & SPAN_TRACE_ORPHAN ? 2 : 0;
	return n + (node->flags & SPAN_TRACE_CYCLE ? 2 : 0);
}

/* What is wider than others thought is clipped before the durations. */
static void put_name(struct span_buf *b, const struct span__svg *v,
		     const struct span__tree_line *line, size_t y)
{
	const struct span *s = &v->t->spans[line->span];
	unsigned x = LEFT + INDENT * levels_of(v, line);
	struct span_buf suffix = {0};
	size_t room = (SPAN__SVG_NAMES - x) / CHARACTER, used;
	bool matched = v->matched && v->matched[line->span];
	size_t service;

	put_suffix(&suffix, line);
	used = beside(v, line, (struct span_str){suffix.p, suffix.len});
	room = used + 8 < room ? room - used : 8;
	service = span__text_width(s->process->service, room / 3, false);
	span_buf_printf(b, "<text x=\"%u\" y=\"%zu\" clip-path=\"url(#n)\">", x,
			y + 14);
	put_marks(b, v, line);
	span_buf_printf(b, "<tspan class=\"b s%u\">",
			span__service_colour(s->process->service));
	span__svg_text(b, s->process->service, service);
	span_buf_printf(b, "</tspan> <tspan%s>", matched ? " class=\"m\"" : "");
	span__svg_text(b, s->name, room - service - 1);
	span_buf_puts(b, "</tspan>");
	span_buf_put(b, suffix.p, suffix.len);
	span_buf_puts(b, "</text>");
	b->failed |= suffix.failed;
	span_buf_release(&suffix);
}

static void put_title(struct span_buf *b, const struct span__svg *v,
		      const struct span__tree_line *line)
{
	const struct span *s = &v->t->spans[line->span];
	char id[SPAN_ID_TEXT];

	span_buf_puts(b, "<title>");
	span__svg_text(b, s->process->service, TITLE);
	span_buf_putc(b, '\n');
	span__svg_text(b, s->name, TITLE);
	span_buf_printf(b, "\n%s  +", span_id_text(s->span_id, id));
	span_text_duration(b, s->start_ns - v->t->start_ns);
	span_buf_puts(b, "  ");
	span_text_duration(b, line->sum_ns);
	if (line->n == 1) {
		span_buf_puts(b, ", of these itself ");
		span_text_duration(b, span_trace_self_ns(v->t, line->span));
	}
	if (s->status_message.len) {
		span_buf_putc(b, '\n');
		span__svg_text(b, s->status_message, TITLE);
	}
	span_buf_puts(b, "</title>");
}

static void put_stroke(struct span_buf *b, uint64_t from, uint64_t to, size_t y)
{
	span_buf_putc(b, 'M');
	span__svg_px(b, from);
	span_buf_printf(b, " %zuh", y);
	span__svg_px(b, to - from < 5 ? 5 : to - from);
}

/*
 * The critical path in a bar: sections less than half a pixel apart are one,
 * so that there are never more than a row has pixels.
 */
static void put_path(struct span_buf *b, const struct span__svg *v,
		     const struct span__tree_line *line, size_t y)
{
	const struct span__critical *c = &v->critical;
	uint64_t from = 0, to = 0;
	uint32_t span = line->span;
	bool any = false;

	for (uint32_t k = 0; c->first && k < line->n; k++) {
		for (uint32_t i = c->first[span]; i != NONE; i = c->next[i]) {
			uint64_t start =
				span__svg_x(v, c->sections[i].start_ns);
			uint64_t end = span__svg_x(v, c->sections[i].end_ns);

			if (any && start <= to + 5) {
				to = end > to ? end : to;
				continue;
			}
			if (any)
				put_stroke(b, from, to, y);
			else
				span_buf_puts(b, "<path class=\"p\" d=\"");
			any = true;
			from = start;
			to = end;
		}
		span = v->t->nodes[span].next_sibling;
	}
	if (!any)
		return;
	put_stroke(b, from, to, y);
	span_buf_puts(b, "\"/>");
}

static void put_bar(struct span_buf *b, const struct span__svg *v,
		    const struct span__tree_line *line, size_t y)
{
	const struct span *s = &v->t->spans[line->span];
	uint64_t from = span__svg_x(v, s->start_ns);
	uint64_t to = span__svg_x(v, line->end_ns);

	span_buf_puts(b, "<rect x=\"");
	span__svg_px(b, from);
	span_buf_printf(b, "\" y=\"%zu\" width=\"", y + BAR_TOP);
	span__svg_px(b, to - from < 15 ? 15 : to - from);
	span_buf_printf(b, "\" height=\"%u\" rx=\"2\" class=\"s%u%s\"/>",
			BAR_HEIGHT, span__service_colour(s->process->service),
			span_is_error(s) ? " x" : "");
	put_path(b, v, line, y + BAR_TOP + BAR_HEIGHT / 2);
}

void span__svg_row(struct span_buf *b, struct span__svg *v,
		   const struct span__tree_line *line, size_t y)
{
	span_buf_puts(b, "<g class=\"r\">");
	put_title(b, v, line);
	put_lines(b, v, line, y);
	put_name(b, v, line, y);
	span_buf_printf(b, "<text class=\"d\" x=\"%u\" y=\"%zu\">",
			SPAN__SVG_BARS - 8, y + 14);
	span_text_duration(b, line->sum_ns);
	span_buf_puts(b, "</text>");
	put_bar(b, v, line, y);
	span_buf_puts(b, "</g>\n");
}
