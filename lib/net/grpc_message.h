/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/grpc_message.h - what gRPC puts into HTTP/2: messages and statuses
 *
 * A message is a flag (1: compressed), four bytes of length, big-endian, and
 * its bytes, cut anywhere into DATA frames. Sources: grpc/doc
 * PROTOCOL-HTTP2.md, statuscodes.md; google/rpc/status.proto,
 * error_details.proto; opentelemetry-proto trace_service.proto.
 */
#ifndef NET_GRPC_MESSAGE_H
#define NET_GRPC_MESSAGE_H

#include <span/base.h>

#define SPAN__GRPC_PREFIX 5u /* bytes before each message */

enum span__grpc_status {
	SPAN__GRPC_OK = 0,
	SPAN__GRPC_INVALID_ARGUMENT = 3,
	SPAN__GRPC_DEADLINE_EXCEEDED = 4,
	SPAN__GRPC_NOT_FOUND = 5,
	SPAN__GRPC_RESOURCE_EXHAUSTED = 8,
	SPAN__GRPC_UNIMPLEMENTED = 12,
	SPAN__GRPC_INTERNAL = 13,
	SPAN__GRPC_UNAVAILABLE = 14,
};

/* The one message of a request, as it comes. A zeroed struct begins. */
struct span__grpc_message {
	unsigned char prefix[SPAN__GRPC_PREFIX];
	uint8_t n_prefix; /* bytes of it that are there */
	struct span_buf data;
};

/*
 * Take LEN more bytes. 0; SPAN_E_LIMIT when the message is to be longer than
 * MAX, said before any of it is kept; SPAN_E_CORRUPT for a flag that is
 * neither 0 nor 1; SPAN_E_INVALID for bytes behind the message; SPAN_E_NOMEM.
 * Memory grows with the bytes that came, not with the length that was said.
 */
SPAN_NODISCARD int span__grpc_message_put(struct span__grpc_message *m,
					  const void *p, size_t len, size_t max,
					  struct span_error *err);
size_t span__grpc_message_len(const struct span__grpc_message *m); /* said */
bool span__grpc_message_is_whole(const struct span__grpc_message *m);
bool span__grpc_message_is_compressed(const struct span__grpc_message *m);
void span__grpc_message_release(struct span__grpc_message *m);

/* Append the LEN bytes at P as an uncompressed message. */
void span__grpc_put_message(struct span_buf *b, const void *p, size_t len);

/*
 * The value of grpc-timeout: at most eight digits and one of H M S m u n.
 * False when it is something else. *NS is at most INT64_MAX.
 */
bool span__grpc_timeout(struct span_str text, uint64_t *ns);

/* Append TEXT as the value of grpc-message has it: %XX where not ASCII. */
void span__grpc_put_percent(struct span_buf *b, const char *text);

/*
 * Append a google.rpc.Status with CODE (of gRPC's) and TEXT, as OTLP over HTTP
 * answers with, too.
 */
void span__rpc_put_status(struct span_buf *b, unsigned code, const char *text);

/*
 * Append the value of grpc-status-details-bin: STATUS and TEXT as a
 * google.rpc.Status with a RetryInfo of DELAY_S seconds, in base64. An OTLP
 * client sends again after RESOURCE_EXHAUSTED only when it sees one.
 */
void span__grpc_put_retry(struct span_buf *b, int status, const char *text,
			  uint64_t delay_s);

/*
 * Append an ExportTraceServiceResponse; with REJECTED it has a
 * partial_success with that and TEXT.
 */
void span__otlp_put_response(struct span_buf *b, uint64_t rejected,
			     const char *text);

/*
 * The service of a grpc.health.v1.HealthCheckRequest of LEN bytes at P, in
 * place; false when it is none.
 */
bool span__grpc_health_service(const void *p, size_t len,
			       struct span_str *service);
/* Append a HealthCheckResponse. */
void span__grpc_put_health(struct span_buf *b, bool serving);

#endif
