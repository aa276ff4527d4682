/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/banned.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static void put_time(struct span_buf *b, const struct tm *t, char separator,
		     uint64_t ns, int digits)
{
	char fraction[10];

	span_buf_printf(b, "%04d-%02d-%02d%c%02d:%02d:%02d", t->tm_year + 1900,
			t->tm_mon + 1, t->tm_mday, separator, t->tm_hour,
			t->tm_min, t->tm_sec);
	if (digits <= 0)
		return;
	snprintf(fraction, sizeof(fraction), "%09" PRIu64, ns % SECOND);
	span_buf_putc(b, '.');
	span_buf_put(b, fraction, digits < 9 ? (size_t)digits : 9);
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

/* NS, 1 us to a minute, as three digits of the unit that suits it. */
static void put_three_digits(struct span_buf *b, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{1000, "us"}, {1000000, "ms"}, {SECOND, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		uint64_t n = rounded(ns, units[i].ns / 100);

		if (n < 1000) {
			span_buf_printf(b, "%" PRIu64 ".%02" PRIu64 "%s",
					n / 100, n % 100, units[i].name);
			return;
		}
		n = rounded(ns, units[i].ns / 10);
		if (n < 1000) {
			span_buf_printf(b, "%" PRIu64 ".%" PRIu64 "%s", n / 10,
					n % 10, units[i].name);
			return;
		}
		n = rounded(ns, units[i].ns);
		if (n < 1000) {
			span_buf_printf(b, "%" PRIu64 "%s", n, units[i].name);
			return;
		}
	}
}

/* NS as two units, BIG of N small ones of SMALL ns each. */
static void put_two_units(struct span_buf *b, uint64_t ns, uint64_t small,
			  uint64_t n, const char *big, const char *little)
{
	uint64_t count = rounded(ns, small);

	span_buf_printf(b, "%" PRIu64 "%s", count / n, big);
	if (count % n)
		span_buf_printf(b, "%" PRIu64 "%s", count % n, little);
}

void span_text_duration(struct span_buf *b, uint64_t ns)
{
	if (!ns)
		span_buf_putc(b, '0');
	else if (ns < 1000)
		span_buf_printf(b, "%" PRIu64 "ns", ns);
	else if (rounded(ns, SECOND / 10) < 600)
		put_three_digits(b, ns);
	else if (rounded(ns, SECOND) < 3600)
		put_two_units(b, ns, SECOND, 60, "m", "s");
	else if (rounded(ns, MINUTE) < 24 * 60)
		put_two_units(b, ns, MINUTE, 60, "h", "m");
	else
		put_two_units(b, ns, HOUR, 24, "d", "h");
}
