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
struct span_str span__cut(struct span_str *s, char c)
{
	struct span_str part = {s->p, 0};

	while (part.len < s->len && s->p[part.len] != c)
		part.len++;
	s->p += part.len + (part.len < s->len);
	s->len -= part.len + (part.len < s->len);
	return part;
}

struct span_str span__trim(struct span_str s)
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
		struct span_str part = span__trim(span__cut(list, end));
		struct span_str name = span__cut(&part, equals);

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

struct span_str span__ot_value(struct span_str trace_state, const char *key)
{
	struct span_str ot, value = {0};

	while (trace_state.len && !value.len) {
		ot = member(&trace_state, ',', "ot", '=');
		value = member(&ot, ';', key, ':');
	}
	return value;
}

uint64_t span__threshold(struct span_str trace_state)
{
	struct span_str th;
	uint64_t threshold = 0;

	if (trace_state.len < 6)
		return 0;
	th = span__ot_value(trace_state, "th");
	if (!th.len || th.len > DIGITS)
		return 0;
	for (size_t i = 0; i < th.len; i++)
		if (!hex_digit(th.p[i], &threshold))
			return 0;
	return threshold << 4 * (DIGITS - th.len);
}

bool span__randomness(struct span_str trace_state, uint64_t *r)
{
	struct span_str rv = {0};
	uint64_t v = 0;

	if (trace_state.len >= 6)
		rv = span__ot_value(trace_state, "rv");
	if (rv.len != DIGITS)
		return false;
	for (size_t i = 0; i < rv.len; i++)
		if (!hex_digit(rv.p[i], &v))
			return false;
	*r = v;
	return true;
}

double span__weight(struct span_str trace_state)
{
	uint64_t threshold = span__threshold(trace_state);

	return (double)SPAN__OT_ALL / (double)(SPAN__OT_ALL - threshold);
}
