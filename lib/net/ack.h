/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/ack.h - requests that wait until their payload is in the pipe
 *
 * The intake puts a payload into the queue, and its sender is told of that
 * when the queue has written it: in the order of the queue, so that only the
 * first one has to be looked at. None waits longer than the limit.
 */
#ifndef NET_ACK_H
#define NET_ACK_H

#include <span/base.h>
#include <sys/queue.h>

/* What became of a payload. */
enum span__answer {
	SPAN__ANSWER_TAKEN,    /* it is in the pipe (--ack queued: in the
				  queue), or had no span */
	SPAN__ANSWER_LATER,    /* it is in the queue: the ack will be told */
	SPAN__ANSWER_LATE,     /* ... and was not written in time: it may be
				  yet, and comes again */
	SPAN__ANSWER_REJECTED, /* OTLP: none of its spans can be decoded */
	SPAN__ANSWER_BAD,      /* it cannot be decoded; WHY says why */
	SPAN__ANSWER_FULL,     /* the reader is slow: try again later */
	SPAN__ANSWER_STOPPING, /* this process ends: try another one */
};

struct span__acks;

/* A part of a server's request. A zeroed one does not wait. */
struct span__ack {
	/*
	 * Called once when the wait is over, with TAKEN, LATE or STOPPING,
	 * outside of the server's turn; a turn follows. ARG is the server's.
	 */
	void (*say)(struct span__ack *a, enum span__answer answer);
	void *arg;
	/* The rest belongs to ack.c. */
	TAILQ_ENTRY(span__ack) link;
	struct span__acks *all; /* NULL: it does not wait */
	uint64_t end, since_ns;
};

struct span__acks {
	TAILQ_HEAD(, span__ack) waiting;
	uint64_t limit_ns;
};

/* Nobody may wait longer than LIMIT_NS. */
void span__acks_init(struct span__acks *all, uint64_t limit_ns);

/* A waits, from NOW_NS on, until all up to END of the output is written. */
void span__acks_add(struct span__acks *all, struct span__ack *a, uint64_t end,
		    uint64_t now_ns);

/* A is not to be told, as its request is gone; fine when it does not wait. */
void span__ack_cancel(struct span__ack *a);

/* Tell those that end at WRITTEN or before. True when there was one. */
bool span__acks_tell(struct span__acks *all, uint64_t written);

/*
 * Tell those whose time is up that they are LATE. Returns how many, and in
 * *END where the last of them ends, else leaves it.
 */
uint64_t span__acks_expire(struct span__acks *all, uint64_t now_ns,
			   uint64_t *end);

/* Tell all the rest ANSWER. Returns how many. */
uint64_t span__acks_end(struct span__acks *all, enum span__answer answer);

/* The first place that is waited for; 0 when nobody waits. */
uint64_t span__acks_first(const struct span__acks *all);

/* For how long the first one has waited; 0 when nobody waits. */
uint64_t span__acks_age_ns(const struct span__acks *all, uint64_t now_ns);

#endif
