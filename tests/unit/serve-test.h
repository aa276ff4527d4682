/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve-test.h - ask handlers without a network
 *
 * A store in a temporary directory, spans into it, and requests as a client
 * would send them. What fails in here ends the test.
 */
#ifndef SERVE_TEST_H
#define SERVE_TEST_H

#include <span/store.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "serve/params.h"
#include "serve/pool.h"
#include "serve/routes.h"
#include "tap.h"

#define SERVE_TEST_NOW                                                         \
	UINT64_C(1795341600000000000) /* 2026-11-22T10:00:00Z                  \
				       */

struct serve_test {
	char dir[64], archive_dir[64];
	struct span__serve s;
	unsigned damage;
};

struct serve_reply {
	unsigned status;
	const char *type;
	struct span_buf body; /* ends with a NUL that does not count */
	unsigned pieces;      /* that came after the first one */
	bool immutable;
};

static inline void serve_test_must(bool good, const char *what,
				   const struct span_error *err)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, err ? err->msg : "");
	exit(1);
}

static inline uint64_t serve_test_now(void)
{
	return SERVE_TEST_NOW;
}

static inline void serve_test_damage(void *arg, const char *text)
{
	struct serve_test *t = arg;

	t->damage++;
	diag("%s", text);
}

/* Append the N spans to the store in DIR, which is made. */
static inline void serve_test_put(const char *dir, const struct span *spans,
				  size_t n)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_APPEND,
					  .sync = SPAN_SYNC_NONE};
	struct span_writer *w = NULL;
	struct span_store *st = NULL;
	struct span_frame *f = NULL;
	struct span_error err = {0};
	struct span_buf b = {0};
	size_t used = 0, at = 0;
	int rc = span_store_open(&st, dir, &o, &err);

	serve_test_must(rc == 0, "store", &err);
	serve_test_must(!span_writer_open_mem(&w, &b, &err) &&
				!span_frame_open(&f, &err),
			"writer", &err);
	for (size_t i = 0; i < n; i++)
		serve_test_must(!span_writer_put(w, &spans[i], &err), "put",
				&err);
	serve_test_must(!span_writer_flush(w, &err), "flush", &err);
	for (; at < b.len; at += used) {
		rc = span_frame_parse(f, b.p + at, b.len - at, &used, &err);
		serve_test_must(rc >= 0, "frame", &err);
		rc = span_store_append_frame(st, f, &err);
		serve_test_must(rc == 0, "append", &err);
	}
	span_frame_close(&f);
	span_writer_close(&w);
	span_buf_release(&b);
	serve_test_must(!span_store_close(&st, &err), "close", &err);
}

static inline struct span__serve_pool *serve_test_pool(struct serve_test *t,
						       const char *dir)
{
	const struct span__serve_pool_opts o = {.damage = serve_test_damage,
						.arg = t};
	struct span__serve_pool *p = NULL;
	struct span_error err = {0};

	serve_test_must(!span__serve_pool_open(&p, dir, &o, &err), "pool",
			&err);
	return p;
}

/* An empty store, a clock that stands, no archive. */
static inline void serve_test_open(struct serve_test *t)
{
	*t = (struct serve_test){.dir = "serve-test-XXXXXX"};
	serve_test_must(mkdtemp(t->dir) != NULL, t->dir, NULL);
	serve_test_put(t->dir, NULL, 0);
	t->s = (struct span__serve){
		.store = serve_test_pool(t, t->dir),
		.dir = t->dir,
		.lookback_ns = UINT64_C(48) * 3600 * 1000000000,
		.max_traces = 10000,
		.max_spans = 1000000,
		.now = serve_test_now,
	};
}

static inline void serve_test_archive(struct serve_test *t)
{
	snprintf(t->archive_dir, sizeof(t->archive_dir), "serve-test-XXXXXX");
	serve_test_must(mkdtemp(t->archive_dir) != NULL, "archive", NULL);
	serve_test_put(t->archive_dir, NULL, 0);
	t->s.archive = serve_test_pool(t, t->archive_dir);
}

static inline void serve_test_add(struct serve_test *t,
				  const struct span *spans, size_t n)
{
	serve_test_put(t->dir, spans, n);
}

static inline void serve_test_remove(const char *dir)
{
	int fd = open(dir, O_DIRECTORY | O_RDONLY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(dir);
}

static inline void serve_test_close(struct serve_test *t)
{
	span__serve_pool_close(&t->s.store);
	span__serve_pool_close(&t->s.archive);
	serve_test_remove(t->dir);
	if (*t->archive_dir)
		serve_test_remove(t->archive_dir);
}

/* Take all pieces of an answer, which each begin in an empty buffer. */
static inline void serve_test_drain(struct span__serve_answer *a,
				    struct serve_reply *out)
{
	struct span_error err = {0};
	struct span_buf piece = {0};
	int rc = 0;

	while (a->more && (rc = a->more(a->arg, &piece, &err)) > 0) {
		span_buf_put(&out->body, piece.p, piece.len);
		piece.len = 0;
		out->pieces++;
	}
	serve_test_must(rc >= 0, "more", &err);
	span_buf_release(&piece);
}

/* OUT is zeroed, or has been released; TARGET is path and query. */
static inline void serve_test_ask(struct serve_test *t, const char *method,
				  struct span__serve_request r,
				  const char *target, struct serve_reply *out)
{
	struct span__serve_answer a = {0};
	const struct span__serve_route *route;
	struct span_arena arena = {0};
	struct span_error err = {0};
	const char *allow;
	int rc;

	*out = (struct serve_reply){0};
	r.method = span_str(method);
	rc = span__serve_target(&r, span_str(target), &arena, &err);
	serve_test_must(rc == 0, target, &err);
	route = span__serve_route(&t->s, &r, &allow);
	rc = span__serve_answer(&t->s, route, allow, &r, &a, &err);
	serve_test_must(rc == 0, target, &err);
	out->status = a.status ? a.status : 200;
	out->type = a.type;
	out->immutable = a.immutable;
	span_buf_put(&out->body, a.body.p, a.body.len);
	serve_test_drain(&a, out);
	if (a.close)
		a.close(a.arg);
	span_buf_putc(&out->body, '\0');
	serve_test_must(!out->body.failed, "memory", NULL);
	out->body.len--;
	span_buf_release(&a.body);
	span_arena_release(&arena);
}

static inline void serve_test_get(struct serve_test *t, const char *target,
				  struct serve_reply *out)
{
	serve_test_ask(t, "GET", (struct span__serve_request){0}, target, out);
}

static inline void serve_test_post(struct serve_test *t, const char *target,
				   const char *type, const void *body,
				   size_t len, struct serve_reply *out)
{
	const struct span__serve_request r = {
		.content_type = span_str(type), .body = body, .body_len = len};

	serve_test_ask(t, "POST", r, target, out);
}

static inline void serve_reply_release(struct serve_reply *r)
{
	span_buf_release(&r->body);
}

/* One test: TARGET is answered with STATUS and exactly BODY. */
__attribute__((unused)) static inline void serve_test_is(struct serve_test *t,
							 const char *target,
							 unsigned status,
							 const char *body)
{
	struct serve_reply reply;

	serve_test_get(t, target, &reply);
	if (reply.status == status && !strcmp(reply.body.p, body))
		ok(true, "%s", target);
	else
		is_str(reply.body.p, body, "%s: %u, want %u", target,
		       reply.status, status);
	if (reply.status != status && !strcmp(reply.body.p, body))
		ok(false, "%s: status %u, want %u", target, reply.status,
		   status);
	serve_reply_release(&reply);
}

#endif
