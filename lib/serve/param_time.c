/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A time of RFC 3339 as Go's time.Parse() reads it with the layout
 * RFC3339Nano, and what it says when it cannot.
 */
#include <string.h>

#include <span/text.h>

#include "serve/params.h"

#include "base/banned.h"

#define LAYOUT "2006-01-02T15:04:05.999999999Z07:00"
#define SECOND_NS 1000000000
#define SHOWN_MAX 60u /* bytes of a text in an error */

/* A sticky reader: WHAT is the element of the layout that did not fit. */
struct reader {
	struct span_str rest;
	const char *what, *out_of_range;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip(struct reader *r, size_t n)
{
	r->rest.p += n;
	r->rest.len -= n;
}

/* N digits, which WHAT stands for. */
static int64_t read_digits(struct reader *r, size_t n, const char *what)
{
	int64_t value = 0;

	if (r->what)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (i == r->rest.len || !is_digit(r->rest.p[i])) {
			r->what = what;
			return 0;
		}
		value = value * 10 + (r->rest.p[i] - '0');
	}
	skip(r, n);
	return value;
}

static void read_char(struct reader *r, const char *c)
{
	if (r->what)
		return;
	if (!r->rest.len || *r->rest.p != *c)
		r->what = c;
	else
		skip(r, 1);
}

static int64_t in_range(struct reader *r, int64_t n, int64_t min, int64_t max,
			const char *name)
{
	if (!r->what && !r->out_of_range && (n < min || n > max))
		r->out_of_range = name;
	return n;
}

/* ".5": what comes after nine digits is cut. */
static int64_t read_fraction(struct reader *r)
{
	int64_t ns = 0, scale = SECOND_NS / 10;
	size_t i = 1;

	if (r->what || r->rest.len < 2 ||
	    (*r->rest.p != '.' && *r->rest.p != ',') || !is_digit(r->rest.p[1]))
		return 0;
	for (; i < r->rest.len && is_digit(r->rest.p[i]); i++, scale /= 10)
		ns += (r->rest.p[i] - '0') * scale;
	skip(r, i);
	return ns;
}

/* Seconds east of Greenwich. */
static int64_t read_zone(struct reader *r)
{
	static const char what[] = "Z07:00";
	int64_t hours, minutes;
	bool west;

	if (r->what)
		return 0;
	if (r->rest.len && *r->rest.p == 'Z') {
		skip(r, 1);
		return 0;
	}
	if (r->rest.len < 6 || !memchr("+- ", *r->rest.p, 3)) {
		r->what = what;
		return 0;
	}
	west = *r->rest.p == '-';
	skip(r, 1);
	hours = read_digits(r, 2, what);
	read_char(r, ":");
	minutes = read_digits(r, 2, what);
	in_range(r, hours, 0, 24, "time zone offset hour");
	in_range(r, minutes, 0, 60, "time zone offset minute");
	return (west ? -60 : 60) * (hours * 60 + minutes);
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_of_month(int64_t year, int64_t month)
{
	if (month == 2)
		return is_leap(year) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Days since the epoch of a day in the calendar of Gregory. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t days = (year - 1970) * 365 + day - 1;
	int64_t before = year - 1; /* years whose leap days have passed */

	days += before / 4 - before / 100 + before / 400 - 477;
	for (int64_t m = 1; m < month && m <= 12; m++)
		days += days_of_month(year, m);
	return days;
}

/* Seconds since the epoch, to which ns and the zone are still to be added. */
static int64_t read_seconds(struct reader *r)
{
	int64_t year = read_digits(r, 4, "2006"), month, day, hour, minute;
	int64_t second;

	read_char(r, "-");
	month = in_range(r, read_digits(r, 2, "01"), 1, 12, "month");
	read_char(r, "-");
	day = read_digits(r, 2, "02");
	read_char(r, "T");
	hour = in_range(r, read_digits(r, 2, "15"), 0, 23, "hour");
	read_char(r, ":");
	minute = in_range(r, read_digits(r, 2, "04"), 0, 59, "minute");
	read_char(r, ":");
	second = in_range(r, read_digits(r, 2, "05"), 0, 59, "second");
	in_range(r, day, 1, days_of_month(year, month), "day");
	return ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 +
	       second;
}

static struct span_str shown(struct span_str s)
{
	return (struct span_str){s.p, span_text_cut(s, SHOWN_MAX)};
}

static int time_error(const struct reader *r, struct span_str text,
		      struct span_error *err)
{
	struct span_buf b = {0};
	int rc;

	span_buf_puts(&b, "parsing time ");
	span_text_quoted(&b, shown(text));
	if (r->what) {
		span_buf_puts(&b, " as \"" LAYOUT "\": cannot parse ");
		span_text_quoted(&b, shown(r->rest));
		span_buf_printf(&b, " as \"%s\"", r->what);
	} else if (r->out_of_range) {
		span_buf_printf(&b, ": %s out of range", r->out_of_range);
	} else {
		span_buf_puts(&b, ": extra text: ");
		span_text_quoted(&b, shown(r->rest));
	}
	rc = b.failed ? SPAN_E_NOMEM : SPAN_E_INVALID;
	span_error_set(err, rc, "%.*s", (int)b.len, b.p ? b.p : "");
	span_buf_release(&b);
	return rc;
}

int span__serve_time(struct span_str text, uint64_t *ns, struct span_error *err)
{
	struct reader r = {.rest = text};
	int64_t seconds = read_seconds(&r), fraction = read_fraction(&r);
	uint64_t sum;

	seconds -= read_zone(&r);
	if (r.what || r.out_of_range || r.rest.len)
		return time_error(&r, text, err);
	if (seconds < 0)
		sum = 0;
	else if (__builtin_mul_overflow((uint64_t)seconds, SECOND_NS, &sum) ||
		 __builtin_add_overflow(sum, (uint64_t)fraction, &sum))
		sum = UINT64_MAX;
	*ns = sum;
	return 0;
}
