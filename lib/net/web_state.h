/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/web_state.h - what the parts of the web server share
 *
 * The thread that calls span__web_server_turn() has all of libmicrohttpd and
 * of connections. A job goes to a thread that makes answers and comes back; in
 * between it is that thread's, but for its first part.
 */
#ifndef NET_WEB_STATE_H
#define NET_WEB_STATE_H

#include <pthread.h>
#include <zlib.h>

#include "net/admission.h"
#include "net/http_daemon.h"
#include "net/web_server.h"
#include "serve/routes.h"

/* Of libmicrohttpd, for a head and what goes out: a thousand connections that
 * have been used take as many of these. */
#define SPAN__WEB_HEAD_MEMORY 32768u
#define SPAN__WEB_PIECE 65536u /* bytes of an answer that are made at once */

/* What a connection is waiting for, and until when. */
enum span__web_wait {
	SPAN__WEB_IDLE, /* for a request */
	SPAN__WEB_HEAD, /* for the rest of its head */
	SPAN__WEB_BODY,
	SPAN__WEB_WORK, /* for an answer to be made */
	SPAN__WEB_SEND, /* for the client to take it */
};

struct span__web_conn {
	struct span__web_server *web;
	int fd;
	bool loopback; /* it came to one */
	char peer[SPAN__ADDRESS_TEXT];
	struct span__peer from;
	enum span__web_wait wait;
	uint64_t since_ns, deadline_ns; /* CLOCK_MONOTONIC */
	bool is_first, cut;
	struct span__web_job *job; /* of the request that is being answered */
};

/* Which threads a job goes to. */
enum span__web_lane {
	SPAN__WEB_WORKERS,
	SPAN__WEB_QUICK, /* for what takes no time */
	SPAN__WEB_DOOR,	 /* to look at credentials */
	SPAN__WEB_LANES,
};

/* Why a request is not answered by its route; each is a status. */
enum span__web_refusal {
	SPAN__WEB_GOOD,
	SPAN__WEB_BAD, /* its head */
	SPAN__WEB_BAD_HOST,
	SPAN__WEB_BAD_ORIGIN,
	SPAN__WEB_TOO_LARGE,
	SPAN__WEB_BAD_CODING,
	SPAN__WEB_NO_ROOM,
	SPAN__WEB_PREFLIGHT,
	SPAN__WEB_REDIRECT, /* to the base path with its slash */
	SPAN__WEB_NO_METHOD,
	SPAN__WEB_UNKNOWN, /* nobody, or with a wrong password */
	SPAN__WEB_SLOW,	   /* the answer takes too long */
};

struct span__web_job {
	/* The turning thread's. */
	struct span__web_conn *conn; /* NULL: it went away */
	struct MHD_Connection *mhd, *suspended;
	bool busy;     /* a thread has it, or it waits for one */
	bool answered; /* there is a response */
	bool headed;   /* its head is whole */
	uint64_t start_ns, sent;
	unsigned status;
	/* Of either: set here, read there. */
	bool gone;

	/* Of whoever has it. */
	struct span__web_server *web;
	struct span__web_job *next;
	enum span__web_refusal refusal;
	bool knock, known; /* credentials to be looked at first; are right */
	char *target, *authorization; /* copies */
	char method[16];
	struct span_arena arena;
	struct span_buf body;
	struct span__serve_request r;
	const struct span__serve_route *route;
	const char *allow;
	struct span__serve_answer a;
	bool begun;	       /* counts in n_begun */
	bool made;	       /* the handler has returned */
	bool end;	       /* all of it is in OUT */
	bool unmade;	       /* there is none to be sent of it */
	struct span_error err; /* what went wrong, for the log */
	int rc;		       /* what a handler or more returned */
	bool may_gzip, gzip;
	char *wanted;  /* If-None-Match */
	char etag[24]; /* "": none */
	z_stream z;
	struct span_buf piece, out; /* out: what is to be sent */
	size_t out_sent;
};

struct span__web_queue {
	struct span__web_job *first, **last;
	size_t n;
};

#define SPAN__WEB_CODES 20u
#define SPAN__WEB_BUCKETS 14u

/* Under COUNT_LOCK. */
struct span__web_counts {
	uint64_t connections, open, refused; /* connections */
	uint64_t timeouts, cancelled, queue_full, too_large, failed;
	uint64_t bytes;	    /* of answers */
	uint64_t *requests; /* by route and code */
	uint64_t durations[SPAN__WEB_BUCKETS + 1];
	uint64_t n_durations, duration_ns;
};

struct span__web_server {
	struct span__web_opts opts;
	struct span__http_daemon daemon; /* entries: struct span__web_conn */
	int wake_fd;			 /* jobs have come back */
	struct span__admission *admission;
	size_t n_open, n_routes, body_bytes;

	pthread_mutex_t lock;
	pthread_cond_t wake[SPAN__WEB_LANES];
	struct span__web_queue fresh[SPAN__WEB_LANES];
	struct span__web_queue going; /* answers that have begun */
	struct span__web_queue done;
	size_t n_begun, max_begun; /* answers of workers, not at their end */
	bool ending;
	pthread_t *threads;
	size_t n_threads;

	pthread_mutex_t count_lock;
	struct span__web_counts counts;
};

/* ---- web_accept.c: connections come and go ---- */

/* C is now in STATE, and may be for NS. */
void span__web_wait(struct span__web_conn *c, enum span__web_wait wait,
		    uint64_t ns);
/* Of struct span__http_calls; what a listener is for is whether it is one of a
 * loopback. */
void span__web_enter(void *arg, int fd, const struct span__http_listener *l,
		     const struct span__address *peer);
void span__web_conn_free(struct span__web_conn *c);
/* Tell C that its target is too long: libmicrohttpd only hangs up then. */
void span__web_tell_long(struct span__web_conn *c, struct MHD_Connection *mhd);
/* End what is too slow or gone; once it stops also what has nothing to say. */
void span__web_sweep(struct span__web_server *w);
/* MHD_NotifyConnectionCallback */
void span__web_on_connection(void *cls, struct MHD_Connection *mhd,
			     void **context,
			     enum MHD_ConnectionNotificationCode what);

/* ---- web_request.c: from a head to an answer ---- */

/* Called by libmicrohttpd with a target, an access, and at the end. */
void *span__web_begin(void *cls, const char *target,
		      struct MHD_Connection *mhd);
enum MHD_Result span__web_handle(void *cls, struct MHD_Connection *mhd,
				 const char *url, const char *method,
				 const char *version, const char *data,
				 size_t *len, void **request);
void span__web_completed(void *cls, struct MHD_Connection *mhd, void **request,
			 enum MHD_RequestTerminationCode why);
/* J has come back from a thread. */
void span__web_back(struct span__web_job *j);
/* Nobody waits for J: have libmicrohttpd see it. */
void span__web_resume(struct span__web_job *j);

/* ---- web_check.c: what a head must be ---- */

enum span__web_refusal span__web_check(struct span__web_job *j,
				       struct MHD_Connection *mhd,
				       const char *method);
/* Is it what everybody may ask, and wherever the base path is? */
bool span__web_is_health(const struct span__web_job *j);
/* May pages of ORIGIN read answers? */
bool span__web_allows(const struct span__web_opts *o, const char *origin);

/* ---- web_respond.c: responses and their headers ---- */

enum MHD_Result span__web_respond(struct span__web_job *j,
				  struct MHD_Connection *mhd);

/* ---- web_work.c: the threads that make answers ---- */

SPAN_NODISCARD int span__web_work_open(struct span__web_server *w,
				       struct span_error *err);
/* Have J's answer made, or more of it. False: too many wait. */
SPAN_NODISCARD bool span__web_work(struct span__web_job *j);
/* All that have come back, as a list. */
struct span__web_job *span__web_work_done(struct span__web_server *w);
/* Threads end; jobs that waited are dropped. */
void span__web_work_close(struct span__web_server *w);
void span__web_job_free(struct span__web_job *j);

/* ---- web_counts.c ---- */

void span__web_count(struct span__web_server *w, uint64_t *counter);
void span__web_count_request(const struct span__web_job *j);
void span__web_count_gauge(struct span__web_server *w);

#endif
