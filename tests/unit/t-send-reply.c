/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_reply.h"

#include "tests/unit/tap.h"

#define NONE UINT64_MAX
#define S 1000000000ull
#define TYPE "type.googleapis.com/google.rpc.RetryInfo"

/*
 * A google.rpc.Status with code 14 and a RetryInfo of 2.5 s, in base64 as in a
 * trailer; protoc --decode_raw reads it so.
 */
#define DELAY_2500MS                                                           \
	"CA4aNgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIK"     \
	"CggIAhCAyrXuAQ=="

static struct span_str base64(char *out, const char *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (unsigned char)bytes[i];
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			out[n++] = digits[bits >> (n_bits - 6) & 63];
	}
	if (n_bits)
		out[n++] = digits[bits << (6 - n_bits) & 63];
	return (struct span_str){out, n};
}

static void is_delay(const char *bytes, size_t len, uint64_t want,
		     const char *name)
{
	char text[400];

	is_uint(span__grpc_retry_delay(base64(text, bytes, len)), want, "%s",
		name);
}

/* A Status with one detail of 40 + N bytes: its type, and a value of N - 2. */
#define STATUS(n, rest) "\x08\x0e\x1a" n "\x0a\x28" TYPE rest

static void test_retry_info(void)
{
	static const char plain[] = STATUS("\x32", "\x12\x06\x0a\x04"
						   "\x08\x02\x10\x05"),
			  zero[] = STATUS("\x2c", "\x12\x00"),
			  bare[] = STATUS("\x2a", ""),
			  below[] =
				  STATUS("\x39", "\x12\x0d\x0a\x0b\x08\xff\xff"
						 "\xff\xff\xff\xff\xff\xff"
						 "\xff\x01"),
			  huge[] = STATUS("\x34", "\x12\x08\x0a\x06\x08\xff\xff"
						  "\xff\xff\x7f"),
			  other[] = "\x08\x0e\x1a\x05\x0a\x03xyz";

	is_delay(plain, sizeof(plain) - 1, 2 * S + 5, "2 s and 5 ns");
	is_delay(zero, sizeof(zero) - 1, 0, "a delay of zero");
	is_delay(bare, sizeof(bare) - 1, 0, "a RetryInfo without a value");
	is_delay(below, sizeof(below) - 1, 0, "a delay below zero");
	is_delay(huge, sizeof(huge) - 1, 86400 * S, "a delay of years");
	is_delay(other, sizeof(other) - 1, NONE, "another detail");
	is_delay("", 0, NONE, "nothing");
	is_uint(span__grpc_retry_delay(span_str("!!!")), NONE, "no base64");
	for (size_t len = 1; len < sizeof(plain) - 2; len++) {
		char text[400];
		uint64_t got = span__grpc_retry_delay(base64(text, plain, len));

		if (got != NONE && got != 0)
			ok(false, "cut to %zu bytes: %" PRIu64, len, got);
	}
}

static void test_message(void)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"a%20b%2Fc%2f", "a b/c/"},
		{"%", "%"},
		{"%4", "%4"},
		{"%zz%41", "%zzA"},
		{"%00", " "},
		{"%C3%A9", "\xc3\xa9"},
	};
	char out[SPAN__REPLY_TEXT], longer[1000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		span__grpc_message(span_str(rows[i].in), out);
		is_str(out, rows[i].want, "grpc-message '%s'", rows[i].in);
	}
	memset(longer, 'x', sizeof(longer));
	span__grpc_message((struct span_str){longer, sizeof(longer)}, out);
	is_uint(strlen(out), SPAN__REPLY_TEXT - 1, "a long one is cut");
}

static void is_partial(const char *type, const char *body, size_t len,
		       int64_t rejected, const char *text)
{
	struct span__partial p;

	span__otlp_partial(span_str(type), (struct span_str){body, len}, &p);
	is_int(p.rejected, rejected, "rejected spans");
	is_str(p.text, text, "the message");
}

#define PROTO "application/x-protobuf"
#define JSON "application/json; charset=utf-8"
#define IS_JSON(body, n, text) is_partial(JSON, body, strlen(body), n, text)

static void test_partial(void)
{
	is_partial(PROTO, "", 0, 0, "");
	is_partial(PROTO, "\x0a\x00", 2, 0, "");
	is_partial(PROTO, "\x0a\x07\x08\x83\x01\x12\x02hi", 9, 131, "hi");
	is_partial(PROTO, "\x0a\x04\x12\x02hi", 6, 0, "hi");
	is_partial(PROTO, "\x12\x01x\x0a\x02\x08\x05", 7, 5, "");
	is_partial(PROTO, "\x0a\x7f\x08", 3, 0, "");
	is_partial(PROTO,
		   "\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13,
		   -1, "");
	IS_JSON("{}", 0, "");
	IS_JSON("{\"partialSuccess\":{\"rejectedSpans\":\"12\","
		"\"errorMessage\":\"why\"}}",
		12, "why");
	IS_JSON("{\"partialSuccess\":{\"rejectedSpans\":7}}", 7, "");
	IS_JSON("{\"partialSuccess\":{\"rejectedSpans\":1e300}}", 0, "");
	IS_JSON("{\"partialSuccess\":[]}", 0, "");
	IS_JSON("{\"partialSuccess\":{\"rejectedSpans\":", 0, "");
	IS_JSON("[]", 0, "");
	IS_JSON("", 0, "");
}

static void test_http_message(void)
{
	static const struct {
		const char *type, *body, *want;
	} rows[] = {
		{"text/plain", "why\nmore", "why"},
		{"text/plain; charset=utf-8", "\r\n  why  \r\n", "why"},
		{"", "why", "why"},
		{"application/json", "{\"code\":3}", "{\"code\":3}"},
		{"text/html", "<html>", ""},
		{PROTO, "\x08\x03\x12\x03why", "why"},
		{PROTO, "\x08\x03", ""},
		{"text/plain", "", ""},
	};
	char out[SPAN__REPLY_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		span__http_message(span_str(rows[i].type),
				   span_str(rows[i].body), out);
		is_str(out, rows[i].want, "%s", rows[i].type);
	}
}

static void test_frames(void)
{
	static const char one[] = "\0\0\0\0\3abcd";
	unsigned char head[SPAN__GRPC_HEAD];
	struct span_str got;

	span__grpc_head(head, true, 0x01020304);
	is_mem(head, 5, "\1\1\2\3\4", 5, "a head");
	got = span__grpc_body((struct span_str){one, 9});
	is_mem(got.p, got.len, "abc", 3, "a message");
	is_uint(span__grpc_body((struct span_str){one, 7}).len, 0, "a cut one");
	is_uint(span__grpc_body((struct span_str){one, 4}).len, 0,
		"a cut head");
	is_uint(span__grpc_body((struct span_str){"\1\0\0\0\1x", 6}).len, 0,
		"a compressed one");
	is_uint(span__grpc_body((struct span_str){NULL, 0}).len, 0, "none");
}

static void test_timeout(void)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} rows[] = {
		{0, "0n"},
		{99999999, "99999999n"},
		{100000000, "100000u"},
		{10000000000, "10000000u"},
		{86400000000000, "86400000m"},
		{100000000000000, "100000S"},
		{31536000000000000, "31536000S"},
		{UINT64_MAX, "5124095H"},
	};
	char text[SPAN__GRPC_TIMEOUT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		span__grpc_put_timeout(rows[i].ns, text);
		is_str(text, rows[i].want, "grpc-timeout");
	}
}

int main(void)
{
	test_timeout();
	test_retry_info();
	is_uint(span__grpc_retry_delay(span_str(DELAY_2500MS)), 2500000000u,
		"padded base64");
	test_message();
	test_partial();
	test_http_message();
	test_frames();
	return done_testing();
}
