/* SPDX-License-Identifier: Apache-2.0 */
/* A store as a queue: each frame once, in order, whatever became of the logs.
 */
#include <span/store.h>

#include <pthread.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static char name[] = "/tmp/t-store-follow.XXXXXX";

static void must(bool good)
{
	if (!good)
		abort();
}

/* A frame of one span that starts at START. */
static void append(struct span_store *st, uint64_t start)
{
	const struct span_process process = {.service = SPAN_STR("shop")};
	struct span s = {.process = &process,
			 .trace_id = {1},
			 .span_id = {1},
			 .start_ns = start,
			 .name = SPAN_STR("GET")};
	struct span_reader *r = NULL;
	struct span_writer *w = NULL;
	struct span_buf mem = {0};
	struct span_frame *f;

	must(span_writer_open_mem(&w, &mem, NULL) == 0);
	must(span_writer_put(w, &s, NULL) == 0);
	must(span_writer_flush(w, NULL) == 0);
	must(span_reader_open_mem(&r, mem.p, mem.len, NULL, NULL) == 0);
	must(span_reader_next_frame(r, &f, NULL) > 0);
	must(span_store_append_frame(st, f, NULL) == 0);
	span_reader_close(&r);
	span_writer_close(&w);
	span_buf_release(&mem);
}

struct got {
	uint64_t n, first, last; /* starts of the spans, which ascend */
	uint64_t most;		 /* of frames to take; 0: all */
	bool ascend;
};

static int take(void *arg, struct span_str frame, uint64_t seq,
		struct span_error *err)
{
	struct got *g = arg;
	struct span_frame *f = NULL;
	struct span s;
	size_t used;

	if (g->most && g->n == g->most)
		return 1;
	must(span_frame_open(&f, err) == 0);
	must(span_frame_parse(f, frame.p, frame.len, &used, err) == 1);
	must(span_frame_next(f, &s, err) == 1);
	g->ascend &= !g->n || s.start_ns == g->last + 1;
	if (!g->n)
		g->first = s.start_ns;
	g->last = s.start_ns;
	g->n++;
	must(seq > 0);
	span_frame_close(&f);
	return 0;
}

static struct got follow(struct span_store *st, struct span_store_place *at,
			 uint64_t most)
{
	struct got g = {.most = most, .ascend = true};
	struct span_error err = {0};

	if (span_store_follow(st, at, take, &g, &err) < 0)
		ok(false, "follow: %s", err.msg);
	return g;
}

static struct span_store *open_store(enum span_store_mode mode)
{
	const struct span_store_opts o = {
		.mode = mode, .sync = SPAN_SYNC_NONE, .rotate_bytes = 4096};
	struct span_store *st;

	must(span_store_open(&st, name, &o, NULL) == 0);
	return st;
}

static int refuse(void *arg, struct span_str frame, uint64_t seq,
		  struct span_error *err)
{
	(void)arg;
	(void)frame;
	(void)seq;
	return span_error_set(err, SPAN_E_PEER, "no");
}

static void test_queue(struct span_store *out, struct span_store *in)
{
	struct span_store_place at = {0}, seq;
	struct span_error err = {0};
	struct got g = follow(in, &at, 0);

	is_uint(g.n, 0, "nothing is there yet");
	append(out, 1);
	g = follow(in, &at, 0);
	ok(g.n == 1 && g.first == 1, "what was appended just now is there");
	is_uint(follow(in, &at, 0).n, 0, "and only once");
	for (uint64_t i = 2; i <= 200; i++)
		append(out, i);
	for (uint64_t i = 2; i <= 50; i++) {
		g = follow(in, &at, 1);
		must(g.n == 1 && g.first == i);
	}
	ok(true, "one at a time");
	is_int(span_store_follow(in, &at, refuse, NULL, &err), SPAN_E_PEER,
	       "what refuses ends it");
	seq = (struct span_store_place){.seq = at.seq};
	g = follow(in, &at, 0);
	ok(g.n == 150 && g.first == 51 && g.last == 200 && g.ascend,
	   "all others, over several logs, in order");
	ok(at.log > 3, "they are several logs");
	g = follow(in, &seq, 0);
	ok(g.n == 150 && g.first == 51, "a number alone is a place");
	ok(seq.log == at.log && seq.offset == at.offset && seq.seq == at.seq,
	   "and the same place in the end");
}

static void test_expired(struct span_store *in)
{
	const struct span_store_policy p = {.max_bytes = 1,
					    .trust_clock = true};
	struct span_store *st = open_store(SPAN_STORE_MAINTAIN);
	struct span_store_place at = {0};
	struct span_store_expired gone;
	struct got g;

	must(span_store_expire(st, &p, &gone, NULL, NULL, NULL) == 0);
	must(span_store_close(&st, NULL) == 0);
	ok(gone.n_files > 2, "logs are expired");
	g = follow(in, &at, 0);
	ok(g.n == 200 - gone.n_spans && (!g.n || g.last == 200) && g.ascend,
	   "what is left is there");
}

static void test_sealed(void)
{
	const struct span_seal_opts o = {.all = true};
	struct span_store *st = open_store(SPAN_STORE_APPEND), *in;
	struct span_store_place at = {0};
	struct span_sealed sealed;
	struct span_error err = {0};
	struct got g = {0};

	append(st, 201);
	must(span_store_close(&st, NULL) == 0);
	st = open_store(SPAN_STORE_MAINTAIN);
	must(span_store_seal(st, &o, &sealed, NULL, NULL, NULL) == 0);
	must(span_store_close(&st, NULL) == 0);
	must(sealed.n_segments > 0);
	in = open_store(SPAN_STORE_READ);
	is_int(span_store_follow(in, &at, take, &g, &err), SPAN_E_INVALID,
	       "segments are no queue");
	ok(strstr(err.msg, "sealed") != NULL, "which is said: %s", err.msg);
	must(span_store_close(&in, NULL) == 0);
}

static void test_memory(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_APPEND};
	struct span_store_place at = {0};
	struct span_store *st;

	must(span_store_open(&st, "memory:1M", &o, NULL) == 0);
	is_int(span_store_follow(st, &at, take, NULL, NULL), SPAN_E_INVALID,
	       "neither is memory");
	must(span_store_close(&st, NULL) == 0);
}

#define MEANWHILE 300u

struct appending {
	struct span_store *st;
	uint64_t first;
};

static void *append_many(void *arg)
{
	const struct appending *a = arg;

	for (uint64_t i = 0; i < MEANWHILE; i++)
		append(a->st, a->first + i);
	return NULL;
}

/* By another thread and a store of its own, as span-send(1) does. */
static void test_meanwhile(void)
{
	struct span_store *out = open_store(SPAN_STORE_APPEND);
	struct span_store *in = open_store(SPAN_STORE_READ);
	struct span_store_place at = {0};
	struct got g = {.ascend = true};
	struct appending a = {out, 1};
	pthread_t thread;
	int rc = 0;

	must(pthread_create(&thread, NULL, append_many, &a) == 0);
	while (rc >= 0 && g.ascend && g.n < MEANWHILE)
		rc = span_store_follow(in, &at, take, &g, NULL);
	must(pthread_join(thread, NULL) == 0);
	ok(rc >= 0 && g.ascend && g.n == MEANWHILE,
	   "what is appended meanwhile comes once, and in order");
	is_uint(follow(in, &at, 0).n, 0, "and no more");
	must(span_store_close(&out, NULL) == 0);
	must(span_store_close(&in, NULL) == 0);
}

int main(void)
{
	struct span_store *out, *in;
	char command[100];

	must(mkdtemp(name) != NULL);
	out = open_store(SPAN_STORE_APPEND);
	in = open_store(SPAN_STORE_READ);
	test_queue(out, in);
	must(span_store_close(&out, NULL) == 0);
	test_expired(in);
	must(span_store_close(&in, NULL) == 0);
	test_sealed();
	test_memory();
	snprintf(command, sizeof(command), "rm -rf %s", name);
	must(system(command) == 0);
	test_meanwhile();
	must(system(command) == 0);
	return done_testing();
}
