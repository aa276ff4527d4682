/* SPDX-License-Identifier: Apache-2.0 */
/* Trace ids out of what people paste. */
#include "query/match.h"
#include "tests/unit/tap.h"

#define T "4bf92f3577b34da6a3ce929d0e0e4736"
#define S "00f067aa0ba902b7"

static const struct {
	const char *text, *want;
} good[] = {
	{"4bf9", "4bf9"},
	{T, T},
	{"4BF92F3577B34DA6", "4BF92F3577B34DA6"},
	{" \t" T "\n", T},
	{"\"" T "\"", T},
	{"'c0ffee'", "c0ffee"},
	/* UUIDs */
	{"4bf92f35-77b3-4da6-a3ce-929d0e0e4736", T},
	{"4bf92f35-77b3-4", "4bf92f3577b34"},
	{"4bf92f35-7", "4bf92f357"},
	/* traceparent */
	{"00-" T "-" S "-01", T},
	{"traceparent: 00-" T "-" S "-00", T},
	{"TRACEPARENT=00-" T "-" S "-00", T},
	{"cc-" T "-" S "-00-what-comes", T},
	/* b3 */
	{T "-" S, T},
	{T "-" S "-1", T},
	{T "-" S "-d", T},
	{"4bf92f3577b34da6-" S "-1-05e3ac9a4f6e3b90", "4bf92f3577b34da6"},
	{"b3: " T "-" S "-1-05e3ac9a4f6e3b90", T},
	{"X-B3-TraceId: " T, T},
	/* uber-trace-id */
	{T ":" S ":0:1", T},
	{"c0ffee:1:0:1", "c0ffee"},
	{"c0ffee%3A1%3A0%3a1", "c0ffee"},
	{"uber-trace-id: " T "%3A" S "%3A0%3A1", T},
	{T ":" S, T},
	/* lines of logs */
	{"traceID=" T, T},
	{"traceId:" T, T},
	{"trace_id=\"" T "\"", T},
	{"trace_id=c0ffee, done", "c0ffee"},
	{"level=info msg=\"GET /a?b=1\" traceID=c0ffee dur=2ms", "c0ffee"},
	{"{\"level\":\"info\",\"trace_id\":\"" T "\",\"n\":1}", T},
	{"{\\\"traceId\\\": \\\"" T "\\\"}", T},
	{"[traceId=" T ", spanId=" S "]", T},
	{"trace.id: " T ".", T},
	{"a traceparent=00-" T "-" S "-01 trace_id=" T, T},
	/* links */
	{"http://localhost:16686/trace/" T, T},
	{"https://j/jaeger/trace/c0ffee?uiFind=" S, "c0ffee"},
	{"https://j/trace/" T "#x", T},
	{"https://z/zipkin/traces/" T, T},
	{"https://t/api/traces/" T "/", T},
	{"https://g/explore?schemaVersion=1&panes=%7B%22a%22:%7B%22datasource"
	 "%22:%22P1%22,%22queries%22:%5B%7B%22refId%22:%22A%22,%22queryType"
	 "%22:%22traceql%22,%22query%22:%22" T "%22%7D%5D,%22range%22:%7B"
	 "%22from%22:%22now-1h%22%7D%7D%7D&orgId=1",
	 T},
	{"https://g/explore?left=%5B%22now-1h%22,%22now%22,%22Tempo%22,%7B"
	 "%22query%22:%22" T "%22%7D%5D",
	 T},
	{"https://g/d?viewPanel=1&var-q=%2522traceId%2522%253A%2522" T "%2522",
	 T},
	{"https://x/login?next=https%3A%2F%2Fj%2Ftrace%2F" T, T},
};

static const struct {
	const char *text;
	unsigned pos;
} bad[] = {
	{"", 0},
	{"xyz", 0},
	{"4bfg", 3},
	{" 4bfg", 4},
	{"4bf9 4bf9", 4},
	{T "0", 32},
	{"0x4bf9", 1},
	{"4bf92f35-77b34da6", 8},
	{"4bf92f3-77b3-4da6-a3ce-929d0e0e4736", 7},
	{"4bf92f35-77b3-4da6-a3ce-929d0e0e47361", 8},
	{"00-" T "-" S, 2},
	{"00-" T "-" S "-1", 2},
	{"00-4bf92f3577b34da6-" S "-01", 2},
	{"c0ffee:1:0", 6},
	{"c0ffee:1:0:100", 6},
	{"c0ffee:x", 6},
	{T "-" S "-2", 32},
	{"b3: 0-x", 2},
	{"traceID=", 0},
	{"trace_id=none", 0},
	{"dd.trace_id=1234", 2},
	{"https://j/search?service=a", 0},
	{"https://j/trace/", 0},
	{"https://g/explore?panes=%7B%22query%22:%22add%22%7D", 0},
	{"%", 0},
	{"%zz%4", 0},
	{"%00", 0},
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char out[SPAN_TRACE_ID_TEXT] = "";
		struct span_error err = {0};
		int rc = span__trace_text_read(good[i].text, out, &err);

		ok(!rc && !strcmp(out, good[i].want), "'%.60s' is %s (%s)",
		   good[i].text, good[i].want, rc ? err.msg : out);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char out[SPAN_TRACE_ID_TEXT];
		struct span_error err = {0};
		int rc = span__trace_text_read(bad[i].text, out, &err);

		ok(rc == SPAN_E_INVALID && err.pos == bad[i].pos,
		   "'%.60s' is none, column %u (%d, %" PRIu64 ": %s)",
		   bad[i].text, bad[i].pos, rc, err.pos, err.msg);
	}
}

static void test_several(void)
{
	char out[SPAN_TRACE_ID_TEXT];
	struct span_error err = {0};

	is_int(span__trace_text_read("trace_id=1 trace_id=0001", out, &err), 0,
	       "an id that comes twice is one");
	is_int(span__trace_text_read("trace_id=1 trace_id=2", out, &err),
	       SPAN_E_INVALID, "two ids are an error");
	is_str(err.msg, "several trace ids are in 'trace_id=1 trace_id=2'",
	       "that says so");
}

static void test_longest(void)
{
	static char text[65536 + 2];
	char out[SPAN_TRACE_ID_TEXT];
	struct span_error err = {0};

	memset(text, '0', sizeof(text) - 1);
	is_int(span__trace_text_read(text, out, &err), SPAN_E_INVALID,
	       "a text that is too long is refused");
	is_str(err.msg, "a trace id of more than 65536 bytes", "by its length");
	text[65536] = '\0';
	is_int(span__trace_text_read(text, out, &err), SPAN_E_INVALID,
	       "the longest text has too many digits");
	is_uint(err.pos, 32, "from the 33rd on");
	for (size_t i = 0; i + 3 <= 65536; i += 3)
		memcpy(text + i, "b3=", 3);
	text[65535] = 'x';
	is_int(span__trace_text_read(text, out, &err), SPAN_E_INVALID,
	       "names without end are none");
}

int main(void)
{
	test_good();
	test_bad();
	test_several();
	test_longest();
	return done_testing();
}
