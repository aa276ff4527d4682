/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of how the web server moves answers: routes of their own in the
 * place of serve/routes.c, a server in a thread, and a client of plain sockets.
 */
#ifndef WEB_TEST_H
#define WEB_TEST_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listen.h"
#include "net/web_server.h"
#include "serve/answers.h"
#include "serve/params.h"
#include "serve/routes.h"
#include "tap.h"

#define PIECE 10000u
#define MS 1000000ull
#define SECOND (1000 * MS)

/* What handlers and the test tell each other; atomic. */
static int n_slow, n_gone, n_pieces, n_closed, let_go;

static inline int get(const int *n)
{
	return __atomic_load_n(n, __ATOMIC_SEQ_CST);
}

static inline void add(int *n, int by)
{
	__atomic_add_fetch(n, by, __ATOMIC_SEQ_CST);
}

static inline void nap(void)
{
	poll(NULL, 0, 2);
}

/* Wait for up to ten seconds. */
static inline bool comes_to(const int *n, int want)
{
	for (int i = 0; i < 5000 && get(n) < want; i++)
		nap();
	return get(n) >= want;
}

/* ---- Routes ---- */

static inline int echo(const struct span__serve *s,
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

static inline int slow(const struct span__serve *s,
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

static inline int more(void *arg, struct span_buf *out, struct span_error *err)
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

static inline void close_stream(void *arg)
{
	free(arg);
	add(&n_closed, 1);
}

static inline int stream(const struct span__serve *s,
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

static inline int whole(const struct span__serve *s,
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
	a->type = span__serve_param(r, "text") ? "text/css" : "image/png";
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

static inline void *turn(void *arg)
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

static inline void start(struct span__web_opts o)
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

static inline void end(void)
{
	__atomic_store_n(&let_go, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&server.end, 1, __ATOMIC_SEQ_CST);
	pthread_join(server.thread, NULL);
	span__web_server_close(&server.w);
}

/* ---- A client ---- */

/* As 127.0.0.HOST, which is another peer for each. */
static inline int dial_as(uint8_t host)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(server.port)};
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	own.sin_addr.s_addr = htonl(0x7f000000u | host);
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		printf("# cannot be 127.0.0.%u\n", host);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		printf("# cannot connect\n");
	return fd;
}

static inline int dial(void)
{
	return dial_as(1);
}

static inline void say(int fd, const char *text)
{
	if (span_write_all(fd, text, strlen(text), NULL) < 0)
		printf("# cannot send\n");
}

static inline int ask_as(uint8_t host, const char *target, const char *headers)
{
	struct span_buf b = {0};
	int fd = dial_as(host);

	span_buf_printf(&b,
			"GET %s HTTP/1.1\r\nHost: localhost\r\n"
			"Connection: close\r\n%s\r\n",
			target, headers);
	span_buf_putc(&b, '\0');
	say(fd, b.p);
	span_buf_release(&b);
	return fd;
}

static inline int ask(const char *target, const char *headers)
{
	return ask_as(1, target, headers);
}

struct reply {
	struct span_buf all, body;
	int status;
	bool whole;
};

/* Take the chunks of a body apart; their end makes it whole. */
static inline void dechunk(struct reply *r, const char *p)
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

static inline void take_apart(struct reply *r)
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
static inline struct reply take(int fd)
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

static inline void drop(struct reply *r)
{
	span_buf_release(&r->all);
	span_buf_release(&r->body);
}

/* One test: what comes of FD has STATUS and BODY. */
static inline void gives(int fd, int status, const char *body, const char *name)
{
	struct reply r = take(fd);

	is_int(r.status, status, "%s: status", name);
	is(r.body.p, r.body.len, body, name);
	drop(&r);
}

#endif
