/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/receiver.h - everything that messages come from, in one loop
 *
 * UDP sockets, servers, an interface, or a capture file in; a queue out;
 * counts of what became of every message. What comes from the network never
 * waits: with a full queue datagrams are dropped and requests refused, and
 * both counted. What comes from a file waits.
 */
#ifndef NET_RECEIVER_H
#define NET_RECEIVER_H

#include <span/base.h>

#include <signal.h>

#include "net/capture.h"
#include "net/counts.h"
#include "net/intake.h"
#include "net/packet.h"
#include "net/queue.h"
#include "net/servers.h"
#include "net/udp.h"

#define SPAN__RECEIVER_SOCKETS 128u

struct span__receiver;

struct span__receiver_opts {
	size_t queue;	     /* bytes */
	size_t buffer;	     /* bytes of each socket's buffer */
	uint64_t count;	     /* stop after so many payloads; 0: never */
	bool keep_truncated; /* write what was cut, marked */
	uint64_t ack_ns;     /* as struct span__intake_opts has it */
};

/* 0, SPAN_E_INVALID, SPAN_E_NOMEM, SPAN_E_IO. */
SPAN_NODISCARD int span__receiver_open(struct span__receiver **out,
				       const struct span__receiver_opts *o,
				       struct span_error *err);

/*
 * Listen on PORT of every address that N HOSTS stand for, as
 * span__address_resolve() has them. An address family that this system has
 * not is no error while another one works.
 *
 * 0; SPAN_E_INVALID for a host that cannot be resolved; SPAN_E_IO;
 * SPAN_E_LIMIT above SPAN__RECEIVER_SOCKETS.
 */
SPAN_NODISCARD int span__receiver_listen(struct span__receiver *r,
					 const char *const *hosts, size_t n,
					 uint16_t port, struct span_error *err);

/*
 * Listen on the bound socket FD, which then belongs to the receiver. 0;
 * SPAN_E_INVALID when it is none; SPAN_E_LIMIT.
 */
SPAN_NODISCARD int span__receiver_adopt(struct span__receiver *r, int fd,
					struct span_error *err);

/* Take datagrams and requests to PORTS out of C, borrowed. */
SPAN_NODISCARD int span__receiver_capture(struct span__receiver *r,
					  struct span__capture *c,
					  const struct span__ports *ports,
					  struct span_error *err);

/*
 * Let a server take part. It belongs to the receiver when this succeeds; what
 * it takes goes to span__intake_take() with the receiver's intake. 0 or
 * SPAN_E_LIMIT.
 */
SPAN_NODISCARD int span__receiver_add_server(struct span__receiver *r,
					     const struct span__server *s,
					     struct span_error *err);
struct span__intake *span__receiver_intake(struct span__receiver *r);

size_t span__receiver_n_sockets(const struct span__receiver *r);
const struct span__udp *span__receiver_socket(const struct span__receiver *r,
					      size_t i);

/*
 * Start writing the payload stream to FD, borrowed. To be called after the
 * process has become the user that it is going to be, and before one of the
 * next two.
 */
SPAN_NODISCARD int span__receiver_start(struct span__receiver *r, int fd,
					struct span_error *err);

/*
 * Wait up to TIMEOUT_NS for datagrams, and receive what is there. Signals
 * arrive only while it waits, with the mask MASK. Returns 1; 0 when opts.count
 * is reached; or a negative code.
 */
SPAN_NODISCARD int span__receiver_turn(struct span__receiver *r,
				       uint64_t timeout_ns,
				       const sigset_t *mask,
				       struct span_error *err);

/*
 * Read the next packets of a capture file: at most a few hundred. Returns 1;
 * 0 at the end or when opts.count is reached; or a negative code.
 */
SPAN_NODISCARD int span__receiver_read(struct span__receiver *r,
				       struct span_error *err);

/*
 * Receive nothing new; let servers answer what they have begun to read, for
 * five seconds at most; with DRAIN write what the kernel still holds; then
 * wait until everything is written.
 */
SPAN_NODISCARD int span__receiver_finish(struct span__receiver *r, bool drain,
					 struct span_error *err);

/* Counts as of now. */
const struct span__counts *span__receiver_counts(struct span__receiver *r);
/* The reader of captured packets, or NULL: for its counts. */
const struct span__packets *
span__receiver_packets(const struct span__receiver *r);
/* Bytes that wait in the queue. */
uint64_t span__receiver_queue_len(struct span__receiver *r);

struct span__server_counts
span__receiver_server_counts(const struct span__receiver *r);

/* NULL is fine. */
void span__receiver_close(struct span__receiver **r);

#endif
