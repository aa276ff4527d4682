/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/fragment.h - put IP fragments together
 *
 * Memory, number and age are bounded; what is over a bound is given up, the
 * oldest first, and counted. Fragments that overlap make the whole datagram
 * void (RFC 5722), exact repetitions do not matter (RFC 8200, 4.5).
 */
#ifndef NET_FRAGMENT_H
#define NET_FRAGMENT_H

#include <span/base.h>

#include "net/counts.h"

#define SPAN__FRAGMENT_DATAGRAMS 256u	    /* unfinished at a time */
#define SPAN__FRAGMENT_MEMORY (4u << 20)    /* bytes of all unfinished ones */
#define SPAN__FRAGMENT_AGE_NS 5000000000ull /* since the first fragment */
#define SPAN__FRAGMENT_MAX 65535u	    /* bytes of one datagram */

struct span__fragment {
	uint8_t family_size; /* bytes of an address: 4 or 16 */
	uint8_t protocol;    /* of the IP header, or next header */
	bool more;	     /* not the last one */
	bool cut;	     /* the capture does not have all of it */
	uint32_t id;
	const uint8_t *source, *target; /* addresses */
	size_t offset, len;		/* in the datagram */
	const uint8_t *p;		/* LEN bytes */
	uint64_t time_ns;
};

/*
 * Is a datagram whose first LEN bytes are at P wanted? Losses of others do
 * not count. PROTOCOL is that of the first fragment.
 */
typedef bool span__fragment_fn(void *self, uint8_t protocol, const uint8_t *p,
			       size_t len);

struct span__reassembly;

SPAN_NODISCARD int span__reassembly_open(struct span__reassembly **out,
					 span__fragment_fn *wanted, void *self,
					 struct span_error *err);

/*
 * Add *F. Returns 1 when that completes a datagram, with its protocol and
 * bytes in *PROTOCOL, *P and *LEN until the next call; 0 otherwise;
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__reassembly_put(struct span__reassembly *r,
					const struct span__fragment *f,
					uint8_t *protocol, const uint8_t **p,
					size_t *len, struct span_error *err);

/* Give up everything that is unfinished, and count it. */
void span__reassembly_finish(struct span__reassembly *r);

/* Datagrams that were lost, by cause. */
const uint64_t *span__reassembly_drops(const struct span__reassembly *r);

/* Bytes held for unfinished datagrams. */
size_t span__reassembly_memory(const struct span__reassembly *r);

void span__reassembly_close(struct span__reassembly **r);

#endif
