/* SPDX-License-Identifier: Apache-2.0 */
#include "net/queue.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static char big[60000];

static struct span_payload payload(uint64_t n, size_t len)
{
	return (struct span_payload){.time_ns = n,
				     .transport = SPAN_TRANSPORT_UDP,
				     .peer = SPAN_STR("192.0.2.1:4711"),
				     .port = 6831,
				     .data = {big, len}};
}

/* Reads payloads until the end; counts them, and those out of order. */
struct sink {
	int fd;
	uint64_t n, bad;
	unsigned nap_us; /* after each */
	int rc;
};

static void *read_all(void *arg)
{
	struct sink *s = arg;
	struct span_payload_reader *r = NULL;
	struct span_payload p;
	uint64_t last = 0;

	s->rc = span_payload_reader_open(&r, s->fd, NULL, NULL);
	while (s->rc >= 0 &&
	       (s->rc = span_payload_reader_next(r, &p, NULL)) > 0) {
		s->bad += p.time_ns <= last || p.data.len != last % 50000;
		last = p.time_ns;
		s->n++;
		if (s->nap_us)
			usleep(s->nap_us);
	}
	span_payload_reader_close(&r);
	return NULL;
}

/* Each payload's length follows from the number of the one before it. */
static void test_order(void)
{
	struct sink sink = {0};
	struct span__queue *q = NULL;
	uint64_t last = 0;
	pthread_t t;
	int fd[2], rc = 1;

	ok(pipe(fd) == 0, "a pipe");
	sink.fd = fd[0];
	pthread_create(&t, NULL, read_all, &sink);
	is_int(span__queue_open(&q, fd[1], SPAN__QUEUE_MIN, NULL), 0,
	       "the smallest queue");
	for (uint64_t i = 1; i <= 2000 && rc == 1; i++) {
		struct span_payload p = payload(i * 37, last % 50000);

		rc = span__queue_put(q, &p, true, NULL);
		last = i * 37;
	}
	is_int(rc, 1, "everything is put, waiting for room");
	is_int(span__queue_finish(q, NULL), 0, "finish");
	is_uint(span__queue_len(q), 0, "nothing is left");
	span__queue_close(&q);
	close(fd[1]);
	pthread_join(t, NULL);
	is_uint(sink.n, 2000, "all of it arrives");
	is_uint(sink.bad, 0, "in order and whole, around the end of the ring");
	is_int(sink.rc, 0, "and ends between two payloads");
	close(fd[0]);
}

static void test_full(void)
{
	struct sink sink = {0};
	struct span__queue *q = NULL;
	uint64_t taken = 0, last = 0;
	pthread_t t;
	int fd[2], rc = 0;

	ok(pipe(fd) == 0, "a pipe that nobody reads yet");
	is_int(span__queue_open(&q, fd[1], 1 << 20, NULL), 0, "open");
	for (uint64_t i = 1; i <= 5000 && rc >= 0; i++) {
		struct span_payload p = payload(i, last % 50000);

		rc = span__queue_put(q, &p, false, NULL);
		if (rc == 1) {
			taken++;
			last = i;
		}
	}
	ok(rc == 0, "it gets full");
	ok(span__queue_len(q) <= 1 << 20, "and stays within its size");
	sink.fd = fd[0];
	pthread_create(&t, NULL, read_all, &sink);
	is_int(span__queue_finish(q, NULL), 0, "a reader comes");
	span__queue_close(&q);
	close(fd[1]);
	pthread_join(t, NULL);
	is_uint(sink.n, taken, "and gets what was taken");
	is_uint(sink.bad, 0, "in order");
	close(fd[0]);
}

static void test_soon(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 10);
	struct pollfd ready;
	int fd[2];

	ok(pipe(fd) == 0, "a pipe");
	is_int(span__queue_open(&q, fd[1], SPAN__QUEUE_MIN, NULL), 0, "open");
	ready = (struct pollfd){.fd = fd[0], .events = POLLIN};
	is_int(span__queue_put(q, &p, false, NULL), 1, "a single payload");
	is_int(poll(&ready, 1, 5000), 1, "is written without another one");
	is_int(span__queue_finish(q, NULL), 0, "finish");
	span__queue_close(&q);
	close(fd[0]);
	close(fd[1]);
}

static void test_failure(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 10);
	struct span_error err = {0};
	struct pollfd failed;
	int fd[2], rc;

	ok(pipe(fd) == 0, "a pipe");
	is_int(span__queue_open(&q, fd[1], SPAN__QUEUE_MIN, NULL), 0, "open");
	close(fd[0]);
	is_int(span__queue_put(q, &p, false, NULL), 1, "put");
	failed = (struct pollfd){.fd = span__queue_failed_fd(q),
				 .events = POLLIN};
	is_int(poll(&failed, 1, 5000), 1, "that nobody reads is said");
	is_int(span__queue_put(q, &p, true, &err), SPAN_E_PIPE,
	       "and the next put fails");
	is_int(err.code, SPAN_E_PIPE, "with its error");
	is_int(span__queue_finish(q, NULL), SPAN_E_PIPE, "as does the end");
	span__queue_close(&q);
	close(fd[1]);

	fd[0] = open("/dev/full", O_WRONLY);
	is_int(span__queue_open(&q, fd[0], SPAN__QUEUE_MIN, NULL), 0,
	       "a full disk");
	rc = span__queue_put(q, &p, true, NULL);
	ok(rc == 1 || rc == SPAN_E_IO, "put");
	is_int(span__queue_finish(q, &err), SPAN_E_IO, "fails");
	span__queue_close(&q);
	close(fd[0]);
}

static void test_limits(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = {.data = {NULL, 0}};
	char *large = calloc(1, 300000);
	int fd = open("/dev/null", O_WRONLY);

	is_int(span__queue_open(&q, fd, SPAN__QUEUE_MIN - 1, NULL),
	       SPAN_E_INVALID, "too small");
	is_int(span__queue_open(&q, fd, (size_t)SPAN__QUEUE_MAX + 1, NULL),
	       SPAN_E_INVALID, "too large");
	is_int(span__queue_open(&q, fd, SPAN__QUEUE_MIN, NULL), 0, "right");
	p.data = (struct span_str){large, 300000};
	is_int(span__queue_put(q, &p, false, NULL), 0,
	       "what can never fit is not taken");
	span__queue_close(&q);
	ok(!q, "close finishes");
	free(large);
	close(fd);
}

/* Payloads above the size of the queue pass through it in parts. */
static void test_large(void)
{
	static const size_t sizes[] = {300000, 10, 5000000, 262144, 1};
	struct span__queue *q = NULL;
	struct span_payload_reader *r = NULL;
	struct span_payload p = {.data = {NULL, 0}};
	char *large = malloc(5000000 + 5);
	FILE *f = tmpfile();
	int bad = 0;

	for (size_t i = 0; i < 5000000 + 5; i++)
		large[i] = (char)(i * 7 >> 3);
	is_int(span__queue_open(&q, fileno(f), SPAN__QUEUE_MIN, NULL), 0,
	       "a file");
	for (size_t i = 0; i < 5; i++) {
		p.data = (struct span_str){large + i, sizes[i] - i % 2};
		is_int(span__queue_put(q, &p, true, NULL), 1, "put %zu",
		       p.data.len);
	}
	is_int(span__queue_finish(q, NULL), 0, "finish");
	span__queue_close(&q);
	rewind(f);
	is_int(span_payload_reader_open(&r, fileno(f), NULL, NULL), 0, "read");
	for (size_t i = 0; i < 5; i++)
		bad += span_payload_reader_next(r, &p, NULL) != 1 ||
		       p.data.len != sizes[i] - i % 2 ||
		       memcmp(p.data.p, large + i, p.data.len) != 0;
	is_int(bad, 0, "they come out as they were");
	span_payload_reader_close(&r);
	fclose(f);
	free(large);
}

/* What a failed output leaves behind is known, to be told of. */
static void test_lost(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 50000);
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC), rc;

	is_int(span__queue_open(&q, fd, SPAN__QUEUE_MIN, NULL), 0, "open");
	is_uint(span__queue_lost(q), 0, "nothing is lost yet");
	is_int(span__queue_put(q, &p, false, NULL), 1, "one is taken");
	(void)!span__queue_finish(q, NULL);
	is_uint(span__queue_lost(q), 1, "and lost, as nothing can be written");
	rc = span__queue_put(q, &p, false, NULL);
	is_int(rc, SPAN_E_IO, "the next one is not taken");
	is_uint(span__queue_lost(q), 1, "and not counted as lost");
	span__queue_close(&q);
	close(fd);
}

/* A reader of single bytes is slow, but goes on. */
static void test_taken(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 50000);
	uint64_t taken, len = 1;
	int fd[2], same = 0;
	char c;

	ok(pipe(fd) == 0, "a pipe");
	is_int(span__queue_open(&q, fd[1], 4 << 20, NULL), 0, "open");
	while (span__queue_put(q, &p, false, NULL) == 1)
		;
	for (int i = 0; i < 1000 && same < 20; i++) {
		taken = span__queue_taken(q, &len);
		usleep(1000);
		same = span__queue_taken(q, &len) == taken ? same + 1 : 0;
	}
	ok(len > 0 && same == 20, "the pipe is full, and nothing moves");
	is_int(read(fd[0], &c, 1), 1, "the reader takes a byte");
	ok(span__queue_taken(q, &len) != taken, "which is seen");
	close(fd[0]);
	is_int(span__queue_finish(q, NULL), SPAN_E_PIPE, "it goes away");
	ok(span__queue_lost(q) > 0, "and what it did not take is lost");
	span__queue_close(&q);
	close(fd[1]);
}

static bool is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* Who awaits that something is written is told then, and not before. */
static void test_await(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 50000);
	uint64_t end = 0, n = 0;
	bool failed = true;
	int fd[2], told;
	char c;

	ok(pipe(fd) == 0, "a pipe");
	is_int(span__queue_open(&q, fd[1], 4 << 20, NULL), 0, "open");
	told = span__queue_written_fd(q);
	is_int(span__queue_put(q, &p, SPAN__PUT_QUIET, NULL), 1, "put");
	end = span__queue_end(q);
	ok(end > 50000, "it ends somewhere");
	span__queue_await(q, end);
	ok(is_readable(told, 5000), "it is written");
	is_int(read(told, &n, sizeof(n)), sizeof(n), "which is told");
	is_uint(span__queue_written(q, &failed), end, "up to there");
	ok(!failed, "and can go on");
	while (span__queue_end(q) < 3 << 20)
		is_int(span__queue_put(q, &p, 0, NULL), 1, "more than fits");
	end = span__queue_end(q);
	span__queue_await(q, end);
	ok(!is_readable(told, 50), "a full pipe takes no more");
	ok(span__queue_written(q, &failed) < end, "so it is not written");
	is_int(read(fd[0], &c, 1), 1, "a byte is read");
	ok(!is_readable(told, 50), "which does not do");
	close(fd[0]);
	ok(is_readable(told, 5000), "that it never will be is told");
	(void)span__queue_written(q, &failed);
	ok(failed, "and why");
	span__queue_close(&q);
	close(fd[1]);
}

/* Are N bytes in a pipe before so many times 10 ms are over? */
static bool has_bytes(int fd, int n, int times)
{
	int in_pipe = 0;

	for (; times > 0; times--) {
		if (ioctl(fd, FIONREAD, &in_pipe) == 0 && in_pipe >= n)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

/* A turn with many payloads does not fill the queue before it is read. */
static void test_quiet(void)
{
	struct span__queue *q = NULL;
	struct span_payload p = payload(1, 50000);
	static char bytes[50000];
	int fd[2];

	ok(pipe(fd) == 0, "a pipe");
	is_int(span__queue_open(&q, fd[1], 4 << 20, NULL), 0, "open");
	is_int(span__queue_put(q, &p, 0, NULL), 1, "the first");
	ok(has_bytes(fd[0], 50000, 500), "is written");
	is_int(read(fd[0], bytes, sizeof(bytes)), sizeof(bytes), "and read");
	is_int(span__queue_put(q, &p, SPAN__PUT_QUIET, NULL), 1, "put");
	ok(!has_bytes(fd[0], 50000, 5), "which is no reason to write");
	is_int(span__queue_put(q, &p, SPAN__PUT_QUIET, NULL), 1, "one more");
	ok(has_bytes(fd[0], 100000, 500), "two are");
	close(fd[0]);
	span__queue_close(&q);
	close(fd[1]);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_order();
	test_full();
	test_large();
	test_soon();
	test_failure();
	test_limits();
	test_lost();
	test_taken();
	test_await();
	test_quiet();
	return done_testing();
}
