/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-spool.h - spans that wait on disk for their collector
 *
 * DIR/spans is a store, and DIR/sent says how far its frames were settled. The
 * main thread appends; the sender's thread takes frames from there, and writes
 * DIR/sent anew before a message that was settled makes room for another one.
 */
#ifndef SEND_SPOOL_H
#define SEND_SPOOL_H

#include "cmd.h"

#include "net/send_batch.h"

struct send_spool_opts {
	const char *dir;
	uint64_t max_bytes; /* what is older is dropped */
	size_t batch;	    /* spans */
	size_t batch_memory;
};

#define SEND_SPOOL_MIN (1u << 20) /* bytes */

/* 0; SPAN_E_BUSY when another one uses it; another negative code. */
SPAN_NODISCARD int send_spool_open(const struct send_spool_opts *o,
				   struct span_error *err);

/* Add a span. It is in the store after the next flush. */
SPAN_NODISCARD int send_spool_put(const struct span *s, struct span_error *err);
/*
 * 0; SPAN_E_FULL when there is no room on the disk, it may be called again;
 * another negative code.
 */
SPAN_NODISCARD int send_spool_flush(struct span_error *err);
/* Put spans are not in the store yet. */
bool send_spool_dirty(void);
/*
 * Make durable what is due, remove what was sent or is too much; *WAIT_NS is
 * lowered to when it is due again.
 */
SPAN_NODISCARD int send_spool_tick(uint64_t *wait_ns, struct span_error *err);

/* For struct span__sender_opts. */
int send_spool_more(void *arg, struct span__batch **b, struct span_error *err);
int send_spool_settled(void *arg, const struct span__batch *list,
		       struct span_error *err);

/* Spans that are not settled, and that were dropped for max_bytes. */
uint64_t send_spool_waiting(void);
uint64_t send_spool_dropped(void);

/* When nothing is under way any more: see what really waits. */
SPAN_NODISCARD int send_spool_settle_up(struct span_error *err);

/* Makes all durable. 0 or a negative code. */
int send_spool_close(struct span_error *err);

#endif
