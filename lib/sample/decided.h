/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decided.h - what was decided of traces, for their late spans
 *
 * A table of fixed size: who is not there any more was decided long ago.
 */
#ifndef SPAN_SAMPLE_DECIDED_H
#define SPAN_SAMPLE_DECIDED_H

#include "base/hash.h"

#include <span/sample.h>

struct span__decided {
	struct span__decision *v;
	size_t n_sets; /* a power of two */
	uint32_t clock;
	struct span__key secret;
};

/* BYTES of memory at most: 0, SPAN_E_NOMEM or SPAN_E_IO. */
SPAN_NODISCARD int span__decided_init(struct span__decided *d, size_t bytes,
				      struct span_error *err);
size_t span__decided_bytes(const struct span__decided *d);
/* A trace is known by this hash of its id, which is never 0. */
static inline uint64_t span__decided_hash(const struct span__decided *d,
					  const uint8_t id[16])
{
	return span__hash(&d->secret, id, 16) | UINT64_C(1) << 63;
}
/* It is going to be put. */
void span__decided_expect(const struct span__decided *d, uint64_t hash);
void span__decided_put(struct span__decided *d, uint64_t hash,
		       const struct span_verdict *v);
bool span__decided_get(const struct span__decided *d, uint64_t hash,
		       struct span_verdict *v);
void span__decided_release(struct span__decided *d);

#endif
