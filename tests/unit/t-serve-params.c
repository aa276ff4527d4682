/* SPDX-License-Identifier: Apache-2.0 */
/* What a request asks for: serve/params.h. */
#include <math.h>

#include "serve/params.h"
#include "tap.h"

#include "base/banned.h"

static struct span_arena arena;
static struct span_error err;

static int parse(struct span__serve_request *r, const char *target)
{
	*r = (struct span__serve_request){0};
	return span__serve_target(r, span_str(target), &arena, &err);
}

/* Parameters as "name=value," with what is not ASCII as \xNN. */
static void test_query(const char *target, const char *want)
{
	struct span__serve_request r;
	struct span_buf b = {0};

	ok(parse(&r, target) == 0, "%s is read", target);
	for (size_t i = 0; i < r.n_params; i++) {
		span_buf_str(&b, r.params[i].name);
		span_buf_putc(&b, '=');
		span_buf_str(&b, r.params[i].value);
		span_buf_putc(&b, ',');
	}
	is(b.p, b.len, want, target);
	span_buf_release(&b);
}

static void test_queries(void)
{
	static const char *const cases[][2] = {
		{"/", ""},
		{"/?", ""},
		{"/a?x=1", "x=1,"},
		{"/a?x=1&x=2&y", "x=1,x=2,y=,"},
		{"/a?&&x=&", "x=,"},
		{"/a?x=a%20b+c%2B", "x=a b c+,"},
		{"/a?%78=1=2", "x=1=2,"},
		{"/a?x=%zz&y=1", "y=1,"},
		{"/a?x=%4&y=%", ""},
		{"/a?%=1&y=2", "y=2,"},
		{"/a?x=a;b", "x=a;b,"},
		{"/a?x=1?y=2", "x=1?y=2,"},
		{"/a?x=%C3%a4", "x=\xc3\xa4,"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		test_query(cases[i][0], cases[i][1]);
}

static void test_target(void)
{
	struct span__serve_request r;
	struct span_buf many = {0};
	size_t at = 0;

	is_int(parse(&r, "a"), SPAN_E_INVALID, "a path needs a slash");
	is_int(parse(&r, ""), SPAN_E_INVALID, "nothing is no path");
	is_int(parse(&r, "?x=1"), SPAN_E_INVALID, "a query is no path");
	ok(!parse(&r, "/a%2Fb/?x=%00"), "a zero byte");
	is(r.path.p, r.path.len, "/a%2Fb/", "the path is left as it is");
	is_uint(span__serve_value(&r, "x").len, 1, "a zero byte is a byte");
	ok(!span__serve_param(&r, "y"), "what is not there");
	is_uint(span__serve_value(&r, "y").len, 0, "has no value");
	ok(!parse(&r, "/?a=1&b=2&a=3"), "repeated");
	ok(span__serve_next(&r, "a", &at) && at == 1, "the first one");
	is(span__serve_next(&r, "a", &at)->p, 1, "3", "the second one");
	ok(!span__serve_next(&r, "a", &at), "no third one");
	span_buf_puts(&many, "/?");
	for (unsigned i = 0; i < SPAN__SERVE_PARAMS_MAX - 1; i++)
		span_buf_puts(&many, "a&");
	span_buf_puts(&many, "a");
	span_buf_putc(&many, '\0');
	is_int(parse(&r, many.p), 0, "as many parameters as may be");
	is_uint(r.n_params, SPAN__SERVE_PARAMS_MAX, "all of them");
	many.p[many.len - 1] = '&';
	span_buf_putc(&many, '\0');
	is_int(parse(&r, many.p), SPAN_E_LIMIT, "one more");
	span_buf_release(&many);
}

static void test_segments(void)
{
	static const struct {
		const char *path;
		size_t n;
		int rc;
		const char *want;
	} cases[] = {
		{"/api/services/cart/operations", 0, 0, "api"},
		{"/api/services/cart/operations", 2, 0, "cart"},
		{"/api/services/cart/operations", 3, 0, "operations"},
		{"/api/services/cart/operations", 4, SPAN_E_NOTFOUND, ""},
		{"/s/a%2Fb", 1, 0, "a/b"},
		{"/s/a+b", 1, 0, "a+b"},
		{"/s/%2e%2E", 1, 0, ".."},
		{"/s/%", 1, SPAN_E_INVALID, ""},
		{"/s/%1", 1, SPAN_E_INVALID, ""},
		{"/s/%g1", 1, SPAN_E_INVALID, ""},
		{"/s//x", 1, SPAN_E_NOTFOUND, ""},
		{"/s/", 1, SPAN_E_NOTFOUND, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span_buf b = {0};

		is_int(span__serve_segment(span_str(cases[i].path), cases[i].n,
					   &b, &err),
		       cases[i].rc, "%s %zu", cases[i].path, cases[i].n);
		is(b.p, b.len, cases[i].want, cases[i].path);
		span_buf_release(&b);
	}
}

static void test_ints(void)
{
	static const struct {
		const char *text;
		int64_t want;
		const char *why; /* NULL: it is read */
	} cases[] = {
		{"0", 0, NULL},
		{"-1", -1, NULL},
		{"+7", 7, NULL},
		{"007", 7, NULL},
		{"9223372036854775807", INT64_MAX, NULL},
		{"-9223372036854775808", INT64_MIN, NULL},
		{"9223372036854775808", 0, "value out of range"},
		{"99999999999999999999999", 0, "value out of range"},
		{"", 0, "invalid syntax"},
		{"-", 0, "invalid syntax"},
		{"1x", 0, "invalid syntax"},
		{" 1", 0, "invalid syntax"},
		{"1e3", 0, "invalid syntax"},
		{"99999999999999999999999x", 0, "invalid syntax"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t n = 42;
		char want[200];
		int rc = span__serve_int(span_str(cases[i].text), &n, &err);

		is_int(n, cases[i].why ? 42 : cases[i].want, "\"%s\"",
		       cases[i].text);
		if (!cases[i].why)
			continue;
		snprintf(want, sizeof(want),
			 "strconv.ParseInt: parsing \"%s\": %s", cases[i].text,
			 cases[i].why);
		is_str(rc < 0 ? err.msg : "", want, "what is said of it");
	}
}

static void test_int32(void)
{
	int32_t n = 0;

	ok(!span__serve_int32(SPAN_STR("2147483647"), &n, &err) &&
		   n == INT32_MAX,
	   "the largest of 32 bits");
	ok(!span__serve_int32(SPAN_STR("-2147483648"), &n, &err) &&
		   n == INT32_MIN,
	   "the smallest");
	is_int(span__serve_int32(SPAN_STR("2147483648"), &n, &err),
	       SPAN_E_INVALID, "one more");
	is_str(err.msg,
	       "strconv.ParseInt: parsing \"2147483648\": value out of range",
	       "is out of range");
	is_int(span__serve_int32(SPAN_STR("\x1b\"\\"), &n, &err),
	       SPAN_E_INVALID, "no number at all");
	is_str(err.msg,
	       "strconv.ParseInt: parsing \"\\u001b\\\"\\\\\": invalid syntax",
	       "is quoted");
}

static void test_doubles(void)
{
	static const struct {
		const char *text;
		double want;
		const char *why;
	} cases[] = {
		{"0.95", 0.95, NULL},
		{"-1e3", -1000, NULL},
		{".5", 0.5, NULL},
		{"5.", 5, NULL},
		{"1e-999", 0, NULL},
		{"inf", INFINITY, NULL},
		{"", 0, "invalid syntax"},
		{"0x1p3", 0, "invalid syntax"},
		{"1 ", 0, "invalid syntax"},
		{"1e", 0, "invalid syntax"},
		{"--1", 0, "invalid syntax"},
		{"nano", 0, "invalid syntax"},
		{"1e999", 0, "value out of range"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double d = 42;
		char want[200];
		int rc = span__serve_double(span_str(cases[i].text), &d, &err);

		if (!cases[i].why) {
			ok(rc == 0 && !(d < cases[i].want) &&
				   !(d > cases[i].want),
			   "\"%s\"", cases[i].text);
			continue;
		}
		snprintf(want, sizeof(want),
			 "strconv.ParseFloat: parsing \"%s\": %s",
			 cases[i].text, cases[i].why);
		is_str(rc < 0 ? err.msg : "", want, "\"%s\"", cases[i].text);
	}
}

static void test_bools(void)
{
	bool b = false;

	ok(!span__serve_bool(SPAN_STR("true"), &b, &err) && b, "true");
	ok(!span__serve_bool(SPAN_STR("F"), &b, &err) && !b, "F");
	ok(!span__serve_bool(SPAN_STR("1"), &b, &err) && b, "1");
	is_int(span__serve_bool(SPAN_STR("yes"), &b, &err), SPAN_E_INVALID,
	       "yes");
	is_str(err.msg, "strconv.ParseBool: parsing \"yes\": invalid syntax",
	       "is none");
	ok(b, "and the value stays");
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *why;
	} cases[] = {
		{"0", 0, NULL},
		{"-0", 0, NULL},
		{"1.2s", 1200000000, NULL},
		{"100ms", 100000000, NULL},
		{"500us", 500000, NULL},
		{"500\xc2\xb5s", 500000, NULL},
		{"500\xce\xbcs", 500000, NULL},
		{"1h2m", 3720000000000, NULL},
		{"-1.5h", -5400000000000, NULL},
		{".5s", 500000000, NULL},
		{"5.s", 5000000000, NULL},
		{"0.3333333333333333333h", 1200000000000, NULL},
		{"2562047h47m16.854775807s", INT64_MAX, NULL},
		{"2562047h47m16.854775808s", 0,
		 "time: invalid duration \"2562047h47m16.854775808s\""},
		{"9999999999999999999999s", 0,
		 "time: invalid duration \"9999999999999999999999s\""},
		{"", 0, "time: invalid duration \"\""},
		{"-", 0, "time: invalid duration \"-\""},
		{"s", 0, "time: invalid duration \"s\""},
		{".s", 0, "time: invalid duration \".s\""},
		{"1", 0, "time: missing unit in duration \"1\""},
		{"1s2", 0, "time: missing unit in duration \"1s2\""},
		{"3d", 0, "time: unknown unit \"d\" in duration \"3d\""},
		{"1s ", 0, "time: unknown unit \"s \" in duration \"1s \""},
		{"1\xff", 0,
		 "time: unknown unit \"\\xff\" in duration \"1\\xff\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t ns = 42;
		int rc = span__serve_duration(span_str(cases[i].text), &ns,
					      &err);

		is_int(ns, cases[i].why ? 42 : cases[i].ns, "\"%s\"",
		       cases[i].text);
		if (cases[i].why)
			is_str(rc < 0 ? err.msg : "", cases[i].why,
			       "what is said of it");
	}
}

static void test_times(void)
{
#define AS " as \"2006-01-02T15:04:05.999999999Z07:00\": cannot parse "
	static const struct {
		const char *text;
		uint64_t ns;
		const char *why;
	} cases[] = {
		{"2026-11-22T10:00:00Z", 1795341600000000000, NULL},
		{"2026-11-22T10:00:00.5Z", 1795341600500000000, NULL},
		{"2026-11-22T11:00:00.000000001+01:00", 1795341600000000001,
		 NULL},
		{"2026-11-22T11:00:00 01:00", 1795341600000000000, NULL},
		{"2026-11-22T06:30:00-03:30", 1795341600000000000, NULL},
		{"2024-02-29T00:00:00Z", 1709164800000000000, NULL},
		{"1970-01-01T00:00:00Z", 0, NULL},
		{"1969-12-31T23:59:59.9Z", 0, NULL},
		{"0000-01-01T00:00:00Z", 0, NULL},
		{"9999-12-31T23:59:59Z", UINT64_MAX, NULL},
		{"2026-11-22T10:00:00.12345678999Z", 1795341600123456789, NULL},
		{"2023-02-29T00:00:00Z", 0, ": day out of range"},
		{"2026-13-22T10:00:00Z", 0, ": month out of range"},
		{"2026-11-22T24:00:00Z", 0, ": hour out of range"},
		{"2026-11-22T10:00:00Zx", 0, ": extra text: \"x\""},
		{"", 0, AS "\"\" as \"2006\""},
		{"now", 0, AS "\"now\" as \"2006\""},
		{"2026-11-22 10:00:00Z", 0, AS "\" 10:00:00Z\" as \"T\""},
		{"2026-11-22T10:00:00", 0, AS "\"\" as \"Z07:00\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ns = 42;
		char want[240];
		int rc = span__serve_time(span_str(cases[i].text), &ns, &err);

		is_uint(ns, cases[i].why ? 42 : cases[i].ns, "\"%s\"",
			cases[i].text);
		if (!cases[i].why)
			continue;
		snprintf(want, sizeof(want), "parsing time \"%s\"%s",
			 cases[i].text, cases[i].why);
		is_str(rc < 0 ? err.msg : "", want, "what is said of it");
	}
}

int main(void)
{
	test_queries();
	test_target();
	test_segments();
	test_ints();
	test_int32();
	test_doubles();
	test_bools();
	test_durations();
	test_times();
	span_arena_release(&arena);
	return done_testing();
}
