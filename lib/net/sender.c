/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread, and how others talk with it.
 *
 * Messages belong to the thread alone; what is shared is the list of pushed
 * batches, wishes, and a copy of the counts. It sleeps in libcurl, or on a
 * condition where it sends datagrams, which takes no waiting for answers.
 */
#include "net/sender.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <span/codec.h>

#include "net/clock.h"
#include "net/sender_jobs.h"

#include "base/banned.h"

#define SECOND_NS 1000000000ull
#define REST_MAX_NS (60 * SECOND_NS)

struct span__sender {
	struct span__sender_opts o;
	struct span__jobs jobs; /* the thread's */
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* for those who wait for the thread */
	pthread_cond_t wanted;	/* for the thread */
	struct span__batch *queue;
	size_t n_queued;
	bool woken, ending, give_up, quit;
	bool refused;
	bool finished; /* all is settled, nothing more will come */
	struct span__sender_counts counts;
	struct span_error failure; /* code 0: none */
};

static struct timespec after(uint64_t wait_ns)
{
	uint64_t at = span__monotonic_ns();

	return span__timespec(wait_ns < UINT64_MAX - at ? at + wait_ns
							: UINT64_MAX);
}

/* ---- The thread ---- */

/* The first batch that was pushed, or NULL. */
static struct span__batch *take_pushed(struct span__sender *s)
{
	struct span__batch *b;

	pthread_mutex_lock(&s->lock);
	b = s->queue;
	if (b) {
		s->queue = b->next;
		s->n_queued--;
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
	return b;
}

/* *DRY when there is nothing more for now. */
static int take_batches(struct span__sender *s, bool *dry,
			struct span_error *err)
{
	int rc = 0;

	*dry = false;
	while (rc >= 0 && (span__jobs_hungry(&s->jobs) || s->jobs.give_up)) {
		struct span__batch *b = take_pushed(s);

		if (!b && s->o.more && !s->jobs.give_up)
			rc = s->o.more(s->o.arg, &b, err);
		*dry = !b;
		if (!b)
			break;
		rc = span__jobs_add(&s->jobs, b, err);
		if (rc >= 0 && s->jobs.give_up)
			rc = span__jobs_start(&s->jobs, err);
	}
	return rc;
}

static int save_settled(struct span__sender *s, struct span_error *err)
{
	if (!s->jobs.unsaved)
		return 0;
	s->jobs.unsaved = false;
	return s->o.save(s->o.arg, err);
}

/*
 * Tell the others how far it is. Returns false at the end: nothing is pending,
 * and nothing was pushed since DRY was found.
 */
static bool go_on(struct span__sender *s, bool dry)
{
	bool end;

	pthread_mutex_lock(&s->lock);
	s->counts = s->jobs.counts;
	s->refused = s->jobs.refused;
	end = s->quit || (dry && !s->jobs.n_batches && !s->queue && s->ending &&
			  !s->woken);
	s->jobs.give_up = s->give_up;
	pthread_mutex_unlock(&s->lock);
	return !end;
}

/* How long nothing will be there to do but for answers and wishes. */
static uint64_t rest_ns(const struct span__sender *s, bool dry)
{
	uint64_t wait_ns = span__jobs_wait_ns(&s->jobs);

	if (s->woken || (!dry && span__jobs_hungry(&s->jobs)) ||
	    (s->ending && dry && !s->jobs.n_batches))
		return 0;
	return wait_ns < REST_MAX_NS ? wait_ns : REST_MAX_NS;
}

/* Whoever woke it may have what it did not find when it was DRY. */
static int rest(struct span__sender *s, bool *dry, struct span_error *err)
{
	uint64_t wait_ns;
	struct timespec until;

	pthread_mutex_lock(&s->lock);
	wait_ns = rest_ns(s, *dry);
	until = after(wait_ns);
	while (!s->jobs.http && !s->woken && wait_ns)
		if (pthread_cond_timedwait(&s->wanted, &s->lock, &until))
			break;
	*dry &= !s->woken;
	s->woken = false;
	pthread_mutex_unlock(&s->lock);
	return s->jobs.http ? span__http_turn(s->jobs.http, wait_ns,
					      span__jobs_done, &s->jobs, err)
			    : 0;
}

static void *send_all(void *arg)
{
	struct span__sender *s = arg;
	struct span_error err = {0};
	bool dry = false;
	int rc = 0;

	while (rc >= 0 && go_on(s, dry)) {
		rc = take_batches(s, &dry, &err);
		if (rc >= 0)
			rc = span__jobs_start(&s->jobs, &err);
		if (rc >= 0)
			rc = save_settled(s, &err);
		if (rc >= 0)
			rc = rest(s, &dry, &err);
		if (rc >= 0)
			rc = save_settled(s, &err);
	}
	pthread_mutex_lock(&s->lock);
	s->counts = s->jobs.counts;
	s->failure = err;
	s->failure.code = rc < 0 ? rc : 0;
	s->finished = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* ---- The others ---- */

/* A format that cannot be written is better known before anything is read. */
static int try_format(const struct span__send_url *u, struct span_error *err)
{
	static const struct span_process process = {.service = {"test", 4}};
	const struct span one = {.trace_id = {[15] = 1},
				 .span_id = {[7] = 1},
				 .process = &process};
	struct span_buf b = {0};
	int rc = span__send_encode(&b, u, &one, 1, err);

	span_buf_release(&b);
	return rc;
}

static int start(struct span__sender *s, struct span_error *err)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_cond_init(&s->wanted, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&s->thread, NULL, send_all, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->running = !rc;
	return rc ? span_error_set(err, SPAN_E_NOMEM, "no thread") : 0;
}

int span__sender_open(struct span__sender **out,
		      const struct span__sender_opts *o, struct span_error *err)
{
	struct span__sender *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->o = *o;
	rc = try_format(o->http.url, err);
	if (rc >= 0)
		rc = span__jobs_init(&s->jobs, &s->o, err);
	if (rc >= 0)
		rc = start(s, err);
	if (rc < 0)
		span__sender_close(&s);
	*out = s;
	return rc < 0 ? rc : 0;
}

/* Under the lock. */
static int failure(const struct span__sender *s, struct span_error *err)
{
	if (s->failure.code && err)
		*err = s->failure;
	return s->failure.code;
}

/* Under the lock. */
static void wake(struct span__sender *s)
{
	s->woken = true;
	pthread_cond_signal(&s->wanted);
	if (s->jobs.http)
		span__http_wake(s->jobs.http);
}

int span__sender_push(struct span__sender *s, struct span__batch **b,
		      uint64_t wait_ns, struct span_error *err)
{
	struct timespec until = after(wait_ns);
	struct span__batch **at = &s->queue;
	int rc;

	pthread_mutex_lock(&s->lock);
	while (s->n_queued >= SPAN__SENDER_QUEUE && !s->finished)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until))
			break;
	rc = failure(s, err);
	if (!rc && s->n_queued < SPAN__SENDER_QUEUE) {
		while (*at)
			at = &(*at)->next;
		*at = *b;
		(*b)->next = NULL;
		*b = NULL;
		s->n_queued++;
		rc = 1;
		wake(s);
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

bool span__sender_is_refused(struct span__sender *s)
{
	bool refused;

	pthread_mutex_lock(&s->lock);
	refused = s->refused;
	pthread_mutex_unlock(&s->lock);
	return refused;
}

void span__sender_wake(struct span__sender *s)
{
	pthread_mutex_lock(&s->lock);
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

int span__sender_finish(struct span__sender *s, uint64_t wait_ns,
			struct span_error *err)
{
	struct timespec until = after(wait_ns);
	int rc;

	pthread_mutex_lock(&s->lock);
	if (!s->ending) {
		s->ending = true;
		wake(s);
	}
	while (!s->finished)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until))
			break;
	rc = failure(s, err);
	if (!rc)
		rc = s->finished;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void span__sender_give_up(struct span__sender *s)
{
	pthread_mutex_lock(&s->lock);
	s->give_up = true;
	wake(s);
	pthread_mutex_unlock(&s->lock);
}

void span__sender_counts(struct span__sender *s,
			 struct span__sender_counts *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->counts;
	pthread_mutex_unlock(&s->lock);
}

void span__sender_close(struct span__sender **sp)
{
	struct span__sender *s = *sp;
	struct span__batch *b;

	if (!s)
		return;
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->quit = true;
		wake(s);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	while ((b = s->queue)) {
		s->queue = b->next;
		span__batch_close(&b);
	}
	span__jobs_release(&s->jobs);
	free(s);
	*sp = NULL;
}
