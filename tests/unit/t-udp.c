/* SPDX-License-Identifier: Apache-2.0 */
#include "net/udp.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static struct span__udp u;

static int open_on(const char *host, uint16_t port, size_t buffer)
{
	struct span__address a[1];
	struct span_error err = {0};
	int rc;

	if (span__address_resolve(a, 1, host, port, NULL) != 1)
		return -1;
	rc = span__udp_open(&u, &a[0], buffer, &err);
	if (rc < 0)
		diag("%s: %s", err.msg, strerror(err.sys));
	return rc;
}

static int client(const struct span__udp *to)
{
	int fd = socket(to->local.sa.any.sa_family, SOCK_DGRAM, 0);

	if (connect(fd, &to->local.sa.any, to->local.len) < 0)
		return -1;
	return fd;
}

static void wait_for_data(const struct span__udp *from)
{
	struct pollfd p = {.fd = from->fd, .events = POLLIN};

	(void)poll(&p, 1, 5000);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void test_receive(const char *host, const char *peer)
{
	struct span__udp_batch *b = NULL;
	uint64_t before = now_ns();
	struct span_payload p;
	int fd;

	is_int(open_on(host, 0, 1 << 16), 0, "listen on %s", host);
	ok(span__address_port(&u.local) != 0, "a free port");
	ok(!u.shared, "that nobody shares");
	is_int(span__udp_batch_open(&b, 100, NULL), 0, "batch");
	is_int(span__udp_receive(&u, b, 8, NULL), 0, "nothing is there yet");
	fd = client(&u);
	ok(send(fd, "one", 3, 0) == 3 && send(fd, "", 0, 0) == 0 &&
		   send(fd, b, 200, 0) == 200 && send(fd, b, 100, 0) == 100,
	   "four datagrams");
	wait_for_data(&u);
	is_int(span__udp_receive(&u, b, 1, NULL), 1, "one, as asked for");
	span__udp_payload(b, 0, &p);
	is_mem(p.data.p, p.data.len, "one", 3, "its data");
	ok(p.peer.len > strlen(peer) && !memcmp(p.peer.p, peer, strlen(peer)),
	   "its peer %.*s", (int)p.peer.len, p.peer.p);
	ok(p.time_ns >= before && p.time_ns <= now_ns(), "its time");
	is_uint(p.port, span__address_port(&u.local), "its port");
	is_int(p.transport, SPAN_TRANSPORT_UDP, "its transport");
	ok(!p.truncated, "it is whole");
	is_int(span__udp_receive(&u, b, 8, NULL), 3, "the others");
	span__udp_payload(b, 0, &p);
	ok(!p.data.len && !p.truncated, "an empty one");
	span__udp_payload(b, 1, &p);
	ok(p.data.len == 100 && p.truncated, "one that was cut is marked");
	span__udp_payload(b, 2, &p);
	ok(p.data.len == 100 && !p.truncated, "one that just fits is not");
	close(fd);
	span__udp_batch_close(&b);
	span__udp_release(&u);
}

static void test_finish(void)
{
	struct span__udp_batch *b = NULL;
	int fd;

	is_int(open_on("127.0.0.1", 0, 1 << 16), 0, "listen");
	is_int(span__udp_batch_open(&b, 100, NULL), 0, "batch");
	fd = client(&u);
	ok(send(fd, "before", 6, 0) == 6, "a datagram before");
	wait_for_data(&u);
	span__udp_finish(&u);
	(void)!send(fd, "after", 5, 0);
	ok(send(fd, "after", 5, 0) < 0 && errno == ECONNREFUSED,
	   "after it the sender is refused");
	is_int(span__udp_receive(&u, b, 8, NULL), 1,
	       "what came before is there");
	is_int(span__udp_receive(&u, b, 8, NULL), 0, "and nothing else");
	close(fd);
	span__udp_batch_close(&b);
	span__udp_release(&u);
}

static void test_drops(void)
{
	struct span__udp_batch *b = NULL;
	uint64_t received = 0;
	char data[1000] = "";
	int fd, n;

	is_int(open_on("127.0.0.1", 0, 20000), 0, "a small buffer");
	ok(u.buffer >= 20000, "as asked for");
	ok(!span__udp_can_wait(&u), "nothing waits in it");
	is_int(span__udp_batch_open(&b, 0, NULL), 0, "batch");
	fd = client(&u);
	for (int i = 0; i < 500; i++)
		(void)!send(fd, data, sizeof(data), 0);
	while ((n = span__udp_receive(&u, b, SPAN__UDP_BATCH, NULL)) > 0)
		received += (uint64_t)n;
	ok(received && received < 500, "some are lost");
	span__udp_count_drops(&u);
	is_uint(received + u.drops, 500, "and counted by the kernel");
	ok(send(fd, data, sizeof(data), 0) == sizeof(data), "one more");
	wait_for_data(&u);
	is_int(span__udp_receive(&u, b, 8, NULL), 1, "is received");
	span__udp_count_drops(&u);
	is_uint(received + u.drops, 500, "nothing is counted twice");
	close(fd);
	span__udp_batch_close(&b);
	span__udp_release(&u);
}

static void test_sharing(void)
{
	struct span__udp first;

	is_int(open_on("127.0.0.1", 0, 1 << 16), 0, "listen");
	first = u;
	is_int(open_on("127.0.0.1", span__address_port(&first.local), 1 << 16),
	       0, "listen there again");
	ok(u.shared && !first.shared, "the second one knows");
	span__udp_release(&u);
	span__udp_release(&first);
}

static void test_adopt(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), pair[2];

	is_int(span__udp_adopt(&u, fd, 1 << 16, NULL), SPAN_E_INVALID,
	       "a socket without an address");
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	is_int(span__udp_adopt(&u, fd, 1 << 16, NULL), SPAN_E_INVALID,
	       "a TCP socket");
	close(fd);
	ok(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0, "a pair");
	is_int(span__udp_adopt(&u, pair[0], 1 << 16, NULL), SPAN_E_INVALID,
	       "a local socket");
	close(pair[0]);
	close(pair[1]);
	is_int(span__udp_adopt(&u, 1000, 1 << 16, NULL), SPAN_E_INVALID,
	       "no descriptor at all");
}

int main(void)
{
	struct span__address a[1];
	int fd;

	test_receive("127.0.0.1", "127.0.0.1:");
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (span__address_resolve(a, 1, "::1", 0, NULL) == 1 && fd >= 0 &&
	    bind(fd, &a[0].sa.any, a[0].len) == 0)
		test_receive("::1", "[::1]:");
	else
		skip_tests(17, "no IPv6 here");
	close(fd);
	test_finish();
	test_drops();
	test_sharing();
	test_adopt();
	return done_testing();
}
