/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a query on single spans: globs, regexes, names, lists of tag
 * conditions, values of every type, trace ids.
 */
#include <span/query.h>

#include "query/match.h"
#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

static struct span_error err;

static void test_glob(void)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"a*", "a", true},
		{"a*c", "abcabc", true},
		{"a*c", "abcab", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"HTTP POST*", "HTTP POST /pay", true},
		{"HTTP POST*", "HTTP GET /", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a?c",
		 "a\xc3\xa9"
		 "c",
		 true},
		{"??", "\xc3\xa9", false},
		{"?", "\xff", true},
		{"?", "\xc3", true},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[^a-c]x", "bx", false},
		{"[]a]", "]", true},
		{"[!]a]", "]", false},
		{"[a-]", "-", true},
		{"[\\]]", "]", true},
		{"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true},
		{"[a", "[a", true},
		{"[a", "a", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"*\\", "a\\", true},
		{"[a-z]*[0-9]", "order-service-7", true},
		{"*.*.*", "a.b", false},
		{"*a*a*a*a*a*a*a*a*b",
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		ok(span__glob(span_str(rows[i].pattern),
			      span_str(rows[i].text)) == rows[i].want,
		   "glob '%s' %s", rows[i].pattern,
		   rows[i].want ? "fits" : "does not fit");
}

static int regex(const char *pattern, const char *p, size_t len)
{
	struct span__regex *r;
	int rc;

	err = (struct span_error){0};
	rc = span__regex_open(&r, span_str(pattern), &err);
	if (rc < 0)
		return rc;
	rc = span__regex_match(r, (struct span_str){p, len}, &err);
	span__regex_close(&r);
	return rc;
}

static void test_regex(void)
{
	static const struct {
		const char *pattern, *text;
		int want;
	} rows[] = {
		{"b", "abc", 1},
		{"^b", "abc", 0},
		{"", "", 1},
		{"^$", "", 1},
		{"(?i)SELECT .* from", "select 1 FROM t", 1},
		{"caf. $", "caf\xc3\xa9 ", 1},
		{"a.c",
		 "a\xff"
		 "c",
		 0},
		{"a",
		 "\xff\xfe"
		 "a",
		 1},
		{"(", "", SPAN_E_INVALID},
		{"\\C", "a", SPAN_E_INVALID},
		{"(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		 SPAN_E_LIMIT},
	};
	static char longest[SPAN_MAX_STRING];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_int(regex(rows[i].pattern, rows[i].text,
			     strlen(rows[i].text)),
		       rows[i].want, "regex '%s'", rows[i].pattern);
	regex("ab(", "", 0);
	is_uint(err.pos, 3, "a mistake has its column: %s", err.msg);
	regex("(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 47);
	is_str(err.msg, "regular expression '(a+)+$' takes too many steps",
	       "a limit names the pattern");
	is_int(regex("(*NO_JIT)(a+)+$",
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 47),
	       SPAN_E_LIMIT, "the interpreter has its limits too");
	memset(longest, ' ', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 'x';
	is_int(regex("\\s*\\s*$", longest, sizeof(longest)), SPAN_E_LIMIT,
	       "a quadratic pattern on the longest text ends");
	is_int(regex("(*NO_JIT)\\s*\\s*$", longest, sizeof(longest)),
	       SPAN_E_LIMIT, "by the interpreter too");
	is_int(regex("x$", longest, sizeof(longest)), 1,
	       "the end of the longest text is found");
	is_int(regex(" {1000}x", longest, sizeof(longest)), 1,
	       "a match that is longer than a piece is found");
	memset(longest, 0x80, sizeof(longest));
	is_int(regex("x", longest, sizeof(longest)), 0,
	       "the longest text that is not UTF-8 is searched");
}

static void test_bad_lists(void)
{
	static const struct {
		const char *text;
		unsigned pos;
	} rows[] = {
		{"", 0},
		{"  ", 2},
		{"=v", 0},
		{"a=1 ~x", 4},
		{"a=\"b", 2},
		{"\"a", 0},
		{"\"a\"b=1", 3},
		{"a=\"b\"c", 5},
		{"k~(", 2},
		{"a=1 b~\"[\"", 6},
		{"k=~*", 3},
		{"k=a b", 4},
		{"k~^a .* b=c", 5},
		{"error a=b c", 10},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span_select sel = {.tags = &rows[i].text, .n_tags = 1};
		struct span_query *q;
		int rc;

		err = (struct span_error){0};
		rc = span_query_compile(&q, &sel, &err);
		ok(rc == SPAN_E_INVALID && !q, "'%s' is refused: %s",
		   rows[i].text, err.msg);
		is_uint(err.pos, rows[i].pos, "at its column");
	}
}

#define TEXT(k, v)                                                             \
	{                                                                      \
		{k, sizeof(k) - 1},                                            \
		{                                                              \
			.type = SPAN_STRING, .str = { v, sizeof(v) - 1 }       \
		}                                                              \
	}

static const struct span_attr process_tags[] = {
	TEXT("hostname", "web-1"),
	TEXT("both", "process"),
};
static const struct span_attr scope_tags[] = {TEXT("in.scope", "yes")};
static const struct span_attr ref_tags[] = {TEXT("in.link", "yes")};
static const struct span_attr field_tags[] = {
	TEXT("event", "retry"),
	TEXT("stack", "at main\nat \"x\""),
};
static const struct span_value items[] = {
	{.type = SPAN_INT, .i = 1},
	{.type = SPAN_STRING, .str = {"a", 1}},
};
static const struct span_attr tags[] = {
	TEXT("http.method", "GET"),
	{{"http.status_code", 16}, {.type = SPAN_INT, .i = 500}},
	{{"retry", 5}, {.type = SPAN_BOOL, .b = true}},
	{{"cached", 6}, {.type = SPAN_BOOL, .b = false}},
	{{"load", 4}, {.type = SPAN_DOUBLE, .d = 72.5}},
	{{"whole", 5}, {.type = SPAN_DOUBLE, .d = 500}},
	{{"least", 5}, {.type = SPAN_INT, .i = INT64_MIN}},
	{{"blob", 4}, {.type = SPAN_BYTES, .str = {"\x00\xff", 2}}},
	{{"list", 4}, {.type = SPAN_ARRAY, .array = {items, 2}}},
	TEXT("both", "span"),
	TEXT("two", "first"),
	TEXT("two", "second"),
	TEXT("empty", ""),
	TEXT("a b", "c d"),
	TEXT("text", "500"),
};
static const struct span_process process = {.service = {"shop", 4},
					    .attrs = {process_tags, 2, 0}};
static const struct span_scope scope = {
	.name = {"lib", 3}, .version = {"1.2", 3}, .attrs = {scope_tags, 1, 0}};
static const struct span_event events[] = {
	{1, {NULL, 0}, {field_tags, 2, 0}},
	{2, {"exception", 9}, {NULL, 0, 0}},
};
static const struct span_ref refs[] = {
	{.type = SPAN_REF_LINK, .attrs = {ref_tags, 1, 0}}};
static const struct span sample = {
	.name = {"GET /cart", 9},
	.process = &process,
	.scope = &scope,
	.kind = SPAN_KIND_SERVER,
	.status = SPAN_STATUS_ERROR,
	.status_message = {"gone", 4},
	.start_ns = 1000,
	.duration_ns = 50,
	.trace_id = {0, 0, 0, 0, 0, 0, 0, 0, 0x4b, 0xf9, 0, 0, 0, 0, 0, 0xab},
	.attrs = {tags, sizeof(tags) / sizeof(*tags), 0},
	.events = events,
	.n_events = 2,
	.refs = refs,
	.n_refs = 1,
};

static int match(const struct span_select *sel, const struct span *s)
{
	struct span_query *q;
	int rc;

	err = (struct span_error){0};
	rc = span_query_compile(&q, sel, &err);
	if (rc < 0)
		return rc;
	rc = span_query_match(q, s, &err);
	span_query_close(&q);
	return rc;
}

static void test_tags(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{"http.method=GET", 1},
		{"http.method=get", 0},
		{"http.method=GE", 0},
		{"http.metho=GET", 0},
		{"http.status_code=500", 1},
		{"http.status_code=500.0", 0},
		{"http.status_code=0500", 0},
		{"http.status_code=+500", 0},
		{"http.status_code=501", 0},
		{"text=500", 1},
		{"whole=500", 1},
		{"load=72.5", 1},
		{"load=72.50", 0},
		{"retry=true", 1},
		{"retry", 1},
		{"retry=1", 0},
		{"cached=false", 1},
		{"cached", 0},
		{"least=-9223372036854775808", 1},
		{"least=9223372036854775808", 0},
		{"blob=00ff", 1},
		{"list~a", 1},
		{"hostname=web-1", 1},
		{"both=span both=process", 1},
		{"two=first two=second", 1},
		{"two!=first", 0},
		{"two!=third", 1},
		{"empty=", 1},
		{"empty=\"\"", 1},
		{"absent=", 0},
		{"absent!=x", 1},
		{"absent~", 0},
		{"two~", 1},
		{"absent!~.", 1},
		{"two!~irst", 0},
		{"two~^sec", 1},
		{"two=~^sec", 1},
		{"two!=~^sec", 0},
		{"two=\"~^sec\"", 0},
		{"\"a b\"=\"c d\"", 1},
		{"\"a b\"~\"^c\\sd$\"", 1},
		{"stack=\"at main\\nat \\\"x\\\"\"", 1},
		{"stack~main", 1},
		{"in.scope=yes", 1},
		{"in.link=yes", 1},
		{"event=retry", 1},
		{"event=exception", 1},
		{"event=other", 0},
		{"error=true", 1},
		{"error", 1},
		{"error=false", 0},
		{"error!=true", 0},
		{"span.kind=server", 1},
		{"span.kind=client", 0},
		{"span.kind!=client", 1},
		{"status=error", 1},
		{"otel.status_code=ERROR", 1},
		{"otel.status_description=gone", 1},
		{"otel.scope.name=lib", 1},
		{"otel.scope.version=1.2", 1},
		{"service.name=shop", 1},
		{"service.name~^sh", 1},
		{"http.method=GET http.status_code=500", 1},
		{"http.method=GET http.status_code=404", 0},
		{"\thttp.method=GET \n error ", 1},
		{"retry error http.method=GET", 1},
		{"\"a b\"=\"c d\" retry", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span_select sel = {.tags = &rows[i].text, .n_tags = 1};

		is_int(match(&sel, &sample), rows[i].want, "tag %s",
		       rows[i].text);
	}
}

static void test_no_error(void)
{
	static const char *const no_error[] = {"error=false"};
	static const char *const not_true[] = {"error!=true"};
	static const char *const unset[] = {"status=unset"};
	struct span s = {.process = &process};

	is_int(match(&(struct span_select){.tags = no_error, .n_tags = 1}, &s),
	       1, "a span without an error has error=false");
	is_int(match(&(struct span_select){.tags = not_true, .n_tags = 1}, &s),
	       1, "and error!=true");
	is_int(match(&(struct span_select){.tags = unset, .n_tags = 1}, &s), 1,
	       "and status=unset");
	is_int(match(&(struct span_select){.error = true}, &s), 0,
	       "and is not one of the errors");
}

static int service(const char *name)
{
	return match(&(struct span_select){.services = &name, .n_services = 1},
		     &sample);
}

static void test_names(void)
{
	static const char *const two[] = {"other", "sh?p"};
	static const char *const star[] = {"GET /*"};
	struct span literal = sample;

	is_int(service("shop"), 1, "an exact service");
	is_int(service("sho"), 0, "not a part of it");
	is_int(service("Shop"), 0, "not another case");
	is_int(service("s*"), 1, "a glob");
	is_int(service("~^s.*p$"), 1, "a regex");
	is_int(service("~ho"), 1, "a regex may match inside");
	is_int(service("~("), SPAN_E_INVALID, "a bad regex");
	is_str(err.msg,
	       "service: regular expression, column 2: missing closing "
	       "parenthesis",
	       "says which option");
	is_int(match(&(struct span_select){.services = two, .n_services = 2},
		     &sample),
	       1, "one of several names");
	literal.name = SPAN_STR("GET /*");
	is_int(match(&(struct span_select){.operations = star,
					   .n_operations = 1},
		     &literal),
	       1, "a name with a star matches itself");
	is_int(match(&(struct span_select){.operations = star,
					   .n_operations = 1},
		     &sample),
	       1, "and as a glob");
}

/* Many names, long and short, again and again: the cache gives no wrong one. */
static void test_cache(void)
{
	static const char *const globs[] = {"*7", "~^x"};
	struct span_select sel = {.services = globs, .n_services = 2};
	struct span_query *q;
	struct span_process p = {0};
	struct span s = {.process = &p};
	int bad = span_query_compile(&q, &sel, &err);

	for (unsigned i = 0; i < 40000; i++) {
		char text[80];
		int len = snprintf(text, sizeof(text), "%s%0*u",
				   i % 11 ? "s" : "x", (int)(i % 70),
				   i * 7919 % 1000);
		bool want = text[0] == 'x' || text[len - 1] == '7';

		p.service = (struct span_str){text, (size_t)len};
		bad += span_query_match(q, &s, &err) != want;
	}
	is_int(bad, 0, "40,000 names through the cache");
	span_query_close(&q);
}

static void test_limits(void)
{
	struct span_select sel = {.min_duration_ns = 50, .max_duration_ns = 50};

	is_int(match(&sel, &sample), 1, "durations are inclusive");
	sel.min_duration_ns = 51;
	is_int(match(&sel, &sample), SPAN_E_INVALID, "none is between them");
	sel = (struct span_select){.since_ns = 1000, .until_ns = 1001};
	is_int(match(&sel, &sample), 1, "since is inclusive");
	sel = (struct span_select){.since_ns = 1, .until_ns = 1000};
	is_int(match(&sel, &sample), 0, "until is not");
	sel = (struct span_select){.since_ns = 5, .until_ns = 5};
	is_int(match(&sel, &sample), SPAN_E_INVALID, "no time is between them");
}

static void test_ids(void)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{"4bf90000000000ab", 1},
		{"4BF90000000000AB", 1},
		{"00000000000000004bf90000000000ab", 1},
		{"4bf9", 1},
		{"4bf", 1},
		{"4", 1},
		{"4bf90000000000a", 1},
		{"4b8", 0},
		{"0", 0},
		{"bf9", 0},
		{"ab", 0},
		{"4bf90000000000ab0", 0},
		{"", SPAN_E_INVALID},
		{"4bg", SPAN_E_INVALID},
		{"000000000000000004bf90000000000ab", SPAN_E_INVALID},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_int(match(&(struct span_select){.trace_ids = &rows[i].text,
						   .n_trace_ids = 1},
			     &sample),
		       rows[i].want, "trace id '%s'", rows[i].text);
}

int main(void)
{
	test_glob();
	test_regex();
	test_bad_lists();
	test_tags();
	test_no_error();
	test_names();
	test_cache();
	test_limits();
	test_ids();
	return done_testing();
}
