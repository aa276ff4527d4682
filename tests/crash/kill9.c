/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill9 [CYCLES] - kill span-store append again and again
 *
 * Each cycle starts it on the store that the cycle before left, feeds it
 * frames, and kills it after 0 to 50 ms: while it appends, rotates, closes, or
 * still recovers. Span ids count up, so the acknowledgements say which ids
 * must be there. They are looked for with the library, by a fresh reader.
 *
 * Prints TAP. CRASH_CYCLES sets the cycles, CRASH_SEED the seed.
 */
#include <span/span.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define CYCLES 25u
#define STORE_CYCLES 40u /* until a new store is begun */
#define MAX_IDS (1u << 22)
#define MS 1000000ull

static struct {
	char path[64];
	uint8_t acked[MAX_IDS], found[MAX_IDS];
	uint64_t next_id; /* of the span that is made next */
	uint64_t seed;
} run;

static struct {
	uint64_t kills, recoveries, ends, acked, lost, doubled;
} total;

static uint64_t draw(void)
{
	uint64_t z = run.seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 * MS + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A frame of up to 30 spans with the next ids; how many are in IN_FRAME. */
static void make_frame(struct span_buf *out, unsigned *in_frame)
{
	static const struct span_process process = {.service = {"kill9", 5}};
	struct span_writer *w;
	struct span_error err;
	unsigned n = 1 + (unsigned)(draw() % 30);

	out->len = 0;
	if (span_writer_open_mem(&w, out, &err) < 0)
		die("memory");
	for (unsigned i = 0; i < n; i++) {
		uint64_t id = htobe64(++run.next_id);
		struct span s = {
			.start_ns = 1795341600000000000 + run.next_id * MS,
			.duration_ns = draw() % MS,
			.name = {"operation", 1 + draw() % 9},
			.process = &process,
		};

		memcpy(s.span_id, &id, 8);
		memcpy(s.trace_id + 8, &id, 8);
		if (span_writer_put(w, &s, &err) < 0)
			die("memory");
	}
	if (span_writer_flush(w, &err) < 0 || run.next_id >= MAX_IDS)
		die("too many spans");
	span_writer_close(&w);
	*in_frame = n;
}

struct child {
	pid_t pid;
	int in, acks; /* what it reads; its acknowledgements */
	uint64_t first_id, n_acked;
	char line[4096];
	size_t len;
};

static void start(struct child *c)
{
	static const char *const modes[] = {"group:2ms,16K", "each", "none"};
	const char *mode = modes[draw() % 3];
	int in[2], acks[2];

	*c = (struct child){.first_id = run.next_id + 1};
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(acks, O_CLOEXEC) < 0)
		die("pipe");
	fflush(stdout);
	c->pid = fork();
	if (c->pid < 0)
		die("fork");
	if (!c->pid) {
		if (dup2(in[0], 0) < 0 || dup2(acks[1], 3) < 0)
			_exit(70);
		if (acks[1] == 3)
			fcntl(3, F_SETFD, 0);
		execlp("span-store", "span-store", "append", "-q", "--sync",
		       mode, "--ack-fd", "3", "--rotate-size", "20K",
		       "--min-free", "0", run.path, (char *)NULL);
		_exit(71);
	}
	close(in[0]);
	close(acks[1]);
	c->in = in[1];
	c->acks = acks[0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
}

/* "ack SEGMENT END FIRST COUNT": the count of each whole line. */
static void take_acks(struct child *c)
{
	char *newline;

	while ((newline = memchr(c->line, '\n', c->len))) {
		const char *last =
			memrchr(c->line, ' ', (size_t)(newline - c->line));

		if (!last || strncmp(c->line, "ack ", 4))
			die("a strange acknowledgement");
		c->n_acked += strtoull(last, NULL, 10);
		c->len -= (size_t)(newline + 1 - c->line);
		memmove(c->line, newline + 1, c->len);
	}
}

/* What can be read now: false at the end. */
static bool read_acks(struct child *c)
{
	ssize_t n = read(c->acks, c->line + c->len, sizeof(c->line) - c->len);

	if (n <= 0)
		return false;
	c->len += (size_t)n;
	take_acks(c);
	return true;
}

/* Feed frames and read acknowledgements until DEADLINE. */
static void feed(struct child *c, uint64_t deadline, uint64_t frames)
{
	struct span_buf frame = {0};
	size_t at = 0;
	unsigned n;

	for (;;) {
		struct pollfd fds[2] = {{.fd = c->acks, .events = POLLIN},
					{.fd = c->in, .events = POLLOUT}};
		uint64_t left, t = now();
		ssize_t len;

		if (t >= deadline)
			break;
		if (at == frame.len && frames) {
			make_frame(&frame, &n);
			at = 0;
			frames--;
		}
		left = deadline - t;
		poll(fds, at < frame.len ? 2 : 1, (int)(left / MS) + 1);
		if (fds[0].revents && !read_acks(c))
			break;
		if (at < frame.len && fds[1].revents) {
			len = write(c->in, frame.p + at, frame.len - at);
			at += len > 0 ? (size_t)len : 0;
		}
	}
	span_buf_release(&frame);
}

/* Every span that was acknowledged before its death is noted. */
static void reap(struct child *c)
{
	int status;

	while (read_acks(c))
		;
	close(c->acks);
	if (waitpid(c->pid, &status, 0) < 0)
		die("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status))
		ok(false, "it ended with status %d", WEXITSTATUS(status));
	for (uint64_t i = 0; i < c->n_acked; i++)
		run.acked[c->first_id + i] = 1;
	total.acked += c->n_acked;
}

static void cycle(void)
{
	uint64_t how = draw() % 10, wait = draw() % (50 * MS);
	struct child c;

	start(&c);
	if (how == 0) {
		/* it finds a log to recover, and dies over that */
		feed(&c, now() + draw() % (4 * MS), 0);
		total.recoveries++;
	} else {
		feed(&c, now() + wait, 3000);
	}
	if (how == 1 || how == 2) {
		/* the end of its input: it closes its log */
		close(c.in);
		c.in = -1;
		if (how == 1)
			feed(&c, now() + draw() % (3 * MS), 0);
		else
			total.ends++;
	}
	if (how != 2) {
		kill(c.pid, SIGKILL);
		total.kills++;
	}
	reap(&c);
	if (c.in >= 0)
		close(c.in);
}

static void look(void)
{
	struct span_store *st = NULL;
	struct span_cursor *c = NULL;
	struct span_error err = {0};
	struct span s;
	uint64_t lost = 0;
	int rc;

	memset(run.found, 0, sizeof(run.found));
	rc = span_store_open(&st, run.path, NULL, &err);
	if (rc == SPAN_E_NOTFOUND)
		rc = 0; /* it was killed before there was a store */
	else if (!rc)
		rc = span_store_scan(st, NULL, &c, &err);
	while (c && (rc = span_cursor_next(c, &s, &err)) > 0) {
		uint64_t id;

		memcpy(&id, s.span_id, 8);
		id = be64toh(id);
		if (id < MAX_IDS)
			total.doubled += run.found[id]++ > 0;
	}
	if (rc < 0)
		ok(false, "the store is read: %s", err.msg);
	span_cursor_close(&c);
	(void)span_store_close(&st, NULL);
	for (uint64_t id = 1; id <= run.next_id; id++)
		lost += run.acked[id] && !run.found[id];
	if (lost)
		diag("%s: %d acknowledged spans are lost", run.path, (int)lost);
	total.lost += lost;
}

static int count_bad(void *arg, const struct span_store_file *f,
		     const char *text, struct span_error *err)
{
	(void)err;
	if (text)
		diag("%s: %s", f->name, text);
	*(unsigned *)arg += text != NULL;
	return 0;
}

/* The store as it is at last: recovered, sound, then gone. */
static void finish_store(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_APPEND};
	struct span_store *st = NULL;
	struct span_error err = {0};
	unsigned bad = 0;
	char command[128];

	if (span_store_open(&st, run.path, &o, &err) < 0 ||
	    span_store_close(&st, &err) < 0)
		ok(false, "the store is recovered: %s", err.msg);
	look();
	o.mode = SPAN_STORE_READ;
	if (span_store_open(&st, run.path, &o, &err) < 0 ||
	    span_store_verify(st, count_bad, &bad, &err) != 0)
		ok(false, "the store is sound: %s (%u)", err.msg, bad);
	(void)span_store_close(&st, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", run.path);
	if (total.lost || total.doubled || bad)
		diag("kept: %s", run.path);
	else if (fork() == 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	else
		wait(NULL);
}

static void begin_store(unsigned n)
{
	snprintf(run.path, sizeof(run.path), "kill9.%d.%u", (int)getpid(), n);
	run.next_id = 0;
	memset(run.acked, 0, sizeof(run.acked));
}

static uint64_t number(const char *text, uint64_t fallback)
{
	return text ? strtoull(text, NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
	uint64_t cycles =
		number(argc > 1 ? argv[1] : getenv("CRASH_CYCLES"), CYCLES);

	signal(SIGPIPE, SIG_IGN);
	run.seed = number(getenv("CRASH_SEED"), now());
	diag("seed %llu", (unsigned long long)run.seed);
	for (uint64_t i = 0; i < cycles; i++) {
		if (i % STORE_CYCLES == 0)
			begin_store((unsigned)(i / STORE_CYCLES));
		cycle();
		look();
		if (i % STORE_CYCLES == STORE_CYCLES - 1 || i == cycles - 1)
			finish_store();
	}
	diag("%llu cycles: %llu kills, %llu of them at the start, %llu clean "
	     "ends",
	     (unsigned long long)cycles, (unsigned long long)total.kills,
	     (unsigned long long)total.recoveries,
	     (unsigned long long)total.ends);
	ok(total.acked > cycles, "%llu spans were acknowledged",
	   (unsigned long long)total.acked);
	is_uint(total.lost, 0, "none of them is lost");
	is_uint(total.doubled, 0, "no span is there twice");
	return done_testing();
}
