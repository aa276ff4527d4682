/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_conn.h - what the parts of the HTTP server share
 */
#ifndef NET_HTTP_CONN_H
#define NET_HTTP_CONN_H

#include "net/address.h"
#include "net/http_daemon.h"
#include "net/http_routes.h"
#include "net/http_server.h"

/* What a connection is waiting for, and until when. */
enum span__http_state {
	SPAN__HTTP_IDLE, /* for a request */
	SPAN__HTTP_HEAD, /* for the rest of its head */
	SPAN__HTTP_BODY,
	SPAN__HTTP_WRITE,  /* for its payload to be written: without an end, as
			      the receiver has one for that */
	SPAN__HTTP_ANSWER, /* for the client to take it */
};

struct span__http_conn {
	struct span__http_server *server;
	int fd;
	enum span__http_kind kind;
	uint16_t port;
	char peer[SPAN__ADDRESS_TEXT];
	struct span__peer from;
	enum span__http_state state;
	struct MHD_Connection *suspended; /* it waits for its answer */
	bool cut;			  /* for slowness, or at the end */
	bool is_first;			  /* no request has come yet */
	uint64_t since_ns;		  /* that it is in this state */
	uint64_t deadline_ns;		  /* CLOCK_MONOTONIC */
};

/* What a listener is for. */
#define SPAN__HTTP_FOR(kind, port) ((uint32_t)(kind) << 16 | (port))
#define SPAN__HTTP_KIND(what) ((enum span__http_kind)((what) >> 16))
#define SPAN__HTTP_PORT(what) ((uint16_t)(what))

struct span__http_server {
	struct span__http_opts opts;
	struct span__http_daemon daemon; /* entries: struct span__http_conn */
	uint64_t start_ns;
	size_t *body_bytes; /* of bodies that are not whole yet, of all servers
			       or of this one: the next */
	size_t own_bytes;
	struct span__server_counts counts;
	const struct span_strategies *strategies;
	struct span_buf inflated;
	int failed; /* what take returned below 0 */
	struct span_error err;
};

/* C is now in STATE, and may be for NS. */
void span__http_wait(struct span__http_conn *c, enum span__http_state state,
		     uint64_t ns);

/* ---- http_accept.c: connections come and go ---- */

/* The connection of FD, or NULL; and its end, when there is one. */
struct span__http_conn *span__http_conn_of(struct span__http_server *h, int fd);
void span__http_conn_free(struct span__http_server *h, int fd);

/* Of struct span__http_calls; ARG is the server. */
void span__http_enter(void *arg, int fd, const struct span__http_listener *l,
		      const struct span__address *peer);

/*
 * Tell C that its body, which goes on and on, is too large. libmicrohttpd can
 * say nothing before its end.
 */
void span__http_tell_large(struct span__http_conn *c,
			   struct MHD_Connection *mhd);

/* C waits for a request. */
void span__http_rest(struct span__http_conn *c);

/* End what is too slow or gone; once it stops also what has nothing to say. */
void span__http_sweep(struct span__http_server *h);

/* ---- http_request.c: from a head to an answer ---- */

/* MHD_AccessHandlerCallback and MHD_RequestCompletedCallback. */
enum MHD_Result span__http_handle(void *cls, struct MHD_Connection *mhd,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *len, void **request);
void span__http_completed(void *cls, struct MHD_Connection *mhd, void **request,
			  enum MHD_RequestTerminationCode why);

/* ---- http_get.c: answers to GET ---- */

struct span__http_answer;

void span__http_sampling(const struct span__http_server *h,
			 struct MHD_Connection *mhd,
			 enum span__http_action what,
			 struct span__http_answer *a);
void span__http_health(const struct span__http_server *h,
		       struct span__http_answer *a);
void span__http_metrics(const struct span__http_server *h,
			struct span__http_answer *a);

/* ---- http_cors.c: what browsers ask before they send ---- */

/*
 * Add the headers of CORS to an answer, when the request has an Origin that
 * may; PREFLIGHT also those that allow the request it announces.
 */
void span__http_cors(const struct span__http_server *h,
		     struct MHD_Connection *mhd, struct MHD_Response *response,
		     bool preflight);

#endif
