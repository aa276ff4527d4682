/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp-blast - send numbered datagrams at a given rate
 *
 * usage: udp-blast ADDRESS PORT COUNT SIZE [RATE]
 *
 * The first eight bytes of each hold its number, from 0 on, most significant
 * byte first; the rest is filling. RATE is datagrams a second, 0 as fast as
 * it goes. Prints how many were sent, in how many seconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

#define BATCH 32u
#define SIZE_MAX_UDP 65507u

static struct {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned char data[BATCH][SIZE_MAX_UDP];
} out;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (end == text || *end) {
		fprintf(stderr, "udp-blast: no number: '%s'\n", text);
		exit(2);
	}
	return n;
}

static int open_socket(const char *host, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *a;
	int rc = getaddrinfo(host, port, &hints, &a), fd, size = 4 << 20;

	if (rc) {
		fprintf(stderr, "udp-blast: %s: %s\n", host, gai_strerror(rc));
		exit(2);
	}
	fd = socket(a->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
		fprintf(stderr, "udp-blast: %s\n", strerror(errno));
		exit(1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	freeaddrinfo(a);
	return fd;
}

static void fill(uint64_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 8; k++)
			out.data[i][k] =
				(unsigned char)((first + i) >> (56 - 8 * k));
}

/* How many may be sent now, BATCH at most. */
static size_t due(uint64_t sent, uint64_t count, uint64_t rate, double start)
{
	uint64_t most = count - sent < BATCH ? count - sent : BATCH;
	double target;

	if (!rate)
		return (size_t)most;
	target = (now() - start) * (double)rate + 1;
	if (target <= (double)sent)
		return 0;
	target -= (double)sent;
	return target < (double)most ? (size_t)target : (size_t)most;
}

int main(int argc, char **argv)
{
	const struct timespec nap = {.tv_nsec = 100000};
	uint64_t count, size, rate, sent = 0, failed = 0;
	double start, seconds;
	int fd;

	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: udp-blast ADDRESS PORT COUNT SIZE "
				"[RATE]\n");
		return 2;
	}
	count = number(argv[3]);
	size = number(argv[4]);
	rate = argc > 5 ? number(argv[5]) : 0;
	if (size < 8 || size > SIZE_MAX_UDP) {
		fprintf(stderr, "udp-blast: 8 to %u bytes\n", SIZE_MAX_UDP);
		return 2;
	}
	fd = open_socket(argv[1], argv[2]);
	for (size_t i = 0; i < BATCH; i++) {
		memset(out.data[i], 'x', (size_t)size);
		out.iov[i] = (struct iovec){out.data[i], (size_t)size};
		out.msg[i].msg_hdr = (struct msghdr){.msg_iov = &out.iov[i],
						     .msg_iovlen = 1};
	}
	start = now();
	while (sent < count) {
		size_t n = due(sent, count, rate, start);
		int got;

		if (!n) {
			nanosleep(&nap, NULL);
			continue;
		}
		fill(sent, n);
		got = sendmmsg(fd, out.msg, (unsigned)n, 0);
		if (got > 0)
			sent += (uint64_t)got;
		/* Nobody listens: said once for a datagram sent before. */
		else if (errno != EINTR && failed++ >= 1000)
			break;
	}
	seconds = now() - start;
	printf("sent %" PRIu64 " of %" PRIu64 " in %.2f s, %.0f/s\n", sent,
	       size, seconds, (double)sent / seconds);
	close(fd);
	return sent < count;
}
