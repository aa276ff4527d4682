/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a client, as a whole and split at random: both give the same.
 * The first byte of the input chooses how they are split.
 */
#include "net/http_stream.h"

#include <string.h>

#include "tests/fuzz/story.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static bool wants(struct span_str path)
{
	return path.len && path.p[path.len - 1] == 's';
}

/*
 * In parts of up to MOST bytes, or with 0 as a whole. Only the first one begins
 * a packet.
 */
static void tell(struct story *s, const uint8_t *p, size_t len, size_t most)
{
	const struct span__http_sink sink = sink_of(s);
	struct span__http_stream *h = NULL;
	size_t at = 0, step = 1;

	check(span__http_stream_open(&h, &sink, true, NULL) == 0);
	while (at < len) {
		struct span__tcp_bytes b = {.len = len - at, .begins = !at};
		uint8_t *copy;

		if (most && step % most + 1 < b.len)
			b.len = step % most + 1;
		copy = malloc(b.len);
		check(copy != NULL);
		memcpy(copy, p + at, b.len);
		b.p = copy;
		check(span__http_stream_put(h, &b, NULL) == 0);
		check(span__http_stream_memory(h) < 8 * len + 8192);
		free(copy);
		at += b.len;
		step = step * 7 + 3;
	}
	span__http_stream_close(&h);
	span_buf_putc(&s->text, '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct story whole = {0}, parts = {0};

	if (!len)
		return 0;
	tell(&whole, p + 1, len - 1, 0);
	tell(&parts, p + 1, len - 1, p[0] + 1u);
	check(whole.text.len == parts.text.len &&
	      !memcmp(whole.text.p, parts.text.p, whole.text.len));
	span_buf_release(&whole.text);
	span_buf_release(&parts.text);
	return 0;
}
