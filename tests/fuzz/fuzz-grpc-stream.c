/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a gRPC client behind the preface, as a whole and split at
 * random: both give the same. The first byte of the input chooses how they are
 * split, and the second one where a gap is in a third run.
 */
#include "net/grpc_stream.h"

#include <string.h>

#include "tests/fuzz/story.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static bool wants(struct span_str path)
{
	return path.len && path.p[path.len - 1] != '/';
}

static void leave_gap(const uint8_t *p, size_t len, size_t at)
{
	struct story s = {0};
	const struct span__http_sink sink = sink_of(&s);
	struct span__grpc_stream *g = NULL;
	struct span__tcp_bytes b = {.p = p, .len = at, .disputed = at / 4 % 2};
	size_t skip = 1 + at % 50;

	check(span__grpc_stream_open(&g, &sink, NULL) == 0);
	if (at && at + skip < len && !span__grpc_stream_put(g, &b, NULL) &&
	    !span__grpc_stream_gap(g, (uint32_t)skip, SPAN__DROP_INCOMPLETE)) {
		b.p = p + at + skip;
		b.len = len - at - skip;
		check(span__grpc_stream_put(g, &b, NULL) >= 0);
	}
	span__grpc_stream_close(&g);
	span_buf_release(&s.text);
}

/*
 * In parts of up to MOST bytes, or with 0 as a whole. Only the first one begins
 * a packet.
 */
static void tell(struct story *s, const uint8_t *p, size_t len, size_t most)
{
	const struct span__http_sink sink = sink_of(s);
	struct span__grpc_stream *g = NULL;
	size_t at = 0, step = 1;
	int rc;

	check(span__grpc_stream_open(&g, &sink, NULL) == 0);
	for (rc = 0; at < len && !rc;) {
		struct span__tcp_bytes b = {.len = len - at, .begins = !at};
		uint8_t *copy;

		if (most && step % most + 1 < b.len)
			b.len = step % most + 1;
		copy = malloc(b.len);
		check(copy != NULL);
		memcpy(copy, p + at, b.len);
		b.p = copy;
		rc = span__grpc_stream_put(g, &b, NULL);
		check(rc == 0 || rc == 1);
		check(span__grpc_stream_memory(g) < 1100 * len + 100000);
		free(copy);
		at += b.len;
		step = step * 7 + 3;
	}
	span__grpc_stream_close(&g);
	span_buf_putc(&s->text, '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct story whole = {0}, parts = {0};

	if (len < 2)
		return 0;
	tell(&whole, p + 2, len - 2, 0);
	tell(&parts, p + 2, len - 2, p[0] + 1u);
	leave_gap(p + 2, len - 2, p[1] * 4u);
	check(whole.text.len == parts.text.len &&
	      !memcmp(whole.text.p, parts.text.p, whole.text.len));
	span_buf_release(&whole.text);
	span_buf_release(&parts.text);
	return 0;
}
