/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that span-serve answers, asked of a small store: the first line of the
 * input is a method and a target, what follows it a body. What is said to be
 * JSON must be.
 */
#include <span/store.h>

#include <cjson/cJSON.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/params.h"
#include "serve/pool.h"
#include "serve/routes.h"

#define NOW UINT64_C(1795341600000000000)
#define SECOND UINT64_C(1000000000)
#define N_SPANS 60u
#define PIECES_MAX 100000u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static char dir[] = "fuzz-serve-XXXXXX";
static struct span__serve serve;

static void must(bool good)
{
	if (!good)
		abort();
}

static uint64_t now_ns(void)
{
	return NOW;
}

/* Traces 1 to 6, each of ten spans of four services, one with odd text. */
static void make_span(unsigned i, struct span *s)
{
	static const struct span_process process[4] = {
		{.service = {"cart", 4}},
		{.service = {"shop/a b", 8}},
		{.service = {"\xff<b>\x1b[31m", 9}},
		{.service = {"db", 2}},
	};
	static struct span_attr attrs[2] = {
		{.key = {"http.status_code", 16},
		 .value = {SPAN_INT, {.i = 500}}},
		{.key = {"error", 5}, .value = {SPAN_BOOL, {.b = true}}},
	};

	*s = (struct span){
		.start_ns = NOW - 3600 * SECOND + i * SECOND,
		.duration_ns = (i + 1) * 1000000,
		.name = i % 3 ? (struct span_str){"GET /\"x\"\n", 9}
			      : (struct span_str){"SELECT", 6},
		.process = &process[i % 4],
		.kind = (enum span_kind)(i % 6),
		.attrs = {attrs, i % 3, 0},
	};
	s->trace_id[15] = (uint8_t)(1 + i / 10);
	s->span_id[7] = (uint8_t)(1 + i % 10);
	if (i % 10)
		s->parent_id[7] = (uint8_t)(1 + i % 10 / 2);
}

static void fill_store(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_APPEND,
					  .sync = SPAN_SYNC_NONE};
	struct span_writer *w;
	struct span_frame *f;
	struct span_store *st;
	struct span_buf b = {0};
	size_t used = 0;

	must(!span_store_open(&st, dir, &o, NULL));
	must(!span_writer_open_mem(&w, &b, NULL));
	for (unsigned i = 0; i < N_SPANS; i++) {
		struct span s;

		make_span(i, &s);
		must(!span_writer_put(w, &s, NULL));
	}
	must(!span_writer_flush(w, NULL) && !span_frame_open(&f, NULL));
	for (size_t at = 0; at < b.len; at += used) {
		must(span_frame_parse(f, b.p + at, b.len - at, &used, NULL) >=
		     0);
		must(!span_store_append_frame(st, f, NULL));
	}
	span_frame_close(&f);
	span_writer_close(&w);
	span_buf_release(&b);
	must(!span_store_close(&st, NULL));
}

static void clean_up(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	span__serve_pool_close(&serve.store);
	while (d && (e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(dir);
}

static void begin(void)
{
	const struct span__serve_pool_opts o = {0};

	if (serve.store)
		return;
	must(mkdtemp(dir) != NULL);
	fill_store();
	serve = (struct span__serve){.dir = dir,
				     .lookback_ns = 172800 * SECOND,
				     .max_traces = 1000,
				     .max_spans = 1000,
				     .now = now_ns};
	must(!span__serve_pool_open(&serve.store, dir, &o, NULL));
	atexit(clean_up);
}

static void check(const struct span__serve_answer *a, struct span_buf *body)
{
	unsigned status = a->status ? a->status : 200;
	cJSON *json;

	must(status >= 200 && status < 600);
	must(a->type || !body->len);
	span_buf_putc(body, '\0');
	if (body->failed || !a->type || strcmp(a->type, "application/json"))
		return;
	json = cJSON_ParseWithOpts(body->p, NULL, true);
	must(json != NULL);
	cJSON_Delete(json);
}

static void take(struct span__serve_answer *a)
{
	struct span_buf body = a->body;
	int rc = 1;

	a->body = (struct span_buf){0};
	for (unsigned n = 0; a->more && rc > 0; n++) {
		struct span_error err = {0};
		struct span_buf piece = {0};

		must(n < PIECES_MAX);
		rc = a->more(a->arg, &piece, &err);
		span_buf_put(&body, piece.p, piece.len);
		span_buf_release(&piece);
	}
	if (a->close)
		a->close(a->arg);
	if (rc >= 0)
		check(a, &body);
	span_buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	const char *text = (const char *)p;
	const char *line = len ? memchr(text, '\n', len) : NULL;
	size_t head = line ? (size_t)(line - text) : len;
	const char *space = head ? memchr(text, ' ', head) : NULL;
	struct span__serve_request r = {
		.content_type = {"application/json", 16}};
	struct span__serve_answer a = {0};
	struct span_arena arena = {0};
	struct span_error err = {0};
	const char *allow;
	struct span_str target;

	if (!space)
		return 0;
	begin();
	r.method = (struct span_str){text, (size_t)(space - text)};
	target = (struct span_str){space + 1, head - r.method.len - 1};
	if (line) {
		r.body = line + 1;
		r.body_len = len - head - 1;
	}
	if (span__serve_target(&r, target, &arena, &err) == 0) {
		const struct span__serve_route *route =
			span__serve_route(&serve, &r, &allow);
		int rc = span__serve_answer(&serve, route, allow, &r, &a, &err);

		must(rc == 0 || rc == SPAN_E_NOMEM);
		take(&a);
	}
	span_buf_release(&a.body);
	span_arena_release(&arena);
	return 0;
}
