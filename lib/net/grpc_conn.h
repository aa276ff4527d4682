/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/grpc_conn.h - the parts of a gRPC server: its connections, their calls
 *
 * A connection is an HTTP/2 session (nghttp2) on a socket; grpc_conn.c moves
 * its bytes and knows its time, grpc_session.c answers to its frames. A call
 * is a stream of it; grpc_call.c judges requests, grpc_answer.c answers them.
 *
 * Memory: a connection reads nothing while what it has to say is not taken,
 * so that a peer cannot make it queue answers; windows are opened only for
 * bytes that were taken over; calls and their messages are counted together.
 */
#ifndef NET_GRPC_CONN_H
#define NET_GRPC_CONN_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>

#include "net/address.h"
#include "net/grpc_message.h"
#include "net/grpc_server.h"

#define SPAN__GRPC_HEADERS (16u << 10) /* bytes of a request's header list */
#define SPAN__GRPC_PATH 128u	       /* bytes kept of a path */
#define SPAN__GRPC_TYPE 64u	       /* ... of a content type */

/* To a call that waited for its payload to be written. */
#define SPAN__GRPC_LATE "not written in time, but maybe later"

/* What the connections of one server share. */
struct span__grpc_shared {
	struct span__grpc_opts o; /* no zeros */
	span__take_fn *take;
	void *arg;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	struct span__server_counts counts;
	uint16_t port;		  /* of the listening socket */
	uint64_t now_ns;	  /* of this turn, monotonic */
	size_t *memory;		  /* that calls take, of all servers or ... */
	size_t own_memory;	  /* of this one */
	struct span_buf inflated; /* for the message being judged */
	struct span_buf text;	  /* for the header being made */
	unsigned char *io; /* SPAN__GRPC_IO bytes, for reads and writes */
	bool stopping;
	/* Some of their calls were answered outside of a turn. */
	LIST_HEAD(, span__grpc_conn) told;
	struct span_error failed; /* code: the program cannot go on */
};
#define SPAN__GRPC_IO (64u << 10)

enum span__grpc_method {
	SPAN__GRPC_UNKNOWN,
	SPAN__GRPC_EXPORT,
	SPAN__GRPC_POST_SPANS,
	SPAN__GRPC_CHECK,
};

struct span__grpc_conn;

struct span__grpc_call {
	LIST_ENTRY(span__grpc_call) link;
	struct span__grpc_conn *conn;
	int32_t id; /* of the stream */
	enum span__grpc_method method;
	bool is_post;
	bool is_whole;	   /* no more bytes will come */
	bool is_answered;  /* the answer is queued, or sent */
	bool is_late;	   /* its time was up, which is counted */
	bool bad_timeout;  /* grpc-timeout could not be read */
	int coding;	   /* enum span__coding, or -1 */
	size_t header_len; /* of the list, as RFC 9113 6.5.2 counts */
	uint64_t deadline_ns;
	char path[SPAN__GRPC_PATH]; /* terminated, cut */
	char type[SPAN__GRPC_TYPE];
	struct span__grpc_message message;
	size_t memory; /* that is counted for this call */
	struct span__ack ack;
	uint64_t n_bad;	       /* spans, of a call that waits */
	struct span_buf reply; /* the answer's message, with its prefix */
	size_t replied;	       /* bytes of it that are sent */
};

struct span__grpc_conn {
	struct span__grpc_shared *shared;
	LIST_ENTRY(span__grpc_conn) told;
	bool is_told; /* it is in the list of that name */
	size_t slot;  /* these two for the server's own use */
	bool polls_write;
	int fd;
	struct span__tls_session *tls; /* NULL: cleartext */
	nghttp2_session *session;
	LIST_HEAD(, span__grpc_call) calls;
	struct span_buf out; /* taken from the session, not by the socket */
	size_t out_sent;     /* of it */
	bool is_heard;	     /* something came */
	bool greeted;	     /* the client's SETTINGS came */
	bool leaving;	     /* a goodbye was said */
	bool left;	     /* ... and calls after it are refused */
	uint64_t since_ns;   /* opened, or the last call ended */
	uint64_t stalled_ns; /* OUT is not taken since */
	uint64_t leave_ns;   /* a goodbye was said */
	uint64_t due_ns;     /* nothing to do before, but for the socket */
	uint64_t answered, cancelled; /* calls */
	uint64_t second;	      /* of this one ... */
	uint32_t controls;	      /* ... frames that bring nothing */
	struct span__peer from;
	char peer[SPAN__ADDRESS_TEXT];
	size_t peer_len;
};

/* ---- Connections ---- */

/*
 * A connection on FD, which it owns, to the peer A (len 0: unknown), which was
 * let in. NULL when memory is out; FD is closed then, and A leaves.
 */
SPAN_NODISCARD struct span__grpc_conn *
span__grpc_conn_open(struct span__grpc_shared *s, int fd,
		     const struct span__address *a);
void span__grpc_conn_close(struct span__grpc_conn *c);

/* Read, answer and write what can be without waiting. False: it ended. */
SPAN_NODISCARD bool span__grpc_conn_work(struct span__grpc_conn *c);

/* Does it wait for the socket to be writable, or to be readable? */
bool span__grpc_conn_wants_write(const struct span__grpc_conn *c);

/* Do what is due; sets due_ns. False: it ended. */
SPAN_NODISCARD bool span__grpc_conn_tick(struct span__grpc_conn *c);

/* A call of C was answered outside of a turn: it gets one. */
void span__grpc_conn_told(struct span__grpc_conn *c);

/* Say goodbye: calls that run are answered. False: it ended. */
SPAN_NODISCARD bool span__grpc_conn_leave(struct span__grpc_conn *c);

/* Something is to be done at NS, besides what is known already. */
void span__grpc_conn_wake(struct span__grpc_conn *c, uint64_t ns);

/* ---- Its session ---- */

/* The callbacks and options of all sessions. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__grpc_session_setup(struct span__grpc_shared *s,
					    struct span_error *err);
/* 0, or an error of nghttp2. */
SPAN_NODISCARD int span__grpc_session_open(struct span__grpc_conn *c);
/* The last goodbye: which calls are answered. */
void span__grpc_session_leave(struct span__grpc_conn *c);

/* ---- Calls ---- */

/* NULL when memory is out, or all that calls may take is taken. */
SPAN_NODISCARD struct span__grpc_call *
span__grpc_call_open(struct span__grpc_conn *c, int32_t id);
void span__grpc_call_close(struct span__grpc_call *call);
/* Forget the message, which is of no use any more. */
void span__grpc_call_forget(struct span__grpc_call *call);

/* A header; the last one came; a part of the message; the last one came. */
void span__grpc_call_header(struct span__grpc_call *call, struct span_str name,
			    struct span_str value);
void span__grpc_call_begin(struct span__grpc_call *call);
void span__grpc_call_data(struct span__grpc_call *call, const void *p,
			  size_t len);
void span__grpc_call_end(struct span__grpc_call *call);

/* Its time is up. */
void span__grpc_call_expire(struct span__grpc_call *call);

/* Answer with the message in call->reply. */
void span__grpc_answer(struct span__grpc_call *call);

/* Answer with an error; TEXT may hold anything. */
void span__grpc_refuse(struct span__grpc_call *call,
		       enum span__grpc_status status, const char *text);
/* ... under another HTTP status than 200. */
void span__grpc_refuse_http(struct span__grpc_call *call, const char *http,
			    enum span__grpc_status status, const char *text);
/* ... for a time. */
void span__grpc_refuse_for_now(struct span__grpc_call *call,
			       enum span__grpc_status status, const char *text);

#endif
