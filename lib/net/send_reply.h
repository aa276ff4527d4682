/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/send_reply.h - what a collector says in bodies and trailers
 *
 * All of it comes from outside: nothing is allocated by a length in it, and
 * what cannot be read says nothing. Sources: gRPC over HTTP/2;
 * google/rpc/status.proto, error_details.proto; OTLP's
 * ExportTraceServiceResponse.
 */
#ifndef NET_SEND_REPLY_H
#define NET_SEND_REPLY_H

#include <span/base.h>

#define SPAN__REPLY_TEXT 200u
/* Characters of grpc-status-details-bin that are looked at. */
#define SPAN__GRPC_DETAILS 12288u

/* Before each gRPC message: a flag, and its length in four bytes. */
#define SPAN__GRPC_HEAD 5u

void span__grpc_head(unsigned char head[SPAN__GRPC_HEAD], bool compressed,
		     size_t len);

/* The value of grpc-timeout: eight digits at most, and a unit. */
#define SPAN__GRPC_TIMEOUT 10u
void span__grpc_put_timeout(uint64_t ns, char out[SPAN__GRPC_TIMEOUT]);

/*
 * The message in a gRPC response that has one, not compressed; empty when
 * there is none that can be read.
 */
struct span_str span__grpc_body(struct span_str response);

/* grpc-message, percent-encoded, as terminated text; cut where it is longer. */
void span__grpc_message(struct span_str value, char out[SPAN__REPLY_TEXT]);

/*
 * How long RetryInfo in grpc-status-details-bin (base64 of a google.rpc.Status)
 * asks to wait; UINT64_MAX when it does not. A delay below zero is none at all.
 */
uint64_t span__grpc_retry_delay(struct span_str value);

/*
 * The partial success in the body of an OTLP response of a content type: how
 * many spans were rejected (below 1: none), and what is said about it ("" for
 * nothing).
 */
struct span__partial {
	int64_t rejected;
	char text[SPAN__REPLY_TEXT];
};
void span__otlp_partial(struct span_str type, struct span_str body,
			struct span__partial *out);

/*
 * What an HTTP error says, for people: the message of a google.rpc.Status
 * (TYPE is protobuf's), else the first line of a text. Not escaped.
 */
void span__http_message(struct span_str type, struct span_str body,
			char out[SPAN__REPLY_TEXT]);

#endif
