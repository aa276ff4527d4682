/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <time.h>

#include "base/banned.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* V in N digits at P, zeros first. Returns the end. */
static char *put_digits(char *p, uint64_t v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static void put_time(struct span_buf *b, const struct tm *t, char separator,
		     uint64_t ns, int digits)
{
	char text[64], *p = text;

	p = put_digits(p, (uint64_t)t->tm_year + 1900, 4);
	*p++ = '-';
	p = put_digits(p, (uint64_t)t->tm_mon + 1, 2);
	*p++ = '-';
	p = put_digits(p, (uint64_t)t->tm_mday, 2);
	*p++ = separator;
	p = put_digits(p, (uint64_t)t->tm_hour, 2);
	*p++ = ':';
	p = put_digits(p, (uint64_t)t->tm_min, 2);
	*p++ = ':';
	p = put_digits(p, (uint64_t)t->tm_sec, 2);
	if (digits > 0) {
		*p++ = '.';
		put_digits(p, ns % SECOND, 9);
		p += digits < 9 ? digits : 9;
	}
	span_buf_put(b, text, (size_t)(p - text));
}

void span_text_time(struct span_buf *b, uint64_t ns, int digits)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm t = {0};

	gmtime_r(&seconds, &t);
	put_time(b, &t, 'T', ns, digits);
	span_buf_putc(b, 'Z');
}

void span_text_local_time(struct span_buf *b, uint64_t ns, int digits)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm t = {0};

	localtime_r(&seconds, &t);
	put_time(b, &t, ' ', ns, digits);
}

/* NS in units of UNIT, rounded half up without overflow. */
static uint64_t rounded(uint64_t ns, uint64_t unit)
{
	return ns / unit + (ns % unit >= unit - unit / 2);
}

/* N with as many digits behind a point, and a unit. */
static void put_decimal(struct span_buf *b, uint64_t n, int decimals,
			const char *unit)
{
	static const unsigned powers[] = {1, 10, 100};
	char text[32], *end = text;
	int digits = decimals + 1;

	for (uint64_t rest = n / powers[decimals]; rest >= 10; rest /= 10)
		digits++;
	if (decimals) {
		end = put_digits(end, n / powers[decimals], digits - decimals);
		*end++ = '.';
		end = put_digits(end, n % powers[decimals], decimals);
	} else {
		end = put_digits(end, n, digits);
	}
	while (*unit)
		*end++ = *unit++;
	span_buf_put(b, text, (size_t)(end - text));
}

/* NS, 1 us to a minute, as three digits of the unit that suits it. */
static void put_three_digits(struct span_buf *b, uint64_t ns)
{
	static const char *const units[] = {"us", "ms", "s"};
	uint64_t last = 10; /* ns of the last of the three digits */

	for (int digits = 0; digits < 9; digits++, last *= 10) {
		uint64_t n;

		if (ns >= last * 1000)
			continue; /* without dividing */
		n = rounded(ns, last);
		if (n < 1000) {
			put_decimal(b, n, 2 - digits % 3, units[digits / 3]);
			return;
		}
	}
}

/* NS as two units, BIG of N small ones of SMALL ns each. */
static void put_two_units(struct span_buf *b, uint64_t ns, uint64_t small,
			  uint64_t n, const char *big, const char *little)
{
	uint64_t count = rounded(ns, small);

	put_decimal(b, count / n, 0, big);
	if (count % n)
		put_decimal(b, count % n, 0, little);
}

void span_text_duration(struct span_buf *b, uint64_t ns)
{
	if (!ns)
		span_buf_putc(b, '0');
	else if (ns < 1000)
		put_decimal(b, ns, 0, "ns");
	else if (rounded(ns, SECOND / 10) < 600)
		put_three_digits(b, ns);
	else if (rounded(ns, SECOND) < 3600)
		put_two_units(b, ns, SECOND, 60, "m", "s");
	else if (rounded(ns, MINUTE) < 24 * 60)
		put_two_units(b, ns, MINUTE, 60, "h", "m");
	else if (rounded(ns, HOUR) < 1000 * 24)
		put_two_units(b, ns, HOUR, 24, "d", "h");
	else
		put_decimal(b, rounded(ns, 24 * HOUR), 0, "d");
}
