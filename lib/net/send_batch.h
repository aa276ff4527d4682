/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/send_batch.h - spans that are sent together, and messages of them
 *
 * A batch owns deep copies of its spans, with each process once. It is filled
 * by one thread, then handed to another.
 */
#ifndef NET_SEND_BATCH_H
#define NET_SEND_BATCH_H

#include <span/model.h>

#include "net/send_url.h"

#define SPAN__BATCH_MAX 65536u /* spans */

struct span__batch_process {
	const struct span_process *p;
	uint64_t hash;
	size_t n; /* spans */
};

/* Where a span comes from; the owner's. */
struct span__batch_mark {
	uint64_t seq;	/* a frame */
	uint32_t index; /* a span in it */
};

struct span__batch {
	struct span__batch *next; /* in a list of the owner's */
	struct span *spans;
	uint32_t *process_of; /* of each span, an index */
	size_t n, max;
	struct span__batch_process *processes;
	size_t n_processes;
	uint32_t *table; /* of processes by hash: index + 1; 0: none */
	size_t table_mask;
	struct span_arena arena;
	size_t n_pending; /* messages of it that are not settled */
	struct span__batch_mark *marks; /* of each span */
};

/* An empty batch for MAX spans. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__batch_open(struct span__batch **out, size_t max,
				    struct span_error *err);
/* Copy a span into it; there must be room. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__batch_put(struct span__batch *b, const struct span *s,
				   struct span_error *err);
/* Bytes of memory that its spans take. */
size_t span__batch_size(const struct span__batch *b);

/*
 * Order the spans by process, for messages that hold one only; the order in
 * which they came stays within a process. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__batch_group(struct span__batch *b,
				     struct span_error *err);
void span__batch_close(struct span__batch **b);

/*
 * Append to OUT the message of a URL with N spans, which have one process
 * where the protocol is Jaeger's. 0, SPAN_E_INVALID, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__send_encode(struct span_buf *out,
				     const struct span__send_url *u,
				     const struct span *spans, size_t n,
				     struct span_error *err);

/*
 * Make of a message what goes into a request: compressed with GZIP, and behind
 * its length for gRPC. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__send_pack(struct span_buf *message, bool grpc,
				   bool gzip, struct span_error *err);

#endif
