/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the web server answers to requests that are not as usual, byte by byte.
 */
#include "web-test.h"

#include "base/banned.h"

#define HOST "Host: localhost\r\n"
#define CLOSE "Connection: close\r\n"

/* Status and body of what comes for BYTES; 0: nothing but the end. */
static const struct {
	const char *name, *bytes;
	int status;
	const char *body; /* NULL: whatever */
} cases[] = {
	/* RFC 9112, 3.2 */
	{"an absolute form",
	 "GET http://localhost/echo?say=x HTTP/1.1\r\n" HOST CLOSE "\r\n", 200,
	 "x"},
	{"in capitals, with a port",
	 "GET HTTPS://127.0.0.1:16686/echo?say=x HTTP/1.1\r\n" HOST CLOSE
	 "\r\n",
	 200, "x"},
	{"its host counts, and not the header",
	 "GET http://localhost/echo?say=x HTTP/1.1\r\nHost: "
	 "evil.example\r\n" CLOSE "\r\n",
	 200, "x"},
	{"nor the other way round",
	 "GET http://evil.example/echo?say=x HTTP/1.1\r\n" HOST CLOSE "\r\n",
	 403, NULL},
	{"no path in it", "GET http://localhost HTTP/1.1\r\n" HOST CLOSE "\r\n",
	 404, "404 page not found\n"},
	{"no path but a query",
	 "GET http://localhost?say=/echo HTTP/1.1\r\n" HOST CLOSE "\r\n", 404,
	 "404 page not found\n"},
	{"nobody in it", "GET http:///echo HTTP/1.1\r\n" HOST "\r\n", 400,
	 NULL},
	{"a user in it",
	 "GET http://localhost@evil.example/echo HTTP/1.1\r\n" HOST "\r\n", 400,
	 NULL},
	{"another scheme", "GET ftp://localhost/echo HTTP/1.1\r\n" HOST "\r\n",
	 400, NULL},
	{"an authority alone", "GET localhost:80 HTTP/1.1\r\n" HOST "\r\n", 400,
	 NULL},
	{"a tunnel", "CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n", 400,
	 NULL},
	{"all of the server", "OPTIONS * HTTP/1.1\r\n" HOST CLOSE "\r\n", 204,
	 ""},
	{"all of it, but to get it", "GET * HTTP/1.1\r\n" HOST "\r\n", 400,
	 NULL},
	/* RFC 9112, 5 and 6 */
	{"no host", "GET /echo?say=x HTTP/1.1\r\n" CLOSE "\r\n", 400, NULL},
	{"two hosts", "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n", 400, NULL},
	{"HTTP/1.0", "GET /echo?say=x HTTP/1.0\r\n\r\n", 200, "x"},
	{"a name with a blank behind it",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc", 400,
	 NULL},
	{"a name with a tab in it",
	 "GET /echo HTTP/1.1\r\n" HOST "X\ty: 1\r\n\r\n", 400, NULL},
	{"a value with a control character",
	 "GET /echo HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400, NULL},
	{"a length and a coding",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	 400, NULL},
	{"two codings",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
	 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	 400, NULL},
	{"a coding that is none",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n"
	 "0\r\n\r\n",
	 400, NULL},
	{"a coding before the last one",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n"
	 "\r\n0\r\n\r\n",
	 400, NULL},
	{"a coding of HTTP/1.0",
	 "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	 "0\r\n\r\n",
	 400, NULL},
	{"a length that is none",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\nabc", 400,
	 NULL},
	{"a negative one",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400,
	 NULL},
	{"one with a sign",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\nabc", 400,
	 NULL},
	{"one with a list",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\nabc", 400,
	 NULL},
	{"one beyond 64 bits",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616"
	 "\r\n\r\n",
	 413, NULL},
	{"one that is much too large is not waited for",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1000000000000\r\n\r\n",
	 413, ""},
	{"chunks, with extensions and trailers",
	 "POST /echo HTTP/1.1\r\n" HOST CLOSE "Transfer-Encoding: chunked\r\n"
	 "\r\n3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n",
	 200, "abcd"},
	{"a chunk's length that is none",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	 "x\r\nabc\r\n0\r\n\r\n",
	 400, NULL},
	{"a chunk longer than it says",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	 "2\r\nabc\r\n0\r\n\r\n",
	 400, NULL},
	{"a chunk beyond 64 bits",
	 "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	 "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
	 413, NULL},
	{"a body of what has none",
	 "GET /echo?say=x HTTP/1.1\r\n" HOST CLOSE
	 "Content-Length: 3\r\n\r\nabc",
	 200, "xabc"},
	{"leave to send is given",
	 "POST /echo HTTP/1.1\r\n" HOST CLOSE "Content-Length: 3\r\n"
	 "Expect: 100-continue\r\n\r\nabc",
	 100, NULL},
	{"or not",
	 "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n"
	 "Expect: 100-continue\r\n\r\n",
	 413, NULL},
	{"a part that is asked for is all of it",
	 "GET /echo?say=xyz HTTP/1.1\r\n" HOST CLOSE "Range: bytes=0-0\r\n\r\n",
	 200, "xyz"},
	{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL},
	{"a later HTTP/1", "GET /echo?say=x HTTP/1.2\r\n" HOST CLOSE "\r\n",
	 200, "x"},
	{"a method that is none", "FOO /echo HTTP/1.1\r\n" HOST CLOSE "\r\n",
	 404, NULL},
};

static void test_cases(void)
{
	start((struct span__web_opts){.max_body = 1000});
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct reply r;
		int fd = dial();

		say(fd, cases[i].bytes);
		shutdown(fd, SHUT_WR);
		r = take(fd);
		is_int(r.status, cases[i].status, "%s: status", cases[i].name);
		if (cases[i].body)
			is(r.body.p ? r.body.p : "", r.body.len, cases[i].body,
			   cases[i].name);
		drop(&r);
	}
	gives(ask("/echo?say=x", ""), 200, "x", "and goes on");
	end();
}

int main(void)
{
	test_cases();
	return done_testing();
}
