/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of HTTP that wait until their payload is in the pipe: the intake,
 * its queue and a server in one loop, with a pipe that is read when the test
 * says so.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/servers.h"
#include "tests/unit/tap.h"

#define MS UINT64_C(1000000)

static struct span__intake *intake;
static struct span__servers servers;
static struct span__http_server *http;
static int out[2]; /* the pipe */
static size_t pipe_size;
static char padding[60000];

static void start(uint64_t ack_ns)
{
	const struct span__intake_opts io = {.queue = 4 << 20,
					     .ack_ns = ack_ns};
	struct span__http_opts o = {.take = span__intake_take};
	struct span__server face;

	servers = (struct span__servers){0};
	if (pipe(out) < 0 || span__intake_open(&intake, &io, NULL) < 0 ||
	    span__intake_start(intake, out[1], NULL) < 0)
		exit(1);
	pipe_size = (size_t)fcntl(out[1], F_GETPIPE_SZ);
	o.arg = intake;
	if (span__http_server_open(&http, &o, NULL) < 0)
		exit(1);
	face = span__http_server_face(http);
	servers.intake = intake;
	if (span__servers_add(&servers, &face, NULL) < 0)
		exit(1);
}

static void end(void)
{
	close(out[0]);
	span__servers_close(&servers);
	span__intake_close(&intake);
	close(out[1]);
}

static void turn(void)
{
	struct pollfd fds[SPAN__SERVERS_FDS];
	uint64_t ns = span__servers_fill(&servers, fds, 10 * MS);

	poll(fds, servers.n + 1, (int)(ns / MS));
	if (span__servers_turn(&servers, fds, NULL) < 0)
		exit(1);
}

/* A connection with N requests, one behind the other. */
static int send_requests(int n)
{
	int fd[2], size = 4 << 20;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0 ||
	    span__http_server_connect(http, fd[1], SPAN__HTTP_ZIPKIN, 9411, "x",
				      NULL) < 0)
		exit(1);
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (int i = 0; i < n; i++)
		dprintf(fd[0],
			"POST /api/v2/spans HTTP/1.1\r\nHost: x\r\n"
			"Content-Type: application/json\r\n"
			"Content-Length: %zu\r\n\r\n"
			"[{\"traceId\":\"1\",\"id\":\"2\",\"name\":\"%s\"}]",
			sizeof(padding) - 1 + 36, padding);
	return fd[0];
}

static char answer[65536];

/* Give turns for MS milliseconds; how often FD was told STATUS. */
static int told(int fd, const char *status, int ms)
{
	size_t len = 0;
	int n = 0;

	for (int i = 0; i < ms / 10; i++) {
		ssize_t got;

		turn();
		got = read(fd, answer + len, sizeof(answer) - 1 - len);
		len += got > 0 ? (size_t)got : 0;
		poll(NULL, 0, 5);
	}
	answer[len] = '\0';
	for (const char *p = answer; (p = strstr(p, status)); p++)
		n++;
	return n;
}

static size_t drain(void)
{
	static char buf[1 << 20];
	struct pollfd p = {.fd = out[0], .events = POLLIN};
	size_t len = 0;

	while (poll(&p, 1, 100) == 1) {
		ssize_t n = read(out[0], buf, sizeof(buf));

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return len;
}

#define CONNS 12
#define REQUESTS 36 /* three behind each other on each */

/* How often those connections were told STATUS. */
static int told_all(const int *fd, const char *status)
{
	int n = 0;

	for (int i = 0; i < CONNS; i++)
		n += told(fd[i], status, i ? 20 : 500);
	return n;
}

static void connect_all(int *fd)
{
	for (int i = 0; i < CONNS; i++)
		fd[i] = send_requests(REQUESTS / CONNS);
}

static void close_all(const int *fd)
{
	for (int i = 0; i < CONNS; i++)
		close(fd[i]);
}

/* As many are told as the pipe has whole; the others when it is read. */
static void test_written(void)
{
	int fd[CONNS], n;

	start(60000 * MS);
	connect_all(fd);
	n = told_all(fd, "HTTP/1.1 202 ");
	ok(n > 0 && n < REQUESTS, "some are told: %d", n);
	ok((size_t)n * sizeof(padding) <= pipe_size, "those in the pipe");
	is_int(told_all(fd, "HTTP"), 0, "nobody else is");
	for (int i = 0; i < 20 && n < REQUESTS; i++) {
		ok(drain() > 0, "the pipe is read");
		n += told_all(fd, "HTTP/1.1 202 ");
	}
	is_int(n, REQUESTS, "and all are told");
	close_all(fd);
	end();
}

/* Many connections wait for too long; then nobody else has to. */
static void test_late(void)
{
	struct span__server_counts c;
	int fd[60], n = 0, late = 0, full;

	start(400 * MS);
	for (int i = 0; i < 60; i++)
		fd[i] = send_requests(1);
	for (int i = 0; i < 60; i++) {
		int good = told(fd[i], "HTTP/1.1 202 ", i ? 20 : 2000);

		n += good;
		late += !good && strstr(answer, "HTTP/1.1 503 ") &&
			strstr(answer, "Retry-After: 1\r\n") &&
			strstr(answer, "not written in time, but maybe later");
	}
	ok(n > 0 && n < 60, "some are taken: %d", n);
	is_int(late, 60 - n, "the others are late");
	is_uint(span__intake_counts(intake)->late, (uint64_t)late,
		"which is counted");
	full = send_requests(1);
	is_int(told(full, "the queue is full", 100), 1, "the next one is told");
	ok(drain() > 60 * (sizeof(padding) - 1), "all 60 are written");
	(void)told(full, "HTTP", 50);
	close(full);
	full = send_requests(1);
	is_int(told(full, "HTTP/1.1 202 ", 1000), 1, "then there is room");
	servers.v[0].counts(servers.v[0].self, &c);
	ok(c.open >= 60, "connections stay");
	for (int i = 0; i < 60; i++)
		close(fd[i]);
	close(full);
	end();
}

/* Nobody is forgotten who waits when the output fails, or it ends. */
static void test_end(void)
{
	int fd[CONNS], n;

	start(60000 * MS);
	connect_all(fd);
	n = told_all(fd, "HTTP/1.1 202 ");
	ok(n > 0 && n <= REQUESTS - CONNS, "the pipe is full: %d", n);
	close(out[0]);
	/* The write that was under way may have ended with one of them. */
	is_int(told_all(fd, "HTTP/1.1 "), REQUESTS - n,
	       "the others are told that the output has failed");
	ok(strstr(answer, "HTTP/1.1 503 ") &&
		   strstr(answer, "the server is stopping"),
	   "and why");
	close_all(fd);
	end();

	start(60000 * MS);
	connect_all(fd);
	ok(told_all(fd, "HTTP/1.1 202 ") > 0, "the pipe is full");
	close_all(fd);
	turn();
	ok(span__intake_timeout_ns(intake) != UINT64_MAX, "somebody waits");
	end();
	ok(!intake, "and is no harm when all is closed");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	memset(padding, 'x', sizeof(padding) - 1);
	test_written();
	test_late();
	test_end();
	return done_testing();
}
