/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which format a message has, by its bytes and by what an endpoint's path and
 * content type say. The bytes of protobuf are protoc's.
 */
#include "codec/decoder.h"

#include "tap.h"

#include "base/banned.h"

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static const char *name_of(const void *p, size_t len)
{
	static struct span_error err;
	int format = span__format_detect(p, len, &err);

	return format < 0 ? err.msg : span_format_name(format);
}

static void test_json(void)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{"{\"resourceSpans\":[", "otlp-json"},
		{"{\"resource\":{\"attributes\":[]},\"scopeSpans\":[]}",
		 "otlp-json"},
		{"{}", "otlp-json"},
		{"\n {\"data\":[{}]}", "jaeger-json"},
		{"\xef\xbb\xbf{\"total\":0,\"data\":null}", "jaeger-json"},
		{"{\"traceID\":\"1\",\"spans\":[", "jaeger-json"},
		{"{\"processes\":{}", "jaeger-json"},
		{"[{\"spanID\":\"1\"", "jaeger-json"},
		{"{\"result\":{\"x\":[],\"resourceSpans\":[", "otlp-json"},
		{"{\"result\":{}}", "otlp-json"},
		{"{\"result\":{\"x\":1}}", "JSON, but none of a known format"},
		{"{\"schemaUrl\":\"\",\"resource\":{}}", "otlp-json"},
		{"{\"instrumentationLibrarySpans\":[", "otlp-json"},
		{"[[{\"traceID\":\"1\"}]]", "jaeger-json"},
		{"[[],[{\"traceId\":\"1\"}]]", "zipkin-json"},
		{"{\"tags\":{},\"duration\":1,\"id\":\"1\",\"traceId\":\"1\"}",
		 "zipkin-json"},
		{"{\"id\":\"1\",\"traceID\":\"1\"}", "jaeger-json"},
		{"{\"schemaUrl\":\"\",\"id\":1}", "otlp-json"},
		{"{\"id\":1,\"schemaUrl\":\"\"}", "otlp-json"},
		{"{\"kind\":\"server\",\"start_ns\":1,\"trace_id\":\"1\"}",
		 "jsonl"},
		{"\x1e{\"resourceSpans\":[", "otlp-json"},
		{"link_id,trace_id\n1,2\n", "csv"},
		{"\xef\xbb\xbf\"trace_id\",b\n", "csv"},
		{"[null,{\"traceId\":\"1\"", "zipkin-json"},
		{"[{\"x\":{\"traceID\":[]},\"id\":\"1\"}]", "zipkin-json"},
		{"[]", "zipkin-json"},
		{"{\"kind\":\"CLIENT\",\"traceId\":\"1\"}", "zipkin-json"},
		{"{\"trace_id\":\"1\"", "jsonl"},
		{"\"Trace ID\",b\r\n", "csv"},
		{"a,TraceID", "csv"},
		{"trace_id\n1,2", "no known format"},
		{"a,b\ntrace_id,c", "no known format"},
		{"[1]", "JSON, but none of a known format"},
		{"{\"a\":1}", "JSON, but none of a known format"},
		{"{\"a\":", "JSON, but none of a known format"},
		{"[", "JSON, but none of a known format"},
		{"{\"a\" \"data\"", "JSON, but none of a known format"},
		{" \n", "no known format"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		is_str(name_of(table[i].text, strlen(table[i].text)),
		       table[i].want, "JSON %zu: %s", i, table[i].want);
}

static void test_bytes(void)
{
	static const struct {
		const char *name, *hex, *want;
	} table[] = {
		{"nothing", "", "otlp-proto"},
		{"OTLP, no spans", "0a00", "otlp-proto"},
		{"OTLP, an attribute of 14 bytes, a span",
		 "0a300a100a0e0a03616263120712056469666661121c121a0a1000000000"
		 "000000000000000000000001120600000000000000",
		 "otlp-proto"},
		{"OTLP, no resource, a scope and a schema",
		 "0a0e12060a040a026c621a0461626364", "otlp-proto"},
		{"OTLP, an empty one before", "0a000a0412021200", "otlp-proto"},
		{"Zipkin, ids alone",
		 "0a140a0800000000000000011a080000000000000002",
		 "zipkin-proto"},
		{"Zipkin, with a parent and a kind",
		 "0a280a100000000000000000000000000000000112080000000000000003"
		 "1a0800000000000000022001",
		 "zipkin-proto"},
		{"Zipkin, a name and a time",
		 "0a200a0800000000000000011a0800000000000000022a01673101000000"
		 "00000000",
		 "zipkin-proto"},
		{"Jaeger, a request",
		 "0a1f0a1d0a1000000000000000000000000000000001120800000000"
		 "000000021a016f",
		 "jaeger-proto"},
		{"Jaeger, cut in the span",
		 "0a1f0a1d0a10000000000000000000000000000000011208000000",
		 "no known format"},
		{"Jaeger, cut behind its ids",
		 "0a1f0a1d0a100000000000000000000000000000000112080000000000"
		 "000002",
		 "jaeger-proto"},
		{"Jaeger, a batch, its operation as long as an id",
		 "0a280a10000000000000000000000000000000011208000000000000"
		 "00021a0847455420616263644a00",
		 "zipkin-proto"},
		{"the same with a start",
		 "0a2a0a10000000000000000000000000000000011208000000000000"
		 "00021a084745542061626364320208014a00",
		 "jaeger-proto"},
		{"text behind an empty line", "0a68656c6c6f20776f726c64",
		 "no known format"},
		{"OTLP, 123 bytes of it",
		 "0a7b0a790a770a016112720a703030303030303030303030303030303030"
		 "303030303030303030303030303030303030303030303030303030303030"
		 "303030303030303030303030303030303030303030303030303030303030"
		 "303030303030303030303030303030303030303030303030303030303030"
		 "3030303030",
		 "otlp-proto"},
		{"another field first", "1200", "no known format"},
		{"a name of CSV that goes on behind a NUL",
		 "74726163655f6964002c610a", "no known format"},
		{"gzip", "1f8b0800", "gzip data where a message should be"},
		{"zstd", "28b52ffd00", "zstd data where a message should be"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *hex = table[i].hex;
		struct span_buf b = {0};

		for (; hex[0]; hex += 2)
			span_buf_putc(
				&b, (char)(digit(hex[0]) << 4 | digit(hex[1])));
		is_str(name_of(b.p, b.len), table[i].want, "%s", table[i].name);
		span_buf_release(&b);
	}
}

static void test_endpoints(void)
{
	static const struct {
		const char *path, *type, *want;
		int transport;
	} table[] = {
		{"/v1/traces", "application/json", "otlp-json", 2},
		{"/prefix/v1/traces/", "Application/JSON; charset=utf-8",
		 "otlp-json", 2},
		{"/v1/traces?x=1", "application/x-protobuf", "otlp-proto", 2},
		{"/v1/traces", "text/plain", "auto", 2},
		{"/v1/traces", "application/jsonx", "auto", 2},
		{"/api/v2/spans", "application/json", "zipkin-json", 2},
		{"/api/v2/spans", "application/x-protobuf", "zipkin-proto", 2},
		{"/api/v1/spans", "application/json", "zipkin-json", 2},
		{"/api/v1/spans", "application/x-thrift", "auto", 2},
		{"/api/traces", "application/x-thrift", "auto", 2},
		{"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
		 "application/grpc+proto", "otlp-proto", 3},
		{"/jaeger.api_v2.CollectorService/PostSpans", "",
		 "jaeger-proto", 3},
		{"", "application/json", "auto", 2},
		{"", "", "auto", 0},
		{"", "", "jaeger-compact", 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct span_payload p = {
			.transport = (uint8_t)table[i].transport,
			.path = span_str(table[i].path),
			.content_type = span_str(table[i].type),
		};

		is_str(span_format_name(span_format_of_payload(&p)),
		       table[i].want, "%s %s", table[i].path, table[i].type);
	}
}

int main(void)
{
	test_json();
	test_bytes();
	test_endpoints();
	return done_testing();
}
