/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/http_server.h - spans by HTTP/1.1, with or without TLS
 *
 * The collectors of Jaeger, Zipkin and OpenTelemetry, the sampling endpoint
 * of the Jaeger agent, and an endpoint for health and metrics. Which of them a
 * connection sees depends on the socket it came to. span-capture(1) lists
 * paths and answers.
 *
 * Sources: RFC 9110 and 9112; OTLP specification, "OTLP/HTTP"; the handlers of
 * Jaeger's collector and agent and of openzipkin's api.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "net/admission.h"
#include "net/sampling_answer.h"
#include "net/server.h"

struct span__http_server;

/* What is served at a socket. */
enum span__http_kind {
	SPAN__HTTP_JAEGER,
	SPAN__HTTP_ZIPKIN,
	SPAN__HTTP_OTLP,
	SPAN__HTTP_SAMPLING,
	SPAN__HTTP_ADMIN,
};

/* What the admin endpoint tells of; the process is stopping once it stops. */
struct span__http_admin {
	void *arg;
	bool (*is_healthy)(void *arg);
	/* Append the metrics, in Prometheus' text format. */
	void (*metrics)(void *arg, struct span_buf *out);
};

/* Zero stands for the value in brackets. */
struct span__http_opts {
	size_t max_body; /* bytes, before and after inflating [20 MiB] */
	size_t memory;	 /* of all bodies that are not whole yet [4 bodies,
			    64 MiB at least]; above it they are FULL */
	size_t max_connections;		   /* more are refused [1024] */
	struct span__admission *admission; /* limits of all servers, borrowed;
					      NULL: only these hold */
	const char *cert, *key;	 /* PEM, borrowed for open; NULL: no TLS */
	const char *const *cors; /* origins, borrowed: "*", "https://x.org", */
	size_t n_cors;		 /* or with one * in it */
	uint64_t head_ns;	 /* for the head of a request [10 s] */
	uint64_t body_ns;	 /* for a body, and a second for each 8 KiB that
				    came [15 s], but at most eight times it */
	uint64_t answer_ns;	 /* for the answer to be taken [30 s] */
	uint64_t first_ns;	 /* until a first request begins [30 s] */
	uint64_t idle_ns;	 /* until the next one begins [3 min] */
	struct span__http_admin admin;
	span__take_fn *take; /* called during turns */
	void *arg;
};

/* 0; SPAN_E_INVALID for TLS files that do not fit; SPAN_E_IO; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__http_server_open(struct span__http_server **out,
					  const struct span__http_opts *o,
					  struct span_error *err);

/*
 * Serve KIND to connections of FD, a listening socket, which belongs to the
 * server when this succeeds; PORT is its own. 0, SPAN_E_IO, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__http_server_listen(struct span__http_server *h, int fd,
					    enum span__http_kind kind,
					    uint16_t port,
					    struct span_error *err);

/*
 * Serve KIND to FD, a connected socket, which belongs to the server in any
 * case. PEER is copied. 0; SPAN_E_LIMIT, SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__http_server_connect(struct span__http_server *h,
					     int fd, enum span__http_kind kind,
					     uint16_t port, const char *peer,
					     struct span_error *err);

/* Answer with these strategies from now on, borrowed; NULL: the usual. */
void span__http_server_strategies(struct span__http_server *h,
				  const struct span_strategies *s);

/* For span__receiver_add_server(); its close frees the server. */
struct span__server span__http_server_face(struct span__http_server *h);

#endif
