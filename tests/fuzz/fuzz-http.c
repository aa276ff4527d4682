/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends to the HTTP server: the first byte says to which port,
 * the second in which pieces. Whatever it is, the connection ends, and nothing
 * is taken that is not as a payload has to be.
 */
#include "net/http_server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <span/codec.h>

#define MAX_BODY 4096u
#define TURNS 2000

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static struct span__acks acks; /* of those that wait */
static uint64_t added;	       /* to them */

/* The answer depends on the body. */
static int take(void *arg, const struct span_payload *p, int format,
		struct span__ack *ack, struct span__verdict *v,
		struct span_error *err)
{
	(void)arg;
	(void)err;
	check(p->data.len <= MAX_BODY && p->path.len > 1 && p->port == 1);
	check(p->content_type.len <= SPAN_PAYLOAD_TEXT);
	check(format > SPAN_FORMAT_AUTO && format < SPAN_FORMATS);
	*v = (struct span__verdict){
		.answer = p->data.len % 7, .n_bad = p->data.len, .why = "x"};
	if (v->answer == SPAN__ANSWER_LATER) {
		added++;
		span__acks_add(&acks, ack, added, added);
	}
	return 0;
}

static bool is_healthy(void *arg)
{
	(void)arg;
	return true;
}

static void put_metrics(void *arg, struct span_buf *out)
{
	(void)arg;
	span_buf_puts(out, "up 1\n");
}

static struct span__http_server *http;
static struct span__server face;

static void start(void)
{
	static const char *const cors[] = {"https://*.example"};
	const struct span__http_opts o = {
		.max_body = MAX_BODY,
		.cors = cors,
		.n_cors = 1,
		.admin = {NULL, is_healthy, put_metrics},
		.take = take,
	};

	check(span__http_server_open(&http, &o, NULL) == 0);
	face = span__http_server_face(http);
	span__acks_init(&acks, 1);
}

/* Those that have waited are told, one by one, every other one late. */
static void turn(void)
{
	uint64_t end = 0, first = span__acks_first(&acks);

	if (first % 2)
		span__acks_tell(&acks, first);
	else
		span__acks_expire(&acks, first + 1, &end);
	check(face.turn(face.self, NULL) == 0);
}

/* What the server says is HTTP. */
static void listen_to(int fd, bool *begun)
{
	char answer[65536];
	ssize_t n = read(fd, answer, sizeof(answer));

	if (n >= 7 && !*begun) {
		check(!memcmp(answer, "HTTP/1.", 7));
		*begun = true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span__server_counts c;
	size_t piece;
	bool begun = false;
	int fd[2];

	if (len < 2)
		return 0;
	if (!http)
		start();
	piece = p[1] ? p[1] : len;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
	check(span__http_server_connect(http, fd[1], p[0] % 5, 1, "x", NULL) ==
	      0);
	for (size_t i = 2; i < len; i += piece) {
		size_t n = len - i < piece ? len - i : piece;

		(void)!send(fd[0], p + i, n, MSG_NOSIGNAL);
		turn();
		listen_to(fd[0], &begun);
	}
	shutdown(fd[0], SHUT_WR);
	for (int i = 0; i < 4; i++) {
		turn();
		listen_to(fd[0], &begun);
	}
	close(fd[0]);
	for (int i = 0; i < TURNS; i++) {
		turn();
		face.counts(face.self, &c);
		if (!c.open)
			return 0;
	}
	abort();
}
