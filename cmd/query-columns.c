/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables and CSV of columns that were chosen. The width of a column depends on
 * the list and the terminal alone, so that rows come one by one.
 */
#include "query-template.h"

#include <string.h>

#include <span/text.h>

#include "base/banned.h"

#define GAP 2u
#define MIN_SHARED 12u /* of a column that shares what is left */

static int fail(const char *text, const char *at, size_t len, const char *what,
		struct span_error *err)
{
	size_t column = (size_t)(at - text);

	return span_error_at(err, SPAN_E_INVALID, column,
			     "columns, column %zu: %s '%.*s'; see --columns "
			     "help",
			     column + 1, what,
			     (int)span_text_cut((struct span_str){at, len}, 60),
			     at);
}

/* What is left of the line goes to the texts, in equal parts. */
static void set_widths(struct query_columns *c, size_t columns)
{
	size_t used = (c->n - 1) * GAP, shared = 0, each = 0;

	for (size_t i = 0; i < c->n; i++) {
		used += c->v[i].field->width;
		shared += !c->v[i].field->width;
	}
	if (shared && columns > used)
		each = (columns - used) / shared;
	for (size_t i = 0; i < c->n; i++) {
		unsigned width = c->v[i].field->width;

		if (!width)
			width = each > MIN_SHARED ? (unsigned)each : MIN_SHARED;
		c->width[i] = width;
	}
}

int query_columns_read(struct query_columns *out, const char *text, bool spans,
		       size_t columns, struct span_error *err)
{
	const char *p = text;

	out->n = 0;
	for (;;) {
		size_t len = strcspn(p, ",");
		struct query_column *c = &out->v[out->n];

		if (out->n == QUERY_MAX_COLUMNS)
			return fail(text, p, len, "too many from", err);
		if (!query_field_find((struct span_str){p, len}, c))
			return fail(text, p, len, "there is no", err);
		if (spans && c->field->of_trace)
			return fail(text, p, len, "spans have no", err);
		out->n++;
		if (!p[len])
			break;
		p += len + 1;
	}
	set_widths(out, columns);
	return 0;
}

bool query_columns_take_heads(const struct query_columns *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].field->deep)
			return false;
	return true;
}

/* TEXT in column I: the last one is not padded. */
static void put_cell(struct span_buf *b, const struct query_columns *c,
		     size_t i, struct span_str text)
{
	bool right = c->v[i].field->right;
	size_t width = span_text_width(text);

	if (right)
		for (; width < c->width[i]; width++)
			span_buf_putc(b, ' ');
	if (right || !c->v[i].field->text)
		span_text_terminal(b, text);
	else
		span_text_fit(b, text, c->width[i], false);
	if (i + 1 == c->n)
		return;
	for (width = width < c->width[i] ? width : c->width[i];
	     width < c->width[i] + GAP; width++)
		span_buf_putc(b, ' ');
}

/* Take the spaces away that end the line, from FROM on, and end it. */
static void end_line(struct span_buf *b, size_t from)
{
	while (b->len > from && b->p[b->len - 1] == ' ')
		b->len--;
	span_buf_putc(b, '\n');
}

void query_columns_head(struct span_buf *b, const struct query_columns *c,
			bool csv)
{
	size_t from = b->len;

	for (size_t i = 0; i < c->n; i++) {
		if (!csv) {
			put_cell(b, c, i, c->v[i].name);
			continue;
		}
		span_buf_puts(b, i ? "," : "");
		if (c->v[i].key.len)
			span_text_csv(b, c->v[i].name, true);
		else
			span_buf_str(b, c->v[i].name);
	}
	if (csv)
		span_buf_puts(b, "\r\n");
	else
		end_line(b, from);
}

void query_columns_row(struct span_buf *b, const struct query_columns *c,
		       const struct query_item *item, bool local)
{
	struct span_buf text = {0};
	size_t from = b->len;

	for (size_t i = 0; i < c->n; i++) {
		text.len = 0;
		query_column_put(&text, &c->v[i], item, local);
		put_cell(b, c, i, (struct span_str){text.p, text.len});
	}
	end_line(b, from);
	b->failed |= text.failed;
	span_buf_release(&text);
}

void query_columns_csv(struct span_buf *b, const struct query_columns *c,
		       const struct query_item *item, bool safe)
{
	struct span_buf text = {0};

	for (size_t i = 0; i < c->n; i++) {
		struct span_str s;

		text.len = 0;
		query_column_put(&text, &c->v[i], item, false);
		s = (struct span_str){text.p, text.len};
		span_buf_puts(b, i ? "," : "");
		if (c->v[i].field->text)
			span_text_csv(b, s, safe);
		else
			span_buf_str(b, s);
	}
	span_buf_puts(b, "\r\n");
	b->failed |= text.failed;
	span_buf_release(&text);
}
