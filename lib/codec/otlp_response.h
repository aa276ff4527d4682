/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_response.h - what a server of OTLP answers
 *
 * Sources: opentelemetry-proto v1, ExportTraceServiceResponse; googleapis,
 * google.rpc.Status and RetryInfo; the OTLP specification for when which of
 * them is sent.
 */
#ifndef SPAN__OTLP_RESPONSE_H
#define SPAN__OTLP_RESPONSE_H

#include <span/base.h>

/*
 * MESSAGE is the sender's, not escaped, and borrows the body or the arena.
 * What the answer does not say is zero.
 */
struct span__otlp_response {
	int64_t rejected; /* spans of a success that is partial */
	int32_t code;	  /* of a google.rpc.Status */
	struct span_str message;
	bool retry;	   /* it tells when to try again: */
	uint64_t retry_ns; /* after so long */
};

/*
 * Read the body of an answer, LEN bytes at P, JSON or protobuf: to a request
 * that succeeded, or, a google.rpc.Status, to one that failed. A negative
 * number of rejected spans is 0. Unknown fields are ignored.
 *
 * 0; or SPAN_E_CORRUPT, SPAN_E_TRUNCATED, SPAN_E_LIMIT with the offset in
 * err->pos, or SPAN_E_NOMEM: *R is zero then.
 */
SPAN_NODISCARD int span__otlp_response(struct span__otlp_response *r, bool json,
				       const void *p, size_t len,
				       struct span_arena *a,
				       struct span_error *err);
SPAN_NODISCARD int span__otlp_status(struct span__otlp_response *r, bool json,
				     const void *p, size_t len,
				     struct span_arena *a,
				     struct span_error *err);

#endif
