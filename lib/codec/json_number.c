/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of JSON as what they should be. Integers are read as such and
 * exactly; only one that is written with a point or an exponent, and that
 * nobody's encoder makes, goes through a double.
 */
#include "codec/json.h"

#include <math.h>

#include "text/parse.h"

#include "base/banned.h"

/* A sign and digits; false for anything else and beyond 64 bits. */
static bool whole(struct span_str s, bool *minus, uint64_t *v)
{
	size_t i;

	*minus = s.len && s.p[0] == '-';
	*v = 0;
	if (s.len == *minus)
		return false;
	for (i = *minus; i < s.len; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (digit > 9 || *v > (UINT64_MAX - digit) / 10)
			return false;
		*v = *v * 10 + digit;
	}
	return true;
}

/* Integers above 2^53 that have a point are not exact, nor wanted. */
static bool through_double(struct span_str s, bool *minus, uint64_t *v)
{
	const double most = 9007199254740992.0;
	double d;

	if (!span__json_is_number(s) || !span__text_to_double(s, &d) ||
	    !(fabs(d) <= most) || d != floor(d))
		return false;
	*minus = d < 0;
	*v = (uint64_t)fabs(d);
	return true;
}

/* The text of a number or of a string; anything else is passed over. */
static bool text_of(struct span__json *j, struct span_str *s)
{
	switch (span__json_peek(j)) {
	case JSON_NUMBER:
		*s = span__json_number(j);
		break;
	case JSON_STRING:
		*s = span__json_string(j);
		break;
	default:
		span__json_skip(j);
		return false;
	}
	return !j->in->failed;
}

static bool integer(struct span_str s, bool *minus, uint64_t *v)
{
	return whole(s, minus, v) || through_double(s, minus, v);
}

bool span__json_int_of(struct span_str s, int64_t *v)
{
	uint64_t n;
	bool minus;

	if (!integer(s, &minus, &n) || n > (uint64_t)INT64_MAX + minus)
		return false;
	*v = (int64_t)(minus ? 0 - n : n);
	return true;
}

bool span__json_int(struct span__json *j, int64_t *v)
{
	struct span_str s;

	return text_of(j, &s) && span__json_int_of(s, v);
}

bool span__json_uint(struct span__json *j, uint64_t *v)
{
	struct span_str s;
	bool minus;

	return text_of(j, &s) && integer(s, &minus, v) && (!minus || !*v);
}

bool span__json_double_of(struct span_str s, double *v)
{
	if (span_str_equal(s, SPAN_STR("NaN"))) {
		*v = (double)NAN;
		return true;
	}
	if (span_str_equal(s, SPAN_STR("Infinity")) ||
	    span_str_equal(s, SPAN_STR("-Infinity"))) {
		*v = s.p[0] == '-' ? -HUGE_VAL : HUGE_VAL;
		return true;
	}
	return span__json_is_number(s) && span__text_to_double(s, v);
}

bool span__json_double(struct span__json *j, double *v)
{
	struct span_str s;

	return text_of(j, &s) && span__json_double_of(s, v);
}
