/* SPDX-License-Identifier: Apache-2.0 */
#include "json-out.h"

#include <span/text.h>

#include <math.h>

#include "base/banned.h"

void json_name(struct span_buf *b, const char *name)
{
	if (b->len && b->p[b->len - 1] != '{')
		span_buf_putc(b, ',');
	span_buf_printf(b, "\"%s\":", name);
}

void json_text(struct span_buf *b, const char *name, struct span_str s)
{
	json_name(b, name);
	span_text_json(b, s);
}

void json_plain(struct span_buf *b, const char *name, const char *text)
{
	json_name(b, name);
	span_buf_printf(b, "\"%s\"", text);
}

void json_uint(struct span_buf *b, const char *name, uint64_t n)
{
	json_name(b, name);
	span_text_uint(b, n);
}

void json_double(struct span_buf *b, const char *name, double d)
{
	json_name(b, name);
	if (isfinite(d))
		span_text_double(b, d);
	else
		span_buf_puts(b, "null");
}

void json_bool(struct span_buf *b, const char *name, bool yes)
{
	json_name(b, name);
	span_buf_puts(b, yes ? "true" : "false");
}

void json_line(struct span_buf *b, bool first)
{
	span_buf_puts(b, first ? "\n" : ",\n");
}
