/* SPDX-License-Identifier: Apache-2.0 */
#include "text/utf8.h"

#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "base/banned.h"

size_t span__utf8_next(const char *p, size_t len, uint32_t *cp)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	if ((unsigned char)*p < 0x80) {
		*cp = (unsigned char)*p;
		return 1;
	}
	n = utf8proc_iterate((const utf8proc_uint8_t *)p,
			     len < 4 ? (utf8proc_ssize_t)len : 4, &c);
	if (n <= 0) {
		*cp = SPAN__UTF8_BAD;
		return 1;
	}
	*cp = (uint32_t)c;
	return (size_t)n;
}

bool span__utf8_valid(struct span_str s)
{
	uint32_t c = 0;

	for (size_t at = span__utf8_ascii(s);
	     at < s.len && c != SPAN__UTF8_BAD;)
		at += span__utf8_next(s.p + at, s.len - at, &c);
	return c != SPAN__UTF8_BAD;
}

void span__utf8_put(struct span_buf *b, struct span_str s)
{
	size_t from = 0, at = span__utf8_ascii(s);

	while (at < s.len) {
		uint32_t cp;
		size_t n = span__utf8_next(s.p + at, s.len - at, &cp);

		if (cp == SPAN__UTF8_BAD) {
			span_buf_put(b, s.p + from, at - from);
			span_buf_puts(b, "\xef\xbf\xbd");
			from = at + n;
		}
		at += n;
	}
	if (at > from)
		span_buf_put(b, s.p + from, at - from);
}

bool span__utf8_unsafe(uint32_t cp)
{
	if (cp < 0x80)
		return cp < 0x20 || cp == 0x7f;
	if ((cp & 0xfffe) == 0xfffe || (cp >= 0xfdd0 && cp <= 0xfdef))
		return true;
	switch (utf8proc_category((utf8proc_int32_t)cp)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return false;
	}
}

size_t span__utf8_escape(uint32_t cp, char out[SPAN__UTF8_MAX])
{
	const char *format = "\\x%02x";

	if (cp == '\n' || cp == '\r' || cp == '\t') {
		out[0] = '\\';
		out[1] = cp == '\n' ? 'n' : cp == '\r' ? 'r' : 't';
		return 2;
	}
	if (cp >= 0x10000)
		format = "\\U%08x";
	else if (cp >= 0x80)
		format = "\\u%04x";
	return (size_t)snprintf(out, SPAN__UTF8_MAX, format, (unsigned)cp);
}
