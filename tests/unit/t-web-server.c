/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the web server moves answers: with routes of this test's own in the
 * place of serve/routes.c, and a client of plain sockets.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "net/listen.h"
#include "net/web_server.h"
#include "serve/answers.h"
#include "serve/params.h"
#include "serve/routes.h"
#include "tap.h"

#include "base/banned.h"

#define PIECE 10000u
#define MS 1000000ull
#define SECOND (1000 * MS)

/* What handlers and the test tell each other; atomic. */
static int n_slow, n_gone, n_pieces, n_closed, let_go;

static int get(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static void add(int *n, int by)
{
	__atomic_add_fetch(n, by, __ATOMIC_SEQ_CST);
}

static void nap(void)
{
	poll(NULL, 0, 2);
}

/* Wait for up to ten seconds. */
static bool comes_to(const int *n, int want)
{
	for (int i = 0; i < 5000 && get(n) < want; i++)
		nap();
	return get(n) >= want;
}

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

/* ---- Routes ---- */

static int echo(const struct span__serve *s,
		const struct span__serve_request *r,
		struct span__serve_answer *a, struct span_error *err)
{
	(void)s;
	(void)err;
	a->type = "text/plain";
	span_buf_str(&a->body, span__serve_value(r, "say"));
	span_buf_put(&a->body, r->body, r->body_len);
	return 0;
}

static int slow(const struct span__serve *s,
		const struct span__serve_request *r,
		struct span__serve_answer *a, struct span_error *err)
{
	add(&n_slow, 1);
	while (!get(&let_go) && !span__serve_gone(r))
		nap();
	add(&n_gone, span__serve_gone(r));
	return echo(s, r, a, err);
}

struct stream {
	int64_t left;
	bool fails;
};

static int more(void *arg, struct span_buf *out, struct span_error *err)
{
	struct stream *s = arg;
	char piece[PIECE];

	if (!s->left)
		return s->fails ? span_error_set(err, SPAN_E_IO, "broken") : 0;
	memset(piece, 'a' + (int)(s->left % 26), sizeof(piece));
	span_buf_put(out, piece, sizeof(piece));
	s->left--;
	add(&n_pieces, 1);
	return 1;
}

static void close_stream(void *arg)
{
	free(arg);
	add(&n_closed, 1);
}

static int stream(const struct span__serve *s,
		  const struct span__serve_request *r,
		  struct span__serve_answer *a, struct span_error *err)
{
	struct stream *st = calloc(1, sizeof(*st));

	(void)s;
	if (!st)
		return SPAN_E_NOMEM;
	st->fails = span__serve_param(r, "fails");
	a->type = "text/plain";
	a->more = more;
	a->close = close_stream;
	a->arg = st;
	return span__serve_int(span__serve_value(r, "n"), &st->left, err);
}

static int whole(const struct span__serve *s,
		 const struct span__serve_request *r,
		 struct span__serve_answer *a, struct span_error *err)
{
	int64_t n = 0;
	int rc = span__serve_int(span__serve_value(r, "n"), &n, err);
	char *p = span_buf_reserve(&a->body, (size_t)n);

	(void)s;
	if (rc < 0 || !p)
		return SPAN_E_NOMEM;
	memset(p, 'a', (size_t)n);
	a->body.len = (size_t)n;
	a->type = "image/png";
	a->revalidate = true;
	return 0;
}

static const struct span__serve_route routes[] = {
	{"GET", "/quick", echo, .quick = true},
	{"GET", "/echo", echo, .quick = false},
	{"POST", "/echo", echo, .quick = false},
	{"GET", "/slow", slow, .quick = false},
	{"GET", "/stream", stream, .quick = false},
	{"GET", "/whole", whole, .quick = false},
};
#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

const struct span__serve_route *span__serve_route_at(size_t i)
{
	return i < N_ROUTES ? &routes[i] : NULL;
}

const struct span__serve_route *
span__serve_route(const struct span__serve *s,
		  const struct span__serve_request *r, const char **allow)
{
	(void)s;
	*allow = NULL;
	for (size_t i = 0; i < N_ROUTES; i++)
		if (span_str_equal(r->path, span_str(routes[i].pattern)) &&
		    (span_str_equal(r->method, span_str(routes[i].method)) ||
		     span_str_equal(r->method, SPAN_STR("HEAD"))))
			return &routes[i];
	return NULL;
}

int span__serve_answer(const struct span__serve *s,
		       const struct span__serve_route *route, const char *allow,
		       const struct span__serve_request *r,
		       struct span__serve_answer *a, struct span_error *err)
{
	(void)allow;
	return route ? route->fn(s, r, a, err)
		     : span__serve_plain(a, 404, "404 page not found");
}

/* ---- A server in a thread of its own ---- */

static struct {
	struct span__web_server *w;
	uint16_t port;
	pthread_t thread;
	int stop, end; /* atomic */
} server;

static void *turn(void *arg)
{
	struct span_error err = {0};

	(void)arg;
	while (!get(&server.end) &&
	       !(get(&server.stop) && span__web_server_is_idle(server.w))) {
		if (get(&server.stop) == 1) {
			span__web_server_stop(server.w);
			add(&server.stop, 1);
		}
		if (span__web_server_turn(server.w, 20 * MS, NULL, &err) < 0)
			break;
	}
	return NULL;
}

static void start(struct span__web_opts o)
{
	static const struct span__serve nothing;
	struct span__address a = {.sa.in.sin_family = AF_INET,
				  .len = sizeof(a.sa.in)};
	struct span_error err = {0};
	struct span__listener l;

	o.serve = &nothing;
	a.sa.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.stop = server.end = 0;
	n_slow = n_gone = n_pieces = n_closed = let_go = 0;
	if (span__web_server_open(&server.w, &o, &err) < 0 ||
	    span__listen(&l, &a, &err) < 0 ||
	    span__web_server_listen(server.w, l.fd, &l.local, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	server.port = span__address_port(&l.local);
	pthread_create(&server.thread, NULL, turn, NULL);
}

static void end(void)
{
	__atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&server.end, 1, __ATOMIC_SEQ_CST);
	pthread_join(server.thread, NULL);
	span__web_server_close(&server.w);
}

/* ---- A client ---- */

static int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(server.port)};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		printf("# cannot connect\n");
	return fd;
}

static void say(int fd, const char *text)
{
	if (span_write_all(fd, text, strlen(text), NULL) < 0)
		printf("# cannot send\n");
}

static int ask(const char *target, const char *headers)
{
	struct span_buf b = {0};
	int fd = dial();

	span_buf_printf(&b,
			"GET %s HTTP/1.1\r\nHost: localhost\r\n"
			"Connection: close\r\n%s\r\n",
			target, headers);
	span_buf_putc(&b, '\0');
	say(fd, b.p);
	span_buf_release(&b);
	return fd;
}

struct reply {
	struct span_buf all, body;
	int status;
	bool whole;
};

/* Take the chunks of a body apart; their end makes it whole. */
static void dechunk(struct reply *r, const char *p)
{
	const char *end = r->all.p + r->all.len;

	for (;;) {
		char *next = NULL;
		size_t len = strtoul(p, &next, 16);

		if (next == p || next + 2 > end)
			return;
		p = next + 2;
		if (!len) {
			r->whole = true;
			return;
		}
		if (p + len + 2 > end)
			return;
		span_buf_put(&r->body, p, len);
		p += len + 2;
	}
}

static void take_apart(struct reply *r)
{
	const char *body, *length;

	span_buf_putc(&r->all, '\0');
	r->all.len--;
	body = r->all.p ? strstr(r->all.p, "\r\n\r\n") : NULL;
	if (!body || strncmp(r->all.p, "HTTP/1.1 ", 9) != 0)
		return;
	r->status = (int)strtol(r->all.p + 9, NULL, 10);
	body += 4;
	if (strstr(r->all.p, "Transfer-Encoding: chunked")) {
		dechunk(r, body);
		return;
	}
	span_buf_put(&r->body, body, r->all.len - (size_t)(body - r->all.p));
	length = strstr(r->all.p, "Content-Length: ");
	r->whole = length && strtoul(length + 16, NULL, 10) == r->body.len;
}

/* Read to the end, and close. */
static struct reply take(int fd)
{
	struct reply r = {0};
	char *room;
	ssize_t n = 1;

	while (n > 0 && (room = span_buf_reserve(&r.all, 65536))) {
		n = read(fd, room, 65536);
		if (n > 0)
			r.all.len += (size_t)n;
	}
	close(fd);
	take_apart(&r);
	return r;
}

static void drop(struct reply *r)
{
	span_buf_release(&r->all);
	span_buf_release(&r->body);
}

/* One test: what comes of FD has STATUS and BODY. */
static void gives(int fd, int status, const char *body, const char *name)
{
	struct reply r = take(fd);

	is_int(r.status, status, "%s: status", name);
	is(r.body.p, r.body.len, body, name);
	drop(&r);
}

/* ---- Tests ---- */

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

static void inflate_reply(struct reply *r)
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
	ok(rc == Z_STREAM_END && !z.avail_in, "gzip has an end");
	span_buf_release(&r->body);
	r->body = out;
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
	drop(&r);
	fd = dial();
	say(fd, "HEAD /whole?n=100000 HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n");
	r = take(fd);
	ok(strstr(r.all.p, "\r\nContent-Length: 100000\r\n") && !r.body.len,
	   "one that is known has its length");
	drop(&r);
	end();
}

static void test_revalidate(void)
{
	static const char *const wanted[] = {"If-None-Match: W/%.18s\r\n",
					     "If-None-Match: \"x\", %.18s\r\n"};
	struct reply r, again;
	const char *etag;
	char header[80];

	start((struct span__web_opts){0});
	r = take(ask("/whole?n=10", ""));
	etag = strstr(r.all.p, "ETag: W/");
	ok(etag != NULL, "it has a mark");
	for (size_t i = 0; etag && i < 2; i++) {
		snprintf(header, sizeof(header), wanted[i], etag + 8);
		again = take(ask("/whole?n=10", header));
		is_int(again.status, 304, "it has not changed");
		ok(strstr(again.all.p, "Vary: Accept-Encoding\r\n"),
		   "whatever coding it is kept in");
		ok(!strstr(again.all.p, "Content-Length: 0"),
		   "nor has its length");
		ok(!strcmp(again.all.p + again.all.len - 4, "\r\n\r\n") &&
			   !strstr(again.all.p, "Transfer-Encoding"),
		   "and nothing follows its head");
		drop(&again);
	}
	drop(&r);
	end();
}

static void test_lanes(void)
{
	int a, b, c;

	start((struct span__web_opts){.threads = 1, .max_queue = 1});
	a = ask("/slow?say=a", "");
	ok(comes_to(&n_slow, 1), "one takes long");
	b = ask("/echo?say=b", "");
	gives(ask("/quick?say=q", ""), 200, "q", "what is quick goes on");
	gives(ask("/quick?say=q", ""), 200, "q", "and goes on");
	c = ask("/echo?say=c", "");
	struct reply r = take(c);

	is_int(r.status, 503, "the queue is full");
	ok(strstr(r.all.p, "Retry-After: 1\r\n"), "try again");
	drop(&r);
	add(&let_go, 1);
	gives(a, 200, "a", "the slow one");
	gives(b, 200, "b", "the one that waited");
	end();
}

static void test_gone(void)
{
	int fd;

	start((struct span__web_opts){.threads = 1, .half_ns = 1});
	fd = ask("/slow", "");
	ok(comes_to(&n_slow, 1), "it works for one");
	close(fd);
	ok(comes_to(&n_gone, 1), "who goes away, and is told so");
	gives(ask("/echo?say=next", ""), 200, "next", "the next one");
	end();
}

/* Who sends nothing more may still read. */
static void test_half_closed(void)
{
	int fd;

	start((struct span__web_opts){.half_ns = 60 * SECOND});
	fd = ask("/slow?say=half", "");
	shutdown(fd, SHUT_WR);
	ok(comes_to(&n_slow, 1), "it works for one");
	poll(NULL, 0, 1200); /* it looks each second for who is gone */
	add(&let_go, 1);
	gives(fd, 200, "half", "who has closed his half only");
	end();
}

static void test_timeout(void)
{
	start((struct span__web_opts){.threads = 1, .request_ns = 100 * MS});
	gives(ask("/slow", ""), 503, "503 the answer takes too long\n",
	      "what takes too long");
	ok(comes_to(&n_gone, 1), "is not gone on with");
	gives(ask("/echo?say=next", ""), 200, "next", "the next one");
	end();
}

/* Send BYTES of TEXT, one after another, until he is cut off. */
static bool is_cut_off(int fd, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (send(fd, text + i % strlen(text), 1, MSG_NOSIGNAL) < 0 ||
		    poll(&p, 1, 20) > 0)
			return true;
	}
	return false;
}

/* Each byte is no reason to wait for the next one. */
static void test_slow_clients(void)
{
	int fd;

	start((struct span__web_opts){
		.head_ns = 100 * MS, .body_ns = 100 * MS, .idle_ns = 100 * MS});
	fd = dial();
	say(fd, "GET /echo HTTP/1.1\r\nX: ");
	ok(is_cut_off(fd, "x", 400), "a head that does not end");
	close(fd);
	fd = dial();
	say(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
		"Content-Length: 1000\r\n\r\n");
	ok(is_cut_off(fd, "x", 400), "a body that does not");
	close(fd);
	fd = dial();
	struct reply r = take(fd);

	ok(!r.all.len, "who says nothing is not waited for");
	drop(&r);
	gives(ask("/echo?say=x", ""), 200, "x", "others are answered");
	end();
}

/* What is not taken in time is not kept. */
static void test_slow_reader(void)
{
	int fd;

	start((struct span__web_opts){.answer_ns = 100 * MS});
	fd = ask("/stream?n=1000000", "");
	ok(comes_to(&n_closed, 1), "an answer that nobody takes is closed");
	close(fd);
	end();
}

/* Slow is not the same as not at all, also of what was made at once. */
static void test_steady_reader(void)
{
	const int size = 65536;
	struct sockaddr_in a = {.sin_family = AF_INET};
	static char room[65536];
	size_t sum = 0;
	ssize_t n;
	int fd;

	start((struct span__web_opts){.answer_ns = 700 * MS});
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	a.sin_port = htons(server.port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ok(!connect(fd, (struct sockaddr *)&a, sizeof(a)), "a slow client");
	say(fd, "GET /whole?n=24000000 HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n");
	while ((n = read(fd, room, sizeof(room))) > 0) {
		sum += (size_t)n;
		poll(NULL, 0, 8);
	}
	ok(sum > 24000000, "all of it came");
	close(fd);
	end();
}

/* Nobody reads: what is made stays within what sockets and the server hold. */
static void test_back_pressure(void)
{
	int fd, before;

	start((struct span__web_opts){.threads = 1});
	fd = ask("/stream?n=1000000", "");
	ok(comes_to(&n_pieces, 8), "it begins");
	gives(ask("/echo?say=x", ""), 200, "x", "others have the thread");
	do {
		before = get(&n_pieces);
		poll(NULL, 0, 100);
	} while (get(&n_pieces) != before);
	ok(before < 5000, "%d pieces are made, and no more", before);
	close(fd);
	ok(comes_to(&n_closed, 1), "and closed when he goes");
	end();
}

/* So many answers may be begun, and others have to wait. */
static void begin_four(const char *target)
{
	int fds[4];

	start((struct span__web_opts){.threads = 1});
	for (int i = 0; i < 4; i++)
		fds[i] = ask(target, "");
	for (int i = 0; i < 4; i++) {
		struct pollfd p = {.fd = fds[i], .events = POLLIN};

		is_int(poll(&p, 1, 10000), 1, "%s has begun", target);
	}
	int fd = ask("/echo?say=x", "");
	struct pollfd p = {.fd = fd, .events = POLLIN};

	is_int(poll(&p, 1, 100), 0, "a fifth waits");
	close(fds[0]);
	gives(fd, 200, "x", "until one is gone");
	for (int i = 1; i < 4; i++)
		close(fds[i]);
	end();
}

static void test_begun(void)
{
	begin_four("/stream?n=1000000");
	begin_four("/whole?n=24000000");
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
	test_head();
	test_revalidate();
	test_lanes();
	test_gone();
	test_half_closed();
	test_timeout();
	test_slow_clients();
	test_slow_reader();
	test_steady_reader();
	test_back_pressure();
	test_begun();
	test_no_epoll();
	test_stop();
	test_close();
	return done_testing();
}
