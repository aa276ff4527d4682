/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/serve.h - what a request to a store is answered with
 *
 * Handlers know nothing of sockets: a request is its path, its parameters and
 * its body; an answer is a status, a type and bytes, at once or in pieces.
 * net/web_server.h brings requests and takes answers; unit tests do the same
 * without a network. Handlers run in several threads at once: what they share
 * is struct span__serve, which does not change while requests run; pools and
 * counts in it have locks of their own.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <span/span.h>

struct span__serve_param {
	struct span_str name, value; /* decoded; a value may be empty */
};

/* Of one request, all borrowed until its handler has returned. */
struct span__serve_request {
	struct span_str method; /* GET, HEAD (answered as GET), POST */
	struct span_str path;	/* without base path and query, as sent: what
				   stands between slashes is decoded by
				   span__serve_segment() */
	const struct span__serve_param *params; /* in their order, repeated
						   ones too */
	size_t n_params;
	struct span_str accept;	      /* header; empty: not there */
	struct span_str content_type; /* the same */
	const void *body;
	size_t body_len;
	/* Set once nobody waits for the answer any more; NULL: never. It
	 * stays until the answer's close. */
	const bool *gone;
};

/* To be asked now and then by who takes long, who then returns 0. */
static inline bool span__serve_gone(const struct span__serve_request *r)
{
	return r->gone && __atomic_load_n(r->gone, __ATOMIC_RELAXED);
}

/*
 * The next piece of an answer into OUT, which is empty: 1 when there was one,
 * 0 at the end, or an error, at which the connection is cut.
 */
typedef int span__serve_more_fn(void *arg, struct span_buf *out,
				struct span_error *err);

struct span__serve_header {
	const char *name, *value; /* of static storage */
};

/* Zero at first; of the one who asked, who releases it. */
struct span__serve_answer {
	unsigned status;  /* HTTP's; 0: 200 */
	const char *type; /* of static storage */
	struct span_buf body;
	span__serve_more_fn *more; /* NULL: the body is whole */
	void (*close)(void *arg);  /* once nothing more is asked for */
	void *arg;
	bool immutable;	 /* may be kept by caches for ever */
	bool revalidate; /* may be kept, but asked for whether it changed; of a
			    whole answer */
	struct span__serve_header headers[4]; /* further ones */
	size_t n_headers;
};

struct span__metrics_counts; /* serve/metrics_counts.h */
struct span__serve_ui;	     /* serve/ui.h */
struct span__serve_pool;     /* of open stores: serve/pool.h */

/* What requests look at; borrowed for as long as requests run. */
struct span__serve {
	struct span__serve_pool *store, *archive; /* archive: NULL for none */
	const char *dir;			  /* of the store, for texts */
	uint64_t lookback_ns;  /* of a search without start [48 h] */
	uint64_t max_skew_ns;  /* of the clock's adjustment [0] */
	size_t max_traces;     /* of one answer, above it 400 [10000] */
	size_t max_spans;      /* of one answer, cut with a warning */
	uint64_t (*now)(void); /* ns of the real clock; tests stop it */
	const struct span__serve_ui *ui;     /* NULL: our own page */
	struct span__metrics_counts *counts; /* NULL: none are shared */
	/* Append counts of the server in Prometheus' text format; may be
	 * NULL. Any thread. */
	void (*metrics)(void *arg, struct span_buf *out);
	void *metrics_arg;
};

/*
 * Take an open store, refreshed, that nobody else uses meanwhile; give it back
 * when nothing borrows from it any more. 0; what span_store_open() and
 * span_store_refresh() return.
 */
SPAN_NODISCARD int span__serve_take(struct span__serve_pool *p,
				    struct span_store **out,
				    struct span_error *err);
void span__serve_give_back(struct span__serve_pool *p, struct span_store *st);

/*
 * Answer a request. Errors of the request are answers (400, 404) and return
 * 0; so are errors of the store (500), whose text goes to ERR as well, for the
 * log. SPAN_E_NOMEM: nothing is in the answer.
 */
typedef int span__serve_fn(const struct span__serve *s,
			   const struct span__serve_request *r,
			   struct span__serve_answer *a,
			   struct span_error *err);

#endif
