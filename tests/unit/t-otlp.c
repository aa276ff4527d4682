/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP to spans: what protoc encoded, what JSON may look like, what is bad
 * with its place, and limits. Spans are compared as their form "jsonl".
 */
#include "otlp_help.h"

#include "base/banned.h"

/* Of protoc --encode: two resources, one span with everything in it. */
static const char golden_proto[] =
	"0a88030a270a0b0a04686f737412030a01680a160a0c736572766963652e6e61"
	"6d6512060a0473686f70100312d8020a110a036c69621201311a070a01611202"
	"100112e3010a1030313233343536373839616263646566120831323334353637"
	"381a03613d62220861626364656667682a03474554300239e803000000000000"
	"4188130000000000004a300a0178122b2a290a0b18fbffffffffffffffff010a"
	"0921000000000000f83f0a000a0d320b0a090a016b12043a0200ff4a030a016e"
	"50015a19090700000000000000120265761a080a016512030a0176200960026a"
	"360a1030313233343536373839616263646566120831323334353637381a0274"
	"73220f0a016c120a18ffffffffffffffff7f350500000070037a071203626164"
	"180285010101000012200a103031323334353637383961626364656612073132"
	"33343536372a0362616412370a10303132333435363738396162636465661208"
	"31323334353637392a07636c616d706564390a00000000000000410500000000"
	"0000001a0273751a0272750a20121e121c0a1030313233343536373839616263"
	"64656612083132333435363738";

/* The same with owners behind their spans, and what JSON leaves open. */
static const char golden_json[] =
	"{\"resourceSpans\":[{\"scopeSpans\":[{\"schemaUrl\":\"su\",\"spans\":["
	"{\"traceId\":\"30313233343536373839616263646566\","
	"\"spanId\":\"3132333435363738\",\"parentSpanId\":"
	"\"6162636465666768\",\"name\":\"GET\",\"kind\":"
	"\"SPAN_KIND_SERVER\",\"startTimeUnixNano\":\"1000\","
	"\"endTimeUnixNano\":5000,\"traceState\":\"a=b\",\"flags\":257,"
	"\"attributes\":[{\"key\":\"x\",\"value\":{\"arrayValue\":"
	"{\"values\":[{\"intValue\":\"-5\"},{\"doubleValue\":1.5},{},"
	"{\"kvlistValue\":{\"values\":[{\"key\":\"k\",\"value\":"
	"{\"bytesValue\":\"AP8=\"}}]}}]}}},"
	"{\"key\":\"n\",\"value\":null}],\"events\":[{\"timeUnixNano\":"
	"\"7\",\"name\":\"ev\",\"attributes\":[{\"key\":\"e\",\"value\":"
	"{\"stringValue\":\"v\"}}],\"droppedAttributesCount\":9}],"
	"\"links\":[{\"traceId\":\"30313233343536373839616263646566\","
	"\"spanId\":\"3132333435363738\",\"traceState\":\"ts\","
	"\"flags\":5,\"attributes\":[{\"key\":\"l\",\"value\":"
	"{\"intValue\":\"9223372036854775807\"}}]}],"
	"\"status\":{\"code\":2,\"message\":\"bad\"},"
	"\"dropped_attributes_count\":1,\"droppedEventsCount\":2,"
	"\"droppedLinksCount\":3},"
	"{\"traceId\":\"3031323334353637383961626364656\",\"spanId\":"
	"\"3132333435363738\",\"name\":\"bad\"},"
	"{\"traceId\":\"30313233343536373839616263646566\",\"spanId\":"
	"\"3132333435363739\",\"name\":\"clamped\","
	"\"startTimeUnixNano\":10,\"endTimeUnixNano\":5}],"
	"\"scope\":{\"name\":\"lib\",\"version\":\"1\",\"attributes\":"
	"[{\"key\":\"a\",\"value\":{\"boolValue\":true}}]}}],"
	"\"resource\":{\"attributes\":[{\"key\":\"host\",\"value\":"
	"{\"stringValue\":\"h\"}},{\"key\":\"service.name\",\"value\":"
	"{\"stringValue\":\"shop\"}}],\"droppedAttributesCount\":3},"
	"\"schemaUrl\":\"ru\"},{\"instrumentationLibrarySpans\":"
	"[{\"spans\":[{\"traceId\":\"30313233343536373839616263646566\","
	"\"spanId\":\"3132333435363738\"}]}]}]}\n";

static const char golden_want[] =
	"{\"trace_id\":\"30313233343536373839616263646566\",\"span_id\":"
	"\"3132333435363738\",\"parent_id\":\"6162636465666768\","
	"\"service\":\"shop\",\"name\":\"GET\",\"kind\":\"server\","
	"\"start\":\"1970-01-01T00:00:00.000001000Z\",\"start_ns\":1000,"
	"\"duration_ns\":4000,\"status\":\"error\",\"status_message\":"
	"\"bad\",\"flags\":257,\"trace_state\":\"a=b\",\"tags\":{\"x\":"
	"[-5,1.5,null,{\"k\":{\"$bytes\":\"AP8=\"}}],\"n\":null},"
	"\"process\":{\"host\":\"h\"},\"events\":[{\"time\":"
	"\"1970-01-01T00:00:00.000000007Z\",\"time_ns\":7,\"name\":\"ev\","
	"\"fields\":{\"e\":\"v\"},\"dropped_fields\":9}],\"refs\":["
	"{\"type\":\"link\",\"trace_id\":"
	"\"30313233343536373839616263646566\",\"span_id\":"
	"\"3132333435363738\",\"flags\":5,\"trace_state\":\"ts\",\"tags\":"
	"{\"l\":9223372036854775807}}],\"scope\":{\"name\":\"lib\","
	"\"version\":\"1\",\"tags\":{\"a\":true},\"schema_url\":\"su\"},"
	"\"schema_url\":\"ru\",\"dropped_tags\":1,\"dropped_process\":3,"
	"\"dropped_events\":2,\"dropped_refs\":3}\n"
	"{\"trace_id\":\"30313233343536373839616263646566\",\"span_id\":"
	"\"3132333435363739\",\"parent_id\":null,\"service\":\"shop\","
	"\"name\":\"clamped\",\"kind\":null,\"start\":"
	"\"1970-01-01T00:00:00.000000010Z\",\"start_ns\":10,"
	"\"duration_ns\":0,\"status\":\"unset\",\"tags\":"
	"{\"spantools.original_end_ns\":5},\"process\":{\"host\":\"h\"},"
	"\"events\":[],\"refs\":[],\"scope\":{\"name\":\"lib\","
	"\"version\":\"1\",\"tags\":{\"a\":true},\"schema_url\":\"su\"},"
	"\"schema_url\":\"ru\",\"dropped_process\":3,\"marks\":"
	"[\"clamped\"]}\n"
	"{\"trace_id\":\"30313233343536373839616263646566\",\"span_id\":"
	"\"3132333435363738\",\"parent_id\":null,\"service\":"
	"\"missing-service-name\",\"name\":\"empty-span-name\",\"kind\":null,"
	"\"start\":\"1970-01-01T00:00:00.000000000Z\",\"start_ns\":0,"
	"\"duration_ns\":0,\"status\":\"unset\",\"tags\":{},\"process\":"
	"{},\"events\":[],\"refs\":[],\"scope\":{\"name\":\"\"},"
	"\"marks\":[\"renamed\"]}\n";

static void unhex(const char *text, struct span_buf *b)
{
	b->len = 0;
	for (; text[0]; text += 2) {
		char pair[3] = {text[0], text[1], 0};

		span_buf_putc(b, (char)strtol(pair, NULL, 16));
	}
}

static void test_golden(void)
{
	struct span_buf b = {0};
	char want[3000];

	unhex(golden_proto, &b);
	snprintf(want, sizeof(want),
		 "%sbad 1: a span id is not 8 bytes long at 318\n",
		 golden_want);
	is_str(see(SPAN_FORMAT_OTLP_PROTO, b.p, b.len), want,
	       "what protoc encoded");
	snprintf(want, sizeof(want),
		 "%sbad 1: a trace id is not 32 hex digits at %zu\n",
		 golden_want,
		 (size_t)(strstr(golden_json, "\"30313233343536373839616263646"
					      "56\"") -
			  golden_json));
	is_str(see(SPAN_FORMAT_OTLP_JSON, golden_json, strlen(golden_json)),
	       want, "the same in JSON");
	for (size_t len = 0; len < b.len; len++) {
		const char *got = see(SPAN_FORMAT_OTLP_PROTO, b.p, len);

		/* The two resources are messages of their own. */
		if (got[0] != '-' && len && len != 395)
			ok(false, "%zu bytes of it: %s", len, got);
	}
	for (size_t len = 0; len < strlen(golden_json) - 1; len++)
		if (see(SPAN_FORMAT_OTLP_JSON, golden_json, len)[0] != '-')
			ok(false, "%zu bytes of the JSON", len);
	ok(true, "cut anywhere it is refused");
	span_buf_release(&b);
}

#define IDS                                                                    \
	"\"traceId\":\"000102030405060708090A0B0C0D0E0f\","                    \
	"\"spanId\":\"0102030405060708\""
#define SPANS(spans)                                                           \
	"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define SPAN(members) SPANS("{" IDS "," members "}")
#define VALUE(value)                                                           \
	SPAN("\"attributes\":[{\"key\":\"k\",\"value\":" value "}]")
#define RESOURCE(attrs)                                                        \
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[" attrs            \
	"]},\"scopeSpans\":[{\"spans\":[{" IDS "}]}]}]}"

/* JSON, and a piece of what is said of it. */
static const struct {
	const char *name, *json, *want;
} cases[] = {
	{"no spans", "{}", "none\n"},
	{"no resources", "{\"resourceSpans\":[]}", "none\n"},
	{"nulls everywhere",
	 "{\"resourceSpans\":[null,{\"resource\":null,\"scopeSpans\":[null,"
	 "{\"scope\":null,\"schemaUrl\":null,\"spans\":[null]}]}]}",
	 "none\n"},
	{"a null for every member of a span",
	 SPAN("\"traceState\":null,\"parentSpanId\":null,\"flags\":null,"
	      "\"name\":null,\"kind\":null,\"startTimeUnixNano\":null,"
	      "\"endTimeUnixNano\":null,\"attributes\":null,\"events\":null,"
	      "\"links\":null,\"status\":null,\"droppedLinksCount\":null"),
	 "\"name\":\"empty-span-name\",\"kind\":null"},
	{"nothing is said of what is not known",
	 "{\"x\":{\"resourceSpans\":1},\"resourceSpans\":[{\"y\":[[]],"
	 "\"scopeSpans\":[{\"z\":\"\\u0041\",\"spans\":[{" IDS
	 ",\"new\":{\"name\":5},\"name\":\"n\"}]}]}]}",
	 "\"name\":\"n\""},
	{"one ResourceSpans alone",
	 "{\"scopeSpans\":[{\"spans\":[{" IDS "}]}],\"resource\":{"
	 "\"attributes\":[{\"key\":\"service.name\",\"value\":"
	 "{\"stringValue\":\"alone\"}}]}}",
	 "\"service\":\"alone\""},
	{"the answer of a query", "{\"result\":" SPAN("\"name\":\"n\"") "}",
	 "\"name\":\"n\""},
	{"names of protobuf",
	 "{\"resource_spans\":[{\"scope_spans\":[{\"schema_url\":\"u\","
	 "\"spans\":[{\"trace_id\":\"00000000000000000000000000000001\","
	 "\"span_id\":\"0000000000000002\",\"parent_span_id\":"
	 "\"0000000000000003\",\"start_time_unix_nano\":1,"
	 "\"end_time_unix_nano\":3,\"attributes\":[{\"key\":\"k\",\"value\":"
	 "{\"string_value\":\"v\"}}]}]}]}]}",
	 "\"trace_id\":\"0000000000000001\",\"span_id\":\"0000000000000002\","
	 "\"parent_id\":\"0000000000000003\",\"service\":"
	 "\"missing-service-name\",\"name\":\"empty-span-name\",\"kind\":null,"
	 "\"start\":\"1970-01-01T00:00:00.000000001Z\",\"start_ns\":1,"
	 "\"duration_ns\":2,\"status\":\"unset\",\"tags\":{\"k\":\"v\"}"},
	{"names before version 1.0",
	 "{\"resourceSpans\":[{\"instrumentationLibrarySpans\":[{"
	 "\"instrumentationLibrary\":{\"name\":\"old\"},\"spans\":[{" IDS
	 "}]}]}]}",
	 "\"scope\":{\"name\":\"old\"}"},
	{"ids of any case", SPAN("\"name\":\"n\""),
	 "\"trace_id\":\"000102030405060708090a0b0c0d0e0f\""},
	{"no parent is an empty id", SPAN("\"parentSpanId\":\"\""),
	 "\"parent_id\":null"},
	{"and zeros", SPAN("\"parentSpanId\":\"0000000000000000\""),
	 "\"parent_id\":null"},
	{"a kind by name", SPAN("\"kind\":\"SPAN_KIND_CONSUMER\""),
	 "\"kind\":\"consumer\""},
	{"the kind that is none", SPAN("\"kind\":\"SPAN_KIND_UNSPECIFIED\""),
	 "\"kind\":null"},
	{"a kind by number", SPAN("\"kind\":4"), "\"kind\":\"producer\""},
	{"a kind that is not known", SPAN("\"kind\":15"), "\"kind\":15"},
	{"a kind that has no room", SPAN("\"kind\":16"), "\"kind\":null"},
	{"in quotes, too", SPAN("\"kind\":\"4\""), "\"kind\":\"producer\""},
	{"a status by name", SPAN("\"status\":{\"code\":\"STATUS_CODE_OK\"}"),
	 "\"status\":\"ok\""},
	{"a status by number", SPAN("\"status\":{\"code\":2}"),
	 "\"status\":\"error\""},
	{"a text", VALUE("{\"stringValue\":\"\\u00e4\\n\"}"),
	 "\"tags\":{\"k\":\"\xc3\xa4\\n\"}"},
	{"an empty text", VALUE("{\"stringValue\":\"\"}"),
	 "\"tags\":{\"k\":\"\"}"},
	{"an integer as text", VALUE("{\"intValue\":\"-9223372036854775808\"}"),
	 "\"tags\":{\"k\":-9223372036854775808}"},
	{"an integer as number", VALUE("{\"intValue\":9223372036854775807}"),
	 "\"tags\":{\"k\":9223372036854775807}"},
	{"a double", VALUE("{\"doubleValue\":1e3}"), "\"tags\":{\"k\":1000.0}"},
	{"a double as text", VALUE("{\"doubleValue\":\"0.5\"}"),
	 "\"tags\":{\"k\":0.5}"},
	{"no number", VALUE("{\"doubleValue\":\"NaN\"}"),
	 "\"tags\":{\"k\":{\"$double\":\"NaN\"}}"},
	{"infinity", VALUE("{\"doubleValue\":\"-Infinity\"}"),
	 "\"tags\":{\"k\":{\"$double\":\"-Infinity\"}}"},
	{"false", VALUE("{\"boolValue\":false}"), "\"tags\":{\"k\":false}"},
	{"bytes", VALUE("{\"bytesValue\":\"AP8\"}"),
	 "\"tags\":{\"k\":{\"$bytes\":\"AP8=\"}}"},
	{"an empty value", VALUE("{}"), "\"tags\":{\"k\":null}"},
	{"an empty array", VALUE("{\"arrayValue\":{}}"), "\"tags\":{\"k\":[]}"},
	{"a map",
	 VALUE("{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":"
	       "{\"arrayValue\":{\"values\":[{\"intValue\":1},{}]}}}]}}"),
	 "\"tags\":{\"k\":{\"a\":[1,null]}}"},
	{"a member that is null does not undo one that is not",
	 VALUE("{\"intValue\":1,\"stringValue\":null}"), "\"tags\":{\"k\":1}"},
	{"of two values the last", VALUE("{\"intValue\":1,\"boolValue\":true}"),
	 "\"tags\":{\"k\":true}"},
	{"keys that come twice",
	 SPAN("\"attributes\":[{\"key\":\"a\"},{\"key\":\"a\",\"value\":"
	      "{\"intValue\":1}}]"),
	 "\"tags_list\":[[\"a\",null],[\"a\",1]]"},
	{"64-bit times",
	 SPAN("\"startTimeUnixNano\":\"18446744073709551614\","
	      "\"endTimeUnixNano\":\"18446744073709551615\""),
	 "\"start_ns\":18446744073709551614,\"duration_ns\":1,"},
	{"no end is no duration", SPAN("\"startTimeUnixNano\":5"),
	 "\"start_ns\":5,\"duration_ns\":0,\"status\":\"unset\",\"tags\":{},"},
	{"an end before the start",
	 SPAN("\"startTimeUnixNano\":5,\"endTimeUnixNano\":4"),
	 "\"duration_ns\":0,\"status\":\"unset\",\"tags\":"
	 "{\"spantools.original_end_ns\":4},"},
	{"a link without ids is left out",
	 SPAN("\"links\":[{},{\"traceId\":\"00000000000000000000000000000001\","
	      "\"spanId\":\"0000000000000001\"}]"),
	 "\"refs\":[{\"type\":\"link\",\"trace_id\":\"0000000000000001\","
	 "\"span_id\":\"0000000000000001\"}]"},
	{"and said to be", SPAN("\"links\":[{}]"), "\"marks\":[\"cut\","},
	{"a service",
	 RESOURCE("{\"key\":\"a\"},{\"key\":\"service.name\","
		  "\"value\":{\"stringValue\":\"s\"}}"),
	 "\"service\":\"s\",\"name\":\"empty-span-name\""},
	{"is no attribute",
	 RESOURCE("{\"key\":\"a\"},{\"key\":\"service.name\","
		  "\"value\":{\"stringValue\":\"s\"}}"),
	 "\"process\":{\"a\":null}"},
	{"of two services the first",
	 RESOURCE(
		 "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}},"
		 "{\"key\":\"service.name\",\"value\":{\"stringValue\":"
		 "\"t\"}}"),
	 "\"process\":{\"service.name\":\"t\"}"},
	{"no service", RESOURCE(""), "\"service\":\"missing-service-name\""},
	{"an empty one",
	 RESOURCE("{\"key\":\"service.name\",\"value\":"
		  "{\"stringValue\":\"\"}}"),
	 "\"service\":\"empty-service-name\""},
	{"one of another type",
	 RESOURCE("{\"key\":\"service.name\",\"value\":"
		  "{\"intValue\":5}}"),
	 "\"service\":\"service-name-wrong-type\""},
	{"which is kept",
	 RESOURCE("{\"key\":\"service.name\",\"value\":"
		  "{\"intValue\":5}}"),
	 "\"process\":{\"service.name\":5}"},
	{"and without a value", RESOURCE("{\"key\":\"service.name\"}"),
	 "\"service\":\"service-name-wrong-type\""},
	{"a span without ids", SPANS("{}"),
	 "none\nbad 1: a span has no trace id at 43\n"},
	{"without an id",
	 SPANS("{\"traceId\":"
	       "\"00000000000000000000000000000001\"}"),
	 "bad 1: a span has no id at 43\n"},
	{"with zeros",
	 SPANS("{\"traceId\":\"00000000000000000000000000000000\","
	       "\"spanId\":\"0000000000000001\"}"),
	 "bad 1: a span has no trace id at 43\n"},
	{"with short ids",
	 SPANS("{\"traceId\":\"0001\",\"spanId\":"
	       "\"0000000000000001\"}"),
	 "bad 1: a trace id is not 32 hex digits at 54\n"},
	{"with no hex", SPANS("{\"spanId\":\"000000000000000g\"}"),
	 "bad 1: a span id is not 16 hex digits at 53\n"},
	{"with a short parent", SPAN("\"parentSpanId\":\"01\""),
	 "bad 1: a parent id is not 16 hex digits at 132\n"},
	{"a span that is none", SPANS("5,{" IDS "}"),
	 "\"scope\":{\"name\":\"\"},\"marks\":[\"renamed\"]}\n"
	 "bad 1: a value has another type than OTLP's at 43\n"},
	{"a name that is a number", SPAN("\"name\":5"),
	 "none\nbad 1: a value has another type than OTLP's at 124\n"},
	{"attributes that are an object", SPAN("\"attributes\":{}"),
	 "bad 1: a value has another type than OTLP's at 130\n"},
	{"an attribute that is a text", SPAN("\"attributes\":[\"a\"]"),
	 "bad 1: a value has another type than OTLP's at 131\n"},
	{"an integer that is none", VALUE("{\"intValue\":1.5}"),
	 "bad 1: an intValue is no number of 64 bits at 162\n"},
	{"one of 65 bits", VALUE("{\"intValue\":9223372036854775808}"),
	 "bad 1: an intValue is no number of 64 bits at 162\n"},
	{"a double that is none", VALUE("{\"doubleValue\":\"x\"}"),
	 "bad 1: a doubleValue is no number at 165\n"},
	{"bytes that are no base64", VALUE("{\"bytesValue\":\"?\"}"),
	 "bad 1: a bytesValue is not base64 at 164\n"},
	{"truth in quotes", VALUE("{\"boolValue\":\"true\"}"),
	 "bad 1: a value has another type than OTLP's at 163\n"},
	{"a time before 1970", SPAN("\"startTimeUnixNano\":\"-1\""),
	 "bad 1: a value is no number of 64 bits without a sign at 137\n"},
	{"a kind that nobody knows", SPAN("\"kind\":\"SPAN_KIND_X\""),
	 "bad 1: an enumeration has no such value at 124\n"},
	{"a kind that is an array", SPAN("\"kind\":[]"),
	 "bad 1: an enumeration has no such value at 124\n"},
	{"the first mistake is told", SPAN("\"name\":5,\"kind\":[]"),
	 "bad 1: a value has another type than OTLP's at 124\n"},
	{"a resource that is none", "{\"resourceSpans\":[{\"resource\":5}]}",
	 "-4: a value has another type than OTLP's at 30\n"},
	{"a scope that is wrong",
	 "{\"resourceSpans\":[{\"scopeSpans\":[{\"scope\":{\"name\":5}}]}]}",
	 "-4: a value has another type than OTLP's at 50\n"},
	{"a schema that is no text", "{\"resourceSpans\":[{\"schemaUrl\":[]}]}",
	 "-4: a value has another type than OTLP's at 31\n"},
	{"spans that are no array", "{\"resourceSpans\":{}}",
	 "-4: an array should be here at 17\n"},
	{"an array at the top", "[]", "-4: an object should be here at 0\n"},
	{"no JSON", "x", "-4: an object should be here at 0\n"},
	{"nothing", "", "-3: the JSON text is cut short at 0\n"},
	{"more than one value", "{} {}",
	 "-4: something follows the value at 3\n"},
	{"a comma too many", SPAN("\"name\":\"n\","),
	 "-4: a string should be here at 128\n"},
};

static void test_json(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *got = see(SPAN_FORMAT_OTLP_JSON, cases[i].json,
				      strlen(cases[i].json));

		if (!ok(strstr(got, cases[i].want) != NULL, "JSON: %s",
			cases[i].name))
			diag("want %s\n# got  %s", cases[i].want, got);
	}
}

#define BYTES(s) s, sizeof(s) - 1
/* Two bytes of head, and of a span's ids, with their lengths. */
#define PROTO_IDS                                                              \
	"\x0a\x10"                                                             \
	"0123456789abcdef"                                                     \
	"\x12\x08"                                                             \
	"abcdefgh"

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *want;
} protos[] = {
	{"nothing", BYTES(""), "none\n"},
	{"other fields", BYTES("\x10\x05\x1a\x01x"), "none\n"},
	{"a resource that is no message", BYTES("\x08\x05"), "none\n"},
	{"scope spans of before 1.0",
	 BYTES("\x0a\x23\xc2\x3e\x20\x12\x1e" PROTO_IDS "\x28\x01"),
	 "\"span_id\":\"6162636465666768\""},
	{"a resource that comes twice is one",
	 BYTES("\x0a\x41\x0a\x07\x0a\x05\x0a\x03one\x12\x1e\x12\x1c" PROTO_IDS
	       "\x0a\x16\x0a\x14\x0a\x0cservice.name\x12\x04\x0a\x02sv"),
	 "\"service\":\"sv\",\"name\":\"empty-span-name\""},
	{"and has all attributes",
	 BYTES("\x0a\x41\x0a\x07\x0a\x05\x0a\x03one\x12\x1e\x12\x1c" PROTO_IDS
	       "\x0a\x16\x0a\x14\x0a\x0cservice.name\x12\x04\x0a\x02sv"),
	 "\"process\":{\"one\":null}"},
	{"a negative kind",
	 BYTES("\x0a\x2b\x12\x29\x12\x27" PROTO_IDS
	       "\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	       "\x01"),
	 "\"kind\":null"},
	{"fields of another type are none",
	 BYTES("\x0a\x29\x12\x27\x12\x25" PROTO_IDS
	       "\x28\x05\x32\x00\x4d\x00\x00\x00\x00"),
	 "\"name\":\"empty-span-name\",\"kind\":null"},
	{"a link of a short id",
	 BYTES("\x0a\x24\x12\x22\x12\x20" PROTO_IDS "\x6a\x02\x0a\x00"),
	 "\"refs\":[]"},
	{"a span without ids", BYTES("\x0a\x04\x12\x02\x12\x00"),
	 "none\nbad 1: a span has no trace id at 6\n"},
	{"a span without an id",
	 BYTES("\x0a\x16\x12\x14\x12\x12\x0a\x10"
	       "0123456789abcdef"),
	 "bad 1: a span has no id at 6\n"},
	{"an id of zeros",
	 BYTES("\x0a\x20\x12\x1e\x12\x1c\x0a\x10"
	       "0123456789abcdef\x12\x08\0\0\0\0\0\0\0\0"),
	 "bad 1: a span has no id at 6\n"},
	{"a short trace id", BYTES("\x0a\x07\x12\x05\x12\x03\x0a\x01x"),
	 "bad 1: a trace id is not 16 bytes long at 8\n"},
	{"a long parent",
	 BYTES("\x0a\x2b\x12\x29\x12\x27" PROTO_IDS "\x22\x09"
	       "123456789"),
	 "bad 1: a parent id is not 8 bytes long at 36\n"},
	{"damage in a span is the message's",
	 BYTES("\x0a\x06\x12\x04\x12\x02\x0a\x05"),
	 "-3: a field is longer than its message at 7\n"},
	{"and in a value of it",
	 BYTES("\x0a\x24\x12\x22\x12\x20" PROTO_IDS "\x4a\x02\x12\x05"),
	 "-3: a field is longer than its message at 37\n"},
};

static void test_proto(void)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		const char *got = see(SPAN_FORMAT_OTLP_PROTO, protos[i].bytes,
				      protos[i].len);

		if (!ok(strstr(got, protos[i].want) != NULL, "protobuf: %s",
			protos[i].name))
			diag("want %s\n# got  %s", protos[i].want, got);
	}
}

static void test_stats(void)
{
	static const char two[] = SPANS("{" IDS "},{},{" IDS "},5");
	const struct span_decode_stats *stats;

	see_close();
	(void)see(SPAN_FORMAT_OTLP_JSON, two, strlen(two));
	stats = span_decoder_stats(seen.d);
	is_uint(stats->spans, 2, "good spans are counted");
	is_uint(stats->bad_spans, 2, "and bad ones");
	is_uint(stats->bad_messages, 0, "the message is good");
	(void)see(SPAN_FORMAT_OTLP_JSON, two, strlen(two) - 1);
	is_uint(stats->spans, 2, "of a bad one no span");
	is_uint(stats->bad_spans, 2, "is counted");
	is_uint(stats->bad_messages, 1, "but itself");
}

int main(void)
{
	test_golden();
	test_json();
	test_proto();
	test_stats();
	see_close();
	return done_testing();
}
