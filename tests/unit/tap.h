/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h - results of a unit test as TAP, for automake's driver
 *
 * A test calls ok() or is() for each thing it proves, and returns
 * done_testing() from main.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TAP_UNUSED __attribute__((unused))

static int tap_run, tap_failed;

/* One result, named by FMT. Returns PASS. */
TAP_UNUSED static bool __attribute__((format(printf, 2, 3)))
ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	tap_run++;
	tap_failed += !pass;
	printf("%s %d - ", pass ? "ok" : "not ok", tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return pass;
}

/* A line that the reader of a failure wants. */
TAP_UNUSED static void __attribute__((format(printf, 1, 2)))
diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Bytes for a diag(): what is not printable ASCII as \xNN. */
TAP_UNUSED static void tap_show(const char *what, const char *p, size_t len)
{
	printf("# %s \"", what);
	for (size_t i = 0; i < len; i++)
		printf(p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x",
		       (unsigned char)p[i]);
	printf("\"\n");
}

/* The LEN bytes at GOT are those of WANT, a terminated string. */
TAP_UNUSED static bool is(const char *got, size_t len, const char *want,
			  const char *name)
{
	size_t n = strlen(want);
	bool pass = ok(len == n && (!n || !memcmp(got, want, n)), "%s", name);

	if (!pass) {
		tap_show("got ", got, len);
		tap_show("want", want, n);
	}
	return pass;
}

/* Print the plan; the exit status. */
TAP_UNUSED static int done_testing(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed != 0;
}

#endif
