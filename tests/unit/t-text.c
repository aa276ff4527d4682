/* SPDX-License-Identifier: Apache-2.0 */
#include <span/text.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "tap.h"

#include "base/banned.h"

/* A span_str in an initializer. */
#define S(lit)                                                                 \
	{                                                                      \
		(lit), sizeof(lit) - 1                                         \
	}

typedef void text_fn(struct span_buf *b, struct span_str s);

static void safe_csv(struct span_buf *b, struct span_str s)
{
	span_text_csv(b, s, true);
}

static void raw_csv(struct span_buf *b, struct span_str s)
{
	span_text_csv(b, s, false);
}

#define BAD "\xef\xbf\xbd"

static const struct {
	const char *name;
	text_fn *fn;
	struct span_str in;
	const char *want;
} escapes[] = {
	{"script: empty", span_text_script, {NULL, 0}, "\"\""},
	{"script: an end and a comment", span_text_script,
	 S("</script><!--&\"\\"),
	 "\"\\u003c/script\\u003e\\u003c!--\\u0026\\\"\\\\\""},
	{"script: what acts is seen", span_text_script,
	 S("\x1b\0\r\n\t\xe2\x80\xae"),
	 "\"\\\\x1b\\\\x00\\\\r\\n\\t\\\\u202e\""},
	{"json: empty", span_text_json, {NULL, 0}, "\"\""},
	{"json: quotes", span_text_json, S("a\"b\\c"), "\"a\\\"b\\\\c\""},
	{"json: controls", span_text_json, S("\0\b\n\r\t\x1b\x7f"),
	 "\"\\u0000\\u0008\\n\\r\\t\\u001b\\u007f\""},
	{"json: C1 and bidi", span_text_json,
	 S("\xc2\x9b\xe2\x80\xae\xe2\x80\xa8"), "\"\\u009b\\u202e\\u2028\""},
	{"json: beyond 16 bits", span_text_json,
	 S("\xf3\xa0\x80\x81\xf0\x9f\x98\x80"),
	 "\"\\udb40\\udc01\xf0\x9f\x98\x80\""},
	{"json: a bad byte in a text", span_text_json,
	 S("a\xff"
	   "b"),
	 "\"a" BAD "b\""},
	{"json: an overlong slash", span_text_json, S("\xc0\xaf"),
	 "\"" BAD BAD "\""},
	{"json: a surrogate", span_text_json, S("\xed\xa0\x80"),
	 "\"" BAD BAD BAD "\""},
	{"json: beyond Unicode", span_text_json, S("\xf4\x90\x80\x80"),
	 "\"" BAD BAD BAD BAD "\""},
	{"json: cut short", span_text_json, S("\xe4\xb8"), "\"" BAD BAD "\""},
	{"json: a true U+FFFD", span_text_json, S(BAD), "\"" BAD "\""},

	{"terminal: empty", span_text_terminal, {NULL, 0}, ""},
	{"terminal: plain", span_text_terminal, S("GET /a b"), "GET /a b"},
	{"terminal: an escape sequence", span_text_terminal,
	 S("a\x1b[2Jb\r\n\t\x07"), "a\\x1b[2Jb\\r\\n\\t\\x07"},
	{"terminal: C1", span_text_terminal,
	 S("\xc2\x9b"
	   "31m"),
	 "\\u009b31m"},
	{"terminal: a raw C1 byte", span_text_terminal,
	 S("\x9b"
	   "31m"),
	 BAD "31m"},
	{"terminal: bidi", span_text_terminal, S("x\xe2\x80\xaey\xe2\x81\xa6z"),
	 "x\\u202ey\\u2066z"},
	{"terminal: zero-width", span_text_terminal,
	 S("a\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf"
	   "b"),
	 "a\\u200b\\u200d\\ufeffb"},
	{"terminal: line separators", span_text_terminal,
	 S("\xe2\x80\xa8\xe2\x80\xa9"), "\\u2028\\u2029"},
	{"terminal: a tag character", span_text_terminal, S("\xf3\xa0\x80\x81"),
	 "\\U000e0001"},
	{"terminal: unassigned", span_text_terminal, S("\xcd\xb8"), "\\u0378"},
	{"terminal: a combining mark", span_text_terminal, S("e\xcc\x81"),
	 "e\xcc\x81"},
	{"terminal: a mark on nothing", span_text_terminal, S("\xcc\x81x"),
	 "\\u0301x"},
	{"terminal: five marks", span_text_terminal,
	 S("e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81"),
	 "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\\u0301"},

	{"dot: empty", span_text_dot, {NULL, 0}, "\"\""},
	{"dot: escapes mean nothing", span_text_dot, S("\\N\\G\\L"),
	 "\"\\\\N\\\\G\\\\L\""},
	{"dot: quotes and lines", span_text_dot, S("a\"b\nc"),
	 "\"a\\\"b\\nc\""},
	{"dot: entities and HTML", span_text_dot, S("<b>&lt;"),
	 "\"<b>&amp;lt;\""},
	{"dot: controls", span_text_dot, S("\x1b\t\0"),
	 "\"\\\\x1b\\\\t\\\\x00\""},
	{"dot: a backslash last", span_text_dot, S("a\\"), "\"a\\\\\""},

	{"html: all of them", span_text_html, S("<a b=\"c\" d='e'>&"),
	 "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"},
	{"html: controls", span_text_html, S("a\n\t\0\x1b\xe2\x80\xae"),
	 "a\n\t\\x00\\x1b\\u202e"},

	{"quoted: empty", span_text_quoted, {NULL, 0}, "\"\""},
	{"quoted: backtick and backslash", span_text_quoted, S("`\\\"\n"),
	 "\"`\\\\\\\"\\n\""},
	{"quoted: controls", span_text_quoted, S("\0\x07\x7f\xc2\x85"),
	 "\"\\u0000\\u0007\\u007f\\u0085\""},
	{"quoted: beyond 16 bits", span_text_quoted, S("\xf3\xa0\x80\x81"),
	 "\"\\U000e0001\""},

	{"SQL: plain", span_text_sql, S("a \"b\""), "'a \"b\"'"},
	{"SQL: empty", span_text_sql, {NULL, 0}, "''"},
	{"SQL: quotes", span_text_sql, S("it's ''"), "'it''s '''''"},
	{"SQL: no UTF-8", span_text_sql, S("a\xff'"), "'a\xef\xbf\xbd'''"},
	{"SQL: controls", span_text_sql, S("'\n\0\xff"),
	 "CAST(X'270a00efbfbd' AS TEXT)"},
	{"logfmt: bare", span_text_logfmt, S("/a?b,'c'"), "/a?b,'c'"},
	{"logfmt: not ASCII", span_text_logfmt, S("\xc3\xa9"), "\xc3\xa9"},
	{"logfmt: empty", span_text_logfmt, {NULL, 0}, "\"\""},
	{"logfmt: null", span_text_logfmt, S("null"), "\"null\""},
	{"logfmt: a space", span_text_logfmt, S("a b"), "\"a b\""},
	{"logfmt: equals", span_text_logfmt, S("a=b"), "\"a=b\""},
	{"logfmt: a quote", span_text_logfmt, S("a\"b"), "\"a\\\"b\""},
	{"logfmt: a backslash", span_text_logfmt, S("a\\b"), "\"a\\\\b\""},
	{"logfmt: bidi", span_text_logfmt, S("\xe2\x80\xae"), "\"\\u202e\""},
	{"logfmt: bad bytes", span_text_logfmt, S("\xff"), "\"" BAD "\""},

	{"csv: empty", safe_csv, {NULL, 0}, "\"\""},
	{"csv: quotes", safe_csv, S("a\"b,c"), "\"a\"\"b,c\""},
	{"csv: all quotes", safe_csv, S("\"\"\""), "\"\"\"\"\"\"\"\""},
	{"csv: a formula", safe_csv, S("=1+1"), "\"'=1+1\""},
	{"csv: a formula as it is", raw_csv, S("=1+1"), "\"=1+1\""},
	{"csv: plus", safe_csv, S("+1+1"), "\"'+1+1\""},
	{"csv: minus", safe_csv, S("-cmd"), "\"'-cmd\""},
	{"csv: at", safe_csv, S("@SUM(A1)"), "\"'@SUM(A1)\""},
	{"csv: tab first", safe_csv, S("\t=1"), "\"'\t=1\""},
	{"csv: CR first", safe_csv, S("\r=1"), "\"'\\r=1\""},
	{"csv: newline first", safe_csv, S("\n=1"), "\"'\n=1\""},
	{"csv: full-width", safe_csv,
	 S("\xef\xbc\x9d"
	   "1"),
	 "\"'\xef\xbc\x9d"
	 "1\""},
	{"csv: an en dash", safe_csv,
	 S("\xe2\x80\x93"
	   "1"),
	 "\"\xe2\x80\x93"
	 "1\""},
	{"csv: minus five", safe_csv, S("-5"), "\"-5\""},
	{"csv: a double", safe_csv, S("-1.5e-07"), "\"-1.5e-07\""},
	{"csv: a bare minus", safe_csv, S("-"), "\"'-\""},
	{"csv: no fraction", safe_csv, S("-1."), "\"'-1.\""},
	{"csv: no exponent", safe_csv, S("-1e"), "\"'-1e\""},
	{"csv: a number and more", safe_csv, S("-1 "), "\"'-1 \""},
	{"csv: lines", safe_csv, S("a\r\nb\nc\rd"), "\"a\r\nb\nc\\rd\""},
	{"csv: controls", safe_csv, S("\0\x1b\xc2\x9b"),
	 "\"\\x00\\x1b\\u009b\""},

	{"hex", span_text_hex, S("\0\xff\x1a"), "00ff1a"},
	{"base64: 0", span_text_base64, {NULL, 0}, ""},
	{"base64: 1", span_text_base64, S("\xff"), "/w=="},
	{"base64: 2", span_text_base64, S("\x00\xff"), "AP8="},
	{"base64: 3", span_text_base64, S("\xfb\xff\xbf"), "+/+/"},
	{"base64: 4", span_text_base64, S("abcd"), "YWJjZA=="},
};

static void test_escapes(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(*escapes); i++) {
		b.len = 0;
		span_buf_puts(&b, "x");
		escapes[i].fn(&b, escapes[i].in);
		is(b.p + 1, b.len - 1, escapes[i].want, escapes[i].name);
	}
	span_buf_release(&b);
}

static const struct {
	double d;
	const char *want;
} doubles[] = {
	{0, "0"},
	{-0.0, "-0"},
	{1, "1"},
	{-1.5, "-1.5"},
	{72.5, "72.5"},
	{0.1, "0.1"},
	{0.1 + 0.2, "0.30000000000000004"},
	{100, "100"},
	{123456789, "123456789"},
	{9007199254740993.0, "9007199254740992"},
	{1e20, "100000000000000000000"},
	{1e21, "1e+21"},
	{1e30, "1e+30"},
	{1.25e-6, "0.00000125"},
	{1e-7, "1e-7"},
	{1.5e-300, "1.5e-300"},
	{DBL_MAX, "1.7976931348623157e+308"},
	{DBL_MIN, "2.2250738585072014e-308"},
	{5e-324, "5e-324"},
	{1.0 / 3, "0.3333333333333333"},
	{INFINITY, "Infinity"},
	{-INFINITY, "-Infinity"},
	{NAN, "NaN"},
};

static void check_double(struct span_buf *b, double d, const char *want)
{
	b->len = 0;
	span_text_double(b, d);
	is(b->p, b->len, want, want);
}

/* Bits of any pattern read back as the same double. */
static bool read_back(struct span_buf *b)
{
	uint64_t x = 88172645463325252u;

	for (int i = 0; i < 100000; i++) {
		double d, back;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(&d, &x, sizeof(d));
		if (!isfinite(d))
			continue;
		b->len = 0;
		span_text_double(b, d);
		span_buf_putc(b, 0);
		back = strtod(b->p, NULL);
		if (memcmp(&back, &d, sizeof(d))) {
			diag("%a became %s", d, b->p);
			return false;
		}
	}
	return true;
}

static void test_doubles(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(doubles) / sizeof(*doubles); i++)
		check_double(&b, doubles[i].d, doubles[i].want);
	ok(read_back(&b), "random doubles read back");
	span_buf_release(&b);
}

static const struct {
	uint64_t ns;
	const char *want;
} durations[] =
	{
		{0, "0"},
		{1, "1ns"},
		{830, "830ns"},
		{999, "999ns"},
		{1000, "1.00us"},
		{12345, "12.3us"},
		{999499, "999us"},
		{999500, "1.00ms"},
		{2610000000, "2.61s"},
		{9994999999, "9.99s"},
		{9995000000, "10.0s"},
		{59949999999, "59.9s"},
		{59950000000, "1m"},
		{252000000000, "4m12s"},
		{3599499999999, "59m59s"},
		{3599500000000, "1h"},
		{10920000000000, "3h2m"},
		{86369999999999, "23h59m"},
		{86370000000000, "1d"},
		{187200000000000, "2d4h"},
		{86398199999999999, "999d23h"},
		{86398200000000000, "1000d"},
		{8640043199999999999, "100000d"},
		{8640043200000000000, "100001d"},
		{UINT64_MAX, "213504d"},
},
  sizes[] =
	  {
		  {0, "0 B"},
		  {512, "512 B"},
		  {1023, "1023 B"},
		  {1024, "1.0 KiB"},
		  {13414, "13.1 KiB"},
		  {1048524, "1023.9 KiB"},
		  {1048525, "1.0 MiB"},
		  {4294967296, "4.0 GiB"},
		  {UINT64_MAX, "16.0 EiB"},
},
  counts[] = {
	  {0, "0"},
	  {999, "999"},
	  {1000, "1,000"},
	  {1048576, "1,048,576"},
	  {UINT64_MAX, "18,446,744,073,709,551,615"},
};

static void test_units(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		b.len = 0;
		span_text_duration(&b, durations[i].ns);
		is(b.p, b.len, durations[i].want, durations[i].want);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		b.len = 0;
		span_text_size(&b, sizes[i].ns);
		is(b.p, b.len, sizes[i].want, sizes[i].want);
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		b.len = 0;
		span_text_count(&b, counts[i].ns);
		is(b.p, b.len, counts[i].want, counts[i].want);
	}
	span_buf_release(&b);
}

static const struct {
	uint64_t ns;
	int digits;
	bool local;
	const char *want;
} times[] = {
	{0, 0, false, "1970-01-01T00:00:00Z"},
	{1795341600123456789, 3, false, "2026-11-22T10:00:00.123Z"},
	{1795341600123456789, 9, false, "2026-11-22T10:00:00.123456789Z"},
	{1795341600000000001, 8, false, "2026-11-22T10:00:00.00000000Z"},
	{1709164800000000000, 0, false, "2024-02-29T00:00:00Z"},
	{UINT64_MAX, 9, false, "2554-07-21T23:34:33.709551615Z"},
	{1795341600123456789, 3, true, "2026-11-22 15:30:00.123"},
	{UINT64_MAX, 1, true, "2554-07-22 05:04:33.7"},
};

static void test_times(void)
{
	struct span_buf b = {0};

	setenv("TZ", "IST-5:30", 1);
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		b.len = 0;
		if (times[i].local)
			span_text_local_time(&b, times[i].ns, times[i].digits);
		else
			span_text_time(&b, times[i].ns, times[i].digits);
		is(b.p, b.len, times[i].want, times[i].want);
	}
	span_buf_release(&b);
}

#define WIDE "\xe4\xb8\xad"	/* two columns */
#define FACE "\xf0\x9f\x98\x80" /* two columns */
#define DOTS "\xe2\x80\xa6"

static const struct {
	struct span_str in;
	size_t width, fit;
	const char *want;
} fits[] = {
	{{NULL, 0}, 0, 3, "   "},
	{S("abc"), 3, 3, "abc"},
	{S("abc"), 3, 5, "abc  "},
	{S("abcd"), 4, 3, "ab" DOTS},
	{S("abcd"), 4, 1, DOTS},
	{S("abcd"), 4, 0, ""},
	{S(WIDE WIDE), 4, 4, WIDE WIDE},
	{S(WIDE WIDE), 4, 3, WIDE DOTS},
	{S(WIDE WIDE WIDE), 6, 4, WIDE DOTS " "},
	{S(WIDE WIDE), 4, 2, DOTS " "},
	{S(FACE "x"), 3, 3, FACE "x"},
	{S("e\xcc\x81x"), 2, 2, "e\xcc\x81x"},
	{S("abe\xcc\x81x"), 4, 3, "ab" DOTS},
	{S("abe\xcc\x81xy"), 5, 4, "abe\xcc\x81" DOTS},
	{S("\n\xff"), 3, 3, "\\n" BAD},
	{S("a\x1b"
	   "b"),
	 6, 5, "a" DOTS "   "},
};

static const struct {
	struct span_str in;
	size_t width, fit;
	const char *want;
} ascii_fits[] = {
	{{NULL, 0}, 0, 2, "  "},
	{S("abc"), 3, 4, "abc "},
	{S("abcd"), 4, 3, "ab~"},
	{S("z\xc3\xbcx"), 8, 8, "z\\u00fcx"},
	{S("z\xc3\xbcx"), 8, 7, "z~     "},
	{S(FACE), 10, 10, "\\U0001f600"},
	{S("e\xcc\x81"), 7, 7, "e\\u0301"},
	{S("\n\xff"), 3, 3, "\\n?"},
};

static const struct {
	struct span_str in;
	size_t max, want;
} cuts[] = {
	{{NULL, 0}, 0, 0},	 {S("abc"), 3, 3},
	{S("abc"), 2, 2},	 {S("abc"), 0, 0},
	{S(WIDE), 2, 0},	 {S("a" WIDE), 3, 1},
	{S("a" WIDE "b"), 4, 4}, {S("a" FACE), 4, 1},
	{S("a" FACE), 1, 1},	 {S("\x80\x80\x80\x80\x80"), 4, 4},
	{S("a\xe4\xb8z"), 2, 2}, {S("a\xe4\xb8z"), 3, 3},
	{S("e\xcc\x81"), 2, 1},
};

static void test_widths(void)
{
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
		size_t width = span_text_width(fits[i].in);

		b.len = 0;
		span_buf_putc(&b, '|');
		span_text_fit(&b, fits[i].in, fits[i].fit, true);
		is(b.p + 1, b.len - 1, fits[i].want, "fit");
		ok(width == fits[i].width, "row %zu is %zu columns", i, width);
	}
	for (size_t i = 0; i < sizeof(ascii_fits) / sizeof(*ascii_fits); i++) {
		size_t width = span_text_width_ascii(ascii_fits[i].in);

		b.len = 0;
		span_buf_putc(&b, '|');
		span_text_fit_ascii(&b, ascii_fits[i].in, ascii_fits[i].fit,
				    true);
		is(b.p + 1, b.len - 1, ascii_fits[i].want, "fit in ASCII");
		ok(width == ascii_fits[i].width, "row %zu is %zu columns", i,
		   width);
	}
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		size_t n = span_text_cut(cuts[i].in, cuts[i].max);

		ok(n == cuts[i].want, "row %zu is cut to %zu bytes", i, n);
	}
	span_buf_release(&b);
}

#define STRING(s)                                                              \
	{                                                                      \
		.type = SPAN_STRING, .str = S(s)                               \
	}
#define INT(n)                                                                 \
	{                                                                      \
		.type = SPAN_INT, .i = (n)                                     \
	}

static const struct span_value items[] = {
	INT(INT64_MIN), STRING("a\"\n"), {.type = SPAN_NULL}};
static const struct span_attr fields[] = {
	{S("k"), {.type = SPAN_ARRAY, .array = {items, 3}}},
	{S("k"), {.type = SPAN_BYTES, .str = S("\xff")}},
};

static const struct {
	struct span_value v;
	const char *text, *json;
} values[] = {
	{{.type = SPAN_NULL}, "", "null"},
	{STRING("a\"\n"), "a\"\n", "\"a\\\"\\n\""},
	{{.type = SPAN_BOOL, .b = true}, "true", "true"},
	{{.type = SPAN_BOOL}, "false", "false"},
	{INT(INT64_MAX), "9223372036854775807", "9223372036854775807"},
	{INT(INT64_MIN), "-9223372036854775808", "-9223372036854775808"},
	{{.type = SPAN_DOUBLE, .d = 72.5}, "72.5", "72.5"},
	{{.type = SPAN_DOUBLE, .d = NAN}, "NaN", "\"NaN\""},
	{{.type = SPAN_BYTES, .str = S("\0\xff")}, "00ff", "\"AP8=\""},
	{{.type = SPAN_ARRAY}, "[]", "[]"},
	{{.type = SPAN_MAP}, "{}", "{}"},
	{{.type = SPAN_MAP, .map = {fields, 2}},
	 "{\"k\":[-9223372036854775808,\"a\\\"\\n\",null],\"k\":\"/w==\"}",
	 "{\"k\":[-9223372036854775808,\"a\\\"\\n\",null],\"k\":\"/w==\"}"},
};

static void test_values(void)
{
	struct span_buf b = {0};
	static struct span_value deep[10000];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		b.len = 0;
		span_buf_putc(&b, '|');
		span_text_value(&b, &values[i].v);
		is(b.p + 1, b.len - 1, values[i].text, "value as text");
		b.len = 0;
		span_text_value_json(&b, &values[i].v);
		is(b.p, b.len, values[i].json, "value as JSON");
	}
	for (size_t i = 1; i < 10000; i++)
		deep[i] = (struct span_value){.type = SPAN_ARRAY,
					      .array = {&deep[i - 1], 1}};
	b.len = 0;
	span_text_value_json(&b, &deep[9999]);
	ok(b.len == 65 + 4 + 65 && !memcmp(b.p + 64, "[null]", 6),
	   "nesting ends at 64");
	span_buf_release(&b);
}

int main(void)
{
	test_escapes();
	test_doubles();
	test_units();
	test_times();
	test_widths();
	test_values();
	if (setlocale(LC_ALL, "de_DE.UTF-8"))
		test_doubles();
	return done_testing();
}
