/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is: each peer has queues of his own, and peers come one after
 * another, so that who asks for much waits for himself. Of one peer's jobs,
 * answers to be gone on with and those to be begun take turns.
 *
 * One thread is left for others, whatever one peer asks.
 *
 * An answer that has begun has memory and an open store until its end. There
 * is room for some of them, of which one peer gets a half. Who keeps a place
 * while he does not read, and others wait for it, loses it: web_accept.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "net/web_state.h"

#include "base/banned.h"

void span__web_push(struct span__web_queue *q, struct span__web_job *j)
{
	j->next = NULL;
	if (!q->first)
		q->last = &q->first;
	*q->last = j;
	q->last = &j->next;
	q->n++;
}

struct span__web_job *span__web_pop(struct span__web_queue *q)
{
	struct span__web_job *j = q->first;

	if (!j)
		return NULL;
	q->first = j->next;
	q->n--;
	return j;
}

int span__web_share_init(struct span__web_share *s, size_t threads,
			 size_t max_open, struct span_error *err)
{
	s->max_busy = threads > 1 ? threads - 1 : 1;
	s->max_open = max_open;
	s->max_of_peer = (max_open + 1) / 2;
	if (getrandom(s->key.secret, sizeof(s->key.secret), 0) !=
	    (ssize_t)sizeof(s->key.secret))
		return span_error_set(err, SPAN_E_IO, "no random numbers");
	return 0;
}

/* ---- Peers ---- */

static struct span__web_peer **place_of(struct span__web_share *s,
					const struct span__peer *who)
{
	struct span__web_peer **at =
		&s->buckets[span__hash(&s->key, who, sizeof(*who)) %
			    SPAN__WEB_BUCKETS_OF_PEERS];

	while (*at && memcmp(&(*at)->who, who, sizeof(*who)) != 0)
		at = &(*at)->chain;
	return at;
}

struct span__web_peer *span__web_peer_join(struct span__web_share *s,
					   const struct span__peer *who)
{
	struct span__web_peer **at = place_of(s, who);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (*at)
			(*at)->who = *who;
	}
	if (*at)
		(*at)->n_users++;
	return *at;
}

void span__web_peer_leave(struct span__web_share *s, struct span__web_peer *p)
{
	struct span__web_peer **at;

	if (--p->n_users)
		return;
	at = place_of(s, &p->who);
	*at = p->chain;
	free(p);
}

/* ---- Turns ---- */

static void ring_push(struct span__web_ring *r, struct span__web_peer *p,
		      enum span__web_lane lane)
{
	p->next[lane] = NULL;
	p->in_ring[lane] = true;
	if (!r->first)
		r->last = &r->first;
	*r->last = p;
	r->last = &p->next[lane];
	r->n++;
}

static struct span__web_peer *ring_pop(struct span__web_ring *r,
				       enum span__web_lane lane)
{
	struct span__web_peer *p = r->first;

	r->first = p->next[lane];
	p->in_ring[lane] = false;
	r->n--;
	return p;
}

static bool has_jobs(const struct span__web_peer *p, enum span__web_lane lane)
{
	return p->fresh[lane].n || (lane == SPAN__WEB_WORKERS && p->going.n);
}

void span__web_share_put(struct span__web_share *s, struct span__web_job *j,
			 enum span__web_lane lane)
{
	struct span__web_peer *p = j->peer;

	if (j->made) {
		span__web_push(&p->going, j);
	} else {
		span__web_push(&p->fresh[lane], j);
		s->n_fresh[lane]++;
	}
	if (!p->in_ring[lane])
		ring_push(&s->rings[lane], p, lane);
}

/* P has nothing for LANE any more. */
static void ring_remove(struct span__web_ring *r, struct span__web_peer *p,
			enum span__web_lane lane)
{
	struct span__web_peer **at = &r->first;

	while (*at != p)
		at = &(*at)->next[lane];
	*at = p->next[lane];
	if (!*at)
		r->last = at;
	p->in_ring[lane] = false;
	r->n--;
}

bool span__web_share_drop(struct span__web_share *s, struct span__web_job *j,
			  enum span__web_lane lane)
{
	struct span__web_peer *p = j->peer;
	struct span__web_queue *q = &p->fresh[lane];
	struct span__web_job **at = &q->first;

	while (*at && *at != j)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = j->next;
	if (!*at)
		q->last = at;
	q->n--;
	s->n_fresh[lane]--;
	if (!has_jobs(p, lane))
		ring_remove(&s->rings[lane], p, lane);
	return true;
}

static bool may_open(const struct span__web_share *s,
		     const struct span__web_peer *p)
{
	return s->n_open < s->max_open && p->n_open < s->max_of_peer;
}

/* What P has for LANE, or NULL. */
static struct span__web_job *pick(struct span__web_share *s,
				  struct span__web_peer *p,
				  enum span__web_lane lane)
{
	bool is_work = lane == SPAN__WEB_WORKERS;
	bool fresh = p->fresh[lane].n && (!is_work || may_open(s, p));
	struct span__web_job *j;

	if (is_work && p->n_busy >= s->max_busy)
		return NULL;
	if (is_work && p->going.n && !(fresh && p->went_on)) {
		p->went_on = true;
		p->n_busy++;
		return span__web_pop(&p->going);
	}
	if (!fresh)
		return NULL;
	p->went_on = false;
	s->n_fresh[lane]--;
	j = span__web_pop(&p->fresh[lane]);
	if (is_work) {
		j->begun = true;
		p->n_busy++;
		p->n_open++;
		s->n_open++;
	}
	return j;
}

struct span__web_job *span__web_share_take(struct span__web_share *s,
					   enum span__web_lane lane)
{
	struct span__web_ring *r = &s->rings[lane];

	for (size_t n = r->n; n; n--) {
		struct span__web_peer *p = ring_pop(r, lane);
		struct span__web_job *j = pick(s, p, lane);

		if (has_jobs(p, lane))
			ring_push(r, p, lane);
		if (j)
			return j;
	}
	return NULL;
}

void span__web_share_made(struct span__web_job *j)
{
	j->peer->n_busy -= j->begun;
}

void span__web_share_end(struct span__web_share *s, struct span__web_job *j)
{
	j->begun = false;
	j->peer->n_open--;
	s->n_open--;
}

bool span__web_share_in_way(const struct span__web_share *s,
			    const struct span__web_job *j)
{
	const struct span__web_peer *p = j->peer;

	if (!j->begun || !s->n_fresh[SPAN__WEB_WORKERS])
		return false;
	return s->n_open >= s->max_open ||
	       (p->n_open >= s->max_of_peer && p->fresh[SPAN__WEB_WORKERS].n);
}
