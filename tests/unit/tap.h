/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h - the Test Anything Protocol, for unit tests of one file each
 *
 * A test calls ok(), is(), is_int(), is_str(), is_mem() and ends with
 * "return done_testing();". Each prints one line; what failed is explained
 * in lines that begin with "#".
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failed;

static void tap_line(bool good, const char *fmt, va_list ap)
{
	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	vprintf(fmt, ap);
	putchar('\n');
	tap_failed += !good;
	fflush(stdout);
}

#define TAP_FORMAT(n, m) __attribute__((unused, format(printf, n, m)))

TAP_FORMAT(2, 3) static bool ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line(good, fmt, ap);
	va_end(ap);
	return good;
}

TAP_FORMAT(3, 4)
static bool is_int(int64_t got, int64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("# got %" PRId64 ", want %" PRId64 "\n", got, want);
	return got == want;
}

TAP_FORMAT(3, 4)
static bool is_uint(uint64_t got, uint64_t want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_line(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("# got %" PRIu64 ", want %" PRIu64 "\n", got, want);
	return got == want;
}

/* Bytes for a comment line: printable, and not longer than a screen. */
__attribute__((unused)) static void tap_show(const char *what, const void *p,
					     size_t len)
{
	const unsigned char *c = p;

	printf("# %s %zu bytes: ", what, len);
	for (size_t i = 0; i < len && i < 400; i++)
		if (c[i] >= 0x20 && c[i] < 0x7f && c[i] != '\\')
			putchar(c[i]);
		else
			printf("\\x%02x", c[i]);
	printf("%s\n", len > 400 ? "..." : "");
}

TAP_FORMAT(5, 6)
static bool is_mem(const void *got, size_t got_len, const void *want,
		   size_t want_len, const char *fmt, ...)
{
	bool good = got_len == want_len &&
		    (!got_len || !memcmp(got, want, got_len));
	va_list ap;

	va_start(ap, fmt);
	tap_line(good, fmt, ap);
	va_end(ap);
	if (!good) {
		tap_show("got ", got, got_len);
		tap_show("want", want, want_len);
	}
	return good;
}

TAP_FORMAT(3, 4)
static bool is_str(const char *got, const char *want, const char *fmt, ...)
{
	bool good = got && want ? !strcmp(got, want) : got == want;
	va_list ap;

	va_start(ap, fmt);
	tap_line(good, fmt, ap);
	va_end(ap);
	if (!good)
		printf("# got  \"%s\"\n# want \"%s\"\n", got ? got : "(null)",
		       want ? want : "(null)");
	return good;
}

/* The LEN bytes at GOT are those of WANT, a terminated string. */
__attribute__((unused)) static bool is(const char *got, size_t len,
				       const char *want, const char *name)
{
	return is_mem(got, len, want, strlen(want), "%s", name);
}

/* A remark, for instance the seed of a random test. */
TAP_FORMAT(1, 2) static void diag(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# ");
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

/* N tests cannot run here, for a reason that CI may not have. */
TAP_FORMAT(2, 3) static void skip_tests(int n, const char *fmt, ...)
{
	while (n--) {
		va_list ap;

		va_start(ap, fmt);
		printf("ok %d # SKIP ", ++tap_count);
		vprintf(fmt, ap);
		putchar('\n');
		va_end(ap);
	}
}

/* Print the plan: the value for main() to return. */
__attribute__((unused)) static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_failed ? 1 : 0;
}

#endif
