/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The W3C trace state is a list "key=value,..."; OpenTelemetry's value is a
 * list "key:value;..." of its own, in which "th" is the threshold of sampling:
 * up to 14 hex digits of a fraction. A trace is kept when its 56 random bits
 * are not below it.
 *
 * Source: OpenTelemetry, "TraceState: Probability Sampling".
 */
#include "model/model.h"

#include "base/banned.h"

#define DIGITS 14u /* hex digits of 56 bits */

/* Cut the part before the first C, or all, from S. */
static struct span_str cut(struct span_str *s, char c)
{
	struct span_str part = {s->p, 0};

	while (part.len < s->len && s->p[part.len] != c)
		part.len++;
	s->p += part.len + (part.len < s->len);
	s->len -= part.len + (part.len < s->len);
	return part;
}

static struct span_str trim(struct span_str s)
{
	while (s.len && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.len--;
	}
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/*
 * The value of the next part of LIST that begins with KEY and EQUALS; LIST goes
 * on behind it. Empty when there is none.
 */
static struct span_str member(struct span_str *list, char end, const char *key,
			      char equals)
{
	while (list->len) {
		struct span_str part = trim(cut(list, end));
		struct span_str name = cut(&part, equals);

		if (span_str_equal(name, span_str(key)))
			return part;
	}
	return (struct span_str){0};
}

static bool hex_digit(char c, uint64_t *v)
{
	if (c >= '0' && c <= '9')
		*v = *v << 4 | (uint64_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*v = *v << 4 | (uint64_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

double span__weight(struct span_str trace_state)
{
	const uint64_t all = UINT64_C(1) << 4 * DIGITS;
	struct span_str ot, th = {0};
	uint64_t threshold = 0;

	if (trace_state.len < 6)
		return 1;
	while (trace_state.len && !th.len) {
		ot = member(&trace_state, ',', "ot", '=');
		th = member(&ot, ';', "th", ':');
	}
	if (!th.len || th.len > DIGITS)
		return 1;
	for (size_t i = 0; i < th.len; i++)
		if (!hex_digit(th.p[i], &threshold))
			return 1;
	threshold <<= 4 * (DIGITS - th.len);
	return (double)all / (double)(all - threshold);
}
