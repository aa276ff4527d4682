/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's query API, handler by handler: what is found, in which order, and
 * what is said of requests that make no sense, word for word.
 */
#include <span/span.h>

#include <stdlib.h>

#include "serve-test.h"

#include "base/banned.h"

#define MS UINT64_C(1000000)
#define HOUR (3600 * 1000 * MS)
#define BASE (SERVE_TEST_NOW - HOUR) /* 1795338000000000 us */

static struct serve_test t;

static struct span_attr text(const char *key, const char *value)
{
	return (struct span_attr){
		span_str(key), {.type = SPAN_STRING, .str = span_str(value)}};
}

static struct span_attr number(const char *key, int64_t value)
{
	return (struct span_attr){span_str(key),
				  {.type = SPAN_INT, .i = value}};
}

/* The last byte of the trace's id, the span, its parent, and its start. */
static struct span make(uint8_t trace, uint8_t id, uint8_t parent,
			uint64_t start_ms, const char *name,
			const struct span_process *p)
{
	struct span s = {.start_ns = BASE + start_ms * MS,
			 .duration_ns = 10 * MS,
			 .name = span_str(name),
			 .process = p};

	s.trace_id[15] = trace;
	s.span_id[7] = id;
	s.parent_id[7] = parent;
	return s;
}

static void fill(void)
{
	struct span_attr zone[] = {text("zone", "eu")};
	struct span_attr tags[] = {number("http.status_code", 500),
				   text("a", "bc"), text("q", "say \"\\\"")};
	struct span_attr fields[] = {text("cause", "timeout")};
	struct span_attr other[] = {text("ab", "c")};
	struct span_event event = {
		BASE + 105 * MS, SPAN_STR("retry"), {fields, 1, 0}};
	struct span_process shop = {SPAN_STR("shop"), {zone, 1, 0}, {0}, 0};
	struct span_process cart = {SPAN_STR("cart/1"), {0}, {0}, 0};
	struct span_process star = {SPAN_STR("HTTP *"), {0}, {0}, 0};
	struct span_process plain = {SPAN_STR("HTTP x"), {0}, {0}, 0};
	struct span_process tilde = {SPAN_STR("~x\\?"), {0}, {0}, 0};
	struct span s[8];

	s[0] = make(1, 1, 0, 100, "GET /", &shop);
	s[0].kind = SPAN_KIND_SERVER;
	s[0].status = SPAN_STATUS_ERROR;
	s[0].duration_ns = 50 * MS;
	s[0].attrs = (struct span_attrs){tags, 3, 0};
	s[0].events = &event;
	s[0].n_events = 1;
	s[1] = make(1, 2, 1, 101, "AddItem", &cart);
	s[1].attrs = (struct span_attrs){other, 1, 0};
	s[2] = s[1];
	s[3] = make(2, 1, 0, 200, "GET /", &shop);
	s[4] = make(3, 1, 0, 300, "[y]", &star);
	s[5] = make(4, 1, 0, 400, "y", &plain);
	s[6] = make(5, 1, 0, 500, "~z", &tilde);
	s[6].trace_id[0] = 0xab;
	s[7] = make(6, 1, 77, 600, "GET /", &shop);
	s[7].duration_ns = 60 * MS;
	serve_test_add(&t, s, 8);
}

/* The ids of the traces in an answer, in its order. */
static void draw_ids(struct span_buf *b, const char *body)
{
	static const char begin[] = "{\"traceID\":\"", end[] = "\",\"spans\"";

	for (const char *p = body; (p = strstr(p, end)); p++) {
		const char *id = p;

		while (id[-1] != '"')
			id--;
		if (!strncmp(id - sizeof(begin) + 1, begin, sizeof(begin) - 1))
			span_buf_printf(b, "%s%.*s", b->len ? " " : "",
					(int)(p - id), id);
	}
	span_buf_putc(b, '\0');
}

static const struct {
	const char *name, *query, *ids;
} searches[] = {
	{"a service, the newest trace first", "service=shop",
	 "0000000000000006 0000000000000002 0000000000000001"},
	{"the newest ones", "service=shop&limit=2",
	 "0000000000000006 0000000000000002"},
	{"an operation", "service=shop&operation=AddItem", ""},
	{"an operation of another service", "service=cart/1&operation=AddItem",
	 "0000000000000001"},
	{"names are exact: no glob", "service=HTTP+*", "0000000000000003"},
	{"no other case", "service=Shop", ""},
	{"no regular expression", "service=~x%5C?",
	 "ab000000000000000000000000000005"},
	{"an operation that looks like a glob",
	 "service=HTTP%20*&operation=[y]", "0000000000000003"},
	{"an operation that looks like an expression",
	 "service=~x%5C?&operation=~z", "ab000000000000000000000000000005"},
	{"a name with a NUL is none", "service=shop%00", ""},
	{"a tag by its text",
	 "service=shop&tags=%7B%22http.status_code%22%3A%22500%22%7D",
	 "0000000000000001"},
	{"a tag in the old form", "service=shop&tag=http.status_code:500",
	 "0000000000000001"},
	{"a key and a value are told apart", "service=shop&tag=ab:c", ""},
	{"a field of a log", "service=shop&tag=cause:timeout",
	 "0000000000000001"},
	{"a tag of the process", "service=shop&tag=zone:eu",
	 "0000000000000006 0000000000000002 0000000000000001"},
	{"an error", "service=shop&tag=error:true", "0000000000000001"},
	{"no error", "service=shop&tag=error:false",
	 "0000000000000006 0000000000000002"},
	{"quotes and backslashes in a value",
	 "service=shop&tag=q:say%20%22%5C%22", "0000000000000001"},
	{"all tags on one span", "service=shop&tag=a:bc&tag=ab:c", ""},
	{"the later of two values counts",
	 "service=shop&tag=a:x&tags=%7B%22a%22:%22bc%22%7D",
	 "0000000000000001"},
	{"the start is in the range",
	 "service=shop&start=1795338000600000&end=1795338000600000",
	 "0000000000000006"},
	{"after the start", "service=shop&start=1795338000600001", ""},
	{"before the start", "service=shop&end=1795338000099999", ""},
	{"a range that ends before it begins", "service=shop&start=9&end=8",
	 ""},
	{"an end before all time", "service=shop&start=-9&end=-8", ""},
	{"a start after all time", "service=shop&start=9223372036854775807",
	 ""},
	{"an end after all time",
	 "service=shop&start=0&end=9223372036854775807",
	 "0000000000000006 0000000000000002 0000000000000001"},
	{"at least as long", "service=shop&minDuration=50ms",
	 "0000000000000006 0000000000000001"},
	{"longer", "service=shop&minDuration=50.001ms", "0000000000000006"},
	{"at most as long", "service=shop&maxDuration=50000us",
	 "0000000000000002 0000000000000001"},
	{"no duration at all",
	 "service=shop&minDuration=0&maxDuration=0&limit=1",
	 "0000000000000006"},
	{"shorter than nothing", "service=shop&maxDuration=-1s", ""},
	{"ids, in their order, in upper case, padded or not",
	 "traceID=AB000000000000000000000000000005&traceID=02",
	 "ab000000000000000000000000000005 0000000000000002"},
	{"parameters that Jaeger's UI adds",
	 "service=HTTP+x&lookback=1h&maxDuration&minDuration=&view=list",
	 "0000000000000004"},
};

static void test_searches(void)
{
	for (size_t i = 0; i < sizeof(searches) / sizeof(*searches); i++) {
		struct serve_reply reply;
		struct span_buf ids = {0};
		char target[300];

		snprintf(target, sizeof(target), "/api/traces?%s",
			 searches[i].query);
		serve_test_get(&t, target, &reply);
		draw_ids(&ids, reply.body.p);
		is_str(ids.p, searches[i].ids, "%s", searches[i].name);
		if (reply.status != 200)
			ok(false, "%u: %s", reply.status, reply.body.p);
		serve_reply_release(&reply);
		span_buf_release(&ids);
	}
}

#define ERROR(code, msg)                                                       \
	code, "{\"data\":null,\"total\":0,\"limit\":0,\"offset\":0,"           \
	      "\"errors\":[{\"code\":" #code ",\"msg\":\"" msg "\"}]}\n"
#define DATA(data, total)                                                      \
	200, "{\"data\":" data ",\"total\":" #total                            \
	     ",\"limit\":0,\"offset\":0,\"errors\":null}"
#define TRACES "/api/traces?service=shop&"
#define NO_JSON "malformed 'tags' parameter, cannot unmarshal JSON: "

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} answers[] = {
	{"/api/services",
	 DATA("[\"HTTP *\",\"HTTP x\",\"cart/1\",\"shop\",\"~x\\\\?\"]", 5)},
	{"/api/services/cart%2F1/operations", DATA("[\"AddItem\"]", 1)},
	{"/api/services/nobody/operations", DATA("[]", 0)},
	{"/api/operations?service=shop",
	 DATA("[{\"name\":\"GET /\",\"spanKind\":\"\"},"
	      "{\"name\":\"GET /\",\"spanKind\":\"server\"}]",
	      2)},
	{"/api/services/shop/operations", DATA("[\"GET /\"]", 1)},
	{"/api/operations?service=shop&spanKind=server",
	 DATA("[{\"name\":\"GET /\",\"spanKind\":\"server\"}]", 1)},
	{"/api/operations?service=shop&spanKind=Server", DATA("[]", 0)},
	{"/api/operations", ERROR(400, "parameter 'service' is required")},
	{"/api/operations?service=",
	 ERROR(400, "parameter 'service' is required")},
	{"/api/traces", ERROR(400, "parameter 'service' is required")},
	{"/api/traces?service=nobody", DATA("[]", 0)},
	{TRACES "start=x",
	 ERROR(400, "unable to parse param 'start': strconv.ParseInt: parsing "
		    "\\\"x\\\": invalid syntax")},
	{TRACES "end=1e9",
	 ERROR(400, "unable to parse param 'end': strconv.ParseInt: parsing "
		    "\\\"1e9\\\": invalid syntax")},
	{TRACES "limit=x", ERROR(400, "strconv.ParseInt: parsing \\\"x\\\": "
				      "invalid syntax")},
	{TRACES "limit=9999999999",
	 ERROR(400, "strconv.ParseInt: parsing \\\"9999999999\\\": value out "
		    "of range")},
	{TRACES "limit=0",
	 ERROR(400, "search depth must be greater than 0 and less than max "
		    "traces")},
	{TRACES "limit=10001",
	 ERROR(400, "search depth must be greater than 0 and less than max "
		    "traces")},
	{TRACES "minDuration=5",
	 ERROR(400, "unable to parse param 'minDuration': time: missing unit "
		    "in duration \\\"5\\\"")},
	{TRACES "maxDuration=5parsecs",
	 ERROR(400, "unable to parse param 'maxDuration': time: unknown unit "
		    "\\\"parsecs\\\" in duration \\\"5parsecs\\\"")},
	{TRACES "minDuration=2s&maxDuration=1s",
	 ERROR(400, "'maxDuration' should be greater than 'minDuration'")},
	{TRACES "raw=x",
	 ERROR(400, "unable to parse param 'raw': strconv.ParseBool: parsing "
		    "\\\"x\\\": invalid syntax")},
	{TRACES "tag=nocolon",
	 ERROR(400, "malformed 'tag' parameter, expecting key:value, "
		    "received: nocolon")},
	{TRACES "tags=%7B%22a%22:1%7D",
	 ERROR(400, NO_JSON "json: cannot unmarshal number into Go value of "
			    "type string")},
	{TRACES "tags=%7B%22a%22:[]%7D",
	 ERROR(400, NO_JSON "json: cannot unmarshal array into Go value of "
			    "type string")},
	{TRACES "tags=[]",
	 ERROR(400, NO_JSON "json: cannot unmarshal array into Go value of "
			    "type map[string]string")},
	{TRACES "tags=", ERROR(400, NO_JSON "unexpected end of JSON input")},
	{TRACES "tags=%7B%22a%22:%22b%22",
	 ERROR(400, NO_JSON "unexpected end of JSON input")},
	{TRACES "tags=%7B%22a%22:%22b%22%7Dx",
	 ERROR(400, NO_JSON "invalid character 'x' after top-level value")},
	{TRACES "tags=%7B%22a%22:%22%5Cu0000%22%7D",
	 ERROR(400, NO_JSON "a text with a zero byte")},
	{"/api/traces?traceID=xyz",
	 ERROR(400, "cannot parse traceID param: strconv.ParseUint: parsing "
		    "\\\"xyz\\\": invalid syntax")},
	{"/api/traces?traceID=", ERROR(400, "cannot parse traceID param: "
					    "TraceID cannot be empty")},
	{"/api/traces?traceID=77&traceID=78", 200,
	 "{\"data\":[],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":["
	 "{\"msg\":\"trace not found\",\"traceID\":\"0000000000000077\"},"
	 "{\"msg\":\"trace not found\",\"traceID\":\"0000000000000078\"}]}"},
	{"/api/traces/77", ERROR(404, "trace not found")},
	/* A whole id, and not the beginning of one. */
	{"/api/traces/ab", ERROR(404, "trace not found")},
	{"/api/traces/x",
	 ERROR(400, "strconv.ParseUint: parsing \\\"x\\\": invalid syntax")},
	{"/api/traces/x.y0000000000000001",
	 ERROR(400, "strconv.ParseUint: parsing \\\"x.y\\\": invalid syntax")},
	{"/api/traces/x%2Fy", ERROR(400, "invalid length for TraceID")},
	{"/api/traces/1000000000000000g",
	 ERROR(400, "strconv.ParseUint: parsing \\\"000000000000000g\\\": "
		    "invalid syntax")},
	{"/api/traces/000000000000000000000000000000001",
	 ERROR(400, "TraceID cannot be longer than 32 hex characters: "
		    "000000000000000000000000000000001")},
	{"/api/traces/1?start=x",
	 ERROR(400, "unable to parse param 'start': strconv.ParseInt: parsing "
		    "\\\"x\\\": invalid syntax")},
	{"/api/archive/1",
	 ERROR(500, "archive span storage was not configured")},
	{"/api/dependencies",
	 DATA("[{\"parent\":\"shop\",\"child\":\"cart/1\",\"callCount\":2}]",
	      0)},
	{"/api/dependencies?service=cart/1",
	 DATA("[{\"parent\":\"shop\",\"child\":\"cart/1\",\"callCount\":2}]",
	      0)},
	{"/api/dependencies?service=nobody", DATA("[]", 0)},
	/* The call of the child, at 101 ms, is in the range at both ends. */
	{"/api/dependencies?endTs=1795338000101&lookback=0",
	 DATA("[{\"parent\":\"shop\",\"child\":\"cart/1\",\"callCount\":2}]",
	      0)},
	{"/api/dependencies?endTs=1795338000100", DATA("[]", 0)},
	{"/api/dependencies?endTs=1795338000200&lookback=98", DATA("[]", 0)},
	{"/api/dependencies?endTs=-1&lookback=-1", DATA("[]", 0)},
	{"/api/dependencies?endTs=1.5",
	 ERROR(400, "unable to parse param 'endTs': strconv.ParseInt: parsing "
		    "\\\"1.5\\\": invalid syntax")},
	{"/api/dependencies?lookback=1h",
	 ERROR(400, "unable to parse param 'lookback': strconv.ParseInt: "
		    "parsing \\\"1h\\\": invalid syntax")},
	{"/api/deep-dependencies",
	 ERROR(400, "parameter 'service' is required")},
	{"/api/deep-dependencies?service=cart%2F1", 200,
	 "{\"dependencies\":[{\"path\":[{\"service\":\"shop\",\"operation\":"
	 "\"GET /\"},{\"service\":\"cart/1\",\"operation\":\"AddItem\"}],"
	 "\"attributes\":[{\"key\":\"exemplar_trace_id\",\"value\":"
	 "\"0000000000000001\"}],\"calls\":1,\"traces\":1}],"
	 "\"traces\":1,\"moreTraces\":false,\"morePaths\":false}"},
	{"/analytics/v1/dependencies?service=shop&operation=GET+/&start=0&"
	 "end=0&limit=3",
	 200,
	 "{\"dependencies\":[{\"path\":[{\"service\":\"shop\",\"operation\":"
	 "\"GET /\"}],\"attributes\":[{\"key\":\"exemplar_trace_id\","
	 "\"value\":\"0000000000000006\"}],\"calls\":2,\"traces\":2},"
	 "{\"path\":[{\"service\":\"shop\",\"operation\":"
	 "\"GET /\"},{\"service\":\"cart/1\",\"operation\":\"AddItem\"}],"
	 "\"attributes\":[{\"key\":\"exemplar_trace_id\",\"value\":"
	 "\"0000000000000001\"}],\"calls\":1,\"traces\":1}],"
	 "\"traces\":3,\"moreTraces\":false,\"morePaths\":false}"},
	{"/api/deep-dependencies?service=shop&limit=1", 200,
	 "{\"dependencies\":[{\"path\":[{\"service\":\"shop\",\"operation\":"
	 "\"GET /\"}],\"attributes\":[{\"key\":\"exemplar_trace_id\","
	 "\"value\":\"0000000000000006\"}],\"calls\":1,\"traces\":1}],"
	 "\"traces\":1,\"moreTraces\":true,\"morePaths\":false}"},
	{"/api/deep-dependencies?service=shop&operation=AddItem", 200,
	 "{\"dependencies\":[],\"traces\":3,\"moreTraces\":false,"
	 "\"morePaths\":false}"},
	{"/api/deep-dependencies?service=shop&limit=-1",
	 ERROR(400, "search depth must be greater than 0 and less than max "
		    "traces")},
	{"/api/deep-dependencies?service=shop%00",
	 ERROR(400, "a text with a zero byte")},
	{"/api/quality-metrics?service=%00",
	 ERROR(400, "a text with a zero byte")},
	{"/api/quality-metrics", ERROR(400, "parameter 'service' is required")},
	{"/api/quality-metrics?service=shop&hours=x",
	 ERROR(400, "unable to parse param 'hours': strconv.ParseInt: parsing "
		    "\\\"x\\\": invalid syntax")},
	{"/api/quality-metrics?service=shop&hours=0",
	 ERROR(400, "parameter 'hours' must be positive")},
};

/* What a body says of a trace is checked elsewhere, against the encoder. */
static void has(const char *target, unsigned status, const char *part)
{
	struct serve_reply reply;

	serve_test_get(&t, target, &reply);
	if (!ok(reply.status == status && strstr(reply.body.p, part),
		"%s has %s", target, part))
		diag("%u %s", reply.status, reply.body.p);
	serve_reply_release(&reply);
}

static void test_one_trace(void)
{
	has("/api/traces/0000000000000001", 200, "\"spanID\"");
	has("/api/traces/000000000000000000000000000000001?x", 400, "longer");
	has("/api/traces/AB000000000000000000000000000005", 200,
	    "{\"data\":[{\"traceID\":\"ab000000000000000000000000000005\"");
	has("/api/traces/1?start=1&end=2", 200, "\"operationName\":\"GET /\"");
	has("/api/traces/1?start=1795338000100&end=1795338000101", 200,
	    "\"operationName\":\"AddItem\"");
	has("/api/traces/6", 200,
	    "\"warnings\":[\"invalid parent span IDs=000000000000004d; "
	    "skipping clock skew adjustment\"]");
	has("/api/traces/6?raw=true", 200, "\"warnings\":null}]");
	has("/api/traces/6?raw=nonsense", 400, "param 'raw'");
	has("/api/traces/AAAAAAAAAAY=", 200, "invalid parent");
	has("/api/traces/AAAAAAAAAAAAAAAAAAAABg==", 200, "invalid parent");
	has("/api/v3/traces/AAAAAAAAAAY=", 200, "0000000000000006");
	has("/api/v3/traces/AAAA=", 400, "malformed parameter trace_id");
	has("/api/v3/traces/zzzz", 400, "invalid length for TraceID");
	has("/api/traces/2?prettyPrint=true", 200, "    \"data\": [");
}

static size_t occurrences(const char *target, const char *part)
{
	struct serve_reply reply;
	size_t n = 0;

	serve_test_get(&t, target, &reply);
	for (const char *p = reply.body.p; (p = strstr(p, part)); p++)
		n++;
	serve_reply_release(&reply);
	return n;
}

static void test_duplicates(void)
{
	is_uint(occurrences("/api/traces/1", "\"spanID\":\"0000000000000002\""),
		1, "what is equal is there once");
	is_uint(occurrences("/api/traces/1?raw=1",
			    "\"spanID\":\"0000000000000002\""),
		2, "raw, as often as it came");
	is_uint(occurrences("/api/traces?service=cart/1&raw=1",
			    "\"spanID\":\"0000000000000002\""),
		2, "in a search, too");
}

static void test_limits(void)
{
	t.s.max_spans = 1;
	has("/api/traces/1", 200,
	    "\"warnings\":[\"trace has more than 1 spans, showing first 1 "
	    "spans only\"]");
	is_uint(occurrences("/api/traces?service=shop", "\"spans\":"), 1,
		"no trace comes where there is no room for its spans");
	has("/api/traces?service=shop", 200,
	    "what comes after this trace is left out");
	is_uint(occurrences("/api/traces/2", "left out"), 0,
		"nothing is said where nothing more comes");
	t.s.max_spans = 2;
	is_uint(occurrences("/api/traces/1", "more than"), 1,
		"the duplicate counts while it is not known to be one");
	t.s.max_spans = 1000000;
}

static void post(const char *target, const char *body, unsigned status,
		 const char *want)
{
	struct serve_reply reply;

	serve_test_post(&t, target, "application/json", body, strlen(body),
			&reply);
	if (!is_str(reply.body.p, want, "POST %s", target) ||
	    reply.status != status)
		ok(reply.status == status, "status %u, want %u", reply.status,
		   status);
	serve_reply_release(&reply);
}

static void post_fails(const char *target, unsigned status, const char *want)
{
	post(target, "", status, want);
}

static void test_transform(void)
{
	post("/api/transform",
	     "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"
	     "\"service.name\",\"value\":{\"stringValue\":\"s\"}}]},"
	     "\"scopeSpans\":[{\"scope\":{\"name\":\"l\"},\"spans\":["
	     "{\"traceId\":\"000000000000000000000000000000ab\",\"spanId\":"
	     "\"0000000000000001\",\"name\":\"o\",\"kind\":2,"
	     "\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"3000\"}]}]"
	     "}]}",
	     200,
	     "{\"data\":[{\"traceID\":\"00000000000000ab\",\"spans\":["
	     "{\"traceID\":\"00000000000000ab\",\"spanID\":"
	     "\"0000000000000001\",\"operationName\":\"o\",\"references\":[],"
	     "\"startTime\":1,\"duration\":2,\"tags\":[{\"key\":"
	     "\"otel.scope.name\",\"type\":\"string\",\"value\":\"l\"},"
	     "{\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"}"
	     "],\"logs\":[],\"processID\":\"p1\",\"warnings\":null}],"
	     "\"processes\":{\"p1\":{\"serviceName\":\"s\",\"tags\":[]}},"
	     "\"warnings\":null}],\"total\":0,\"limit\":0,\"offset\":0,"
	     "\"errors\":null}");
	post("/api/transform", "{\"resourceSpans\":[]}", DATA("[]", 0));
}

static void test_archive(void)
{
	struct span_process p = {SPAN_STR("old"), {0}, {0}, 0};
	struct span s = make(9, 1, 0, 0, "archived", &p);

	post_fails("/api/archive/1",
		   ERROR(500, "archive span storage was not configured"));
	post_fails("/api/archive/x",
		   ERROR(400, "strconv.ParseUint: parsing \\\"x\\\": invalid "
			      "syntax"));
	serve_test_archive(&t);
	serve_test_put(t.archive_dir, &s, 1);
	post_fails("/api/archive/1",
		   ERROR(500, "archive span storage was not configured for "
			      "writing: it is read only"));
	has("/api/archive/9", 200, "\"operationName\":\"archived\"");
	has("/api/archive/1", 404, "trace not found");
	has("/api/traces/9", 200, "\"operationName\":\"archived\"");
	has("/api/traces?traceID=9&traceID=2", 200, "archived");
	has("/api/v3/traces/9", 200, "\"name\":\"archived\"");
	has("/api/v3/traces/77", 404, "No traces found");
	has("/api/v2/traces/9", 200, "\"name\":\"archived\"");
	has("/api/v2/traces/77", 404, "trace not found");
	has("/api/v2/trace/9", 200, "\"name\":\"archived\"");
	has("/api/v2/trace/77", 404, "trace 77 not found");
	is_uint(occurrences("/api/traces?service=old", "archived"), 0,
		"a search does not look into the archive");
}

/* More than a piece has: all of it comes, whole. */
static void test_pieces(void)
{
	char *long_text = malloc(60001);
	struct span_attr attr;
	struct span_process p = {SPAN_STR("long"), {0}, {0}, 0};
	struct serve_reply reply;
	struct span_buf ids = {0};

	memset(long_text, 'x', 60000);
	long_text[60000] = '\0';
	attr = text("t", long_text);
	for (uint8_t i = 1; i <= 40; i++) {
		struct span s = make(i, 100, 0, i, "o", &p);

		s.trace_id[0] = 1;
		s.attrs = (struct span_attrs){&attr, 1, 0};
		serve_test_add(&t, &s, 1);
	}
	serve_test_get(&t, "/api/traces?service=long&limit=40", &reply);
	ok(reply.pieces > 5, "a large answer comes in pieces");
	draw_ids(&ids, reply.body.p);
	is_uint(ids.len, 40 * 33, "with all traces");
	ok(!strcmp(reply.body.p + reply.body.len - 51,
		   "],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}") ||
		   strstr(reply.body.p, "],\"total\":0,"),
	   "and its end");
	serve_reply_release(&reply);
	span_buf_release(&ids);
	free(long_text);
}

int main(void)
{
	serve_test_open(&t);
	serve_test_is(&t, "/api/services", DATA("[]", 0));
	fill();
	test_searches();
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		serve_test_is(&t, answers[i].target, answers[i].status,
			      answers[i].body);
	test_one_trace();
	test_duplicates();
	test_limits();
	test_transform();
	test_archive();
	test_pieces();
	is_uint(t.damage, 0, "no damage was found");
	serve_test_close(&t);
	return done_testing();
}
