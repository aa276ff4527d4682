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
#include <xxhash.h>
#include <zlib.h>

#include "base/hash.h"
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

/* Which threads a job goes to. */
enum span__web_lane {
	SPAN__WEB_WORKERS,
	SPAN__WEB_QUICK, /* for what takes no time */
	SPAN__WEB_DOOR,	 /* to look at credentials */
	SPAN__WEB_LANES,
};

struct span__web_queue {
	struct span__web_job *first, **last;
	size_t n;
};

/* Who asks, and what he waits for. */
struct span__web_peer {
	struct span__peer who;
	struct span__web_peer *chain; /* of its bucket */
	size_t n_users;		      /* connections and jobs */
	size_t n_open;		      /* answers that have begun */
	size_t n_busy;		      /* threads that make them */
	size_t body_bytes;	      /* of the turning thread */
	bool went_on; /* with one of them, when it was his turn */
	struct span__web_queue fresh[SPAN__WEB_LANES];
	struct span__web_queue going; /* answers that have begun */
	struct span__web_peer *next[SPAN__WEB_LANES];
	bool in_ring[SPAN__WEB_LANES];
};

/* Peers that have jobs, in the order of their turns. */
struct span__web_ring {
	struct span__web_peer *first, **last;
	size_t n;
};

#define SPAN__WEB_BUCKETS_OF_PEERS 1024u

struct span__web_share {
	struct span__key key;
	struct span__web_peer *buckets[SPAN__WEB_BUCKETS_OF_PEERS];
	struct span__web_ring rings[SPAN__WEB_LANES];
	size_t n_fresh[SPAN__WEB_LANES];
	/* Answers that have begun and are not at their end. */
	size_t n_open, max_open, max_of_peer;
	size_t max_busy; /* threads that one peer may have */
};

struct span__web_conn {
	struct span__web_server *web;
	int fd;
	bool loopback; /* it came to one */
	char peer[SPAN__ADDRESS_TEXT];
	struct span__peer from;
	struct span__web_peer *share;
	enum span__web_wait wait;
	uint64_t since_ns, deadline_ns; /* CLOCK_MONOTONIC */
	bool is_first, cut;
	struct span__web_job *job; /* of the request that is being answered */
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
	SPAN__WEB_OPTIONS, /* of the server itself */
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
	bool at_door;  /* before its body, for its credentials */
	bool told;     /* why it is refused, while its body comes */
	uint64_t start_ns, sent;
	uint64_t slow_ns; /* who has not read it all by then is slow */
	unsigned status;
	/* Of either: set here, read there. */
	bool gone;
	/* Of the server's lock. */
	bool begun; /* counts as open */

	/* Of whoever has it. */
	struct span__web_server *web;
	struct span__web_peer *peer;
	struct span__web_job *next;
	enum span__web_refusal refusal;
	bool knock, known; /* credentials to be looked at first; are right */
	/* Copies: path and query, and the host before them, if it was there. */
	char *target, *authority, *authorization;
	char method[16];
	struct span_arena arena;
	struct span_buf body;
	struct span__serve_request r;
	const struct span__serve_route *route;
	const char *allow;
	struct span__serve_answer a;
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

#define SPAN__WEB_KEPT 64u

/* Answers, compressed. */
struct span__web_kept_one {
	XXH128_hash_t digest; /* of what was compressed */
	char *p;	      /* NULL: a free place */
	size_t len;
	uint64_t used; /* when, by the clock */
};

struct span__web_kept {
	pthread_mutex_t lock;
	struct span__web_kept_one v[SPAN__WEB_KEPT];
	size_t bytes;
	uint64_t clock;
};

#define SPAN__WEB_CODES 20u
#define SPAN__WEB_BUCKETS 14u

/* Under COUNT_LOCK. */
struct span__web_counts {
	uint64_t connections, open, refused; /* connections */
	uint64_t timeouts, cancelled, queue_full, too_large, failed, yielded;
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
	struct span__web_share share;
	struct span__web_queue done;
	bool ending;
	pthread_t *threads;
	size_t n_threads;

	struct span__web_kept kept;

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
				       const char *method, const char *version);
/* Is it what everybody may ask, and wherever the base path is? */
bool span__web_is_health(const struct span__web_job *j);
/* May pages of ORIGIN read answers? */
bool span__web_allows(const struct span__web_opts *o, const char *origin);

/* ---- web_respond.c: responses and their headers ---- */

/* Say why J is refused, past libmicrohttpd, while its body comes. */
void span__web_tell(struct span__web_job *j, struct MHD_Connection *mhd);
enum MHD_Result span__web_respond(struct span__web_job *j,
				  struct MHD_Connection *mhd);

/* ---- web_share.c: whose turn it is; all of it locked ---- */

void span__web_push(struct span__web_queue *q, struct span__web_job *j);
struct span__web_job *span__web_pop(struct span__web_queue *q);

/* THREADS, and room for MAX_OPEN answers that have begun. 0 or SPAN_E_IO. */
SPAN_NODISCARD int span__web_share_init(struct span__web_share *s,
					size_t threads, size_t max_open,
					struct span_error *err);
/* NULL when memory is out; else to be left once. */
struct span__web_peer *span__web_peer_join(struct span__web_share *s,
					   const struct span__peer *who);
void span__web_peer_leave(struct span__web_share *s, struct span__web_peer *p);
/* J waits for a thread of LANE. */
void span__web_share_put(struct span__web_share *s, struct span__web_job *j,
			 enum span__web_lane lane);
/* J, whose client is gone, waits no more; false: it did not. */
bool span__web_share_drop(struct span__web_share *s, struct span__web_job *j,
			  enum span__web_lane lane);
/* The next one for a thread of LANE, or NULL. */
struct span__web_job *span__web_share_take(struct span__web_share *s,
					   enum span__web_lane lane);
/* A thread has made something of J, which it had taken. */
void span__web_share_made(struct span__web_job *j);
/* J, which has begun, makes room for another one. */
void span__web_share_end(struct span__web_share *s, struct span__web_job *j);
/* Is there somebody who only waits because J has not ended? */
bool span__web_share_in_way(const struct span__web_share *s,
			    const struct span__web_job *j);

/* ---- web_make.c: the answer of one job ---- */

/* Make the first piece of it, or the next one. */
void span__web_make(struct span__web_job *j);
void span__web_close_answer(struct span__web_job *j);

/* ---- web_kept.c: what was compressed before; any thread ---- */

/* Append what was made of what DIGEST is of. False: nothing is there. */
bool span__web_kept_get(struct span__web_kept *k, XXH128_hash_t digest,
			struct span_buf *out);
/* Keep S, unless it is too large. */
void span__web_kept_put(struct span__web_kept *k, XXH128_hash_t digest,
			struct span_str s);
void span__web_kept_release(struct span__web_kept *k);

/* ---- web_work.c: the threads that make answers ---- */

SPAN_NODISCARD int span__web_work_open(struct span__web_server *w,
				       struct span_error *err);
/* Have J's answer made, or more of it. False: too many wait. */
SPAN_NODISCARD bool span__web_work(struct span__web_job *j);
/* J, which is given up, is nobody's any more if it still waits. */
void span__web_work_drop(struct span__web_job *j);
/* All that have come back, as a list. */
struct span__web_job *span__web_work_done(struct span__web_server *w);
/* Does J, which waits for its client, keep others waiting? */
bool span__web_work_in_way(struct span__web_job *j);
/* How many jobs wait to be begun? */
size_t span__web_work_waiting(struct span__web_server *w);
/* Threads end; jobs that waited are dropped. */
void span__web_work_close(struct span__web_server *w);
void span__web_job_free(struct span__web_job *j);

/* ---- web_counts.c ---- */

void span__web_count(struct span__web_server *w, uint64_t *counter);
void span__web_count_request(const struct span__web_job *j);
void span__web_count_gauge(struct span__web_server *w);

#endif
