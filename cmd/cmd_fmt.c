/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type: durations, times, sizes and counts. Nothing wraps around:
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

/* N digits at *P, which moves; or false. */
static bool fixed(const char **p, int n, int *out)
{
	*out = 0;
	for (; n; n--, ++*p) {
		if (!is_digit(**p))
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

/* ".123" at *P, which moves, as ns; nothing is 0. */
static bool parse_fraction(const char **p, uint64_t *ns)
{
	uint64_t scale = SECOND;

	*ns = 0;
	if (**p != '.')
		return true;
	if (!is_digit((*p)[1]))
		return false;
	for (++*p; is_digit(**p); ++*p) {
		scale /= 10;
		*ns += scale * (uint64_t)(**p - '0');
	}
	return true;
}

/* "10:00", "10:00:00" or "10:00:00.123". */
static bool parse_clock(const char **p, struct tm *tm, uint64_t *ns)
{
	if (!fixed(p, 2, &tm->tm_hour) || !skip(p, ':') ||
	    !fixed(p, 2, &tm->tm_min))
		return false;
	if (skip(p, ':') &&
	    (!fixed(p, 2, &tm->tm_sec) || !parse_fraction(p, ns)))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 61;
}

/* "Z", "+01:00" or "-0130"; nothing is local time. */
static bool parse_zone(const char **p, bool *local, int *offset)
{
	int sign = **p == '-' ? -1 : 1, hours, minutes;

	*local = !**p;
	*offset = 0;
	if (!**p || skip(p, 'Z') || skip(p, 'z'))
		return true;
	if (!skip(p, '+') && !skip(p, '-'))
		return false;
	if (!fixed(p, 2, &hours))
		return false;
	skip(p, ':');
	if (!fixed(p, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*offset = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool parse_date(const char *p, uint64_t *ns)
{
	struct tm tm = {.tm_isdst = -1}, check;
	uint64_t fraction = 0, seconds;
	bool local = true;
	int offset = 0, day, month;
	time_t t;

	if (!fixed(&p, 4, &tm.tm_year) || !skip(&p, '-') ||
	    !fixed(&p, 2, &month) || !skip(&p, '-') || !fixed(&p, 2, &day))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	if ((skip(&p, 'T') || skip(&p, 't') || skip(&p, ' ')) &&
	    (!parse_clock(&p, &tm, &fraction) ||
	     !parse_zone(&p, &local, &offset)))
		return false;
	check = tm;
	timegm(&check); /* moves what is no date, such as 30 February */
	if (*p || check.tm_mon != month - 1 ||
	    (check.tm_mday != day && tm.tm_sec < 60))
		return false;
	t = (local ? mktime(&tm) : timegm(&tm)) - offset;
	if (t < 0)
		return false;
	seconds = (uint64_t)t;
	return !__builtin_mul_overflow(seconds, SECOND, &seconds) &&
	       !__builtin_add_overflow(seconds, fraction, ns);
}

/* "@1795341600.5" without its @. */
static bool parse_epoch(const char *p, uint64_t *ns)
{
	uint64_t seconds = 0, fraction;

	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(seconds, 10u, &seconds) ||
		    __builtin_add_overflow(seconds, (uint64_t)(*p - '0'),
					   &seconds))
			return false;
	return parse_fraction(&p, &fraction) && !*p &&
	       !__builtin_mul_overflow(seconds, SECOND, &seconds) &&
	       !__builtin_add_overflow(seconds, fraction, ns);
}

int cmd_parse_time(const char *text, uint64_t now_ns, uint64_t *ns,
		   struct span_error *err)
{
	uint64_t ago;

	if (!strcmp(text, "now")) {
		*ns = now_ns;
		return 0;
	}
	if (!cmd_parse_duration(text + (*text == '-'), &ago, NULL)) {
		*ns = ago < now_ns ? now_ns - ago : 0;
		return 0;
	}
	if (*text == '@' ? parse_epoch(text + 1, ns) : parse_date(text, ns))
		return 0;
	return span_error_set(err, SPAN_E_INVALID,
			      "'%s' is no time (like 15m, 2026-11-22, "
			      "2026-11-22T10:00:00Z, @1795341600, now)",
			      text);
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
