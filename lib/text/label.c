/* SPDX-License-Identifier: Apache-2.0 */
#include "text/label.h"

#include <string.h>

#include "base/banned.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* The rest of a character that is several bytes: it has its '_' by now. */
static bool is_rest(struct span_str s, size_t i)
{
	return i && (s.p[i] & 0xc0) == 0x80 && s.p[i - 1] & 0x80;
}

void span_text_label(struct span_buf *b, struct span_str s)
{
	if (!s.len || is_digit(s.p[0]))
		span_buf_putc(b, '_');
	for (size_t i = 0; i < s.len; i++)
		if (!is_rest(s, i))
			span_buf_putc(b, is_plain(s.p[i]) ? s.p[i] : '_');
}

static bool is_label(struct span_str label, struct span_str key)
{
	size_t at = 0;

	for (size_t i = 0; i < key.len; i++) {
		if (is_rest(key, i))
			continue;
		if (at == label.len ||
		    label.p[at] != (is_plain(key.p[i]) ? key.p[i] : '_'))
			return false;
		at++;
	}
	return at == label.len;
}

bool span__label_is(struct span_str label, struct span_str key)
{
	static const struct span_str prefixes[] = {{"_", 1}, {"key_", 4}};

	if (key.len && !is_digit(key.p[0]))
		return is_label(label, key);
	for (size_t i = 0; i < 2; i++) {
		struct span_str p = prefixes[i];

		if (label.len >= p.len && !memcmp(label.p, p.p, p.len) &&
		    is_label((struct span_str){label.p + p.len,
					       label.len - p.len},
			     key))
			return true;
	}
	return false;
}
