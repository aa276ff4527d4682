/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc-client.h - a gRPC server and clients of it in one thread
 *
 * The server listens on a socket of its own; pump() lets both sides work by
 * turns until a condition holds. Bodies are given as the bytes of DATA frames,
 * so that a test can send what no client would.
 */
#ifndef GRPC_CLIENT_H
#define GRPC_CLIENT_H

#include <span/codec.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "net/address.h"
#include "net/grpc_server.h"
#include "tests/unit/tap.h"

#define EXPORT "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define POST_SPANS "/jaeger.api_v2.CollectorService/PostSpans"
#define CHECK "/grpc.health.v1.Health/Check"

#define REPLIES 512

/* Tests that send bytes by hand need no client. */
#define NOT_BY_ALL __attribute__((unused))

/* What came back for one call. */
struct reply {
	int32_t id;
	char http[8], status[8], message[400], details[400], accept[80];
	char type[64];
	struct span_buf body;
	bool headers, closed;
	uint32_t error; /* of RST_STREAM, or 0 */
};

struct client {
	int fd;
	nghttp2_session *session;
	struct reply replies[REPLIES];
	size_t n_replies;
	bool ended;
	bool goodbye; /* GOAWAY came */
	uint32_t goodbye_code;
	bool deaf; /* reads nothing */
};

/* A call to make. Empty fields have the usual value. */
struct request {
	const char *path, *method, *type, *encoding, *timeout;
	const char *more_name, *more_value; /* one more header */
	const char *body;
	size_t len;
	size_t cut;  /* bytes of a DATA frame; 0: as they come */
	bool open;   /* more is to come: no END_STREAM */
	size_t sent; /* for the client's own use */
};

/* ---- The server ---- */

static struct span__server server;
static struct span__server_counts counts;
static struct span__address server_address;
static bool server_failed;
static int small_buffers; /* bytes of a socket's, or 0 */

/* What the server handed over. */
static struct {
	size_t n;
	int format, transport;
	uint16_t port;
	struct span_buf data;
	char path[128], type[64], peer[SPAN__ADDRESS_TEXT];
	bool has_time;
} taken;

static void text_of(char *to, size_t size, struct span_str s)
{
	snprintf(to, size, "%.*s", (int)s.len, s.p);
}

/* Those that wait: to be told by the test. */
static struct span__acks acks;

/* The first word says what becomes of a payload. */
static int take(void *arg, const struct span_payload *p, int format,
		struct span__ack *ack, struct span__verdict *v,
		struct span_error *err)
{
	const char *word = p->data.len ? p->data.p : "";

	(void)arg;
	taken.n++;
	taken.format = format;
	taken.transport = p->transport;
	taken.port = p->port;
	taken.has_time = p->time_ns > UINT64_C(1600000000000000000);
	taken.data.len = 0;
	span_buf_str(&taken.data, p->data);
	text_of(taken.path, sizeof(taken.path), p->path);
	text_of(taken.type, sizeof(taken.type), p->content_type);
	text_of(taken.peer, sizeof(taken.peer), p->peer);
	if (p->data.len == 3 && !memcmp(word, "bad", 3)) {
		v->answer = SPAN__ANSWER_BAD;
		snprintf(v->why, sizeof(v->why), "100%% \xc3\xa4");
	} else if (p->data.len == 4 && !memcmp(word, "full", 4)) {
		v->answer = SPAN__ANSWER_FULL;
	} else if (p->data.len == 4 && !memcmp(word, "stop", 4)) {
		v->answer = SPAN__ANSWER_STOPPING;
	} else if (p->data.len == 4 && !memcmp(word, "some", 4)) {
		v->n_bad = 3;
	} else if (p->data.len == 5 && !memcmp(word, "later", 5)) {
		v->answer = SPAN__ANSWER_LATER;
		v->n_bad = 3;
		span__acks_add(&acks, ack, taken.n, 0);
	} else if (p->data.len == 5 && !memcmp(word, "break", 5)) {
		return span_error_set(err, SPAN_E_PIPE, "nobody reads");
	}
	return 0;
}

/* What is accepted from a socket has buffers like it. */
static void set_buffers(int fd)
{
	int size = small_buffers;

	if (size) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
}

static void serve(const struct span__grpc_opts *o)
{
	struct span_error err = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	set_buffers(fd);
	if (span__address_resolve(&server_address, 1, "127.0.0.1", 0, &err) !=
		    1 ||
	    bind(fd, &server_address.sa.any, server_address.len) < 0 ||
	    listen(fd, 1000) < 0 ||
	    getsockname(fd, &server_address.sa.any, &server_address.len) < 0 ||
	    span__grpc_server_open(&server, o, fd, take, NULL, &err) < 0) {
		printf("Bail out! %s: %s\n", err.msg, strerror(errno));
		exit(1);
	}
	taken.n = 0;
	span__acks_init(&acks, 1);
	server_failed = false;
}

static void end_server(void)
{
	server.close(server.self);
	span_buf_release(&taken.data);
}

/* ---- A client ---- */

static struct reply *reply_of(struct client *c, int32_t id)
{
	for (size_t i = 0; i < c->n_replies; i++)
		if (c->replies[i].id == id)
			return &c->replies[i];
	return NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *f,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	static const struct {
		const char *name;
		size_t at, size;
	} fields[] = {
#define FIELD(name, field)                                                     \
	{name, offsetof(struct reply, field),                                  \
	 sizeof(((struct reply *)0)->field)}
		FIELD(":status", http),
		FIELD("content-type", type),
		FIELD("grpc-status", status),
		FIELD("grpc-message", message),
		FIELD("grpc-status-details-bin", details),
		FIELD("grpc-accept-encoding", accept),
	};
	struct reply *r = reply_of(arg, f->hd.stream_id);

	(void)session, (void)flags;
	for (size_t i = 0; r && i < sizeof(fields) / sizeof(*fields); i++)
		if (strlen(fields[i].name) == name_len &&
		    !memcmp(fields[i].name, name, name_len))
			text_of((char *)r + fields[i].at, fields[i].size,
				(struct span_str){(const char *)value,
						  value_len});
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *p, size_t len, void *arg)
{
	struct reply *r = reply_of(arg, id);

	(void)session, (void)flags;
	if (r)
		span_buf_put(&r->body, p, len);
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *f, void *arg)
{
	struct client *c = arg;
	struct reply *r = reply_of(c, f->hd.stream_id);

	(void)session;
	if (f->hd.type == NGHTTP2_GOAWAY) {
		c->goodbye = true;
		c->goodbye_code = f->goaway.error_code;
	}
	if (r && f->hd.type == NGHTTP2_HEADERS)
		r->headers = true;
	if (r && f->hd.type == NGHTTP2_RST_STREAM)
		r->error = f->rst_stream.error_code;
	if (r && f->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA))
		r->closed = true;
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code,
		    void *arg)
{
	struct reply *r = reply_of(arg, id);

	(void)session;
	if (r) {
		r->closed = true;
		r->error = code;
	}
	return 0;
}

/* A connected socket that does not wait. */
static int connect_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	set_buffers(fd);
	if (fd < 0 ||
	    connect(fd, &server_address.sa.any, server_address.len) < 0) {
		printf("Bail out! %s\n", strerror(errno));
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

NOT_BY_ALL static void client_open(struct client *c)
{
	nghttp2_session_callbacks *n;

	*c = (struct client){.fd = connect_socket()};
	nghttp2_session_callbacks_new(&n);
	nghttp2_session_callbacks_set_on_header_callback(n, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(n, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(n, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(n, on_close);
	nghttp2_session_client_new(&c->session, n, c);
	nghttp2_session_callbacks_del(n);
	nghttp2_submit_settings(c->session, 0, NULL, 0);
}

NOT_BY_ALL static void client_close(struct client *c)
{
	nghttp2_session_del(c->session);
	for (size_t i = 0; i < c->n_replies; i++)
		span_buf_release(&c->replies[i].body);
	close(c->fd);
}

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *buf,
			 size_t len, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	struct request *r = source->ptr;

	(void)session, (void)id, (void)arg;
	if (r->sent == r->len && r->open)
		return NGHTTP2_ERR_DEFERRED;
	if (r->cut && len > r->cut)
		len = r->cut;
	if (len > r->len - r->sent)
		len = r->len - r->sent;
	memcpy(buf, r->body + r->sent, len);
	r->sent += len;
	if (r->sent == r->len && !r->open)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

/* Begin a call; *R must stay until it is over. Returns what will come. */
NOT_BY_ALL static struct reply *call(struct client *c, struct request *r)
{
	nghttp2_data_provider data = {.source.ptr = r,
				      .read_callback = give_body};
	struct {
		const char *name, *value;
	} headers[] = {
		{":method", r->method ? r->method : "POST"},
		{":scheme", "http"},
		{":authority", "localhost"},
		{":path", r->path ? r->path : EXPORT},
		{"te", "trailers"},
		{"content-type", r->type ? r->type : "application/grpc"},
		{"grpc-encoding", r->encoding},
		{"grpc-timeout", r->timeout},
		{r->more_name, r->more_value},
	};
	nghttp2_nv nv[sizeof(headers) / sizeof(*headers)];
	struct reply *reply = &c->replies[c->n_replies++];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		if (headers[i].value)
			nv[n++] = (nghttp2_nv){
				(uint8_t *)(uintptr_t)headers[i].name,
				(uint8_t *)(uintptr_t)headers[i].value,
				strlen(headers[i].name),
				strlen(headers[i].value), NGHTTP2_NV_FLAG_NONE};
	r->sent = 0;
	reply->id = nghttp2_submit_request(c->session, NULL, nv, n, &data, c);
	return reply;
}

static void client_turn(struct client *c)
{
	const uint8_t *p;
	uint8_t buf[16384];
	ssize_t n = 0;

	while (!c->ended && (n = nghttp2_session_mem_send(c->session, &p)) > 0)
		for (ssize_t sent = 0; sent < n;) {
			ssize_t done = send(c->fd, p + sent, (size_t)(n - sent),
					    MSG_NOSIGNAL | MSG_DONTWAIT);

			if (done < 0 && errno == EAGAIN) {
				if (server.turn(server.self, NULL) < 0)
					server_failed = true;
				if (c->deaf)
					return;
				continue;
			}
			if (done < 0) {
				c->ended = true;
				return;
			}
			sent += done;
		}
	while (!c->deaf &&
	       (n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT)) >= 0) {
		c->ended = c->ended || !n;
		if (!n ||
		    nghttp2_session_mem_recv(c->session, buf, (size_t)n) < 0)
			break;
	}
	if (!c->deaf && n < 0 && errno == ECONNRESET)
		c->ended = true;
}

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Let both sides work until *UNTIL, or for MS. Returns *UNTIL. */
static bool pump_for(struct client *c, const bool *until, uint64_t ms)
{
	uint64_t end = clock_ms() + ms;

	while (!*until && clock_ms() < end) {
		struct pollfd p[] = {
			{.fd = server.poll_fd(server.self), .events = POLLIN},
			{.fd = c && !c->ended && !c->deaf ? c->fd : -1,
			 .events = POLLIN}};
		uint64_t ns = server.timeout_ns(server.self);

		if (c)
			client_turn(c);
		if (*until)
			break;
		(void)poll(p, 2, ns < 10000000 ? (int)(ns / 1000000) : 10);
		if (server.turn(server.self, NULL) < 0) {
			server_failed = true;
			break;
		}
	}
	server.counts(server.self, &counts);
	return *until;
}

NOT_BY_ALL static bool pump(struct client *c, const bool *until)
{
	return pump_for(c, until, 10000);
}

/* A message of LEN bytes with its prefix; to be freed. */
NOT_BY_ALL static char *framed(const void *p, size_t len, int flag,
			       size_t *framed_len)
{
	char *b = malloc(len + 5);

	b[0] = (char)flag;
	for (int i = 0; i < 4; i++)
		b[1 + i] = (char)(len >> (24 - 8 * i));
	if (len)
		memcpy(b + 5, p, len);
	*framed_len = len + 5;
	return b;
}

#endif
