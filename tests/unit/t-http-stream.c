/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in streams that are split everywhere: each gives what it gives as a
 * whole. What is broken or missing costs its own request.
 */
#include "net/http_stream.h"

#include <span/payload.h>

#include "tests/unit/seen-requests.h"
#include "tests/unit/tap.h"

static bool wants(struct span_str path)
{
	return span_str_equal(path, SPAN_STR("/api/traces")) ||
	       span_str_equal(path, SPAN_STR("/v1/traces"));
}

static struct span__http_stream *open_http(bool whole)
{
	struct span__http_stream *h = NULL;

	seen.len = 0;
	if (span__http_stream_open(&h, &sink, whole, NULL) < 0)
		abort();
	return h;
}

static int put_at(struct span__http_stream *h, const char *p, size_t len,
		  uint64_t time_ns)
{
	struct span__tcp_bytes b = {
		.len = len, .time_ns = time_ns, .begins = true};
	uint8_t *copy = malloc(len);
	int rc;

	if (!len) {
		free(copy);
		return 0;
	}
	memcpy(copy, p, len);
	b.p = copy;
	rc = span__http_stream_put(h, &b, NULL);
	free(copy);
	return rc;
}

static int put(struct span__http_stream *h, const char *text)
{
	return put_at(h, text, strlen(text), 1);
}

#define HEAD(target) "POST " target " HTTP/1.1\r\nHost: collector\r\n"

static const struct {
	const char *name, *text, *want;
} cases[] = {
	{"a length",
	 HEAD("/api/traces") "Content-Type: application/x-thrift\r\n"
			     "Content-Length: 5\r\n\r\nhello",
	 "/api/traces application/x-thrift  hello;"},
	{"chunks",
	 HEAD("/v1/traces") "content-type: application/json\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"
			    "2\r\nhe\r\n3;name=value\r\nllo\r\n0\r\n\r\n",
	 "/v1/traces application/json  hello;"},
	{"chunks and a trailer",
	 HEAD("/v1/traces") "Transfer-Encoding: chunked\r\n\r\n"
			    "1\r\nx\r\n0\r\nContent-Type: text/plain\r\n\r\n",
	 "/v1/traces   x;"},
	{"no body", HEAD("/v1/traces") "Content-Length: 0\r\n\r\n",
	 "/v1/traces   ;"},
	{"neither length nor chunks", HEAD("/v1/traces") "\r\n",
	 "/v1/traces   ;"},
	{"a query",
	 HEAD("/api/traces?format=jaeger.thrift") "Content-Length: 1\r\n\r\nx",
	 "/api/traces   x;"},
	{"a whole URL",
	 HEAD("http://collector:4318/v1/traces") "Content-Length: 1\r\n\r\nx",
	 "/v1/traces   x;"},
	{"headers in any case, with spaces",
	 HEAD("/v1/traces") "CONTENT-TYPE:   a/b; charset=utf-8  \r\n"
			    "cOnTeNt-EnCoDiNg:gzip\r\nContent-Typewriter: x\r\n"
			    "X-Content-Type: y\r\nContent-Length: 1\r\n\r\nx",
	 "/v1/traces a/b; charset=utf-8   gzip x;"},
	{"a header twice",
	 HEAD("/v1/traces") "Content-Encoding: gzip\r\nAccept: x\r\n"
			    "Content-Encoding: gzip\r\nContent-Length: "
			    "0\r\n\r\n",
	 "/v1/traces  gzip, gzip ;"},
	{"Expect: 100-continue",
	 HEAD("/v1/traces") "Expect: 100-continue\r\nContent-Length: "
			    "2\r\n\r\nhi",
	 "/v1/traces   hi;"},
	{"one after the other",
	 HEAD("/v1/traces") "Content-Length: 1\r\n\r\na" HEAD(
		 "/v1/traces") "Transfer-Encoding: chunked\r\n\r\n"
			       "1\r\nb\r\n0\r\n\r\n" HEAD(
				       "/v1/traces") "Content-Length: "
						     "1\r\n\r\nc",
	 "/v1/traces   a;/v1/traces   b;/v1/traces   c;"},
	{"lines between them",
	 HEAD("/v1/traces") "Content-Length: 1\r\n\r\na\r\n\r\n" HEAD(
		 "/v1/traces") "Content-Length: 1\r\n\r\nb",
	 "/v1/traces   a;/v1/traces   b;"},
	{"one more after the connection should be closed",
	 HEAD("/v1/traces") "Connection: close\r\nContent-Length: "
			    "1\r\n\r\na" HEAD(
				    "/v1/traces") "Content-Length: 1\r\n\r\nb",
	 "/v1/traces   a;/v1/traces   b;"},
	{"HTTP/1.0", "POST /v1/traces HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
	 "/v1/traces   x;"},
	{"other requests",
	 "GET /v1/traces HTTP/1.1\r\n\r\n"
	 "PUT /v1/traces HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz" HEAD(
		 "/v1/metrics") "Content-Length: 3\r\n\r\nxyz"
				"OPTIONS * HTTP/1.1\r\n\r\n" HEAD(
					"/v1/traces") "Content-Length: "
						      "1\r\n\r\na",
	 "----/v1/traces   a;"},
	{"a proposal of HTTP/2 that nobody takes up",
	 HEAD("/v1/traces") "Connection: Upgrade, HTTP2-Settings\r\n"
			    "Upgrade: h2c\r\nContent-Length: 1\r\n\r\na" HEAD(
				    "/v1/traces") "Content-Length: 1\r\n\r\nb",
	 "/v1/traces   a;/v1/traces   b;"},
	{"a request that is not finished",
	 HEAD("/v1/traces") "Content-Length: 10\r\n\r\nabc", "(incomplete)"},
	{"not even its head", HEAD("/v1/traces") "Content-Le", "(incomplete)"},
	{"one of no interest, not finished",
	 HEAD("/v1/metrics") "Content-Length: 10\r\n\r\nabc", "-"},
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

/* Each case in two parts split everywhere, and byte for byte. */
static void test_cases(void)
{
	for (size_t i = 0; i < N_CASES; i++) {
		const char *text = cases[i].text;
		size_t len = strlen(text), wrong = 0;

		for (size_t at = 0; at <= len; at++) {
			struct span__http_stream *h = open_http(true);

			wrong += put_at(h, text, at, 1) != 0 ||
				 put_at(h, text + at, len - at, 2) != 0;
			span__http_stream_close(&h);
			wrong += seen.len != strlen(cases[i].want) ||
				 memcmp(seen.p, cases[i].want, seen.len) != 0;
		}
		is(seen.p, seen.len, cases[i].want, cases[i].name);
		is_uint(wrong, 0, "and so it is split at each of %zu bytes",
			len);
	}
	for (size_t i = 0; i < N_CASES; i++) {
		struct span__http_stream *h = open_http(true);

		for (const char *c = cases[i].text; *c; c++)
			if (put_at(h, c, 1, 1) != 0)
				break;
		span__http_stream_close(&h);
		is(seen.p, seen.len, cases[i].want, "byte for byte");
	}
}

#define GOOD HEAD("/v1/traces") "Content-Length: 2\r\n\r\nok"

/* Parts that each begin a packet, and a gap where one is NULL. */
static const struct {
	const char *name;
	bool whole;
	const char *parts[6];
	const char *want;
} lossy[] = {
	{"a gap in a body",
	 true,
	 {HEAD("/v1/traces") "Content-Length: 9\r\n\r\nab", NULL, "gh", GOOD},
	 "(incomplete)/v1/traces   ok;"},
	{"a gap in a head",
	 true,
	 {"POST /v1/tra", NULL, "gh\r\nContent-Length: 0\r\n\r\n", GOOD},
	 "(incomplete)/v1/traces   ok;"},
	{"a gap between requests",
	 true,
	 {GOOD, NULL, "kkkk", GOOD},
	 "/v1/traces   ok;(incomplete)/v1/traces   ok;"},
	{"a gap at the beginning",
	 true,
	 {NULL, "abc", GOOD},
	 "(incomplete)/v1/traces   ok;"},
	{"a gap where nothing is of interest",
	 true,
	 {HEAD("/other") "Content-Length: 9\r\n\r\nab", NULL, "gh", GOOD},
	 "-/v1/traces   ok;"},
	{"two gaps before the next request",
	 true,
	 {HEAD("/v1/traces") "Content-Length: 9\r\n\r\nab", NULL, "gh", NULL,
	  "ij", GOOD},
	 "(incomplete)/v1/traces   ok;"},
	{"the beginning was not captured",
	 false,
	 {"ab\r\n", "POST", GOOD},
	 "/v1/traces   ok;"},
	{"nor the end", false, {"abcdef", "POSTER", "GET on"}, ""},
	{"no HTTP at all",
	 true,
	 {"SSH-2.0-x\r\n", "abc", GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"a bad length",
	 true,
	 {HEAD("/v1/traces") "Content-Length: x\r\n\r\n", GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"two lengths",
	 true,
	 {HEAD("/v1/traces") "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
	  GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"a length and chunks",
	 true,
	 {HEAD("/v1/traces") "Content-Length: 1\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n",
	  GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"a bad chunk",
	 true,
	 {HEAD("/v1/traces") "Transfer-Encoding: chunked\r\n\r\n", "g\r\n",
	  GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"a chunk of 2^64 bytes",
	 true,
	 {HEAD("/v1/traces") "Transfer-Encoding: chunked\r\n\r\n",
	  "10000000000000000\r\n", GOOD},
	 "(malformed)/v1/traces   ok;"},
	{"what follows is wrong",
	 true,
	 {GOOD "\x01", GOOD},
	 "/v1/traces   ok;(malformed)/v1/traces   ok;"},
	{"a bad chunk of no interest",
	 true,
	 {HEAD("/x") "Transfer-Encoding: chunked\r\n\r\n", "g\r\n", GOOD},
	 "-/v1/traces   ok;"},
	{"a tunnel",
	 true,
	 {"CONNECT a:1 HTTP/1.1\r\n\r\n", "\x16\x03\x01", GOOD},
	 "-/v1/traces   ok;"},
	{"a tunnel with its first bytes",
	 true,
	 {"CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03\x01", GOOD},
	 "-/v1/traces   ok;"},
};

static void test_lossy(void)
{
	for (size_t i = 0; i < sizeof(lossy) / sizeof(lossy[0]); i++) {
		struct span__http_stream *h = open_http(lossy[i].whole);
		size_t n = 6;

		while (!lossy[i].parts[n - 1])
			n--;
		for (size_t k = 0; k < n; k++) {
			if (!lossy[i].parts[k])
				span__http_stream_gap(h, SPAN__DROP_INCOMPLETE);
			else if (put(h, lossy[i].parts[k]) != 0)
				break;
		}
		span__http_stream_close(&h);
		is(seen.p, seen.len, lossy[i].want, lossy[i].name);
	}
}

/* Only a packet's first byte begins a request after a loss. */
static void test_begins(void)
{
	struct span__http_stream *h = open_http(false);
	struct span__tcp_bytes b = {.p = (const uint8_t *)GOOD,
				    .len = sizeof(GOOD) - 1};

	is_int(span__http_stream_put(h, &b, NULL), 0, "inside a packet");
	is(seen.p, seen.len, "", "begins nothing");
	b.begins = true;
	is_int(span__http_stream_put(h, &b, NULL), 0, "at its beginning");
	is(seen.p, seen.len, "/v1/traces   ok;", "is a request");
	span__http_stream_close(&h);
}

static void test_disputed(void)
{
	struct span__http_stream *h = open_http(true);
	struct span__tcp_bytes b = {.p = (const uint8_t *)GOOD GOOD "PO",
				    .len = 2 * (sizeof(GOOD) - 1) + 2,
				    .disputed = true};

	is_int(span__http_stream_put(h, &b, NULL), 0, "disputed bytes");
	put(h, &GOOD[2]);
	put(h, GOOD);
	is(seen.p, seen.len, "(overlap)(overlap)(overlap)/v1/traces   ok;",
	   "cost each request that has some");
	span__http_stream_close(&h);
}

static void test_time(void)
{
	struct span__http_stream *h = open_http(true);

	put_at(h, GOOD, sizeof(GOOD) - 2, 7);
	put_at(h, &GOOD[sizeof(GOOD) - 2], 1, 9);
	is_uint(last_ns, 9, "the time is that of the last byte");
	span__http_stream_close(&h);
}

static void test_error(void)
{
	struct span__http_stream *h = open_http(true);

	fail_with = SPAN_E_PIPE;
	is_int(put(h, GOOD GOOD), SPAN_E_PIPE, "what the sink says ends it");
	is(seen.p, seen.len, "/v1/traces   ok;", "at once");
	fail_with = 0;
	span__http_stream_close(&h);
}

/* More bytes than a body may have: the next request is read all the same. */
static void test_limits(void)
{
	static char zeros[1 << 20];
	struct span__http_stream *h = open_http(true);
	struct span_buf long_one = {0};
	size_t most = 0;

	put(h,
	    HEAD("/v1/traces") "Transfer-Encoding: chunked\r\n\r\n3000000\r\n");
	for (int i = 0; i < 48; i++) {
		put_at(h, zeros, sizeof(zeros), 1);
		if (span__http_stream_memory(h) > most)
			most = span__http_stream_memory(h);
	}
	put(h, "\r\n0\r\n\r\n" GOOD);
	is(seen.p, seen.len, "(too_large)/v1/traces   ok;", "48 MiB");
	ok(most >= SPAN_PAYLOAD_MAX && most < SPAN_PAYLOAD_MAX + 4096,
	   "%zu bytes at most", most);
	ok(span__http_stream_memory(h) < 1000, "and none after it");

	seen.len = 0;
	put(h, HEAD("/v1/traces") "Content-Length: 33554432\r\n\r\n");
	for (int i = 0; i < 32; i++)
		put_at(h, zeros, sizeof(zeros), 1);
	is_uint(seen.len, SPAN_PAYLOAD_MAX + sizeof("/v1/traces   ;") - 1,
		"32 MiB are not too many");

	seen.len = 0;
	span_buf_puts(&long_one, "POST /v1/traces?");
	for (int i = 0; i < 5000; i++)
		span_buf_putc(&long_one, 'x');
	span_buf_puts(&long_one, " HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
	put_at(h, long_one.p, long_one.len, 1);
	put(h, GOOD);
	is(seen.p, seen.len, "-/v1/traces   ok;", "a target above 4096 bytes");

	seen.len = 0;
	put(h, HEAD("/v1/traces") "X: ");
	for (int i = 0; i < 1000; i++)
		put(h, "a header of one hundred bytes, or almost as many as "
		       "that, which comes again and again and again .");
	put(h, GOOD);
	is(seen.p, seen.len, "(malformed)/v1/traces   ok;", "a head of 100 kB");
	span_buf_release(&long_one);
	span__http_stream_close(&h);
}

int main(void)
{
	test_cases();
	test_lossy();
	test_begins();
	test_disputed();
	test_time();
	test_error();
	test_limits();
	span_buf_release(&seen);
	return done_testing();
}
