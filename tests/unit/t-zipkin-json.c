/* SPDX-License-Identifier: Apache-2.0 */
/* Zipkin's JSON, version 1 and 2, and what is wrong with it. */
#include "zipkin-cases.h"

#include "base/banned.h"

#define IDS "\"traceId\":\"1\",\"id\":\"2\""
#define HEAD "unknown-service-name 0000000000000001/0000000000000002 "
#define NO_NAME HEAD "\"empty-span-name\" flags=0 "

struct example {
	const char *name, *json, *want;
};

static void run(const struct example *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_decoded(SPAN_FORMAT_ZIPKIN_JSON, e[i].json,
			   strlen(e[i].json), e[i].want, e[i].name);
}

#define RUN(table) run(table, sizeof(table) / sizeof((table)[0]))

static void test_version_2(void)
{
	static const struct example table[] = {
		{"every member",
		 "[{\"traceId\":\"5982FE77008310cc80f1da5e10147519\","
		 "\"parentId\":\"90394f6bcffb5d13\",\"id\":"
		 "\"67fae42571535f60\","
		 "\"kind\":\"SERVER\",\"name\":\"get\","
		 "\"timestamp\":1516781775726000,\"duration\":26000,"
		 "\"localEndpoint\":{\"serviceName\":\"api\","
		 "\"ipv4\":\"10.57.50.83\",\"ipv6\":\"::2\",\"port\":80},"
		 "\"remoteEndpoint\":{\"serviceName\":\"web\","
		 "\"ipv4\":\"10.57.50.70\",\"ipv6\":\"::1\",\"port\":8080},"
		 "\"annotations\":[{\"timestamp\":1516781775726001,"
		 "\"value\":\"nail\"},{\"timestamp\":1516781775726002,"
		 "\"value\":\"{\\\"event\\\":\\\"a\\\",\\\"b\\\":\\\"c\\\"}\"}]"
		 ","
		 "\"tags\":{\"http.path\":\"/api\",\"error\":\"boom\"},"
		 "\"debug\":true,\"shared\":true}]",
		 "api(ip=i:171520595 ipv6=y:00000000000000000000000000000002 "
		 "port=i:80) "
		 "5982fe77008310cc80f1da5e10147519/67fae42571535f60"
		 "<90394f6bcffb5d13 \"get\" flags=3 "
		 "1516781775726000000+26000000 server error:boom "
		 "(http.path=s:/api error=s:boom peer.service=s:web "
		 "peer.ipv4=i:171520582 "
		 "peer.ipv6=y:00000000000000000000000000000001 "
		 "peer.port=i:8080 span.kind=s:server zipkin.shared=b:true) "
		 "[1516781775726001000 event=s:nail] "
		 "[1516781775726002000 event=s:a b=s:c]\n"},
		{"a span alone", " {" IDS ",\"name\":\"n\"} ",
		 HEAD "\"n\" flags=0 0+0 marks=4\n"},
		{"nothing but ids", "[{" IDS "}]", NO_NAME "0+0 marks=4\n"},
		{"no spans", "[]", ""},
		{"null is not there",
		 "[{" IDS ",\"parentId\":null,\"kind\":null,\"name\":null,"
		 "\"timestamp\":null,\"tags\":{\"a\":null},"
		 "\"annotations\":null,\"localEndpoint\":null,"
		 "\"shared\":null,\"debug\":null}]",
		 NO_NAME "0+0 marks=4\n"},
		{"nor what is not known",
		 "[{\"x\":{\"y\":[1,{}]}," IDS ",\"localEndpoint\":"
		 "{\"serviceName\":\"s\",\"z\":1},\"name\":\"n\"}]",
		 "s 0000000000000001/0000000000000002 \"n\" flags=0 0+0\n"},
		{"a producer",
		 "[{" IDS ",\"kind\":\"PRODUCER\",\"name\":\"n\"}]",
		 HEAD "\"n\" flags=0 0+0 producer (span.kind=s:producer) "
		      "marks=4\n"},
		{"a consumer",
		 "[{" IDS ",\"kind\":\"CONSUMER\",\"name\":\"n\"}]",
		 HEAD "\"n\" flags=0 0+0 consumer (span.kind=s:consumer) "
		      "marks=4\n"},
		{"a kind of a later version",
		 "[{" IDS ",\"kind\":\"LATER\",\"name\":\"n\"}]",
		 HEAD "\"n\" flags=0 0+0 (span.kind=s:LATER) marks=4\n"},
		{"times as texts, with a point, and cut",
		 "[{" IDS ",\"timestamp\":\"1500000000000000\","
		 "\"duration\":1.5e1,\"name\":\"n\",\"annotations\":["
		 "{\"timestamp\":1500000000000000.4,\"value\":\"v\"}]}]",
		 HEAD "\"n\" flags=0 1500000000000000000+15000 "
		      "[1500000000000000000 event=s:v] marks=4\n"},
		{"times that do not fit",
		 "[{" IDS ",\"timestamp\":-5,\"duration\":-9,"
		 "\"name\":\"n\"}]",
		 HEAD "\"n\" flags=0 0+1000 "
		      "(errNegativeDuration=s:-9 "
		      "spantools.original_start_us=i:-5) marks=6\n"},
		{"a start out of the annotations",
		 "[{" IDS ",\"name\":\"n\",\"annotations\":["
		 "{\"timestamp\":5,\"value\":\"a\"},"
		 "{\"timestamp\":9,\"value\":\"b\"}]}]",
		 HEAD "\"n\" flags=0 5000+4000 [5000 event=s:a] "
		      "[9000 event=s:b] marks=4\n"},
		{"one that is 0 is given",
		 "[{" IDS ",\"name\":\"n\",\"timestamp\":0,\"duration\":0,"
		 "\"annotations\":[{\"timestamp\":5,\"value\":\"a\"},"
		 "{\"timestamp\":9,\"value\":\"b\"}]}]",
		 HEAD "\"n\" flags=0 0+0 [5000 event=s:a] [9000 event=s:b] "
		      "marks=4\n"},
		{"beside a kind all annotations are events",
		 "[{" IDS ",\"name\":\"n\",\"timestamp\":5,\"duration\":1,"
		 "\"kind\":\"CLIENT\",\"annotations\":["
		 "{\"timestamp\":5,\"value\":\"cs\"},"
		 "{\"timestamp\":6,\"value\":\"sr\"}]}]",
		 HEAD "\"n\" flags=0 5000+1000 client (span.kind=s:client) "
		      "[5000 event=s:cs] [6000 event=s:sr] marks=4\n"},
		{"tags that are no texts",
		 "[{" IDS ",\"name\":\"n\",\"tags\":{\"i\":-12,\"d\":2.50,"
		 "\"e\":1e2,\"t\":true,\"f\":false,\"o\":{\"a\":[1]},"
		 "\"big\":18446744073709551616}}]",
		 HEAD "\"n\" flags=0 0+0 (i=i:-12 d=d:2.5 e=d:100 t=b:true "
		      "f=b:false o=s:{\"a\":[1]} "
		      "big=d:18446744073709552000) marks=4\n"},
		{"addresses where they like, and none",
		 "[{" IDS ",\"name\":\"n\","
		 "\"localEndpoint\":{\"serviceName\":\"s\",\"ipv6\":"
		 "\"1.2.3.4\",\"ipv4\":\"::ffff:1.2.3.4\"},"
		 "\"remoteEndpoint\":{\"ipv4\":\"localhost\","
		 "\"port\":\"99\"}}]",
		 "s(ip=i:16909060 ipv6=y:00000000000000000000ffff01020304) "
		 "0000000000000001/0000000000000002 \"n\" flags=0 0+0 "
		 "(peer.service=s: peer.ipv4=s:localhost peer.port=i:99)\n"},
		{"a service without a name keeps its address",
		 "[{" IDS ",\"name\":\"n\","
		 "\"localEndpoint\":{\"ipv4\":\"1.2.3.4\"}}]",
		 "unknown-service-name(ip=i:16909060) "
		 "0000000000000001/0000000000000002 \"n\" flags=0 0+0 "
		 "marks=4\n"},
		{"an error that is none",
		 "[{" IDS ",\"name\":\"n\",\"tags\":{\"error\":\"false\"}}]",
		 HEAD "\"n\" flags=0 0+0 (error=s:false) marks=4\n"},
		{"an error that OpenTelemetry denies",
		 "[{" IDS ",\"name\":\"n\",\"tags\":{\"error\":\"x\","
		 "\"otel.status_code\":\"OK\"}}]",
		 HEAD "\"n\" flags=0 0+0 ok (error=s:x "
		      "otel.status_code=s:OK) marks=4\n"},
		{"an error of no text",
		 "[{" IDS ",\"name\":\"n\",\"tags\":{\"error\":\"\"}}]",
		 HEAD "\"n\" flags=0 0+0 error (error=s:) marks=4\n"},
	};

	RUN(table);
}

static void test_version_1(void)
{
	static const struct example table[] = {
		{"a client",
		 "[{" IDS ",\"name\":\"n\",\"debug\":true,\"annotations\":["
		 "{\"timestamp\":10,\"value\":\"cs\",\"endpoint\":"
		 "{\"serviceName\":\"web\",\"ipv4\":\"1.2.3.4\",\"port\":8}},"
		 "{\"timestamp\":12,\"value\":\"x\"},"
		 "{\"timestamp\":15,\"value\":\"cr\"}],"
		 "\"binaryAnnotations\":[{\"key\":\"sa\",\"value\":true,"
		 "\"endpoint\":{\"serviceName\":\"db\"}},"
		 "{\"key\":\"jaeger.hostname\",\"value\":\"h\"}]}]",
		 "web(hostname=s:h ip=i:16909060 port=i:8) "
		 "0000000000000001/0000000000000002 \"n\" flags=3 10000+5000 "
		 "client (peer.service=s:db span.kind=s:client) "
		 "[12000 event=s:x]\n"},
		{"both sides at once",
		 "[{" IDS ",\"name\":\"n\",\"annotations\":["
		 "{\"timestamp\":10,\"value\":\"sr\",\"endpoint\":"
		 "{\"serviceName\":\"s\"}},"
		 "{\"timestamp\":8,\"value\":\"cs\"},"
		 "{\"timestamp\":11,\"value\":\"ss\"},"
		 "{\"timestamp\":14,\"value\":\"cr\"}]}]",
		 "s 0000000000000001/0000000000000002 \"n\" flags=0 "
		 "8000+6000 client (span.kind=s:client)\n"
		 "s 0000000000000001/0000000000000002 \"n\" flags=0 "
		 "8000+6000 server (span.kind=s:server)\n"},
		{"a producer: what is not at its start stays an event",
		 "[{" IDS ",\"name\":\"n\",\"timestamp\":10,\"annotations\":["
		 "{\"timestamp\":10,\"value\":\"ms\"},"
		 "{\"timestamp\":12,\"value\":\"ms\"},"
		 "{\"timestamp\":12,\"value\":\"mr\"}]}]",
		 HEAD "\"n\" flags=0 10000+2000 producer "
		      "(span.kind=s:producer) [12000 event=s:ms] "
		      "[12000 event=s:mr] marks=4\n"},
		{"values by their type",
		 "[{" IDS ",\"name\":\"n\",\"binaryAnnotations\":["
		 "{\"key\":\"a\",\"value\":\"12\",\"type\":\"I64\"},"
		 "{\"type\":\"I16\",\"value\":7,\"key\":\"b\"},"
		 "{\"key\":\"c\",\"value\":\"1.5\",\"type\":\"DOUBLE\"},"
		 "{\"key\":\"d\",\"value\":3,\"type\":\"DOUBLE\"},"
		 "{\"key\":\"e\",\"value\":\"AP8=\",\"type\":\"BYTES\"},"
		 "{\"key\":\"f\",\"value\":\"!\",\"type\":\"BYTES\"},"
		 "{\"key\":\"g\",\"value\":\"true\",\"type\":\"BOOL\"},"
		 "{\"key\":\"h\",\"value\":\"x\",\"type\":\"I32\"},"
		 "{\"key\":\"i\",\"value\":true},{\"key\":\"j\",\"value\":9},"
		 "{\"key\":\"k\",\"value\":\"12\",\"type\":\"STRING\"},"
		 "{\"key\":\"l\"},{\"value\":\"no key\"}]}]",
		 HEAD "\"n\" flags=0 0+0 (a=i:12 b=i:7 c=d:1.5 d=d:3 e=y:00ff "
		      "f=s:! g=b:true h=s:x i=b:true j=i:9 k=s:12 l=s:) "
		      "marks=4\n"},
		{"who only says who it is",
		 "[{" IDS ",\"name\":\"n\",\"binaryAnnotations\":["
		 "{\"key\":\"lc\",\"value\":\"\",\"endpoint\":"
		 "{\"serviceName\":\"s\"}}]},"
		 "{" IDS ",\"name\":\"n\",\"binaryAnnotations\":["
		 "{\"key\":\"lc\",\"value\":\"cron\",\"endpoint\":"
		 "{\"serviceName\":\"s\"}}]}]",
		 "s 0000000000000001/0000000000000002 \"n\" flags=0 0+0\n"
		 "s 0000000000000001/0000000000000002 \"n\" flags=0 0+0 "
		 "(component=s:cron)\n"},
	};

	RUN(table);
}

static void test_bad_spans(void)
{
	static const struct example table[] = {
		{"no trace id", "[{\"id\":\"1\"},{" IDS ",\"name\":\"n\"}]",
		 HEAD "\"n\" flags=0 0+0 marks=4\n"
		      "bad: a span has no trace id at 1\n"},
		{"one that is 0", "[{\"traceId\":\"00\",\"id\":\"1\"}]",
		 "bad: a span has no trace id at 1\n"},
		{"no id", "{\"traceId\":\"1\",\"id\":\"\"}",
		 "bad: a span has no id at 0\n"},
		{"a trace id of 33 digits",
		 "[{\"id\":\"1\",\"traceId\":"
		 "\"000000000000000000000000000000001\"}]",
		 "bad: a trace id is not 1 to 32 hex digits at 21\n"},
		{"an id of 17",
		 "[{\"traceId\":\"1\",\"id\":"
		 "\"00000000000000001\"}]",
		 "bad: an id is not 1 to 16 hex digits at 21\n"},
		{"a parent's with an x", "[{" IDS ",\"parentId\":\"0x1\"}]",
		 "bad: a parent's id is not 1 to 16 hex digits at 36\n"},
		{"a number for an id", "[{\"traceId\":1,\"id\":\"1\"}]",
		 "bad: a trace id is not 1 to 32 hex digits at 12\n"},
		{"a span that is none", "[1,{" IDS ",\"name\":\"n\"},[]]",
		 HEAD "\"n\" flags=0 0+0 marks=4\n"
		      "bad: a span is no object at 1\n"},
		{"a name that is none", "[{" IDS ",\"name\":[5]}]",
		 "bad: a name is no text at 32\n"},
		{"a timestamp", "[{" IDS ",\"timestamp\":\"x\"}]",
		 "bad: a timestamp is no number at 37\n"},
		{"one beyond all", "[{" IDS ",\"timestamp\": 1e19}]",
		 "bad: a timestamp is no number at 38\n"},
		{"a duration", "[{" IDS ",\"duration\":true}]",
		 "bad: a duration is no number at 36\n"},
		{"tags", "[{" IDS ",\"tags\":[]}]",
		 "bad: tags are no object at 32\n"},
		{"annotations", "[{" IDS ",\"annotations\":{}}]",
		 "bad: annotations are no list at 39\n"},
		{"an annotation", "[{" IDS ",\"annotations\":[7]}]",
		 "bad: an annotation is no object at 40\n"},
		{"its value", "[{" IDS ",\"annotations\":[{\"value\":7}]}]",
		 "bad: an annotation's value is no text at 49\n"},
		{"a binary annotation", "[{" IDS ",\"binaryAnnotations\":[7]}]",
		 "bad: a binary annotation is no object at 46\n"},
		{"an endpoint", "[{" IDS ",\"localEndpoint\":\"a\"}]",
		 "bad: an endpoint is no object at 41\n"},
		{"a port", "[{" IDS ",\"localEndpoint\":{\"port\":\"a\"}}]",
		 "bad: a port is no number at 49\n"},
		{"debug", "[{" IDS ",\"debug\":1}]",
		 "bad: debug is not true or false at 33\n"},
		{"shared", "[{" IDS ",\"shared\":\"true\"}]",
		 "bad: shared is not true or false at 34\n"},
	};
	uint64_t before = span_decoder_stats(decoder)->bad_spans;

	RUN(table);
	is_uint(span_decoder_stats(decoder)->bad_spans - before,
		sizeof(table) / sizeof(*table) + 1, "each was counted");
}

static void test_bad_messages(void)
{
	static const struct example table[] = {
		{"nothing", "", "-3: the JSON text is cut short at 0\n"},
		{"no list", "5", "-4: an array should be here at 0\n"},
		{"a text", "\"[]\"", "-4: an array should be here at 0\n"},
		{"more behind the list", "[]x",
		 "-4: something follows the value at 2\n"},
		{"lines of spans", "{" IDS "}\n{" IDS "}",
		 "-4: something follows the value at 25\n"},
		{"damage behind a good span", "[{" IDS "},{\"id\":x}]",
		 "-4: a value should be here at 32\n"},
		{"a cut list", "[{" IDS "}",
		 "-3: the JSON text is cut short at 25\n"},
		{"a bad escape", "[{" IDS ",\"name\":\"\\q\"}]",
		 "-4: an escape that JSON does not have at 33\n"},
		{"a comma too many", "[{" IDS "},]",
		 "-4: a value should be here at 26\n"},
	};

	RUN(table);
}

/* Above 1 MiB a message is read twice, and gives the same. */
static void test_long(void)
{
	static const char span[] =
		"{\"traceId\":\"1\",\"id\":\"2\",\"name\":\"a\\u0062\","
		"\"tags\":{\"k\\n\":\"v\\t\"},\"annotations\":["
		"{\"timestamp\":1,\"value\":\"\\u0063s\"},"
		"{\"timestamp\":2,\"value\":\"sr\"}]}";
	static const char want[] =
		"unknown-service-name 0000000000000001/0000000000000002 "
		"\"ab\" flags=0 1000+1000 client (k\\n=s:v\t "
		"span.kind=s:client) marks=4\n"
		"unknown-service-name 0000000000000001/0000000000000002 "
		"\"ab\" flags=0 2000+0 server (span.kind=s:server) marks=4\n";
	struct span_buf b = {0}, all = {0}, text;
	size_t n = 9000;

	for (size_t i = 0; i < n; i++) {
		span_buf_puts(&b, i ? "," : "[");
		span_buf_put(&b, span, sizeof(span) - 1);
		span_buf_put(&all, want, sizeof(want) - 1);
	}
	span_buf_puts(&b, ",7]");
	ok(b.len > SPAN__COLLECT_MAX, "a message is long");
	span_buf_printf(&all, "bad: a span is no object at %zu\n", b.len - 2);
	span_buf_putc(&all, 0);
	text = decoded(SPAN_FORMAT_ZIPKIN_JSON, b.p, b.len);
	ok(!strcmp(text.p, all.p), "every span of it");
	ok(span_arena_size(&decoder->arena) < 64 << 10,
	   "within the memory of one");
	b.p[b.len - 1] = 'x';
	all.len = 0;
	span_buf_printf(&all, "-4: a comma or ] should be here at %zu\n",
			b.len - 1);
	span_buf_putc(&all, 0);
	is_decoded(SPAN_FORMAT_ZIPKIN_JSON, b.p, b.len, all.p,
		   "damage at its end: nothing is handed out");
	span_buf_release(&b);
	span_buf_release(&all);
	span_buf_release(&text);
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_version_2();
	test_version_1();
	test_bad_spans();
	test_bad_messages();
	test_long();
	span_decoder_close(&decoder);
	return done_testing();
}
