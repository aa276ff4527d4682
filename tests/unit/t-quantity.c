/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cmd.h"

#include <stdlib.h>
#include <time.h>

#include "tap.h"

#define NONE UINT64_MAX /* the text is refused */
#define S 1000000000ull
#define NOW (1795341600 * S) /* 2026-11-22T10:00:00Z */

struct row {
	const char *text;
	uint64_t want;
};

static const struct row durations[] = {
	{"0", 0},
	{"1ns", 1},
	{"500us", 500000},
	{"500\xc2\xb5s", 500000},
	{"2ms", 2000000},
	{"2s", 2 * S},
	{"1.5s", 1500000000},
	{"0.000000001s", 1},
	{"1.25h", 4500 * S},
	{"1h30m", 5400 * S},
	{"1m30s500ms", 90500000000},
	{"7d", 7 * 86400 * S},
	{"2w", 14 * 86400 * S},
	{"18446744073709551614ns", UINT64_MAX - 1},
	{"18446744073709551616ns", NONE},
	{"30500w", 30500 * (7 * 86400 * S)},
	{"30501w", NONE},
	{"18446744073s709551616ns", NONE},
	{"", NONE},
	{"1", NONE},
	{"00", NONE},
	{"s", NONE},
	{"1x", NONE},
	{"1h30", NONE},
	{"-1s", NONE},
	{" 1s", NONE},
	{"1 s", NONE},
	{"1.s", NONE},
	{".5s", NONE},
	{"0.5ns", NONE},
	{"1e3s", NONE},
};

static const struct row sizes[] = {
	{"0", 0},
	{"4096", 4096},
	{"4096B", 4096},
	{"64k", 65536},
	{"64K", 65536},
	{"64KiB", 65536},
	{"64M", 64ull << 20},
	{"1.5G", 3ull << 29},
	{"5G", 5ull << 30},
	{"2T", 2ull << 40},
	{"16777215T", 16777215ull << 40},
	{"16777216T", NONE},
	{"", NONE},
	{"M", NONE},
	{"64MB", NONE},
	{"1.5", NONE},
	{"1M1K", NONE},
	{"-1", NONE},
};

static const struct row counts[] = {
	{"0", 0},
	{"1000", 1000},
	{"10k", 10000},
	{"2M", 2000000},
	{"1.5M", 1500000},
	{"3G", 3000000000},
	{"18446744073709551614", UINT64_MAX - 1},
	{"18446744073709551616", NONE},
	{"99999999999999999999999", NONE},
	{"1.5", NONE},
	{"0x10", NONE},
	{"+1", NONE},
	{"ten", NONE},
};

static const struct row times[] = {
	{"now", NOW},
	{"15m", NOW - 900 * S},
	{"-15m", NOW - 900 * S},
	{"0", NOW},
	{"100000d", 0},
	{"@0", 0},
	{"@1795341600", NOW},
	{"@1795341600.5", NOW + S / 2},
	{"@1795341600.123456789", NOW + 123456789},
	{"@1795341600.", NONE},
	{"@", NONE},
	{"@-1", NONE},
	{"@18446744073", 18446744073 * S},
	{"@18446744074", NONE},
	{"2026-11-22T10:00:00Z", NOW},
	{"2026-11-22t10:00:00z", NOW},
	{"2026-11-22T11:00:00+01:00", NOW},
	{"2026-11-22T08:30:00-0130", NOW},
	{"2026-11-22T10:00:00.25Z", NOW + S / 4},
	{"2026-11-22T10:00Z", NOW},
	{"2026-11-22T10:00:60Z", NOW + 60 * S},
	{"1970-01-01T00:00:00Z", 0},
	{"1969-12-31T23:59:59Z", NONE},
	{"2554-07-21T00:00:00Z", 18446659200 * S},
	{"2554-07-22T00:00:00Z", NONE},
	{"9999-12-31T00:00:00Z", NONE},
	{"2024-02-29T00:00:00Z", 1709164800 * S},
	{"2026-02-29T00:00:00Z", NONE},
	{"2026-13-01T00:00:00Z", NONE},
	{"2026-00-01", NONE},
	{"2026-01-00", NONE},
	{"2026-11-22T24:00:00Z", NONE},
	{"2026-11-22T10:60:00Z", NONE},
	{"2026-11-22T10:00:00.Z", NONE},
	{"2026-11-22T10:00:00X", NONE},
	{"2026-11-22T10:00:00Zx", NONE},
	{"2026-11-22T10", NONE},
	{"2026-11-22Z", NONE},
	{"2026-11", NONE},
	{"", NONE},
	{"now-15m", NOW - 900 * S},
	{"15m ago", NOW - 900 * S},
	{"1h30m ago", NOW - 5400 * S},
	{"now ", NONE},
	{"now+15m", NONE},
	{"now15m", NONE},
	{"15m  ago", NONE},
	{" ago", NONE},
	{"ago", NONE},
	{"-15m ago", NONE},
	{"@1 ago", NONE},
	{"-", NONE},
	/* Local time: New York, five hours behind. */
	{"2026-11-22T05:00:00", NOW},
	{"2026-11-22 05:00", NOW},
	{"2026-11-22", NOW - 5 * 3600 * S},
	{"2026-07-01", 1782878400 * S},
	{"today", NOW - 5 * 3600 * S},
	{"today 05:00", NOW},
	{"05:00", NOW},
	{"05:00:00.25", NOW + S / 4},
	{"23:59:60", NOW + 19 * 3600 * S},
	{"yesterday", NOW - 29 * 3600 * S},
	{"yesterday 05:00", NOW - 24 * 3600 * S},
	{"yesterday 05:00:01", NOW - 24 * 3600 * S + S},
	{"yesterday05:00", NONE},
	{"yesterday ", NONE},
	{"yesterday 24:00", NONE},
	{"yesterday 5:00", NONE},
	{"yesterday 05:00Z", NONE},
	{"tomorrow", NONE},
	{"to", NONE},
	{"5:00", NONE},
	{"05:0", NONE},
	{"05:00x", NONE},
	{"05:00Z", NONE},
	/* 2026-03-08 has no 02:30, 2026-11-01 two times 01:30. */
	{"2026-03-08 01:30", 1772951400 * S},
	{"2026-03-08 02:30", 1772955000 * S},
	{"2026-03-08 03:30", 1772955000 * S},
	{"2026-11-01", 1793505600 * S},
	{"2026-11-01 01:30", 1793511000 * S},
	{"2026-11-01 02:30", 1793518200 * S},
};

static const struct row epochs[] = {
	{"0", 0},
	{"1795341600", NOW},
	{"1795341600.5", NOW + S / 2},
	{"1795341600.1234567891", NOW + 123456789},
	{"18446744074", NONE},
	{"1.", NONE},
	{".5", NONE},
	{"-1", NONE},
	{"1e9", NONE},
	{"NaN", NONE},
	{"", NONE},
};

/* The day after the clocks changed: yesterday has 25 hours. */
static const struct row after_change[] = {
	{"today", 1793595600 * S},
	{"yesterday", 1793505600 * S},
	{"yesterday 01:30", 1793511000 * S},
	{"yesterday 12:00", 1793552400 * S},
};

static int parse_after_change(struct span_str text, uint64_t *ns,
			      struct span_error *err)
{
	return span_time_parse(text, 1793620000 * S, ns, err);
}

static const struct {
	const char *text;
	uint64_t since, until;
} arounds[] = {
	{"now+-5m", NOW - 300 * S, NOW + 300 * S},
	{"05:00\xc2\xb1"
	 "5m",
	 NOW - 300 * S, NOW + 300 * S},
	{"05:00 \xc2\xb1 1.5s", NOW - 3 * S / 2, NOW + 3 * S / 2},
	{"2026-11-22T11:00:00+01:00+/-1h", NOW - 3600 * S, NOW + 3600 * S},
	{"1h+-1h", NOW - 7200 * S, NOW},
	{"@5+-1h", 0, 3605 * S},
	{"@18446744073+-1w", 18446744073 * S - 7 * 86400 * S, UINT64_MAX},
	{"05:00", NONE, 0},
	{"05:00+-", NONE, 0},
	{"+-5m", NONE, 0},
	{"05:00+-5", NONE, 0},
	{"05:00-5m", NONE, 0},
	{"now+-5m+-5m", NONE, 0},
	{"", NONE, 0},
};

static void test_around(void)
{
	for (size_t i = 0; i < sizeof(arounds) / sizeof(*arounds); i++) {
		struct span_error err = {0};
		uint64_t since = NONE, until = 0;
		int rc = cmd_parse_around(arounds[i].text, NOW, &since, &until,
					  &err);

		ok(since == arounds[i].since && until == arounds[i].until &&
			   (rc < 0) == (since == NONE) && (!rc || err.msg[0]),
		   "around '%s'", arounds[i].text);
	}
}

static int parse_time(struct span_str text, uint64_t *ns,
		      struct span_error *err)
{
	return span_time_parse(text, NOW, ns, err);
}

/* What comes from a network may have any length, and any byte. */
static void test_bytes(void)
{
	char digits[SPAN_QUANTITY_MAX + 2];
	struct span_str text = {digits, SPAN_QUANTITY_MAX};
	struct span_error err = {0};
	uint64_t ns = 12345;

	memset(digits, '0', sizeof(digits));
	digits[SPAN_QUANTITY_MAX - 1] = 's';
	ok(!span_duration_parse(text, &ns, &err) && !ns,
	   "a duration of %u bytes", SPAN_QUANTITY_MAX);
	digits[SPAN_QUANTITY_MAX - 1] = '0';
	digits[SPAN_QUANTITY_MAX] = 's';
	text.len++;
	ok(span_duration_parse(text, &ns, &err) == SPAN_E_INVALID,
	   "not of one more");
	text = (struct span_str){"1s\0", 3};
	ok(span_duration_parse(text, &ns, &err) == SPAN_E_INVALID &&
		   span_time_parse(text, NOW, &ns, &err) == SPAN_E_INVALID,
	   "nor with a zero byte");
	text = (struct span_str){NULL, 0};
	ok(span_size_parse(text, &ns, &err) == SPAN_E_INVALID &&
		   span_time_parse(text, NOW, &ns, &err) == SPAN_E_INVALID,
	   "nor of nothing");
}

static void check(const char *what, const struct row *rows, size_t n,
		  int (*parse)(struct span_str, uint64_t *,
			       struct span_error *))
{
	for (size_t i = 0; i < n; i++) {
		struct span_error err = {0};
		uint64_t got = 12345;
		int rc = parse(span_str(rows[i].text), &got, &err);

		if (rows[i].want == NONE && rc < 0)
			ok(rc == SPAN_E_INVALID && err.msg[0] && got == 12345,
			   "%s '%s' is refused", what, rows[i].text);
		else
			is_uint(rc < 0 ? NONE : got, rows[i].want, "%s '%s'",
				what, rows[i].text);
	}
}

#define CHECK(what, rows, parse)                                               \
	check(what, rows, sizeof(rows) / sizeof(rows[0]), parse)

int main(void)
{
	setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);
	tzset();
	CHECK("duration", durations, span_duration_parse);
	CHECK("size", sizes, span_size_parse);
	CHECK("count", counts, span_count_parse);
	CHECK("time", times, parse_time);
	CHECK("the next day", after_change, parse_after_change);
	CHECK("seconds", epochs, span_epoch_parse);
	test_bytes();
	test_around();
	ok(cmd_monotonic_ns() <= cmd_monotonic_ns(), "the clock goes on");
	return done_testing();
}
