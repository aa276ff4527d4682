/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many spans one stands for, from the threshold that OpenTelemetry's
 * consistent probability samplers leave in the trace state: in the entry
 * "ot", ;-separated, "th:" and up to 14 hex digits T, zeros on the right left
 * out. A span was kept with probability (2^56 - T) / 2^56.
 */
#include "store/seg_build_state.h"

#include <string.h>

#include "base/banned.h"

#define DIGITS 14u
#define ALL (1ull << 4 * DIGITS)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first part of S up to a SEPARATOR; *S is what follows it. */
static struct span_str take(struct span_str *s, char separator)
{
	const char *end = memchr(s->p, separator, s->len);
	struct span_str part = *s;

	if (end)
		part.len = (size_t)(end - s->p);
	*s = (struct span_str){s->p + part.len + !!end,
			       s->len - part.len - !!end};
	return part;
}

static struct span_str trim(struct span_str s)
{
	while (s.len && (*s.p == ' ' || *s.p == '\t'))
		s = (struct span_str){s.p + 1, s.len - 1};
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* The text behind PREFIX, if S begins with it. */
static bool behind(struct span_str s, const char *prefix, struct span_str *out)
{
	size_t len = strlen(prefix);

	if (s.len < len || memcmp(s.p, prefix, len) != 0)
		return false;
	*out = (struct span_str){s.p + len, s.len - len};
	return true;
}

static double weight_of(struct span_str digits)
{
	uint64_t t = 0;

	if (!digits.len || digits.len > DIGITS)
		return 1;
	for (size_t i = 0; i < DIGITS; i++) {
		int digit = i < digits.len ? hex_digit(digits.p[i]) : 0;

		if (digit < 0)
			return 1;
		t = t << 4 | (uint64_t)digit;
	}
	return (double)ALL / (double)(ALL - t);
}

double span__state_weight(struct span_str state)
{
	struct span_str ot, digits;

	while (state.len) {
		if (!behind(trim(take(&state, ',')), "ot=", &ot))
			continue;
		while (ot.len)
			if (behind(take(&ot, ';'), "th:", &digits))
				return weight_of(digits);
	}
	return 1;
}
