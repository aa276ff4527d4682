/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that mean no good, or are slow, or gone; and ends in good order. */
#include "tests/unit/grpc-client.h"

#define MS UINT64_C(1000000)

static struct client client, second;
static const bool never;

#define HELLO .body = "\0\0\0\0\5hello", .len = 10

/* ---- Bytes of HTTP/2 by hand ---- */

static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void put_frame(struct span_buf *b, int type, int flags, uint32_t id,
		      const void *p, size_t len)
{
	const char head[9] = {
		(char)(len >> 16), (char)(len >> 8), (char)len,
		(char)type,	   (char)flags,	     (char)(id >> 24),
		(char)(id >> 16),  (char)(id >> 8),  (char)id};

	span_buf_put(b, head, sizeof(head));
	span_buf_put(b, p, len);
}

enum { GOES_ON = -1, NO_GOODBYE = -2 };

/* The code of the GOAWAY among the frames of B. */
static int goodbye_in(const struct span_buf *b)
{
	const unsigned char *p = (const unsigned char *)b->p;

	for (size_t i = 0; i + 17 <= b->len;) {
		if (p[i + 3] == NGHTTP2_GOAWAY)
			return p[i + 16];
		i += 9 +
		     ((size_t)p[i] << 16 | (size_t)p[i + 1] << 8 | p[i + 2]);
	}
	return NO_GOODBYE;
}

/* Read what there is. False at the end. */
static bool receive(int fd, struct span_buf *in)
{
	char *to = span_buf_reserve(in, 65536);
	ssize_t n = recv(fd, to, 65536, MSG_DONTWAIT);

	in->len += n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/*
 * Send B after a usual beginning, while the server works. Returns how the
 * server ended that: the code of its GOAWAY, or one of the above.
 */
static int outcome_of(const struct span_buf *b)
{
	struct span_buf all = {0}, in = {0};
	uint64_t end = clock_ms() + 10000;
	bool open = true;
	int fd = connect_socket(), quiet = 0, rc;

	span_buf_put(&all, magic, sizeof(magic) - 1);
	put_frame(&all, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	span_buf_put(&all, b->p, b->len);
	for (size_t sent = 0; open && quiet < 3 && clock_ms() < end;) {
		size_t before = in.len;
		ssize_t n = 0;

		if (sent < all.len)
			n = send(fd, all.p + sent, all.len - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		server.turn(server.self, NULL);
		open = receive(fd, &in) && (n >= 0 || errno == EAGAIN);
		quiet = sent == all.len && in.len == before ? quiet + 1 : 0;
	}
	close(fd);
	(void)pump_for(NULL, &never, 1);
	rc = open ? GOES_ON : goodbye_in(&in);
	span_buf_release(&all);
	span_buf_release(&in);
	return rc;
}

/* ":method: POST", ":scheme: http", ":path: /" by their static indices. */
#define STATIC_POST "\x83\x86\x84"

/* The header block of a call to PATH (under 127 bytes) that is all right. */
static void put_call(struct span_buf *b, int flags, uint32_t id,
		     const char *path)
{
	static const char type[] = "\x0f\x10\x10"
				   "application/grpc";
	struct span_buf block = {0};

	span_buf_puts(&block, "\x83\x86\1\1a\4");
	span_buf_putc(&block, (char)strlen(path));
	span_buf_puts(&block, path);
	span_buf_puts(&block, type);
	put_frame(b, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | flags, id,
		  block.p, block.len);
	span_buf_release(&block);
}

static void test_floods(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct span_buf b = {0};
	char block[4096], ref[1000];

	serve(&o);
	for (uint32_t i = 0; i < 100; i++)
		put_frame(&b, NGHTTP2_PING, 0, 0, "12345678", 8);
	is_int(outcome_of(&b), GOES_ON, "a hundred pings are nothing");
	for (uint32_t i = 0; i < 20000; i++)
		put_frame(&b, NGHTTP2_PING, 0, 0, "12345678", 8);
	is_int(outcome_of(&b), NO_GOODBYE,
	       "a flood of pings ends the connection");
	b.len = 0;
	for (uint32_t i = 0; i < 20000; i++)
		put_frame(&b, NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\1", 6);
	is_int(outcome_of(&b), NO_GOODBYE, "of settings");
	b.len = 0;
	for (uint32_t i = 0; i < 20000; i++)
		put_frame(&b, NGHTTP2_PRIORITY, 0, 2 * i + 1, "\0\0\0\0\1", 5);
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "of priorities");
	b.len = 0;
	for (uint32_t i = 0; i < 20000; i++)
		put_frame(&b, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4);
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "of window updates");
	b.len = 0;
	put_call(&b, 0, 1, EXPORT);
	for (uint32_t i = 0; i < 20000; i++)
		put_frame(&b, NGHTTP2_DATA, 0, 1, "", 0);
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "of empty data");
	b.len = 0;
	put_frame(&b, NGHTTP2_HEADERS, 0, 1, STATIC_POST, 3);
	for (uint32_t i = 0; i < 100; i++)
		put_frame(&b, NGHTTP2_CONTINUATION, 0, 1, "", 0);
	is_int(outcome_of(&b), NO_GOODBYE, "of continuations");
	b.len = 0;
	for (uint32_t i = 0; i < 2000; i++) {
		put_call(&b, 0, 2 * i + 1, EXPORT);
		put_frame(&b, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x8", 4);
	}
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM, "of resets");
	b.len = 0;
	/* Literal with indexing: a 3000-byte value, then its index. */
	memcpy(block, STATIC_POST "\x40\1x\x7f\xb9\x16", 9);
	memset(block + 9, 'v', 3000 - 0);
	memset(ref, 0xbe, sizeof(ref));
	put_frame(&b, NGHTTP2_HEADERS, 0, 1, block, 9 + 3000);
	put_frame(&b, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, ref,
		  sizeof(ref));
	is_int(outcome_of(&b), NGHTTP2_ENHANCE_YOUR_CALM,
	       "of headers that are said once");
	b.len = 0;
	span_buf_puts(&b, "and then not HTTP/2 any more, for some bytes");
	is_int(outcome_of(&b), NGHTTP2_FRAME_SIZE_ERROR, "what is not HTTP/2");
	is_uint(counts.open, 0, "no connection is left");
	span_buf_release(&b);
	end_server();
}

/* Calls that are cancelled before their end. */
static void test_cancelled(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP};
	struct request hello = {HELLO}, open = {HELLO, .open = true};

	serve(&o);
	client_open(&client);
	for (int i = 0; i < 100; i++) {
		struct reply *r = call(&client, &open);

		client_turn(&client);
		nghttp2_submit_rst_stream(client.session, 0, r->id,
					  NGHTTP2_CANCEL);
		(void)pump(&client, &r->closed);
	}
	(void)pump_for(&client, &client.ended, 1);
	ok(!client.goodbye, "a hundred calls may be cancelled");
	for (int i = 0; i < 100; i++) {
		struct reply *r = call(&client, &hello);

		(void)pump(&client, &r->closed);
		r = call(&client, &open);
		client_turn(&client);
		nghttp2_submit_rst_stream(client.session, 0, r->id,
					  NGHTTP2_CANCEL);
	}
	(void)pump_for(&client, &client.ended, 1);
	ok(!client.goodbye, "and as many as are answered");
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
	struct request open = {.body = body, .len = 600000, .open = true};
	struct request whole = {HELLO};
	struct reply *r[4];

	memcpy(body, "\0\0\x0f\xff\xff", 5);
	serve(&o);
	client_open(&client);
	client_open(&second);
	for (int i = 0; i < 4; i++) {
		r[i] = call(i & 1 ? &second : &client, &open);
		open.sent = 0;
		(void)pump_for(i & 1 ? &second : &client, &r[i]->closed, 50);
		open.sent = 0;
	}
	ok(!r[0]->closed && !r[1]->closed, "two large messages begin");
	ok(r[2]->closed && r[3]->closed, "there is no memory for more");
	is_str(r[3]->status, "8", "which is said");
	ok(*r[3]->details, "and that it may come again");
	r[2] = call(&second, &whole);
	ok(pump(&second, &r[2]->closed), "a small one");
	is_str(r[2]->status, "0", "still has room");
	client_close(&client);
	open.open = false;
	open.len = 1 << 20;
	(void)pump_for(&second, &never, 10);
	r[3] = call(&second, &open);
	memcpy(body, "\0\0\x0f\xff\xfb", 5);
	ok(pump(&second, &r[3]->closed), "when a connection ends");
	is_str(r[3]->status, "0", "its memory is free");
	client_close(&second);
	end_server();
	free(body);
}

/* Calls that have nothing to say take memory, too. */
static void test_many_calls(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .max_message = 1,
				    .max_streams = 1000,
				    .memory = 1};
	struct request open = {.open = true},
		       hello = {.body = "\0\0\0\0\1a", .len = 6};
	struct reply *r = NULL;

	serve(&o);
	client_open(&client);
	(void)pump_for(&client, &never, 20);
	for (int i = 0; i < 65; i++)
		r = call(&client, &open);
	ok(pump(&client, &r->closed), "calls that do not go on");
	is_uint(r->error, NGHTTP2_REFUSED_STREAM, "are refused at last");
	ok(!client.replies[0].closed, "but not the first");
	nghttp2_submit_rst_stream(client.session, 0, client.replies[0].id,
				  NGHTTP2_CANCEL);
	nghttp2_submit_rst_stream(client.session, 0, client.replies[1].id,
				  NGHTTP2_CANCEL);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "when one ends there is room");
	is_str(r->status, "0", "for another one");
	client_close(&client);
	end_server();
}

/* A client that never reads its answers. */
static void test_deaf(void)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP,
				    .request_ns = 100 * MS};
	struct span_buf b = {0};
	int fd;
	uint64_t end = clock_ms() + 10000;
	size_t sent = 0;

	small_buffers = 8192;
	serve(&o);
	fd = connect_socket();
	small_buffers = 0;
	span_buf_put(&b, magic, sizeof(magic) - 1);
	put_frame(&b, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
	/* Each is answered with a long sentence, and no two are the same. */
	for (uint32_t i = 0; i < 5000; i++) {
		char path[100];

		snprintf(path, sizeof(path),
			 "/%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%"
			 "%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%u/a",
			 i);
		put_call(&b, NGHTTP2_FLAG_END_STREAM, 2 * i + 1, path);
	}
	while (clock_ms() < end) {
		ssize_t n = sent < b.len ? send(fd, b.p + sent, b.len - sent,
						MSG_NOSIGNAL | MSG_DONTWAIT)
					 : -1;

		sent += n > 0 ? (size_t)n : 0;
		server.turn(server.self, NULL);
		server.counts(server.self, &counts);
		if (counts.timeouts)
			break;
	}
	is_uint(counts.timeouts, 1, "who takes no answers is left");
	is_uint(counts.open, 0, "for good");
	ok(sent < b.len, "and not heard to the end");
	close(fd);
	span_buf_release(&b);
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

		ok(send(fd, magic, rows[i].len, 0) == (ssize_t)rows[i].len,
		   "%s", rows[i].name);
		(void)pump_for(NULL, &never, 120);
		is_uint(counts.open, 0, "is left");
		is_uint(counts.timeouts, i + 1, "and counted");
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
	(void)pump_for(NULL, &never, 20);
	client_open(&client);
	r = call(&client, &hello);
	ok(pump(&client, &r->closed), "in its place there is room");
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
	r = call(&client, &begun);
	(void)pump_for(&client, &never, 20);
	(void)pump_for(&second, &never, 20);
	is_uint(counts.open, 2, "a call that runs, and a connection without");
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
	r = call(&client, &open);
	(void)pump_for(&client, &never, 20);
	is_uint(counts.open, 2, "a call, and who has not said a word");
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
	(void)pump_for(NULL, &never, 20);
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
	test_floods();
	test_cancelled();
	test_streams();
	test_memory();
	test_many_calls();
	test_deaf();
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
