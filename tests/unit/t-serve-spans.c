/* SPDX-License-Identifier: Apache-2.0 */
/* Our own API, request by request. */
#include "serve-spans.h"

static const struct {
	const char *target;
	unsigned status;
	const char *body;
} rows[] = {
	{"/api/spans?service=cart", 200,
	 "{\"trace_id\":\"aa000000000000000000000000000001\",\"span_id\":"
	 "\"0000000000000003\",\"parent_id\":\"0000000000000002\",\"service\":"
	 "\"cart\",\"name\":\"add "
	 "<b>\",\"kind\":\"server\",\"start\":\"2026-11-22T09:59:50."
	 "030000000Z\",\"start_ns\":1795341590030000000,\"duration_ns\":"
	 "40000000,\"status\":\"error\",\"tags\":{\"http.status_code\":500},"
	 "\"process\":{},\"events\":[{\"time\":\"2026-11-22T09:59:50."
	 "050000000Z\",\"time_ns\":1795341590050000000,\"name\":\"exception\","
	 "\"fields\":{\"message\":\"no stock\"}}],\"refs\":[]}\n"},
	{"/api/spans?format=ids", 200,
	 "aa000000000000000000000000000001:"
	 "0000000000000001\naa000000000000000000000000000001:"
	 "0000000000000002\naa000000000000000000000000000001:"
	 "0000000000000003\naa000000000000000000000000000002:"
	 "0000000000000004\n0000000000000003:"
	 "0000000000000005\n0000000000000003:0000000000000005\n"},
	{"/api/spans?format=ids&traces", 200,
	 "aa000000000000000000000000000001\naa000000000000000000000000000002\n0"
	 "000000000000003\n"},
	{"/api/spans?format=ids&traces=true&limit=1", 200,
	 "aa000000000000000000000000000001\n"},
	{"/api/spans?format=csv&kind=consumer", 200,
	 "trace_id,span_id,parent_id,service,name,kind,start,start_ns,duration_"
	 "ns,status,status_message,tags,process,events\015\n0000000000000003,"
	 "0000000000000005,0000000000000009,\"mail*\",\"send\",consumer,2026-"
	 "11-22T09:57:50.000000000Z,1795341470000000000,5000000,unset,\"\","
	 "\"\"\"<script>\\u001b[31m\"\"=\"\"a\\\"\"b\\\\\357\277\275\"\" "
	 "big=-9223372036854775808 blob=00ff "
	 "ok=true\",\"\",0\015\n0000000000000003,0000000000000005,"
	 "0000000000000009,\"mail*\",\"send\",consumer,2026-11-22T09:57:50."
	 "000000000Z,1795341470000000000,5000000,unset,\"\",\"\"\"<script>"
	 "\\u001b[31m\"\"=\"\"a\\\"\"b\\\\\357\277\275\"\" "
	 "big=-9223372036854775808 blob=00ff ok=true\",\"\",0\015\n"},
	{"/api/spans?format=json&q={ status = error }", 200,
	 "{\"data\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"spans\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"spanID\":\"0000000000000003\",\"operationName\":\"add "
	 "<b>\",\"references\":[{\"refType\":\"CHILD_OF\",\"traceID\":"
	 "\"aa000000000000000000000000000001\",\"spanID\":\"0000000000000002\"}"
	 "],\"startTime\":1795341590030000,\"duration\":40000,\"tags\":[{"
	 "\"key\":\"http.status_code\",\"type\":\"int64\",\"value\":500},{"
	 "\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"},{"
	 "\"key\":\"otel.status_code\",\"type\":\"string\",\"value\":\"ERROR\"}"
	 ",{\"key\":\"error\",\"type\":\"bool\",\"value\":true}],\"logs\":[{"
	 "\"timestamp\":1795341590050000,\"fields\":[{\"key\":\"event\","
	 "\"type\":\"string\",\"value\":\"exception\"},{\"key\":\"message\","
	 "\"type\":\"string\",\"value\":\"no "
	 "stock\"}]}],\"processID\":\"p1\",\"warnings\":null}],\"processes\":{"
	 "\"p1\":{\"serviceName\":\"cart\",\"tags\":[]}},\"warnings\":null}]}"
	 "\n"},
	{"/api/spans?format=json&traces&tag=http.status_code=500", 200,
	 "{\"data\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"spans\":[{\"traceID\":\"aa000000000000000000000000000001\","
	 "\"spanID\":\"0000000000000001\",\"operationName\":\"GET "
	 "/\",\"references\":[],\"startTime\":1795341590000000,\"duration\":"
	 "100000,\"tags\":[{\"key\":\"span.kind\",\"type\":\"string\","
	 "\"value\":\"server\"}],\"logs\":[],\"processID\":\"p1\",\"warnings\":"
	 "null},{\"traceID\":\"aa000000000000000000000000000001\",\"spanID\":"
	 "\"0000000000000002\",\"operationName\":\"call "
	 "cart\",\"references\":[{\"refType\":\"CHILD_OF\",\"traceID\":"
	 "\"aa000000000000000000000000000001\",\"spanID\":\"0000000000000001\"}"
	 "],\"startTime\":1795341590020000,\"duration\":60000,\"tags\":[{"
	 "\"key\":\"peer.service\",\"type\":\"string\",\"value\":\"cart\"},{"
	 "\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"client\"}],"
	 "\"logs\":[],\"processID\":\"p1\",\"warnings\":null},{\"traceID\":"
	 "\"aa000000000000000000000000000001\",\"spanID\":\"0000000000000003\","
	 "\"operationName\":\"add "
	 "<b>\",\"references\":[{\"refType\":\"CHILD_OF\",\"traceID\":"
	 "\"aa000000000000000000000000000001\",\"spanID\":\"0000000000000002\"}"
	 "],\"startTime\":1795341590030000,\"duration\":40000,\"tags\":[{"
	 "\"key\":\"http.status_code\",\"type\":\"int64\",\"value\":500},{"
	 "\"key\":\"span.kind\",\"type\":\"string\",\"value\":\"server\"},{"
	 "\"key\":\"otel.status_code\",\"type\":\"string\",\"value\":\"ERROR\"}"
	 ",{\"key\":\"error\",\"type\":\"bool\",\"value\":true}],\"logs\":[{"
	 "\"timestamp\":1795341590050000,\"fields\":[{\"key\":\"event\","
	 "\"type\":\"string\",\"value\":\"exception\"},{\"key\":\"message\","
	 "\"type\":\"string\",\"value\":\"no "
	 "stock\"}]}],\"processID\":\"p2\",\"warnings\":null}],\"processes\":{"
	 "\"p1\":{\"serviceName\":\"shop\",\"tags\":[{\"key\":\"host.name\","
	 "\"type\":\"string\",\"value\":\"h1\"}]},\"p2\":{\"serviceName\":"
	 "\"cart\",\"tags\":[]}},\"warnings\":null}]}\n"},
	{"/api/"
	 "spans?format=otlp-json&trace-id=aa000000000000000000000000000002",
	 200,
	 "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"
	 "\"service.name\",\"value\":{\"stringValue\":\"shop\"}},{\"key\":"
	 "\"host.name\",\"value\":{\"stringValue\":\"h1\"}}]},\"scopeSpans\":[{"
	 "\"scope\":{},\"spans\":[{\"traceId\":"
	 "\"aa000000000000000000000000000002\",\"spanId\":\"0000000000000004\","
	 "\"name\":\"GET "
	 "/\",\"kind\":2,\"startTimeUnixNano\":\"1795341530000000000\","
	 "\"endTimeUnixNano\":\"1795341530020000000\",\"attributes\":[],"
	 "\"status\":{}}]}]}]}\n"},
	{"/api/spans?format=ids&since=11s", 200,
	 "aa000000000000000000000000000001:"
	 "0000000000000001\naa000000000000000000000000000001:"
	 "0000000000000002\naa000000000000000000000000000001:"
	 "0000000000000003\n"},
	{"/api/spans?format=ids&since=2026-11-22T09:58:00Z&until=@1795341530.5",
	 200, "aa000000000000000000000000000002:0000000000000004\n"},
	{"/api/spans?format=ids&since=-2m&until=now&error", 200,
	 "aa000000000000000000000000000001:0000000000000003\n"},
	{"/api/spans?format=ids&min-duration=40ms&max-duration=60ms", 200,
	 "aa000000000000000000000000000001:"
	 "0000000000000002\naa000000000000000000000000000001:"
	 "0000000000000003\n"},
	{"/api/spans?format=ids&sort=duration&limit=2", 200,
	 "aa000000000000000000000000000001:"
	 "0000000000000001\naa000000000000000000000000000001:"
	 "0000000000000002\n"},
	{"/api/spans?format=ids&traces&sort=errors&limit=1", 200,
	 "aa000000000000000000000000000001\n"},
	{"/api/spans?format=ids&service=ma*", 200,
	 "0000000000000003:0000000000000005\n0000000000000003:"
	 "0000000000000005\n"},
	{"/api/spans?format=ids&orphans", 200,
	 "0000000000000003:0000000000000005\n"},
	{"/api/spans?format=ids&root&operation=~GET", 200,
	 "aa000000000000000000000000000001:"
	 "0000000000000001\naa000000000000000000000000000002:"
	 "0000000000000004\n"},
	{"/api/"
	 "spans?format=ids&not-tag=http.status_code=500&has-tag=peer.service",
	 200, "aa000000000000000000000000000001:0000000000000002\n"},
	{"/api/spans?format=ids&status=error", 200,
	 "aa000000000000000000000000000001:0000000000000003\n"},
	{"/api/spans?format=ids&matchers={service_name=\"cart\"}", 200,
	 "aa000000000000000000000000000001:0000000000000003\n"},
	{"/api/spans?service=nobody", 200, ""},
	{"/api/spans?service=nobody&format=json", 200, "{\"data\":[]}\n"},
	{"/api/spans?service=nobody&format=csv", 200,
	 "trace_id,span_id,parent_id,service,name,kind,start,start_ns,duration_"
	 "ns,status,status_message,tags,process,events\015\n"},
	{"/api/spans?q={ duration > \"slow\" }", 400,
	 "{\"error\":\"expression, column 12: a duration is not comparable "
	 "with a text\",\"parameter\":\"q\",\"column\":12}\n"},
	{"/api/spans?q={ .a = ", 400,
	 "{\"error\":\"expression, column 8: a field or a value was expected, "
	 "not the end\",\"parameter\":\"q\",\"column\":8}\n"},
	{"/api/spans?q={}|rate()", 400,
	 "{\"error\":\"expression, column 4: rate() is a metrics function, "
	 "which is not supported in a search: see "
	 "span-stats(1)\",\"parameter\":\"q\",\"column\":4}\n"},
	{"/api/spans?tag=a~(", 400,
	 "{\"error\":\"tag condition 'a~(', column 3: regular expression, "
	 "column 2: missing closing parenthesis\"}\n"},
	{"/api/spans?kind=nothing", 400,
	 "{\"error\":\"'nothing' is no kind of a span\"}\n"},
	{"/api/spans?format=xml", 400,
	 "{\"error\":\"it is one of jsonl, csv, spans, ids, json, "
	 "otlp-json\",\"parameter\":\"format\"}\n"},
	{"/api/spans?sort=size", 400,
	 "{\"error\":\"it is one of newest, start, duration, spans, "
	 "errors\",\"parameter\":\"sort\"}\n"},
	{"/api/spans?sort=spans", 400,
	 "{\"error\":\"that is an order of traces; see "
	 "traces\",\"parameter\":\"sort\"}\n"},
	{"/api/spans?limit=0", 400,
	 "{\"error\":\"it is 1 or more\",\"parameter\":\"limit\"}\n"},
	{"/api/spans?limit=x", 400,
	 "{\"error\":\"strconv.ParseInt: parsing \\\"x\\\": invalid "
	 "syntax\",\"parameter\":\"limit\"}\n"},
	{"/api/spans?since=x", 400,
	 "{\"error\":\"'x' is no time (like 15m, 14:30, yesterday, "
	 "yesterday 14:00, 2026-11-22, 2026-11-22T10:00:00Z, @1795341600, "
	 "now)\",\"parameter\":\"since\"}\n"},
	{"/api/spans?min-duration=x", 400,
	 "{\"error\":\"'x' is no duration (like 500us, 2s, 1h30m, "
	 "7d)\",\"parameter\":\"min-duration\"}\n"},
	{"/api/spans?error=maybe", 400,
	 "{\"error\":\"strconv.ParseBool: parsing \\\"maybe\\\": invalid "
	 "syntax\",\"parameter\":\"error\"}\n"},
	{"/api/spans?trace-id=aa", 400,
	 "{\"error\":\"trace id aa is ambiguous: "
	 "aa000000000000000000000000000001, "
	 "aa000000000000000000000000000002\"}\n"},
	{"/api/spans?service=a%00", 400,
	 "{\"error\":\"a text with a zero byte\"}\n"},
};

static uint64_t count_spans(const struct span_buf *b)
{
	struct span_reader *r = NULL;
	struct span_error err = {0};
	struct span s;
	uint64_t n = 0;
	int rc = span_reader_open_mem(&r, b->p, b->len, NULL, &err);

	serve_test_must(!rc, "reader", &err);
	while ((rc = span_reader_next(r, &s, &err)) > 0)
		n++;
	serve_test_must(!rc, "read", &err);
	span_reader_close(&r);
	return n;
}

static void test_stream(struct serve_test *t)
{
	struct serve_reply r;

	serve_test_get(t, "/api/spans?format=spans", &r);
	is_str(r.type, "application/octet-stream", "a stream of spans");
	is_uint(count_spans(&r.body), SERVE_SPANS, "has them all");
	serve_reply_release(&r);
	serve_test_get(t, "/api/spans?format=spans&service=shop", &r);
	is_uint(count_spans(&r.body), 3, "or those that match");
	serve_reply_release(&r);
	serve_test_get(t, "/api/spans?format=spans&traces&error", &r);
	is_uint(count_spans(&r.body), 3, "or whole traces");
	serve_reply_release(&r);
}

static size_t count_lines(const struct span_buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->p[i] == '\n';
	return n;
}

/* 2,000 spans, of 100 traces. */
static void add_many(struct serve_test *t, const struct serve_spans *spans)
{
	struct span *v = calloc(2000, sizeof(*v));

	serve_test_must(v, "memory", NULL);
	for (unsigned i = 0; i < 2000; i++) {
		v[i] = serve_span(9, 0, 0, &spans->shop, "many", 1, i, 1);
		v[i].trace_id[1] = (uint8_t)(i % 100);
		v[i].span_id[6] = (uint8_t)(1 + i / 256);
		v[i].span_id[7] = (uint8_t)i;
	}
	serve_test_add(t, v, 2000);
	free(v);
}

/* What is long comes in pieces, and is as much as it was. */
static void test_pieces(struct serve_test *t)
{
	static const struct {
		const char *target;
		size_t lines;
	} long_ones[] = {
		{"/api/spans?operation=many", 2000},
		{"/api/spans?operation=many&format=csv", 2001},
		{"/api/spans?operation=many&format=csv&sort=duration", 2001},
		{"/api/spans?operation=many&format=otlp-json", 100},
		{"/api/spans?operation=many&format=json", 100},
		{"/api/spans?operation=many&traces", 2000},
	};
	struct serve_reply r;

	for (size_t i = 0; i < sizeof(long_ones) / sizeof(*long_ones); i++) {
		serve_test_get(t, long_ones[i].target, &r);
		is_uint(count_lines(&r.body), long_ones[i].lines, "%s",
			long_ones[i].target);
		ok(r.pieces > 0, "%u pieces more", r.pieces);
		serve_reply_release(&r);
	}
	serve_test_get(t, "/api/spans?operation=many&format=spans", &r);
	is_uint(count_spans(&r.body), 2000, "frames too");
	ok(r.pieces > 0, "%u pieces more", r.pieces);
	serve_reply_release(&r);
}

/* How often TEXT is in a reply. */
static size_t count_text(const struct serve_reply *r, const char *text)
{
	size_t n = 0;

	for (const char *p = r->body.p; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* Of a trace that is too long the first spans, and that they are that. */
static void test_cut(struct serve_test *t)
{
	static const struct {
		const char *target, *text; /* one a span, or line */
		size_t n, warnings;
	} rows_cut[] = {
		{"format=json", "\"operationName\"", 2, 1},
		{"format=otlp-json", "\"spanId\"", 2, 1},
		{"traces", "\n", 2, 1},
		{"traces&format=csv", "\n", 3, 1},
		/* Of which two match. */
		{"format=json&service=shop", "\"operationName\"", 2, 0},
		/* No trace, but a list. */
		{"format=jsonl", "\n", 3, 0},
	};

	t->s.max_spans = 2;
	for (size_t i = 0; i < sizeof(rows_cut) / sizeof(*rows_cut); i++) {
		char target[200];
		struct serve_reply r;

		snprintf(target, sizeof(target),
			 "/api/spans?trace-id=aa000000000000000000000000000001"
			 "&%s",
			 rows_cut[i].target);
		serve_test_get(t, target, &r);
		is_uint(count_text(&r, rows_cut[i].text), rows_cut[i].n, "%s",
			rows_cut[i].target);
		is_uint(count_text(&r, "trace has more than 2 spans, showing "
				       "first 2 spans only"),
			rows_cut[i].warnings, "and a warning where it is cut");
		serve_reply_release(&r);
	}
	t->s.max_spans = 1000000;
}

int main(void)
{
	struct serve_spans spans;
	struct serve_test t;

	serve_spans_open(&t, &spans);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		serve_test_is(&t, rows[i].target, rows[i].status, rows[i].body);
	test_stream(&t);
	test_cut(&t);
	add_many(&t, &spans);
	test_pieces(&t);
	serve_test_close(&t);
	return done_testing();
}
