/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/web_server.h - what lib/serve answers, by HTTP/1.1, with or without TLS
 *
 * One thread, the caller's, moves bytes; others make answers, so that one that
 * takes long keeps nobody waiting but those who come for the same. Whoever
 * reads slowly gets his answer made as slowly. Peers take turns: who asks for
 * much, or does not read, has his own share of threads and of room.
 *
 * Sources: RFC 9110, 9112, 7617; Fetch standard, "HTTP CORS protocol".
 */
#ifndef NET_WEB_SERVER_H
#define NET_WEB_SERVER_H

#include <signal.h>

#include "net/address.h"
#include "serve/serve.h"

struct span__web_server;
struct span__web_auth;

/* A request that has ended, for the log. */
struct span__web_line {
	const char *peer;
	struct span_str method,
		target;	 /* as they came: not to be printed raw */
	unsigned status; /* 0: the client went away before */
	uint64_t bytes, duration_ns;
	const char *error; /* what went wrong here, or "" */
	int sys;	   /* errno of it, or 0 */
};

/* Answers that may have begun for each thread. */
#define SPAN__WEB_OPEN 16u

/* Zero stands for the value in brackets. */
struct span__web_opts {
	const struct span__serve *serve; /* borrowed */
	const char *base_path;		 /* "/jaeger", or "" [] */
	size_t threads;			 /* that make answers [4] */
	size_t max_queue; /* requests that wait for one of them [1024] */
	size_t max_open;  /* answers that have begun, of one peer half of them
			     [SPAN__WEB_OPEN for each thread] */
	size_t max_connections;	 /* [1024] */
	size_t max_per_peer;	 /* [as span__admission_open() has it] */
	size_t max_body;	 /* [32 MiB] */
	const char *cert, *key;	 /* PEM, borrowed for open; NULL: no TLS */
	const char *const *cors; /* origins, or "*"; borrowed */
	size_t n_cors;
	const char *const *hosts; /* names that a loopback may be called by, */
	size_t n_hosts;		  /* besides localhost and addresses */
	struct span__web_auth *auth; /* borrowed; NULL: everybody may ask */
	uint64_t head_ns;	     /* for the head of a request [10 s] */
	uint64_t body_ns;	     /* for a body [60 s] */
	uint64_t request_ns;	     /* for an answer to begin [60 s] */
	uint64_t half_ns;   /* the same, of who has closed his half [2 s] */
	uint64_t answer_ns; /* for a piece of it to be taken [30 s] */
	uint64_t yield_ns;  /* the same, of 64 KiB, when others wait for room
			       to begin [2 s] */
	uint64_t idle_ns;   /* between two requests [3 min] */
	/* Called during turns; NULL: no log. */
	void (*log)(void *arg, const struct span__web_line *line);
	void *arg;
};

/* 0; SPAN_E_INVALID for TLS files that do not fit; SPAN_E_IO; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__web_server_open(struct span__web_server **out,
					 const struct span__web_opts *o,
					 struct span_error *err);

/*
 * Serve connections of FD, a listening socket at LOCAL, which belongs to the
 * server when this succeeds. 0, SPAN_E_LIMIT, SPAN_E_IO.
 */
SPAN_NODISCARD int span__web_server_listen(struct span__web_server *w, int fd,
					   const struct span__address *local,
					   struct span_error *err);

/*
 * Do what there is to do, waiting for it up to TIMEOUT_NS or a signal of MASK.
 * 0 or SPAN_E_IO.
 */
SPAN_NODISCARD int span__web_server_turn(struct span__web_server *w,
					 uint64_t timeout_ns,
					 const sigset_t *mask,
					 struct span_error *err);

/*
 * Show another certificate, CERT and KEY in PEM, to who connects from now on,
 * as by span__web_server_open(); when it fails the old one is shown.
 */
SPAN_NODISCARD int span__web_server_replace_tls(struct span__web_server *w,
						const char *cert,
						const char *key,
						struct span_error *err);

/* Take no more connections, and close those that wait for a request. */
void span__web_server_stop(struct span__web_server *w);
/* Are all connections closed? */
bool span__web_server_is_idle(const struct span__web_server *w);

/* For struct span__serve: W's counts, from any thread. */
void span__web_server_metrics(void *w, struct span_buf *out);

/* What has been done so far. */
struct span__web_sum {
	uint64_t requests, failed, cancelled; /* failed: by an error here */
	uint64_t bytes;			      /* of answers, without heads */
	uint64_t refused;		      /* connections */
};
void span__web_server_sum(struct span__web_server *w,
			  struct span__web_sum *out);

void span__web_server_close(struct span__web_server **w);

/* ---- web_auth.c: who may ask ---- */

/*
 * Lines of "user:hash", the hash one of crypt(5) that takes long on purpose:
 * yescrypt, bcrypt, scrypt, SHA-512 or SHA-256. 0; SPAN_E_INVALID with the
 * line's number; SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__web_auth_open(struct span__web_auth **out,
				       struct span_str text,
				       struct span_error *err);

/* The same, for who asks from now on; the users stay when it fails. */
SPAN_NODISCARD int span__web_auth_replace(struct span__web_auth *a,
					  struct span_str text,
					  struct span_error *err);

/* What is known of an Authorization header, NULL for none, at once. */
enum span__web_auth_state {
	SPAN__AUTH_NO,
	SPAN__AUTH_YES,
	SPAN__AUTH_ASK, /* span__web_auth_check(), which takes long */
};
enum span__web_auth_state span__web_auth_known(struct span__web_auth *a,
					       const char *header);
bool span__web_auth_check(struct span__web_auth *a, const char *header);
void span__web_auth_close(struct span__web_auth **a);

#endif
