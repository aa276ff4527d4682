/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_retry.h"

#include "tests/unit/tap.h"

#define OTLP SPAN__SEND_OTLP_HTTP
#define GRPC SPAN__SEND_OTLP_GRPC
#define LOKI SPAN__SEND_LOKI
#define ZIPKIN SPAN__SEND_ZIPKIN_HTTP
#define JAEGER SPAN__SEND_JAEGER_HTTP
#define JAEGER_GRPC SPAN__SEND_JAEGER_GRPC
#define NONE SPAN__NO_DELAY
#define ACCEPTED SPAN__OUTCOME_ACCEPTED
#define RETRY SPAN__OUTCOME_RETRY
#define REJECTED SPAN__OUTCOME_REJECTED
#define TOO_LARGE SPAN__OUTCOME_TOO_LARGE
#define REFUSED SPAN__OUTCOME_REFUSED

static const struct {
	enum span__send_protocol protocol;
	struct span__answer_got got;
	enum span__outcome want;
} outcomes[] = {
	{OTLP, {200, -1, false, NONE, ""}, ACCEPTED},
	{OTLP, {202, -1, false, NONE, ""}, ACCEPTED},
	{JAEGER, {202, -1, false, NONE, ""}, ACCEPTED},
	{OTLP, {301, -1, false, NONE, ""}, REFUSED},
	{OTLP, {400, -1, false, NONE, ""}, REJECTED},
	{OTLP, {401, -1, false, NONE, ""}, REFUSED},
	{OTLP, {408, -1, false, NONE, ""}, REFUSED},
	{OTLP, {413, -1, false, NONE, ""}, TOO_LARGE},
	{OTLP, {429, -1, false, NONE, ""}, RETRY},
	{OTLP, {500, -1, false, NONE, ""}, REFUSED},
	{OTLP, {501, -1, false, NONE, ""}, REFUSED},
	{OTLP, {502, -1, false, NONE, ""}, RETRY},
	{OTLP, {503, -1, false, NONE, ""}, RETRY},
	{OTLP, {504, -1, false, NONE, ""}, RETRY},
	{OTLP, {505, -1, false, NONE, ""}, REFUSED},
	/* A delay alone changes nothing. */
	{OTLP, {500, -1, false, 1, ""}, REFUSED},
	/* A status of gRPC means nothing to others. */
	{OTLP, {200, 14, false, NONE, ""}, ACCEPTED},
	{ZIPKIN, {500, -1, false, NONE, ""}, RETRY},
	{JAEGER, {500, -1, false, NONE, ""}, RETRY},
	{JAEGER, {400, -1, false, NONE, ""}, REJECTED},
	{OTLP, {422, -1, false, NONE, ""}, REJECTED},
	{OTLP, {403, -1, false, NONE, ""}, REFUSED},
	{OTLP, {404, -1, false, NONE, ""}, REFUSED},
	{OTLP, {405, -1, false, NONE, ""}, REFUSED},
	{OTLP, {407, -1, false, NONE, ""}, REFUSED},
	{OTLP, {415, -1, false, NONE, ""}, REFUSED},
	/* Jaeger's collector has no RetryInfo to say when its queue is full. */
	{JAEGER_GRPC, {200, 8, false, NONE, ""}, RETRY},
	{JAEGER_GRPC, {200, 8, false, 5, ""}, RETRY},
	{JAEGER_GRPC, {200, 8, false, NONE, "larger than max"}, TOO_LARGE},
	{JAEGER_GRPC, {200, 3, false, NONE, ""}, REJECTED},
	{OTLP, {0, -1, true, NONE, ""}, RETRY},
	{OTLP, {0, -1, false, NONE, ""}, REFUSED},
	{GRPC, {0, -1, true, NONE, ""}, RETRY},
	{GRPC, {200, 0, false, NONE, ""}, ACCEPTED},
	{GRPC, {200, 1, false, NONE, ""}, RETRY},
	{GRPC, {200, 2, false, NONE, ""}, REFUSED},
	{GRPC, {200, 3, false, NONE, ""}, REJECTED},
	{GRPC, {200, 4, false, NONE, ""}, RETRY},
	{GRPC, {200, 5, false, NONE, ""}, REFUSED},
	{GRPC, {200, 6, false, NONE, ""}, REJECTED},
	{GRPC, {200, 7, false, NONE, ""}, REFUSED},
	{GRPC, {200, 8, false, NONE, ""}, REFUSED},
	{GRPC, {200, 8, false, 0, ""}, RETRY},
	{GRPC, {200, 8, false, 5, "larger than max"}, RETRY},
	{GRPC,
	 {200, 8, false, NONE, "grpc: received message larger than max"},
	 TOO_LARGE},
	{GRPC,
	 {200, 8, false, NONE, "gRPC message exceeds maximum size 4194304"},
	 TOO_LARGE},
	{GRPC, {200, 9, false, NONE, ""}, REFUSED},
	{GRPC, {200, 10, false, NONE, ""}, RETRY},
	{GRPC, {200, 11, false, NONE, ""}, RETRY},
	{GRPC, {200, 12, false, NONE, ""}, REFUSED},
	{GRPC, {200, 13, false, NONE, ""}, REFUSED},
	{GRPC, {200, 14, false, NONE, ""}, RETRY},
	{GRPC, {200, 15, false, NONE, ""}, RETRY},
	{GRPC, {200, 16, false, NONE, ""}, REFUSED},
	{GRPC, {200, 17, false, NONE, ""}, REFUSED},
	/* A proxy, that knows nothing of gRPC. */
	{GRPC, {200, -1, false, NONE, ""}, REFUSED},
	{GRPC, {404, -1, false, NONE, ""}, REFUSED},
	{GRPC, {413, -1, false, NONE, ""}, TOO_LARGE},
	{GRPC, {429, -1, false, NONE, ""}, RETRY},
	{GRPC, {503, -1, false, NONE, ""}, RETRY},
	{LOKI, {204, -1, false, NONE, ""}, ACCEPTED},
	{LOKI, {200, -1, false, NONE, ""}, ACCEPTED},
	{LOKI, {260, -1, false, NONE, ""}, REFUSED},
	{LOKI, {302, -1, false, NONE, ""}, REFUSED},
	{LOKI, {400, -1, false, NONE, ""}, REJECTED},
	{LOKI, {401, -1, false, NONE, ""}, REFUSED},
	{LOKI, {413, -1, false, NONE, ""}, TOO_LARGE},
	{LOKI, {422, -1, false, NONE, ""}, REJECTED},
	{LOKI, {429, -1, false, NONE, ""}, RETRY},
	{LOKI, {500, -1, false, NONE, ""}, RETRY},
	{LOKI, {507, -1, false, NONE, ""}, RETRY},
	{LOKI, {0, -1, true, NONE, ""}, RETRY},
	{LOKI, {0, -1, false, NONE, ""}, REFUSED},
};

static void test_outcomes(void)
{
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		is_int(span__outcome_of(outcomes[i].protocol, &outcomes[i].got),
		       outcomes[i].want, "HTTP %d, gRPC %d, delay %" PRIu64,
		       outcomes[i].got.http, outcomes[i].got.grpc,
		       outcomes[i].got.delay_ns);
}

#define S 1000000000ull
/* Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110, and ten seconds before. */
#define THEN (784111777 - 10)

static const struct {
	const char *value;
	uint64_t want;
} delays[] = {
	{"0", 0},
	{"1", S},
	{" 120 ", 120 * S},
	{"86400", 86400 * S},
	{"86401", 86400 * S},
	{"99999999999999999999999", 86400 * S},
	{"Sun, 06 Nov 1994 08:49:37 GMT", 10 * S},
	{"Sunday, 06-Nov-94 08:49:37 GMT", 10 * S},
	{"Sun Nov  6 08:49:37 1994", 10 * S},
	{"Sun, 06 Nov 1994 08:49:26 GMT", 0},
	{"Fri, 31 Dec 9999 23:59:59 GMT", 86400 * S},
	{"", NONE},
	{" ", NONE},
	{"-1", NONE},
	{"1.5", NONE},
	{"1s", NONE},
	{"Sun, 06 Nov 1994 08:49:37 CET", NONE},
	{"Sun, 06 Nov 1994 08:49:37 GMT and so on", NONE},
	{"Thu, 01 Jan 1900 00:00:00 GMT", NONE},
	{"soon, but not before everything else has been done, as it happens",
	 NONE},
};

static void test_delays(void)
{
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
		is_uint(span__retry_after(span_str(delays[i].value), THEN * S),
			delays[i].want, "Retry-After: %s", delays[i].value);
	is_uint(span__retry_after((struct span_str){"1\0x", 3}, 0), NONE,
		"a NUL is no digit");
}

static void test_backoff(void)
{
	bool within = true;
	uint64_t most = 0;

	for (unsigned n = 1; n < 100; n++)
		for (uint64_t r = 0; r < 2000; r += 7) {
			uint64_t max = n < 4 ? 100ull << (n - 1) : 500;
			uint64_t got = span__backoff_ns(n, 100, 500, r);

			within &= got <= max;
			if (n == 3 && got > most)
				most = got;
		}
	ok(within, "a pause is within what is doubled up to the most");
	ok(most > 380, "all of it is used");
	is_uint(span__backoff_ns(1, 100, 500, 101 * 5), 0, "and none of it");
	ok(span__backoff_ns(1, 900, 500, 12345) <= 500,
	   "a base above the most");
	is_uint(span__backoff_ns(3, 0, 500, 12345), 0, "a base of nothing");
	is_uint(span__backoff_ns(64, UINT64_MAX, UINT64_MAX, 7), 7,
		"nothing overflows");
}

int main(void)
{
	test_outcomes();
	test_delays();
	test_backoff();
	is_str(span__grpc_name(14), "UNAVAILABLE", "a status has a name");
	ok(!span__grpc_name(17) && !span__grpc_name(-1), "or none");
	return done_testing();
}
