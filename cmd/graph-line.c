/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text for people, which fit their terminal. */
#include "graph-out.h"

#include "base/banned.h"

struct line {
	struct span_buf *b;
	size_t column, columns, indent;
	bool empty; /* but for spaces */
};

typedef size_t piece_fn(struct span_str s);

/* The length of the word that S begins with. */
static size_t word(struct span_str s)
{
	size_t i = 1;

	while (i < s.len && s.p[i] != ' ')
		i++;
	return i;
}

static bool is_arrow(struct span_str s)
{
	return s.p[0] == '>' || (s.len > 1 && s.p[0] == '-' && s.p[1] == '>');
}

/* Of the words up to a comma, a colon or an arrow. */
static size_t phrase(struct span_str s)
{
	for (size_t i = word(s); i + 1 < s.len;
	     i += 1 + word((struct span_str){s.p + i + 1, s.len - i - 1}))
		if (s.p[i - 1] == ',' || s.p[i - 1] == ':' ||
		    is_arrow((struct span_str){s.p + i + 1, s.len - i - 1}))
			return i;
	return s.len;
}

static void begin(struct line *l)
{
	span_buf_printf(l->b, "\n%*s", (int)l->indent, "");
	l->column = l->indent;
	l->empty = true;
}

static void put_piece(struct line *l, struct span_str s, size_t width)
{
	if (!l->empty && l->column + 1 + width > l->columns)
		begin(l);
	if (!l->empty) {
		span_buf_putc(l->b, ' ');
		l->column++;
	}
	span_buf_str(l->b, s);
	l->column += width;
	l->empty = false;
}

static void put(struct line *l, struct span_str s, piece_fn *piece)
{
	while (s.len) {
		struct span_str p = {s.p, piece(s)};
		size_t width = span_text_width(p);

		if (piece == phrase && l->indent + width > l->columns)
			put(l, p, word);
		else
			put_piece(l, p, width);
		s.p += p.len + (p.len < s.len);
		s.len -= p.len + (p.len < s.len);
	}
}

/* Put S, too long for a line, to B, which ended before it. */
static void fold(struct span_buf *b, struct span_str s, size_t columns,
		 size_t indent)
{
	struct line l = {b, 0, columns, indent, true};

	while (s.len && *s.p == ' ') {
		span_buf_putc(b, ' ');
		l.column++;
		s.p++;
		s.len--;
	}
	put(&l, s, phrase);
}

void graph_end_line(struct span_buf *b, size_t at, size_t indent)
{
	size_t columns = cmd_output_columns();
	struct span_buf text = {0};

	if (!b->failed)
		span_buf_put(&text, b->p + at, b->len - at);
	b->failed |= text.failed;
	if (!b->failed &&
	    span_text_width((struct span_str){text.p, text.len}) > columns) {
		b->len = at;
		fold(b, (struct span_str){text.p, text.len}, columns, indent);
	}
	span_buf_putc(b, '\n');
	span_buf_release(&text);
}
