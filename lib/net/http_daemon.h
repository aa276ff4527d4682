/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_daemon.h - libmicrohttpd behind sockets that are accepted for it
 *
 * It reads and writes connections without a thread of its own. They are
 * accepted here: so one limit holds for all sockets, whoever is refused is
 * counted, and the lack of descriptors is no busy loop. One epoll descriptor
 * stands for all that is to be polled.
 *
 * Who serves has an entry for each connection, by its descriptor.
 */
#ifndef NET_HTTP_DAEMON_H
#define NET_HTTP_DAEMON_H

#include <microhttpd.h>
#include <sys/epoll.h>

#include "net/address.h"
#include "net/http_tls.h"

#define SPAN__HTTP_SOCKETS 64u

/* A listening socket, and what it is for: a number of its owner's. */
struct span__http_listener {
	int fd;
	uint32_t what;
};

/* All called during turns, with ARG first. */
struct span__http_calls {
	void *arg;
	MHD_AccessHandlerCallback handle;
	MHD_RequestCompletedCallback completed;
	MHD_NotifyConnectionCallback connection;
	/* The target as it came; what it returns is the request's. */
	void *(*begin)(void *arg, const char *target,
		       struct MHD_Connection *mhd);
	/* Somebody has come: FD is to be let in, or refused. */
	void (*enter)(void *arg, int fd, const struct span__http_listener *l,
		      const struct span__address *peer);
};

struct span__http_daemon {
	struct span__http_calls calls;
	struct MHD_Daemon *mhd;
	struct span__http_tls *tls; /* NULL: none is spoken */
	int epoll_fd;
	struct span__http_listener sockets[SPAN__HTTP_SOCKETS];
	size_t n_sockets;
	void **entries; /* by descriptor */
	size_t n_entries;
	uint64_t swept_ns;
	bool stopping, paused; /* paused: no descriptor for a connection */
	/* Something was done in the last turn; set also by who serves, when a
	 * request or an answer goes on. */
	bool moved;
};

struct span__http_daemon_opts {
	struct span__http_calls calls;
	const char *cert, *key; /* PEM, borrowed for open; NULL: no TLS */
	size_t max_connections;
	size_t memory;	   /* bytes of a connection, for a head and what goes
			      out */
	size_t increment;  /* bytes by which it reads more */
	bool keep_escapes; /* of targets */
};

/*
 * 0; SPAN_E_INVALID for TLS files that do not fit; SPAN_E_IO; SPAN_E_NOMEM.
 * To be closed in any case.
 */
SPAN_NODISCARD int
span__http_daemon_open(struct span__http_daemon *d,
		       const struct span__http_daemon_opts *o,
		       struct span_error *err);

/* Watch FD, whose events only end a wait. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__http_daemon_watch(struct span__http_daemon *d, int fd,
					   struct span_error *err);

/*
 * Accept connections of FD, a listening socket, which is D's when this
 * succeeds. 0, SPAN_E_LIMIT, SPAN_E_IO.
 */
SPAN_NODISCARD int span__http_daemon_listen(struct span__http_daemon *d, int fd,
					    uint32_t what,
					    struct span_error *err);

/* Accept what N events of the epoll descriptor tell of, but not for ever. */
void span__http_daemon_accept(struct span__http_daemon *d,
			      const struct epoll_event *events, int n);

/*
 * Let FD in, whose entry is ENTRY from now on; calls.connection ends it. False
 * when there is no memory: then it has no entry; FD is closed in any case.
 */
SPAN_NODISCARD bool span__http_daemon_add(struct span__http_daemon *d, int fd,
					  void *entry,
					  const struct span__address *peer);
void *span__http_daemon_entry(const struct span__http_daemon *d, int fd);
void span__http_daemon_forget(struct span__http_daemon *d, int fd);

/*
 * Is it time to look at connections? Once a second, and each 20 ms once it
 * stops.
 */
bool span__http_daemon_is_due(struct span__http_daemon *d, uint64_t now_ns);
/* How long until there is something to do, while N_OPEN are connected. */
uint64_t span__http_daemon_wait_ns(const struct span__http_daemon *d,
				   size_t n_open);

/* What libmicrohttpd has to do, but not for ever, nor once *END is not 0. */
void span__http_daemon_run(struct span__http_daemon *d, const int *end);

/*
 * Go on with a suspended connection whose answer is ready, before anything is
 * read of it: libmicrohttpd reads first, and takes a client that sends nothing
 * more for one that is gone. When its request is completed it is to be told.
 */
void span__http_resume(struct MHD_Connection *mhd);
void span__http_resumed(struct MHD_Connection *mhd);

/* Take no more connections. */
void span__http_daemon_stop(struct span__http_daemon *d);
/* End all connections; none may be suspended. */
void span__http_daemon_halt(struct span__http_daemon *d);
void span__http_daemon_close(struct span__http_daemon *d);

#endif
