/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store promises about each call, watched between it and the disk:
 * tests/contract.md has the whole list. Which states of the disk these calls
 * can lead to, t-store-crash and t-seal-crash try.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "watched-disk.h"

#define DELAY (NS / 5)

static struct model m;
static struct tally t;

static struct span_store *open_watched(enum span_store_mode mode,
				       enum span_sync sync)
{
	struct span_store_opts o = model_opts(&m, sync);
	struct span_store *st;

	o.mode = mode;
	o.sync_delay_ns = DELAY;
	w.reading = mode == SPAN_STORE_READ;
	must(!span__store_open(&st, "store", &o, &w.io, &err));
	return st;
}

static void append_logs(unsigned first, unsigned logs)
{
	for (unsigned i = first; i < first + logs; i++) {
		struct span_store *st =
			open_watched(SPAN_STORE_APPEND, SPAN_SYNC_EACH);

		m.next_acked = i * 10 + 1;
		must(!model_append(&m, st, i * 10 + 1, i * 10 + 10, &err) &&
		     !span_store_close(&st, &err));
		simdisk_pass(w.disk, 60 * NS);
	}
}

static void seal_watched(void)
{
	const struct span_seal_opts o = {.all = true};
	struct span_store *st =
		open_watched(SPAN_STORE_MAINTAIN, SPAN_SYNC_EACH);
	struct span_sealed out;

	must(!span_store_seal(st, &o, &out, NULL, NULL, &err) &&
	     !span_store_close(&st, &err));
}

static void begin(void)
{
	struct simdisk *disk = simdisk_open();

	memset(&m, 0, sizeof(m));
	m.disk = disk;
	watch(disk);
}

/* ---- appending ---- */

/* What closed files hold, to be compared later. */
struct copy {
	char name[64];
	uint8_t *p;
	size_t len;
};

static size_t copy_closed(struct copy *v)
{
	size_t n = 0;

	for (size_t i = 0; simdisk_name(w.disk, i); i++) {
		const char *name = simdisk_name(w.disk, i);
		uint8_t *p;

		if (!is_closed(name))
			continue;
		p = simdisk_file(w.disk, name, &v[n].len);
		snprintf(v[n].name, sizeof(v[n].name), "%s", name);
		v[n].p = malloc(v[n].len + 1);
		must(p && v[n].p);
		memcpy(v[n].p, p, v[n].len);
		n++;
	}
	return n;
}

/* How many of them are there and differ; *LEFT: that are there. */
static unsigned compare_closed(struct copy *v, size_t n, unsigned *left)
{
	unsigned differ = 0;

	*left = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		uint8_t *p = simdisk_file(w.disk, v[i].name, &len);

		*left += p != NULL;
		differ += p && (len != v[i].len || memcmp(p, v[i].p, len) != 0);
		free(v[i].p);
	}
	return differ;
}

static int no_file(void *arg, const struct span_store_file *f, const char *text,
		   struct span_error *e)
{
	(void)arg;
	(void)f;
	(void)text;
	(void)e;
	return 0;
}

static int no_call(void *arg, const struct span_store_calls *c,
		   struct span_error *e)
{
	(void)arg;
	(void)c;
	(void)e;
	return 0;
}

static int no_name(void *arg, const struct span_store_name *n,
		   struct span_error *e)
{
	(void)arg;
	(void)n;
	(void)e;
	return 0;
}

static void read_all(void)
{
	struct span_store *st = open_watched(SPAN_STORE_READ, SPAN_SYNC_EACH);
	static const uint8_t ids[1][16] = {{[15] = 3}};
	struct span_store_stat stat;
	struct span_cursor *c = NULL;
	struct span s;
	uint64_t n;

	must(!tally_scan(&t, st, &err) &&
	     !span_store_count(st, NULL, &n, &err) && n == t.n &&
	     !span_store_find(st, ids, 1, &c, &err));
	must(span_cursor_next(c, &s, &err) > 0);
	span_cursor_close(&c);
	must(!span_store_calls(st, NULL, no_call, NULL, &err) &&
	     !span_store_names(st, no_name, NULL, &err) &&
	     !span_store_stat(st, &stat, &err) &&
	     !span_store_files(st, no_file, NULL, &err) &&
	     !span_store_verify(st, NULL, NULL, &err) &&
	     !span_store_refresh(st, &err) && !span_store_close(&st, &err));
	w.reading = false;
}

static void test_unchanged(void)
{
	struct span_store_policy p = {.max_bytes = 1, .dry_run = true};
	struct span_store_expired gone;
	struct span_store *st, *live;
	struct copy before[32];
	unsigned left;
	size_t n;

	begin();
	append_logs(0, 3);
	seal_watched();
	append_logs(3, 2);
	n = copy_closed(before);
	live = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_EACH);
	m.next_acked = 51;
	must(!model_append(&m, live, 51, 55, &err));
	read_all();
	st = open_watched(SPAN_STORE_MAINTAIN, SPAN_SYNC_EACH);
	must(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
	     gone.n_files && !span_store_close(&st, &err));
	must(!model_append(&m, live, 56, 60, &err));
	is_uint(compare_closed(before, n, &left), 0,
		"D1: closed logs and segments do not change");
	is_uint(left, n, "D1: and are all there");
	n = copy_closed(before);
	seal_watched();
	must(!span_store_close(&live, &err));
	read_all();
	is_uint(compare_closed(before, n, &left), 0,
		"D1: nor when others are sealed");
	is_uint(w.changes, 0, "D1: an active log only grows");
	is_uint(w.maps, 0, "D20: what can grow is not mapped");
	is_str(tally_judge(&t, &m), NULL, "D1: and each span is there once");
	simdisk_close(&w.disk);
}

static void test_one_write(void)
{
	struct span_store *st;

	begin();
	st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_EACH);
	m.next_acked = 1;
	must(!model_append(&m, st, 1, 1, &err));
	w.log_writes = 0;
	must(!model_append(&m, st, 2, 30, &err));
	is_uint(w.log_writes, 29, "D2: one write for each frame");
	simdisk_fail(w.disk, simdisk_calls(w.disk) + 2, ENOSPC);
	must(model_append(&m, st, 31, 31, &err) == SPAN_E_FULL);
	must(!model_append(&m, st, 31, 31, &err));
	is_uint(w.cuts_back, 1, "D2: a write that fails is cut off");
	is_uint(w.changes, 0, "D2: before anything else is written");
	must(!span_store_close(&st, &err));
	simdisk_close(&w.disk);
}

/* Frames come now and then; who appends waits as long as it is told. */
static void test_delay(void)
{
	struct span_store *st;
	uint64_t state = 7, wait;

	begin();
	st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_GROUP);
	m.next_acked = 1;
	for (uint64_t n = 1; n < 400; n++) {
		uint64_t next;

		must(!model_append(&m, st, n, n, &err));
		state = state * 6364136223846793005u + 1;
		for (next = (state >> 33) % (2 * DELAY); next; next -= wait) {
			must(!span_store_tick(st, &wait, &err));
			if (wait > next)
				wait = next;
			simdisk_pass(w.disk, wait);
		}
	}
	must(!span_store_tick(st, &wait, &err));
	/* Each look at this clock takes a microsecond. */
	ok(w.longest_ns <= DELAY + 10000 && w.longest_ns > DELAY / 2,
	   "D5: a sync starts at most the delay after a write: %" PRIu64 " us",
	   w.longest_ns / 1000);
	must(!span_store_close(&st, &err));
	simdisk_close(&w.disk);
}

/* One sync fails; those after it would not. */
static void test_failed_sync(void)
{
	struct span_store *st;
	unsigned acked = 0;
	int rc;

	begin();
	st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_EACH);
	m.next_acked = 1;
	must(!model_append(&m, st, 1, 5, &err));
	w.fail_syncs = true;
	is_int(model_append(&m, st, 6, 6, &err), SPAN_E_IO,
	       "D8: a sync that fails is told");
	w.fail_syncs = false;
	rc = model_append(&m, st, 7, 7, &err);
	is_int(rc, SPAN_E_IO, "D8: nothing more is taken");
	is_int(span_store_sync(st, &err), SPAN_E_IO, "D8: nor synced");
	(void)span_store_close(&st, NULL);
	is_uint(w.late_syncs, 0, "D8: and no sync is tried on it again");
	for (unsigned n = 1; n < 10; n++)
		acked += m.acked[n];
	is_uint(acked, 5, "D8: nothing more is acknowledged");
	simdisk_close(&w.disk);
}

/* ---- recovery, reading, expiry ---- */

static void test_recovery(void)
{
	struct span_store *st;
	struct simdisk *next;
	size_t len;

	begin();
	for (unsigned i = 0; i < 3; i++) {
		st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_NONE);
		must(!model_append(&m, st, i * 300 + 1, i * 300 + 300, &err) &&
		     !span_store_close(&st, &err));
	}
	st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_NONE);
	must(!model_append(&m, st, 901, 1000, &err));
	next = simdisk_copy(w.disk);
	(void)span_store_close(&st, NULL);
	simdisk_close(&w.disk);
	watch(next);
	m.disk = next;
	st = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_NONE);
	must(simdisk_file(next, "00000001.log", &len));
	ok(w.closed_bytes < 3 * len / 5,
	   "D14: of three closed logs of %zu bytes only ends are read: "
	   "%" PRIu64,
	   len, w.closed_bytes);
	is_uint(simdisk_count(next, ".log"), 4, "D14: the other is closed");
	must(!span_store_close(&st, &err));
	is_uint(w.changes, 0, "D14: by copying, not by cutting");
	simdisk_close(&w.disk);
}

#define RECOVER_MIB 32u
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SLOWER 10.0
#else
#define SLOWER 1.0
#endif

/* Die with an open log of RECOVER_MIB in DIR, on a real disk. */
static void die_appending(const char *dir)
{
	struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.sync = SPAN_SYNC_NONE,
		.rotate_bytes = RECOVER_MIB << 21,
	};
	struct span_frame *f;
	struct span_buf buf = {0};
	struct span_writer *writer;
	struct span_store *st;
	struct span s;
	size_t used;

	must(!span_writer_open_mem(&writer, &buf, &err));
	for (uint32_t i = 0; i < 256; i++) {
		model_span(i / 3, i % 3, &s);
		must(!span_writer_put(writer, &s, &err));
	}
	must(!span_writer_flush(writer, &err) && !span_frame_open(&f, &err) &&
	     !span_store_open(&st, dir, &o, &err) &&
	     span_frame_parse(f, buf.p, buf.len, &used, &err) > 0);
	for (size_t n = 0; n < (RECOVER_MIB << 20); n += used)
		must(!span_store_append_frame(st, f, &err));
	_exit(0);
}

/* Of processor time, so that it does not matter what else goes on. */
static void test_recovery_time(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_APPEND};
	struct span_store_counts c;
	struct span_store *st;
	char dir[64], command[100];
	clock_t before;
	double seconds;
	pid_t child;
	int status;

	snprintf(dir, sizeof(dir), "t-contract.%d", (int)getpid());
	child = fork();
	if (!child)
		die_appending(dir);
	must(waitpid(child, &status, 0) == child && !status);
	before = clock();
	must(!span_store_open(&st, dir, &o, &err));
	seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
	span_store_counts(st, &c);
	ok(c.recovered_spans > 100000 && seconds < SLOWER * RECOVER_MIB / 64,
	   "D16: %u MiB with %" PRIu64 " spans are recovered in %.3f s",
	   RECOVER_MIB, c.recovered_spans, seconds);
	must(!span_store_close(&st, &err));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	must(!system(command));
}

static void test_readers(void)
{
	struct span_store *live;

	begin();
	append_logs(0, 3);
	seal_watched();
	append_logs(3, 1);
	live = open_watched(SPAN_STORE_APPEND, SPAN_SYNC_EACH);
	m.next_acked = 41;
	must(!model_append(&m, live, 41, 45, &err));
	w.locks = 0;
	read_all();
	is_uint(w.locks, 0, "D18: readers take no lock");
	is_uint(w.writes_by_reader, 0, "D18: and write nothing");
	is_uint(w.maps, 0, "D20: and map no log");
	is_str(tally_judge(&t, &m), NULL, "D19: and see all acknowledged");
	must(!span_store_close(&live, &err));
	simdisk_close(&w.disk);
}

static void test_expiry(void)
{
	struct span_store_policy p = {.max_bytes = 1};
	struct span_store_expired gone;
	struct span_store *st;

	begin();
	append_logs(0, 3);
	seal_watched();
	append_logs(3, 2);
	st = open_watched(SPAN_STORE_MAINTAIN, SPAN_SYNC_EACH);
	w.unlinks = w.odd_unlinks = 0;
	must(!span_store_expire(st, &p, &gone, NULL, NULL, &err) &&
	     !span_store_close(&st, &err));
	is_uint(w.unlinks, 3, "D21: a segment and two logs go");
	is_uint(w.odd_unlinks, 0,
		"D21: each is renamed, and that is synced, before");
	is_uint(w.changes, 0, "D21: nothing is cut");
	simdisk_close(&w.disk);
}

int main(void)
{
	test_unchanged();
	test_one_write();
	test_delay();
	test_failed_sync();
	test_recovery();
	test_recovery_time();
	test_readers();
	test_expiry();
	return done_testing();
}
