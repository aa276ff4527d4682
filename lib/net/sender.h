/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/sender.h - batches of spans on their way to a collector
 *
 * A thread makes messages of batches, sends several at a time, splits what is
 * too large, and tries again what may go through later. Whoever fills batches
 * waits for room: at most SPAN__SENDER_QUEUE of them wait beside those that
 * are being sent, so that memory is bounded and a slow collector slows its
 * source.
 *
 * Every span ends as accepted, rejected or dropped, and is counted once.
 */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include "net/http_client.h"
#include "net/send_batch.h"

#define SPAN__SENDER_QUEUE 2u
#define SPAN__SENDER_SLOTS 256u /* most messages at a time */

/* Why spans were dropped, which is our decision and not the peer's. */
enum span__send_drop {
	SPAN__SEND_GIVEN_UP,  /* no attempt went through in time */
	SPAN__SEND_TOO_LARGE, /* a span by itself is too large a message */
	SPAN__SEND_STOPPED,   /* we had to end */
	SPAN__SEND_DROPS
};

struct span__sender_counts {
	uint64_t taken; /* spans of batches */
	uint64_t accepted, rejected;
	uint64_t dropped[SPAN__SEND_DROPS];
	uint64_t retried; /* spans, once for each attempt after the first */
	uint64_t messages, failed; /* attempts; those that were not accepted */
	uint64_t bytes;		   /* of all attempts' messages */
};

struct span__sender_opts {
	struct span__http_opts http; /* its url is the target, UDP too */
	const char *name;	     /* of the peer, for messages */
	size_t message_max;	     /* bytes of a message with several spans */
	bool no_retry;
	uint64_t retry_min_ns, retry_max_ns; /* of the backoff */
	uint64_t retry_time_ns; /* of all attempts; UINT64_MAX: no limit */
	/*
	 * In the sender's thread. MORE (NULL: only what is pushed) is asked
	 * for another batch: 1, 0 for none now, or a negative code. SETTLE
	 * (NULL: nobody asks) is told of N spans of a batch, from FIRST on,
	 * that are accounted for; SAVE follows before the next message begins.
	 * SAY says a sentence to people; what comes from the peer is not
	 * escaped.
	 */
	int (*more)(void *arg, struct span__batch **b, struct span_error *err);
	void (*settle)(void *arg, const struct span__batch *b, size_t first,
		       size_t n);
	int (*save)(void *arg, struct span_error *err);
	void (*say)(void *arg, const char *text);
	void *arg;
};

struct span__sender;

/* 0, SPAN_E_INVALID, SPAN_E_PEER, SPAN_E_IO or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__sender_open(struct span__sender **out,
				     const struct span__sender_opts *o,
				     struct span_error *err);

/*
 * Hand over *B, which becomes NULL, within WAIT_NS: 1; 0 when there is no room
 * yet; or what the thread has failed with.
 */
SPAN_NODISCARD int span__sender_push(struct span__sender *s,
				     struct span__batch **b, uint64_t wait_ns,
				     struct span_error *err);

/*
 * Is what is sent now refused, for a reason that will not go away by itself?
 * Without a MORE it is dropped for that.
 */
bool span__sender_is_refused(struct span__sender *s);

/* There is more to ask MORE for. */
void span__sender_wake(struct span__sender *s);

/*
 * No more batches come: wait, WAIT_NS at most, until all are settled. 1; 0 not
 * yet; or what the thread has failed with.
 */
SPAN_NODISCARD int span__sender_finish(struct span__sender *s, uint64_t wait_ns,
				       struct span_error *err);

/*
 * From now on nothing is sent any more: what is not accepted is dropped as
 * stopped, and so is what is pushed later. With a MORE it is forgotten, and
 * not counted.
 */
void span__sender_give_up(struct span__sender *s);

void span__sender_counts(struct span__sender *s,
			 struct span__sender_counts *out);

/* Ends the thread; what is not settled is forgotten. NULL is fine. */
void span__sender_close(struct span__sender **s);

#endif
