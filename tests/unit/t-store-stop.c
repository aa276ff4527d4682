/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever reads a store ends when it is told to.
 */
#include <span/query.h>

#include <unistd.h>

#include "tests/unit/tap.h"

#define SEGMENTS 10u /* so many that they are counted in threads */
#define TRACES 100u  /* of a segment, each of two spans */
#define BASE 1795341600000000000u

static struct span_error err;
static char dir[] = "/tmp/t-store-stop.XXXXXX";

static void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

static struct span_store *open_store(enum span_store_mode mode)
{
	const struct span_store_opts o = {.mode = mode, .sync = SPAN_SYNC_NONE};
	struct span_store *st;

	must(span_store_open(&st, dir, &o, &err) == 0);
	return st;
}

static void put_spans(struct span_writer *w, unsigned segment)
{
	const struct span_process process = {.service = SPAN_STR("shop")};

	for (unsigned i = 0; i < 2 * TRACES; i++) {
		struct span s = {
			.span_id = {1, (uint8_t)(i % 2 + 1)},
			.name = SPAN_STR("GET /"),
			.start_ns = BASE + i,
			.duration_ns = 5,
			.process = &process,
		};

		s.trace_id[0] = (uint8_t)(segment + 1);
		s.trace_id[15] = (uint8_t)(i / 2);
		if (i % 2)
			memcpy(s.parent_id, (uint8_t[8]){1, 1}, 8);
		must(span_writer_put(w, &s, &err) == 0);
	}
	must(span_writer_flush(w, &err) == 0);
}

static void append(unsigned segment)
{
	struct span_store *st = open_store(SPAN_STORE_APPEND);
	struct span_buf mem = {0};
	struct span_frame *f;
	struct span_writer *w;
	size_t used;

	must(span_frame_open(&f, &err) == 0);
	must(span_writer_open_mem(&w, &mem, &err) == 0);
	put_spans(w, segment);
	for (size_t at = 0; at < mem.len; at += used) {
		must(span_frame_parse(f, mem.p + at, mem.len - at, &used,
				      &err) > 0);
		must(span_store_append_frame(st, f, &err) == 0);
	}
	span_writer_close(&w);
	span_frame_close(&f);
	span_buf_release(&mem);
	must(span_store_close(&st, &err) == 0);
}

static struct span_store *make_store(void)
{
	const struct span_seal_opts how = {.all = true,
					   .max_spans = 2 * TRACES};
	struct span_store_stat stat;
	struct span_sealed done;
	struct span_store *st;

	must(mkdtemp(dir) != NULL);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		append(i);
		st = open_store(SPAN_STORE_MAINTAIN);
		must(span_store_seal(st, &how, &done, NULL, NULL, &err) == 0);
		must(span_store_close(&st, &err) == 0);
	}
	st = open_store(SPAN_STORE_READ);
	must(span_store_stat(st, &stat, &err) == 0);
	is_uint(stat.n_segments, SEGMENTS, "segments");
	return st;
}

static int scan(struct span_store *st, uint64_t *n)
{
	struct span_cursor *c;
	struct span s;
	int rc = span_store_scan(st, NULL, &c, &err);

	while (!rc && (rc = span_cursor_next(c, &s, &err)) > 0) {
		(*n)++;
		rc = 0;
	}
	if (c)
		span_cursor_close(&c);
	return rc;
}

static int count(struct span_store *st, uint64_t *n)
{
	const struct span_range all = {0};

	return span_store_count(st, &all, n, &err);
}

/* What the shapes of traces tell without a look at spans. */
static int count_by_shapes(struct span_store *st, uint64_t *n)
{
	const struct span_select sel = {.expression = "{} >> {}"};
	struct span_search *s = NULL;
	struct span_query *q;
	int rc;

	must(span_query_compile(&q, &sel, &err) == 0);
	rc = span_search_store(&s, st, q, NULL, &err);
	if (!rc)
		rc = span_search_count(s, n, &err);
	span_search_close(&s);
	span_query_close(&q);
	return rc;
}

int main(void)
{
	static const struct {
		const char *name;
		int (*fn)(struct span_store *st, uint64_t *n);
		uint64_t n;
	} tests[] = {
		{"a scan", scan, SEGMENTS * TRACES * 2},
		{"a count", count, SEGMENTS * TRACES * 2},
		{"a count by shapes", count_by_shapes, SEGMENTS * TRACES},
	};
	struct span_store *st = make_store();
	char command[64];
	bool stop = true;

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		uint64_t n = 0;

		is_int(tests[i].fn(st, &n), 0, "%s", tests[i].name);
		is_uint(n, tests[i].n, "%s: all", tests[i].name);
		span_store_stop(st, &stop);
		is_int(tests[i].fn(st, &n), SPAN_E_PIPE, "%s ends",
		       tests[i].name);
		span_store_stop(st, NULL);
	}
	must(span_store_close(&st, &err) == 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	is_int(system(command), 0, "cleaned up");
	return done_testing();
}
