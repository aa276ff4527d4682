/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on a terminal goes cell by cell, so that what is measured is what is
 * written: an escape is as wide as its characters, and a character whose
 * width nobody can know (unassigned ones) is shown as an escape.
 */
#include <span/text.h>

#include <string.h>

#include <utf8proc.h>

#include "text/utf8.h"

#include "base/banned.h"

/* Marks on one character that a terminal may be asked to pile up. */
#define MAX_MARKS 4

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS "\xe2\x80\xa6"

static bool is_unassigned(uint32_t cp)
{
	return utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_CN;
}

void span__cell_next(struct span_str *rest, unsigned *marks, bool ascii,
		     struct span__cell *cell)
{
	bool first = *marks == 0;
	uint32_t cp;

	cell->p = rest->p;
	cell->len = span__utf8_next(rest->p, rest->len, &cp);
	cell->width = 1;
	rest->p += cell->len;
	rest->len -= cell->len;
	if (cp >= 0x20 && cp < 0x7f) {
		*marks = 1;
		return;
	}
	if (cp == SPAN__UTF8_BAD) {
		*marks = 1;
		cell->p = ascii ? "?" : REPLACEMENT;
		cell->len = strlen(cell->p);
		return;
	}
	if (!ascii && !span__utf8_unsafe(cp) && !is_unassigned(cp)) {
		cell->width = (size_t)utf8proc_charwidth((int)cp);
		*marks = cell->width ? 1 : *marks + 1;
		/* A mark needs something to stand on. */
		if (cell->width || (!first && *marks <= 1 + MAX_MARKS))
			return;
	}
	*marks = 1;
	cell->p = cell->tmp;
	cell->len = span__utf8_escape(cp, cell->tmp);
	cell->width = cell->len;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Are the eight bytes at P all from 0x20 to 0x7e? */
static bool is_plain_word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return !((w | (w - EACH(0x20)) | (w + EACH(1))) & EACH(0x80));
}

/* Pass over at most MAX bytes of *REST that stand for themselves. */
static size_t skip_plain(struct span_str *rest, size_t max, unsigned *marks)
{
	size_t n = 0;

	if (max > rest->len)
		max = rest->len;
	while (max - n >= sizeof(uint64_t) && is_plain_word(rest->p + n))
		n += sizeof(uint64_t);
	while (n < max && rest->p[n] >= 0x20 && rest->p[n] < 0x7f)
		n++;
	if (!n)
		return 0;
	*marks = 1;
	rest->p += n;
	rest->len -= n;
	return n;
}

void span__text_terminal(struct span_buf *b, struct span_str s, bool ascii)
{
	struct span_str rest = s;
	const char *from = s.p;
	unsigned marks = 0;

	for (;;) {
		struct span__cell cell;
		const char *at;

		skip_plain(&rest, SIZE_MAX, &marks);
		if (!rest.len)
			break;
		at = rest.p;
		span__cell_next(&rest, &marks, ascii, &cell);
		if (cell.p == at)
			continue;
		span_buf_put(b, from, (size_t)(at - from));
		span_buf_put(b, cell.p, cell.len);
		from = rest.p;
	}
	if (s.len)
		span_buf_put(b, from, (size_t)(rest.p - from));
}

void span_text_terminal(struct span_buf *b, struct span_str s)
{
	span__text_terminal(b, s, false);
}

/* The bytes of S that fit in WIDTH columns, and the *COLUMNS they take. */
static size_t take(struct span_str s, size_t width, bool ascii, size_t *columns)
{
	struct span_str rest = s;
	unsigned marks = 0;

	*columns = 0;
	for (;;) {
		struct span__cell cell;
		size_t left;

		*columns += skip_plain(&rest, width - *columns, &marks);
		left = rest.len;
		if (!left)
			return s.len;
		span__cell_next(&rest, &marks, ascii, &cell);
		if (cell.width > width - *columns)
			return s.len - left;
		*columns += cell.width;
	}
}

size_t span_text_width(struct span_str s)
{
	size_t columns;

	take(s, SIZE_MAX, false, &columns);
	return columns;
}

size_t span__text_width(struct span_str s, size_t max, bool ascii)
{
	size_t columns;

	return take(s, max, ascii, &columns) < s.len ? max : columns;
}

size_t span__text_fit(struct span_buf *b, struct span_str s, size_t width,
		      bool pad, bool ascii)
{
	size_t columns, n = take(s, width, ascii, &columns);

	if (n < s.len && width) {
		n = take(s, width - 1, ascii, &columns);
		span__text_terminal(b, (struct span_str){s.p, n}, ascii);
		span_buf_puts(b, ascii ? "~" : ELLIPSIS);
		columns++;
	} else if (width) {
		span__text_terminal(b, s, ascii);
	}
	for (; pad && columns < width; columns++)
		span_buf_putc(b, ' ');
	return columns;
}

void span_text_fit(struct span_buf *b, struct span_str s, size_t width,
		   bool pad)
{
	span__text_fit(b, s, width, pad, false);
}

size_t span_text_width_ascii(struct span_str s)
{
	return span__text_width(s, SIZE_MAX, true);
}

void span_text_fit_ascii(struct span_buf *b, struct span_str s, size_t width,
			 bool pad)
{
	span__text_fit(b, s, width, pad, true);
}

size_t span_text_cut(struct span_str s, size_t max)
{
	size_t lead = max;
	uint32_t cp;

	if (s.len <= max)
		return s.len;
	/* The character that holds the byte at MAX starts 3 before or later. */
	while (lead > 0 && max - lead < 3 && (s.p[lead] & 0xc0) == 0x80)
		lead--;
	if (lead + span__utf8_next(s.p + lead, s.len - lead, &cp) > max)
		return lead;
	return max;
}
