/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that make answers, in lanes that do not wait for each other.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/web_state.h"

#include "base/banned.h"

#define LARGE (1u << 20) /* bytes of an answer that a connection may have */

void span__web_job_free(struct span__web_job *j)
{
	struct span__web_server *w = j->web;

	span__web_close_answer(j);
	pthread_mutex_lock(&w->lock);
	if (j->begun) {
		span__web_share_end(&w->share, j);
		pthread_cond_signal(&w->wake[SPAN__WEB_WORKERS]);
	}
	j->peer->body_bytes -= j->body.cap;
	span__web_peer_leave(&w->share, j->peer);
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
	free(j->authority);
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
	enum span__web_lane lane = j->made ? SPAN__WEB_WORKERS : lane_of(j);
	bool room;

	pthread_mutex_lock(&w->lock);
	room = j->made || w->share.n_fresh[lane] < w->opts.max_queue;
	if (room) {
		j->busy = true;
		span__web_share_put(&w->share, j, lane);
		pthread_cond_signal(&w->wake[lane]);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

static void give_back(struct span__web_server *w, struct span__web_job *j)
{
	const uint64_t one = 1;

	/* Another one of this peer may be waiting for that. */
	if (j->begun) {
		span__web_share_made(j);
		pthread_cond_signal(&w->wake[SPAN__WEB_WORKERS]);
	}
	/* What is at its end makes room for others before it has been sent,
	 * unless that is itself what there is no room for. */
	if (j->begun && (j->rc < 0 || (j->end && j->out.len <= LARGE))) {
		span__web_share_end(&w->share, j);
		pthread_cond_signal(&w->wake[SPAN__WEB_WORKERS]);
	}
	span__web_push(&w->done, j);
	(void)!write(w->wake_fd, &one, sizeof(one));
}

/* What a thread has to do for J. */
static void run(struct span__web_job *j)
{
	if (__atomic_load_n(&j->gone, __ATOMIC_RELAXED))
		j->rc = SPAN_E_PIPE;
	else if (j->knock)
		j->known = span__web_auth_check(j->web->opts.auth,
						j->authorization);
	else
		span__web_make(j);
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
		struct span__web_job *j =
			span__web_share_take(&w->share, seat.lane);

		if (!j) {
			pthread_cond_wait(&w->wake[seat.lane], &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		run(j);
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
	rc = span__web_share_init(&w->share, w->opts.threads, w->opts.max_open,
				  err);
	if (rc < 0)
		return rc;
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

void span__web_work_drop(struct span__web_job *j)
{
	struct span__web_server *w = j->web;

	pthread_mutex_lock(&w->lock);
	if (span__web_share_drop(&w->share, j, lane_of(j)))
		j->busy = false;
	pthread_mutex_unlock(&w->lock);
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

bool span__web_work_in_way(struct span__web_job *j)
{
	struct span__web_server *w = j->web;
	bool in_way;

	pthread_mutex_lock(&w->lock);
	in_way = span__web_share_in_way(&w->share, j);
	pthread_mutex_unlock(&w->lock);
	return in_way;
}

size_t span__web_work_waiting(struct span__web_server *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = w->share.n_fresh[SPAN__WEB_WORKERS];
	pthread_mutex_unlock(&w->lock);
	return n;
}

/* Jobs of connections that have ended by now, so that it is no one's turn. */
static void drop_waiting(struct span__web_server *w)
{
	struct span__web_job *j;

	/* Whatever waits for room has it now. */
	w->share.max_open = w->share.max_of_peer = w->share.max_busy = SIZE_MAX;
	for (size_t i = 0; i < SPAN__WEB_LANES; i++)
		while ((j = span__web_share_take(&w->share,
						 (enum span__web_lane)i)))
			span__web_job_free(j);
	while ((j = span__web_pop(&w->done)))
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
	drop_waiting(w);
	for (size_t i = 0; i < SPAN__WEB_LANES; i++)
		pthread_cond_destroy(&w->wake[i]);
	free(w->threads);
}
