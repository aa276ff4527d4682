/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <span/codec.h>

#include "tests/unit/tap.h"

#define SECOND_NS 1000000000u

/* What the receiver says, and what it was given. */
static struct {
	struct span__verdict verdict;
	int rc, format;
	unsigned n;
	char path[64], type[64], peer[64], data[256];
	size_t len;
	uint16_t port;
	uint8_t transport;
} receiver;

static void copy(char *to, size_t size, struct span_str s)
{
	snprintf(to, size, "%.*s", (int)s.len, s.len ? s.p : "");
}

static int take(void *arg, const struct span_payload *p, int format,
		struct span__ack *ack, struct span__verdict *v,
		struct span_error *err)
{
	(void)arg, (void)ack;
	receiver.n++;
	receiver.format = format;
	copy(receiver.path, sizeof(receiver.path), p->path);
	copy(receiver.type, sizeof(receiver.type), p->content_type);
	copy(receiver.peer, sizeof(receiver.peer), p->peer);
	copy(receiver.data, sizeof(receiver.data), p->data);
	receiver.len = p->data.len;
	receiver.port = p->port;
	receiver.transport = p->transport;
	*v = receiver.verdict;
	if (receiver.rc < 0)
		return span_error_set(err, receiver.rc, "no more");
	return 0;
}

static struct span__http_server *server;
static struct span__server face;

static bool healthy = true;

static bool is_healthy(void *arg)
{
	(void)arg;
	return healthy;
}

static void put_metrics(void *arg, struct span_buf *out)
{
	(void)arg;
	span_buf_puts(out, "up 1\n");
}

static void start(struct span__http_opts o)
{
	o.take = take;
	o.admin.is_healthy = is_healthy;
	o.admin.metrics = put_metrics;
	memset(&receiver, 0, sizeof(receiver));
	if (span__http_server_open(&server, &o, NULL) < 0)
		exit(1);
	face = span__http_server_face(server);
}

static struct span__server_counts counts(void)
{
	struct span__server_counts c;

	face.counts(face.self, &c);
	return c;
}

/* The client's end of a new connection. */
static int dial(enum span__http_kind kind)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		exit(1);
	is_int(span__http_server_connect(server, fd[1], kind, 4711,
					 "192.0.2.1:9", NULL),
	       0, "connected");
	return fd[0];
}

static int turn(void)
{
	struct pollfd p = {.fd = face.poll_fd(face.self), .events = POLLIN};
	uint64_t ns = face.timeout_ns(face.self);

	poll(&p, 1, ns < 10000000 ? 0 : 10);
	return face.turn(face.self, NULL);
}

static char answer[100000];

/* Give turns until the server has hung up on FD, ten seconds at most. */
static bool read_all(int fd)
{
	size_t len = 0;

	for (int i = 0; i < 1000; i++) {
		ssize_t n;

		turn();
		n = read(fd, answer + len, sizeof(answer) - 1 - len);
		if (n > 0)
			len += (size_t)n;
		answer[len] = '\0';
		if (!n)
			return true;
	}
	return false;
}

/* Send a request with a body to KIND; its answer is in ANSWER. */
static void post(enum span__http_kind kind, const char *path, const char *type,
		 const char *body)
{
	int fd = dial(kind);

	dprintf(fd,
		"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"%s%s%sContent-Length: %zu\r\n\r\n%s",
		path, type ? "Content-Type: " : "", type ? type : "",
		type ? "\r\n" : "", strlen(body), body);
	ok(read_all(fd), "answered");
	close(fd);
}

static bool has_status(unsigned status)
{
	char text[16];

	snprintf(text, sizeof(text), "HTTP/1.1 %u ", status);
	return !strncmp(answer, text, strlen(text));
}

static const char *body_of(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	return end ? end + 4 : "";
}

#define JSON "application/json"
#define PROTO "application/x-protobuf"

static void test_formats(void)
{
	static const struct {
		enum span__http_kind kind;
		const char *path, *type;
		int format; /* -1: refused */
	} rows[] = {
		{SPAN__HTTP_JAEGER, "/api/traces", "application/x-thrift",
		 SPAN_FORMAT_JAEGER_BINARY},
		{SPAN__HTTP_JAEGER, "/api/traces",
		 "application/vnd.apache.thrift.binary",
		 SPAN_FORMAT_JAEGER_BINARY},
		{SPAN__HTTP_JAEGER, "/api/traces",
		 "application/vnd.apache.thrift.compact; q=1",
		 SPAN_FORMAT_JAEGER_COMPACT},
		{SPAN__HTTP_JAEGER, "/api/traces", JSON, -1},
		{SPAN__HTTP_JAEGER, "/api/traces", NULL, -1},
		{SPAN__HTTP_ZIPKIN, "/api/v1/spans", JSON,
		 SPAN_FORMAT_ZIPKIN_JSON},
		{SPAN__HTTP_ZIPKIN, "/api/v1/spans", "application/x-thrift",
		 SPAN_FORMAT_ZIPKIN_BINARY},
		{SPAN__HTTP_ZIPKIN, "/api/v1/spans", PROTO, -1},
		{SPAN__HTTP_ZIPKIN, "/api/v2/spans",
		 "Application/JSON; charset=utf-8", SPAN_FORMAT_ZIPKIN_JSON},
		{SPAN__HTTP_ZIPKIN, "/api/v2/spans", PROTO,
		 SPAN_FORMAT_ZIPKIN_PROTO},
		{SPAN__HTTP_ZIPKIN, "/api/v2/spans", NULL,
		 SPAN_FORMAT_ZIPKIN_JSON},
		{SPAN__HTTP_ZIPKIN, "/api/v2/spans", "text/plain",
		 SPAN_FORMAT_ZIPKIN_JSON},
		{SPAN__HTTP_ZIPKIN, "/api/v2/spans", "text/html", -1},
		{SPAN__HTTP_OTLP, "/v1/traces", JSON, SPAN_FORMAT_OTLP_JSON},
		{SPAN__HTTP_OTLP, "/v1/traces", PROTO, SPAN_FORMAT_OTLP_PROTO},
		{SPAN__HTTP_OTLP, "/v1/traces", NULL, -1},
	};

	start((struct span__http_opts){0});
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before = receiver.n;

		post(rows[i].kind, rows[i].path, rows[i].type, "body");
		is_uint(receiver.n - before, rows[i].format >= 0,
			"%s as %s is taken or not", rows[i].path,
			rows[i].type ? rows[i].type : "nothing");
		if (rows[i].format < 0)
			continue;
		is_int(receiver.format, rows[i].format, "its format");
		is_str(receiver.path, rows[i].path, "its path");
		is_str(receiver.type, rows[i].type ? rows[i].type : "",
		       "its type");
		is_str(receiver.data, "body", "its data");
	}
	is_str(receiver.peer, "192.0.2.1:9", "the peer");
	is_uint(receiver.port, 4711, "the port");
	is_uint(receiver.transport, SPAN_TRANSPORT_HTTP, "the transport");
	is_uint(counts().requests, 16, "requests are counted");
	is_uint(counts().refused, 5, "and those refused");
	face.close(face.self);
}

static void test_otlp(void)
{
	static const char partial[] = "\x0a\x20\x08\x03\x12\x1c"
				      "spans that cannot be decoded";
	static const char bad[] = "\x08\x03\x12\x08too long";

	start((struct span__http_opts){0});
	post(SPAN__HTTP_OTLP, "/v1/traces", JSON, "{}");
	ok(has_status(200) && strstr(answer, "Content-Type: " JSON "\r\n"),
	   "OTLP JSON: 200");
	is_str(body_of(), "{\"partialSuccess\":{}}", "all was taken");
	post(SPAN__HTTP_OTLP, "/v1/traces", PROTO, "x");
	ok(has_status(200) && strstr(answer, "Content-Type: " PROTO "\r\n"),
	   "OTLP protobuf: 200");
	is_str(body_of(), "", "an empty response");
	receiver.verdict.n_bad = 3;
	post(SPAN__HTTP_OTLP, "/v1/traces", JSON, "{}");
	is_str(body_of(),
	       "{\"partialSuccess\":{\"rejectedSpans\":\"3\","
	       "\"errorMessage\":\"spans that cannot be decoded\"}}",
	       "partial success in JSON");
	post(SPAN__HTTP_OTLP, "/v1/traces", PROTO, "x");
	is_str(body_of(), partial, "partial success in protobuf");
	receiver.verdict = (struct span__verdict){.answer = SPAN__ANSWER_BAD,
						  .why = "too long"};
	post(SPAN__HTTP_OTLP, "/v1/traces", JSON, "{}");
	ok(has_status(400), "bad: 400");
	is_str(body_of(), "{\"code\":3,\"message\":\"too long\"}", "in JSON");
	post(SPAN__HTTP_OTLP, "/v1/traces", PROTO, "x");
	is_str(body_of(), bad, "in protobuf");
	receiver.verdict.answer = SPAN__ANSWER_FULL;
	post(SPAN__HTTP_OTLP, "/v1/traces", JSON, "{}");
	ok(has_status(503) && strstr(answer, "Retry-After: 1\r\n"),
	   "full: 503 with Retry-After");
	is_str(body_of(), "{\"code\":14,\"message\":\"the queue is full\"}",
	       "and a status");
	face.close(face.self);
}

static void test_batches(void)
{
	start((struct span__http_opts){0});
	receiver.verdict.answer = SPAN__ANSWER_STOPPING;
	post(SPAN__HTTP_ZIPKIN, "/api/v2/spans", JSON, "[]");
	ok(has_status(503) && strstr(answer, "Retry-After: 1\r\n"),
	   "stopping: 503 with Retry-After");
	is_str(body_of(),
	       "Cannot submit Zipkin batch: the server is stopping\n", "why");
	receiver.verdict = (struct span__verdict){.answer = SPAN__ANSWER_BAD,
						  .why = "so bad"};
	post(SPAN__HTTP_ZIPKIN, "/api/v2/spans", JSON, "[]");
	ok(has_status(400), "bad: 400");
	is_str(body_of(), "Unable to process request body: so bad\n", "why");
	face.close(face.self);
}

static void test_admin(void)
{
	int fd;

	start((struct span__http_opts){0});
	fd = dial(SPAN__HTTP_ADMIN);
	dprintf(fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close"
		    "\r\n\r\n");
	ok(read_all(fd) && has_status(200), "metrics");
	is_str(body_of(), "up 1\n", "as the receiver has them");
	close(fd);
	healthy = false;
	fd = dial(SPAN__HTTP_ADMIN);
	dprintf(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	ok(read_all(fd) && has_status(503), "not healthy is 503");
	close(fd);
	healthy = true;
	face.close(face.self);
}

static const char half[] = "POST /api/traces HTTP/1.1\r\nHost: x\r\n"
			   "Content-Type: application/x-thrift\r\n"
			   "Content-Length: 6000\r\n\r\n";
static char piece[3000];

/* Bodies that are not whole have a limit together. */
static void test_memory(void)
{
	int fd[3];

	start((struct span__http_opts){.memory = 8000});
	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < 3; i++) {
		fd[i] = dial(SPAN__HTTP_JAEGER);
		dprintf(fd[i], "%s", half);
		(void)!write(fd[i], piece, sizeof(piece));
		for (int j = 0; j < 5; j++)
			turn();
	}
	(void)!write(fd[2], piece, sizeof(piece));
	for (int i = 0; i < 100 && !counts().requests; i++)
		turn();
	memset(answer, 0, sizeof(answer));
	(void)!read(fd[2], answer, sizeof(answer) - 1);
	ok(has_status(503), "one too many is told to come again");
	is_str(body_of(), "Cannot submit Jaeger batch: the queue is full\n",
	       "with the usual text");
	close(fd[1]);
	for (int i = 0; i < 100 && counts().open > 2; i++)
		turn();
	(void)!write(fd[0], piece, sizeof(piece));
	for (int i = 0; i < 100 && counts().requests < 2; i++)
		turn();
	is_uint(receiver.n, 1, "with one less the first one goes on");
	is_uint(receiver.len, 6000, "and is whole");
	close(fd[0]);
	close(fd[2]);
	face.close(face.self);
}

/* A trickle of bytes does not keep a connection. */
static bool is_cut(int fd, const char *trickle)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	char c;

	for (int i = 0; i < 1000; i++) {
		nanosleep(&moment, NULL);
		if (trickle && i % 2 == 0)
			(void)!send(fd, trickle, strlen(trickle), MSG_NOSIGNAL);
		turn();
		if (read(fd, &c, 1) == 0)
			return true;
	}
	return false;
}

/* Its end comes with the last byte that it sends. */
static void test_gone(void)
{
	int fd;

	start((struct span__http_opts){0});
	fd = dial(SPAN__HTTP_JAEGER);
	dprintf(fd, "POST /");
	shutdown(fd, SHUT_WR);
	ok(is_cut(fd, NULL), "who has hung up is let go, not waited for");
	is_uint(counts().timeouts, 0, "and is not slow");
	close(fd);
	face.close(face.self);
}

static void test_slow(void)
{
	static const uint64_t ns = SECOND_NS / 10;
	int fd;

	start((struct span__http_opts){
		.head_ns = ns, .body_ns = ns, .first_ns = ns, .idle_ns = ns});
	fd = dial(SPAN__HTTP_JAEGER);
	dprintf(fd, "POST /api/traces HTTP/1.1\r\n");
	ok(is_cut(fd, "X-A: b\r\n"), "a head that trickles in is cut");
	close(fd);
	is_uint(counts().timeouts, 1, "and counted");
	fd = dial(SPAN__HTTP_JAEGER);
	dprintf(fd, "%s", half);
	ok(is_cut(fd, "x"), "and so is a body");
	close(fd);
	is_uint(counts().timeouts, 2, "and counted");
	fd = dial(SPAN__HTTP_JAEGER);
	ok(is_cut(fd, NULL), "an idle connection is closed");
	close(fd);
	is_uint(counts().timeouts, 2, "which is nobody's fault");
	is_uint(counts().open, 0, "none is open");
	is_uint(receiver.n, 0, "nothing was taken");
	face.close(face.self);
}

static void test_failure(void)
{
	struct span_error err = {0};
	int fd, rc = 0;

	start((struct span__http_opts){0});
	receiver.rc = SPAN_E_PIPE;
	fd = dial(SPAN__HTTP_OTLP);
	dprintf(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: " JSON
		    "\r\nContent-Length: 2\r\n\r\n{}");
	for (int i = 0; i < 100 && rc >= 0; i++)
		rc = face.turn(face.self, &err);
	is_int(rc, SPAN_E_PIPE, "what the receiver cannot do ends it");
	is_str(err.msg, "no more", "with its words");
	close(fd);
	face.close(face.self);
}

static void test_large_head(void)
{
	int fd;

	start((struct span__http_opts){0});
	fd = dial(SPAN__HTTP_OTLP);
	dprintf(fd, "POST /v1/traces HTTP/1.1\r\nHost: x\r\n");
	for (int i = 0; i < 40; i++) {
		(void)!send(fd, "X-Long: ", 8, MSG_NOSIGNAL);
		(void)!send(fd, piece, sizeof(piece), MSG_NOSIGNAL);
		(void)!send(fd, "\r\n", 2, MSG_NOSIGNAL);
		turn();
	}
	ok(read_all(fd), "a head above 64 KiB ends the connection");
	close(fd);
	is_uint(counts().refused, 1, "and is counted");
	face.close(face.self);
}

static void test_stop(void)
{
	int idle, busy;

	start((struct span__http_opts){0});
	idle = dial(SPAN__HTTP_JAEGER);
	busy = dial(SPAN__HTTP_JAEGER);
	dprintf(busy, "%s", half);
	for (int i = 0; i < 10; i++)
		turn();
	face.stop(face.self);
	ok(!face.is_idle(face.self), "a request has begun");
	ok(is_cut(idle, NULL), "who has none is cut");
	(void)!write(busy, piece, sizeof(piece));
	(void)!write(busy, piece, sizeof(piece));
	ok(read_all(busy) && has_status(202), "who has one is answered");
	ok(strstr(answer, "Connection: close\r\n") != NULL, "and told to go");
	ok(face.is_idle(face.self), "then it is idle");
	close(idle);
	close(busy);
	face.close(face.self);
}

int main(void)
{
	test_formats();
	test_otlp();
	test_batches();
	test_admin();
	test_memory();
	test_gone();
	test_slow();
	test_failure();
	test_large_head();
	test_stop();
	return done_testing();
}
