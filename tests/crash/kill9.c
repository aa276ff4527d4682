/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill9 [CYCLES [IMAGE]] - kill whoever works on a store again and again
 *
 * Each cycle starts span-store append on the store that the cycle before left,
 * feeds it frames, and kills it after 0 to 50 ms: while it appends, rotates,
 * closes, or still recovers. In most cycles a second process seals and merges
 * what is there meanwhile, in every third store it expires too, and a third
 * one reads: they die at the same time. Span ids count up, so the
 * acknowledgements say which ids must be there. They are looked for with the
 * library, by a fresh reader.
 *
 * With IMAGE, a file with an ext4 or XFS file system, each cycle ends with a
 * power cut: the image is mounted on IMAGE.mnt, and shut down by an ioctl that
 * forgets what is not on the disk. What was acknowledged is read before that:
 * a sync that runs during the ioctl may return 0 for nothing.
 *
 * Prints TAP. CRASH_CYCLES sets the cycles, CRASH_SEED the seed.
 */
#include "kill9.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

#define CYCLES 25u
#define STORE_CYCLES 40u /* until a new store is begun */
#define FS_SHUTDOWN _IOR('X', 125, uint32_t)
#define SHUTDOWN_NO_LOG_FLUSH 2u

struct run run;

static struct {
	uint64_t cuts, kills, recoveries, ends, acked, lost, doubled;
	uint64_t sealed, expired, readers; /* spans, spans, processes */
} total;

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
	unsigned n = 1 + (unsigned)(kill9_draw() % 30);

	out->len = 0;
	if (span_writer_open_mem(&w, out, &err) < 0)
		die("memory");
	for (unsigned i = 0; i < n; i++) {
		uint64_t id = htobe64(++run.next_id);
		struct span s = {
			.start_ns = 1795341600000000000 + run.next_id * MS,
			.duration_ns = kill9_draw() % MS,
			.name = {"operation", 1 + kill9_draw() % 9},
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
	/* without syncs a power cut may take everything */
	const char *mode = modes[kill9_draw() % (run.image ? 2 : 3)];
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
		/* without power it has much to complain about */
		if (run.image && !freopen("/dev/null", "w", stderr))
			_exit(70);
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
	/* it may meet the disk without power before it is killed */
	if (WIFEXITED(status) && WEXITSTATUS(status) && !run.image)
		ok(false, "it ended with status %d", WEXITSTATUS(status));
	for (uint64_t i = 0; i < c->n_acked; i++)
		run.acked[c->first_id + i] = 1;
	total.acked += c->n_acked;
}

/* Run a shell command; PATHs have no characters that matter to it. */
static bool shell(const char *fmt, const char *a, const char *b)
{
	char command[600];
	int status;
	pid_t pid;

	snprintf(command, sizeof(command), fmt, a, b);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(71);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

/* Only what was acknowledged by now must be there afterwards. */
static void cut_power(struct child *c)
{
	uint32_t flags = SHUTDOWN_NO_LOG_FLUSH;
	int fd = open(run.mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pollfd acks = {.fd = c->acks, .events = POLLIN};
	uint64_t known;

	while (poll(&acks, 1, 0) > 0 && read_acks(c))
		;
	known = c->n_acked;
	if (fd < 0 || ioctl(fd, FS_SHUTDOWN, &flags) < 0)
		die("shutdown");
	close(fd);
	kill(c->pid, SIGKILL);
	while (read_acks(c))
		;
	c->n_acked = known;
	total.cuts++;
}

static bool mount_image(void)
{
	return shell("mkdir -p %2$s && mount -o loop %1$s %2$s", run.image,
		     run.mount);
}

static void remount(void)
{
	/* a process that was killed may hold it for a moment */
	for (int i = 0;
	     i < 100 && !shell("umount %s 2>/dev/null", run.mount, ""); i++)
		poll(NULL, 0, 10);
	if (!mount_image())
		die("mount");
}

static pid_t start_helper(void (*fn)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		/* without power it has much to complain about */
		if (run.image && !freopen("/dev/null", "w", stderr))
			_exit(70);
		fn();
	}
	return pid;
}

static void kill_helper(pid_t pid)
{
	int status;

	if (!pid)
		return;
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	if (WIFEXITED(status) && !run.image)
		ok(false, "a helper ended with status %d", WEXITSTATUS(status));
}

static void cycle(void)
{
	uint64_t how = kill9_draw() % 10, wait = kill9_draw() % (50 * MS);
	pid_t maintainer = 0, reader = 0;
	struct child c;

	if (kill9_draw() % 4)
		maintainer = start_helper(kill9_maintain);
	if (kill9_draw() % 4 == 0) {
		reader = start_helper(kill9_read);
		total.readers++;
	}
	start(&c);
	if (how == 0) {
		/* it finds a log to recover, and dies over that */
		feed(&c, now() + kill9_draw() % (4 * MS), 0);
		total.recoveries++;
	} else {
		feed(&c, now() + wait, 3000);
	}
	if (how == 1 || how == 2) {
		/* the end of its input: it closes its log */
		close(c.in);
		c.in = -1;
		if (how == 1)
			feed(&c, now() + kill9_draw() % (3 * MS), 0);
		else
			total.ends += !run.image;
	}
	if (run.image) {
		cut_power(&c);
	} else if (how != 2) {
		kill(c.pid, SIGKILL);
		total.kills++;
	}
	kill_helper(maintainer);
	kill_helper(reader);
	reap(&c);
	if (c.in >= 0)
		close(c.in);
	if (run.image)
		remount();
}

/* Expiry takes files from the oldest on: behind the first span none is lost. */
static void look(void)
{
	struct span_error err = {0};
	uint64_t lost = 0, id = 1;

	if (kill9_find(&total.doubled, &err) < 0)
		ok(false, "the store is read: %s", err.msg);
	for (; run.expires && id <= run.next_id && !run.found[id]; id++)
		total.expired += run.acked[id];
	for (; id <= run.next_id; id++)
		lost += run.acked[id] && !run.found[id];
	for (uint64_t i = 1; run.expires && i < id && !run.found[i]; i++)
		run.acked[i] = 0;
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
	struct span_store_stat stat = {0};
	struct span_store *st = NULL;
	struct span_error err = {0};
	unsigned bad = 0;

	if (span_store_open(&st, run.path, &o, &err) < 0 ||
	    span_store_close(&st, &err) < 0)
		ok(false, "the store is recovered: %s", err.msg);
	look();
	o.mode = SPAN_STORE_READ;
	if (span_store_open(&st, run.path, &o, &err) < 0 ||
	    span_store_verify(st, count_bad, &bad, &err) != 0 ||
	    span_store_stat(st, &stat, &err) < 0)
		ok(false, "the store is sound: %s (%u)", err.msg, bad);
	total.sealed += stat.sealed_spans;
	(void)span_store_close(&st, NULL);
	if (total.lost || total.doubled || bad)
		diag("kept: %s", run.path);
	else
		shell("rm -rf %s", run.path, "");
}

static void begin_store(unsigned n)
{
	snprintf(run.path, sizeof(run.path), "%s%skill9.%d.%u", run.mount,
		 run.image ? "/" : "", (int)getpid(), n);
	run.next_id = 0;
	run.expires = n % 3 == 2;
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
	if (argc > 2) {
		run.image = argv[2];
		snprintf(run.mount, sizeof(run.mount), "%s.mnt", run.image);
		if (!mount_image()) {
			skip_tests(3, "%s cannot be mounted here", run.image);
			return done_testing();
		}
	}
	for (uint64_t i = 0; i < cycles; i++) {
		if (i % STORE_CYCLES == 0)
			begin_store((unsigned)(i / STORE_CYCLES));
		cycle();
		look();
		if (i % STORE_CYCLES == STORE_CYCLES - 1 || i == cycles - 1)
			finish_store();
	}
	diag("%llu cycles: %llu power cuts, %llu kills, %llu begun with "
	     "recovery alone, %llu clean ends",
	     (unsigned long long)cycles, (unsigned long long)total.cuts,
	     (unsigned long long)total.kills,
	     (unsigned long long)total.recoveries,
	     (unsigned long long)total.ends);
	diag("%llu readers beside it; in the end %llu spans were sealed, %llu "
	     "expired",
	     (unsigned long long)total.readers,
	     (unsigned long long)total.sealed,
	     (unsigned long long)total.expired);
	ok(total.acked > cycles, "%llu spans were acknowledged",
	   (unsigned long long)total.acked);
	is_uint(total.lost, 0, "none of them is lost");
	is_uint(total.doubled, 0, "no span is there twice");
	if (run.image)
		shell("umount %s", run.mount, "");
	return done_testing();
}
