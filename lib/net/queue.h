/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/queue.h - payloads on their way to a slow reader
 *
 * A ring of bytes with a thread that writes it to a descriptor. Whoever
 * receives puts payloads in and never waits for the reader: when the ring is
 * full it is told so, and counts.
 *
 * A thread and not O_NONBLOCK: that flag belongs to the open file, which
 * standard output shares with a shell and with other programs, and it does
 * nothing for a file on a slow disk.
 */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include <span/base.h>
#include <span/payload.h>

#define SPAN__QUEUE_MIN (256u << 10) /* bytes: holds any datagram */
#define SPAN__QUEUE_MAX (1u << 30)

struct span__queue;

/*
 * A queue of SIZE bytes (SPAN__QUEUE_MIN to SPAN__QUEUE_MAX) that writes to
 * FD, which is borrowed; a pipe is made as large as the system allows. The
 * thread runs with every signal blocked. 0, SPAN_E_INVALID or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__queue_open(struct span__queue **out, int fd,
				    size_t size, struct span_error *err);

enum span__put {
	/* Wait for room, and go through in parts what is larger than that. */
	SPAN__PUT_WAIT = 1 << 0,
	/*
	 * span__queue_await() is going to be called, in a moment: only what is
	 * worth a write is told of before.
	 */
	SPAN__PUT_QUIET = 1 << 1,
};

/*
 * Copy *P into the queue; HOW is of enum span__put. It is written within 10
 * ms, when the reader takes it, unless it is put quietly.
 *
 * Returns 1; 0 when there is no room, or no memory; SPAN_E_LIMIT; or
 * SPAN_E_PIPE or SPAN_E_IO when writing has failed.
 */
SPAN_NODISCARD int span__queue_put(struct span__queue *q,
				   const struct span_payload *p, unsigned how,
				   struct span_error *err);

/* Bytes that wait to be written. */
uint64_t span__queue_len(struct span__queue *q);

/*
 * A number that changes whenever the reader has taken a byte, or what it has
 * room for was written; *LEN is what waits to be written.
 */
uint64_t span__queue_taken(struct span__queue *q, uint64_t *len);

/* How many bytes were put since the start: where the last payload ends. */
uint64_t span__queue_end(const struct span__queue *q);

/*
 * How many bytes write(2) has taken since the start; *FAILED when there will
 * be no more.
 */
uint64_t span__queue_written(struct span__queue *q, bool *failed);

/*
 * Write all that was put without waiting for more, and make
 * span__queue_written_fd() readable once it is written up to END, or not going
 * to be; not at all for 0. To be called by whoever puts.
 */
void span__queue_await(struct span__queue *q, uint64_t end);

/* An eventfd(2), to be read by the caller. */
int span__queue_written_fd(const struct span__queue *q);

/* Once writing has failed: payloads that were put and are not written whole. */
uint64_t span__queue_lost(struct span__queue *q);

/* A descriptor that becomes readable when writing has failed. */
int span__queue_failed_fd(const struct span__queue *q);

/*
 * Write everything and stop the thread; waits for the reader. Nothing can be
 * put any more. 0 or what writing failed with.
 */
SPAN_NODISCARD int span__queue_finish(struct span__queue *q,
				      struct span_error *err);

/* Free it, unfinished ones after finishing; NULL is fine. */
void span__queue_close(struct span__queue **q);

#endif
