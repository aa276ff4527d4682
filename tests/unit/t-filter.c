/* SPDX-License-Identifier: Apache-2.0 */
/* Structured filters of Jaeger's api_v3: what TraceQL they are. */
#include <span/query.h>

#include "tests/unit/tap.h"

static struct span_error err;

/* The TraceQL of a filter, or the code and the message. */
static const char *translate(const char *json)
{
	static char out[1024];
	struct span_buf b = {0};
	int rc;

	err = (struct span_error){0};
	rc = span_filter_traceql(&b, span_str(json), &err);
	if (rc < 0)
		snprintf(out, sizeof(out), "%d %s%s", rc, err.msg,
			 b.len ? " but something was put" : "");
	else
		snprintf(out, sizeof(out), "%.*s", (int)b.len, b.p);
	span_buf_release(&b);
	return out;
}

static bool compiles(const char *expression)
{
	struct span_select sel = {.expression = expression};
	struct span_query *q = NULL;
	int rc = span_query_compile(&q, &sel, &err);

	if (rc < 0)
		diag("%s: %s", expression, err.msg);
	span_query_close(&q);
	return !rc;
}

/* With ATTR and so on for what is long to write. */
#define ATTR(k) "{\"attr\":{\"key\":\"" k "\"}}"
#define AT(k, l) "{\"attr\":{\"key\":\"" k "\",\"level\":\"" l "\"}}"
#define FIELD(n, l) "{\"field\":{\"name\":\"" n "\",\"level\":\"" l "\"}}"
#define VALUE(v) "{\"scalar\":{\"value\":\"" v "\"}}"
#define TYPED(v, t) "{\"scalar\":{\"value\":\"" v "\",\"type\":\"" t "\"}}"
#define LIST(v) "{\"list\":{\"values\":[" v "]}}"
#define CALL(op, args) "{\"op\":\"" op "\",\"args\":[" args "]}"
#define NEST(op, args) "{\"call\":" CALL(op, args) "}"

static const struct {
	const char *json, *want;
} good[] = {
	{CALL("eq", ATTR("http.status_code") "," VALUE("500")),
	 "{ .\"http.status_code\" = \"500\" }"},
	{CALL("gt", AT("size", "span") "," TYPED("500", "int")),
	 "{ span.\"size\" > 500 }"},
	{CALL("lte", AT("load", "resource") "," TYPED("-1.5e3", "double")),
	 "{ resource.\"load\" <= -1.5e3 }"},
	{CALL("ne", AT("retry", "scope") "," TYPED("true", "bool")),
	 "{ instrumentation.\"retry\" != true }"},
	{CALL("eq", AT("k", "event") ",{\"scalar\":{\"value\":7}}"),
	 "{ event.\"k\" = \"7\" }"},
	{CALL("eq", AT("a b\\\"\\\\", "link") "," VALUE("x\\n\\\"\\\\")),
	 "{ link.\"a b\\\"\\\\\" = \"x\\x0a\\\"\\\\\" }"},
	{CALL("eq", AT("service.name", "resource") "," VALUE("cart")),
	 "{ resource.\"service.name\" = \"cart\" }"},
	{CALL("gt", FIELD("duration", "span") "," VALUE("1.5s")),
	 "{ duration > 1500000000ns }"},
	{CALL("lt", FIELD("timeSinceStart", "event") "," VALUE("-1h1m1us")),
	 "{ event:timeSinceStart < -3660000001000ns }"},
	{CALL("gte", VALUE("50\xc2\xb5s") "," FIELD("duration", "span")),
	 "{ 50000ns >= duration }"},
	{CALL("eq", FIELD("status", "span") "," VALUE("error")),
	 "{ status = error }"},
	{CALL("ne", FIELD("kind", "span") "," VALUE("server")),
	 "{ kind != server }"},
	{CALL("eq", FIELD("traceID", "span") "," VALUE("ab")),
	 "{ trace:id = \"ab\" }"},
	{CALL("eq", FIELD("service", "resource") "," VALUE("a")),
	 "{ resource.service.name = \"a\" }"},
	{CALL("gt", AT("a", "span") "," AT("b", "span")),
	 "{ span.\"a\" > span.\"b\" }"},
	{CALL("exists", FIELD("name", "event")), "{ event:name != nil }"},
	{CALL("exists", ATTR("c")), "{ .\"c\" != nil }"},
	{CALL("in", ATTR("s") "," LIST("\"a\",\"b\"")),
	 "{ (.\"s\" = \"a\" || .\"s\" = \"b\") }"},
	{CALL("in", ATTR("s") ",{\"list\":{\"type\":\"int\","
			      "\"values\":[\"5\",\"7\"]}}"),
	 "{ (.\"s\" = 5 || .\"s\" = 7) }"},
	{CALL("not_in", FIELD("duration", "span") "," LIST("\"1ms\",\"2ms\"")),
	 "{ (duration != 1000000ns && duration != 2000000ns) }"},
	{CALL("regex", FIELD("name", "span") "," VALUE("GET|P\\\\d+")),
	 "{ name =~ \".*(?:GET|P\\\\d+).*\" }"},
	{CALL("fulltext", AT("in", "span") "," LIST("\"re\",\"pol\"")),
	 "{ span.\"in\" =~ \"(?i)(?=.*\\\\bre\\\\b)(?=.*\\\\bpol\\\\b).*\" }"},
	{CALL("phrase", AT("in", "span") "," LIST("\"re\",\"pol\"")),
	 "{ span.\"in\" =~ \"(?i).*\\\\bre[^\\\\pL\\\\pN]+pol\\\\b.*\" }"},
	{CALL("and",
	      NEST("eq", ATTR("a") "," VALUE("1")) "," NEST(
		      "or", NEST("eq", ATTR("b") "," VALUE("2")) "," NEST(
				    "not", NEST("exists", ATTR("c"))))),
	 "{ (.\"a\" = \"1\" && (.\"b\" = \"2\" || !(.\"c\" != nil))) }"},
	{CALL("some",
	      "{\"nested\":{\"level\":\"event\"}}," NEST(
		      "and",
		      NEST("eq",
			   FIELD("name", "event") "," VALUE(
				   "exception")) "," NEST("ne",
							  AT("a", "span") "," VALUE(
								  "1")))),
	 "{ (event:name = \"exception\" && span.\"a\" != \"1\") }"},
	{CALL("some",
	      "{\"nested\":{\"level\":\"link\"}}," NEST(
		      "or", NEST("eq", AT("a", "link") "," VALUE("1")) "," NEST(
				    "eq", AT("b", "link") "," VALUE("2")))),
	 "{ (link.\"a\" = \"1\" || link.\"b\" = \"2\") }"},
	/* As 2.21 has it. */
	{CALL("eq", "{\"ref\":{\"name\":\"a\"}}," VALUE("1")),
	 "{ .\"a\" = \"1\" }"},
	{CALL("eq", "{\"ref\":{\"level\":\"span\",\"attr\":true,"
		    "\"name\":\"duration\"}}," VALUE("1")),
	 "{ span.\"duration\" = \"1\" }"},
	{CALL("some", "{\"ref\":{\"level\":\"event\"}}," NEST(
			      "eq", "{\"ref\":{\"name\":\"name\",\"level\":"
				    "\"event\"}}," VALUE("x"))),
	 "{ event:name = \"x\" }"},
};

static const struct {
	const char *json, *want;
} bad[] = {
	{"", "-7 byte 0: the JSON text is cut short"},
	{"{}", "-7 unknown filter operator \"\""},
	{"[]", "-7 byte 0: an object should be here"},
	{"{\"op\":\"eq\",\"args\":[]} x",
	 "-7 byte 22: something follows the value"},
	{"{\"op\":\"eq\",\"arg\":[]}", "-7 byte 17: a call has op and args"},
	{CALL("matches", ATTR("a") "," VALUE("b")),
	 "-7 unknown filter operator \"matches\""},
	{CALL("\\u001b[31m", ""), "-7 unknown filter operator \"\\x1b[31m\""},
	{CALL("eq", AT("a", "pod") "," VALUE("b")),
	 "-7 unknown filter level \"pod\""},
	{CALL("eq", FIELD("size", "span") "," VALUE("b")),
	 "-7 unknown filter field \"size\""},
	{CALL("eq", FIELD("duration", "") "," VALUE("b")),
	 "-7 unknown filter field \"duration\""},
	{CALL("eq", ATTR("") "," VALUE("b")),
	 "-7 no key of an attribute: \"\""},
	{CALL("eq", ATTR("a\\u0000") "," VALUE("b")),
	 "-7 no key of an attribute: \"a\\x00\""},
	{CALL("eq", ATTR("a") ",{}"),
	 "-7 byte 42: filter argument is empty: exactly one of attr, field, "
	 "nested, scalar, list or call must be set"},
	{CALL("eq", ATTR("a") ",{\"x\":{}}"),
	 "-7 byte 45: an argument is one of attr, field, nested, scalar, list "
	 "and call"},
	{CALL("eq", ATTR("a") ",{\"scalar\":{\"key\":\"1\"}}"),
	 "-7 byte 57: a member that is not known here"},
	{CALL("eq", ATTR("a")),
	 "-7 two arguments are needed by the filter operator \"eq\""},
	{CALL("eq", ATTR("a") "," LIST("\"1\"")),
	 "-7 a comparison is of references and constants, not of \"\""},
	{CALL("and", NEST("exists", ATTR("a"))),
	 "-7 two arguments or more are needed by the filter operator \"and\""},
	{CALL("not", ATTR("a")), "-7 a condition is a call, not \"a\""},
	{CALL("exists", VALUE("a")),
	 "-7 a reference is needed by the filter operator \"exists\""},
	{CALL("in", ATTR("a") "," VALUE("1")),
	 "-7 a reference and a list are needed by the filter operator \"in\""},
	{CALL("in", ATTR("a") "," LIST("")),
	 "-7 the list is empty of the filter operator \"in\""},
	{CALL("eq", ATTR("a") "," TYPED("x", "int")),
	 "-7 filter constant is no int: \"x\""},
	{CALL("eq", ATTR("a") "," TYPED("1", "date")),
	 "-7 unknown type of a filter constant \"date\""},
	{CALL("gt", FIELD("duration", "span") "," VALUE("10")),
	 "-7 filter constant is no duration: \"10\""},
	{CALL("gt", FIELD("duration", "span") "," VALUE("ns")),
	 "-7 filter constant is no duration: \"ns\""},
	{CALL("gt", FIELD("duration", "span") "," VALUE("9999999h")),
	 "-7 filter constant is no duration: \"9999999h\""},
	{CALL("gt", FIELD("kind", "span") "," VALUE("server")),
	 "-7 kinds and statuses have no order, as it is asked for by \"gt\""},
	{CALL("eq", FIELD("kind", "span") "," VALUE("SERVER")),
	 "-7 no span kind (unspecified, internal, server, client, producer, "
	 "consumer): \"SERVER\""},
	{CALL("regex", FIELD("duration", "span") "," VALUE("1")),
	 "-7 a pattern is for texts, not for \"duration\""},
	{CALL("fulltext", ATTR("a") "," LIST("\"a b\"")),
	 "-7 a word is of letters and digits, not \"a b\""},
	{CALL("phrase", FIELD("name", "span") "," LIST("\"a\"")),
	 "-7 an attribute and a list of words are needed by the filter "
	 "operator \"phrase\""},
	{CALL("eq", FIELD("startTime", "span") "," VALUE("x")),
	 "-8 this store cannot filter by the field \"startTime\""},
	{CALL("some",
	      "{\"nested\":{\"level\":\"event\"}}," NEST(
		      "and",
		      NEST("eq",
			   FIELD("name", "event") "," VALUE(
				   "x")) "," NEST("eq",
						  AT("a",
						     "event") "," VALUE("1")))),
	 "-8 this store cannot filter by several conditions, or a negative "
	 "one, on one \"event\""},
	{CALL("some", "{\"nested\":{\"level\":\"event\"}}," NEST(
			      "ne", FIELD("name", "event") "," VALUE("x"))),
	 "-8 this store cannot filter by several conditions, or a negative "
	 "one, on one \"event\""},
	{CALL("some", "{\"nested\":{\"level\":\"span\"}}," NEST(
			      "eq", FIELD("name", "span") "," VALUE("x"))),
	 "-7 events or links, and a condition on them, are needed by the "
	 "filter operator \"some\""},
};

/* Many in each other are refused before they are too many for anything. */
static void test_depth(void)
{
	struct span_buf b = {0}, out = {0};

	for (unsigned i = 0; i < 100000; i++)
		span_buf_puts(&b, "{\"op\":\"not\",\"args\":[{\"call\":");
	err = (struct span_error){0};
	is_int(span_filter_traceql(&out, (struct span_str){b.p, b.len}, &err),
	       SPAN_E_INVALID, "a hundred thousand calls in each other");
	ok(strstr(err.msg, "too many calls in each other"), "%s", err.msg);
	b.len = 0;
	for (unsigned i = 0; i < 59; i++)
		span_buf_puts(&b, "{\"op\":\"not\",\"args\":[{\"call\":");
	span_buf_puts(&b, CALL("exists", ATTR("a")));
	for (unsigned i = 0; i < 59; i++)
		span_buf_puts(&b, "}]}");
	is_int(span_filter_traceql(&out, (struct span_str){b.p, b.len}, &err),
	       0, "sixty of them");
	span_buf_putc(&out, 0);
	ok(compiles(out.p), "which compile");
	span_buf_release(&b);
	span_buf_release(&out);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		is_str(translate(good[i].json), good[i].want, "%s",
		       good[i].json);
		ok(compiles(good[i].want), "it compiles");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is_str(translate(bad[i].json), bad[i].want, "%s", bad[i].json);
	test_depth();
	return done_testing();
}
