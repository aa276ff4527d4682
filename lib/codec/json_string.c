/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings of JSON. What holds an escape is written anew, into the arena: an
 * escape is never longer as UTF-8 than it was, so there is always room.
 */
#include "codec/json.h"

#include "text/json_plain.h"

#include "base/banned.h"

struct text {
	const unsigned char *p, *end;
	char *out;
};

/* Four hex digits, or -1. */
static int32_t hex4(struct text *t)
{
	int32_t v = 0;

	if (t->end - t->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char c = *t->p++;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static void put_utf8(struct text *t, uint32_t c)
{
	if (c < 0x80) {
		*t->out++ = (char)c;
		return;
	}
	if (c < 0x800) {
		*t->out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*t->out++ = (char)(0xe0 | c >> 12);
		*t->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*t->out++ = (char)(0xf0 | c >> 18);
		*t->out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*t->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*t->out++ = (char)(0x80 | (c & 0x3f));
}

/* What follows \u. */
static bool take_unicode(struct text *t)
{
	int32_t high = hex4(t), low;
	const unsigned char *after = t->p;

	if (high < 0)
		return false;
	if (high < 0xd800 || high > 0xdfff) {
		put_utf8(t, (uint32_t)high);
		return true;
	}
	if (high < 0xdc00 && t->end - t->p >= 6 && t->p[0] == '\\' &&
	    t->p[1] == 'u') {
		t->p += 2;
		low = hex4(t);
		if (low >= 0xdc00 && low <= 0xdfff) {
			put_utf8(t, 0x10000u + (((uint32_t)high & 0x3ff) << 10 |
						((uint32_t)low & 0x3ff)));
			return true;
		}
		t->p = after;
	}
	put_utf8(t, 0xfffd);
	return true;
}

static bool take_escape(struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	unsigned char c;

	if (t->p == t->end)
		return false;
	c = *t->p++;
	if (c == 'u')
		return take_unicode(t);
	at = c ? strchr(from, c) : NULL;
	if (!at)
		return false;
	*t->out++ = to[at - from];
	return true;
}

/*
 * The text between START and END, which holds an escape. Without an arena it
 * is only checked.
 */
static struct span_str unescape(struct span__json *j,
				const unsigned char *start,
				const unsigned char *end)
{
	struct text t = {.p = start, .end = end};
	char one[8], *out = one;

	if (j->arena)
		out = span_arena_alloc(j->arena, (size_t)(end - start));
	if (!out) {
		span__cursor_fail(j->in, start, SPAN_E_NOMEM, "out of memory");
		return SPAN_STR("");
	}
	t.out = out;
	while (t.p < end) {
		const unsigned char *at = t.p;

		if (!j->arena)
			t.out = one;
		if (*t.p != '\\') {
			*t.out++ = (char)*t.p++;
			continue;
		}
		t.p++;
		if (!take_escape(&t)) {
			span__cursor_fail(j->in, at, SPAN_E_CORRUPT,
					  "an escape that JSON does not have");
			return SPAN_STR("");
		}
	}
	if (!j->arena)
		return SPAN_STR("");
	return (struct span_str){out, (size_t)(t.out - out)};
}

struct span_str span__json_string(struct span__json *j)
{
	struct span__cursor *in = j->in;
	const unsigned char *start, *p;
	bool escaped = false;

	if (span__json_peek(j) != JSON_STRING) {
		span__cursor_fail(
			in, in->p,
			in->p == in->end ? SPAN_E_TRUNCATED : SPAN_E_CORRUPT,
			in->p == in->end ? "the JSON text is cut short"
					 : "a string should be here");
		return SPAN_STR("");
	}
	start = ++in->p;
	for (p = start;; p++) {
		p = span__json_plain(p, in->end);
		if (p == in->end || *p == '"')
			break;
		if (*p < 0x20) {
			span__cursor_fail(in, p, SPAN_E_CORRUPT,
					  "a control character in a string");
			return SPAN_STR("");
		}
		escaped = true;
		if (++p == in->end)
			break;
	}
	if (p == in->end) {
		span__cursor_fail(in, in->end, SPAN_E_TRUNCATED,
				  "the JSON text is cut short");
		return SPAN_STR("");
	}
	in->p = p + 1;
	if (escaped)
		return unescape(j, start, p);
	return (struct span_str){(const char *)start, (size_t)(p - start)};
}
