/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/admission.h - which connections may come, and what they take together
 *
 * Shared by all servers of a process, so that its limits hold for their sum:
 * a number of connections, of which a single host gets a share, and memory
 * for requests that are not whole yet.
 */
#ifndef NET_ADMISSION_H
#define NET_ADMISSION_H

#include "net/address.h"

struct span__admission;

/*
 * Who a connection comes from: an IPv4 address or the first 64 bits of an
 * IPv6 one, which is what a host gets. All of a zeroed one are nobody, to whom
 * only the limit of all applies.
 */
struct span__peer {
	unsigned char bytes[8];
	uint8_t kind; /* 0: nobody */
};

struct span__peer span__peer_of(const struct span__address *a);

/*
 * At most MAX connections (1 to 1 M), and PER_PEER of one peer; 0: half of MAX,
 * but all of it for this host itself. 0, SPAN_E_NOMEM or SPAN_E_IO.
 */
SPAN_NODISCARD int span__admission_open(struct span__admission **out,
					size_t max, size_t per_peer,
					struct span_error *err);

/*
 * Count a connection of PEER. False when there are too many; else it is to be
 * followed by span__admission_leave() once. A may be NULL, and lets all in.
 */
SPAN_NODISCARD bool span__admission_enter(struct span__admission *a,
					  const struct span__peer *peer);
void span__admission_leave(struct span__admission *a,
			   const struct span__peer *peer);

/* Bytes that requests take, of all servers: to be read and moved by them. */
size_t *span__admission_memory(struct span__admission *a);

/* NULL is fine. */
void span__admission_close(struct span__admission **a);

#endif
