/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: RFC 8259 and nothing beyond, with code and position. */
#include "codec/json.h"

#include <math.h>

#include "tap.h"

#include "base/banned.h"

static struct span_arena arena;

struct walk {
	struct span__cursor in;
	struct span__json j;
};

static void start(struct walk *w, const char *text, size_t len)
{
	cursor_init(&w->in, text, len);
	span__json_init(&w->j, &w->in, &arena);
}

/* Read all of TEXT, twice over: skipped, and value by value. */
static void read_value(struct span__json *j)
{
	struct span_str key;

	switch (span__json_peek(j)) {
	case JSON_OBJECT:
		if (span__json_object(j))
			while (span__json_member(j, &key))
				read_value(j);
		break;
	case JSON_ARRAY:
		if (span__json_array(j))
			while (span__json_item(j))
				read_value(j);
		break;
	case JSON_STRING:
		(void)span__json_string(j);
		break;
	case JSON_NUMBER:
		(void)span__json_number(j);
		break;
	case JSON_BOOL:
		(void)span__json_bool(j);
		break;
	case JSON_NULL:
		if (!span__json_null(j))
			span__json_skip(j);
		break;
	default:
		span__json_skip(j);
	}
}

static int outcome(const char *text, size_t len, bool skip, size_t *pos)
{
	struct walk w;

	start(&w, text, len);
	if (skip)
		span__json_skip(&w.j);
	else
		read_value(&w.j);
	span__json_end(&w.j);
	*pos = w.in.pos;
	span_arena_reset(&arena);
	return w.in.failed ? w.in.code : 0;
}

/* The beginning of a text, as a name of a test can have it. */
static const char *name_of(const char *text, size_t len)
{
	static char name[61];
	size_t n = 0;

	for (; n < len && n < sizeof(name) - 1; n++)
		name[n] = text[n] > ' ' && text[n] < 0x7f && text[n] != '#'
				  ? text[n]
				  : ' ';
	name[n] = '\0';
	return name;
}

static void is_outcome(const char *text, size_t len, int code, size_t pos)
{
	for (int skip = 0; skip < 2; skip++) {
		size_t at = 0;
		int got = outcome(text, len, skip, &at);

		ok(got == code && (!code || at == pos), "%s%s: %d at %zu",
		   skip ? "skip " : "", name_of(text, len), code, pos);
		if (got != code || (code && at != pos))
			printf("# got %d at %zu\n", got, at);
	}
}

static void test_good(void)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"-0.0e-0",
		"1E+5",
		"12.50",
		"true",
		"false",
		"null",
		"\"\"",
		"[]",
		"{}",
		" [ ] ",
		"[1,2]",
		"{\"\":0}",
		"[[],{}]",
		"\t\n\r 1\t\n\r ",
		"[{},[]]",
		"\"\x7f\"",
		"\"\xff\"",
		"{\"a\":1,\"a\":2}",
		"\"\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"[null,true,false,1,\"\",[],{}]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		is_outcome(texts[i], strlen(texts[i]), 0, 0);
}

static void test_bad(void)
{
	static const struct {
		const char *text;
		size_t pos;
	} table[] = {
		{"x", 0},
		{"[,]", 1},
		{"[1,]", 3},
		{"[1,,2]", 3},
		{"[1 2]", 3},
		{"{,}", 1},
		{"{\"a\":1,}", 7},
		{"{\"a\" 1}", 5},
		{"{\"a\":}", 5},
		{"{1:2}", 1},
		{"{\"a\":1 2}", 7},
		{"[1}", 2},
		{"{\"a\":1]", 6},
		{"01", 1},
		{"-x", 1},
		{"1.x", 2},
		{"1ex", 2},
		{"1e+x", 3},
		{"+1", 0},
		{".5", 0},
		{"-.5", 1},
		{"0x10", 1},
		{"tru3", 0},
		{"nulL", 0},
		{"True", 0},
		{"truefalse", 4},
		{"1 2", 2},
		{"[] x", 3},
		{"\"\x1f\"", 1},
		{"\"a\nb\"", 2},
		{"\"\\x\"", 1},
		{"\"\\u12g4\"", 1},
		{"\"\\u 123\"", 1},
		{"\"\\\xff\"", 1},
		{"'a'", 0},
		{"[1]]", 3},
		{"NaN", 0},
		{"-Infinity", 1},
		{"\xef\xbb\xbf"
		 "1",
		 0},
		{"\f1", 0},
		{"// x\n1", 0},
		{"[\"a\",b]", 5},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_outcome(table[i].text, strlen(table[i].text), SPAN_E_CORRUPT,
			   table[i].pos);
	is_outcome("1\0", 2, SPAN_E_CORRUPT, 1);
	is_outcome("\0", 1, SPAN_E_CORRUPT, 0);
	is_outcome("\"\0\"", 3, SPAN_E_CORRUPT, 1);
	is_outcome("\"\\\0\"", 4, SPAN_E_CORRUPT, 1);
}

/* A text that is cut anywhere is cut short, at its end. */
static void test_cut(void)
{
	static const char *const texts[] = {
		"{\"key\": [true, false, null, -12.5e+10, \"a\\u12aFb\\n\"], "
		"\"o\": {}, \"\\ud83d\\ude00\": [[], [1]]}",
		"[-0.5, 1e-3, {\"a\": {\"b\": \"\\\\\"}}]",
	};
	unsigned wrong = 0, n = 0;

	for (size_t i = 0; i < 2; i++) {
		for (size_t len = 0; len < strlen(texts[i]); len++) {
			for (int skip = 0; skip < 2; skip++, n++) {
				size_t pos;
				int got = outcome(texts[i], len, skip, &pos);

				if (got == SPAN_E_TRUNCATED && pos == len)
					continue;
				wrong++;
				printf("# %d at %zu: %.*s\n", got, pos,
				       (int)len, texts[i]);
			}
		}
		is_outcome(texts[i], strlen(texts[i]), 0, 0);
	}
	is_uint(wrong, 0, "%u texts that are cut are cut short", n);
}

static void test_depth(void)
{
	char text[2 * SPAN__JSON_DEPTH + 2];

	memset(text, '[', SPAN__JSON_DEPTH);
	memset(text + SPAN__JSON_DEPTH, ']', SPAN__JSON_DEPTH);
	is_outcome(text, 2 * SPAN__JSON_DEPTH, 0, 0);
	memset(text, '[', SPAN__JSON_DEPTH + 1);
	memset(text + SPAN__JSON_DEPTH + 1, ']', SPAN__JSON_DEPTH + 1);
	is_outcome(text, sizeof(text), SPAN_E_LIMIT, SPAN__JSON_DEPTH);
	for (size_t i = 0; i + 5 <= sizeof(text); i += 5)
		memcpy(text + i, "{\"\":[", 5);
	is_outcome(text, sizeof(text) - sizeof(text) % 5, SPAN_E_TRUNCATED,
		   sizeof(text) - sizeof(text) % 5);
}

static void test_strings(void)
{
	static const struct {
		const char *text, *want;
		size_t len;
	} table[] = {
		{"\"\"", "", 0},
		{" \"plain\"", "plain", 5},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
		{"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6},
		{"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4},
		{"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf", 4},
		{"\"\\u0000x\"", "\0x", 2},
		{"\"\\ud83d\"", "\xef\xbf\xbd", 3},
		{"\"\\ude00\"", "\xef\xbf\xbd", 3},
		{"\"\\ud83dx\"", "\xef\xbf\xbdx", 4},
		{"\"\\ud83d\\n\"", "\xef\xbf\xbd\n", 4},
		{"\"\\ud83d\\u0041\"",
		 "\xef\xbf\xbd"
		 "A",
		 4},
		{"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80",
		 7},
		{"\"\xff\\n\xc3\"", "\xff\n\xc3", 3},
		{"\"\\uFFFF\"", "\xef\xbf\xbf", 3},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct walk w;
		struct span_str s;

		start(&w, table[i].text, strlen(table[i].text));
		s = span__json_string(&w.j);
		ok(!w.in.failed, "%s", table[i].text);
		is_mem(s.p, s.len, table[i].want, table[i].len, "is it");
	}
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		bool is_int, is_uint;
		int64_t i;
		uint64_t u;
	} table[] = {
		{"0", true, true, 0, 0},
		{"-0", true, true, 0, 0},
		{"\"12\"", true, true, 12, 12},
		{"12.0", true, true, 12, 12},
		{"1.2e1", true, true, 12, 12},
		{"\"1.5e3\"", true, true, 1500, 1500},
		{"-1", true, false, -1, 0},
		{"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
		{"9223372036854775808", false, true, 0, 1ull << 63},
		{"-9223372036854775808", true, false, INT64_MIN, 0},
		{"-9223372036854775809", false, false, 0, 0},
		{"18446744073709551615", false, true, 0, UINT64_MAX},
		{"18446744073709551616", false, false, 0, 0},
		{"9007199254740992.0", true, true, 1ll << 53, 1ull << 53},
		{"9007199254740994.0", false, false, 0, 0},
		{"1e400", false, false, 0, 0},
		{"12.5", false, false, 0, 0},
		{"\"\"", false, false, 0, 0},
		{"\"-\"", false, false, 0, 0},
		{"\" 1\"", false, false, 0, 0},
		{"\"1 \"", false, false, 0, 0},
		{"\"0x10\"", false, false, 0, 0},
		{"\"-inf\"", false, false, 0, 0},
		{"\"1e\"", false, false, 0, 0},
		{"true", false, false, 0, 0},
		{"null", false, false, 0, 0},
		{"[1]", false, false, 0, 0},
		{"{\"a\":1}", false, false, 0, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *text = table[i].text;
		uint64_t u = 0;
		int64_t v = 0;
		struct walk w;

		start(&w, text, strlen(text));
		ok(span__json_int(&w.j, &v) == table[i].is_int &&
			   v == table[i].i,
		   "%s: int64", text);
		span__json_end(&w.j);
		ok(!w.in.failed, "is passed over");
		start(&w, text, strlen(text));
		ok(span__json_uint(&w.j, &u) == table[i].is_uint &&
			   (!table[i].is_uint || u == table[i].u),
		   "%s: uint64", text);
		span__json_end(&w.j);
		ok(!w.in.failed, "is passed over");
	}
}

static void test_doubles(void)
{
	static const struct {
		const char *text;
		bool good;
		double want;
	} table[] = {
		{"0.1", true, 0.1},
		{"-0", true, -0.0},
		{"\"72.5\"", true, 72.5},
		{"1e308", true, 1e308},
		{"5e-324", true, 5e-324},
		{"1e999", true, HUGE_VAL},
		{"\"Infinity\"", true, HUGE_VAL},
		{"\"-Infinity\"", true, -HUGE_VAL},
		{"\"NaN\"", true, (double)NAN},
		{"\"nan\"", false, 0},
		{"\"-nan\"", false, 0},
		{"\"-inf\"", false, 0},
		{"\"0x1p3\"", false, 0},
		{"\"1.\"", false, 0},
		{"\"\"", false, 0},
		{"null", false, 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		double d = 0;
		struct walk w;

		start(&w, table[i].text, strlen(table[i].text));
		ok(span__json_double(&w.j, &d) == table[i].good &&
			   (!table[i].good ||
			    !memcmp(&d, &table[i].want, sizeof(d)) ||
			    (isnan(d) && isnan(table[i].want))),
		   "%s: double", table[i].text);
		span__json_end(&w.j);
		ok(!w.in.failed, "is passed over");
	}
}

static void test_raw(void)
{
	static const char text[] = " [1, {\"a\":\"\\\\\"}] , 2";
	struct span_str raw;
	struct walk w;

	start(&w, text, strlen(text));
	raw = span__json_raw(&w.j);
	is_mem(raw.p, raw.len, "[1, {\"a\":\"\\\\\"}]", 15,
	       "a value's text, as it stands there");
	span__json_end(&w.j);
	ok(w.in.failed && w.in.code == SPAN_E_CORRUPT && w.in.pos == 17,
	   "what follows it is seen");
	start(&w, "5", 1);
	ok(!span__json_object(&w.j) && w.in.code == SPAN_E_CORRUPT,
	   "no object where a number is");
	ok(!span__json_array(&w.j) && !span__json_item(&w.j) &&
		   !span__json_bool(&w.j) && !span__json_null(&w.j) &&
		   !span__json_string(&w.j).len &&
		   !span__json_number(&w.j).len && w.in.pos == 0,
	   "after a failure there is nothing, and it stays the first");
}

int main(void)
{
	test_good();
	test_bad();
	test_cut();
	test_depth();
	test_strings();
	test_numbers();
	test_doubles();
	test_raw();
	span_arena_release(&arena);
	return done_testing();
}
