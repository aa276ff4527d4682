/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans of a store of segments, closed logs and an active one, with traces in
 * several of them, against asking every span.
 */
#include <stdio.h>
#include <unistd.h>

#include "make-drafts.h"
#include "scan-model.h"
#include "seg-spans.h"
#include "tap.h"

#include <span/store.h>

#define SPANS 4000u
#define SCANS 30u

static struct span_arena arena;
static struct rnd rnd = {7, &arena};
static struct span *spans;
static char dir[] = "/tmp/t-store-scan.XXXXXX";
static struct span_error err;

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

/* Append spans FROM to TO - 1 in frames. */
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
		must(span_frame_validate(f, &err) == 0);
		must(span_store_append_frame(st, f, &err) == 0);
	}
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&mem);
}

static struct span_store *writer(void)
{
	const struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.sync = SPAN_SYNC_NONE,
		.rotate_bytes = 80u << 10,
	};
	struct span_store *st;

	must(span_store_open(&st, dir, &o, &err) == 0);
	return st;
}

static void seal(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_seal_opts how = {.all = true, .max_spans = 700};
	struct span_sealed done;
	struct span_store *st;

	must(span_store_open(&st, dir, &o, &err) == 0);
	must(span_store_seal(st, &how, &done, NULL, NULL, &err) == 0);
	must(span_store_close(&st, &err) == 0);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct hashes {
	uint64_t v[SPANS + 1];
	size_t n;
};

static void sort(struct hashes *h)
{
	qsort(h->v, h->n, sizeof(*h->v), by_number);
}

static bool same(struct hashes *a, struct hashes *b)
{
	sort(a);
	sort(b);
	return a->n == b->n && !memcmp(a->v, b->v, a->n * sizeof(*a->v));
}

static void read_all(struct hashes *h, struct span_cursor *c)
{
	struct span s;
	int rc;

	h->n = 0;
	while ((rc = span_cursor_next(c, &s, &err)) > 0 && h->n < SPANS)
		h->v[h->n++] = span_hash(&s);
	must(rc == 0);
	span_cursor_close(&c);
}

static struct hashes got, want;

static bool judge_range(struct span_store *st, const struct span_range *r)
{
	struct span_cursor *c;
	uint64_t n;

	want.n = 0;
	for (size_t i = 0; i < SPANS; i++) {
		if (model_in(r, &spans[i]))
			want.v[want.n++] = span_hash(&spans[i]);
	}
	must(span_store_scan(st, r, &c, &err) == 0);
	read_all(&got, c);
	must(span_store_count(st, r, &n, &err) == 0);
	if (same(&got, &want) && n == want.n)
		return true;
	diag("%zu found, %zu counted, of %zu", got.n, (size_t)n, want.n);
	return false;
}

static bool judge_trace(struct span_store *st, const uint8_t id[16])
{
	struct span_cursor *c;
	uint8_t ids[1][16];

	memcpy(ids[0], id, 16);
	want.n = 0;
	for (size_t i = 0; i < SPANS; i++) {
		if (!memcmp(spans[i].trace_id, id, 16))
			want.v[want.n++] = span_hash(&spans[i]);
	}
	must(span_store_find(st, (const uint8_t(*)[16])ids, 1, &c, &err) == 0);
	read_all(&got, c);
	return same(&got, &want);
}

static void test_scans(struct span_store *st)
{
	int bad = 0, some = 0;

	for (size_t i = 0; i < SCANS; i++) {
		struct scan_model m;

		model_rnd(&m, &rnd, &spans[rnd_below(&rnd, SPANS)]);
		bad += !judge_range(st, &m.range);
		some += want.n > 0;
	}
	is_int(bad, 0, "random scans find what there is, %d something", some);
	bad = 0;
	for (size_t i = 0; i < SCANS; i++)
		bad += !judge_trace(st, spans[rnd_below(&rnd, SPANS)].trace_id);
	is_int(bad, 0, "traces are whole");
}

/* Two cursors at once, each in its own segment. */
static void test_cursors(struct span_store *st)
{
	struct span_cursor *a, *b;
	struct span s;
	size_t n = 0;

	must(span_store_scan(st, NULL, &a, &err) == 0);
	for (size_t i = 0; i < SPANS; i++) {
		must(span_cursor_next(a, &s, &err) > 0);
		if (i % 400)
			continue;
		n += judge_trace(st, s.trace_id);
	}
	is_uint(n, SPANS / 400, "traces are found while a scan goes on");
	must(span_store_scan(st, NULL, &b, &err) == 0);
	span_cursor_close(&b);
	is_int(span_cursor_next(a, &s, &err), 0, "which comes to its end");
	span_cursor_close(&a);
}

int main(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_READ};
	struct span_store *appender, *st;
	struct span_store_stat stat;
	char command[64];

	must(mkdtemp(dir) != NULL);
	spans = rnd_spans(&rnd, SPANS, 14, 200);
	appender = writer();
	append(appender, 0, SPANS / 2);
	must(span_store_close(&appender, &err) == 0);
	seal();
	appender = writer();
	append(appender, SPANS / 2, SPANS / 8 * 7);
	ok(make_drafts(dir) > 2,
	   "drafts of closed logs, and of the active one");
	append(appender, SPANS / 8 * 7, SPANS);
	must(span_store_open(&st, dir, &o, &err) == 0);
	must(span_store_stat(st, &stat, &err) == 0);
	ok(stat.n_drafts > 2, "which fit, one of them a part of its log");
	ok(stat.n_segments > 1 && stat.n_files > stat.n_segments + 2,
	   "a store of %d files, %d of them segments", (int)stat.n_files,
	   (int)stat.n_segments);
	test_scans(st);
	test_cursors(st);
	ok(make_drafts(dir) >= 1, "a log that has grown gets a new one");
	must(span_store_refresh(st, &err) == 0);
	test_scans(st);
	must(span_store_close(&st, &err) == 0);
	must(span_store_close(&appender, &err) == 0);
	span_arena_release(&arena);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) ? 1 : done_testing();
}
