/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_client.h - requests to one URL, several at a time
 *
 * Over libcurl's multi interface, gRPC too: a unary call is a POST over HTTP/2
 * whose trailers libcurl hands to its header function, and with it come TLS,
 * proxies, names and timeouts that a client on bare nghttp2 would need again.
 *
 * One thread owns a client; span__http_wake() is for any.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "net/send_reply.h"
#include "net/send_retry.h"
#include "net/send_url.h"

struct span__http;

struct span__http_opts {
	const struct span__send_url *url; /* borrowed until close */
	unsigned slots;			  /* requests at a time */
	bool gzip;			  /* bodies are packed with gzip */
	uint64_t timeout_ns;		  /* of one request */
	const char *const *headers;	  /* "KEY: VALUE" */
	size_t n_headers;
	const char *user; /* "NAME:PASSWORD", or NULL */
	/* files of PEM; NULL: the system's authorities, no certificate */
	const char *cacert, *cert, *key;
	bool insecure;	   /* take any certificate */
	const char *agent; /* who sends them: "span-send" */
	/* GET the URL, with what was given as a body as its query. */
	bool get;
	size_t body_max; /* bytes that are kept of a response; 0: 64 KiB */
};

/* 0, SPAN_E_INVALID or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__http_open(struct span__http **out,
				   const struct span__http_opts *o,
				   struct span_error *err);

/* Send BODY, which is borrowed until the reply, in a free slot. */
SPAN_NODISCARD int span__http_start(struct span__http *h, unsigned slot,
				    struct span_str body,
				    struct span_error *err);

/* The end of a request. Text is not escaped. */
struct span__reply {
	struct span__answer_got got;
	struct span__partial partial; /* of OTLP, when it was accepted */
	/* "HTTP 503: text", "gRPC UNAVAILABLE: text", "connection refused" */
	char cause[SPAN__REPLY_TEXT + 64];
	struct span_str body; /* until the slot's next request */
	bool cut;	      /* there was more of it */
};
typedef void span__http_done_fn(void *arg, unsigned slot,
				const struct span__reply *r);

/*
 * Do what can be done, after waiting for it, WAIT_NS at most or until somebody
 * wakes it; FN is called for each request that ended. 0 or a negative code.
 */
SPAN_NODISCARD int span__http_turn(struct span__http *h, uint64_t wait_ns,
				   span__http_done_fn *fn, void *arg,
				   struct span_error *err);
void span__http_wake(struct span__http *h);

/* Ends what is under way, without a reply; all slots are free then. */
void span__http_abort(struct span__http *h);
/* The same, and closes; NULL is fine. */
void span__http_close(struct span__http **h);

#endif
