/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each column but the operation has two spaces behind it, so that they can
 * stand in any order.
 */
#include "render/tree_columns.h"

#include <span/text.h>

#include "render/cell.h"
#include "text/utf8.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE
#define GAP 2u
#define MAX_TEXT 24u	    /* columns of a service or a tag */
#define LEAST_OPERATION 12u /* what it needs beside others */

/* By enum span_column. */
static const struct {
	const char *name;
	size_t width; /* 0: that of what stands in it */
	bool right;
} kinds[] = {
	[SPAN_COLUMN_SERVICE] = {"service", 0, false},
	[SPAN_COLUMN_OPERATION] = {"operation", 0, false},
	[SPAN_COLUMN_ID] = {"id", SPAN_ID_TEXT - 1, false},
	[SPAN_COLUMN_KIND] = {"kind", 8, false},
	[SPAN_COLUMN_STATUS] = {"status", 6, false},
	[SPAN_COLUMN_START] = {"start", SPAN__DURATION_WIDTH + 1, true},
	[SPAN_COLUMN_DURATION] = {"duration", SPAN__DURATION_WIDTH + 1, true},
	[SPAN_COLUMN_SELF] = {"self", SPAN__DURATION_WIDTH, true},
	[SPAN_COLUMN_CRITICAL] = {"critical", SPAN__DURATION_WIDTH + 1, true},
};

int span_render_column_parse(struct span_str name,
			     struct span_render_column *out,
			     struct span_error *err)
{
	struct span_buf text = {0};

	*out = (struct span_render_column){.column = SPAN_COLUMN_TAG};
	if (name.len > 1 && name.p[0] == '.') {
		out->key = (struct span_str){name.p + 1, name.len - 1};
		return 0;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (span_str_equal(name, span_str(kinds[i].name))) {
			out->column = (enum span_column)i;
			return 0;
		}
	span_text_terminal(&text, name);
	span_buf_putc(&text, 0);
	span_error_set(
		err, SPAN_E_INVALID,
		"no column '%s': there are service, operation, id, kind, "
		"status, start, duration, self, critical, and .KEY of a "
		"tag",
		text.failed ? "" : text.p);
	span_buf_release(&text);
	return SPAN_E_INVALID;
}

/* What stands in a column of text, into TMP where it is none yet. */
static struct span_str text_of(const struct span__tree_column *c,
			       const struct span *s, struct span_buf *tmp)
{
	const struct span_value *v;
	char id[SPAN_ID_TEXT];

	tmp->len = 0;
	switch (c->is.column) {
	case SPAN_COLUMN_SERVICE:
		return s->process->service;
	case SPAN_COLUMN_ID:
		span_buf_puts(tmp, span_id_text(s->span_id, id));
		break;
	case SPAN_COLUMN_KIND:
		return span_str(span_kind_name(s->kind));
	case SPAN_COLUMN_STATUS:
		return s->status == SPAN_STATUS_UNSET && !span_is_error(s)
			       ? SPAN_STR("")
			       : span_str(
					 span_is_error(s)
						 ? "error"
						 : span_status_name(s->status));
	default:
		v = span_attr_get(&s->attrs, c->is.key);
		if (!v)
			v = span_attr_get(&s->process->attrs, c->is.key);
		if (v && v->type == SPAN_STRING)
			return v->str;
		if (v)
			span_text_value(tmp, v);
	}
	return (struct span_str){tmp->p, tmp->len};
}

static struct span_str head_of(const struct span__tree_column *c)
{
	return c->is.column == SPAN_COLUMN_TAG
		       ? c->is.key
		       : span_str(kinds[c->is.column].name);
}

static size_t width_of(const struct span__tree_column *c,
		       const struct span_trace *t,
		       const struct span__tree_line *lines, size_t n_lines,
		       bool ascii)
{
	struct span_buf tmp = {0};
	size_t width = span__text_width(head_of(c), MAX_TEXT, ascii);

	if (c->is.column != SPAN_COLUMN_TAG && kinds[c->is.column].width)
		return kinds[c->is.column].width + GAP;
	for (size_t k = 0; k < n_lines && width < MAX_TEXT; k++) {
		struct span_str s = text_of(c, &t->spans[lines[k].span], &tmp);
		size_t w = span__text_width(s, MAX_TEXT, ascii);

		width = w > width ? w : width;
	}
	span_buf_release(&tmp);
	return width + GAP;
}

/* The columns as asked for, the operation among them. */
static void list(struct span__tree_columns *c, const struct span_render_opts *o)
{
	size_t n = o->n_shown < SPAN_RENDER_COLUMNS ? o->n_shown
						    : SPAN_RENDER_COLUMNS;
	bool named = false;
	size_t at;

	for (size_t i = 0; i < n; i++)
		named |= o->shown[i].column == SPAN_COLUMN_OPERATION;
	at = n && o->shown[0].column == SPAN_COLUMN_SERVICE ? 1 : 0;
	for (size_t i = 0; i < n; i++) {
		if (!named && i == at)
			c->v[c->n++].is.column = SPAN_COLUMN_OPERATION;
		c->v[c->n++].is = o->shown[i];
	}
	if (!named && at == n)
		c->v[c->n++].is.column = SPAN_COLUMN_OPERATION;
}

void span__tree_columns_choose(struct span__tree_columns *c,
			       const struct span_render_opts *o,
			       const struct span_trace *t,
			       const struct span__tree_line *lines,
			       size_t n_lines, size_t width)
{
	size_t n = 0;

	*c = (struct span__tree_columns){0};
	list(c, o);
	for (size_t i = 0; i < c->n; i++) {
		struct span__tree_column *column = &c->v[i];

		if (column->is.column != SPAN_COLUMN_OPERATION) {
			column->width =
				width_of(column, t, lines, n_lines, o->ascii);
			if (c->width + column->width + LEAST_OPERATION > width)
				continue;
		}
		c->width += column->width;
		c->v[n++] = *column;
	}
	c->n = n;
}

void span__tree_column_head(struct span_buf *b,
			    const struct span_render_opts *o,
			    const struct span__tree_column *c)
{
	struct span_str head = head_of(c);
	size_t room = c->width - GAP,
	       used = span__text_width(head, room, o->ascii);
	bool right =
		c->is.column != SPAN_COLUMN_TAG && kinds[c->is.column].right;

	span__spaces(b, right ? room - used : 0);
	span__cell(b, o, SPAN__DIM, head, used);
	span__spaces(b, (right ? 0 : room - used) + GAP);
}

/* A time of all spans that LINE stands for. */
static uint64_t time_of(const struct span__critical *critical,
			const struct span__tree_line *line,
			enum span_column column)
{
	const struct span_trace *t = critical->t;
	uint32_t span = line->span;
	uint64_t ns = 0;

	if (column == SPAN_COLUMN_START)
		return t->spans[span].start_ns - t->start_ns;
	if (column == SPAN_COLUMN_DURATION)
		return line->sum_ns;
	for (uint32_t k = 0; k < line->n; k++) {
		if (column == SPAN_COLUMN_SELF)
			ns = span__add_ns(ns, span_trace_self_ns(t, span));
		else
			ns += span__critical_ns(critical, span);
		span = t->nodes[span].next_sibling;
	}
	return ns;
}

void span__tree_column_put(struct span_buf *b, const struct span_render_opts *o,
			   const struct span__critical *critical,
			   const struct span__tree_line *line,
			   const struct span__tree_column *c)
{
	const struct span *s = &critical->t->spans[line->span];
	size_t room = c->width - GAP, from = b->len;
	struct span_buf tmp = {0};

	if (c->is.column == SPAN_COLUMN_SERVICE) {
		size_t used = span__service(b, o, s->process->service, room);

		span__spaces(b, room - used);
	} else if (c->is.column == SPAN_COLUMN_TAG ||
		   !kinds[c->is.column].right) {
		span__cell(b, o,
			   c->is.column == SPAN_COLUMN_STATUS &&
					   span_is_error(s)
				   ? SPAN__ERROR
				   : SPAN__PLAIN,
			   text_of(c, s, &tmp), room);
	} else {
		uint64_t ns = time_of(critical, line, c->is.column);

		if (c->is.column == SPAN_COLUMN_START)
			span_buf_putc(b, '+');
		if (ns || c->is.column != SPAN_COLUMN_CRITICAL)
			span_text_duration(b, ns);
		span__right(b, from, room);
	}
	span__spaces(b, GAP);
	b->failed |= tmp.failed;
	span_buf_release(&tmp);
}
