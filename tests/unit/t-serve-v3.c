/* SPDX-License-Identifier: Apache-2.0 */
/* Jaeger's api_v3, request by request. */
#include "serve-spans.h"

#define DAY                                                                    \
	"query.startTimeMin=2026-11-22T00:00:00Z&"                             \
	"query.startTimeMax=2026-11-22T23:00:00.5%2B01:00"

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} rows[] = {
	{"/api/v3/services", 200,
	 "{\"services\":[\"cart\",\"mail*\",\"shop\"]}"},
	{"/api/v3/operations?service=shop", 200,
	 "{\"operations\":[{\"name\":\"GET "
	 "/\",\"spanKind\":\"server\"},{\"name\":\"call "
	 "cart\",\"spanKind\":\"client\"}]}"},
	{"/api/v3/operations?service=shop&spanKind=client", 200,
	 "{\"operations\":[{\"name\":\"call cart\",\"spanKind\":\"client\"}]}"},
	{"/api/v3/operations?service=shop&span_kind=server", 200,
	 "{\"operations\":[{\"name\":\"GET /\",\"spanKind\":\"server\"}]}"},
	{"/api/v3/operations?service=nobody", 200, "{\"operations\":[]}"},
	{"/api/v3/operations", 200, "{\"operations\":[]}"},
	{"/api/v3/traces/aa000000000000000000000000000001", 200,
	 "{\"result\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},{"
	 "\"key\":\"host.name\",\"value\":{\"stringValue\":\"h1\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"aa000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
	 "\"name\":\"GET "
	 "/\",\"kind\":2,\"startTimeUnixNano\":\"1795341590000000000\","
	 "\"endTimeUnixNano\":\"1795341590100000000\",\"attributes\":[],"
	 "\"status\":{}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"spanId\":\"0000000000000002\",\"parentSpanId\":"
	 "\"0000000000000001\",\"name\":\"call "
	 "cart\",\"kind\":3,\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"endTimeUnixNano\":\"1795341590080000000\",\"attributes\":[{\"key\":"
	 "\"peer.service\",\"value\":{\"stringValue\":\"cart\"}}],\"status\":{}"
	 "}]}]},{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
	 "\"value\":{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"scope\":{}"
	 ",\"spans\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"spanId\":\"0000000000000003\",\"parentSpanId\":"
	 "\"0000000000000002\",\"name\":\"add "
	 "<b>\",\"kind\":2,\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"endTimeUnixNano\":\"1795341590070000000\",\"attributes\":[{\"key\":"
	 "\"http.status_code\",\"value\":{\"intValue\":\"500\"}}],\"events\":[{"
	 "\"timeUnixNano\":\"1795341590050000000\",\"name\":\"exception\","
	 "\"attributes\":[{\"key\":\"message\",\"value\":{\"stringValue\":\"no "
	 "stock\"}}]}],\"status\":{\"code\":2}}]}]}]}}"},
	{"/api/v3/traces/3", 200,
	 "{\"result\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"mail*\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"00000000000000000000000000000003\",\"spanId\":\"0000000000000005\","
	 "\"parentSpanId\":\"0000000000000009\",\"name\":\"send\",\"kind\":5,"
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"endTimeUnixNano\":"
	 "\"1795341470005000000\",\"attributes\":[{\"key\":\"<script>\\u001b["
	 "31m\",\"value\":{\"stringValue\":\"a\\\"b\\\\\357\277\275\"}},{"
	 "\"key\":\"big\",\"value\":{\"intValue\":\"-9223372036854775808\"}},{"
	 "\"key\":\"blob\",\"value\":{\"bytesValue\":\"AP8=\"}},{\"key\":"
	 "\"ok\",\"value\":{\"boolValue\":true}},{\"key\":\"@jaeger@warnings\","
	 "\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"parent "
	 "span ID=0000000000000009 is not in the trace; skipping clock skew "
	 "adjustment\"}]}}}],\"status\":{}}]}]}]}}"},
	{"/api/v3/traces/0000000000000003?startTime=2026-11-22T00:00:00 "
	 "01:00&raw_traces=true",
	 200,
	 "{\"result\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"mail*\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"00000000000000000000000000000003\",\"spanId\":\"0000000000000005\","
	 "\"parentSpanId\":\"0000000000000009\",\"name\":\"send\",\"kind\":5,"
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"endTimeUnixNano\":"
	 "\"1795341470005000000\",\"attributes\":[{\"key\":\"<script>\\u001b["
	 "31m\",\"value\":{\"stringValue\":\"a\\\"b\\\\\357\277\275\"}},{"
	 "\"key\":\"big\",\"value\":{\"intValue\":\"-9223372036854775808\"}},{"
	 "\"key\":\"blob\",\"value\":{\"bytesValue\":\"AP8=\"}},{\"key\":"
	 "\"ok\",\"value\":{\"boolValue\":true}}],\"status\":{}}]}]}]}}"},
	{"/api/v3/traces/4", 404,
	 "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}"},
	{"/api/v3/traces/x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "trace_id: strconv.ParseUint: parsing \\\"x\\\": invalid syntax\"}}"},
	{"/api/v3/traces/3?startTime=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "startTime: parsing time \\\"x\\\" as "
	 "\\\"2006-01-02T15:04:05.999999999Z07:00\\\": cannot parse \\\"x\\\" "
	 "as \\\"2006\\\"\"}}"},
	{"/api/v3/traces/3?rawTraces=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "rawTraces: strconv.ParseBool: parsing \\\"x\\\": invalid syntax\"}}"},
	{"/api/v3/traces/000000000000000000000000000000003", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "trace_id: TraceID cannot be longer than 32 hex characters: "
	 "000000000000000000000000000000003\"}}"},
	{"/api/v3/traces/%zz", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "trace_id: strconv.ParseUint: parsing \\\"%\\\": invalid syntax\"}}"},
	{"/api/v3/traces", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.startTimeMin and "
	 "query.startTimeMax are required\"}}"},
	{"/api/v3/traces?query.startTimeMin=2026-11-22T00:00:00Z", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.startTimeMin and "
	 "query.startTimeMax are required\"}}"},
	{"/api/v3/"
	 "traces?query.startTimeMin=2026-11-22T00:00:00Z&query.startTimeMax="
	 "2026-11-22T00:00:00Z",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.startTimeMin must "
	 "be before query.startTimeMax\"}}"},
	{"/api/v3/"
	 "traces?query.startTimeMin=2026-11-22T00:00:00Z&query.startTimeMax=y",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.startTimeMax: parsing time \\\"y\\\" as "
	 "\\\"2006-01-02T15:04:05.999999999Z07:00\\\": cannot parse \\\"y\\\" "
	 "as \\\"2006\\\"\"}}"},
	{"/api/v3/traces?" DAY "&query.durationMin=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.durationMin: time: invalid duration \\\"x\\\"\"}}"},
	{"/api/v3/traces?" DAY "&query.duration_max=1", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.duration_max: time: missing unit in duration \\\"1\\\"\"}}"},
	{"/api/v3/traces?" DAY "&query.searchDepth=0", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"search depth must be "
	 "greater than 0 and not more than 10000\"}}"},
	{"/api/v3/traces?" DAY "&query.num_traces=10001", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"search depth must be "
	 "greater than 0 and not more than 10000\"}}"},
	{"/api/v3/traces?" DAY "&query.num_traces=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.num_traces: strconv.ParseInt: parsing \\\"x\\\": invalid "
	 "syntax\"}}"},
	{"/api/v3/traces?" DAY "&query.attributes={\"a\":1}", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.attributes: json: cannot unmarshal number into Go value of "
	 "type string\"}}"},
	{"/api/v3/traces?" DAY "&query.attributes=[]", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.attributes: json: cannot unmarshal array into Go value of type "
	 "map[string]string\"}}"},
	{"/api/v3/traces?" DAY "&query.rawTraces=2", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.rawTraces: strconv.ParseBool: parsing \\\"2\\\": invalid "
	 "syntax\"}}"},
	{"/api/v3/traces?" DAY "&query.filter={}", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.filter: unknown filter operator \\\"\\\"\"}}"},
	{"/api/v3/traces?" DAY
	 "&query.filter={\"op\":\"eq\",\"args\":[{\"field\":{\"name\":"
	 "\"endTime\",\"level\":\"span\"}},{\"scalar\":{\"value\":\"\"}}]}",
	 501,
	 "{\"error\":{\"httpCode\":501,\"message\":\"malformed parameter "
	 "query.filter: this store cannot filter by the field "
	 "\\\"endTime\\\"\"}}"},
	{"/api/v3/traces?" DAY
	 "&query.filter={\"op\":\"regex\",\"args\":[{\"attr\":{\"key\":\"a\"}},"
	 "{\"scalar\":{\"value\":\"(\"}}]}",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"expression, column 11: "
	 "regular expression, column 10: missing closing parenthesis\"}}"},
	{"/api/v3/traces?" DAY "&query.serviceName=a&query.filter={}", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.filter cannot be "
	 "combined with serviceName, operationName, attributes, durationMin or "
	 "durationMax; express those predicates in the filter instead\"}}"},
	{"/api/v3/traces?" DAY "&query.serviceName=nobody", 404,
	 "{\"error\":{\"httpCode\":404,\"message\":\"No traces found\"}}"},
	{"/api/v3/traces?" DAY "&query.serviceName=mail%00", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"a text with a zero "
	 "byte\"}}"},
	{"/api/v3/traces?" DAY "&query.operationName=GET /", 200,
	 "{\"result\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},{"
	 "\"key\":\"host.name\",\"value\":{\"stringValue\":\"h1\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"aa000000000000000000000000000001\",\"spanId\":\"0000000000000001\","
	 "\"name\":\"GET "
	 "/\",\"kind\":2,\"startTimeUnixNano\":\"1795341590000000000\","
	 "\"endTimeUnixNano\":\"1795341590100000000\",\"attributes\":[],"
	 "\"status\":{}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"spanId\":\"0000000000000002\",\"parentSpanId\":"
	 "\"0000000000000001\",\"name\":\"call "
	 "cart\",\"kind\":3,\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"endTimeUnixNano\":\"1795341590080000000\",\"attributes\":[{\"key\":"
	 "\"peer.service\",\"value\":{\"stringValue\":\"cart\"}}],\"status\":{}"
	 "}]}]},{\"resource\":{\"attributes\":[{\"key\":\"service.name\","
	 "\"value\":{\"stringValue\":\"cart\"}}]},\"scopeSpans\":[{\"scope\":{}"
	 ",\"spans\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"spanId\":\"0000000000000003\",\"parentSpanId\":"
	 "\"0000000000000002\",\"name\":\"add "
	 "<b>\",\"kind\":2,\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"endTimeUnixNano\":\"1795341590070000000\",\"attributes\":[{\"key\":"
	 "\"http.status_code\",\"value\":{\"intValue\":\"500\"}}],\"events\":[{"
	 "\"timeUnixNano\":\"1795341590050000000\",\"name\":\"exception\","
	 "\"attributes\":[{\"key\":\"message\",\"value\":{\"stringValue\":\"no "
	 "stock\"}}]}],\"status\":{\"code\":2}}]}]},{\"resource\":{"
	 "\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
	 "\"shop\"}},{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h1\"}}"
	 "]},\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"aa000000000000000000000000000002\",\"spanId\":\"0000000000000004\","
	 "\"name\":\"GET "
	 "/\",\"kind\":2,\"startTimeUnixNano\":\"1795341530000000000\","
	 "\"endTimeUnixNano\":\"1795341530020000000\",\"attributes\":[],"
	 "\"status\":{}}]}]}]}}"},
	{"/api/v3/trace-summaries?" DAY, 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341590000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341590100000000\",\"spanCount\":3,"
	 "\"errorSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":"
	 "1,\"errorSpanCount\":1},{\"name\":\"shop\",\"spanCount\":2,"
	 "\"errorSpanCount\":0}]},{\"traceId\":"
	 "\"aa000000000000000000000000000002\",\"rootServiceName\":\"shop\","
	 "\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341530000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341530020000000\",\"spanCount\":1,"
	 "\"errorSpanCount\":0,\"services\":[{\"name\":\"shop\",\"spanCount\":"
	 "1,\"errorSpanCount\":0}]},{\"traceId\":"
	 "\"00000000000000000000000000000003\",\"rootServiceName\":\"\","
	 "\"rootOperationName\":\"\",\"minStartTimeUnixNano\":"
	 "\"1795341470000000000\",\"maxEndTimeUnixNano\":"
	 "\"1795341470005000000\",\"spanCount\":1,\"errorSpanCount\":0,"
	 "\"orphanSpanCount\":1,\"services\":[{\"name\":\"mail*\","
	 "\"spanCount\":1,\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY "&query.serviceName=mail*", 200,
	 "{\"summaries\":[{\"traceId\":\"00000000000000000000000000000003\","
	 "\"rootServiceName\":\"\",\"rootOperationName\":\"\","
	 "\"minStartTimeUnixNano\":\"1795341470000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341470005000000\",\"spanCount\":1,"
	 "\"errorSpanCount\":0,\"orphanSpanCount\":1,\"services\":[{\"name\":"
	 "\"mail*\",\"spanCount\":1,\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY "&query.service_name=ma*", 200,
	 "{\"summaries\":[]}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.serviceName=shop&query.operationName=GET "
	 "/&query.durationMin=50ms",
	 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341590000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341590100000000\",\"spanCount\":3,"
	 "\"errorSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":"
	 "1,\"errorSpanCount\":1},{\"name\":\"shop\",\"spanCount\":2,"
	 "\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY "&query.searchDepth=1", 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341590000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341590100000000\",\"spanCount\":3,"
	 "\"errorSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":"
	 "1,\"errorSpanCount\":1},{\"name\":\"shop\",\"spanCount\":2,"
	 "\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.attributes={\"http.status_code\":\"500\",\"error\":\"true\"}",
	 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341590000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341590100000000\",\"spanCount\":3,"
	 "\"errorSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":"
	 "1,\"errorSpanCount\":1},{\"name\":\"shop\",\"spanCount\":2,"
	 "\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.attributes={\"http.status_code\":\"500\",\"error\":\"false\"}",
	 200, "{\"summaries\":[]}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.serviceName=mail*&query.traceql={ duration < 1s }",
	 200,
	 "{\"summaries\":[{\"traceId\":\"00000000000000000000000000000003\","
	 "\"rootServiceName\":\"\",\"rootOperationName\":\"\","
	 "\"minStartTimeUnixNano\":\"1795341470000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341470005000000\",\"spanCount\":1,"
	 "\"errorSpanCount\":0,\"orphanSpanCount\":1,\"services\":[{\"name\":"
	 "\"mail*\",\"spanCount\":1,\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.serviceName=mail*&query.traceql={ duration > 1s }",
	 200, "{\"summaries\":[]}"},
	{"/api/v3/trace-summaries?" DAY "&query.traceql={ nonsense }", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"expression, column 3: "
	 "'nonsense' is no field: an attribute is written .nonsense or "
	 "span.nonsense, a text in quotes\"}}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.traceql={}&query.filter={\"op\":\"gt\"}",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.filter cannot be "
	 "combined with query.traceql\"}}"},
	{"/api/v3/trace-summaries?" DAY
	 "&query.filter={\"op\":\"gt\",\"args\":[{\"attr\":{\"key\":\"http."
	 "status_code\"}},{\"scalar\":{\"value\":\"400\",\"type\":\"int\"}}]}",
	 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341590000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341590100000000\",\"spanCount\":3,"
	 "\"errorSpanCount\":1,\"services\":[{\"name\":\"cart\",\"spanCount\":"
	 "1,\"errorSpanCount\":1},{\"name\":\"shop\",\"spanCount\":2,"
	 "\"errorSpanCount\":0}]}]}"},
	{"/api/v3/"
	 "trace-summaries?query.startTimeMin=2026-11-22T09:58:50Z&query."
	 "startTimeMax=2026-11-22T09:58:50Z",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"query.startTimeMin must "
	 "be before query.startTimeMax\"}}"},
	{"/api/v3/"
	 "trace-summaries?query.startTimeMin=2026-11-22T09:58:49Z&query."
	 "startTimeMax=2026-11-22T09:58:50Z",
	 200,
	 "{\"summaries\":[{\"traceId\":\"aa000000000000000000000000000002\","
	 "\"rootServiceName\":\"shop\",\"rootOperationName\":\"GET "
	 "/\",\"minStartTimeUnixNano\":\"1795341530000000000\","
	 "\"maxEndTimeUnixNano\":\"1795341530020000000\",\"spanCount\":1,"
	 "\"errorSpanCount\":0,\"services\":[{\"name\":\"shop\",\"spanCount\":"
	 "1,\"errorSpanCount\":0}]}]}"},
	{"/api/v3/trace-summaries?query.startTimeMin=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "query.startTimeMin: parsing time \\\"x\\\" as "
	 "\\\"2006-01-02T15:04:05.999999999Z07:00\\\": cannot parse \\\"x\\\" "
	 "as \\\"2006\\\"\"}}"},
	{"/api/v3/dependencies", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"startTime and endTime are "
	 "required\"}}"},
	{"/api/v3/"
	 "dependencies?startTime=2026-11-22T00:00:00Z&endTime=2026-11-22T00:00:"
	 "00Z",
	 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"endTime must be after "
	 "startTime\"}}"},
	{"/api/v3/"
	 "dependencies?start_time=2026-11-22T00:00:00Z&end_time=2026-11-23T00:"
	 "00:00Z",
	 200,
	 "{\"dependencies\":[{\"parent\":\"shop\",\"child\":\"cart\","
	 "\"callCount\":\"1\"}]}"},
	{"/api/v3/dependencies?start_time=2026-11-22T00:00:00Z&end_time=x", 400,
	 "{\"error\":{\"httpCode\":400,\"message\":\"malformed parameter "
	 "end_time: parsing time \\\"x\\\" as "
	 "\\\"2006-01-02T15:04:05.999999999Z07:00\\\": cannot parse \\\"x\\\" "
	 "as \\\"2006\\\"\"}}"},
};

/* Of a trace that is too long the first spans, and that they are that. */
static void test_cut(struct serve_test *t)
{
	struct serve_reply r;

	t->s.max_spans = 2;
	serve_test_get(t, "/api/v3/traces/aa000000000000000000000000000001",
		       &r);
	ok(strstr(r.body.p, "{\"key\":\"@jaeger@warnings\",\"value\":"
			    "{\"arrayValue\":{\"values\":[{\"stringValue\":"
			    "\"trace has more than 2 spans, showing first 2 "
			    "spans only\"}]}}}"),
	   "a warning");
	ok(strstr(r.body.p, "call cart") && !strstr(r.body.p, "add <b>"),
	   "and two spans");
	serve_reply_release(&r);
	t->s.max_spans = 3;
	serve_test_get(t, "/api/v3/traces/aa000000000000000000000000000001",
		       &r);
	ok(!strstr(r.body.p, "warning") && strstr(r.body.p, "add <b>"),
	   "three are not too many");
	serve_reply_release(&r);
}

/* A cut trace whose first span has something to say: what it says then. */
static void cut_says(struct serve_test *t, struct span *two, uint8_t trace,
		     const char *want)
{
	char target[] = "/api/v3/traces/aa000000000000000000000000000000";
	struct serve_reply r;

	two[0].trace_id[15] = two[1].trace_id[15] = trace;
	target[sizeof(target) - 2] = (char)('0' + trace);
	serve_test_add(t, two, 2);
	serve_test_get(t, target, &r);
	ok(strstr(r.body.p, want), "trace %u says: %s", trace, want);
	serve_reply_release(&r);
}

/* There is one list of warnings, and what is no list is no part of it. */
static void test_cut_warned(struct serve_test *t,
			    const struct serve_spans *spans)
{
	struct span_value text = {SPAN_STRING, {SPAN_STR("late")}};
	struct span_attr a[2] = {
		{SPAN_STR("@jaeger@warnings"),
		 {SPAN_ARRAY, {.array = {&text, 1}}}},
		{SPAN_STR("b"), {SPAN_BOOL, {.b = true}}},
	};
	struct span two[2] = {
		serve_span(8, 1, 0, &spans->cart, "root", 2, 9, 5),
		serve_span(8, 2, 1, &spans->cart, "leaf", 2, 8, 1),
	};

	two[0].attrs = (struct span_attrs){a, 2, 0};
	t->s.max_spans = 1;
	cut_says(
		t, two, 8,
		"\"attributes\":[{\"key\":\"@jaeger@warnings\",\"value\":"
		"{\"arrayValue\":{\"values\":[{\"stringValue\":\"late\"},"
		"{\"stringValue\":\"trace has more than 1 spans, showing first "
		"1 spans only\"}]}}},{\"key\":\"b\",");
	a[0].value = text;
	cut_says(
		t, two, 9,
		"\"attributes\":[{\"key\":\"@jaeger@warnings\",\"value\":"
		"{\"stringValue\":\"late\"}},{\"key\":\"b\",\"value\":"
		"{\"boolValue\":true}},{\"key\":\"@jaeger@warnings\",\"value\":"
		"{\"arrayValue\":{\"values\":["
		"{\"stringValue\":\"trace has more than 1 spans, showing first "
		"1 spans only\"}]}}}]");
	t->s.max_spans = 3;
}

/* Kinds that are shown alike are one operation. */
static void test_kinds(struct serve_test *t, const struct serve_spans *spans)
{
	static const uint8_t kinds[] = {0, 1, 2, 9};
	struct span v[4];

	for (uint8_t i = 0; i < 4; i++) {
		v[i] = serve_span(7, i, 0, &spans->cart, "job", kinds[i], i, 1);
		v[i].span_id[6] = 1;
	}
	serve_test_add(t, v, 4);
	serve_test_is(t, "/api/v3/operations?service=cart", 200,
		      "{\"operations\":[{\"name\":\"add <b>\","
		      "\"spanKind\":\"server\"},{\"name\":\"job\","
		      "\"spanKind\":\"internal\"},{\"name\":\"job\","
		      "\"spanKind\":\"server\"}]}");
}

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	test_cut(&t);
	test_kinds(&t, &spans);
	test_cut_warned(&t, &spans);
	serve_test_close(&t);
	return done_testing();
}
