/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-notes.h"

#include <string.h>

#include "base/banned.h"

#define NUMBERS 36 /* columns of them, right of the names */

static const char *const sides[] = {"A", "B"};

/* What was put from FROM on, right in WIDTH columns; it is ASCII. */
static void right(struct span_buf *b, size_t from, size_t width)
{
	size_t len = b->len - from;
	char text[64];

	if (b->failed || len >= width || len > sizeof(text))
		return;
	memcpy(text, b->p + from, len);
	b->len = from;
	span_buf_printf(b, "%*.*s", (int)width, (int)len, text);
}

static size_t columns_since(const struct span_buf *b, size_t from)
{
	return b->len > from ? span_text_width((struct span_str){b->p + from,
								 b->len - from})
			     : 0;
}

/* Spaces up to WIDTH columns from FROM on. */
static void pad(struct span_buf *b, size_t from, size_t width)
{
	size_t used = columns_since(b, from);

	if (used < width)
		span_buf_printf(b, "%*s", (int)(width - used), "");
}

static char mark_of(const struct span_diff_node *n)
{
	if (n->changes & SPAN_DIFF_ADDED)
		return '+';
	if (n->changes & SPAN_DIFF_REMOVED)
		return '-';
	return n->changes ? '~' : ' ';
}

static void put_colour(struct span_buf *b, const struct diff_out_opts *o,
		       char mark)
{
	if (o->look.colour && mark != ' ')
		span_buf_puts(b, mark == '+'   ? "\x1b[32m"
				 : mark == '-' ? "\x1b[31m"
					       : "\x1b[33m");
}

static void put_count(struct span_buf *b, const struct span_diff_view *v,
		      const struct span_diff_node *n, int side, size_t width)
{
	size_t from = b->len;

	if (!n->side[side].spans)
		span_buf_putc(b, '-');
	else if (v->sets)
		span_buf_printf(b, "%.*f",
				n->side[side].per_trace < 1000 ? 1 : 0,
				n->side[side].per_trace);
	else
		span_text_uint(b, n->side[side].spans);
	right(b, from, width);
}

static void put_time(struct span_buf *b, const struct span_diff_node *n,
		     int side)
{
	size_t from = b->len;

	if (n->side[side].spans)
		span_text_duration(b, n->side[side].typical_ns);
	else
		span_buf_putc(b, '-');
	right(b, from, 9);
}

static void put_change(struct span_buf *b, const struct span_diff_node *n)
{
	double old = (double)n->side[0].typical_ns,
	       new = (double)n->side[1].typical_ns;
	size_t from = b->len;

	if (n->changes & SPAN_DIFF_ADDED)
		span_buf_puts(b, "new");
	else if (n->changes & SPAN_DIFF_REMOVED)
		span_buf_puts(b, "gone");
	else if (!(n->changes & SPAN_DIFF_DURATION))
		return;
	else if (old > 0 && new / old < 10)
		span_buf_printf(b, "%+.0f%%", (new / old - 1) * 100);
	else if (old > 0 && new / old < 10000)
		span_buf_printf(b, "x%.0f", new / old);
	else
		span_buf_puts(b, "longer");
	right(b, from, 7);
}

static size_t name_width(const struct diff_out_opts *o)
{
	return o->look.columns > NUMBERS + DIFF_MIN_NAME + 2
		       ? o->look.columns - NUMBERS - 2
		       : DIFF_MIN_NAME;
}

static void put_name(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_view *v,
		     const struct span_diff_node *n)
{
	size_t width = name_width(o), indent = diff_indent(n), from = b->len;
	size_t left;
	bool same = n->parent != SPAN_TRACE_NONE &&
		    span_str_equal(n->service, v->nodes[n->parent].service);

	if (indent > width / 2)
		indent = width / 2;
	span_buf_printf(b, "%*s", (int)indent, "");
	left = width - indent;
	if (!same) {
		cmd_look_fit(b, &o->look, n->service, left / 2, false);
		span_buf_putc(b, ' ');
		left -= columns_since(b, from + indent);
	}
	cmd_look_fit(b, &o->look, n->name, left, false);
	pad(b, from, width);
}

static void put_row(struct span_buf *b, const struct diff_out_opts *o,
		    const struct span_diff_view *v,
		    const struct span_diff_node *n)
{
	char mark = mark_of(n);

	put_colour(b, o, mark);
	span_buf_putc(b, mark);
	span_buf_putc(b, ' ');
	put_name(b, o, v, n);
	put_count(b, v, n, SPAN_DIFF_A, 5);
	put_count(b, v, n, SPAN_DIFF_B, 6);
	put_time(b, n, SPAN_DIFF_A);
	put_time(b, n, SPAN_DIFF_B);
	put_change(b, n);
	if (o->look.colour && mark != ' ')
		span_buf_puts(b, "\x1b[0m");
	span_buf_putc(b, '\n');
}

static void put_head(struct span_buf *b, const struct diff_out_opts *o,
		     const struct span_diff_view *v)
{
	size_t from;

	for (int i = 0; i < 2; i++) {
		span_buf_printf(b, "%s ", sides[i]);
		cmd_look_fit(b, &o->look, span_str(o->names[i]),
			     o->look.columns > 60 ? o->look.columns - 40 : 20,
			     false);
		span_buf_puts(b, "  ");
		diff_put_plural(b, v->traces[i], "trace");
		span_buf_puts(b, ", ");
		diff_put_plural(b, v->spans[i], "span");
		span_buf_putc(b, '\n');
	}
	from = b->len;
	span_buf_puts(b,
		      v->sets ? "\n  median of traces" : "\n  mean of a span");
	pad(b, from + 1, name_width(o) + 2);
	span_buf_puts(b, v->sets ? " A/tr  B/tr        A        B change\n"
				 : "    A     B        A        B change\n");
}

static void put_end(struct span_buf *b, const struct span_diff_view *v)
{
	span_buf_putc(b, '\n');
	span_text_count(b, v->n_changed);
	span_buf_puts(b, " of ");
	diff_put_plural(b, v->n_nodes, "path");
	span_buf_puts(b, v->n_changed == 1 || v->n_nodes == 1 ? " differs"
							      : " differ");
	if (v->sets && !v->tested)
		span_buf_printf(b,
				", which may be chance: tests take %u traces "
				"on each side",
				SPAN_DIFF_MIN_TRACES);
	span_buf_putc(b, '\n');
}

void diff_out_text(struct span_buf *b, const struct diff_out_opts *o,
		   const struct span_diff_view *v)
{
	put_head(b, o, v);
	for (size_t i = 0; i < v->n_nodes; i++) {
		const struct span_diff_node *n = &v->nodes[i];

		if (!o->all && !n->changes && !n->n_attrs && !n->below)
			continue;
		put_row(b, o, v, n);
		diff_put_notes(b, o, v, n);
	}
	put_end(b, v);
}
