/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_retry.h"

#include <string.h>
#include <time.h>

#include "base/banned.h"

#define SECOND_NS 1000000000ull
#define DAY_S 86400u

enum grpc_status {
	GRPC_OK,
	GRPC_CANCELLED,
	GRPC_UNKNOWN,
	GRPC_INVALID_ARGUMENT,
	GRPC_DEADLINE_EXCEEDED,
	GRPC_NOT_FOUND,
	GRPC_ALREADY_EXISTS,
	GRPC_PERMISSION_DENIED,
	GRPC_RESOURCE_EXHAUSTED,
	GRPC_FAILED_PRECONDITION,
	GRPC_ABORTED,
	GRPC_OUT_OF_RANGE,
	GRPC_UNIMPLEMENTED,
	GRPC_INTERNAL,
	GRPC_UNAVAILABLE,
	GRPC_DATA_LOSS,
	GRPC_UNAUTHENTICATED,
	GRPC_STATUSES,
};

const char *span__grpc_name(int status)
{
	static const char *const names[GRPC_STATUSES] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	return status >= 0 && status < GRPC_STATUSES ? names[status] : NULL;
}

/* How servers of grpc-go, of gRPC's C core and of grpc-java say so. */
static bool says_too_large(const char *text)
{
	return strstr(text, "larger than max") ||
	       strstr(text, "exceeds maximum size");
}

/*
 * OTLP wants another attempt only with a RetryInfo. Jaeger's collector has
 * none, and says so when its queue is full.
 */
static enum span__outcome of_exhausted(enum span__send_protocol protocol,
				       const struct span__answer_got *a)
{
	if (a->delay_ns != SPAN__NO_DELAY)
		return SPAN__OUTCOME_RETRY;
	if (says_too_large(a->text))
		return SPAN__OUTCOME_TOO_LARGE;
	return protocol == SPAN__SEND_JAEGER_GRPC ? SPAN__OUTCOME_RETRY
						  : SPAN__OUTCOME_REFUSED;
}

static enum span__outcome of_grpc(enum span__send_protocol protocol,
				  const struct span__answer_got *a)
{
	switch (a->grpc) {
	case GRPC_OK:
		return SPAN__OUTCOME_ACCEPTED;
	case GRPC_CANCELLED:
	case GRPC_DEADLINE_EXCEEDED:
	case GRPC_ABORTED:
	case GRPC_OUT_OF_RANGE:
	case GRPC_UNAVAILABLE:
	case GRPC_DATA_LOSS:
		return SPAN__OUTCOME_RETRY;
	case GRPC_RESOURCE_EXHAUSTED:
		return of_exhausted(protocol, a);
	case GRPC_INVALID_ARGUMENT:
	case GRPC_ALREADY_EXISTS:
		return SPAN__OUTCOME_REJECTED;
	default:
		return SPAN__OUTCOME_REFUSED;
	}
}

/*
 * 260, or what block_ingestion_status_code says, is a success to HTTP only.
 * What its limits refuse is 400 or 422, its own trouble any 5xx.
 */
static enum span__outcome of_loki(int http)
{
	if (http == 200 || http == 204)
		return SPAN__OUTCOME_ACCEPTED;
	if (http == 429 || (http >= 500 && http < 600))
		return SPAN__OUTCOME_RETRY;
	if (http == 413)
		return SPAN__OUTCOME_TOO_LARGE;
	return http == 400 || http == 422 ? SPAN__OUTCOME_REJECTED
					  : SPAN__OUTCOME_REFUSED;
}

static enum span__outcome of_http(enum span__send_protocol protocol, int http)
{
	switch (http) {
	case 429:
	case 502:
	case 503:
	case 504:
		return SPAN__OUTCOME_RETRY;
	case 500:
		return protocol == SPAN__SEND_JAEGER_HTTP ||
				       protocol == SPAN__SEND_ZIPKIN_HTTP
			       ? SPAN__OUTCOME_RETRY
			       : SPAN__OUTCOME_REFUSED;
	case 400:
	case 422:
		return SPAN__OUTCOME_REJECTED;
	case 413:
		return SPAN__OUTCOME_TOO_LARGE;
	default:
		return SPAN__OUTCOME_REFUSED;
	}
}

enum span__outcome span__outcome_of(enum span__send_protocol protocol,
				    const struct span__answer_got *a)
{
	bool grpc = protocol == SPAN__SEND_OTLP_GRPC ||
		    protocol == SPAN__SEND_JAEGER_GRPC;

	if (!a->http)
		return a->retryable ? SPAN__OUTCOME_RETRY
				    : SPAN__OUTCOME_REFUSED;
	if (grpc && a->grpc >= 0)
		return of_grpc(protocol, a);
	if (protocol == SPAN__SEND_LOKI)
		return of_loki(a->http);
	if (a->http >= 200 && a->http < 300)
		return grpc ? SPAN__OUTCOME_REFUSED : SPAN__OUTCOME_ACCEPTED;
	return of_http(protocol, a->http);
}

static uint64_t seconds_ns(uint64_t s)
{
	return (s < DAY_S ? s : DAY_S) * SECOND_NS;
}

static bool read_seconds(struct span_str v, uint64_t *s)
{
	*s = 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		if (*s < DAY_S)
			*s = *s * 10 + (uint64_t)(v.p[i] - '0');
	}
	return v.len > 0;
}

/* What comes after a date that strptime(3) has read is no part of it. */
static bool read_date(const char *text, time_t *out)
{
	static const char *const forms[] = {
		"%a, %d %b %Y %H:%M:%S GMT",
		"%A, %d-%b-%y %H:%M:%S GMT",
		"%a %b %e %H:%M:%S %Y",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end) {
			*out = timegm(&tm);
			return *out >= 0;
		}
	}
	return false;
}

uint64_t span__retry_after(struct span_str value, uint64_t now_ns)
{
	char text[64];
	uint64_t s;
	time_t date;

	while (value.len && (*value.p == ' ' || *value.p == '\t')) {
		value.p++;
		value.len--;
	}
	while (value.len && (unsigned char)value.p[value.len - 1] <= ' ')
		value.len--;
	if (read_seconds(value, &s))
		return seconds_ns(s);
	if (!value.len || value.len >= sizeof(text) ||
	    memchr(value.p, 0, value.len))
		return SPAN__NO_DELAY;
	memcpy(text, value.p, value.len);
	text[value.len] = '\0';
	if (!read_date(text, &date))
		return SPAN__NO_DELAY;
	s = now_ns / SECOND_NS;
	return (uint64_t)date > s ? seconds_ns((uint64_t)date - s) : 0;
}

uint64_t span__backoff_ns(unsigned n, uint64_t base_ns, uint64_t max_ns,
			  uint64_t random)
{
	uint64_t most = base_ns < max_ns ? base_ns : max_ns;

	while (n-- > 1 && most < max_ns)
		most = most <= max_ns / 2 ? most * 2 : max_ns;
	return most == UINT64_MAX ? random : random % (most + 1);
}
