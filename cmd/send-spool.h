/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-spool.h - spans that wait on disk for their collector
 *
 * DIR/spans is a store, and DIR/sent says which of its spans were settled. The
 * main thread appends; the sender's thread takes frames from there, and writes
 * into DIR/sent before a message that was settled makes room for another one.
 *
 * DIR/sent may name frames that a power cut takes from the store, whose numbers
 * come again: it is cut to what the store has before anything is appended.
 */
#ifndef SEND_SPOOL_H
#define SEND_SPOOL_H

#include "cmd.h"

#include "net/send_batch.h"

struct send_spool_opts {
	const char *dir;
	uint64_t max_bytes;
	bool waits;   /* when it has more; else the oldest spans are dropped */
	size_t batch; /* spans */
	size_t batch_memory;
};

/* Bytes that it may be asked to have at least, and has when nobody asks. */
#define SEND_SPOOL_MIN (1u << 20)
#define SEND_SPOOL_MAX (1u << 30)

/* 0; SPAN_E_BUSY when another one uses it; another negative code. */
SPAN_NODISCARD int send_spool_open(const struct send_spool_opts *o,
				   struct span_error *err);

/* Add a span. It is in the store after the next flush. */
SPAN_NODISCARD int send_spool_put(const struct span *s, struct span_error *err);
/* The same for N_KEPT spans of a frame, as cmd_source_next_slice() has them. */
SPAN_NODISCARD int send_spool_put_slice(struct span_frame *f,
					const uint8_t *keep, size_t n_kept,
					struct span_error *err);
/*
 * 0; SPAN_E_FULL when there is no room on the disk, it may be called again;
 * another negative code.
 */
SPAN_NODISCARD int send_spool_flush(struct span_error *err);
/* Is there room for what was put? Always, where the oldest spans have to go. */
bool send_spool_has_room(void);
/*
 * Make durable what is due, remove what was sent or is too much; *WAIT_NS is
 * lowered to when it is due again. HURRY: look at once what was sent.
 */
SPAN_NODISCARD int send_spool_tick(uint64_t *wait_ns, bool hurry,
				   struct span_error *err);

/* For struct span__sender_opts. */
int send_spool_more(void *arg, struct span__batch **b, struct span_error *err);
void send_spool_settle(void *arg, const struct span__batch *b, size_t first,
		       size_t n);
int send_spool_save(void *arg, struct span_error *err);

struct send_spool_counts {
	uint64_t found;	  /* spans that waited when it was opened */
	uint64_t waiting; /* that are not settled */
	uint64_t dropped; /* for max_bytes */
};
void send_spool_counts(struct send_spool_counts *out);

/* When nothing is under way any more: see what really waits. */
SPAN_NODISCARD int send_spool_settle_up(struct span_error *err);

/* Makes all durable. 0 or a negative code. */
int send_spool_close(struct span_error *err);

#endif
