/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces that are asked for one by one: each has its own spans, wherever it is
 * in a segment of several blocks, or in the frames of a log.
 */
#include <span/store.h>

#include <unistd.h>

#include "tests/unit/random-span.h"
#include "tests/unit/tap.h"

#define SEALED 36000u /* spans, more than two blocks */
#define N 48000u
#define BASE 1795341600000000000u

static struct span_arena arena;
static struct rnd rnd = {5, &arena};
static struct span_error err;
static struct span spans[N];
static char dir[] = "/tmp/t-find-trace.XXXXXX";
static unsigned damaged;

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

#define PICK(list) (list)[rnd_below(&rnd, sizeof(list) / sizeof(*(list)))]

static void put_number(uint8_t *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* Spans of a trace lie together; the parent is one before. */
static void make_spans(void)
{
	static const char *const names[] = {"GET", "SELECT", "work", "pay"};
	static struct span_process process;
	size_t first = 0, end = 0;

	process.service = span_str("shop");
	for (size_t i = 0; i < N; i++) {
		struct span_attr *attr = rnd_alloc(&rnd, sizeof(*attr));
		struct span *s = &spans[i];

		if (i == end) {
			first = i;
			end = i + 1 + rnd_below(&rnd, 12);
		}
		*attr = (struct span_attr){
			span_str("user"),
			{.type = SPAN_INT,
			 {.i = (int64_t)rnd_below(&rnd, 100000)}}};
		*s = (struct span){
			.process = &process,
			.name = span_str(PICK(names)),
			.start_ns = BASE + i * 1000 + rnd_below(&rnd, 500),
			.duration_ns = rnd_below(&rnd, 1000000),
			.attrs = {.v = attr, .n = 1},
		};
		put_number(s->trace_id, first * UINT64_C(0x9e3779b97f4a7c15));
		put_number(s->trace_id + 8, first + 1);
		put_number(s->span_id, i + 1);
		if (i > first)
			put_number(s->parent_id,
				   1 + first + rnd_below(&rnd, i - first));
	}
}

static void on_damage(void *arg, const char *text)
{
	(void)arg;
	diag("%s", text);
	damaged++;
}

static struct span_store *open_store(enum span_store_mode mode)
{
	const struct span_store_opts o = {
		.mode = mode, .sync = SPAN_SYNC_NONE, .damage = on_damage};
	struct span_store *st;

	must(span_store_open(&st, dir, &o, &err) == 0);
	return st;
}

static void append(struct span_store *st, size_t from, size_t to)
{
	struct span_buf mem = {0};
	struct span_frame *f;
	struct span_writer *w;
	size_t used;

	must(span_frame_open(&f, &err) == 0);
	must(span_writer_open_mem(&w, &mem, &err) == 0);
	for (size_t i = from; i < to; i++)
		must(span_writer_put(w, &spans[i], &err) == 0);
	must(span_writer_flush(w, &err) == 0);
	for (size_t at = 0; at < mem.len; at += used) {
		must(span_frame_parse(f, mem.p + at, mem.len - at, &used,
				      &err) > 0);
		must(span_store_append_frame(st, f, &err) == 0);
	}
	must(span_store_sync(st, &err) == 0);
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&mem);
}

static bool same_trace(const struct span *a, const struct span *b)
{
	return !memcmp(a->trace_id, b->trace_id, 16);
}

/* The trace at spans[FROM]: is it found as it was? */
static bool find(struct span_store *st, size_t from)
{
	uint8_t id[1][16];
	struct span_cursor *c;
	size_t n = 0, good = 0;
	struct span s;
	int rc;

	memcpy(id, spans[from].trace_id, 16);
	while (from + n < N && same_trace(&spans[from], &spans[from + n]))
		n++;
	must(span_store_find(st, (const uint8_t(*)[16])id, 1, &c, &err) == 0);
	while ((rc = span_cursor_next(c, &s, &err)) > 0) {
		size_t i = 0;

		while (i < n && !span_equal(&s, &spans[from + i]))
			i++;
		good += i < n;
	}
	must(rc == 0);
	span_cursor_close(&c);
	return good == n;
}

/* Each STEPth trace of those from FROM to TO: as many as are not found. */
static unsigned find_all(size_t from, size_t to, unsigned step)
{
	struct span_store *st = open_store(SPAN_STORE_READ);
	unsigned bad = 0, number = 0;

	for (size_t i = from; i < to; i++) {
		if (i && same_trace(&spans[i], &spans[i - 1]))
			continue;
		bad += number++ % step == 0 && !find(st, i);
	}
	ok(number / step > 100, "traces: %u of %u", number / step, number);
	must(span_store_close(&st, &err) == 0);
	return bad;
}

static size_t begin_of_trace(size_t i)
{
	while (same_trace(&spans[i], &spans[i - 1]))
		i--;
	return i;
}

int main(void)
{
	const struct span_seal_opts how = {.all = true};
	struct span_sealed done;
	struct span_store *st;
	size_t sealed;
	char command[64];

	make_spans();
	sealed = begin_of_trace(SEALED);
	must(mkdtemp(dir) != NULL);
	st = open_store(SPAN_STORE_APPEND);
	append(st, 0, sealed);
	must(span_store_close(&st, &err) == 0);
	st = open_store(SPAN_STORE_MAINTAIN);
	must(span_store_seal(st, &how, &done, NULL, NULL, &err) == 0);
	must(span_store_close(&st, &err) == 0);
	st = open_store(SPAN_STORE_APPEND);
	append(st, sealed, N);
	is_uint(find_all(0, sealed, 13), 0, "of a segment");
	is_uint(find_all(sealed, N, 3), 0, "of an open log");
	must(span_store_close(&st, &err) == 0);
	is_uint(find_all(sealed, N, 3), 0, "of a closed log");
	is_uint(damaged, 0, "places of damage");
	span_arena_release(&arena);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) ? 1 : done_testing();
}
