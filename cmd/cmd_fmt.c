/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type: durations, sizes and counts. Nothing wraps around:
 * a number that does not fit is an error.
 */
#include "cmd.h"

#include <string.h>
#include <time.h>

#include "base/banned.h"

#define SECOND 1000000000ull

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit duration_units[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000}, /* micro sign */
	{"\xce\xbcs", 1000}, /* Greek mu */
	{"ms", 1000000},
	{"s", SECOND},
	{"m", 60 * SECOND},
	{"h", 3600 * SECOND},
	{"d", 86400 * SECOND},
	{"w", 7 * 86400 * SECOND},
	{NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"k", 1ull << 10},
	{"K", 1ull << 10},
	{"KiB", 1ull << 10},
	{"M", 1ull << 20},
	{"MiB", 1ull << 20},
	{"G", 1ull << 30},
	{"GiB", 1ull << 30},
	{"T", 1ull << 40},
	{"TiB", 1ull << 40},
	{NULL, 0},
};

static const struct unit count_units[] = {
	{"", 1},	{"k", 1000},	   {"K", 1000},
	{"M", 1000000}, {"G", 1000000000}, {NULL, 0},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * "12.5UNIT" at *TEXT, which moves behind it. The unit goes as far as it is
 * neither digit nor the end. Returns false when it is no such thing or does
 * not fit.
 */
static bool quantity(const char **text, const struct unit *units, uint64_t *out)
{
	const char *digits = *text, *p = digits, *unit, *fraction = NULL;
	uint64_t n = 0, part = 0;
	size_t len;

	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	if (p == digits)
		return false;
	if (*p == '.' && is_digit(p[1])) {
		fraction = ++p;
		p += strspn(p, "0123456789");
	}
	unit = p;
	len = strcspn(unit, "0123456789");
	while (units->name &&
	       (strlen(units->name) != len || strncmp(units->name, unit, len)))
		units++;
	if (!units->name || __builtin_mul_overflow(n, units->factor, &n))
		return false;
	if (fraction && units->factor == 1)
		return false;
	/* From the last digit to the first, so that 1.5G is exact. */
	for (p = unit; fraction && p-- > fraction;)
		part = (part + units->factor * (uint64_t)(*p - '0')) / 10;
	if (__builtin_add_overflow(n, part, &n))
		return false;
	*text = unit + len;
	*out = n;
	return true;
}

int cmd_parse_duration(const char *text, uint64_t *ns, struct span_error *err)
{
	const char *p = text;
	uint64_t sum = 0, part;

	if (!strcmp(text, "0")) {
		*ns = 0;
		return 0;
	}
	do {
		if (!quantity(&p, duration_units, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return span_error_set(
				err, SPAN_E_INVALID,
				"'%s' is no duration (like 500us, 2s, 1h30m, "
				"7d)",
				text);
	} while (*p);
	*ns = sum;
	return 0;
}

static int parse_units(const char *text, const struct unit *units,
		       const char *what, uint64_t *out, struct span_error *err)
{
	const char *p = text;
	uint64_t n;

	if (!quantity(&p, units, &n) || *p)
		return span_error_set(err, SPAN_E_INVALID, "'%s' is no %s",
				      text, what);
	*out = n;
	return 0;
}

int cmd_parse_size(const char *text, uint64_t *bytes, struct span_error *err)
{
	return parse_units(text, size_units, "size (like 4096, 64K, 16M, 5G)",
			   bytes, err);
}

int cmd_parse_int(const char *text, uint64_t *n, struct span_error *err)
{
	return parse_units(text, count_units, "count (like 100, 10k, 2M)", n,
			   err);
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

uint64_t cmd_now_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t cmd_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}
