/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve-ask STORE TARGET [ARCHIVE]: what span-serve answers, without a network
 *
 * GET, or with METHOD=POST in the environment POST of standard input. The
 * answer goes to standard output; its status and type, for an answer in pieces
 * their number, are a line on standard error. NOW is the time in ns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve/params.h"
#include "serve/pool.h"
#include "serve/routes.h"

#include "base/banned.h"

static uint64_t now(void)
{
	const char *fixed = getenv("NOW");
	struct timespec ts;

	if (fixed)
		return strtoull(fixed, NULL, 10);
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void must(int rc, const struct span_error *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "serve-ask: %d: %s\n", rc, err->msg);
	exit(1);
}

static void read_body(struct span_buf *b)
{
	size_t n;
	char *to;

	do {
		to = span_buf_reserve(b, 65536);
		if (!to)
			exit(1);
		n = fread(to, 1, 65536, stdin);
		b->len += n;
	} while (n);
}

static void put(const struct span_buf *b)
{
	if (b->len && fwrite(b->p, 1, b->len, stdout) != b->len)
		exit(1);
}

static unsigned put_answer(struct span__serve_answer *a)
{
	struct span_error err = {0};
	struct span_buf piece = {0};
	unsigned pieces = 1;
	int rc = 0;

	put(&a->body);
	while (a->more && (rc = a->more(a->arg, &piece, &err)) > 0) {
		put(&piece);
		piece.len = 0;
		pieces++;
	}
	must(rc, &err);
	span_buf_release(&piece);
	if (a->close)
		a->close(a->arg);
	return pieces;
}

int main(int argc, char **argv)
{
	const struct span__serve_pool_opts o = {.max_idle = 1};
	const char *method = getenv("METHOD"), *allow,
		   *max = getenv("MAX_SPANS");
	struct span__serve s = {.lookback_ns = UINT64_C(172800) * 1000000000,
				.max_traces = 10000,
				.max_spans = 1000000,
				.now = now};
	struct span__serve_request r = {
		.method = span_str(method ? method : "GET")};
	const struct span__serve_route *route;
	struct span__serve_answer a = {0};
	struct span_arena arena = {0};
	struct span_error err = {0};
	struct span_buf body = {0};
	unsigned pieces;

	if (argc < 3)
		return 2;
	s.dir = argv[1];
	if (max)
		s.max_spans = (size_t)strtoull(max, NULL, 10);
	if (method)
		read_body(&body);
	r.body = body.p;
	r.body_len = body.len;
	must(span__serve_pool_open(&s.store, argv[1], &o, &err), &err);
	if (argc > 3)
		must(span__serve_pool_open(&s.archive, argv[3], &o, &err),
		     &err);
	must(span__serve_target(&r, span_str(argv[2]), &arena, &err), &err);
	route = span__serve_route(&s, &r, &allow);
	must(span__serve_answer(&s, route, allow, &r, &a, &err), &err);
	pieces = put_answer(&a);
	fprintf(stderr, "%u %s", a.status ? a.status : 200, a.type);
	fprintf(stderr, pieces > 1 ? " in %u pieces\n" : "\n", pieces);
	span_buf_release(&a.body);
	span_buf_release(&body);
	span_arena_release(&arena);
	span__serve_pool_close(&s.store);
	span__serve_pool_close(&s.archive);
	return 0;
}
