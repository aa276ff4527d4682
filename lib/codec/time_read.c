/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/lines.h"

#include "base/banned.h"

struct text {
	const char *p, *end;
};

/* N digits; false when they are not there. */
static bool digits(struct text *t, unsigned n, unsigned *v)
{
	*v = 0;
	for (; n; n--) {
		if (t->p == t->end || *t->p < '0' || *t->p > '9')
			return false;
		*v = *v * 10 + (unsigned)(*t->p++ - '0');
	}
	return true;
}

static bool one_of(struct text *t, const char *set)
{
	if (t->p == t->end || !*t->p || !strchr(set, *t->p))
		return false;
	t->p++;
	return true;
}

/* Days since 1970 of a day of the Gregorian calendar. */
static int64_t days(unsigned year, unsigned month, unsigned day)
{
	/* The year begins with March: its last day is the leap day. */
	int64_t y = (int64_t)year - (month <= 2), m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day -
	       719469;
}

static bool read_date(struct text *t, int64_t *seconds)
{
	static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30,
					  31, 31, 30, 31, 30, 31};
	unsigned year, month, day;

	if (!digits(t, 4, &year) || !one_of(t, "-") || !digits(t, 2, &month) ||
	    !one_of(t, "-") || !digits(t, 2, &day) || month < 1 || month > 12 ||
	    day < 1 || day > lengths[month - 1])
		return false;
	*seconds = days(year, month, day) * 86400;
	return true;
}

static bool read_clock(struct text *t, int64_t *seconds, uint64_t *ns)
{
	unsigned hour, minute, second, unit = 100000000;

	if (!digits(t, 2, &hour) || !one_of(t, ":") || !digits(t, 2, &minute) ||
	    !one_of(t, ":") || !digits(t, 2, &second) || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	*seconds += hour * 3600 + minute * 60 + second;
	*ns = 0;
	if (!one_of(t, ".,"))
		return true;
	for (unsigned v; digits(t, 1, &v); unit /= 10)
		*ns += (uint64_t)v * unit;
	return t->p[-1] >= '0' && t->p[-1] <= '9';
}

static bool read_zone(struct text *t, int64_t *seconds)
{
	unsigned hour, minute;
	int sign;

	if (t->p == t->end || one_of(t, "Zz"))
		return t->p == t->end;
	sign = *t->p == '-' ? -1 : 1;
	if (!one_of(t, "+-") || !digits(t, 2, &hour))
		return false;
	(void)one_of(t, ":");
	if (!digits(t, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*seconds -= sign * (int64_t)(hour * 3600 + minute * 60);
	return t->p == t->end;
}

bool span__time_read(struct span_str s, uint64_t *ns)
{
	struct text t = {s.p, s.p + s.len};
	uint64_t fraction;
	int64_t seconds;

	if (!read_date(&t, &seconds) || !one_of(&t, "Tt ") ||
	    !read_clock(&t, &seconds, &fraction) || !read_zone(&t, &seconds) ||
	    seconds < 0)
		return false;
	return !__builtin_mul_overflow((uint64_t)seconds, 1000000000, ns) &&
	       !__builtin_add_overflow(*ns, fraction, ns);
}
