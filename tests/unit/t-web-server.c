/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the web server moves answers.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <zlib.h>

#include "web-test.h"

#include "base/banned.h"

/* In the place of the C library's, also for libmicrohttpd. */
static int no_epoll;

SPAN_API int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && get(&no_epoll)) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll_fd, op, fd, event);
}

static void test_simple(void)
{
	int fd;

	start((struct span__web_opts){0});
	gives(ask("/quick?say=hello", ""), 200, "hello", "a quick answer");
	gives(ask("/echo?say=a%20b", ""), 200, "a b", "another one");
	gives(ask("/none", ""), 404, "404 page not found\n", "no route");
	fd = dial();
	say(fd, "POST /echo?say=x HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: 3\r\nConnection: close\r\n\r\nabc");
	gives(fd, 200, "xabc", "a body");
	fd = dial();
	say(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
	gives(fd, 400, "400 bad request\n", "two lengths");
	fd = dial();
	say(fd, "GET /echo?say=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
		"GET /echo?say=2 HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n");
	struct reply r = take(fd);

	ok(strstr(r.all.p, "\r\n\r\n1HTTP/1.1 200 OK") &&
		   r.all.p[r.all.len - 1] == '2',
	   "one after the other on one connection");
	drop(&r);
	end();
}

static void test_large_body(void)
{
	char body[3000];
	int fd;

	start((struct span__web_opts){.max_body = 2000});
	fd = dial();
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	say(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: 2999\r\nConnection: close\r\n\r\n");
	say(fd, body);
	gives(fd, 413, "413 the body is too large\n", "as it says");
	fd = dial();
	say(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
		"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		"bb7\r\n");
	say(fd, body);
	say(fd, "\r\n0\r\n\r\n");
	gives(fd, 413, "413 the body is too large\n", "as it comes");
	end();
}

/* The bytes of N pieces, as more() makes them. */
static bool is_stream(const char *p, size_t len, int n)
{
	if (len != (size_t)n * PIECE)
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] != 'a' + (n - (int)(i / PIECE)) % 26)
			return false;
	return true;
}

static bool inflate_quietly(struct reply *r)
{
	struct span_buf out = {0};
	z_stream z = {.next_in = (Bytef *)r->body.p,
		      .avail_in = (uInt)r->body.len};
	char room[8192];
	int rc = inflateInit2(&z, 15 + 16);

	while (rc == Z_OK) {
		z.next_out = (Bytef *)room;
		z.avail_out = sizeof(room);
		rc = inflate(&z, Z_NO_FLUSH);
		span_buf_put(&out, room, sizeof(room) - z.avail_out);
	}
	inflateEnd(&z);
	span_buf_release(&r->body);
	r->body = out;
	return rc == Z_STREAM_END && !z.avail_in;
}

static void inflate_reply(struct reply *r)
{
	ok(inflate_quietly(r), "gzip has an end");
}

static void test_stream(void)
{
	static const int sizes[] = {0, 1, 6, 7, 8, 100, 1000};

	start((struct span__web_opts){0});
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char target[40];
		struct reply r;

		snprintf(target, sizeof(target), "/stream?n=%d", sizes[i]);
		r = take(ask(target, ""));
		ok(r.whole && is_stream(r.body.p, r.body.len, sizes[i]),
		   "%d pieces", sizes[i]);
		drop(&r);
		r = take(ask(target, "Accept-Encoding: br, gzip;q=0.5\r\n"));
		is_int(strstr(r.all.p, "Content-Encoding: gzip") != NULL,
		       sizes[i] > 0, "gzip where it is worth it");
		if (sizes[i])
			inflate_reply(&r);
		ok(is_stream(r.body.p, r.body.len, sizes[i]), "the same");
		drop(&r);
	}
	is_int(n_closed, 14, "each was closed once");
	struct reply r = take(ask("/stream?n=100&fails", ""));

	ok(r.status == 200 && !r.whole && r.body.len,
	   "one that fails is not whole");
	drop(&r);
	end();
}

static void test_no_gzip(void)
{
	struct reply r;

	start((struct span__web_opts){0});
	r = take(ask("/stream?n=9", "Accept-Encoding: gzip;q=0\r\n"));
	ok(!strstr(r.all.p, "Content-Encoding") && r.whole, "not wanted");
	drop(&r);
	r = take(ask("/echo?say=x", "Accept-Encoding: gzip\r\n"));
	ok(!strstr(r.all.p, "Content-Encoding"), "not worth it");
	drop(&r);
	end();
}

/* What is compressed is kept, but not for ever, nor in the place of another. */
static void test_kept(void)
{
	start((struct span__web_opts){0});
	for (int i = 0; i < 150; i++) {
		char target[60];
		struct reply r;

		snprintf(target, sizeof(target), "/whole?text&n=%d",
			 20000 + i % 70);
		r = take(ask(target, "Accept-Encoding: gzip\r\n"));
		if (!strstr(r.all.p, "Content-Encoding: gzip"))
			ok(false, "it is compressed");
		inflate_quietly(&r);
		if (r.body.len != 20000u + (unsigned)i % 70)
			ok(false, "%s has %zu bytes", target, r.body.len);
		drop(&r);
	}
	ok(true, "as often as it is asked for");
	end();
}

static bool is_head_alone(const struct reply *r)
{
	const char *end = strstr(r->all.p, "\r\n\r\n");

	return end && end + 4 == r->all.p + r->all.len;
}

static void test_head(void)
{
	int fd;
	struct reply r;

	start((struct span__web_opts){0});
	fd = dial();
	say(fd, "HEAD /stream?n=1000 HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n");
	r = take(fd);
	ok(r.status == 200 && !r.body.len, "HEAD has no body");
	is_int(n_pieces, 0, "and none is made");
	is_int(n_closed, 1, "but closed");
	ok(!strstr(r.all.p, "Content-Length"), "nobody knows its length");
	ok(is_head_alone(&r), "nothing at all is behind it");
	drop(&r);
	fd = dial();
	say(fd, "HEAD /whole?n=100000 HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n");
	r = take(fd);
	ok(strstr(r.all.p, "\r\nContent-Length: 100000\r\n") &&
		   is_head_alone(&r),
	   "one that is known has its length");
	drop(&r);
	end();
}

static void test_revalidate(void)
{
	static const char *const wanted[] = {"If-None-Match: W/%.18s\r\n",
					     "If-None-Match: \"x\", %.18s\r\n",
					     "If-None-Match: *\r\n"};
	struct reply r, again;
	const char *etag;
	char header[80];

	start((struct span__web_opts){0});
	r = take(ask("/whole?n=10", ""));
	etag = strstr(r.all.p, "ETag: W/");
	ok(etag != NULL, "it has a mark");
	for (size_t i = 0; etag && i < 3; i++) {
		snprintf(header, sizeof(header), wanted[i], etag + 8);
		again = take(ask("/whole?n=10", header));
		is_int(again.status, 304, "it has not changed");
		ok(strstr(again.all.p, "Vary: Accept-Encoding\r\n"),
		   "whatever coding it is kept in");
		ok(strstr(again.all.p, "Content-Length: 10\r\n"),
		   "nor has its length");
		ok(is_head_alone(&again), "and nothing is behind that");
		drop(&again);
	}
	drop(&r);
	end();
}

/* libmicrohttpd cannot take a connection then. */
static void test_no_epoll(void)
{
	struct reply r;

	start((struct span__web_opts){0});
	add(&no_epoll, 1);
	r = take(dial());
	ok(!r.all.len, "who cannot be watched is hung up on");
	drop(&r);
	add(&no_epoll, -1);
	gives(ask("/echo?say=x", ""), 200, "x", "others are answered");
	end();
}

static void test_stop(void)
{
	int fd;

	start((struct span__web_opts){0});
	fd = ask("/slow?say=late", "");
	ok(comes_to(&n_slow, 1), "it works for one");
	add(&server.stop, 1);
	ok(comes_to(&server.stop, 2), "it is told to stop");
	add(&let_go, 1);
	gives(fd, 200, "late", "he gets his answer");
	pthread_join(server.thread, NULL);
	ok(span__web_server_is_idle(server.w), "and then it has stopped");
	span__web_server_close(&server.w);
}

/* With answers running, and some waiting. */
static void test_close(void)
{
	int fds[6];

	start((struct span__web_opts){.threads = 1});
	for (int i = 0; i < 6; i++)
		fds[i] = ask("/slow", "");
	ok(comes_to(&n_slow, 1), "it works");
	end();
	for (int i = 0; i < 6; i++)
		close(fds[i]);
	ok(true, "and ends");
}

int main(void)
{
	test_simple();
	test_large_body();
	test_stream();
	test_no_gzip();
	test_kept();
	test_head();
	test_revalidate();
	test_no_epoll();
	test_stop();
	test_close();
	return done_testing();
}
