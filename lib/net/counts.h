/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/counts.h - what became of the messages: datagrams and bodies
 *
 * For each port: received = written + empty + refused + drops, without those
 * of the kernel, which never came so far; sent = received + the drops of the
 * kernel. What was lost before its port was known counts for port 0.
 */
#ifndef NET_COUNTS_H
#define NET_COUNTS_H

#include <stddef.h>
#include <stdint.h>

enum span__drop {
	SPAN__DROP_QUEUE,      /* the reader of the output was too slow */
	SPAN__DROP_KERNEL,     /* the socket's or interface's buffer was full */
	SPAN__DROP_TRUNCATED,  /* it was captured in part only */
	SPAN__DROP_MALFORMED,  /* it breaks the rules of its protocol */
	SPAN__DROP_INCOMPLETE, /* packets did not come, or not in time */
	SPAN__DROP_OVERLAP,    /* packets contradict each other */
	SPAN__DROP_LIMIT,      /* it is larger than a payload may be */
	SPAN__DROPS
};

/* Why the sender of a body was told that it is not taken. */
enum span__refusal {
	SPAN__REFUSED_BAD,  /* it cannot be decoded */
	SPAN__REFUSED_FULL, /* the reader of the output was too slow, or this
			       process ends: it may come again */
	SPAN__REFUSALS
};

/* "bad", ...: as --metrics-file has it and people read it. */
const char *span__refusal_name(enum span__refusal r);

/* "queue_full", ...: as --metrics-file has it; "queue full" for people. */
const char *span__drop_name(enum span__drop d);
const char *span__drop_text(enum span__drop d);

#define SPAN__COUNTS_PORTS 64u /* further ones are counted for port 0 */

struct span__port_counts {
	uint16_t port; /* 0: unknown or one too many */
	uint64_t received, bytes, written;
	uint64_t drops[SPAN__DROPS];
	/* Of bodies only, which are looked into. */
	uint64_t empty;		   /* had no span and were not written */
	uint64_t spans, bad_spans; /* of those judged: taken, undecodable */
	uint64_t full_spans;	   /* of those refused for a full queue */
	uint64_t refused[SPAN__REFUSALS];
};

/* A zeroed struct is empty. Entry 0 is that of port 0. */
struct span__counts {
	struct span__port_counts ports[SPAN__COUNTS_PORTS + 1];
	size_t n_ports;	    /* besides port 0 */
	uint64_t truncated; /* of those written: marked as not whole */
	/* Of those written: their senders were told to come again. */
	uint64_t late;
};

/* The counts of PORT; valid as long as C is. */
struct span__port_counts *span__counts_of(struct span__counts *c,
					  uint16_t port);

/* The sum of all ports; its port is 0. */
struct span__port_counts span__counts_sum(const struct span__counts *c);

uint64_t span__drops_sum(const struct span__port_counts *p);
uint64_t span__refused_sum(const struct span__port_counts *p);

#endif
