/* SPDX-License-Identifier: Apache-2.0 */
#include "net/send_batch.h"

#include <span/codec.h>

#include <zlib.h>

#include "tests/unit/tap.h"

#define N 300

/* Three services, two of them told apart by content alone. */
static struct span_process processes[3] = {
	{.service = {"a", 1}, .serial = 7},
	{.service = {"b", 1}},
	{.service = {"c", 1}},
};

static struct span a_span(size_t i, const struct span_process *p)
{
	struct span s = {.process = p, .name = {"op", 2}, .start_ns = i};

	s.trace_id[15] = 1;
	s.span_id[6] = (uint8_t)(i >> 8);
	s.span_id[7] = (uint8_t)i;
	return s;
}

static void test_group(void)
{
	struct span__batch *b;
	bool ordered = true;

	if (!is_int(span__batch_open(&b, N, NULL), 0, "a batch"))
		return;
	for (size_t i = 0; i < N; i++) {
		/* A copy that does not live on. */
		struct span_process copy = processes[i % 3];
		struct span s = a_span(i, &copy);

		if (span__batch_put(b, &s, NULL) < 0)
			ok(false, "put");
		memset(&copy, 0xee, sizeof(copy));
	}
	is_uint(b->n_processes, 3, "each process is there once");
	is_int(span__batch_group(b, NULL), 0, "grouped");
	for (size_t i = 1; i < N; i++)
		ordered &= b->spans[i].process == b->spans[i - 1].process
				   ? b->spans[i].start_ns >
					     b->spans[i - 1].start_ns
				   : i % 100 == 0;
	ok(ordered, "by process, and in the order they came within it");
	is_mem(b->spans[0].process->service.p, 1, "a", 1, "the first process");
	is_mem(b->spans[299].process->service.p, 1, "c", 1, "the last one");
	ok(span__batch_size(b) > 0, "it takes memory");
	span__batch_close(&b);
	ok(!b, "and is closed");
}

/* The Batch alone is what is left of the message without its head and end. */
static void test_bare(void)
{
	struct span__send_url u;
	struct span s = a_span(1, &processes[0]);
	struct span_buf bare = {0}, whole = {0};

	if (span__send_url_parse(&u, "jaeger+http://h", false, NULL) < 0 ||
	    span__send_encode(&bare, &u, &s, 1, NULL) < 0 ||
	    span_encode_jaeger(&whole, SPAN_FORMAT_JAEGER_BINARY, &s, 1, 0,
			       NULL) < 0) {
		ok(false, "encoded");
		return;
	}
	is_mem(whole.p + 21, 3, "\x0c\0\1", 3, "field 1 of the arguments");
	is_mem(bare.p, bare.len, whole.p + 24, whole.len - 25, "its content");
	span_buf_release(&bare);
	span_buf_release(&whole);
}

static void unpack(const struct span_buf *b, size_t at, const char *want,
		   size_t len)
{
	char out[8192];
	z_stream z = {.next_in = (Bytef *)b->p + at,
		      .avail_in = (uInt)(b->len - at),
		      .next_out = (Bytef *)out,
		      .avail_out = sizeof(out)};

	inflateInit2(&z, 31);
	is_int(inflate(&z, Z_FINISH), Z_STREAM_END, "gzip");
	is_mem(out, z.total_out, want, len, "unpacks to what was packed");
	inflateEnd(&z);
}

static void test_pack(void)
{
	char text[4096];
	struct span_buf b = {0};

	memset(text, 'x', sizeof(text));
	span_buf_put(&b, text, sizeof(text));
	is_int(span__send_pack(&b, false, false, NULL), 0, "plain");
	is_mem(b.p, b.len, text, sizeof(text), "is as it was");
	is_int(span__send_pack(&b, true, false, NULL), 0, "gRPC");
	is_mem(b.p, 5, "\0\0\0\x10\0", 5, "has its length first");
	is_mem(b.p + 5, b.len - 5, text, sizeof(text), "then the message");
	b.len = 0;
	span_buf_put(&b, text, sizeof(text));
	is_int(span__send_pack(&b, false, true, NULL), 0, "gzip");
	ok(b.len < 200, "is small");
	unpack(&b, 0, text, sizeof(text));
	b.len = 0;
	span_buf_put(&b, text, sizeof(text));
	is_int(span__send_pack(&b, true, true, NULL), 0, "gzip in gRPC");
	ok(b.p[0] == 1 && (size_t)(unsigned char)b.p[4] == b.len - 5,
	   "is marked as compressed");
	unpack(&b, 5, text, sizeof(text));
	b.len = 0;
	is_int(span__send_pack(&b, true, true, NULL), 0, "nothing, compressed");
	span_buf_release(&b);
}

int main(void)
{
	test_group();
	test_bare();
	test_pack();
	return done_testing();
}
