/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logfmt: KEY=VALUE with spaces between, as span_text_logfmt() writes it; both
 * may be strings by Go's rules.
 */
#include "codec/lines.h"

#include "base/banned.h"

/* N hex digits as UTF-8; false when they are none. */
static bool put_code(struct span_str *s, unsigned n, char **out)
{
	uint32_t c = 0;

	if (s->len < n)
		return false;
	for (unsigned i = 0; i < n; i++) {
		char d = s->p[i];
		bool letter = (d | 0x20) >= 'a' && (d | 0x20) <= 'f';

		if (!letter && (d < '0' || d > '9'))
			return false;
		c = c << 4 |
		    (uint32_t)(letter ? (d | 0x20) - 'a' + 10 : d - '0');
	}
	s->p += n;
	s->len -= n;
	if (c > 0x10ffff)
		return false;
	if (c < 0x80) {
		*(*out)++ = (char)c;
		return true;
	}
	if (c >= 0x10000)
		*(*out)++ = (char)(0xf0 | c >> 18);
	if (c >= 0x800)
		*(*out)++ = (char)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3f)
						: 0xe0 | c >> 12);
	*(*out)++ = (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6);
	*(*out)++ = (char)(0x80 | (c & 0x3f));
	return true;
}

static bool put_escape(struct span_str *s, char **out)
{
	static const char from[] = "\"\\nrtabfv", to[] = "\"\\\n\r\t\a\b\f\v";
	const char *at;
	char c;

	if (!s->len)
		return false;
	c = *s->p++;
	s->len--;
	if (c == 'x' || c == 'u' || c == 'U')
		return put_code(s, c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
	at = c ? strchr(from, c) : NULL;
	if (at)
		*(*out)++ = to[at - from];
	return at;
}

/* Behind the quote of a string to behind the one that ends it. */
static bool read_quoted(struct span_arena *arena, struct span_str *s,
			struct span_str *text)
{
	char *out, *begin;
	size_t len = 0;

	while (len < s->len && s->p[len] != '"')
		len += 1 + (s->p[len] == '\\');
	if (len >= s->len)
		return false;
	begin = out = span_arena_alloc(arena, len);
	while (out && s->len && *s->p != '"') {
		char c = *s->p++;

		s->len--;
		if (c != '\\')
			*out++ = c;
		else if (!put_escape(s, &out))
			return false;
	}
	if (!out || !s->len)
		return false;
	s->p++;
	s->len--;
	*text = (struct span_str){begin, (size_t)(out - begin)};
	return true;
}

/* A word up to a space, or to = in a key. */
static bool read_word(struct span_arena *arena, struct span_str *s, bool key,
		      struct span_str *text)
{
	*text = (struct span_str){s->p, 0};
	if (s->len && *s->p == '"') {
		s->p++;
		s->len--;
		return read_quoted(arena, s, text);
	}
	while (s->len && *s->p != ' ' && !(key && *s->p == '=')) {
		s->p++;
		s->len--;
		text->len++;
	}
	return true;
}

bool span__logfmt_next(struct span_arena *arena, struct span_str *s,
		       struct span_str *key, struct span_str *value)
{
	*key = *value = SPAN_STR("");
	while (s->len && *s->p == ' ') {
		s->p++;
		s->len--;
	}
	if (!s->len)
		return true;
	if (!read_word(arena, s, true, key))
		return false;
	if (!s->len || *s->p != '=') {
		*value = SPAN_STR("true");
		return !s->len || *s->p == ' ';
	}
	s->p++;
	s->len--;
	return read_word(arena, s, false, value) && (!s->len || *s->p == ' ');
}
