/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loki-batch.h - entries that go into one request
 *
 * They are sorted by stream and time there, as Loki likes them best.
 */
#ifndef LOKI_BATCH_H
#define LOKI_BATCH_H

#include "loki-entry.h"

#define LOKI_MAX_BATCH (1u << 29) /* offsets in a batch are 32 bits */

/*
 * Is handed N entries, from AT on, of the batch that is full: 0 or a negative
 * code.
 */
typedef int loki_batch_fn(size_t at, size_t n, struct span_error *err);

extern uint64_t loki_batches; /* so far */

/* Hand batches of about SIZE bytes to FN. */
void loki_batch_init(size_t size, loki_batch_fn *fn);
/* Add an entry, and write when that makes it full: 0 or a negative code. */
SPAN_NODISCARD int loki_batch_put(const struct loki_subject *s,
				  struct span_error *err);
/* Write what there is. */
SPAN_NODISCARD int loki_batch_flush(struct span_error *err);
/* Warn of what Loki may refuse, and of what was changed to be taken. */
void loki_batch_warn(void);
/* When the first entry came, CLOCK_MONOTONIC; 0: there is none. */
uint64_t loki_batch_since(void);

/* For FN: append the body of a request, or the lines, of N entries. */
void loki_batch_body(struct span_buf *out, size_t at, size_t n);

void loki_batch_release(void);

#endif
