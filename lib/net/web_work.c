/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that make answers, in lanes that do not wait for each other.
 *
 * Of an answer in pieces only what the client is about to take is made: then
 * the thread takes another job. So a slow client has an open answer and what
 * belongs to it, but no thread; and of open answers there are a few at most.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "net/web_state.h"

#include "base/banned.h"

#define LARGE (1u << 20) /* bytes of an answer that a connection may have */
#define GZIP_MIN 1024u	 /* bytes of an answer that is worth it */
#define GZIP_LEVEL 1
#define GZIP_WINDOW (15 + 16) /* with a head of gzip */

static void push(struct span__web_queue *q, struct span__web_job *j)
{
	j->next = NULL;
	if (!q->first)
		q->last = &q->first;
	*q->last = j;
	q->last = &j->next;
	q->n++;
}

static struct span__web_job *pop(struct span__web_queue *q)
{
	struct span__web_job *j = q->first;

	if (!j)
		return NULL;
	q->first = j->next;
	q->n--;
	return j;
}

/* ---- One job ---- */

static bool is_text(const char *type)
{
	return type && (!strncmp(type, "text/", 5) || strstr(type, "json") ||
			strstr(type, "javascript") || strstr(type, "xml") ||
			strstr(type, "protobuf"));
}

/* Append a piece to what is to be sent; LAST: there are no more. */
static int deflate_piece(struct span__web_job *j, struct span_str s, bool last)
{
	int rc = Z_OK;

	j->z.next_in = (Bytef *)(uintptr_t)s.p;
	j->z.avail_in = (uInt)s.len;
	do {
		size_t room = s.len / 4 + 512;
		char *p = span_buf_reserve(&j->out, room);

		if (!p)
			return SPAN_E_NOMEM;
		j->z.next_out = (Bytef *)p;
		j->z.avail_out = (uInt)room;
		rc = deflate(&j->z, last ? Z_FINISH : Z_SYNC_FLUSH);
		j->out.len += room - j->z.avail_out;
	} while (!j->z.avail_out && rc == Z_OK);
	return 0;
}

static int put_out(struct span__web_job *j, struct span_str s, bool last)
{
	/* uInt, and of the reserve above. */
	const size_t most = 1u << 30;
	int rc = 0;

	if (!j->gzip) {
		span_buf_str(&j->out, s);
		return j->out.failed ? SPAN_E_NOMEM : 0;
	}
	while (s.len > most && rc == 0) {
		rc = deflate_piece(j, (struct span_str){s.p, most}, false);
		s = (struct span_str){s.p + most, s.len - most};
	}
	return rc ? rc : deflate_piece(j, s, last);
}

static void close_answer(struct span__web_job *j)
{
	if (j->a.close)
		j->a.close(j->a.arg);
	j->a.close = NULL;
	j->a.more = NULL;
}

/* Pieces until there is enough to send for a while. */
static int make_more(struct span__web_job *j, struct span_error *err)
{
	int rc = 1;

	while (rc > 0 && j->a.more && j->piece.len < SPAN__WEB_PIECE) {
		struct span_buf part = {0};

		if (__atomic_load_n(&j->gone, __ATOMIC_RELAXED))
			return SPAN_E_PIPE;
		rc = j->a.more(j->a.arg, &part, err);
		if (rc >= 0)
			span_buf_put(&j->piece, part.p, part.len);
		if (part.failed || j->piece.failed)
			rc = SPAN_E_NOMEM;
		span_buf_release(&part);
	}
	if (rc == 0)
		close_answer(j);
	return rc < 0 ? rc : 0;
}

/* Is it worth it, as far as is known? Decided once. */
static int begin_gzip(struct span__web_job *j)
{
	if (!j->may_gzip || !is_text(j->a.type) ||
	    (!j->a.more && j->piece.len < GZIP_MIN))
		return 0;
	j->gzip = deflateInit2(&j->z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8,
			       Z_DEFAULT_STRATEGY) == Z_OK;
	return j->gzip ? 0 : SPAN_E_NOMEM;
}

/* The one it has is good: there is nothing to send. */
static void compare_etag(struct span__web_job *j)
{
	snprintf(j->etag, sizeof(j->etag), "W/\"%016llx\"",
		 (unsigned long long)XXH3_64bits(j->piece.p, j->piece.len));
	/* Others may have made it a strong one. */
	if (!j->wanted || !strstr(j->wanted, j->etag + strlen("W/")))
		return;
	j->a.status = 304;
	j->unmade = true;
	j->piece.len = 0;
}

static int make_first(struct span__web_job *j, struct span_error *err)
{
	int rc = span__serve_answer(j->web->opts.serve, j->route, j->allow,
				    &j->r, &j->a, err);

	if (rc < 0)
		return rc;
	j->piece = j->a.body;
	j->a.body = (struct span_buf){0};
	j->unmade = !strcmp(j->method, "HEAD") && j->a.more;
	if (j->unmade) {
		close_answer(j);
		j->piece.len = 0;
	}
	if (j->a.revalidate && !j->a.more && !j->a.status)
		compare_etag(j);
	rc = make_more(j, err);
	return rc < 0 ? rc : begin_gzip(j);
}

static void run(struct span__web_job *j)
{
	int rc;

	if (j->knock) {
		j->known = span__web_auth_check(j->web->opts.auth,
						j->authorization);
		return;
	}
	j->out.len = j->out_sent = 0;
	rc = j->made ? make_more(j, &j->err) : make_first(j, &j->err);
	if (rc >= 0)
		rc = put_out(j, (struct span_str){j->piece.p, j->piece.len},
			     !j->a.more);
	j->end = rc >= 0 && !j->a.more;
	j->piece.len = 0;
	j->made = true;
	j->rc = rc;
	if (rc < 0 || j->end) {
		close_answer(j);
		span_buf_release(&j->piece);
	}
}

void span__web_job_free(struct span__web_job *j)
{
	struct span__web_server *w = j->web;

	close_answer(j);
	pthread_mutex_lock(&w->lock);
	if (j->begun) {
		w->n_begun--;
		pthread_cond_signal(&w->wake[SPAN__WEB_WORKERS]);
	}
	pthread_mutex_unlock(&w->lock);
	w->body_bytes -= j->body.cap;
	if (j->gzip)
		deflateEnd(&j->z);
	if (j->authorization)
		explicit_bzero(j->authorization, strlen(j->authorization));
	span_buf_release(&j->a.body);
	span_buf_release(&j->body);
	span_buf_release(&j->piece);
	span_buf_release(&j->out);
	span_arena_release(&j->arena);
	free(j->authorization);
	free(j->wanted);
	free(j->target);
	free(j);
}

/* ---- The threads ---- */

static enum span__web_lane lane_of(const struct span__web_job *j)
{
	if (j->knock)
		return SPAN__WEB_DOOR;
	return !j->route || j->route->quick ? SPAN__WEB_QUICK
					    : SPAN__WEB_WORKERS;
}

bool span__web_work(struct span__web_job *j)
{
	struct span__web_server *w = j->web;
	enum span__web_lane lane = lane_of(j);
	bool room;

	pthread_mutex_lock(&w->lock);
	room = j->made || w->fresh[lane].n < w->opts.max_queue;
	if (room) {
		j->busy = true;
		push(j->made ? &w->going : &w->fresh[lane], j);
		pthread_cond_signal(
			&w->wake[j->made ? SPAN__WEB_WORKERS : lane]);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

/* The next one for a thread of LANE, or NULL; locked. */
static struct span__web_job *next_job(struct span__web_server *w,
				      enum span__web_lane lane)
{
	struct span__web_job *j = NULL;

	if (lane == SPAN__WEB_WORKERS) {
		j = pop(&w->going);
		if (j || w->n_begun >= w->max_begun)
			return j;
	}
	j = pop(&w->fresh[lane]);
	if (j && lane == SPAN__WEB_WORKERS) {
		j->begun = true;
		w->n_begun++;
	}
	return j;
}

static void give_back(struct span__web_server *w, struct span__web_job *j)
{
	const uint64_t one = 1;

	/* What is at its end makes room for others before it has been sent,
	 * unless that is itself what there is no room for. */
	if (j->begun && (j->rc < 0 || (j->end && j->out.len <= LARGE))) {
		j->begun = false;
		w->n_begun--;
		pthread_cond_signal(&w->wake[SPAN__WEB_WORKERS]);
	}
	push(&w->done, j);
	(void)!write(w->wake_fd, &one, sizeof(one));
}

struct seat {
	struct span__web_server *web;
	enum span__web_lane lane;
};

static void *work(void *arg)
{
	struct seat seat = *(struct seat *)arg;
	struct span__web_server *w = seat.web;

	free(arg);
	pthread_mutex_lock(&w->lock);
	while (!w->ending) {
		struct span__web_job *j = next_job(w, seat.lane);

		if (!j) {
			pthread_cond_wait(&w->wake[seat.lane], &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		if (!__atomic_load_n(&j->gone, __ATOMIC_RELAXED))
			run(j);
		else
			j->rc = SPAN_E_PIPE;
		pthread_mutex_lock(&w->lock);
		give_back(w, j);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int start(struct span__web_server *w, enum span__web_lane lane,
		 struct span_error *err)
{
	struct seat *seat = malloc(sizeof(*seat));

	if (!seat)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	*seat = (struct seat){w, lane};
	errno = pthread_create(&w->threads[w->n_threads], NULL, work, seat);
	if (errno) {
		free(seat);
		return span_error_set(err, SPAN_E_IO, "cannot start a thread");
	}
	w->n_threads++;
	return 0;
}

int span__web_work_open(struct span__web_server *w, struct span_error *err)
{
	sigset_t all, old;
	int rc;

	for (size_t i = 0; i < SPAN__WEB_LANES; i++)
		pthread_cond_init(&w->wake[i], NULL);
	w->threads =
		calloc(w->opts.threads + SPAN__WEB_LANES, sizeof(*w->threads));
	if (!w->threads)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = start(w, SPAN__WEB_QUICK, err);
	if (rc >= 0 && w->opts.auth)
		rc = start(w, SPAN__WEB_DOOR, err);
	for (size_t i = 0; i < w->opts.threads && rc >= 0; i++)
		rc = start(w, SPAN__WEB_WORKERS, err);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

struct span__web_job *span__web_work_done(struct span__web_server *w)
{
	struct span__web_job *all;

	pthread_mutex_lock(&w->lock);
	all = w->done.first;
	w->done = (struct span__web_queue){0};
	pthread_mutex_unlock(&w->lock);
	return all;
}

static void drop_all(struct span__web_queue *q)
{
	struct span__web_job *j;

	while ((j = pop(q)))
		span__web_job_free(j);
}

void span__web_work_close(struct span__web_server *w)
{
	if (!w->threads)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	for (size_t i = 0; i < SPAN__WEB_LANES; i++)
		pthread_cond_broadcast(&w->wake[i]);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	for (size_t i = 0; i < SPAN__WEB_LANES; i++) {
		drop_all(&w->fresh[i]);
		pthread_cond_destroy(&w->wake[i]);
	}
	drop_all(&w->going);
	drop_all(&w->done);
	free(w->threads);
}
