/* SPDX-License-Identifier: Apache-2.0 */
/* Zipkin's API, request by request. */
#include "serve-spans.h"

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} rows[] = {
	{"/api/v2/services", 200, "[\"cart\",\"mail*\",\"shop\"]"},
	{"/api/v2/spans?serviceName=shop", 200, "[\"GET /\",\"call cart\"]"},
	{"/api/v2/spans?serviceName=nobody", 200, "[]"},
	{"/api/v2/spans", 400,
	 "Required parameter 'serviceName' is missing.\n"},
	{"/api/v2/remoteServices?serviceName=shop", 200, "[\"cart\"]"},
	{"/api/v2/remoteServices?serviceName=cart", 200, "[]"},
	{"/api/v2/remoteServices", 400,
	 "Required parameter 'serviceName' is missing.\n"},
	{"/api/v2/autocompleteKeys", 200,
	 "[\"<script>\\u001b[31m\",\"big\",\"blob\",\"http.status_code\","
	 "\"ok\",\"peer.service\"]"},
	{"/api/v2/autocompleteValues?key=http.status_code", 200, "[\"500\"]"},
	{"/api/v2/autocompleteValues?key=big", 200,
	 "[\"-9223372036854775808\"]"},
	{"/api/v2/autocompleteValues", 400,
	 "Required parameter 'key' is missing.\n"},
	{"/api/v2/dependencies", 400,
	 "Required parameter 'endTs' is missing.\n"},
	{"/api/v2/dependencies?endTs=1795341600000", 200,
	 "[{\"parent\":\"shop\",\"child\":\"cart\",\"callCount\":1,"
	 "\"errorCount\":1}]"},
	{"/api/v2/dependencies?endTs=1795341590000&lookback=60000", 200, "[]"},
	{"/api/v2/dependencies?endTs=x", 400,
	 "endTs: strconv.ParseInt: parsing \"x\": invalid syntax\n"},
	{"/api/v2/traces?serviceName=shop&limit=1", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?serviceName=shop&spanName=call cart", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?serviceName=mail*&spanName=all", 200,
	 "[[{\"traceId\":\"0000000000000003\",\"parentId\":"
	 "\"0000000000000009\",\"id\":\"0000000000000005\",\"kind\":"
	 "\"CONSUMER\",\"name\":\"send\",\"timestamp\":1795341470000000,"
	 "\"duration\":5000,\"localEndpoint\":{\"serviceName\":\"mail*\"},"
	 "\"tags\":{\"<script>\\u001b[31m\":\"a\\\"b\\\\\357\277\275\",\"big\":"
	 "\"-9223372036854775808\",\"blob\":\"00ff\",\"ok\":\"true\"}}]]"},
	{"/api/v2/traces?serviceName=nobody", 200, "[]"},
	{"/api/v2/traces?remoteServiceName=cart", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?annotationQuery=error&limit=5", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?annotationQuery=exception and http.status_code=500",
	 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?annotationQuery=exception and http.status_code=501",
	 200, "[]"},
	{"/api/v2/traces?annotationQuery= and \"\\ and =", 200, "[]"},
	{"/api/v2/traces?minDuration=100000", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000001\",\"id\":"
	 "\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341590000000,\"duration\":100000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}},{\"traceId\":\"aa000000000000000000000000000001\","
	 "\"parentId\":\"0000000000000001\",\"id\":\"0000000000000002\","
	 "\"kind\":\"CLIENT\",\"name\":\"call "
	 "cart\",\"timestamp\":1795341590020000,\"duration\":60000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"remoteEndpoint\":{"
	 "\"serviceName\":\"cart\"},\"tags\":{\"host.name\":\"h1\"}},{"
	 "\"traceId\":\"aa000000000000000000000000000001\",\"parentId\":"
	 "\"0000000000000002\",\"id\":\"0000000000000003\",\"kind\":\"SERVER\","
	 "\"name\":\"add "
	 "<b>\",\"timestamp\":1795341590030000,\"duration\":40000,"
	 "\"localEndpoint\":{\"serviceName\":\"cart\"},\"annotations\":[{"
	 "\"timestamp\":1795341590050000,\"value\":\"{\\\"event\\\":"
	 "\\\"exception\\\",\\\"message\\\":\\\"no "
	 "stock\\\"}\"}],\"tags\":{\"http.status_code\":\"500\",\"otel.status_"
	 "code\":\"ERROR\",\"error\":\"true\"}}]]"},
	{"/api/v2/traces?minDuration=100001", 200, "[]"},
	{"/api/v2/traces?maxDuration=5000", 200,
	 "[[{\"traceId\":\"0000000000000003\",\"parentId\":"
	 "\"0000000000000009\",\"id\":\"0000000000000005\",\"kind\":"
	 "\"CONSUMER\",\"name\":\"send\",\"timestamp\":1795341470000000,"
	 "\"duration\":5000,\"localEndpoint\":{\"serviceName\":\"mail*\"},"
	 "\"tags\":{\"<script>\\u001b[31m\":\"a\\\"b\\\\\357\277\275\",\"big\":"
	 "\"-9223372036854775808\",\"blob\":\"00ff\",\"ok\":\"true\"}}]]"},
	{"/api/v2/traces?endTs=1795341470000&lookback=0", 200,
	 "[[{\"traceId\":\"0000000000000003\",\"parentId\":"
	 "\"0000000000000009\",\"id\":\"0000000000000005\",\"kind\":"
	 "\"CONSUMER\",\"name\":\"send\",\"timestamp\":1795341470000000,"
	 "\"duration\":5000,\"localEndpoint\":{\"serviceName\":\"mail*\"},"
	 "\"tags\":{\"<script>\\u001b[31m\":\"a\\\"b\\\\\357\277\275\",\"big\":"
	 "\"-9223372036854775808\",\"blob\":\"00ff\",\"ok\":\"true\"}}]]"},
	{"/api/v2/traces?limit=0", 400, "limit: out of range\n"},
	{"/api/v2/traces?limit=10001", 400, "limit: out of range\n"},
	{"/api/v2/traces?minDuration=x", 400,
	 "minDuration: strconv.ParseInt: parsing \"x\": invalid syntax\n"},
	{"/api/v2/traces?lookback=-1", 400, "lookback: out of range\n"},
	{"/api/v2/trace/3", 200,
	 "[{\"traceId\":\"0000000000000003\",\"parentId\":\"0000000000000009\","
	 "\"id\":\"0000000000000005\",\"kind\":\"CONSUMER\",\"name\":\"send\","
	 "\"timestamp\":1795341470000000,\"duration\":5000,\"localEndpoint\":{"
	 "\"serviceName\":\"mail*\"},\"tags\":{\"<script>\\u001b[31m\":"
	 "\"a\\\"b\\\\\357\277\275\",\"big\":\"-9223372036854775808\",\"blob\":"
	 "\"00ff\",\"ok\":\"true\"}}]"},
	{"/api/v2/trace/0000000000000003", 200,
	 "[{\"traceId\":\"0000000000000003\",\"parentId\":\"0000000000000009\","
	 "\"id\":\"0000000000000005\",\"kind\":\"CONSUMER\",\"name\":\"send\","
	 "\"timestamp\":1795341470000000,\"duration\":5000,\"localEndpoint\":{"
	 "\"serviceName\":\"mail*\"},\"tags\":{\"<script>\\u001b[31m\":"
	 "\"a\\\"b\\\\\357\277\275\",\"big\":\"-9223372036854775808\",\"blob\":"
	 "\"00ff\",\"ok\":\"true\"}}]"},
	{"/api/v2/trace/4", 404, "trace 4 not found\n"},
	{"/api/v2/trace/xyz", 400,
	 "xyz should be a 1 to 32 character lower-hex string\n"},
	{"/api/v2/trace/%zz", 400,
	 " should be a 1 to 32 character lower-hex string\n"},
	{"/api/v2/traceMany?traceIds=3,aa000000000000000000000000000002", 200,
	 "[[{\"traceId\":\"aa000000000000000000000000000002\",\"id\":"
	 "\"0000000000000004\",\"kind\":\"SERVER\",\"name\":\"GET "
	 "/\",\"timestamp\":1795341530000000,\"duration\":20000,"
	 "\"localEndpoint\":{\"serviceName\":\"shop\"},\"tags\":{\"host.name\":"
	 "\"h1\"}}],[{\"traceId\":\"0000000000000003\",\"parentId\":"
	 "\"0000000000000009\",\"id\":\"0000000000000005\",\"kind\":"
	 "\"CONSUMER\",\"name\":\"send\",\"timestamp\":1795341470000000,"
	 "\"duration\":5000,\"localEndpoint\":{\"serviceName\":\"mail*\"},"
	 "\"tags\":{\"<script>\\u001b[31m\":\"a\\\"b\\\\\357\277\275\",\"big\":"
	 "\"-9223372036854775808\",\"blob\":\"00ff\",\"ok\":\"true\"}}]]"},
	{"/api/v2/traceMany?traceIds=4", 200, "[]"},
	{"/api/v2/traceMany?traceIds=3,x", 400,
	 "x should be a 1 to 32 character lower-hex string\n"},
	{"/api/v2/traceMany", 400, "traceIds parameter is empty\n"},
};

#define ARCHIVED                                                               \
	"[{\"traceId\":\"aa000000000000000000000000000007\",\"id\":"           \
	"\"0000000000000001\",\"kind\":\"SERVER\",\"name\":\"kept\","          \
	"\"timestamp\":1795341599995000,\"duration\":1000,"                    \
	"\"localEndpoint\":{\"serviceName\":\"cart\"}}]"
#define STORED                                                                 \
	"[{\"traceId\":\"aa000000000000000000000000000002\",\"id\":"           \
	"\"0000000000000004\",\"kind\":\"SERVER\",\"name\":\"GET /\","         \
	"\"timestamp\":1795341530000000,\"duration\":20000,"                   \
	"\"localEndpoint\":{\"serviceName\":\"shop\"},"                        \
	"\"tags\":{\"host.name\":\"h1\"}}]"

/* A trace is looked for in the archive when it is not in the store, and is
 * there once. */
static void test_archive(struct serve_test *t, const struct serve_spans *spans)
{
	struct span s = serve_span(7, 1, 0, &spans->cart, "kept", 2, 5, 1);

	serve_test_is(t,
		      "/api/v2/traceMany?traceIds=aa0000000000000000000000"
		      "00000007",
		      200, "[]");
	serve_test_archive(t);
	serve_test_put(t->archive_dir, &s, 1);
	serve_test_is(t, "/api/v2/trace/aa000000000000000000000000000007", 200,
		      ARCHIVED);
	serve_test_is(t,
		      "/api/v2/traceMany?traceIds=aa0000000000000000000000"
		      "00000007",
		      200, "[" ARCHIVED "]");
	serve_test_is(t,
		      "/api/v2/traceMany?traceIds=aa0000000000000000000000"
		      "00000007,4,aa000000000000000000000000000002",
		      200, "[" STORED "," ARCHIVED "]");
	serve_test_put(t->archive_dir, &spans->spans[3], 1);
	serve_test_is(t,
		      "/api/v2/traceMany?traceIds=aa0000000000000000000000"
		      "00000002,aa000000000000000000000000000002,"
		      "aa000000000000000000000000000007",
		      200, "[" STORED "," ARCHIVED "]");
	serve_test_is(t,
		      "/api/v2/traceMany?traceIds=aa0000000000000000000000"
		      "00000007,x",
		      400,
		      "x should be a 1 to 32 character lower-hex "
		      "string\n");
}

/* Of a trace that is too long the first spans, and that they are that. */
static void test_cut(struct serve_test *t)
{
	static const char *const targets[] = {
		"/api/v2/trace/aa000000000000000000000000000001",
		"/api/v2/traces?serviceName=cart",
		"/api/v2/traceMany?traceIds=aa000000000000000000000000000001",
	};

	t->s.max_spans = 2;
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		struct serve_reply r;

		serve_test_get(t, targets[i], &r);
		ok(strstr(r.body.p, "call cart") &&
			   !strstr(r.body.p, "add <b>"),
		   "%s: two spans", targets[i]);
		ok(strstr(r.body.p,
			  "\"@jaeger@warnings\":\"[\\\"trace has more than 2 "
			  "spans, showing first 2 spans only\\\"]\""),
		   "and a tag that says so");
		serve_reply_release(&r);
	}
	t->s.max_spans = 3;
	serve_test_is(t, "/api/v2/trace/4", 404, "trace 4 not found\n");
}

/* Asked for TEXT behind HEAD, the answer has WANT. */
static void long_text(struct serve_test *t, const char *head, const char *text,
		      const char *want)
{
	struct serve_reply r;
	char target[1024];

	snprintf(target, sizeof(target), "%s%s", head, text);
	serve_test_get(t, target, &r);
	ok(r.status == 400 && strstr(r.body.p, want), "%s and %zu bytes", head,
	   strlen(text));
	serve_reply_release(&r);
}

/* What is quoted of a long text ends between two characters. */
static void test_long_texts(struct serve_test *t)
{
	char text[640] = {0}, want[640];

	memset(text, 'x', 199);
	snprintf(want, sizeof(want), "%s should be", text);
	memcpy(text + 199, "\303\274y", 3);
	long_text(t, "/api/v2/trace/", text, want);
	memset(text, 'x', 499);
	snprintf(want, sizeof(want), ": %.499s\"", text);
	memcpy(text + 499, "\303\274y", 3);
	long_text(t, "/api/traces?service=cart&tag=", text, want);
	memset(text, 'g', 500);
	text[500] = 0;
	snprintf(want, sizeof(want), "characters: %s\"", text);
	long_text(t, "/api/traces/", text, want);
}

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	test_archive(&t, &spans);
	test_cut(&t);
	test_long_texts(&t);
	serve_test_close(&t);
	return done_testing();
}
