/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the web server does with clients that are slow, go away or ask for much.
 */
#include "web-test.h"

#include "base/banned.h"

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

#define HOUR (3600 * SECOND)

static bool answers_within(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* Of TARGET, by 127.0.0.HOST, who reads nothing of them. */
static void begin_some(int *fds, int n, uint8_t host, const char *target)
{
	for (int i = 0; i < n; i++)
		fds[i] = ask_as(host, target, "");
}

static void close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		close(fds[i]);
}

/* Of the room for answers that have begun a peer has a half. */
static void take_half(const char *target)
{
	int fds[5];

	start((struct span__web_opts){
		.threads = 1, .max_open = 8, .yield_ns = HOUR});
	begin_some(fds, 4, 1, target);
	for (int i = 0; i < 4; i++)
		ok(answers_within(fds[i], 10000), "%s has begun", target);
	fds[4] = ask_as(1, "/echo?say=x", "");
	ok(!answers_within(fds[4], 100), "his fifth waits");
	gives(ask_as(2, "/echo?say=y", ""), 200, "y", "another one does not");
	gives(ask_as(1, "/quick?say=q", ""), 200, "q", "nor what is quick");
	close(fds[0]);
	gives(fds[4], 200, "x", "until one is gone");
	close_all(fds + 1, 3);
	end();
}

static void test_half(void)
{
	take_half("/stream?n=1000000");
	take_half("/whole?n=24000000");
}

/* Who does not read has a place only as long as nobody wants it. */
static void test_yield(void)
{
	int fds[4];

	start((struct span__web_opts){
		.threads = 1, .max_open = 4, .yield_ns = 1});
	begin_some(fds, 2, 1, "/stream?n=1000000");
	begin_some(fds + 2, 2, 2, "/stream?n=1000000");
	for (int i = 0; i < 4; i++)
		ok(answers_within(fds[i], 10000), "it has begun");
	poll(NULL, 0, 1100); /* it looks each second */
	is_int(get(&n_closed), 0, "they stay while nobody wants their places");
	gives(ask_as(1, "/echo?say=x", ""), 200, "x", "one of the same peer");
	ok(get(&n_closed) <= 1, "has the place of one");
	begin_some(fds, 1, 1, "/stream?n=1000000");
	gives(ask_as(3, "/echo?say=y", ""), 200, "y", "one of another peer");
	close_all(fds, 4);
	end();
}

static void test_many_slow_readers(void)
{
	int fds[64];

	start((struct span__web_opts){
		.threads = 2, .yield_ns = HOUR, .answer_ns = HOUR});
	begin_some(fds, 64, 1, "/stream?n=1000000");
	ok(comes_to(&n_pieces, 16 * 7), "as many as may have begun");
	for (int i = 0; i < 3; i++)
		gives(ask_as(2, "/echo?say=x", ""), 200, "x",
		      "64 slow readers keep nobody else waiting");
	close_all(fds, 64);
	end();
	start((struct span__web_opts){.threads = 2, .yield_ns = 1});
	begin_some(fds, 64, 1, "/stream?n=1000000");
	gives(ask_as(1, "/echo?say=x", ""), 200, "x",
	      "nor one of their own, for long");
	close_all(fds, 64);
	end();
}

static int fast_fds[8];
static int enough;

static void *read_fast(void *arg)
{
	static char room[65536];

	(void)arg;
	for (size_t i = 0; !get(&enough); i++)
		(void)!recv(fast_fds[i % 8], room, sizeof(room), MSG_DONTWAIT);
	return NULL;
}

/* There is always more to make of answers that are read at once. */
static void test_fast_readers(void)
{
	pthread_t reader;

	start((struct span__web_opts){.threads = 1, .max_open = 32});
	begin_some(fast_fds, 8, 1, "/stream?n=10000000");
	pthread_create(&reader, NULL, read_fast, NULL);
	ok(comes_to(&n_pieces, 5000), "eight are read as fast as it goes");
	for (int i = 0; i < 3; i++)
		gives(ask_as(2, "/echo?say=x", ""), 200, "x", "others go on");
	gives(ask_as(1, "/echo?say=x", ""), 200, "x", "his own, too");
	is_int(get(&n_closed), 0, "beside them");
	add(&enough, 1);
	pthread_join(reader, NULL);
	close_all(fast_fds, 8);
	end();
}

/* What one asks may take long: it is his own time. */
static void test_long_answers(void)
{
	int fds[3];

	start((struct span__web_opts){.threads = 2});
	begin_some(fds, 3, 1, "/slow");
	ok(comes_to(&n_slow, 1), "it works for one");
	gives(ask_as(2, "/echo?say=x", ""), 200, "x", "and for another one");
	is_int(get(&n_slow), 1, "with a thread that the first has not");
	add(&let_go, 1);
	for (int i = 0; i < 3; i++)
		gives(fds[i], 200, "", "who has all of his answers");
	end();
}

static void send_some(int fd, size_t n)
{
	static char room[65536];

	for (size_t i = 0; i < n; i += sizeof(room))
		if (send(fd, room, sizeof(room), MSG_NOSIGNAL) < 0)
			printf("# cannot send\n");
}

/* Memory for bodies that do not end is not one peer's alone. */
static void test_large_bodies(void)
{
	static const char head[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Length: 4000000\r\n"
				   "Connection: close\r\n\r\n";
	struct reply r;
	int fds[4], fd;

	start((struct span__web_opts){.max_body = 4000000});
	for (int i = 0; i < 4; i++) {
		fds[i] = dial_as(1);
		say(fds[i], head);
		send_some(fds[i], i < 3 ? 3900000 : 2000000);
	}
	fd = dial_as(2);
	say(fd, head);
	send_some(fd, 3900000);
	for (size_t i = 3932160; i < 4000000; i += 16)
		say(fd, "0123456789abcdef");
	r = take(fd);
	is_int(r.status, 200, "there is room for others");
	is_int((int64_t)r.body.len, 4000000, "for all of a body");
	drop(&r);
	close_all(fds, 4);
	end();
}

int main(void)
{
	test_lanes();
	test_gone();
	test_half_closed();
	test_timeout();
	test_slow_clients();
	test_slow_reader();
	test_steady_reader();
	test_back_pressure();
	test_half();
	test_yield();
	test_many_slow_readers();
	test_fast_readers();
	test_long_answers();
	test_large_bodies();
	return done_testing();
}
