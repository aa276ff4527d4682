/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One at a time maintains a store; whoever seals lets those in who wait for
 * it, between two segments.
 */
#include <span/store.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "tap.h"

#define LOGS 4

static char name[] = "/tmp/t-maintain.XXXXXX";

static void must(bool good)
{
	if (!good)
		abort();
}

/* A store of some logs of a few spans each. */
static void make_store(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_APPEND,
					  .sync = SPAN_SYNC_NONE};

	must(mkdtemp(name) != NULL);
	for (unsigned i = 0; i < LOGS; i++) {
		const struct span_process process = {.service =
							     SPAN_STR("shop")};
		struct span s = {.process = &process,
				 .trace_id = {1, (uint8_t)i},
				 .span_id = {1},
				 .name = SPAN_STR("GET")};
		struct span_reader *r = NULL;
		struct span_writer *w = NULL;
		struct span_buf mem = {0};
		struct span_store *st;
		struct span_frame *f;

		must(span_writer_open_mem(&w, &mem, NULL) == 0);
		must(span_writer_put(w, &s, NULL) == 0);
		must(span_writer_flush(w, NULL) == 0);
		must(span_reader_open_mem(&r, mem.p, mem.len, NULL, NULL) == 0);
		must(span_reader_next_frame(r, &f, NULL) > 0);
		must(span_store_open(&st, name, &o, NULL) == 0);
		must(span_store_append_frame(st, f, NULL) == 0);
		must(span_store_close(&st, NULL) == 0);
		span_reader_close(&r);
		span_writer_close(&w);
		span_buf_release(&mem);
	}
}

/* Somebody who comes while it is sealed. */
static struct visitor {
	pthread_t thread;
	bool came;
	int rc;
	struct span_error err;
	struct span_store_stat found;
	struct span_store_expired gone;
} v;

static void *visit(void *arg)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN,
					  .wait_ns = 600000000000};
	const struct span_store_policy p = {.max_age_ns = UINT64_MAX / 2};
	struct span_store *st;

	(void)arg;
	v.rc = span_store_open(&st, name, &o, &v.err);
	if (v.rc < 0)
		return NULL;
	v.rc = span_store_stat(st, &v.found, &v.err);
	if (!v.rc)
		v.rc = span_store_expire(st, &p, &v.gone, NULL, NULL, &v.err);
	(void)span_store_close(&st, NULL);
	return NULL;
}

/* While the first segment is made the visitor comes, and waits. */
static int progress(void *arg, uint64_t spans, uint64_t of)
{
	const struct span__io *io = &span__io_system;
	int dir, fd;

	(void)arg;
	(void)spans;
	(void)of;
	if (v.came)
		return 0;
	v.came = true;
	must(!pthread_create(&v.thread, NULL, visit, NULL));
	dir = open(name, O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "MAINT", O_RDWR);
	must(fd >= 0);
	while (io->wanted(io->self, fd) <= 0)
		sched_yield();
	close(fd);
	close(dir);
	return 0;
}

static void test_visitor(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	const struct span_seal_opts seal = {
		.all = true, .max_spans = 1, .progress = progress};
	struct span_sealed out = {0};
	struct span_error err = {0};
	struct span_store *st, *other;

	must(span_store_open(&st, name, &o, NULL) == 0);
	is_int(span_store_open(&other, name, &o, &err), SPAN_E_BUSY,
	       "who does not wait is sent away");
	is_int(span_store_seal(st, &seal, &out, NULL, NULL, &err), 0,
	       "it is sealed");
	if (err.msg[0])
		diag("%s", err.msg);
	pthread_join(v.thread, NULL);
	is_int(v.rc, 0, "who waits has the lock");
	is_uint(v.found.n_segments, 1, "after the first segment");
	is_uint(v.found.n_files, LOGS, "before the others");
	is_uint(out.n_segments, LOGS, "and then all is sealed");
	is_int(span_store_open(&other, name, &o, &err), SPAN_E_BUSY,
	       "by who has the lock again");
	(void)span_store_close(&st, NULL);
}

/* The lock is not given back. */
static void test_bounds(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_store *st, *other;
	struct span_error err = {0};

	must(span_store_open(&st, name, &o, NULL) == 0);
	o.wait_ns = 20000000;
	is_int(span_store_open(&other, name, &o, &err), SPAN_E_BUSY,
	       "the wait has an end");
	ok(strstr(err.msg, "another process maintains it"), "%s", err.msg);
	(void)span_store_close(&st, NULL);
	is_int(span_store_open(&other, name, &o, &err), 0,
	       "who comes when it is free has it");
	(void)span_store_close(&other, NULL);
}

int main(void)
{
	char command[64];

	make_store();
	test_visitor();
	test_bounds();
	snprintf(command, sizeof(command), "rm -r %s", name);
	return system(command) ? 1 : done_testing();
}
