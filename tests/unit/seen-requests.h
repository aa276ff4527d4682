/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen-requests.h - a sink of HTTP requests or gRPC calls that notes what came
 *
 * As text: "PATH TYPE ENCODING BODY;" for a request or message, "(CAUSE)" for
 * one that was lost, "-" for one that was ignored. The file that includes it
 * defines wants().
 */
#ifndef SEEN_REQUESTS_H
#define SEEN_REQUESTS_H

#include "net/http_stream.h"

static struct span_buf seen;
static uint64_t last_ns; /* of the last one */
static int fail_with;	 /* what it answers */

static bool wants(struct span_str path);

static int on_request(void *arg, const struct span__http_request *r,
		      struct span_error *err)
{
	(void)arg, (void)err;
	span_buf_printf(&seen, "%.*s %.*s %.*s ", (int)r->path.len, r->path.p,
			(int)r->content_type.len, r->content_type.p,
			(int)r->content_encoding.len, r->content_encoding.p);
	span_buf_str(&seen, r->body);
	span_buf_putc(&seen, ';');
	last_ns = r->time_ns;
	return fail_with;
}

static void on_lost(void *arg, enum span__drop cause)
{
	(void)arg;
	span_buf_printf(&seen, "(%s)", span__drop_name(cause));
}

static void on_ignored(void *arg)
{
	(void)arg;
	span_buf_putc(&seen, '-');
}

static const struct span__http_sink sink = {.wants = wants,
					    .request = on_request,
					    .lost = on_lost,
					    .ignored = on_ignored};

#endif
