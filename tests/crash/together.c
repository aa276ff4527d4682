/* SPDX-License-Identifier: Apache-2.0 */
/*
 * together [SECONDS] - everybody at work on one store at a time
 *
 * An appender, one who seals, merges and expires, and ten readers, each a
 * process. Span ids count up and are acknowledged in order, so that every
 * answer can be judged: no span twice, none missing between the oldest that is
 * left and the last that was acknowledged before the question.
 *
 * Prints TAP. TOGETHER_SECONDS sets the time.
 */
#include <span/span.h>

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define READERS 10
#define MAX_IDS (1u << 24)
#define TRACE 5 /* spans */
#define START 1795341600000000000u

/* What all of them see. */
static struct shared {
	_Atomic uint64_t acked; /* the last id */
	_Atomic uint64_t answers, sealed, merged, expired;
	_Atomic bool stop, wrong;
} * shared;

static char path[200];
static uint64_t seed;

static uint64_t draw(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void wrong(const char *fmt, ...)
{
	va_list ap;

	if (!atomic_exchange(&shared->wrong, true)) {
		va_start(ap, fmt);
		fputs("# ", stderr);
		vfprintf(stderr, fmt, ap);
		fputc('\n', stderr);
		va_end(ap);
	}
	_exit(1);
}

static void make_span(uint64_t id, struct span *s)
{
	static const struct span_process process = {.service = {"together", 8}};
	uint64_t be = htobe64(id), trace = htobe64(id / TRACE + 1);

	*s = (struct span){
		.start_ns = START + id * 1000,
		.duration_ns = id % 7919,
		.name = {"operation", 1 + id % 9},
		.process = &process,
	};
	memcpy(s->span_id, &be, 8);
	memcpy(s->trace_id + 8, &trace, 8);
}

static int acknowledge(void *arg, const struct span_store_ack *a,
		       struct span_error *err)
{
	(void)arg;
	(void)err;
	atomic_fetch_add(&shared->acked, a->count);
	return 0;
}

/* A frame with the ids behind *ID. */
static void append_frame(struct span_store *st, struct span_frame *f,
			 uint64_t *id)
{
	struct span_writer *w;
	struct span_error err;
	struct span_buf buf = {0};
	struct span s;
	size_t used;

	if (span_writer_open_mem(&w, &buf, &err) < 0)
		wrong("memory");
	for (uint64_t n = 1 + draw() % 60; n; n--) {
		make_span(++*id, &s);
		if (span_writer_put(w, &s, &err) < 0)
			wrong("memory");
	}
	if (span_writer_flush(w, &err) < 0 ||
	    span_frame_parse(f, buf.p, buf.len, &used, &err) < 0 ||
	    span_store_append_frame(st, f, &err) < 0)
		wrong("appender: %s", err.msg);
	span_writer_close(&w);
	span_buf_release(&buf);
}

static void append(void)
{
	const struct span_store_opts o = {
		.mode = SPAN_STORE_APPEND,
		.sync_delay_ns = 5000000,
		.rotate_bytes = 100u << 10,
		.ack = acknowledge,
	};
	struct span_store *st = NULL;
	struct span_frame *f = NULL;
	struct span_error err;
	uint64_t id = 0, wait;

	if (span_store_open(&st, path, &o, &err) < 0 ||
	    span_frame_open(&f, &err) < 0)
		wrong("appender: %s", err.msg);
	while (!atomic_load(&shared->stop) && id < MAX_IDS - 100) {
		append_frame(st, f, &id);
		if (span_store_tick(st, &wait, &err) < 0)
			wrong("appender: %s", err.msg);
		if (draw() % 8 == 0)
			poll(NULL, 0, 1);
	}
	span_frame_close(&f);
	if (span_store_close(&st, &err) < 0)
		wrong("appender: %s", err.msg);
}

static void maintain_once(struct span_store *st)
{
	const struct span_seal_opts seal = {
		.all = draw() % 2,
		.max_spans = 5000 + draw() % 20000,
	};
	const struct span_store_policy p = {.max_bytes = 700u << 10};
	struct span_store_expired gone = {0};
	struct span_sealed done = {0};
	struct span_error err;

	if (span_store_seal(st, &seal, &done, NULL, NULL, &err) < 0 ||
	    span_store_expire(st, &p, &gone, NULL, NULL, &err) < 0)
		wrong("maintainer: %s", err.msg);
	atomic_fetch_add(&shared->sealed, done.n_logs);
	atomic_fetch_add(&shared->merged, done.n_merged);
	atomic_fetch_add(&shared->expired, gone.n_spans);
}

static void maintain(void)
{
	const struct span_store_opts o = {.mode = SPAN_STORE_MAINTAIN};
	struct span_store *st = NULL;
	struct span_error err;

	while (!atomic_load(&shared->stop)) {
		if (span_store_open(&st, path, &o, &err) < 0)
			wrong("maintainer: %s", err.msg);
		maintain_once(st);
		(void)span_store_close(&st, NULL);
		poll(NULL, 0, (int)(draw() % 20));
	}
}

static uint8_t *seen;
static uint64_t seen_max;

/* The id of a span, which must be as it was made. */
static uint64_t check_span(const struct span *s)
{
	struct span want;
	uint64_t id;

	memcpy(&id, s->span_id, 8);
	id = be64toh(id);
	if (id >= MAX_IDS)
		wrong("a strange span");
	make_span(id, &want);
	if (!span_equal(s, &want))
		wrong("span %llu is not what it was", (unsigned long long)id);
	return id;
}

/* All of them. The oldest id that is left is returned; 0: none. */
static uint64_t ask_all(struct span_store *st, uint64_t acked, uint64_t *n)
{
	struct span_cursor *c = NULL;
	struct span_error err;
	struct span s;
	uint64_t first = 1;
	int rc = span_store_scan(st, NULL, &c, &err);

	memset(seen, 0, seen_max + 1);
	*n = 0;
	while (!rc && (rc = span_cursor_next(c, &s, &err)) > 0) {
		uint64_t id = check_span(&s);

		if (id > seen_max)
			seen_max = id;
		if (seen[id]++)
			wrong("span %llu is there twice",
			      (unsigned long long)id);
		++*n;
		rc = 0;
	}
	if (rc < 0)
		wrong("reader: %s", err.msg);
	span_cursor_close(&c);
	while (first <= seen_max && !seen[first])
		first++;
	for (uint64_t id = first; id <= acked; id++) {
		if (!seen[id])
			wrong("span %llu is lost, of %llu to %llu",
			      (unsigned long long)id, (unsigned long long)first,
			      (unsigned long long)acked);
	}
	return *n ? first : 0;
}

/* A trace, whole. */
static void ask_trace(struct span_store *st, uint64_t first, uint64_t acked)
{
	uint64_t id = first + draw() % (acked - first + 1), n = 0;
	uint64_t trace = id / TRACE, low = trace * TRACE, be;
	uint8_t ids[1][16] = {{0}};
	struct span_cursor *c = NULL;
	struct span_error err;
	struct span s;
	int rc;

	be = htobe64(trace + 1);
	memcpy(ids[0] + 8, &be, 8);
	rc = span_store_find(st, (const uint8_t(*)[16])ids, 1, &c, &err);
	while (!rc && (rc = span_cursor_next(c, &s, &err)) > 0) {
		rc = 0;
		if (check_span(&s) / TRACE != trace)
			wrong("a span of another trace");
		n++;
	}
	if (rc < 0)
		wrong("reader: %s", err.msg);
	span_cursor_close(&c);
	if (low >= first && low + TRACE - 1 <= acked && n != TRACE)
		wrong("trace %llu has %llu spans", (unsigned long long)trace,
		      (unsigned long long)n);
}

static void ask(struct span_store *st, uint64_t acked)
{
	uint64_t n, again, counted, first = ask_all(st, acked, &n);
	struct span_error err;

	if (span_store_count(st, NULL, &counted, &err) < 0)
		wrong("reader: %s", err.msg);
	if (counted != n)
		wrong("%llu spans are counted, of %llu",
		      (unsigned long long)counted, (unsigned long long)n);
	if (first && first <= acked)
		ask_trace(st, first, acked);
	if (ask_all(st, acked, &again) != first || again != n)
		wrong("the second answer is another one");
	atomic_fetch_add(&shared->answers, 4);
}

static void read_on(void)
{
	struct span_store *st = NULL;
	struct span_error err;
	uint64_t acked;

	seen = calloc(1, MAX_IDS);
	while (!atomic_load(&shared->stop)) {
		acked = atomic_load(&shared->acked);
		if (st && draw() % 4) {
			if (span_store_refresh(st, &err) < 0)
				wrong("reader: %s", err.msg);
		} else {
			(void)span_store_close(&st, NULL);
			if (span_store_open(&st, path, NULL, &err) < 0)
				wrong("reader: %s", err.msg);
		}
		ask(st, acked);
	}
	(void)span_store_close(&st, NULL);
}

static pid_t start(void (*fn)(void), uint64_t n)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		seed += n << 32;
		fn();
		_exit(0);
	}
	return pid;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void clean_up(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", path);
	if (system(command))
		diag("%s is left", path);
}

int main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("TOGETHER_SECONDS");
	double seconds = text ? strtod(text, NULL) : 2, end;
	unsigned failed = 0;
	int status;

	seed = (uint64_t)time(NULL);
	diag("seed %llu", (unsigned long long)seed);
	snprintf(path, sizeof(path), "together.%d", (int)getpid());
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	start(append, 1);
	while (!atomic_load(&shared->acked) && !atomic_load(&shared->wrong))
		poll(NULL, 0, 1);
	start(maintain, 2);
	for (uint64_t i = 0; i < READERS; i++)
		start(read_on, 3 + i);
	end = seconds_now() + seconds;
	while (seconds_now() < end && !atomic_load(&shared->wrong))
		poll(NULL, 0, 50);
	atomic_store(&shared->stop, true);
	while (wait(&status) > 0)
		failed += !WIFEXITED(status) || WEXITSTATUS(status);
	is_uint(failed, 0, "everybody worked to the end");
	ok(atomic_load(&shared->answers) > 0, "%llu answers are right",
	   (unsigned long long)atomic_load(&shared->answers));
	diag("%llu spans appended, %llu logs sealed, %llu segments merged, "
	     "%llu spans expired",
	     (unsigned long long)atomic_load(&shared->acked),
	     (unsigned long long)atomic_load(&shared->sealed),
	     (unsigned long long)atomic_load(&shared->merged),
	     (unsigned long long)atomic_load(&shared->expired));
	if (!failed)
		clean_up();
	return done_testing();
}
