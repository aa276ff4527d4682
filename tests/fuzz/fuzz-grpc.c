/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to the gRPC server. The first byte chooses how many bytes come
 * at a time and what becomes of payloads; the rest is what a client sends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/grpc_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define MESSAGE_MAX 4096u

static struct span__server server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len = sizeof(sa_family_t);
static unsigned answer;
static struct span__acks acks; /* of those that wait */
static uint64_t added;	       /* to them */

static void check(bool good)
{
	if (!good)
		abort();
}

static int take(void *arg, const struct span_payload *p, int format,
		struct span__ack *ack, struct span__verdict *v,
		struct span_error *err)
{
	char *copy = malloc(p->data.len + 1);

	(void)arg;
	(void)err;
	check(format > 0 && p->data.len <= MESSAGE_MAX);
	check(p->path.len && p->content_type.len >= 16);
	if (copy && p->data.len)
		memcpy(copy, p->data.p, p->data.len);
	free(copy);
	v->answer = (enum span__answer)(answer % 7);
	if (v->answer == SPAN__ANSWER_LATER) {
		added++;
		span__acks_add(&acks, ack, added, added);
	}
	v->n_bad = answer >> 2 & 1;
	memcpy(v->why, "w\xff%", 4);
	return 0;
}

/* A listening socket at an address that the system chooses. */
static void start(void)
{
	const struct span__grpc_opts o = {
		.services = SPAN__GRPC_OTLP | SPAN__GRPC_JAEGER,
		.max_message = MESSAGE_MAX,
		.memory = 1,
		.max_streams = 10,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0 &&
	      bind(fd, (struct sockaddr *)&address, address_len) == 0);
	address_len = sizeof(address);
	check(getsockname(fd, (struct sockaddr *)&address, &address_len) == 0 &&
	      listen(fd, 10) == 0);
	check(span__grpc_server_open(&server, &o, fd, take, NULL, NULL) == 0);
	span__acks_init(&acks, 1);
}

static void turn(void)
{
	struct span_error err = {0};
	uint64_t end = 0;

	/* All but the last two, and one of these is late. */
	if (added > 2)
		span__acks_tell(&acks, added - 2);
	span__acks_expire(&acks, added, &end);
	check(server.turn(server.self, &err) == 0);
}

/* Read what the server says; false when it has ended the connection. */
static bool hear(int fd)
{
	char buf[4096];
	ssize_t n;

	do
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0);
	return n < 0 && errno == EAGAIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const size_t cuts[] = {1, 7, 64, 1000, 16384, 65536, 9, 100000};
	struct span__server_counts c;
	size_t cut;
	bool open = true;
	int fd;

	if (!len)
		return 0;
	if (!server.self)
		start();
	answer = p[0];
	cut = cuts[p[0] >> 5];
	if (cut < len / 100)
		cut = len / 100; /* each piece takes system calls */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(fd >= 0 &&
	      connect(fd, (struct sockaddr *)&address, address_len) == 0);
	for (size_t i = 1; i < len && open;) {
		size_t want = len - i < cut ? len - i : cut;
		ssize_t n = send(fd, p + i, want, MSG_NOSIGNAL | MSG_DONTWAIT);

		i += n > 0 ? (size_t)n : 0;
		turn();
		open = hear(fd) && (n >= 0 || errno == EAGAIN);
	}
	turn();
	close(fd);
	/* The connection, and all that it had, is gone. */
	do {
		turn();
		server.counts(server.self, &c);
	} while (c.open);
	return 0;
}
