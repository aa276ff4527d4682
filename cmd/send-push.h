/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send-push.h - spans of the source on their way into batches or the spool
 */
#ifndef SEND_PUSH_H
#define SEND_PUSH_H

#include "cmd.h"

#include "net/sender.h"

#define SEND_MOMENT_NS 100000000ull /* between two looks at signals */

struct send_run {
	struct span__sender *sender;
	struct span__batch *batch; /* being filled, or NULL */
	size_t n_spooled;	   /* put into the spool, but not flushed */
	uint64_t oldest_ns;	   /* when the first of them came */
	uint64_t give_up_at_ns;	   /* 0: nothing says when */
};
extern struct send_run send_run;

bool send_has_given_up(void);
/* And at the counts. */
void send_look_at_signals(void);

/*
 * Add a span; or, with a spool, N_KEPT spans of a frame, as
 * cmd_source_next_slice() has them. 0 or a negative code.
 */
SPAN_NODISCARD int send_put(const struct span *s, struct span_error *err);
SPAN_NODISCARD int send_put_slice(struct span_frame *f, const uint8_t *keep,
				  size_t n_kept, struct span_error *err);
/* Hand over what is gathered, and wait for room. 0 or a negative code. */
SPAN_NODISCARD int send_push(struct span_error *err);
/* How long what is gathered may still wait; UINT64_MAX for nothing. */
uint64_t send_due_ns(void);

#endif
