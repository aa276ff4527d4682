/* SPDX-License-Identifier: Apache-2.0 */
/*
 * story.h - what a stream of requests or calls gave, as text to be compared
 *
 * The file that includes it defines wants().
 */
#ifndef STORY_H
#define STORY_H

#include "net/http_stream.h"

#include <span/payload.h>
#include <stdlib.h>

struct story {
	struct span_buf text;
};

static bool wants(struct span_str path);

static void check(bool good)
{
	if (!good)
		abort();
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

static struct span__http_sink sink_of(struct story *s)
{
	return (struct span__http_sink){.arg = s,
					.wants = wants,
					.request = on_request,
					.lost = on_lost,
					.ignored = on_ignored};
}

#endif
