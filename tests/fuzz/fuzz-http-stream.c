/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a client, as a whole and split at random: both give the same.
 * The first byte of the input chooses how they are split.
 */
#include "net/http_stream.h"

#include <span/payload.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

/* What came, as text. */
struct story {
	struct span_buf text;
};

static bool wants(struct span_str path)
{
	return path.len && path.p[path.len - 1] == 's';
}

static void put_str(struct span_buf *b, struct span_str s)
{
	span_buf_printf(b, " %zu:", s.len);
	span_buf_str(b, s);
}

static int on_request(void *arg, const struct span__http_request *r,
		      struct span_error *err)
{
	struct story *s = arg;

	(void)err;
	check(r->body.len <= SPAN_PAYLOAD_MAX);
	put_str(&s->text, r->path);
	put_str(&s->text, r->content_type);
	put_str(&s->text, r->content_encoding);
	put_str(&s->text, r->body);
	return 0;
}

static void on_lost(void *arg, enum span__drop cause)
{
	struct story *s = arg;

	span_buf_printf(&s->text, "(%s)", span__drop_name(cause));
}

static void on_ignored(void *arg)
{
	struct story *s = arg;

	span_buf_putc(&s->text, '-');
}

/*
 * In parts of up to MOST bytes, or with 0 as a whole. Only the first one begins
 * a packet.
 */
static void tell(struct story *s, const uint8_t *p, size_t len, size_t most)
{
	const struct span__http_sink sink = {.arg = s,
					     .wants = wants,
					     .request = on_request,
					     .lost = on_lost,
					     .ignored = on_ignored};
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
