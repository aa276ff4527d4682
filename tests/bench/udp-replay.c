/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp-replay - send the payloads of a stream as datagrams again
 *
 * usage: udp-replay ADDRESS PORT [PAYLOADS-A-SECOND] <payloads
 *
 * What came over UDP is sent to the port as it was received, the rest is left
 * out. Prints how many were sent.
 */
#include <span/payload.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

static int open_socket(const char *address, const char *port)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
	int fd, rc = getaddrinfo(address, port, &hints, &found);

	if (rc) {
		fprintf(stderr, "udp-replay: %s port %s: %s\n", address, port,
			gai_strerror(rc));
		return -1;
	}
	fd = socket(found->ai_family, found->ai_socktype, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0) {
		perror("udp-replay");
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static void wait_for_turn(unsigned long n, double rate)
{
	static struct timespec start;
	struct timespec due;
	double seconds = (double)n / rate;

	if (!n)
		clock_gettime(CLOCK_MONOTONIC, &start);
	due = start;
	due.tv_sec += (time_t)seconds;
	due.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	due.tv_sec += due.tv_nsec / 1000000000;
	due.tv_nsec %= 1000000000;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) ==
	       EINTR)
		;
}

int main(int argc, char **argv)
{
	struct span_payload_reader *r = NULL;
	struct span_error err = {0};
	struct span_payload p;
	unsigned long n = 0, bytes = 0;
	double rate = argc == 4 ? strtod(argv[3], NULL) : 0;
	int fd, rc;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: udp-replay ADDRESS PORT [RATE]\n");
		return 2;
	}
	fd = open_socket(argv[1], argv[2]);
	if (fd < 0)
		return 1;
	rc = span_payload_reader_open(&r, STDIN_FILENO, NULL, &err);
	if (rc < 0)
		goto done;
	while ((rc = span_payload_reader_next(r, &p, &err)) > 0) {
		if (p.transport != SPAN_TRANSPORT_UDP)
			continue;
		if (rate > 0)
			wait_for_turn(n, rate);
		if (send(fd, p.data.p, p.data.len, 0) != (ssize_t)p.data.len) {
			rc = span_error_set(&err, SPAN_E_IO, "cannot send: %s",
					    strerror(errno));
			goto done;
		}
		n++;
		bytes += p.data.len;
	}
done:
	span_payload_reader_close(&r);
	close(fd);
	if (rc < 0)
		fprintf(stderr, "udp-replay: %s\n", err.msg);
	printf("sent %lu datagrams, %lu bytes\n", n, bytes);
	return rc < 0;
}
