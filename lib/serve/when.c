/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/when.h"

#include "serve/params.h"

#include "base/banned.h"

#define SECOND UINT64_C(1000000000)

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000},
	{"\xce\xbcs", 1000},
	{"ms", 1000000},
	{"s", SECOND},
	{"m", 60 * SECOND},
	{"h", 3600 * SECOND},
	{"d", 86400 * SECOND},
	{"w", 7 * 86400 * SECOND},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How often the unit is to be taken: digits, at *I, which moves behind them. */
static bool read_count(struct span_str s, size_t *i, uint64_t *n)
{
	size_t from = *i;

	for (*n = 0; *i < s.len && is_digit(s.p[*i]); ++*i)
		if (__builtin_mul_overflow(*n, UINT64_C(10), n) ||
		    __builtin_add_overflow(*n, (uint64_t)(s.p[*i] - '0'), n))
			return false;
	return *i > from;
}

/* Digits behind a point, of UNIT; more than nine say nothing. */
static uint64_t read_fraction(struct span_str s, size_t *i, uint64_t unit)
{
	uint64_t scale = SECOND, n = 0;

	if (*i == s.len || s.p[*i] != '.')
		return 0;
	for (++*i; *i < s.len && is_digit(s.p[*i]); ++*i) {
		if (scale == 1)
			continue;
		scale /= 10;
		n += (uint64_t)(s.p[*i] - '0') * scale;
	}
	return (uint64_t)((double)n / SECOND * (double)unit + 0.5);
}

static uint64_t find_unit(struct span_str s, size_t from, size_t *end)
{
	for (*end = from; *end < s.len && !is_digit(s.p[*end]);)
		++*end;
	for (size_t k = 0; k < sizeof(units) / sizeof(*units); k++)
		if (span_str_equal((struct span_str){s.p + from, *end - from},
				   span_str(units[k].name)))
			return units[k].ns;
	return 0;
}

/* A number with its unit, added to *SUM. */
static bool read_part(struct span_str s, size_t *i, uint64_t *sum)
{
	uint64_t n, unit, fraction;
	size_t end, at;

	if (!read_count(s, i, &n))
		return false;
	at = *i;
	(void)read_fraction(s, &at, 0);
	unit = find_unit(s, at, &end);
	fraction = read_fraction(s, i, unit);
	*i = end;
	return unit && !__builtin_mul_overflow(n, unit, &n) &&
	       !__builtin_add_overflow(*sum, n, sum) &&
	       !__builtin_add_overflow(*sum, fraction, sum);
}

int span__when_duration(struct span_str text, uint64_t *ns,
			struct span_error *err)
{
	bool good = text.len;
	uint64_t sum = 0;
	size_t i = 0;

	while (good && i < text.len)
		good = read_part(text, &i, &sum);
	if (!good && !span_str_equal(text, SPAN_STR("0")))
		return span_error_set(err, SPAN_E_INVALID,
				      "'%.*s' is no duration (like 500us, 2s, "
				      "1h30m, 7d)",
				      text.len < 60 ? (int)text.len : 60,
				      text.len ? text.p : "");
	*ns = sum;
	return 0;
}

bool span__when_seconds(struct span_str text, uint64_t *ns)
{
	uint64_t n, fraction;
	size_t i = 0;

	if (!read_count(text, &i, &n))
		return false;
	fraction = read_fraction(text, &i, SECOND);
	return i == text.len && !__builtin_mul_overflow(n, SECOND, &n) &&
	       !__builtin_add_overflow(n, fraction, ns);
}

/* So long before NOW_NS. */
static bool read_age(struct span_str text, uint64_t now_ns, uint64_t *ns)
{
	uint64_t age = 0;

	if (text.len && text.p[0] == '-') {
		text.p++;
		text.len--;
	}
	if (span__when_duration(text, &age, NULL) < 0)
		return false;
	*ns = now_ns > age ? now_ns - age : 0;
	return true;
}

int span__when(struct span_str text, uint64_t now_ns, uint64_t *ns,
	       struct span_error *err)
{
	if (span_str_equal(text, SPAN_STR("now"))) {
		*ns = now_ns;
		return 0;
	}
	if (text.len && text.p[0] == '@' &&
	    span__when_seconds((struct span_str){text.p + 1, text.len - 1}, ns))
		return 0;
	if (read_age(text, now_ns, ns) || span__serve_time(text, ns, NULL) == 0)
		return 0;
	return span_error_set(err, SPAN_E_INVALID,
			      "'%.*s' is no time (like 15m, "
			      "2026-11-22T10:00:00Z, @1795341600)",
			      text.len < 60 ? (int)text.len : 60,
			      text.len ? text.p : "");
}
