/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/server.h - what a receiver and its servers know of each other
 *
 * A server speaks a protocol with connections (HTTP, gRPC) and takes part in
 * the receiver's loop: the receiver polls its descriptor and gives it turns.
 * It owns its connections and never blocks. A body that has arrived whole
 * becomes a payload; the receiver says what becomes of it, at once or when it
 * is written, and the server puts that into its protocol's words.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <span/base.h>
#include <span/payload.h>

#include "net/ack.h"

struct span__verdict {
	enum span__answer answer;
	uint64_t n_spans; /* that it holds */
	uint64_t n_bad;	  /* spans that cannot be decoded */
	char why[256];	  /* BAD and REJECTED: one line, no newline */
};

/*
 * Judge and queue a payload; *P is borrowed until it returns. FORMAT is one
 * of enum span_format, as the address and the content type say. Returns 0
 * with *V filled, or a negative code when the program cannot go on
 * (SPAN_E_PIPE, SPAN_E_IO, SPAN_E_NOMEM).
 *
 * With SPAN__ANSWER_LATER it is *ACK that is told later what became of it:
 * its say and arg are set, and it stays until then or is cancelled.
 */
typedef int span__take_fn(void *arg, const struct span_payload *p, int format,
			  struct span__ack *ack, struct span__verdict *v,
			  struct span_error *err);

/* Counts of one server; for each of them the sum since the start. */
struct span__server_counts {
	uint64_t connections; /* accepted, without those refused */
	uint64_t open;	      /* now */
	uint64_t requests;    /* answered, whatever the answer */
	uint64_t refused;     /* ... with an error */
	uint64_t too_large;   /* of those: above the limit of a body */
	/*
	 * Requests that did not come whole in time, or whose answer was not
	 * taken in time; gRPC connections that did not begin, too.
	 */
	uint64_t timeouts;
	uint64_t overloaded; /* connections refused: too many */
};

/* A server, as the receiver sees it; SELF is the server's own. */
struct span__server {
	void *self;
	/* Readable when there is something to do. */
	int (*poll_fd)(const void *self);
	/* How long until there is something to do, or UINT64_MAX. */
	uint64_t (*timeout_ns)(const void *self);
	/* Do what can be done without waiting. 0 or a negative code. */
	int (*turn)(void *self, struct span_error *err);
	/* Take no more connections; end those that are open, in good order. */
	void (*stop)(void *self);
	/* After stop: is every answer sent? */
	bool (*is_idle)(const void *self);
	void (*counts)(const void *self, struct span__server_counts *c);
	void (*close)(void *self);
};

#endif
