/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs over UTF-8 text.
 *
 * When the text does not fit on after a star, the star takes one character
 * more and all goes on behind it. Only the last star is ever tried again: what
 * an earlier one could take besides, the last one can take too. So there is no
 * recursion and no exponential case.
 */
#include "query/match.h"

#include <string.h>

#include "base/banned.h"

#define NO_CHAR 0x110000u /* bytes that are no UTF-8, one character each */

/* The character at P, which is before END; its length goes to *LEN. */
static uint32_t get_char(const unsigned char *p, const unsigned char *end,
			 size_t *len)
{
	size_t n = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 1;
	uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);

	*len = 1;
	if (n == 1)
		return *p < 0x80 ? *p : NO_CHAR + *p;
	if (n > (size_t)(end - p) || *p > 0xf4)
		return NO_CHAR + *p;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return NO_CHAR + *p;
		c = c << 6 | (p[i] & 0x3f);
	}
	*len = n;
	return c;
}

/* The end of the set that begins at P, just after its ], or NULL. */
static const unsigned char *set_end(const unsigned char *p,
				    const unsigned char *end)
{
	p++;
	if (p < end && (*p == '!' || *p == '^'))
		p++;
	if (p < end && *p == ']')
		p++;
	for (; p < end; p++) {
		if (*p == ']')
			return p + 1;
		if (*p == '\\' && p + 1 < end)
			p++;
	}
	return NULL;
}

static uint32_t set_char(const unsigned char **p, const unsigned char *end)
{
	size_t len;
	uint32_t c;

	if (**p == '\\' && *p + 1 < end)
		++*p;
	c = get_char(*p, end, &len);
	*p += len;
	return c;
}

/* Is C in the set from P to END, brackets included? */
static bool in_set(const unsigned char *p, const unsigned char *end, uint32_t c)
{
	bool negate = false, found = false;

	p++;
	end--;
	if (*p == '!' || *p == '^') {
		negate = true;
		p++;
	}
	while (p < end) {
		uint32_t from = set_char(&p, end), to = from;

		if (end - p >= 2 && *p == '-') {
			p++;
			to = set_char(&p, end);
		}
		if (c >= from && c <= to)
			found = true;
	}
	return found != negate;
}

/* Does the character C fit what is at *P? Then *P moves behind it. */
static bool fits(const unsigned char **p, const unsigned char *end, uint32_t c)
{
	const unsigned char *set;
	size_t len;

	if (**p == '?') {
		++*p;
		return true;
	}
	set = **p == '[' ? set_end(*p, end) : NULL;
	if (set) {
		if (!in_set(*p, set, c))
			return false;
		*p = set;
		return true;
	}
	if (**p == '\\' && *p + 1 < end)
		++*p;
	if (get_char(*p, end, &len) != c)
		return false;
	*p += len;
	return true;
}

bool span__glob(struct span_str pattern, struct span_str text)
{
	const unsigned char *p = (const unsigned char *)pattern.p;
	const unsigned char *p_end = p + pattern.len;
	const unsigned char *t = (const unsigned char *)text.p;
	const unsigned char *t_end = t + text.len;
	const unsigned char *star = NULL, *star_t = NULL;
	size_t len;

	while (t < t_end) {
		const unsigned char *next = p;
		uint32_t c = get_char(t, t_end, &len);

		if (p < p_end && *p == '*') {
			star = ++p;
			star_t = t;
			continue;
		}
		if (p < p_end && fits(&next, p_end, c)) {
			p = next;
			t += len;
			continue;
		}
		if (!star)
			return false;
		p = star;
		get_char(star_t, t_end, &len);
		t = star_t += len;
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

bool span__glob_is(struct span_str text)
{
	return text.len &&
	       (memchr(text.p, '*', text.len) ||
		memchr(text.p, '?', text.len) || memchr(text.p, '[', text.len));
}
