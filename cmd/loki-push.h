/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-push.h - batches to a Loki, and what became of them
 *
 * One request at a time, in order: Loki is the slower one, and entries that
 * come late may be refused. Every entry ends as accepted, rejected or dropped,
 * and is counted once.
 */
#ifndef LOKI_PUSH_H
#define LOKI_PUSH_H

#include "cmd.h"

extern const struct cmd_option loki_push_options[];

/* True when --push was given; options that go with it only are checked. */
bool loki_push_wanted(void);

SPAN_NODISCARD int loki_push_open(struct span_error *err);

/*
 * The N entries of a batch from AT on, for loki_batch_init(). SPAN_E_PEER when
 * the peer is not there, or takes nothing: no more is to be pushed then.
 */
SPAN_NODISCARD int loki_push_batch(size_t at, size_t n, struct span_error *err);

/* No more comes: what is left to be said of the peer's answers. */
void loki_push_end(void);
void loki_push_close(void);

#endif
