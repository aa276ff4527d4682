/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as people type them. What has no zone is local time: where a change of
 * the clocks makes a time come twice the first one counts, and where it leaves
 * one out, the one as much later.
 */
#include "text/quantity_text.h"

#include <string.h>
#include <time.h>

#include "base/banned.h"

#define SECOND 1000000000ull

/* A time of day as it was typed. */
struct clock {
	int hour, minute, second; /* second: 60 too */
	uint64_t ns;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
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

static bool skip_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
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
static bool parse_clock(const char **p, struct clock *c)
{
	if (!fixed(p, 2, &c->hour) || !skip(p, ':') || !fixed(p, 2, &c->minute))
		return false;
	if (skip(p, ':') &&
	    (!fixed(p, 2, &c->second) || !parse_fraction(p, &c->ns)))
		return false;
	return c->hour < 24 && c->minute < 60 && c->second < 61;
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

/* The local time DAY, whose hour and minute are set. */
static time_t local_time(const struct tm *day)
{
	struct tm tm;
	time_t t;

	/* Summer time is the first of two. */
	for (int summer = 1; summer >= 0; summer--) {
		tm = *day;
		tm.tm_isdst = summer;
		t = mktime(&tm);
		if (tm.tm_isdst == summer && tm.tm_hour == day->tm_hour &&
		    tm.tm_min == day->tm_min)
			return t;
	}
	return t;
}

/* Seconds T and what CLOCK has besides hour and minute, as ns. */
static bool finish(time_t t, const struct clock *clock, uint64_t *ns)
{
	uint64_t seconds;

	t += clock->second;
	if (t < 0)
		return false;
	seconds = (uint64_t)t;
	return !__builtin_mul_overflow(seconds, SECOND, &seconds) &&
	       !__builtin_add_overflow(seconds, clock->ns, ns);
}

static bool parse_date(const char *p, uint64_t *ns)
{
	struct clock clock = {0};
	struct tm tm = {0}, check;
	bool local = true;
	int offset = 0, day, month;

	if (!fixed(&p, 4, &tm.tm_year) || !skip(&p, '-') ||
	    !fixed(&p, 2, &month) || !skip(&p, '-') || !fixed(&p, 2, &day))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	check = tm;
	timegm(&check); /* moves what is no date, such as 30 February */
	if (check.tm_mon != month - 1 || check.tm_mday != day)
		return false;
	if ((skip(&p, 'T') || skip(&p, 't') || skip(&p, ' ')) &&
	    (!parse_clock(&p, &clock) || !parse_zone(&p, &local, &offset)))
		return false;
	tm.tm_hour = clock.hour;
	tm.tm_min = clock.minute;
	return !*p && finish((local ? local_time(&tm) : timegm(&tm)) - offset,
			     &clock, ns);
}

/* "today", "yesterday 14:00", "14:30:05" */
static bool parse_day(const char *p, uint64_t now_ns, uint64_t *ns)
{
	time_t now = (time_t)(now_ns / SECOND);
	struct clock clock = {0};
	struct tm tm;
	bool named = true;

	if (!localtime_r(&now, &tm))
		return false;
	if (skip_word(&p, "yesterday"))
		tm.tm_mday--;
	else
		named = skip_word(&p, "today");
	if ((!named || skip(&p, ' ')) && !parse_clock(&p, &clock))
		return false;
	tm.tm_hour = clock.hour;
	tm.tm_min = clock.minute;
	tm.tm_sec = 0;
	return !*p && finish(local_time(&tm), &clock, ns);
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

/* "15m", "-15m", "15m ago", "now", "now-15m" */
static bool parse_ago(const char *p, uint64_t now_ns, uint64_t *ns)
{
	bool now = skip_word(&p, "now");
	size_t len = strlen(p);
	uint64_t ago;

	*ns = now_ns;
	if (now && !*p)
		return true;
	if (skip(&p, '-'))
		len--;
	else if (now)
		return false;
	else if (len > 4 && !strcmp(p + len - 4, " ago"))
		len -= 4;
	if (span_duration_parse((struct span_str){p, len}, &ago, NULL) < 0)
		return false;
	*ns = ago < now_ns ? now_ns - ago : 0;
	return true;
}

int span_time_parse(struct span_str text, uint64_t now_ns, uint64_t *ns,
		    struct span_error *err)
{
	char copy[SPAN_QUANTITY_MAX + 1];
	uint64_t t;

	if (span__quantity_text(text, copy) &&
	    (*copy == '@' ? parse_epoch(copy + 1, &t)
			  : parse_ago(copy, now_ns, &t) ||
				    parse_day(copy, now_ns, &t) ||
				    parse_date(copy, &t))) {
		*ns = t;
		return 0;
	}
	return span__quantity_refuse(text,
				     "time (like 15m, 14:30, yesterday, "
				     "yesterday 14:00, 2026-11-22, "
				     "2026-11-22T10:00:00Z, @1795341600, now)",
				     err);
}

int span_epoch_parse(struct span_str text, uint64_t *ns, struct span_error *err)
{
	char copy[SPAN_QUANTITY_MAX + 1];
	uint64_t t;

	if (!span__quantity_text(text, copy) || !parse_epoch(copy, &t))
		return span__quantity_refuse(text, "time in seconds since 1970",
					     err);
	*ns = t;
	return 0;
}
