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

/*
 * Copy *P into the queue. With WAIT until there is room for it, in parts when
 * it is larger than the queue. It is written within 10 ms, when the reader
 * takes it.
 *
 * Returns 1; 0 when there is no room, or no memory; SPAN_E_LIMIT; or
 * SPAN_E_PIPE or SPAN_E_IO when writing has failed.
 */
SPAN_NODISCARD int span__queue_put(struct span__queue *q,
				   const struct span_payload *p, bool wait,
				   struct span_error *err);

/* Bytes that wait to be written. */
uint64_t span__queue_len(struct span__queue *q);

/*
 * A number that changes whenever the reader has taken a byte, or what it has
 * room for was written; *LEN is what waits to be written.
 */
uint64_t span__queue_taken(struct span__queue *q, uint64_t *len);

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
