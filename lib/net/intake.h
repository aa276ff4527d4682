/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/intake.h - where messages become payloads in the queue, or are refused
 *
 * Datagrams are taken as they are, and dropped when the queue is full. Bodies
 * of requests have a sender who waits for an answer: they are judged first,
 * and what cannot be kept is refused, so that the sender keeps it.
 */
#ifndef NET_INTAKE_H
#define NET_INTAKE_H

#include "net/counts.h"
#include "net/queue.h"
#include "net/server.h"

struct span__intake;

struct span__intake_opts {
	size_t queue;	     /* bytes */
	uint64_t count;	     /* enough after so many payloads; 0: never */
	bool keep_truncated; /* write what was cut, marked */
	/*
	 * Requests are answered when their payload is written, or else after
	 * so long; 0: when it is in the queue.
	 */
	uint64_t ack_ns;
};

/* 0, SPAN_E_NOMEM, SPAN_E_IO. */
SPAN_NODISCARD int span__intake_open(struct span__intake **out,
				     const struct span__intake_opts *o,
				     struct span_error *err);

/* Start writing to FD, borrowed. As span__queue_open(). */
SPAN_NODISCARD int span__intake_start(struct span__intake *in, int fd,
				      struct span_error *err);

/* NULL before the start. */
struct span__queue *span__intake_queue(struct span__intake *in);
/* What the caller counts itself belongs there, too. */
struct span__counts *span__intake_counts(struct span__intake *in);

/*
 * Put the datagram *P into the queue, with WAIT until there is room, else it
 * is dropped. 0 or what writing has failed with.
 */
SPAN_NODISCARD int span__intake_datagram(struct span__intake *in,
					 const struct span_payload *p,
					 bool wait, struct span_error *err);

/* Count a message to PORT that was lost before it came so far. */
void span__intake_lose(struct span__intake *in, uint16_t port,
		       enum span__drop cause);

/* A span__take_fn whose ARG is the intake. */
SPAN_NODISCARD int span__intake_take(void *arg, const struct span_payload *p,
				     int format, struct span__ack *ack,
				     struct span__verdict *v,
				     struct span_error *err);

/*
 * For the loop: a descriptor that becomes readable when some of those who wait
 * can be answered, or -1; how long until one has waited for too long, or
 * UINT64_MAX; answer those who can be, where READABLE says what poll(2) did:
 * true when there was one. And, when all that came was taken, write it now.
 */
int span__intake_written_fd(const struct span__intake *in);
uint64_t span__intake_timeout_ns(const struct span__intake *in);
bool span__intake_answer(struct span__intake *in, bool readable);
void span__intake_push(struct span__intake *in);

/* Nobody waits any longer: what is not written yet is late. */
void span__intake_hurry(struct span__intake *in);

/* Has it as many payloads as were asked for? How many are still missing? */
bool span__intake_is_enough(const struct span__intake *in);
uint64_t span__intake_missing(const struct span__intake *in);

/* Bytes that the queue can hold, and has room for. */
size_t span__intake_size(const struct span__intake *in);
size_t span__intake_room(struct span__intake *in);

/*
 * For how long the reader has taken nothing of what waits for it. To be called
 * every now and then, as it can only compare with the last time.
 */
uint64_t span__intake_stalled_ns(struct span__intake *in);

/*
 * Write everything that is queued, if it was started. 0 or what writing
 * failed with.
 */
SPAN_NODISCARD int span__intake_finish(struct span__intake *in,
				       struct span_error *err);

/* Once writing has failed: payloads that were taken and are not written. */
uint64_t span__intake_lost(struct span__intake *in);

/* NULL is fine. */
void span__intake_close(struct span__intake **in);

#endif
