/* SPDX-License-Identifier: Apache-2.0 */
#include "net/grpc_message.h"

#include "tests/unit/tap.h"

static int put_all(struct span__grpc_message *m, const char *p, size_t len,
		   size_t cut, size_t max, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < len && !rc; i += cut)
		rc = span__grpc_message_put(
			m, p + i, len - i < cut ? len - i : cut, max, err);
	return rc;
}

static void test_messages(void)
{
	static const struct {
		const char *name, *p;
		size_t len, max;
		int want;
		bool whole;
	} rows[] = {
		{"nothing", "", 0, 9, 0, false},
		{"a part of a prefix", "\0\0\0\0", 4, 9, 0, false},
		{"an empty message", "\0\0\0\0\0", 5, 9, 0, true},
		{"a message", "\0\0\0\0\3abc", 8, 9, 0, true},
		{"a compressed one", "\1\0\0\0\3abc", 8, 9, 0, true},
		{"a part of one", "\0\0\0\0\3ab", 7, 9, 0, false},
		{"one of the limit", "\0\0\0\0\3abc", 8, 3, 0, true},
		{"one above it", "\0\0\0\0\3abc", 8, 2, SPAN_E_LIMIT, false},
		{"4 GiB that never come", "\0\377\377\377\377a", 6, 1 << 20,
		 SPAN_E_LIMIT, false},
		{"a bad flag", "\2\0\0\0\3abc", 8, 9, SPAN_E_CORRUPT, false},
		{"a byte too many", "\0\0\0\0\3abcd", 9, 9, SPAN_E_INVALID,
		 false},
		{"two messages", "\0\0\0\0\0\0\0\0\0\0", 10, 9, SPAN_E_INVALID,
		 true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t cut = 1; cut < 12; cut++) {
			struct span__grpc_message m = {0};
			struct span_error err = {0};
			int rc = put_all(&m, rows[i].p, rows[i].len, cut,
					 rows[i].max, &err);

			is_int(rc, rows[i].want, "%s, cut at %zu: %s",
			       rows[i].name, cut, err.msg);
			if (!rc) {
				ok(span__grpc_message_is_whole(&m) ==
					   rows[i].whole,
				   "whole or not");
				is_mem(m.data.p, m.data.len, rows[i].p + 5,
				       rows[i].len > 5 ? rows[i].len - 5 : 0,
				       "its bytes");
			}
			span__grpc_message_release(&m);
		}
}

/* What a length says takes no memory before its bytes come. */
static void test_memory(void)
{
	struct span__grpc_message m = {0};

	is_int(span__grpc_message_put(&m, "\0\1\0\0\0a", 6, 20 << 20, NULL), 0,
	       "one byte of 16 MiB");
	is_uint(span__grpc_message_len(&m), 16 << 20, "which it says");
	ok(m.data.cap <= 4096, "takes little");
	span__grpc_message_release(&m);
}

static void test_timeouts(void)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t ns;
	} rows[] = {
		{"1n", true, 1},
		{"20u", true, 20000},
		{"3m", true, 3000000},
		{"10S", true, UINT64_C(10000000000)},
		{"2M", true, UINT64_C(120000000000)},
		{"1H", true, UINT64_C(3600000000000)},
		{"99999999n", true, 99999999},
		{"99999999H", true, INT64_MAX},
		{"0S", true, 0},
		{"999999999n", false, 0},
		{"", false, 0},
		{"S", false, 0},
		{"1", false, 0},
		{"1s", false, 0},
		{"-1S", false, 0},
		{"1.5S", false, 0},
		{" 1S", false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t ns = 0;

		ok(span__grpc_timeout(span_str(rows[i].text), &ns) ==
			   rows[i].good,
		   "grpc-timeout \"%s\"", rows[i].text);
		if (rows[i].good)
			is_uint(ns, rows[i].ns, "its ns");
	}
}

static void test_texts(void)
{
	struct span_buf b = {0};

	span__grpc_put_percent(&b, "a b%\n\x7f\xc3\xa4~");
	is(b.p, b.len, "a b%25%0A%7F%C3%A4~", "percent encoding");
	b.len = 0;
	/* As protoc and base64 make it. */
	span__grpc_put_retry(&b, 8, "slow", 1);
	is(b.p, b.len,
	   "CAgSBHNsb3caMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5"
	   "SW5mbxIECgIIAQ",
	   "a status with RetryInfo");
	b.len = 0;
	span__grpc_put_message(&b, "xy", 2);
	is_mem(b.p, b.len, "\0\0\0\0\2xy", 7, "a message");
	span_buf_release(&b);
}

static void test_export_response(void)
{
	struct span_buf b = {0};

	span__otlp_put_response(&b, 0, "unused");
	is_uint(b.len, 0, "nothing is rejected: an empty response");
	span__otlp_put_response(&b, 300, "bad");
	is_mem(b.p, b.len,
	       "\n\x08\x08\xac\x02\x12\x03"
	       "bad",
	       10, "rejected spans and why");
	span_buf_release(&b);
}

static void test_health(void)
{
	static const struct {
		const char *name, *p;
		size_t len;
		bool good;
		const char *service;
	} rows[] = {
		{"nothing", "", 0, true, ""},
		{"a service", "\n\3a.b", 5, true, "a.b"},
		{"the last one counts", "\n\1a\n\1b", 6, true, "b"},
		{"fields that are not known", "\x10\5\x1a\1z\n\1a", 8, true,
		 "a"},
		{"cut", "\n\3a.", 4, false, ""},
		{"a length of 2^64 - 1",
		 "\n\377\377\377\377\377\377\377\377\377\1", 11, false, ""},
		{"a number without an end",
		 "\10\377\377\377\377\377\377\377\377\377\377\377", 12, false,
		 ""},
		{"another wire type", "\x0d\1\2\3\4\n\1a", 8, true, "a"},
		{"four bytes that are not there", "\x0d\1\2\3", 4, false, ""},
		{"a group", "\x0b\x0c", 2, false, ""},
		{"a key alone", "\n", 1, false, ""},
	};
	struct span_buf b = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span_str s = {0};
		char *copy = malloc(rows[i].len + 1);

		memcpy(copy, rows[i].p, rows[i].len);
		ok(span__grpc_health_service(copy, rows[i].len, &s) ==
			   rows[i].good,
		   "health: %s", rows[i].name);
		if (rows[i].good)
			is(s.p, s.len, rows[i].service, "its service");
		free(copy);
	}
	ok(span__grpc_health_service(NULL, 0, &(struct span_str){0}),
	   "health: no bytes at all");
	span__grpc_put_health(&b, true);
	span__grpc_put_health(&b, false);
	is_mem(b.p, b.len, "\10\1\10\2", 4, "SERVING, NOT_SERVING");
	span_buf_release(&b);
}

int main(void)
{
	test_messages();
	test_memory();
	test_timeouts();
	test_texts();
	test_export_response();
	test_health();
	return done_testing();
}
