/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_scan.h"

#include "base/banned.h"

static bool is_space(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_scalar(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

/* Deeper than the readers go, the kinds of brackets do not matter. */
static void open_bracket(struct span__json_scan *s, bool array)
{
	uint64_t bit = UINT64_C(1) << s->depth % 64;

	if (s->depth < SPAN__JSON_DEPTH && array)
		s->kinds[s->depth / 64] |= bit;
	else if (s->depth < SPAN__JSON_DEPTH)
		s->kinds[s->depth / 64] &= ~bit;
	s->depth++;
	s->state = JSON_SCAN_INSIDE;
}

/* False when it was another kind that was opened. */
static bool close_bracket(struct span__json_scan *s, bool array)
{
	s->depth--;
	if (s->depth < SPAN__JSON_DEPTH &&
	    (s->kinds[s->depth / 64] >> s->depth % 64 & 1) != array) {
		s->state = JSON_SCAN_BROKEN;
		return false;
	}
	s->content = true;
	if (!s->depth)
		s->state = JSON_SCAN_DONE;
	return true;
}

static const unsigned char *start(struct span__json_scan *s,
				  const unsigned char *p,
				  const unsigned char *end)
{
	while (p < end && is_space(*p))
		p++;
	if (p == end)
		return p;
	if (*p == '{' || *p == '[')
		open_bracket(s, *p == '[');
	else if (*p == '"')
		s->state = JSON_SCAN_STRING;
	else
		s->state = is_scalar(*p) ? JSON_SCAN_SCALAR : JSON_SCAN_BROKEN;
	return s->state == JSON_SCAN_BROKEN ? p : p + 1;
}

static const unsigned char *inside(struct span__json_scan *s,
				   const unsigned char *p,
				   const unsigned char *end)
{
	for (; p < end && s->state == JSON_SCAN_INSIDE; p++) {
		switch (*p) {
		case '"':
			s->content = true;
			s->state = JSON_SCAN_STRING;
			break;
		case '{':
		case '[':
			open_bracket(s, *p == '[');
			break;
		case '}':
		case ']':
			if (!close_bracket(s, *p == ']'))
				return p;
			break;
		case '\n':
			if (s->lines && s->content) {
				s->state = JSON_SCAN_BROKEN;
				return p;
			}
			s->lines = false;
			s->newline = true;
			break;
		default:
			break;
		}
	}
	return p;
}

/* JSON has no control characters in strings: a line's end is a cut line's. */
static const unsigned char *string(struct span__json_scan *s,
				   const unsigned char *p,
				   const unsigned char *end)
{
	while (p < end && *p != '"' && *p != '\\' && *p >= 0x20)
		p++;
	if (p == end)
		return p;
	if (*p == '\\')
		s->state = JSON_SCAN_ESCAPE;
	else if (*p == '"')
		s->state = s->depth ? JSON_SCAN_INSIDE : JSON_SCAN_DONE;
	else
		s->state = JSON_SCAN_BROKEN;
	return s->state == JSON_SCAN_BROKEN ? p : p + 1;
}

size_t span__json_scan(struct span__json_scan *s, const unsigned char *begin,
		       size_t len)
{
	const unsigned char *p = begin, *end = p + len;

	while (p < end) {
		switch (s->state) {
		case JSON_SCAN_START:
			p = start(s, p, end);
			break;
		case JSON_SCAN_INSIDE:
			p = inside(s, p, end);
			break;
		case JSON_SCAN_STRING:
			p = string(s, p, end);
			break;
		case JSON_SCAN_ESCAPE:
			s->state =
				*p < 0x20 ? JSON_SCAN_BROKEN : JSON_SCAN_STRING;
			p += *p >= 0x20;
			break;
		case JSON_SCAN_SCALAR:
			if (is_scalar(*p))
				p++;
			else
				s->state = JSON_SCAN_DONE;
			break;
		default:
			return (size_t)(p - begin);
		}
	}
	return len;
}

bool span__json_pass(struct span__json *j)
{
	struct span__json_scan s = {0};
	struct span__cursor *in = j->in;

	in->p += span__json_scan(&s, in->p, cursor_left(in));
	if (s.state == JSON_SCAN_DONE)
		return true;
	if (s.state == JSON_SCAN_BROKEN)
		span__cursor_fail(in, in->p, SPAN_E_CORRUPT,
				  "the JSON text is damaged");
	else
		span__cursor_fail(in, in->end, SPAN_E_TRUNCATED,
				  "the JSON text is cut short");
	return false;
}
