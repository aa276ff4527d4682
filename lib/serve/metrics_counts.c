/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics_counts.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/banned.h"

#define SECOND UINT64_C(1000000000)
#define LOOK_NS 50000000 /* between looks whether somebody still waits */

enum state { COUNTING, READY, FAILED };

struct entry {
	struct span__metrics_count count; /* the first, which others know */
	struct entry *next;
	struct span_buf key;
	enum state state;
	unsigned users; /* who counts and who waits too */
	uint64_t since_ns;
};

struct span__metrics_counts {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *list;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

int span__metrics_counts_open(struct span__metrics_counts **out,
			      struct span_error *err)
{
	struct span__metrics_counts *c = calloc(1, sizeof(*c));

	*out = c;
	if (!c)
		return no_memory(err);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	return 0;
}

static void close_entry(struct entry *e)
{
	span_stats_close(&e->count.stats);
	span_buf_release(&e->key);
	free(e);
}

void span__metrics_counts_close(struct span__metrics_counts **counts)
{
	struct span__metrics_counts *c = *counts;
	struct entry *next;

	if (!c)
		return;
	for (struct entry *e = c->list; e; e = next) {
		next = e->next;
		close_entry(e);
	}
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
	*counts = NULL;
}

static bool is_old(const struct entry *e, uint64_t now_ns)
{
	return e->state == FAILED ||
	       (e->state == READY &&
		(now_ns - e->since_ns > SPAN__COUNTS_AGE_NS ||
		 span_stats_rows(e->count.stats) > SPAN__COUNTS_ROWS_MAX));
}

/* Those that are old, or too many; the newest come first. */
static void drop(struct span__metrics_counts *c)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	struct entry **at = &c->list;
	unsigned n = 0;

	while (*at) {
		struct entry *e = *at;

		if (e->users ||
		    (!is_old(e, now_ns) && ++n <= SPAN__COUNTS_KEPT)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		close_entry(e);
	}
}

static struct entry *find(struct span__metrics_counts *c, struct span_str key)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	for (struct entry *e = c->list; e; e = e->next) {
		struct span_str own = {e->key.p, e->key.len};

		if (span_str_equal(own, key) &&
		    (e->state == COUNTING ||
		     (e->state == READY &&
		      now_ns - e->since_ns <= SPAN__COUNTS_AGE_NS)))
			return e;
	}
	return NULL;
}

static struct entry *add(struct span__metrics_counts *c, struct span_str key)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	span_buf_str(&e->key, key);
	if (e->key.failed) {
		close_entry(e);
		return NULL;
	}
	e->users = 1;
	if (c) {
		e->next = c->list;
		c->list = e;
	}
	return e;
}

/* Until E is counted, or nobody waits for R any more. */
static void wait(struct span__metrics_counts *c, const struct entry *e,
		 const struct span__serve_request *r)
{
	while (e->state == COUNTING && !span__serve_gone(r)) {
		uint64_t until_ns = clock_ns(CLOCK_REALTIME) + LOOK_NS;
		const struct timespec until = {
			.tv_sec = (time_t)(until_ns / SECOND),
			.tv_nsec = (long)(until_ns % SECOND)};

		pthread_cond_timedwait(&c->changed, &c->lock, &until);
	}
}

/* 1 with *OUT when it was counted; 0 when nobody counts it. */
static int take_counted(struct span__metrics_counts *c, struct span_str key,
			const struct span__serve_request *r, struct entry **out,
			struct span_error *err)
{
	struct entry *e;

	while ((e = find(c, key))) {
		e->users++;
		wait(c, e, r);
		*out = e;
		if (e->state == READY)
			return 1;
		e->users--;
		if (span__serve_gone(r))
			return span_error_set(err, SPAN_E_PIPE,
					      "nobody wants it any more");
		/* It failed: perhaps another one counts now. */
	}
	return 0;
}

int span__metrics_counts_take(struct span__metrics_counts *c,
			      struct span_str key,
			      const struct span__serve_request *r,
			      struct span__metrics_count **out,
			      struct span_error *err)
{
	struct entry *e = NULL;
	int rc = 0;

	if (c) {
		pthread_mutex_lock(&c->lock);
		rc = take_counted(c, key, r, &e, err);
		drop(c);
	}
	if (!rc) {
		e = add(c, key);
		rc = e ? 0 : no_memory(err);
	}
	if (c)
		pthread_mutex_unlock(&c->lock);
	*out = rc < 0 ? NULL : &e->count;
	return rc;
}

void span__metrics_counts_done(struct span__metrics_counts *c,
			       struct span__metrics_count *m, bool good)
{
	struct entry *e = (struct entry *)(void *)m;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	e->state = good ? READY : FAILED;
	e->since_ns = clock_ns(CLOCK_MONOTONIC);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void span__metrics_counts_release(struct span__metrics_counts *c,
				  struct span__metrics_count **m)
{
	struct entry *e = (struct entry *)(void *)*m;

	*m = NULL;
	if (!c && e)
		close_entry(e);
	if (!c || !e)
		return;
	pthread_mutex_lock(&c->lock);
	e->users--;
	drop(c);
	pthread_mutex_unlock(&c->lock);
}
