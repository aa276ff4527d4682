/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are slow, or too many, or gone; and ends in good order. */
#include "tests/unit/grpc-client.h"

#define MS UINT64_C(1000000)

static struct client client, second;
static const bool never;

#define HELLO .body = "\0\0\0\0\5hello", .len = 10

/* A call that is answered: all that was sent before it has been read. */
static bool is_answered(struct client *c)
{
	struct request hello = {HELLO};
	struct reply *r = call(c, &hello);

	return pump(c, &r->closed) && !strcmp(r->status, "0");
}

/* Begin a call, and see that the server has all of it that was sent. */
static struct reply *begin(struct client *c, struct request *r)
{
	struct reply *reply = call(c, r);

	while (r->sent < r->len && !reply->closed)
		(void)pump_for(c, &reply->closed, 1);
	(void)is_answered(c);
	return reply;
}

/* Wait until *COUNT of the server is N. */
static bool becomes(const uint64_t *count, uint64_t n)
{
	uint64_t end = clock_ms() + 10000;

	do
		(void)pump_for(NULL, &never, 1);
	while (*count != n && clock_ms() < end);
	return *count == n;
}

/* Calls that are cancelled before their end. */
static void test_cancelled(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct request open = {HELLO, .open = true};

	serve(&o);
	client_open(&client);
	for (int i = 0; i < 100; i++) {
		struct reply *r = call(&client, &open);

		client_turn(&client);
		nghttp2_submit_rst_stream(client.session, 0, r->id,
					  NGHTTP2_CANCEL);
		(void)pump(&client, &r->closed);
	}
	ok(is_answered(&client), "a hundred calls may be cancelled");
	for (int i = 0; i < 100; i++) {
		struct reply *r;

		(void)is_answered(&client);
		r = call(&client, &open);
		client_turn(&client);
		nghttp2_submit_rst_stream(client.session, 0, r->id,
					  NGHTTP2_CANCEL);
	}
	ok(is_answered(&client), "and as many as are answered");
	for (int i = 0; i < 100 && !client.goodbye; i++) {
		struct reply *r = call(&client, &open);

		client_turn(&client);
		nghttp2_submit_rst_stream(client.session, 0, r->id,
					  NGHTTP2_CANCEL);
		(void)pump_for(&client, &client.goodbye, 1);
	}
	ok(pump(&client, &client.ended), "more end the connection");
	is_uint(client.goodbye_code, NGHTTP2_ENHANCE_YOUR_CALM, "with a word");
	client_close(&client);
	end_server();
}

static void test_streams(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .max_streams = 3};
	struct request open = {HELLO, .open = true}, hello = {HELLO};
	struct reply *r[5];

	serve(&o);
	client_open(&client);
	/* Before the client knows the limit. */
	for (int i = 0; i < 5; i++)
		r[i] = call(&client, &open);
	ok(pump(&client, &r[4]->closed), "a call above the limit");
	is_uint(r[4]->error, NGHTTP2_REFUSED_STREAM, "is refused");
	is_uint(r[3]->error, NGHTTP2_REFUSED_STREAM, "the one before, too");
	ok(!r[2]->closed, "the last one below is not");
	nghttp2_submit_rst_stream(client.session, 0, r[0]->id, NGHTTP2_CANCEL);
	r[0] = call(&client, &hello);
	ok(pump(&client, &r[0]->closed), "when one ends there is room");
	is_str(r[0]->status, "0", "for another one");
	client_close(&client);
	end_server();
}

/* What is not whole takes memory, which all connections share. */
static void test_memory(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .max_message = 1 << 20,
				    .memory = 2 << 20};
	char *body = calloc(1, 1 << 20);
	struct request large[5];
	struct reply *r[5];

	memcpy(body, "\0\0\x0f\xff\xfb", 5);
	serve(&o);
	client_open(&client);
	client_open(&second);
	for (int i = 0; i < 4; i++) {
		large[i] = (struct request){
			.body = body, .len = 600000, .open = true};
		r[i] = begin(i & 1 ? &second : &client, &large[i]);
	}
	ok(!r[0]->closed && !r[1]->closed, "two large messages begin");
	ok(pump(&client, &r[2]->closed) && pump(&second, &r[3]->closed),
	   "there is no memory for more");
	is_str(r[3]->status, "8", "which is said");
	ok(*r[3]->details, "and that it may come again");
	is_str(second.replies[second.n_replies - 1].status, "0",
	       "a small one still has room");
	client_close(&client);
	ok(becomes(&counts.open, 1), "a connection ends");
	large[4] = (struct request){.body = body, .len = 1 << 20};
	r[4] = call(&second, &large[4]);
	ok(pump(&second, &r[4]->closed), "a large message");
	is_str(r[4]->status, "0", "has its memory");
	client_close(&second);
	end_server();
	free(body);
}

/* Calls that have nothing to say take memory, too. */
static void test_many_calls(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .max_message = 5,
				    .max_streams = 1000,
				    .memory = 1};
	struct request open = {.open = true},
		       hello = {.body = "\0\0\0\0\1a", .len = 6};
	struct reply *r = NULL;

	serve(&o);
	client_open(&client);
	ok(is_answered(&client), "a call of a usual kind");
	for (int i = 0; i < 65; i++)
		r = call(&client, &open);
	ok(pump(&client, &r->closed), "calls that do not go on");
	is_uint(r->error, NGHTTP2_REFUSED_STREAM, "are refused at last");
	ok(!client.replies[1].closed, "but not the first");
	nghttp2_submit_rst_stream(client.session, 0, client.replies[1].id,
				  NGHTTP2_CANCEL);
	nghttp2_submit_rst_stream(client.session, 0, client.replies[2].id,
				  NGHTTP2_CANCEL);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "when one ends there is room");
	is_str(r->status, "0", "for another one");
	client_close(&client);
	end_server();
}

/* An answer that waits for a window which never opens. */
static void test_closed_window(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .request_ns = 50 * MS};
	const nghttp2_settings_entry none = {
		NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
	struct request hello = {HELLO};
	struct reply *r;

	serve(&o);
	client_open(&client);
	nghttp2_submit_settings(client.session, 0, &none, 1);
	r = call(&client, &hello);
	ok(pump(&client, &r->headers), "an answer begins");
	ok(pump(&client, &r->closed), "it ends without a window");
	is_uint(r->error, NGHTTP2_CANCEL, "as it was not taken");
	is_uint(counts.timeouts, 1, "in time");
	client_close(&client);
	end_server();
}

static void test_slow_beginnings(void)
{
	static const struct {
		const char *name;
		size_t len;
	} rows[] = {{"nothing", 0},
		    {"half of a beginning", 10},
		    {"no settings", 24}};
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .handshake_ns = 50 * MS};

	serve(&o);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd = connect_socket();
		char buf[100];
		ssize_t n;

		ok(send(fd, NGHTTP2_CLIENT_MAGIC, rows[i].len, 0) ==
			   (ssize_t)rows[i].len,
		   "%s", rows[i].name);
		ok(becomes(&counts.timeouts, i + 1), "is counted");
		is_uint(counts.open, 0, "and left");
		do
			n = recv(fd, buf, sizeof(buf), 0);
		while (n > 0);
		is_int(n, 0, "it is closed");
		close(fd);
	}
	end_server();
}

static void test_idle(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .idle_ns = 100 * MS};
	struct request hello = {HELLO};
	struct reply *r;

	serve(&o);
	client_open(&client);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "a call, then none");
	ok(pump(&client, &client.ended), "an idle connection ends");
	ok(client.goodbye, "with a goodbye");
	is_uint(client.goodbye_code, NGHTTP2_NO_ERROR, "in good order");
	is_uint(counts.timeouts, 0, "which is no failure");
	client_close(&client);
	end_server();
}

static void test_connections(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .max_connections = 1};
	struct request hello = {HELLO};
	struct reply *r;

	serve(&o);
	client_open(&client);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "a first connection");
	client_open(&second);
	ok(pump(&second, &second.ended), "one more than is allowed ends");
	is_uint(counts.overloaded, 1, "and is counted");
	client_close(&second);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "the first one goes on");
	client_close(&client);
	ok(becomes(&counts.open, 0), "when it ends");
	client_open(&client);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "there is room");
	is_str(r->status, "0", "for another one");
	client_close(&client);
	end_server();
}

/* A running call ends in good order; nobody comes any more. */
static void test_stop(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct request begun = {HELLO, .open = true},
		       check = {.path = CHECK, .body = "\0\0\0\0\0", .len = 5};
	struct reply *r, *health;
	int fd;

	serve(&o);
	client_open(&client);
	client_open(&second);
	begun.len = 7;
	r = begin(&client, &begun);
	ok(is_answered(&second) && counts.open == 2,
	   "a call that runs, and a connection without");
	server.stop(server.self);
	ok(!server.is_idle(server.self), "there is something to do");
	health = call(&client, &check);
	client_turn(&client);
	ok(pump(&second, &second.ended), "the idle one ends");
	is_uint(second.goodbye_code, NGHTTP2_NO_ERROR, "in good order");
	ok(pump(&client, &client.goodbye), "the other one is told");
	ok(pump(&client, &health->closed), "a call that was on its way");
	is_mem(health->body.p, health->body.len, "\0\0\0\0\2\10\2", 7,
	       "hears that it stops");
	ok(!client.ended && !r->closed, "it may finish");
	begun.len = 10;
	begun.open = false;
	nghttp2_session_resume_data(client.session, r->id);
	ok(pump(&client, &r->closed), "its call");
	is_str(r->status, "0", "which is answered");
	ok(pump(&client, &client.ended), "then it ends");
	ok(server.is_idle(server.self), "nothing is left to do");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ok(connect(fd, &server_address.sa.any, server_address.len) < 0,
	   "nobody else comes in");
	close(fd);
	client_close(&client);
	client_close(&second);
	end_server();
}

/* A call that does not come to its end. */
static void test_stop_late(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .drain_ns = 50 * MS};
	struct request open = {HELLO, .open = true};
	struct reply *r;
	int fd;

	serve(&o);
	client_open(&client);
	fd = connect_socket();
	r = begin(&client, &open);
	ok(becomes(&counts.open, 2), "a call, and who has not said a word");
	server.stop(server.self);
	server.counts(server.self, &counts);
	is_uint(counts.open, 1, "is left at once");
	ok(pump(&client, &client.ended), "the other one in time");
	is_str(r->status, "14", "with an answer");
	ok(server.is_idle(server.self), "nothing is left to do");
	close(fd);
	client_close(&client);
	end_server();
}

static void test_failure(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct request r = {.body = "\0\0\0\0\5break", .len = 10};
	struct span_error err = {0};

	serve(&o);
	client_open(&client);
	call(&client, &r);
	ok(!pump(&client, &never) && server_failed, "nobody reads any more");
	is_int(server.turn(server.self, &err), SPAN_E_PIPE, "its code");
	is_str(err.msg, "nobody reads", "its text");
	client_close(&client);
	end_server();
}

static void test_http1(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	static const char get[] = "POST /v1/traces HTTP/1.1\r\nHost: a\r\n\r\n";
	char buf[1000] = "";
	size_t len = 0;
	ssize_t n;
	int fd;

	serve(&o);
	fd = connect_socket();
	ok(send(fd, get, sizeof(get) - 1, 0) > 0, "a request by HTTP/1.1");
	ok(becomes(&counts.connections, 1) && becomes(&counts.open, 0),
	   "is soon at its end");
	while ((n = recv(fd, buf + len, sizeof(buf) - len - 1, 0)) > 0)
		len += (size_t)n;
	ok(!strncmp(buf, "HTTP/1.1 505 ", 13), "is told so");
	ok(memmem(buf, len, "\r\n\r\nthis port speaks gRPC", 25) != NULL,
	   "in words");
	close(fd);
	end_server();
}

int main(void)
{
	test_cancelled();
	test_streams();
	test_memory();
	test_many_calls();
	test_closed_window();
	test_slow_beginnings();
	test_idle();
	test_connections();
	test_stop();
	test_stop_late();
	test_failure();
	test_http1();
	return done_testing();
}
