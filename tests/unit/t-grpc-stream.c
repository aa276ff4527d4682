/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls in streams that are split everywhere: each gives what it gives as a
 * whole. What is missing inside the data of a call costs that call.
 */
#include "net/grpc_stream.h"

#include <nghttp2/nghttp2.h>
#include <span/payload.h>

#include "tests/unit/seen-requests.h"
#include "tests/unit/tap.h"

static bool wants(struct span_str path)
{
	return span_str_equal(path, SPAN_STR("/Export"));
}

/* ---- a client ---- */

static struct span_buf sent;
static nghttp2_hd_deflater *deflater;

static void frame(int type, int flags, uint32_t id, const void *p, size_t len)
{
	const uint8_t head[9] = {
		(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
		(uint8_t)type,	      (uint8_t)flags,	   (uint8_t)(id >> 24),
		(uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

	span_buf_put(&sent, head, sizeof(head));
	span_buf_put(&sent, p, len);
}

static nghttp2_nv nv(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
			    .value = (uint8_t *)(uintptr_t)value,
			    .namelen = strlen(name),
			    .valuelen = strlen(value)};
}

static size_t block(uint8_t *to, size_t cap, const char *method,
		    const char *path)
{
	const nghttp2_nv all[] = {
		nv(":method", method),
		nv(":scheme", "http"),
		nv(":path", path),
		nv("te", "trailers"),
		nv("content-type", "application/grpc"),
		nv("grpc-encoding", "gzip"),
		nv("user-agent", "a client that says much about itself"),
	};
	ssize_t n = nghttp2_hd_deflate_hd(deflater, to, cap, all,
					  sizeof(all) / sizeof(all[0]));

	if (n < 0)
		abort();
	return (size_t)n;
}

static void head(uint32_t id, const char *method, const char *path, int flags)
{
	uint8_t b[1000];
	size_t n = block(b, sizeof(b), method, path);

	frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | flags, id, b, n);
}

static void begin(uint32_t id)
{
	head(id, "POST", "/Export", 0);
}

/* A message as a call has it. */
static size_t message(uint8_t *to, int flag, const char *text)
{
	size_t len = strlen(text);

	memset(to, 0, 5);
	to[0] = (uint8_t)flag;
	to[4] = (uint8_t)len;
	memcpy(to + 5, text, len);
	return 5 + len;
}

static void data(uint32_t id, int flag, const char *text, bool end)
{
	uint8_t b[300];
	size_t n = message(b, flag, text);

	frame(NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0, id, b, n);
}

static void call(uint32_t id, const char *text)
{
	begin(id);
	data(id, 0, text, true);
}

/* ---- what it sends ---- */

static void one(void)
{
	frame(NGHTTP2_SETTINGS, 0, 0, "\0\2\0\0\0\0", 6);
	call(1, "hello");
}

static void several(void)
{
	for (uint32_t id = 1; id < 9; id += 2) {
		call(id, "again");
		frame(NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\1\0", 4);
		frame(NGHTTP2_PING, 0, 0, "12345678", 8);
		frame(99, 255, 7, "unknown", 7);
	}
}

static void mixed(void)
{
	uint8_t b[300];
	size_t n = message(b, 0, "first");

	begin(1);
	frame(NGHTTP2_DATA, 0, 1, b, 3);
	begin(3);
	frame(NGHTTP2_DATA, 0, 1, b + 3, 4);
	data(3, 1, "second", true);
	frame(NGHTTP2_DATA, 0, 1, b + 7, n - 7);
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "", 0);
}

static void messages(void)
{
	uint8_t b[300];
	size_t n = message(b, 0, "one");

	n += message(b + n, 0, "");
	n += message(b + n, 1, "three");
	begin(1);
	frame(NGHTTP2_DATA, 0, 1, b, n);
	data(1, 0, "four", true);
}

static void padded(void)
{
	uint8_t b[300] = {4, 0, 0, 0, 0, 16};
	size_t n = block(b + 6, 200, "POST", "/Export");

	frame(NGHTTP2_HEADERS,
	      NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_PADDED |
		      NGHTTP2_FLAG_PRIORITY,
	      1, b, n + 10);
	memset(b, 'P', sizeof(b));
	b[0] = 200;
	n = message(b + 1, 0, "padded");
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, b, n + 1 + 200);
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_END_STREAM, 1,
	      "\0", 1);
}

static void continued(void)
{
	uint8_t b[300];
	size_t n = block(b, sizeof(b), "POST", "/Export");

	frame(NGHTTP2_HEADERS, 0, 1, b, 5);
	frame(NGHTTP2_CONTINUATION, 0, 1, b + 5, 0);
	frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, b + 5, n - 5);
	data(1, 0, "x", true);
}

static void trailers(void)
{
	begin(1);
	data(1, 0, "x", false);
	head(1, "POST", "/Export", NGHTTP2_FLAG_END_STREAM);
	call(3, "y");
}

static void others(void)
{
	head(1, "GET", "/Export", NGHTTP2_FLAG_END_STREAM);
	head(3, "POST", "/Import", 0);
	data(3, 0, "x", true);
	head(5, "POST", "/Export", NGHTTP2_FLAG_END_STREAM);
	call(7, "y");
}

static void reset(void)
{
	begin(1);
	frame(NGHTTP2_DATA, 0, 1, "\0\0\0\0\5he", 7);
	frame(NGHTTP2_RST_STREAM, 0, 1, "\0\0\0\10", 4);
	begin(3);
	data(3, 0, "x", false);
	frame(NGHTTP2_RST_STREAM, 0, 3, "\0\0\0\10", 4);
	call(5, "y");
}

static void unfinished(void)
{
	begin(1);
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "\0\0\0\0\5he", 7);
	begin(3);
	data(3, 0, "x", false);
	begin(5);
	begin(7);
	frame(NGHTTP2_DATA, 0, 7, "\0", 1);
}

static void bad_flag(void)
{
	begin(1);
	data(1, 2, "x", true);
	call(3, "y");
}

static void too_large(void)
{
	begin(1);
	frame(NGHTTP2_DATA, 0, 1, "\0\2\0\0\1x", 6);
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "xyz", 3);
	call(3, "y");
}

static void interrupted(void)
{
	call(1, "x");
	frame(NGHTTP2_HEADERS, 0, 3, "\x82", 1);
	data(3, 0, "y", true);
	call(5, "z");
}

static void even(void)
{
	call(1, "x");
	call(2, "y");
}

static void no_block(void)
{
	begin(1);
	frame(NGHTTP2_DATA, 0, 1, "\0\0", 2);
	begin(3);
	frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 5, "\xff\xff\xff\xff",
	      4);
	call(7, "z");
}

static void too_much_padding(void)
{
	call(1, "x");
	frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 3, "\3xx", 3);
	call(5, "z");
}

static void stray(void)
{
	frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, "", 0);
	call(1, "x");
}

#define GOT(encoding, body) "/Export application/grpc " encoding " " body ";"

static const struct {
	const char *name;
	void (*send)(void);
	const char *want;
} cases[] = {
	{"one call", one, GOT("", "hello")},
	{"several, with other frames", several,
	 GOT("", "again") GOT("", "again") GOT("", "again") GOT("", "again")},
	{"two at a time", mixed, GOT("gzip", "second") GOT("", "first")},
	{"several messages", messages,
	 GOT("", "one") GOT("", "") GOT("gzip", "three") GOT("", "four")},
	{"padding and priority", padded, GOT("", "padded")},
	{"headers in three frames", continued, GOT("", "x")},
	{"trailers", trailers, GOT("", "x") GOT("", "y")},
	{"calls of no interest", others, "---" GOT("", "y")},
	{"calls that are cancelled", reset,
	 "(incomplete)" GOT("", "x") GOT("", "y")},
	{"calls that are not finished", unfinished,
	 "(malformed)" GOT("", "x") "(incomplete)(incomplete)"},
	{"a bad flag", bad_flag, "(malformed)" GOT("", "y")},
	{"a message that is too large", too_large, "(too_large)" GOT("", "y")},
	{"headers that do not end", interrupted, GOT("", "x") "(malformed)"},
	{"a call with an even number", even, GOT("", "x") "(malformed)"},
	{"headers that cannot be read", no_block, "(malformed)(malformed)"},
	{"more padding than data", too_much_padding,
	 GOT("", "x") "(malformed)"},
	{"headers that do not begin", stray, "(malformed)"},
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static void send_case(size_t i)
{
	sent.len = 0;
	if (nghttp2_hd_deflate_new(&deflater, 4096))
		abort();
	cases[i].send();
	nghttp2_hd_deflate_del(deflater);
}

static struct span__grpc_stream *open_grpc(void)
{
	struct span__grpc_stream *g = NULL;

	seen.len = 0;
	if (span__grpc_stream_open(&g, &sink, NULL) < 0)
		abort();
	return g;
}

static int put(struct span__grpc_stream *g, const char *p, size_t len,
	       bool disputed)
{
	struct span__tcp_bytes b = {
		.len = len, .time_ns = 7, .begins = true, .disputed = disputed};
	uint8_t *copy;
	int rc;

	if (!len)
		return 0;
	copy = malloc(len);
	memcpy(copy, p, len);
	b.p = copy;
	rc = span__grpc_stream_put(g, &b, NULL);
	free(copy);
	return rc;
}

/* In parts: up to AT, then of up to STEP bytes. */
static void put_parts(size_t at, size_t step)
{
	struct span__grpc_stream *g = open_grpc();
	int rc = put(g, sent.p, at, false);

	while (!rc && at < sent.len) {
		size_t n = sent.len - at < step ? sent.len - at : step;

		rc = put(g, sent.p + at, n, false);
		at += n;
	}
	span__grpc_stream_close(&g);
}

static void test_cases(void)
{
	for (size_t i = 0; i < N_CASES; i++) {
		size_t wrong = 0;

		send_case(i);
		for (size_t at = 0; at <= sent.len; at++) {
			put_parts(at, sent.len);
			wrong += seen.len != strlen(cases[i].want) ||
				 memcmp(seen.p, cases[i].want, seen.len) != 0;
		}
		is(seen.p, seen.len, cases[i].want, cases[i].name);
		is_uint(wrong, 0, "and so it is split at each of %zu bytes",
			sent.len);
		put_parts(0, 1);
		is(seen.p, seen.len, cases[i].want, "byte for byte");
	}
}

/* How often the text WHAT is in what came. */
static size_t times(const char *what)
{
	size_t n = 0;

	span_buf_putc(&seen, '\0');
	for (const char *p = seen.p; (p = strstr(p, what)); p++)
		n++;
	seen.len--;
	return n;
}

/* LEN bytes from AT on are missing. */
static void put_gap(size_t at, size_t len)
{
	struct span__grpc_stream *g = open_grpc();

	if (put(g, sent.p, at, false) == 0 &&
	    span__grpc_stream_gap(g, (uint32_t)len, SPAN__DROP_INCOMPLETE) == 0)
		(void)!put(g, sent.p + at + len, sent.len - at - len, false);
	span__grpc_stream_close(&g);
}

static void test_gaps(void)
{
	size_t bad = 0, four = 0;

	send_case(1);
	for (size_t at = 0; at < sent.len; at++)
		for (size_t len = 1; len < 20 && at + len <= sent.len; len++) {
			size_t good;

			put_gap(at, len);
			good = times("again");
			bad += times("(incomplete)") < 1 || good > 4 ||
			       times(";") != good;
			four += good >= 3 && times("(incomplete)") == 1;
		}
	is_uint(bad, 0, "a gap anywhere gives what is whole, and is counted");
	ok(four > 100, "often the other calls: %zu times", four);

	send_case(0);
	put_gap(sent.len - 3, 2);
	is(seen.p, seen.len, "(incomplete)", "a gap in data");
	send_case(1);
	put_gap(sent.len - 9 - 7 - 17 - 13 - 2, 2);
	is(seen.p, seen.len,
	   GOT("", "again") GOT("", "again") GOT("", "again") "(incomplete)",
	   "in those of the last call");
}

static void test_disputed(void)
{
	struct span__grpc_stream *g = open_grpc();
	size_t data_len = 9 + 5 + 5;

	send_case(0);
	is_int(put(g, sent.p, sent.len - data_len + 9, false), 0, "a head");
	is_int(put(g, sent.p + sent.len - data_len + 9, 10, true), 0,
	       "disputed data");
	is(seen.p, seen.len, "(overlap)", "cost the message");
	span__grpc_stream_close(&g);
	g = open_grpc();
	is_int(put(g, sent.p, sent.len, true), 1, "disputed headers");
	is(seen.p, seen.len, "(overlap)", "cost all of it");
	span__grpc_stream_close(&g);
}

static void test_limits(void)
{
	static char zeros[70000];
	struct span__grpc_stream *g = open_grpc();
	size_t most = 0;

	sent.len = 0;
	frame(NGHTTP2_HEADERS, 0, 1, zeros, 65537);
	is_int(put(g, sent.p, sent.len, false), 1, "a head above 64 KiB");
	is(seen.p, seen.len, "(malformed)", "is none");
	span__grpc_stream_close(&g);

	g = open_grpc();
	sent.len = 0;
	if (nghttp2_hd_deflate_new(&deflater, 4096))
		abort();
	for (uint32_t id = 1; id < 2001; id += 2)
		begin(id);
	nghttp2_hd_deflate_del(deflater);
	is_int(put(g, sent.p, sent.len, false), 0, "1000 calls at once");
	most = span__grpc_stream_memory(g);
	ok(most < 1u << 20, "take %zu bytes", most);
	span__grpc_stream_close(&g);
	is_uint(times("(incomplete)"), 1000, "and none of them is forgotten");
}

static void test_error(void)
{
	struct span__grpc_stream *g = open_grpc();

	send_case(1);
	fail_with = SPAN_E_PIPE;
	is_int(put(g, sent.p, sent.len, false), SPAN_E_PIPE,
	       "what the sink says ends it");
	is(seen.p, seen.len, GOT("", "again"), "at once");
	is_uint(last_ns, 7, "with the time of the last byte");
	fail_with = 0;
	span__grpc_stream_close(&g);
}

int main(void)
{
	test_cases();
	test_gaps();
	test_disputed();
	test_limits();
	test_error();
	span_buf_release(&seen);
	span_buf_release(&sent);
	return done_testing();
}
