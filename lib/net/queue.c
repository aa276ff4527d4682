/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HEAD and TAIL count bytes for ever; their remainders are places in the
 * ring. Only the writer moves HEAD and only the receiver moves TAIL, both
 * under the lock; neither copies nor writes while it holds it.
 *
 * The writer waits a moment for more before it writes a little: woken for
 * each datagram, it and everybody behind it in the pipeline would spend their
 * time on waking up. Not so when somebody awaits that it is written: who that
 * is has put all that there is for now.
 */
#include "net/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net/clock.h"

#include "base/banned.h"

#define ENOUGH (64u << 10)     /* bytes worth a write at once */
#define WRITE_MAX (256u << 10) /* of one write: its room is free after it */
#define WRITE_MIN 4096u	       /* what a pipe has room for, or blocks */
#define ENDS_MIN 1024u	       /* payloads: the list of them grows from there */
#define RECORD_KEPT (1u << 20) /* bytes of memory that is used again */
#define MOMENT_NS 10000000
#define PIPE_SIZE (1 << 20)

struct span__queue {
	char *ring;
	size_t size;
	size_t pipe; /* bytes that FD holds, when it is a pipe */
	int fd, failed_fd, written_fd;
	pthread_t thread;
	bool running;
	struct span_buf record; /* the receiver's: one payload, encoded */

	pthread_mutex_t lock;
	pthread_cond_t more; /* there is something to write, or the end */
	pthread_cond_t room; /* something was written, or it failed */
	uint64_t head, tail;
	uint64_t awaited; /* to be told when HEAD has passed it; 0: not */
	uint64_t hurry;	  /* not to wait for more before that */
	uint64_t *ends;	  /* of payloads that are not written: a ring, too */
	size_t ends_cap, first_end, n_ends;
	bool waiting; /* the receiver waits for room */
	bool finish;
	struct span_error failure; /* code 0: none */
};

/*
 * At most LEN bytes to write at once. No more than a pipe has room for, as
 * that is when a write ends and counts.
 */
static size_t piece_of(const struct span__queue *q, size_t len)
{
	int in_pipe = 0;
	size_t room;

	if (len > WRITE_MAX)
		len = WRITE_MAX;
	if (!q->pipe || ioctl(q->fd, FIONREAD, &in_pipe) < 0)
		return len;
	room = q->pipe - (size_t)in_pipe;
	if (room < WRITE_MIN)
		room = WRITE_MIN;
	return len < room ? len : room;
}

/* How much there is to write from the head; 0 at the end. */
static size_t wait_for_more(struct span__queue *q)
{
	struct timespec until;
	size_t len, contiguous;

	while (q->head == q->tail && !q->finish)
		pthread_cond_wait(&q->more, &q->lock);
	until = span__timespec(span__monotonic_ns() + MOMENT_NS);
	while (q->tail - q->head < ENOUGH && !q->finish && !q->waiting &&
	       q->head >= q->hurry)
		if (pthread_cond_timedwait(&q->more, &q->lock, &until))
			break;
	len = (size_t)(q->tail - q->head);
	contiguous = q->size - (size_t)(q->head % q->size);
	return len < contiguous ? len : contiguous;
}

/* Write once. Returns how many bytes; negative with *ERR when it failed. */
static ssize_t write_once(const struct span__queue *q, const char *p,
			  size_t len, struct span_error *err)
{
	ssize_t n;

	do
		n = write(q->fd, p, piece_of(q, len));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		span_error_set(err, errno == EPIPE ? SPAN_E_PIPE : SPAN_E_IO,
			       errno == EPIPE ? "nobody reads the output"
					      : "cannot write");
	return n;
}

/* Forget the ends of payloads that are written whole. */
static void pass_ends(struct span__queue *q)
{
	while (q->n_ends && q->ends[q->first_end] <= q->head) {
		q->first_end = (q->first_end + 1) % q->ends_cap;
		q->n_ends--;
	}
}

static void wake(int fd)
{
	const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

/* Tell whoever awaits it. Called and returns with the lock. */
static void tell_written(struct span__queue *q)
{
	if (!q->awaited || (q->head < q->awaited && !q->failure.code))
		return;
	q->awaited = 0;
	pthread_mutex_unlock(&q->lock);
	wake(q->written_fd);
	pthread_mutex_lock(&q->lock);
}

static void *write_out(void *arg)
{
	struct span__queue *q = arg;
	struct span_error err = {0};
	size_t len;

	pthread_mutex_lock(&q->lock);
	while (!err.code && (len = wait_for_more(q)) > 0) {
		const char *from = q->ring + q->head % q->size;
		ssize_t n;

		pthread_mutex_unlock(&q->lock);
		n = write_once(q, from, len, &err);
		pthread_mutex_lock(&q->lock);
		if (n > 0)
			q->head += (uint64_t)n;
		pass_ends(q);
		pthread_cond_signal(&q->room);
		tell_written(q);
	}
	q->failure = err;
	pthread_cond_signal(&q->room);
	tell_written(q);
	pthread_mutex_unlock(&q->lock);
	if (err.code)
		wake(q->failed_fd);
	return NULL;
}

static int start(struct span__queue *q, struct span_error *err)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->more, &attr);
	pthread_cond_init(&q->room, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&q->thread, NULL, write_out, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc) {
		q->running = true;
		return 0;
	}
	errno = rc;
	return span_error_set(err, SPAN_E_IO, "cannot start a thread");
}

int span__queue_open(struct span__queue **out, int fd, size_t size,
		     struct span_error *err)
{
	struct span__queue *q = NULL;
	int rc;

	if (size < SPAN__QUEUE_MIN || size > SPAN__QUEUE_MAX)
		return span_error_set(err, SPAN_E_INVALID,
				      "a queue has 256K to 1G");
	q = calloc(1, sizeof(*q));
	if (!q)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	q->fd = fd;
	q->size = size;
	q->ring = malloc(size);
	q->failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->written_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!q->ring) {
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	} else if (q->failed_fd < 0 || q->written_fd < 0) {
		rc = span_error_set(err, SPAN_E_IO, "cannot make an eventfd");
	} else {
		int size_of_pipe;

		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
		size_of_pipe = fcntl(fd, F_GETPIPE_SZ);
		q->pipe = size_of_pipe > 0 ? (size_t)size_of_pipe : 0;
		rc = start(q, err);
	}
	if (rc < 0)
		span__queue_close(&q);
	*out = q;
	return rc;
}

static bool has_room(const struct span__queue *q, size_t len)
{
	return len <= q->size - (size_t)(q->tail - q->head);
}

/* 1 when there is room for LEN bytes. Called and returns with the lock. */
static int make_room(struct span__queue *q, size_t len, bool wait,
		     struct span_error *err)
{
	while (!q->failure.code && wait && !has_room(q, len)) {
		q->waiting = true;
		pthread_cond_signal(&q->more);
		pthread_cond_wait(&q->room, &q->lock);
	}
	q->waiting = false;
	if (q->failure.code) {
		if (err)
			*err = q->failure;
		return q->failure.code;
	}
	return has_room(q, len);
}

static void copy_in(struct span__queue *q, const char *p, size_t len)
{
	size_t at = (size_t)(q->tail % q->size);
	size_t first = q->size - at < len ? q->size - at : len;

	memcpy(q->ring + at, p, first);
	memcpy(q->ring, p + first, len - first);
}

static int put_part(struct span__queue *q, const char *p, size_t len,
		    unsigned how, struct span_error *err)
{
	int rc;

	pthread_mutex_lock(&q->lock);
	rc = make_room(q, len, how & SPAN__PUT_WAIT, err);
	pthread_mutex_unlock(&q->lock);
	if (rc <= 0)
		return rc;
	copy_in(q, p, len);
	pthread_mutex_lock(&q->lock);
	if ((q->tail == q->head && !(how & SPAN__PUT_QUIET)) ||
	    (q->tail - q->head < ENOUGH && q->tail + len - q->head >= ENOUGH))
		pthread_cond_signal(&q->more);
	q->tail += len;
	pthread_mutex_unlock(&q->lock);
	return 1;
}

/* Room for one more end. False when memory is out. */
static bool reserve_end(struct span__queue *q)
{
	size_t cap = q->ends_cap ? 2 * q->ends_cap : ENDS_MIN;
	uint64_t *ends;

	if (q->n_ends < q->ends_cap)
		return true;
	ends = reallocarray(NULL, cap, sizeof(*ends));
	if (!ends)
		return false;
	for (size_t i = 0; i < q->n_ends; i++)
		ends[i] = q->ends[(q->first_end + i) % q->ends_cap];
	free(q->ends);
	q->ends = ends;
	q->ends_cap = cap;
	q->first_end = 0;
	return true;
}

/*
 * Note where a payload of LEN bytes ends that is put next. What goes through
 * in parts is as long as ever on its way, and its end is known before.
 */
static bool put_end(struct span__queue *q, size_t len)
{
	bool good;

	pthread_mutex_lock(&q->lock);
	good = reserve_end(q);
	if (good)
		q->ends[(q->first_end + q->n_ends++) % q->ends_cap] =
			q->tail + len;
	pthread_mutex_unlock(&q->lock);
	return good;
}

/* It was not put after all; the writer cannot have passed its end. */
static void take_back_end(struct span__queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->n_ends--;
	pthread_mutex_unlock(&q->lock);
}

/* Put what was encoded. */
static int put_record(struct span__queue *q, unsigned how,
		      struct span_error *err)
{
	size_t len = q->record.len;
	int rc = 1;

	if ((len > q->size && !(how & SPAN__PUT_WAIT)) || !put_end(q, len))
		return 0;
	/* One larger than the queue goes through it in parts. */
	for (size_t at = 0, part; at < len && rc > 0; at += part) {
		part = len - at < q->size ? len - at : q->size;
		rc = put_part(q, q->record.p + at, part, how, err);
	}
	if (rc <= 0)
		take_back_end(q);
	return rc;
}

int span__queue_put(struct span__queue *q, const struct span_payload *p,
		    unsigned how, struct span_error *err)
{
	int rc;

	if (!(how & SPAN__PUT_WAIT) &&
	    p->data.len > q->size - span__queue_len(q))
		return 0;
	q->record.len = 0;
	rc = span_payload_encode(&q->record, p, err);
	if (rc >= 0)
		rc = put_record(q, how, err);
	if (rc < 0 || q->record.cap > RECORD_KEPT)
		span_buf_release(&q->record);
	return rc == SPAN_E_NOMEM ? 0 : rc;
}

uint64_t span__queue_taken(struct span__queue *q, uint64_t *len)
{
	uint64_t taken;
	int in_pipe = 0;

	if (q->pipe)
		(void)ioctl(q->fd, FIONREAD, &in_pipe);
	pthread_mutex_lock(&q->lock);
	taken = q->head - (uint64_t)in_pipe;
	*len = q->tail - q->head;
	pthread_mutex_unlock(&q->lock);
	return taken;
}

uint64_t span__queue_end(const struct span__queue *q)
{
	return q->tail; /* which only the caller moves */
}

uint64_t span__queue_written(struct span__queue *q, bool *failed)
{
	uint64_t written;

	pthread_mutex_lock(&q->lock);
	written = q->head;
	*failed = q->failure.code;
	pthread_mutex_unlock(&q->lock);
	return written;
}

void span__queue_await(struct span__queue *q, uint64_t end)
{
	pthread_mutex_lock(&q->lock);
	q->awaited = end;
	q->hurry = q->tail;
	tell_written(q);
	pthread_mutex_unlock(&q->lock);
	pthread_cond_signal(&q->more);
}

int span__queue_written_fd(const struct span__queue *q)
{
	return q->written_fd;
}

uint64_t span__queue_lost(struct span__queue *q)
{
	uint64_t n;

	pthread_mutex_lock(&q->lock);
	n = q->failure.code ? q->n_ends : 0;
	pthread_mutex_unlock(&q->lock);
	return n;
}

uint64_t span__queue_len(struct span__queue *q)
{
	uint64_t len;

	pthread_mutex_lock(&q->lock);
	len = q->tail - q->head;
	pthread_mutex_unlock(&q->lock);
	return len;
}

int span__queue_failed_fd(const struct span__queue *q)
{
	return q->failed_fd;
}

int span__queue_finish(struct span__queue *q, struct span_error *err)
{
	if (q->running) {
		pthread_mutex_lock(&q->lock);
		q->finish = true;
		pthread_cond_signal(&q->more);
		pthread_mutex_unlock(&q->lock);
		pthread_join(q->thread, NULL);
		q->running = false;
	}
	if (q->failure.code && err)
		*err = q->failure;
	return q->failure.code;
}

void span__queue_close(struct span__queue **qp)
{
	struct span__queue *q = *qp;

	*qp = NULL;
	if (!q)
		return;
	if (q->running)
		(void)!span__queue_finish(q, NULL);
	if (q->failed_fd >= 0)
		close(q->failed_fd);
	if (q->written_fd >= 0)
		close(q->written_fd);
	free(q->ring);
	free(q->ends);
	span_buf_release(&q->record);
	free(q);
}
