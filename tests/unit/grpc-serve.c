/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc-serve - a gRPC server as span-capture has one, to be tested by itself
 *
 * usage: grpc-serve [-c CONNECTIONS] [-i IDLE-MS] [-m MAX-BYTES]
 *	[-n DESCRIPTORS] [-r REQUEST-MS] [-s SERVICES] [-x CERT -y KEY]
 *
 * Prints the port it listens on, then a line for each payload: format, port
 * right or wrong, path, content type, length and a checksum. A payload's first
 * word says what becomes of it (bad, full, stopping, some); all others are
 * taken. On SIGTERM it stops in good order and prints its counts.
 */
#include <span/codec.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "net/address.h"
#include "net/grpc_server.h"

static struct span_error err;
static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "grpc-serve: %s: %s\n", what, err.msg);
	exit(1);
}

static bool begins(struct span_str s, const char *with)
{
	return s.len >= strlen(with) && !memcmp(s.p, with, strlen(with));
}

static int take(void *arg, const struct span_payload *p, int format,
		struct span__ack *ack, struct span__verdict *v,
		struct span_error *e)
{
	uint16_t port = *(uint16_t *)arg;

	(void)ack, (void)e;
	printf("%s %s %.*s %.*s %zu %08lx %s\n", span_format_name(format),
	       p->port == port && p->transport == SPAN_TRANSPORT_GRPC &&
			       p->time_ns
		       ? "right"
		       : "wrong",
	       (int)p->path.len, p->path.p, (int)p->content_type.len,
	       p->content_type.p, p->data.len,
	       crc32_z(0, (const unsigned char *)p->data.p, p->data.len),
	       begins(p->peer, "127.0.0.1:") ? "local" : "?");
	fflush(stdout);
	v->answer = SPAN__ANSWER_TAKEN;
	if (begins(p->data, "bad")) {
		v->answer = SPAN__ANSWER_BAD;
		snprintf(v->why, sizeof(v->why), "field 7: 100%% \xc3\xa4");
	} else if (begins(p->data, "full")) {
		v->answer = SPAN__ANSWER_FULL;
	} else if (begins(p->data, "stopping")) {
		v->answer = SPAN__ANSWER_STOPPING;
	} else if (begins(p->data, "some")) {
		v->n_spans = 10;
		v->n_bad = 3;
	}
	return 0;
}

static int listen_somewhere(uint16_t *port)
{
	struct span__address a[1];
	int fd;

	if (span__address_resolve(a, 1, "127.0.0.1", 0, &err) != 1)
		die("address");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &a->sa.any, a->len) < 0 ||
	    listen(fd, 4096) < 0 || getsockname(fd, &a->sa.any, &a->len) < 0)
		die(strerror(errno));
	*port = span__address_port(a);
	return fd;
}

static void serve(struct span__server *s, const sigset_t *mask)
{
	bool asked = false;

	while (!asked || !s->is_idle(s->self)) {
		struct pollfd p = {.fd = s->poll_fd(s->self), .events = POLLIN};
		uint64_t ns = s->timeout_ns(s->self);
		struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u)};

		(void)ppoll(&p, 1, ns == UINT64_MAX ? NULL : &t, mask);
		if (s->turn(s->self, &err) < 0)
			die("turn");
		if (stopped && !asked) {
			s->stop(s->self);
			asked = true;
		}
	}
}

static void print_counts(const struct span__server *s)
{
	struct span__server_counts c;

	s->counts(s->self, &c);
	printf("connections %ju open %ju requests %ju refused %ju too_large "
	       "%ju timeouts %ju overloaded %ju\n",
	       (uintmax_t)c.connections, (uintmax_t)c.open,
	       (uintmax_t)c.requests, (uintmax_t)c.refused,
	       (uintmax_t)c.too_large, (uintmax_t)c.timeouts,
	       (uintmax_t)c.overloaded);
}

static uint64_t ms(const char *text)
{
	return strtoull(text, NULL, 10) * 1000000u;
}

static void parse(int argc, char **argv, struct span__grpc_opts *o,
		  const char **cert, const char **key)
{
	struct rlimit limit;
	int c;

	while ((c = getopt(argc, argv, "c:i:m:n:r:s:x:y:")) != -1) {
		if (c == 'c')
			o->max_connections = strtoull(optarg, NULL, 10);
		else if (c == 'i')
			o->idle_ns = ms(optarg);
		else if (c == 'm')
			o->max_message = strtoull(optarg, NULL, 10);
		else if (c == 'r')
			o->request_ns = o->handshake_ns = ms(optarg);
		else if (c == 's')
			o->services = (unsigned)strtoull(optarg, NULL, 10);
		else if (c == 'x')
			*cert = optarg;
		else if (c == 'y')
			*key = optarg;
		else if (c != 'n')
			exit(2);
		if (c != 'n')
			continue;
		limit.rlim_cur = limit.rlim_max = strtoull(optarg, NULL, 10);
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			die(strerror(errno));
	}
}

int main(int argc, char **argv)
{
	struct span__grpc_opts o = {.services = SPAN__GRPC_OTLP |
						SPAN__GRPC_JAEGER};
	struct sigaction act = {.sa_handler = on_signal};
	const char *cert = NULL, *key = NULL;
	struct span__tls *tls = NULL;
	struct span__server server;
	sigset_t block, old;
	uint16_t port;
	int fd;

	parse(argc, argv, &o, &cert, &key);
	if (cert && span__tls_open(&tls, cert, key, &err) < 0)
		die("tls");
	o.tls = tls;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGTERM, &act, NULL);
	fd = listen_somewhere(&port);
	if (span__grpc_server_open(&server, &o, fd, take, &port, &err) < 0)
		die("open");
	printf("%u\n", port);
	fflush(stdout);
	serve(&server, &old);
	print_counts(&server);
	server.close(server.self);
	span__tls_close(&tls);
	return 0;
}
