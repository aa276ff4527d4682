/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/grpc_server.h - spans by gRPC, with or without TLS
 *
 * The services of OpenTelemetry and Jaeger collectors, and the health service
 * that load balancers ask. No reflection: every client knows these methods by
 * heart. Unary calls only, answered as soon as their message is whole, or
 * later when take says so.
 *
 *   opentelemetry.proto.collector.trace.v1.TraceService/Export
 *   jaeger.api_v2.CollectorService/PostSpans
 *   grpc.health.v1.Health/Check
 *
 * What becomes of a call, as span__take_fn says: TAKEN is OK (Export tells of
 * skipped spans in partial_success), BAD is INVALID_ARGUMENT, FULL is
 * RESOURCE_EXHAUSTED with a RetryInfo, LATE is UNAVAILABLE with one, STOPPING
 * is UNAVAILABLE.
 *
 * Sources: RFC 9113; grpc/doc PROTOCOL-HTTP2.md, statuscodes.md,
 * compression.md, health-checking.md; OTLP specification, "OTLP/gRPC".
 */
#ifndef NET_GRPC_SERVER_H
#define NET_GRPC_SERVER_H

#include "net/admission.h"
#include "net/server.h"
#include "net/tls_session.h"

enum span__grpc_services {
	SPAN__GRPC_OTLP = 1 << 0,
	SPAN__GRPC_JAEGER = 1 << 1,
};

/* Zero stands for the value in brackets. */
struct span__grpc_opts {
	unsigned services; /* enum span__grpc_services; none: only health */
	/*
	 * Bytes of a message, before and after decompression [20 MiB, at most
	 * SPAN_PAYLOAD_MAX]. gRPC's own default is 4 MiB, at which a collector
	 * that forwards batches loses them for good; this is what OTLP allows
	 * over HTTP, so that a batch is fine at both ports or at none.
	 */
	size_t max_message;
	/*
	 * Bytes of all calls, which are mostly messages that are not whole yet
	 * [72 MiB]; never less than two messages. Above it calls are answered
	 * as FULL, or refused at once.
	 */
	size_t memory;
	/* More are closed at once [4000]. An idle one has about 13 KiB. */
	size_t max_connections;
	struct span__admission *admission; /* limits of all servers, borrowed;
					      NULL: only these hold */
	uint32_t max_streams;  /* of a connection at the same time [100] */
	uint64_t handshake_ns; /* from connecting to the first frame [10 s] */
	/*
	 * [60 s] for a request to be whole, unless its grpc-timeout ends
	 * sooner; then for its answer to be taken.
	 */
	uint64_t request_ns;
	uint64_t idle_ns;  /* without a call, until a goodbye [10 min] */
	uint64_t drain_ns; /* for running calls after a goodbye [5 s] */
	const struct span__tls *tls; /* borrowed; NULL: cleartext HTTP/2 */
};

/*
 * Serve connections to LISTEN_FD, a listening stream socket, which belongs to
 * the server when this succeeds. TAKE is called during turns. 0; SPAN_E_IO;
 * SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__grpc_server_open(struct span__server *out,
					  const struct span__grpc_opts *o,
					  int listen_fd, span__take_fn *take,
					  void *arg, struct span_error *err);

#endif
