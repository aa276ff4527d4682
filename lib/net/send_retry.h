/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/send_retry.h - what an answer means, and when to try again
 *
 * What the peer judged of the spans themselves is one thing; what lies in the
 * connection, who we are or where we send to is another: the same spans may
 * go through when that is put right. span-send(1) has the table.
 *
 * Sources: OpenTelemetry protocol specification, "OTLP/gRPC response" and
 * "OTLP/HTTP response"; RFC 9110, 10.2.3 (Retry-After); gRPC, "HTTP to gRPC
 * status code mapping". Collectors of Jaeger and Zipkin say 500 when their
 * queue is full, which is worth another attempt there. Loki's: "Loki HTTP API"
 * and "Troubleshoot log ingestion".
 */
#ifndef NET_SEND_RETRY_H
#define NET_SEND_RETRY_H

#include "net/send_url.h"

enum span__outcome {
	SPAN__OUTCOME_ACCEPTED,
	SPAN__OUTCOME_RETRY,	 /* it may go better soon */
	SPAN__OUTCOME_REJECTED,	 /* the spans are bad */
	SPAN__OUTCOME_TOO_LARGE, /* a part of it may go through */
	SPAN__OUTCOME_REFUSED,	 /* no, but not for what is in the spans */
};

#define SPAN__NO_DELAY UINT64_MAX

/* What came back for a message. */
struct span__answer_got {
	int http;	   /* status; 0: the transport failed */
	int grpc;	   /* status; -1: none came */
	bool retryable;	   /* of a failed transport */
	uint64_t delay_ns; /* that the peer asks for, or SPAN__NO_DELAY */
	const char *text;  /* what it says, or "" */
};

enum span__outcome span__outcome_of(enum span__send_protocol protocol,
				    const struct span__answer_got *a);

/*
 * The value of Retry-After: seconds, or a date in one of HTTP's three forms
 * (NOW_NS since the epoch). SPAN__NO_DELAY when it is neither; at most a day.
 */
uint64_t span__retry_after(struct span_str value, uint64_t now_ns);

/*
 * How long to wait before attempt N + 1, N from 1 on: a RANDOM part of BASE_NS,
 * doubled with each attempt, MAX_NS at most ("full jitter").
 */
uint64_t span__backoff_ns(unsigned n, uint64_t base_ns, uint64_t max_ns,
			  uint64_t random);

/* "UNAVAILABLE", or NULL for a number that is none. */
const char *span__grpc_name(int status);

#endif
