/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/udp.h - UDP sockets that receive in batches and know what they lost
 *
 * Only the socket's buffer stands between a burst and a loss, so a listener
 * asks for a large one, reads back what it got, and counts what the kernel
 * dropped.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include <span/base.h>
#include <span/payload.h>

#include "net/address.h"

#define SPAN__UDP_MAX 65535u /* bytes: no datagram is larger */
#define SPAN__UDP_BATCH 32u  /* datagrams of one system call */

/* One socket. */
struct span__udp {
	int fd;
	struct span__address local; /* with the port that was chosen */
	size_t buffer;		    /* bytes that the kernel gave */
	bool shared;		    /* somebody else listens there too */
	bool adopted;		    /* somebody else has it open, too */
	uint32_t drops_seen;	    /* of a count that starts again at 2^32 */
	uint64_t drops;		    /* datagrams that the kernel dropped; the
				       owner may set it back to 0 */
};

/*
 * Bind *U to A with a receive buffer of BUFFER bytes, or what the system
 * allows. Port 0 gets a free one. Others may listen on the same port, if they
 * also allow it and run as the same user.
 *
 * 0 or SPAN_E_IO with err->sys: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT ...
 */
SPAN_NODISCARD int span__udp_open(struct span__udp *u,
				  const struct span__address *a, size_t buffer,
				  struct span_error *err);

/*
 * Take a bound UDP socket that somebody else has opened. Its buffer is only
 * ever made larger. 0; SPAN_E_INVALID when FD is no bound UDP socket.
 */
SPAN_NODISCARD int span__udp_adopt(struct span__udp *u, int fd, size_t buffer,
				   struct span_error *err);

/*
 * Take in nothing new: what has arrived can still be received, what comes
 * later is refused as if the socket was closed, or goes to the others that
 * share the port. Nothing happens to an adopted socket, which others go on
 * with.
 */
void span__udp_finish(struct span__udp *u);

/* Is less than half of a large buffer in use, so that it can wait its turn? */
bool span__udp_can_wait(const struct span__udp *u);

/* Bring u->drops up to date. */
void span__udp_count_drops(struct span__udp *u);

/* Close the socket; a zeroed or closed one is fine when fd is -1. */
void span__udp_release(struct span__udp *u);

struct span__udp_batch;

/*
 * Room for SPAN__UDP_BATCH datagrams of up to MAX bytes each (longer ones are
 * cut and marked); 0 means SPAN__UDP_MAX.
 */
SPAN_NODISCARD int span__udp_batch_open(struct span__udp_batch **out,
					size_t max, struct span_error *err);
void span__udp_batch_close(struct span__udp_batch **b);

/*
 * Receive what is there, at most N datagrams, without waiting. Returns their
 * number, 0 when there is none, or SPAN_E_IO.
 */
SPAN_NODISCARD int span__udp_receive(struct span__udp *u,
				     struct span__udp_batch *b, size_t n,
				     struct span_error *err);

/* Datagram I of the last batch; *P borrows from B until the next receive. */
void span__udp_payload(struct span__udp_batch *b, size_t i,
		       struct span_payload *p);

#endif
