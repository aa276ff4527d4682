/* SPDX-License-Identifier: Apache-2.0 */
/* The API of Grafana Tempo, request by request. */
#include "serve-spans.h"

#include <span/codec.h>

#define NO_METRICS                                                             \
	"TraceQL metrics are not supported by span-serve: rates, errors and "  \
	"latencies are at /api/metrics/calls, errors and latencies, and "      \
	"span-stats has them for Prometheus\n"

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} rows[] = {
	{"/api/echo", 200, "echo"},
	{"/api/search?q={}", 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}},{\"traceID\":"
	 "\"aa000000000000000000000000000002\",\"rootServiceName\":\"shop\","
	 "\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341530000000000\",\"durationMs\":20,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000004\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341530000000000\",\"durationNanos\":"
	 "\"20000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]}],\"matched\":1},\"spanSets\":[{"
	 "\"spans\":[{\"spanID\":\"0000000000000004\",\"name\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341530000000000\",\"durationNanos\":"
	 "\"20000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]}],\"matched\":1}],\"serviceStats\":{"
	 "\"shop\":{\"spanCount\":1}}},{\"traceID\":\"0000000000000003\","
	 "\"rootServiceName\":\"<root span not yet "
	 "received>\",\"rootTraceName\":\"\",\"startTimeUnixNano\":"
	 "\"1795341470000000000\",\"durationMs\":5,\"spanSet\":{\"spans\":[{"
	 "\"spanID\":\"0000000000000005\",\"name\":\"send\","
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"durationNanos\":"
	 "\"5000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"mail*\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"consumer\"}}]}],\"matched\":1},\"spanSets\":[{"
	 "\"spans\":[{\"spanID\":\"0000000000000005\",\"name\":\"send\","
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"durationNanos\":"
	 "\"5000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"mail*\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"consumer\"}}]}],\"matched\":1}],\"serviceStats\":{"
	 "\"mail*\":{\"spanCount\":1}}}],\"metrics\":{}}"},
	{"/api/search?q={ status = error }&spss=1", 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000003\",\"name\":"
	 "\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":1},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000003\",\"name\":"
	 "\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":1}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}}],\"metrics\":{}}"},
	{"/api/search?tags=service.name=SHO http.status_code=50", 200,
	 "{\"traces\":[],\"metrics\":{}}"},
	{"/api/search?tags=service.name=shop&minDuration=50ms&maxDuration=1s",
	 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]}],\"matched\":2},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]}],\"matched\":2}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}}],\"metrics\":{}}"},
	{"/api/search?tags=\"message\"=\"no stock\" name=\"ADD <B>\"", 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000003\",\"name\":"
	 "\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":1},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000003\",\"name\":"
	 "\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":1}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}}],\"metrics\":{}}"},
	{"/api/search?q={ name = \"nothing\" }", 200,
	 "{\"traces\":[],\"metrics\":{}}"},
	{"/api/search?q={ x", 400,
	 "invalid TraceQL query: expression, column 3: 'x' is no field: an "
	 "attribute is written .x or span.x, a text in quotes\n"},
	{"/api/search?q={}|rate()", 400,
	 "invalid TraceQL query: expression, column 4: rate() is a metrics "
	 "function, which is not supported in a search: see span-stats(1)\n"},
	{"/api/search?limit=0", 400,
	 "invalid limit: must be a positive number\n"},
	{"/api/search?limit=10001", 400,
	 "invalid limit: not more than 10000\n"},
	{"/api/search?limit=1", 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}}],\"metrics\":{}}"},
	{"/api/search?start=x", 400,
	 "invalid start: 'x' is no time in seconds since 1970\n"},
	{"/api/search?start=1795341580&end=1795341600", 200,
	 "{\"traces\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"rootServiceName\":\"shop\",\"rootTraceName\":\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationMs\":100,"
	 "\"spanSet\":{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3},"
	 "\"spanSets\":[{\"spans\":[{\"spanID\":\"0000000000000001\",\"name\":"
	 "\"GET "
	 "/\",\"startTimeUnixNano\":\"1795341590000000000\",\"durationNanos\":"
	 "\"100000000\",\"attributes\":[{\"key\":\"service.name\",\"value\":{"
	 "\"stringValue\":\"shop\"}},{\"key\":\"kind\",\"value\":{"
	 "\"stringValue\":\"server\"}}]},{\"spanID\":\"0000000000000002\","
	 "\"name\":\"call "
	 "cart\",\"startTimeUnixNano\":\"1795341590020000000\","
	 "\"durationNanos\":\"60000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"client\"}}]},{\"spanID\":"
	 "\"0000000000000003\",\"name\":\"add "
	 "<b>\",\"startTimeUnixNano\":\"1795341590030000000\","
	 "\"durationNanos\":\"40000000\",\"attributes\":[{\"key\":\"service."
	 "name\",\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"kind\","
	 "\"value\":{\"stringValue\":\"server\"}},{\"key\":\"status\","
	 "\"value\":{\"stringValue\":\"error\"}}]}],\"matched\":3}],"
	 "\"serviceStats\":{\"cart\":{\"spanCount\":1,\"errorCount\":1},"
	 "\"shop\":{\"spanCount\":2}}}],\"metrics\":{}}"},
	{"/api/search?minDuration=x", 400,
	 "invalid minDuration: time: invalid duration \"x\"\n"},
	{"/api/search?spss=x", 400,
	 "invalid spss: strconv.ParseInt: parsing \"x\": invalid syntax\n"},
	{"/api/v2/traces/3", 200,
	 "{\"trace\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"mail*\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"00000000000000000000000000000003\",\"spanId\":\"0000000000000005\","
	 "\"parentSpanId\":\"0000000000000009\",\"name\":\"send\",\"kind\":5,"
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"endTimeUnixNano\":"
	 "\"1795341470005000000\",\"attributes\":[{\"key\":\"<script>\\u001b["
	 "31m\",\"value\":{\"stringValue\":\"a\\\"b\\\\\357\277\275\"}},{"
	 "\"key\":\"big\",\"value\":{\"intValue\":\"-9223372036854775808\"}},{"
	 "\"key\":\"blob\",\"value\":{\"bytesValue\":\"AP8=\"}},{\"key\":"
	 "\"ok\",\"value\":{\"boolValue\":true}}],\"status\":{}}]}]}]},"
	 "\"metrics\":{}}"},
	{"/api/v2/traces/4", 404, "trace not found\n"},
	{"/api/v2/traces/x", 400,
	 "trace IDs can only contain hex characters: x\n"},
	{"/api/v2/traces/000000000000000000000000000000003", 400,
	 "trace IDs can't be larger than 128 bits\n"},
	{"/api/v2/traces/3?start=1&end=2", 200,
	 "{\"trace\":{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
	 "\"key\":\"service.name\",\"value\":{\"stringValue\":\"mail*\"}}]},"
	 "\"scopeSpans\":[{\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"00000000000000000000000000000003\",\"spanId\":\"0000000000000005\","
	 "\"parentSpanId\":\"0000000000000009\",\"name\":\"send\",\"kind\":5,"
	 "\"startTimeUnixNano\":\"1795341470000000000\",\"endTimeUnixNano\":"
	 "\"1795341470005000000\",\"attributes\":[{\"key\":\"<script>\\u001b["
	 "31m\",\"value\":{\"stringValue\":\"a\\\"b\\\\\357\277\275\"}},{"
	 "\"key\":\"big\",\"value\":{\"intValue\":\"-9223372036854775808\"}},{"
	 "\"key\":\"blob\",\"value\":{\"bytesValue\":\"AP8=\"}},{\"key\":"
	 "\"ok\",\"value\":{\"boolValue\":true}}],\"status\":{}}]}]}]},"
	 "\"metrics\":{}}"},
	{"/api/v2/traces/3?start=x", 400,
	 "invalid start: 'x' is no time in seconds since 1970\n"},
	{"/api/search/tags", 200,
	 "{\"tagNames\":[\"<script>\\u001b[31m\",\"big\",\"blob\",\"host."
	 "name\",\"http.status_code\",\"message\",\"ok\",\"peer.service\","
	 "\"service.name\"],\"metrics\":{}}"},
	{"/api/search/tags?scope=resource", 200,
	 "{\"tagNames\":[\"host.name\",\"service.name\"],\"metrics\":{}}"},
	{"/api/search/tags?scope=intrinsic", 200,
	 "{\"tagNames\":[\"duration\",\"event:name\",\"event:timeSinceStart\","
	 "\"instrumentation:name\",\"instrumentation:version\",\"kind\",\"link:"
	 "spanID\",\"link:traceID\",\"name\",\"rootName\",\"rootServiceName\","
	 "\"span:childCount\",\"span:duration\",\"span:id\",\"span:kind\","
	 "\"span:name\",\"span:parentID\",\"span:status\",\"span:"
	 "statusMessage\",\"status\",\"statusMessage\",\"trace:duration\","
	 "\"trace:id\",\"trace:rootName\",\"trace:rootService\","
	 "\"traceDuration\"],\"metrics\":{}}"},
	{"/api/search/tags?scope=x", 400, "invalid scope: x\n"},
	{"/api/v2/search/tags", 200,
	 "{\"scopes\":[{\"name\":\"resource\",\"tags\":[\"host.name\","
	 "\"service.name\"]},{\"name\":\"span\",\"tags\":[\"<script>\\u001b["
	 "31m\",\"big\",\"blob\",\"http.status_code\",\"ok\",\"peer.service\"]}"
	 ",{\"name\":\"event\",\"tags\":[\"message\"]},{\"name\":\"intrinsic\","
	 "\"tags\":[\"duration\",\"event:name\",\"event:timeSinceStart\","
	 "\"instrumentation:name\",\"instrumentation:version\",\"kind\",\"link:"
	 "spanID\",\"link:traceID\",\"name\",\"rootName\",\"rootServiceName\","
	 "\"span:childCount\",\"span:duration\",\"span:id\",\"span:kind\","
	 "\"span:name\",\"span:parentID\",\"span:status\",\"span:"
	 "statusMessage\",\"status\",\"statusMessage\",\"trace:duration\","
	 "\"trace:id\",\"trace:rootName\",\"trace:rootService\","
	 "\"traceDuration\"]}],\"metrics\":{}}"},
	{"/api/v2/search/tags?scope=span&q={ name = \"send\" }", 200,
	 "{\"scopes\":[{\"name\":\"span\",\"tags\":[\"<script>\\u001b[31m\","
	 "\"big\",\"blob\",\"ok\"]}],\"metrics\":{}}"},
	{"/api/v2/search/tags?scope=span&q={ name =", 200,
	 "{\"scopes\":[{\"name\":\"span\",\"tags\":[\"<script>\\u001b[31m\","
	 "\"big\",\"blob\",\"http.status_code\",\"ok\",\"peer.service\"]}],"
	 "\"metrics\":{}}"},
	{"/api/v2/search/tags?scope=event", 200,
	 "{\"scopes\":[{\"name\":\"event\",\"tags\":[\"message\"]}],"
	 "\"metrics\":{}}"},
	{"/api/v2/search/tags?limit=1&scope=span", 200,
	 "{\"scopes\":[{\"name\":\"span\",\"tags\":[\"peer.service\"]}],"
	 "\"metrics\":{}}"},
	{"/api/search/tag/service.name/values", 200,
	 "{\"tagValues\":[\"cart\",\"mail*\",\"shop\"],\"metrics\":{}}"},
	{"/api/search/tag/http.status_code/values", 200,
	 "{\"tagValues\":[\"500\"],\"metrics\":{}}"},
	{"/api/v2/search/tag/resource.service.name/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"cart\"},{\"type\":"
	 "\"string\",\"value\":\"mail*\"},{\"type\":\"string\",\"value\":"
	 "\"shop\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/name/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"GET "
	 "/\"},{\"type\":\"string\",\"value\":\"add "
	 "<b>\"},{\"type\":\"string\",\"value\":\"call "
	 "cart\"},{\"type\":\"string\",\"value\":\"send\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/name/values?q={ resource.service.name = \"shop\" "
	 "}",
	 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"GET "
	 "/\"},{\"type\":\"string\",\"value\":\"call cart\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/span.http.status_code/values", 200,
	 "{\"tagValues\":[{\"type\":\"int\",\"value\":\"500\"}],\"metrics\":{}"
	 "}"},
	{"/api/v2/search/tag/.ok/values", 200,
	 "{\"tagValues\":[{\"type\":\"bool\",\"value\":\"true\"}],\"metrics\":{"
	 "}}"},
	{"/api/v2/search/tag/span.big/values", 200,
	 "{\"tagValues\":[{\"type\":\"int\",\"value\":\"-9223372036854775808\"}"
	 "],\"metrics\":{}}"},
	{"/api/v2/search/tag/status/values", 200,
	 "{\"tagValues\":[{\"type\":\"keyword\",\"value\":\"error\"},{\"type\":"
	 "\"keyword\",\"value\":\"ok\"},{\"type\":\"keyword\",\"value\":"
	 "\"unset\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/kind/values", 200,
	 "{\"tagValues\":[{\"type\":\"keyword\",\"value\":\"client\"},{"
	 "\"type\":\"keyword\",\"value\":\"consumer\"},{\"type\":\"keyword\","
	 "\"value\":\"internal\"},{\"type\":\"keyword\",\"value\":\"producer\"}"
	 ",{\"type\":\"keyword\",\"value\":\"server\"},{\"type\":\"keyword\","
	 "\"value\":\"unspecified\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/event.message/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"no "
	 "stock\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/event:name/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"exception\"}],"
	 "\"metrics\":{}}"},
	{"/api/v2/search/tag/rootName/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"GET "
	 "/\"}],\"metrics\":{}}"},
	{"/api/v2/search/tag/.nothing/values", 200,
	 "{\"tagValues\":[],\"metrics\":{}}"},
	{"/api/v2/search/tag/%zz/values", 400,
	 "invalid tag name: invalid URL escape in the path\n"},
	/* Grafana escapes twice. */
	{"/api/v2/search/tag/event%253Aname/values", 200,
	 "{\"tagValues\":[{\"type\":\"string\",\"value\":\"exception\"}],"
	 "\"metrics\":{}}"},
	{"/api/v2/search/tag/100%25/values", 200,
	 "{\"tagValues\":[],\"metrics\":{}}"},
	{"/api/status/buildinfo", 200,
	 "{\"version\":\"2.7.0\",\"revision\":\"span-serve\","
	 "\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\","
	 "\"goVersion\":\"\"}"},
	{"/api/metrics/query_range?q={}|rate()&start=1&end=2", 501, NO_METRICS},
	{"/api/metrics/query?q={}|rate()&start=1&end=2", 501, NO_METRICS},
};

static void ask_protobuf(struct serve_test *t, const char *target,
			 struct serve_reply *r)
{
	const struct span__serve_request request = {
		.accept = SPAN_STR("text/html, application/protobuf;q=0.9")};

	serve_test_ask(t, "GET", request, target, r);
}

/* For who accepts it, /api/traces too is Tempo's. */
static void test_protobuf(struct serve_test *t)
{
	struct serve_reply v1, v2;
	struct span_decoder *d = NULL;
	struct span_error err = {0};
	int rc = span_decoder_open(&d, NULL, &err);

	serve_test_must(!rc, "decoder", &err);
	ask_protobuf(t, "/api/traces/aa000000000000000000000000000001", &v1);
	is_uint(v1.status, 200, "version 1");
	is_str(v1.type, "application/protobuf", "is protobuf");
	is_int(span_decoder_message(d, SPAN_FORMAT_OTLP_PROTO, v1.body.p,
				    v1.body.len, NULL, NULL, &err),
	       3, "of three spans");
	ask_protobuf(t, "/api/v2/traces/aa000000000000000000000000000001", &v2);
	is_str(v2.type, "application/protobuf", "version 2 too");
	is_uint((uint8_t)v2.body.p[0], 10, "the first field of an answer");
	is_uint(v2.body.len - v1.body.len, 3, "with its length before it");
	is_uint((uint8_t)v2.body.p[1] - 128u + 128u * (uint8_t)v2.body.p[2],
		v1.body.len, "which is that of version 1");
	ok(!memcmp(v2.body.p + 3, v1.body.p, v1.body.len), "and so is it");
	serve_reply_release(&v1);
	serve_reply_release(&v2);
	ask_protobuf(t, "/api/v2/traces/4", &v2);
	is_uint(v2.status, 404, "what is not there");
	serve_reply_release(&v2);
	ask_protobuf(t, "/api/v3/services", &v2);
	is_str(v2.type, "application/json", "others do not mind");
	serve_reply_release(&v2);
	span_decoder_close(&d);
}

static void test_cut(struct serve_test *t)
{
	struct span_decoder *d = NULL;
	struct span_error err = {0};
	struct serve_reply r;
	int rc = span_decoder_open(&d, NULL, &err);

	serve_test_must(!rc, "decoder", &err);
	t->s.max_spans = 2;
	ask_protobuf(t, "/api/traces/aa000000000000000000000000000001", &r);
	is_int(span_decoder_message(d, SPAN_FORMAT_OTLP_PROTO, r.body.p,
				    r.body.len, NULL, NULL, &err),
	       2, "of a trace that is too long two spans");
	ok(memmem(r.body.p, r.body.len, "showing first 2 spans only", 26),
	   "and that there are more");
	serve_reply_release(&r);
	t->s.max_spans = 1000000;
	span_decoder_close(&d);
}

/* 32 bits of milliseconds, whatever clocks say: else Grafana shows nothing. */
static void test_long(struct serve_test *t, const struct serve_spans *spans)
{
	struct span s =
		serve_span(8, 1, 0, &spans->cart, "long", 2, 5000, 5000000000);
	struct serve_reply r;

	serve_test_add(t, &s, 1);
	serve_test_get(t, "/api/search?q={ name = \"long\" }", &r);
	ok(strstr(r.body.p, "\"durationMs\":4294967295,"), "a long trace");
	serve_reply_release(&r);
}

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	test_protobuf(&t);
	test_cut(&t);
	test_long(&t, &spans);
	serve_test_close(&t);
	return done_testing();
}
