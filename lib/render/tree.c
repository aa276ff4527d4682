/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line has the columns service, operation (behind the lines of the tree),
 * start, duration, bar. Their widths are found from all spans once; a narrow
 * terminal loses the bar first, then the start, the service, the duration.
 */
#include <span/render.h>
#include <span/text.h>

#include <inttypes.h>

#include "render/cell.h"
#include "render/tree_columns.h"
#include "render/tree_critical.h"
#include "render/tree_plan.h"
#include "text/utf8.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* Levels that are drawn at most; more would be too far to the right. */
#define MAX_LEVELS 32
#define MAX_SERVICE 24

/* Roots with a mark before the operation. */
#define ROOT_MARKS (SPAN_TRACE_ORPHAN | SPAN_TRACE_CYCLE)

/* A space and the mark of an error after an operation. */
#define MARK_WIDTH 2

struct glyphs {
	const char *more, *last, *pass, *follows, *follows_last, *deep, *match;
	const char *times;
};

static const struct glyphs unicode = {
	"\xe2\x94\x9c\xe2\x94\x80",
	"\xe2\x94\x94\xe2\x94\x80",
	"\xe2\x94\x82 ",
	"\xe2\x94\x9c\xe2\x94\x84",
	"\xe2\x94\x94\xe2\x94\x84",
	"\xe2\x8b\xaf",
	"\xe2\x96\xb8",
	"\xc3\x97",
};
static const struct glyphs ascii = {
	"|-", "`-", "| ", "|~", "`~", "-", ">", "x",
};

struct tree {
	const struct span_render_opts *o;
	const struct span_trace *t;
	const uint8_t *matched;
	const struct glyphs *g;
	size_t columns;
	/* Columns of each part, the space before or after it included. */
	size_t gutter, service, operation, start, duration, bar;
	uint32_t levels;	   /* that are drawn as lines */
	bool more[MAX_LEVELS + 1]; /* whether a sibling follows, by depth */
	uint64_t full_ns;
	struct span__tree_columns chosen; /* instead, when some were */
	struct span__critical critical;
	const struct span__tree_line *lines;
	size_t n_lines;
};

/* " x12" or " +5"; returns its columns. */
static size_t put_suffix(struct span_buf *b, const struct tree *r,
			 const struct span__tree_line *line)
{
	size_t from = b->len;

	if (line->n == 1 && !line->hidden)
		return 0;
	span_buf_printf(b, " %s%" PRIu32, line->n > 1 ? r->g->times : "+",
			line->n > 1 ? line->n : line->hidden);
	return span__text_width((struct span_str){b->p + from, b->len - from},
				r->columns, r->o->ascii);
}

/* The columns that the operation of a line would take. */
static size_t operation_width(const struct tree *r,
			      const struct span__tree_line *line, size_t most)
{
	const struct span_trace_node *node = &r->t->nodes[line->span];
	size_t width = span__text_width(r->t->spans[line->span].name, most,
					r->o->ascii);
	struct span_buf text = {0};

	width += 2 * (node->depth < r->levels ? node->depth : r->levels);
	if (node->flags & ROOT_MARKS)
		width += 2;
	width += put_suffix(&text, r, line);
	span_buf_release(&text);
	return width + MARK_WIDTH;
}

/* The widest service and operation there are, up to *SERVICE, *OPERATION. */
static void measure(const struct tree *r, size_t *service, size_t *operation)
{
	size_t max_service = *service, max_operation = *operation;

	*service = *operation = 0;
	for (size_t k = 0; k < r->n_lines; k++) {
		const struct span *s = &r->t->spans[r->lines[k].span];
		size_t width = operation_width(r, &r->lines[k], max_operation);

		if (width > *operation)
			*operation = width;
		width = span__text_width(s->process->service, max_service,
					 r->o->ascii);
		if (width > *service)
			*service = width;
	}
	if (*operation > max_operation)
		*operation = max_operation;
}

/* The same with columns that were chosen. */
static void lay_out_chosen(struct tree *r)
{
	size_t width = r->columns, service = 0, left;

	r->gutter = r->matched && width >= 24 ? 2 : 0;
	width -= r->gutter;
	span__tree_columns_choose(&r->chosen, r->o, r->t, r->lines, r->n_lines,
				  width);
	left = width - r->chosen.width - 1; /* a space behind the operation */
	r->operation = left < 40 ? left : left * 6 / 10;
	r->levels = (uint32_t)(r->operation / 4);
	if (r->levels > MAX_LEVELS)
		r->levels = MAX_LEVELS;
	measure(r, &service, &r->operation);
	r->bar = left - r->operation;
	if (r->bar > SPAN__MAX_BAR)
		r->bar = SPAN__MAX_BAR;
}

static void lay_out(struct tree *r)
{
	size_t width = r->columns, left;

	r->gutter = r->matched && width >= 24 ? 2 : 0;
	r->duration = width >= 24 ? SPAN__DURATION_WIDTH + 1 : 0;
	r->start = width >= 56 ? SPAN__DURATION_WIDTH + 2 : 0;
	r->service = width < 40 ? 0 : width / 5;
	if (r->service > MAX_SERVICE)
		r->service = MAX_SERVICE;
	left = width - r->gutter - r->duration - r->start;
	r->operation = (left - r->service) * (width < 56 ? 10 : 6) / 10;
	r->levels = (uint32_t)(r->operation / 4);
	if (r->levels > MAX_LEVELS)
		r->levels = MAX_LEVELS;
	measure(r, &r->service, &r->operation);
	if (r->service)
		r->service++;
	left -= r->service;
	if (width < 56)
		r->operation = left;
	r->bar = left - r->operation;
	if (r->bar > SPAN__MAX_BAR)
		r->bar = SPAN__MAX_BAR;
}

/* ---- The head ---- */

static void put_plural(struct span_buf *b, size_t n, const char *what)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", what, n == 1 ? "" : "s");
}

static void put_time(struct span_buf *b, const struct tree *r)
{
	if (r->o->local_time)
		span_text_local_time(b, r->t->start_ns, 3);
	else
		span_text_time(b, r->t->start_ns, 3);
}

static void put_counts(struct span_buf *b, const struct tree *r)
{
	span_text_duration(b, r->t->end_ns - r->t->start_ns);
	span_buf_puts(b, "  ");
	put_plural(b, r->t->n, "span");
	span_buf_puts(b, "  ");
	put_plural(b, r->t->n_services, "service");
}

/* The root's name in up to WIDTH columns, not padded. */
static void put_root(struct span_buf *b, const struct tree *r, size_t width)
{
	const struct span *root = &r->t->spans[r->t->root];
	size_t used =
		span__text_width(root->process->service, width, r->o->ascii) +
		1 + span__text_width(root->name, width, r->o->ascii);

	span__name(b, r->o, SPAN__BOLD, root, used < width ? used : width);
}

static void put_head(struct span_buf *b, const struct tree *r)
{
	char id[SPAN_TRACE_ID_TEXT];
	struct span_buf time = {0}, counts = {0}, errors = {0};
	size_t id_width, width;

	span_trace_id_text(r->t->trace_id, id);
	put_time(&time, r);
	put_counts(&counts, r);
	span_buf_puts(&errors, "  ");
	put_plural(&errors, r->t->n_errors, "error");
	id_width = span_str(id).len;
	if (r->o->note.len) {
		span__cell(b, r->o, SPAN__DIM, r->o->note, r->columns);
		span__line_end(b);
	}
	span__cell(b, r->o, SPAN__PLAIN, span_str(id), r->columns);
	if (id_width + 2 + time.len <= r->columns) {
		b->len -= r->columns - id_width;
		span_buf_puts(b, "  ");
		span_buf_put(b, time.p, time.len);
	}
	span__line_end(b);
	width = counts.len + (r->t->n_errors ? errors.len : 0);
	if (width + 22 <= r->columns) {
		put_root(b, r, r->columns - width - 2);
		span_buf_puts(b, "  ");
	} else {
		put_root(b, r, r->columns);
		span__line_end(b);
	}
	span__cell(b, r->o, SPAN__PLAIN,
		   (struct span_str){counts.p, counts.len},
		   counts.len < r->columns ? counts.len : r->columns);
	if (r->t->n_errors && width <= r->columns)
		span__cell(b, r->o, SPAN__ERROR,
			   (struct span_str){errors.p, errors.len}, errors.len);
	span__line_end(b);
	b->failed |= time.failed | counts.failed | errors.failed;
	span_buf_release(&time);
	span_buf_release(&counts);
	span_buf_release(&errors);
}

/* ---- A line ---- */

/* "... 993 " to the left of a connector that is drawn no deeper. */
static void put_depth(struct span_buf *b, const struct tree *r, uint32_t depth)
{
	size_t room = 2 * (size_t)r->levels - 2, from = b->len, digits;

	span_buf_printf(b, "%" PRIu32 " ", depth);
	digits = b->len - from;
	b->len = from;
	if (digits + 2 > room) {
		span__spaces(b, room);
		return;
	}
	span__spaces(b, room - digits - 2);
	span_buf_printf(b, "%s %" PRIu32 " ", r->g->deep, depth);
}

/* The lines before an operation. Returns the columns. */
static size_t put_lines(struct span_buf *b, struct tree *r,
			const struct span__tree_line *line)
{
	const struct span_trace_node *node = &r->t->nodes[line->span];
	bool more = span__tree_more(r->t, line);
	bool follows = node->flags & SPAN_TRACE_FOLLOWS;
	uint32_t drawn = node->depth < r->levels ? node->depth : r->levels;

	if (!drawn)
		return 0;
	if (node->depth <= r->levels)
		r->more[node->depth] = more;
	span__style(b, r->o, SPAN__DIM);
	if (node->depth > r->levels)
		put_depth(b, r, node->depth);
	else
		for (uint32_t level = 1; level < drawn; level++)
			span_buf_puts(b, r->more[level] ? r->g->pass : "  ");
	if (follows)
		span_buf_puts(b, more ? r->g->follows : r->g->follows_last);
	else
		span_buf_puts(b, more ? r->g->more : r->g->last);
	span__style_end(b, r->o);
	return 2 * (size_t)drawn;
}

static void put_name(struct span_buf *b, const struct tree *r,
		     enum span__style style, const struct span__tree_line *line,
		     size_t width)
{
	struct span_str name = r->t->spans[line->span].name;
	struct span_buf text = {0};
	size_t more = put_suffix(&text, r, line), room, used;

	room = width > more ? width - more : width;
	used = more ? span__text_width(name, room, r->o->ascii) : room;
	span__cell(b, r->o, style, name, used);
	if (room < width) {
		span__cell(b, r->o, SPAN__DIM,
			   (struct span_str){text.p, text.len}, more);
		span__spaces(b, room - used);
	}
	b->failed |= text.failed;
	span_buf_release(&text);
}

static void put_operation(struct span_buf *b, struct tree *r,
			  const struct span__tree_line *line)
{
	uint32_t i = line->span;
	const struct span_trace_node *node = &r->t->nodes[i];
	bool error = span_is_error(&r->t->spans[i]);
	enum span__style style = SPAN__PLAIN;
	size_t used = put_lines(b, r, line);

	if (node->flags & ROOT_MARKS) {
		span__cell(b, r->o, SPAN__DIM,
			   node->flags & SPAN_TRACE_ORPHAN ? SPAN_STR("? ")
							   : SPAN_STR("@ "),
			   2);
		used += 2;
	}
	if (r->matched && r->matched[i])
		style = SPAN__BOLD;
	if (error)
		style = SPAN__ERROR;
	if (used + MARK_WIDTH < r->operation) {
		put_name(b, r, style, line, r->operation - used - MARK_WIDTH);
		span_buf_putc(b, ' ');
		span__cell(b, r->o, style,
			   error ? span__error_mark(r->o) : SPAN_STR(" "), 1);
	}
}

static void put_bar(struct span_buf *b, const struct tree *r,
		    const struct span__tree_line *line)
{
	const struct span *s = &r->t->spans[line->span];
	uint8_t heavy[SPAN__MAX_BAR];
	bool any = span__critical_columns(&r->critical, line, r->full_ns,
					  r->bar - 1, heavy);

	span_buf_putc(b, ' ');
	span__style_service(b, r->o, s->process->service);
	span__bar(b, r->o, r->bar - 1, r->full_ns, s->start_ns - r->t->start_ns,
		  line->end_ns - s->start_ns, any ? heavy : NULL);
	span__style_end(b, r->o);
}

/* The columns that stand there when none were chosen. */
static void put_usual(struct span_buf *b, struct tree *r,
		      const struct span__tree_line *line)
{
	const struct span *s = &r->t->spans[line->span];
	size_t from, used;

	if (r->service) {
		used = span__service(b, r->o, s->process->service,
				     r->service - 1);
		span__spaces(b, r->service - used);
	}
	put_operation(b, r, line);
	if (r->start) {
		span__style(b, r->o, SPAN__DIM);
		from = b->len;
		span_buf_putc(b, '+');
		span_text_duration(b, s->start_ns - r->t->start_ns);
		span__right(b, from, r->start);
		span__style_end(b, r->o);
	}
	if (r->duration) {
		span_buf_putc(b, ' ');
		span__duration(b, line->sum_ns);
	}
}

static void put_chosen(struct span_buf *b, struct tree *r,
		       const struct span__tree_line *line)
{
	for (size_t i = 0; i < r->chosen.n; i++) {
		const struct span__tree_column *c = &r->chosen.v[i];

		if (c->is.column == SPAN_COLUMN_OPERATION) {
			put_operation(b, r, line);
			span_buf_putc(b, ' ');
		} else {
			span__tree_column_put(b, r->o, &r->critical, line, c);
		}
	}
}

static void put_column_heads(struct span_buf *b, const struct tree *r)
{
	span__spaces(b, r->gutter);
	for (size_t i = 0; i < r->chosen.n; i++) {
		const struct span__tree_column *c = &r->chosen.v[i];

		if (c->is.column == SPAN_COLUMN_OPERATION)
			span__cell(b, r->o, SPAN__DIM, SPAN_STR("operation"),
				   r->operation + 1);
		else
			span__tree_column_head(b, r->o, c);
	}
	span__line_end(b);
}

static void put_span(struct span_buf *b, struct tree *r,
		     const struct span__tree_line *line)
{
	if (r->gutter)
		span_buf_puts(b, r->matched[line->span] ? r->g->match : " ");
	if (r->gutter)
		span_buf_putc(b, ' ');
	if (r->chosen.n)
		put_chosen(b, r, line);
	else
		put_usual(b, r, line);
	if (r->bar > 1)
		put_bar(b, r, line);
	span__line_end(b);
}

/* ---- Notes ---- */

static void put_note(struct span_buf *b, const struct tree *r, const char *mark,
		     size_t n, const char *one, const char *many)
{
	struct span_buf text = {0};

	if (!n)
		return;
	span_buf_puts(&text, mark);
	span_text_count(&text, n);
	span_buf_printf(&text, " %s", n == 1 ? one : many);
	span__cell(b, r->o, SPAN__DIM, (struct span_str){text.p, text.len},
		   text.len < r->columns ? text.len : r->columns);
	span__line_end(b);
	b->failed |= text.failed;
	span_buf_release(&text);
}

static void put_notes(struct span_buf *b, const struct tree *r)
{
	size_t cut = 0;

	for (size_t i = 0; i < r->t->n; i++)
		cut += (r->t->nodes[i].flags & SPAN_TRACE_CYCLE) != 0;
	put_note(b, r, "? ", r->t->n_orphans,
		 "span names a parent that is not here",
		 "spans name a parent that is not here");
	put_note(b, r, "@ ", cut, "circle of parents was cut",
		 "circles of parents were cut");
	put_note(b, r, "", r->t->n_duplicates, "duplicate span was left out",
		 "duplicate spans were left out");
}

void span_render_head(struct span_buf *b, const struct span_render_opts *o,
		      const struct span_trace *t)
{
	const struct tree r = {.o = o, .t = t, .columns = span__columns(o)};

	put_head(b, &r);
}

void span_render_tree(struct span_buf *b, const struct span_render_opts *o,
		      const struct span_trace *t, const uint8_t *matched)
{
	struct tree r = {.o = o, .t = t, .matched = matched};
	struct span_buf lines = {0};

	if (!span__critical_init(&r.critical, o, t) ||
	    !span__tree_plan(o, t, matched, &lines)) {
		b->failed = true;
		goto done;
	}
	r.lines = (const struct span__tree_line *)(const void *)lines.p;
	r.n_lines = lines.len / sizeof(*r.lines);
	r.g = o->ascii ? &ascii : &unicode;
	r.columns = span__columns(o);
	r.full_ns = o->full_ns ? o->full_ns : t->end_ns - t->start_ns;
	if (o->n_shown)
		lay_out_chosen(&r);
	else
		lay_out(&r);
	put_head(b, &r);
	if (o->n_shown)
		put_column_heads(b, &r);
	for (size_t k = 0; k < r.n_lines; k++)
		put_span(b, &r, &r.lines[k]);
	span__critical_summary(b, o, t);
	put_notes(b, &r);
done:
	span_buf_release(&lines);
	span__critical_release(&r.critical);
}
