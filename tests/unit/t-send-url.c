/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_url.h"

#include <span/codec.h>

#include "tests/unit/tap.h"

static const struct {
	const char *text, *http, *host;
	uint16_t port;
	int format;
	bool json, tls, grpc;
} good[] = {
	{"otlp+http://localhost", "http://localhost:4318/v1/traces",
	 "localhost", 4318, SPAN_FORMAT_OTLP_PROTO, false, false, false},
	{"otlp+http://localhost/", "http://localhost:4318/v1/traces",
	 "localhost", 4318, SPAN_FORMAT_OTLP_PROTO, false, false, false},
	{"OTLP+HTTP://h:1/x/y?z=1", "http://h:1/x/y?z=1", "h", 1,
	 SPAN_FORMAT_OTLP_JSON, true, false, false},
	{"otlp+http://h?a=b", "http://h:4318/v1/traces?a=b", "h", 4318,
	 SPAN_FORMAT_OTLP_PROTO, false, false, false},
	{"otlp+https://[::1]:443", "https://[::1]:443/v1/traces", "::1", 443,
	 SPAN_FORMAT_OTLP_PROTO, false, true, false},
	{"otlp+grpc://h",
	 "http://h:4317"
	 "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	 "h", 4317, SPAN_FORMAT_OTLP_PROTO, false, false, true},
	{"otlp+grpcs://h:9/",
	 "https://h:9"
	 "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	 "h", 9, SPAN_FORMAT_OTLP_PROTO, false, true, true},
	{"zipkin+http://127.0.0.1", "http://127.0.0.1:9411/api/v2/spans",
	 "127.0.0.1", 9411, SPAN_FORMAT_ZIPKIN_JSON, false, false, false},
	{"zipkin+https://z", "https://z:9411/api/v2/spans", "z", 9411,
	 SPAN_FORMAT_ZIPKIN_JSON, true, true, false},
	{"jaeger+http://h", "http://h:14268/api/traces", "h", 14268,
	 SPAN_FORMAT_JAEGER_BINARY, false, false, false},
	{"jaeger+grpc://h",
	 "http://h:14250/jaeger.api_v2.CollectorService/PostSpans", "h", 14250,
	 SPAN_FORMAT_JAEGER_PROTO, false, false, true},
	{"jaeger+udp://h", "", "h", 6831, SPAN_FORMAT_JAEGER_COMPACT, false,
	 false, false},
	{"jaeger+udp://h:6832", "", "h", 6832, SPAN_FORMAT_JAEGER_BINARY, false,
	 false, false},
	{"jaeger+udp://[fe80::1%eth0]:6832/?protocol=compact", "",
	 "fe80::1%eth0", 6832, SPAN_FORMAT_JAEGER_COMPACT, false, false, false},
	{"jaeger+udp://h:7000?protocol=binary", "", "h", 7000,
	 SPAN_FORMAT_JAEGER_BINARY, false, false, false},
};

static const struct {
	const char *text;
	bool json;
	const char *why;
} bad[] = {
	{"", false, "no URL"},
	{"localhost:4318", false, "no URL"},
	{"http://localhost", false, "in which protocol"},
	{"HTTPS://localhost", false, "in which protocol"},
	{"otlp://localhost", false, "no such protocol"},
	{"jaeger+udps://localhost", false, "no such protocol"},
	{"otlp+http://", false, "no host"},
	{"otlp+http:///v1/traces", false, "no host"},
	{"otlp+http://:4318", false, "no host"},
	{"otlp+http://[]:1", false, "no host"},
	{"otlp+http://h:", false, "no such port"},
	{"otlp+http://h:0", false, "no such port"},
	{"otlp+http://h:65536", false, "no such port"},
	{"otlp+http://h:-1", false, "no such port"},
	{"otlp+http://h:1a", false, "no such port"},
	{"otlp+http://::1", false, "in brackets"},
	{"otlp+http://[::1", false, "brackets are not closed"},
	{"otlp+http://[::1]1", false, "brackets are not closed"},
	{"otlp+http://me:secret@h", false, "--user-file"},
	{"otlp+http://h/a b", false, "a character"},
	{"otlp+http://h/\x01", false, "a character"},
	{"otlp+http://h/\xc3\xa9", false, "a character"},
	{"otlp+http://h/#top", false, "a character"},
	{"otlp+grpc://h/x", false, "no path"},
	{"otlp+grpc://h?x=y", false, "no path"},
	{"jaeger+udp://h/x", false, "after the port"},
	{"jaeger+udp://h?protocol=thrift", false, "after the port"},
	{"otlp+grpc://h", true, "no JSON"},
	{"jaeger+http://h", true, "no JSON"},
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct span__send_url u = {0};
		struct span_error err = {0};
		int rc = span__send_url_parse(&u, good[i].text, good[i].json,
					      &err);

		if (!is_int(rc, 0, "'%s' is good", good[i].text))
			diag("%s", err.msg);
		is_str(u.http, good[i].http, "its HTTP URL");
		is_str(u.host, good[i].host, "its host");
		ok(u.port == good[i].port && u.format == good[i].format &&
			   u.tls == good[i].tls && u.grpc == good[i].grpc,
		   "port, format, TLS and gRPC");
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct span__send_url u;
		struct span_error err = {0};
		int rc = span__send_url_parse(&u, bad[i].text, bad[i].json,
					      &err);

		if (!ok(rc == SPAN_E_INVALID && strstr(err.msg, bad[i].why),
			"'%s' is wrong: %s", bad[i].text, bad[i].why))
			diag("%d: %s", rc, err.msg);
	}
}

static const struct {
	const char *text, *http;
	bool tls;
} lokis[] = {
	{"http://h:3100", "http://h:3100/push", false},
	{"http://h:3100/", "http://h:3100/push", false},
	{"http://h", "http://h:80/push", false},
	{"HTTPS://h", "https://h:443/push", true},
	{"https://[::1]:1/a/b?c=d", "https://[::1]:1/a/b?c=d", true},
	{"loki+http://h", NULL, false},
	{"h:3100", NULL, false},
	{"http:/h", NULL, false},
	{"http://", NULL, false},
	{"http://a:b@h", NULL, false},
};

static void test_loki(void)
{
	for (size_t i = 0; i < sizeof(lokis) / sizeof(lokis[0]); i++) {
		struct span__send_url u = {0};
		int rc = span__loki_url_parse(&u, lokis[i].text, "/push", NULL);

		is_int(rc, lokis[i].http ? 0 : SPAN_E_INVALID, "'%s' for Loki",
		       lokis[i].text);
		if (lokis[i].http)
			ok(!strcmp(u.http, lokis[i].http) &&
				   u.tls == lokis[i].tls &&
				   u.protocol == SPAN__SEND_LOKI,
			   "is %s", lokis[i].http);
	}
}

static void test_long(void)
{
	char text[3000] = "otlp+http://";
	struct span__send_url u;
	size_t start = strlen(text);

	memset(text + start, 'a', SPAN__URL_HOST);
	is_int(span__send_url_parse(&u, text, false, NULL), SPAN_E_INVALID,
	       "a host that is too long");
	memset(text + start, 'a', sizeof(text) - start - 1);
	text[start + 1] = '/';
	is_int(span__send_url_parse(&u, text, false, NULL), SPAN_E_INVALID,
	       "a URL that is too long");
}

int main(void)
{
	test_good();
	test_bad();
	test_loki();
	test_long();
	return done_testing();
}
