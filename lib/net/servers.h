/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/servers.h - the servers of a receiver, and whose turn it is
 */
#ifndef NET_SERVERS_H
#define NET_SERVERS_H

#include <poll.h>

#include "net/intake.h"
#include "net/server.h"

#define SPAN__SERVERS_MAX 64u
#define SPAN__SERVERS_FDS (SPAN__SERVERS_MAX + 1) /* to poll */

/* A zeroed struct has none. */
struct span__servers {
	struct span__intake *intake; /* borrowed; whom it makes wait */
	struct span__server v[SPAN__SERVERS_MAX];
	uint64_t due_ns[SPAN__SERVERS_MAX]; /* CLOCK_MONOTONIC */
	size_t n;
};

/* *S belongs to the servers when this succeeds. 0 or SPAN_E_LIMIT. */
SPAN_NODISCARD int span__servers_add(struct span__servers *all,
				     const struct span__server *s,
				     struct span_error *err);

/*
 * Fill one FD for each server, and one more. Returns how long to wait for
 * them: at most LIMIT_NS.
 */
uint64_t span__servers_fill(struct span__servers *all, struct pollfd *fds,
			    uint64_t limit_ns);

/*
 * After poll(2): tell those who wait what became of their payloads, and a turn
 * for each server that has something to do.
 */
SPAN_NODISCARD int span__servers_turn(struct span__servers *all,
				      const struct pollfd *fds,
				      struct span_error *err);

/*
 * Take no new connections, and end those that are open in good order, but
 * wait no longer than LIMIT_NS for that.
 */
SPAN_NODISCARD int span__servers_finish(struct span__servers *all,
					uint64_t limit_ns,
					struct span_error *err);

/* The sum of all. */
struct span__server_counts
span__servers_counts(const struct span__servers *all);

void span__servers_close(struct span__servers *all);

#endif
