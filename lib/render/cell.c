/* SPDX-License-Identifier: Apache-2.0 */
#include "render/cell.h"

#include <span/text.h>

#include <inttypes.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "text/utf8.h"

#include "base/banned.h"

#define STYLE_END "\x1b[0m"

size_t span__columns(const struct span_render_opts *o)
{
	return o->columns ? o->columns : 80;
}

void span__style(struct span_buf *b, const struct span_render_opts *o,
		 enum span__style style)
{
	static const char *const codes[] = {"", "\x1b[2m", "\x1b[1m",
					    "\x1b[1;31m"};

	if (o->colour)
		span_buf_puts(b, codes[style]);
}

unsigned span__service_colour(struct span_str service)
{
	return (unsigned)(XXH3_64bits(service.len ? service.p : "",
				      service.len) %
			  SPAN__COLOURS);
}

/*
 * Colours that can be read on white and on black, red left out, which means
 * errors. A service has the same one in every run and every tool; page.css and
 * svg.c have them too.
 */
void span__style_service(struct span_buf *b, const struct span_render_opts *o,
			 struct span_str service)
{
	static const uint8_t palette[SPAN__COLOURS] = {
		33, 37, 64, 71, 97, 98, 99, 130, 133, 136, 166, 172};

	if (o->colour)
		span_buf_printf(
			b, "\x1b[38;5;%um",
			(unsigned)palette[span__service_colour(service)]);
}

void span__style_end(struct span_buf *b, const struct span_render_opts *o)
{
	if (o->colour)
		span_buf_puts(b, STYLE_END);
}

struct span_str span__error_mark(const struct span_render_opts *o)
{
	return o->ascii ? SPAN_STR("!") : SPAN_STR("\xe2\x9c\x97");
}

void span__spaces(struct span_buf *b, size_t width)
{
	char *p = span_buf_reserve(b, width);

	if (!p || !width)
		return;
	memset(p, ' ', width);
	b->len += width;
}

static size_t fit(struct span_buf *b, const struct span_render_opts *o,
		  struct span_str s, size_t width)
{
	return span__text_fit(b, s, width, false, o->ascii);
}

void span__cell(struct span_buf *b, const struct span_render_opts *o,
		enum span__style style, struct span_str s, size_t width)
{
	size_t columns;

	if (style)
		span__style(b, o, style);
	columns = fit(b, o, s, width);
	if (style)
		span__style_end(b, o);
	span__spaces(b, width - columns);
}

size_t span__whole(struct span_buf *b, const struct span_render_opts *o,
		   enum span__style style, struct span_str s)
{
	size_t columns;

	span__style(b, o, style);
	columns = fit(b, o, s, SIZE_MAX);
	span__style_end(b, o);
	return columns;
}

size_t span__service(struct span_buf *b, const struct span_render_opts *o,
		     struct span_str service, size_t width)
{
	size_t columns;

	span__style_service(b, o, service);
	columns = fit(b, o, service, width);
	span__style_end(b, o);
	return columns;
}

/* A long service leaves at least three fifths to an operation that is long. */
void span__name(struct span_buf *b, const struct span_render_opts *o,
		enum span__style style, const struct span *s, size_t width)
{
	size_t least = width * 3 / 5;
	size_t operation = span__text_width(s->name, least, o->ascii);
	size_t columns = span__service(b, o, s->process->service,
				       operation < width ? width - 1 - operation
							 : width);

	if (columns + 1 >= width) {
		span__spaces(b, width - columns);
		return;
	}
	span_buf_putc(b, ' ');
	span__cell(b, o, style, s->name, width - columns - 1);
}

void span__right(struct span_buf *b, size_t from, size_t width)
{
	size_t len = b->len - from, pad = len < width ? width - len : 0;

	if (!pad || !span_buf_reserve(b, pad))
		return;
	memmove(b->p + from + pad, b->p + from, len);
	memset(b->p + from, ' ', pad);
	b->len += pad;
}

void span__duration(struct span_buf *b, uint64_t ns)
{
	size_t from = b->len;

	span_text_duration(b, ns);
	span__right(b, from, SPAN__DURATION_WIDTH);
}

/* Digits where they fit, else thousands or more: "123k", "4.2M". */
void span__count(struct span_buf *b, uint64_t n, size_t width)
{
	size_t from = b->len;
	uint64_t most = 1;

	for (size_t i = 0; i < width; i++)
		most *= 10;
	if (n < most)
		span_buf_printf(b, "%" PRIu64, n);
	else if (n < 1000000)
		span_buf_printf(b, "%" PRIu64 "k", n / 1000);
	else
		span_buf_printf(b, "%" PRIu64 ".%" PRIu64 "M", n / 1000000,
				n / 100000 % 10);
	span__right(b, from, width);
}

/* The eighths of a cell, of WIDTH cells, that NS is of FULL_NS. */
static size_t scale(uint64_t ns, uint64_t full_ns, size_t width)
{
	return (size_t)((double)ns / (double)full_ns * 8 * (double)width);
}

/*
 * A cell filled from FROM to TO eighths. Unicode has blocks that begin at the
 * left in eighths, but from the right only a half and an eighth.
 */
static const char *block(unsigned from, unsigned to)
{
	static const char *const left[] = {
		"\xe2\x96\x8f", "\xe2\x96\x8f", "\xe2\x96\x8e",
		"\xe2\x96\x8d", "\xe2\x96\x8c", "\xe2\x96\x8b",
		"\xe2\x96\x8a", "\xe2\x96\x89", "\xe2\x96\x88"};

	if (from < 2)
		return left[to];
	if (from < 6)
		return to - from < 2 ? "\xe2\x94\x82" : "\xe2\x96\x90";
	return "\xe2\x96\x95";
}

#define BLOCK 3u /* bytes of one */

/* Cells between two eighths; they are most of what a tree is made of. */
static void put_blocks(struct span_buf *b, size_t from, size_t to,
		       const uint8_t *heavy)
{
	char *p = span_buf_reserve(b, BLOCK * ((to + 7) / 8 - from / 8));

	if (!p)
		return;
	for (size_t at = from / 8 * 8; at < to; at += 8, p += BLOCK)
		memcpy(p,
		       heavy && heavy[at / 8]
			       ? "\xe2\x94\x81"
			       : block(from > at ? (unsigned)(from - at) : 0,
				       to - at < 8 ? (unsigned)(to - at) : 8),
		       BLOCK);
	b->len += BLOCK * ((to + 7) / 8 - from / 8);
}

static void put_ascii(struct span_buf *b, size_t from, size_t to,
		      const uint8_t *heavy)
{
	for (size_t at = from / 8 * 8; at < to; at += 8)
		span_buf_putc(b, heavy && heavy[at / 8] ? '#'
				 : to - from < 8	? '|'
							: '=');
}

void span__bar(struct span_buf *b, const struct span_render_opts *o,
	       size_t width, uint64_t full_ns, uint64_t start_ns,
	       uint64_t duration_ns, const uint8_t *heavy)
{
	size_t from = 0, to = 1;

	if (full_ns && start_ns < full_ns) {
		uint64_t left_ns = full_ns - start_ns;

		from = scale(start_ns, full_ns, width);
		to = scale(start_ns + (duration_ns < left_ns ? duration_ns
							     : left_ns),
			   full_ns, width);
	} else if (full_ns) {
		from = to = width * 8;
	}
	if (from >= width * 8)
		from = width * 8 - 1;
	if (to > width * 8)
		to = width * 8;
	if (to <= from)
		to = from + 1;
	span__spaces(b, from / 8);
	if (o->ascii)
		put_ascii(b, from, to, heavy);
	else
		put_blocks(b, from, to, heavy);
}

void span__line_end(struct span_buf *b)
{
	static const char end[] = STYLE_END;
	size_t len = sizeof(end) - 1;
	bool styled = b->len >= len && !memcmp(b->p + b->len - len, end, len);

	if (styled)
		b->len -= len;
	while (b->len && b->p[b->len - 1] == ' ')
		b->len--;
	if (styled)
		span_buf_puts(b, end);
	span_buf_putc(b, '\n');
}
