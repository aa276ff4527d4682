/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a store that grows meanwhile: only what is new is read for them. */
#include <span/store.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define NAMES 7u

static char name[] = "/tmp/t-store-names.XXXXXX";
static uint64_t n_appended[NAMES];

static void must(bool good)
{
	if (!good)
		abort();
}

/* A frame of one span that is called by the number N. */
static void append(struct span_store *st, uint64_t n)
{
	const struct span_process process = {.service = SPAN_STR("shop")};
	const char text[] = {(char)('a' + n % NAMES)};
	struct span s = {.process = &process,
			 .trace_id = {1},
			 .span_id = {1},
			 .start_ns = 1 + n,
			 .name = {text, 1}};
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
	n_appended[n % NAMES]++;
	span_reader_close(&r);
	span_writer_close(&w);
	span_buf_release(&mem);
}

struct got {
	uint64_t n, spans[NAMES];
};

static int take(void *arg, const struct span_store_name *n,
		struct span_error *err)
{
	struct got *g = arg;

	(void)err;
	g->n++;
	g->spans[(unsigned char)n->operation.p[0] - 'a'] += n->spans;
	return 0;
}

/* Are they what was appended? FRAMES: how many were read for it. */
static bool are_right(struct span_store *st, uint64_t *frames)
{
	struct span_store_work before, after;
	struct got g = {0};
	uint64_t n = 0;

	span_store_work(st, &before);
	must(span_store_names(st, take, &g, NULL) == 0);
	span_store_work(st, &after);
	*frames = after.n_frames - before.n_frames;
	for (size_t i = 0; i < NAMES; i++)
		n += n_appended[i] > 0;
	return g.n == n && !memcmp(g.spans, n_appended, sizeof(g.spans));
}

static void test_growth(struct span_store *out, struct span_store *in)
{
	uint64_t n = 0, frames, most = 0;
	bool right = are_right(in, &frames);

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < round % 4; i++)
			append(out, n++);
		must(span_store_refresh(in, NULL) == 0);
		right = right && are_right(in, &frames);
		/* A log that was closed is another file. */
		most = frames > most ? frames : most;
	}
	ok(right, "names of %llu spans, as they came", (unsigned long long)n);
	ok(most < n / 4, "at most %llu frames were read at once",
	   (unsigned long long)most);
	ok(are_right(in, &frames) && !frames, "the same again: none is read");
	append(out, n);
	must(span_store_refresh(in, NULL) == 0);
	right = are_right(in, &frames);
	ok(right && frames == 1, "one more: %llu is read",
	   (unsigned long long)frames);
}

static struct span_store *open_store(enum span_store_mode mode)
{
	const struct span_store_opts o = {
		.mode = mode, .sync = SPAN_SYNC_NONE, .rotate_bytes = 4096};
	struct span_store *st;

	must(span_store_open(&st, name, &o, NULL) == 0);
	return st;
}

static void remove_store(void)
{
	char command[80];

	snprintf(command, sizeof(command), "rm -r %s", name);
	must(system(command) == 0);
}

int main(void)
{
	struct span_store *out, *in;

	must(mkdtemp(name) != NULL);
	out = open_store(SPAN_STORE_APPEND);
	in = open_store(SPAN_STORE_READ);
	test_growth(out, in);
	must(span_store_close(&in, NULL) == 0);
	must(span_store_close(&out, NULL) == 0);
	remove_store();
	return done_testing();
}
