/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_scan.h"

#include "text/json_plain.h"

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

/* The last byte before P that is no space, as far back as BEGIN. */
static unsigned char last_before(const struct span__json_scan *s,
				 const unsigned char *begin,
				 const unsigned char *p)
{
	while (p > begin && is_space(p[-1]))
		p--;
	return p > begin ? p[-1] : s->last;
}

/* Can a value begin at P, where a bracket opens? */
static bool may_open(struct span__json_scan *s, const unsigned char *begin,
		     const unsigned char *p)
{
	unsigned char before = p > begin ? p[-1] : s->before, last = before;
	size_t depth = s->depth - 1;

	if (is_space(last))
		last = last_before(s, begin, p);
	if (last == ':' || last == '[')
		return true;
	if (last == ',' && (depth >= SPAN__JSON_DEPTH ||
			    s->kinds[depth / 64] >> depth % 64 & 1))
		return true;
	s->cut = before == '\n';
	s->state = JSON_SCAN_BROKEN;
	return false;
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
				   const unsigned char *begin,
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
			if (!may_open(s, begin, p))
				return p;
			open_bracket(s, *p == '[');
			break;
		case 0x1e:
			s->state = JSON_SCAN_BROKEN;
			return p;
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
	p = span__json_plain(p, end);
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

static const unsigned char *scan(struct span__json_scan *s,
				 const unsigned char *begin,
				 const unsigned char *end)
{
	const unsigned char *p = begin;

	while (p < end) {
		switch (s->state) {
		case JSON_SCAN_START:
			p = start(s, p, end);
			break;
		case JSON_SCAN_INSIDE:
			p = inside(s, begin, p, end);
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
			return p;
		}
	}
	return p;
}

size_t span__json_scan(struct span__json_scan *s, const unsigned char *begin,
		       size_t len)
{
	const unsigned char *p = scan(s, begin, begin + len);

	if (p > begin) {
		s->last = last_before(s, begin, p);
		s->before = p[-1];
	}
	return (size_t)(p - begin);
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
