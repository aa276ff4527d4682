/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An annotation that is a JSON object of strings: that is how clients put the
 * fields of a log into Zipkin's model. Anything else is plain text, so a
 * reader of exactly this form, which gives up at the first surprise, is
 * enough; it never nests.
 */
#include "codec/zipkin.h"

#include "base/banned.h"

/* Bytes of the shortest member, "":"" and a comma or brace. */
#define MIN_MEMBER 6u

struct json {
	const char *p, *end;
	char *out; /* where unescaped text goes; room for all of the input */
};

static void skip_space(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' ||
				 *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

static bool take(struct json *j, char c)
{
	skip_space(j);
	if (j->p == j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

/* Four hex digits, or -1. */
static int32_t hex4(struct json *j)
{
	int32_t v = 0;

	if (j->end - j->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)*j->p++;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* A code point is never longer in UTF-8 than its escape was. */
static void put_utf8(struct json *j, uint32_t c)
{
	if (c < 0x80) {
		*j->out++ = (char)c;
		return;
	}
	if (c < 0x800) {
		*j->out++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*j->out++ = (char)(0xe0 | c >> 12);
		*j->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*j->out++ = (char)(0xf0 | c >> 18);
		*j->out++ = (char)(0x80 | (c >> 12 & 0x3f));
		*j->out++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*j->out++ = (char)(0x80 | (c & 0x3f));
}

/* What follows \u; a half of a pair alone becomes U+FFFD. */
static bool take_unicode(struct json *j)
{
	int32_t high = hex4(j), low;
	const char *after = j->p;

	if (high < 0)
		return false;
	if (high < 0xd800 || high > 0xdfff) {
		put_utf8(j, (uint32_t)high);
		return true;
	}
	if (high < 0xdc00 && j->end - j->p >= 6 && j->p[0] == '\\' &&
	    j->p[1] == 'u') {
		j->p += 2;
		low = hex4(j);
		if (low >= 0xdc00 && low <= 0xdfff) {
			put_utf8(j, 0x10000u + (((uint32_t)high & 0x3ff) << 10 |
						((uint32_t)low & 0x3ff)));
			return true;
		}
		j->p = after;
	}
	put_utf8(j, 0xfffd);
	return true;
}

static bool take_escape(struct json *j)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	if (j->p == j->end)
		return false;
	c = *j->p++;
	if (c == 'u')
		return take_unicode(j);
	at = c ? strchr(from, c) : NULL;
	if (!at)
		return false;
	*j->out++ = to[at - from];
	return true;
}

static bool take_string(struct json *j, struct span_str *s)
{
	if (!take(j, '"'))
		return false;
	s->p = j->out;
	while (j->p < j->end) {
		char c = *j->p++;

		if (c == '"') {
			s->len = (size_t)(j->out - s->p);
			return true;
		}
		if ((unsigned char)c < 0x20)
			return false;
		if (c != '\\')
			*j->out++ = c;
		else if (!take_escape(j))
			return false;
	}
	return false;
}

static bool take_members(struct json *j, struct span_attr *v, size_t max,
			 size_t *n, bool *cut)
{
	struct span_attr a = {.value = {.type = SPAN_STRING}};

	do {
		if (!take_string(j, &a.key) || !take(j, ':') ||
		    !take_string(j, &a.value.str))
			return false;
		if (*n < max)
			v[(*n)++] = a;
		else
			*cut = true;
	} while (take(j, ','));
	return take(j, '}');
}

bool span__zipkin_log_fields(struct span__message *m, struct span_str s,
			     struct span_attrs *out)
{
	struct json j = {.p = s.p, .end = s.p + s.len};
	size_t n = 0, max = s.len / MIN_MEMBER + 1;
	struct span_attr *v;
	bool cut = false;

	if (!s.len || !take(&j, '{'))
		return false;
	if (max > SPAN_MAX_ATTRS)
		max = SPAN_MAX_ATTRS;
	v = span__message_array(m, &m->d->arena, max, sizeof(*v));
	j.out = span__message_array(m, &m->d->arena, s.len, 1);
	if (!v || !j.out || !take_members(&j, v, max, &n, &cut))
		return false;
	skip_space(&j);
	if (j.p != j.end)
		return false;
	if (cut)
		m->marks |= SPAN_MARK_CUT;
	*out = (struct span_attrs){.v = v, .n = n};
	return true;
}
