/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/requests.h - from TCP packets to what clients posted
 *
 * The HTTP requests and gRPC calls of tracing clients, as collectors know them,
 * each a payload with its body inflated. Other requests are ignored, and so are
 * connections that do not speak HTTP.
 */
#ifndef NET_REQUESTS_H
#define NET_REQUESTS_H

#include <span/base.h>
#include <span/payload.h>

#include "net/counts.h"
#include "net/tcp.h"

struct span__requests_sink {
	void *arg;
	/* *P is borrowed until it returns 0 or a negative code. */
	int (*payload)(void *arg, const struct span_payload *p,
		       struct span_error *err);
	/* A request to PORT was lost for CAUSE. */
	void (*lost)(void *arg, uint16_t port, enum span__drop cause);
};

/* What was of no interest. */
struct span__ignored {
	uint64_t requests;    /* of another method or to another path */
	uint64_t connections; /* of another protocol, or not known */
};

struct span__requests;

/* Requests to any of N_PORTS PORTS (borrowed), or to all. */
SPAN_NODISCARD int span__requests_open(struct span__requests **out,
				       const uint16_t *ports, size_t n_ports,
				       const struct span__requests_sink *sink,
				       struct span_error *err);

/* As span__tcp_put() and span__tcp_finish(). */
SPAN_NODISCARD int span__requests_put(struct span__requests *r,
				      const struct span__tcp_packet *p,
				      struct span_error *err);
SPAN_NODISCARD int span__requests_finish(struct span__requests *r,
					 struct span_error *err);

const struct span__ignored *
span__requests_ignored(const struct span__requests *r);

/* Bytes held for connections. */
size_t span__requests_memory(const struct span__requests *r);

/* NULL is fine. */
void span__requests_close(struct span__requests **r);

#endif
