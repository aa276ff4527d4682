/* SPDX-License-Identifier: Apache-2.0 */
/* Zipkin's ListOfSpans, and what is wrong with it. */
#include "zipkin-cases.h"

#include "base/banned.h"

#define HEAD "unknown-service-name 0000000000000001/0000000000000002 "
#define NO_NAME HEAD "\"empty-span-name\" flags=0 "

/* Ids 1 and 2, of 20 bytes. */
#define IDS "\x0a\x08\0\0\0\0\0\0\0\1\x1a\x08\0\0\0\0\0\0\0\2"

struct example {
	const char *name, *bytes;
	size_t len;
	const char *want;
};

#define BYTES(lit) (lit), sizeof(lit) - 1

static void run(const struct example *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_decoded(SPAN_FORMAT_ZIPKIN_PROTO, e[i].bytes, e[i].len,
			   e[i].want, e[i].name);
}

#define RUN(table) run(table, sizeof(table) / sizeof((table)[0]))

static void test_good(void)
{
	static const struct example table[] = {
		{"no spans", BYTES(""), ""},
		{"nothing but ids", BYTES("\x0a\x14" IDS),
		 NO_NAME "0+0 marks=4\n"},
		{"every field",
		 /* 154 bytes: the ids, parent, kind SERVER, name, times */
		 BYTES("\x0a\x9a\x01"
		       "\x0a\x10\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
		       "\x10\x12\x08\0\0\0\0\0\0\0\5"
		       "\x1a\x08\0\0\0\0\0\0\0\2\x20\2\x2a\1n"
		       "\x31\x0a\0\0\0\0\0\0\0\x38\5"
		       /* local: "l", 1.2.3.4, port 80 */
		       "\x42\x0b\x0a\1l\x12\4\1\2\3\4\x20\x50"
		       /* remote: "r", ::1, port 8080 */
		       "\x4a\x18\x0a\1r\x1a\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
		       "\x20\x90\x3f"
		       /* annotations "a" at 11, fields at 12 */
		       "\x52\x0c\x09\x0b\0\0\0\0\0\0\0\x12\1a"
		       "\x52\x14\x09\x0c\0\0\0\0\0\0\0\x12\x09{\"b\":\"c\"}"
		       /* tags k=v, error= */
		       "\x5a\6\x0a\1k\x12\1v"
		       "\x5a\7\x0a\5error"
		       /* debug, shared, a field of a later version */
		       "\x60\1\x68\1\x82\7\1x"),
		 "l(ip=i:16909060 port=i:80) "
		 "0102030405060708090a0b0c0d0e0f10/0000000000000002"
		 "<0000000000000005 \"n\" flags=3 10000+5000 server error "
		 "(k=s:v error=s: peer.service=s:r "
		 "peer.ipv6=y:00000000000000000000000000000001 "
		 "peer.port=i:8080 span.kind=s:server zipkin.shared=b:true) "
		 "[11000 event=s:a] [12000 b=s:c]\n"},
		{"kinds",
		 BYTES("\x0a\x16" IDS "\x20\1"
		       "\x0a\x16" IDS "\x20\3"
		       "\x0a\x16" IDS "\x20\4"
		       "\x0a\x16" IDS "\x20\5"),
		 NO_NAME "0+0 client (span.kind=s:client) marks=4\n" NO_NAME
			 "0+0 producer (span.kind=s:producer) marks=4\n" NO_NAME
			 "0+0 consumer (span.kind=s:consumer) marks=4\n" NO_NAME
			 "0+0 marks=4\n"},
		{"fields of another type are skipped",
		 BYTES("\x0a\x1d" IDS "\x28\7\x35\0\0\0\0\x30\5"
		       "\x08\1"),
		 NO_NAME "0+0 marks=4\n"},
		{"a duration that does not fit",
		 BYTES("\x0a\x1f" IDS
		       "\x38\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
		 NO_NAME "0+1000 (errNegativeDuration=s:-1) marks=6\n"},
		{"addresses of a wrong length are kept",
		 BYTES("\x0a\x1a" IDS "\x4a\4\x12\2\1\2"),
		 NO_NAME "0+0 (peer.service=s: peer.ipv4=y:0102) marks=4\n"},
		{"a parent that is 0 is none",
		 BYTES("\x0a\x1e" IDS "\x12\x08\0\0\0\0\0\0\0\0"),
		 NO_NAME "0+0 marks=4\n"},
	};

	RUN(table);
}

static void test_bad(void)
{
	static const struct example table[] = {
		{"a trace id of 4 bytes",
		 BYTES("\x0a\x06\x0a\4\0\0\0\1\x0a\x14" IDS),
		 NO_NAME "0+0 marks=4\nbad: a trace id is not 8 or 16 bytes "
			 "at 4\n"},
		{"one that is 0",
		 BYTES("\x0a\x14\x0a\x08\0\0\0\0\0\0\0\0\x1a\x08\0\0\0\0\0\0\0"
		       "\2"),
		 "bad: a span has no trace id at 2\n"},
		{"no id", BYTES("\x0a\x0a\x0a\x08\0\0\0\0\0\0\0\1"),
		 "bad: a span has no id at 2\n"},
		{"an id of 9 bytes",
		 BYTES("\x0a\x15\x0a\x08\0\0\0\0\0\0\0\1\x1a\x09\0\0\0\0\0\0\0"
		       "\0"
		       "\2"),
		 "bad: an id is not 8 bytes at 14\n"},
		{"a parent of 1 byte", BYTES("\x0a\x17" IDS "\x12\1\1"),
		 "bad: an id is not 8 bytes at 24\n"},
		{"an empty span", BYTES("\x0a\0"),
		 "bad: a span has no trace id at 2\n"},
		{"a span that is longer than the message",
		 BYTES("\x0a\x15" IDS),
		 "-3: a field is longer than its message at 1\n"},
		{"a tag that is longer than its span",
		 BYTES("\x0a\x17" IDS "\x5a\2\x0a\x0a\x14" IDS),
		 "-3: a field is longer than its message at 23\n"},
		{"damage behind a good span", BYTES("\x0a\x14" IDS "\x0f"),
		 "-4: a field has an unknown wire type at 22\n"},
		{"a field without a number", BYTES("\x0a\x14" IDS "\0"),
		 "-4: a field has an impossible number at 22\n"},
		{"no protobuf", BYTES("[{\"traceId\":\"1\"}]"),
		 "-3: a field is longer than its message at 3\n"},
	};

	RUN(table);
}

/* Cut anywhere, a message gives nothing, but between two spans. */
static void test_cut(void)
{
	static const char message[] = "\x0a\x1a" IDS "\x5a\4\x0a\2kk"
				      "\x0a\x14" IDS;
	unsigned wrong = 0;

	for (size_t len = 1; len < sizeof(message) - 1; len++) {
		struct span_buf text =
			decoded(SPAN_FORMAT_ZIPKIN_PROTO, message, len);

		wrong += len == 28 ? text.p[0] != 'u'
				   : strncmp(text.p, "-3", 2) != 0;
		span_buf_release(&text);
	}
	is_uint(wrong, 0, "a message that is cut gives nothing");
}

int main(void)
{
	if (!ok(!span_decoder_open(&decoder, NULL, NULL), "open"))
		return done_testing();
	test_good();
	test_bad();
	test_cut();
	span_decoder_close(&decoder);
	return done_testing();
}
