/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans-otlp FORMAT - a span stream on standard input to one message of OTLP
 * on standard output; FORMAT is otlp-proto or otlp-json
 */
#include <span/span.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"

static struct {
	struct span_arena arena;
	struct span_buf spans;
} all;

static int load(struct span_error *err)
{
	struct span_reader *r = NULL;
	struct span s, copy;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, err);

	while (rc >= 0 && (rc = span_reader_next(r, &s, err)) > 0) {
		if (span_copy(&copy, &s, &all.arena) < 0)
			abort();
		span_buf_put(&all.spans, &copy, sizeof(copy));
	}
	span_reader_close(&r);
	return rc;
}

int main(int argc, char **argv)
{
	int format = argc > 1 && !strcmp(argv[1], "otlp-json")
			     ? SPAN_FORMAT_OTLP_JSON
			     : SPAN_FORMAT_OTLP_PROTO;
	struct span_error err = {0};
	struct span_buf b = {0};
	int rc = load(&err);

	if (rc >= 0)
		rc = span_encode_message(
			&b, format, (struct span *)(void *)all.spans.p,
			all.spans.len / sizeof(struct span), &err);
	if (rc >= 0)
		rc = span_write_all(STDOUT_FILENO, b.p, b.len, &err);
	if (rc < 0)
		fprintf(stderr, "spans-otlp: %s\n", err.msg);
	span_buf_release(&b);
	span_buf_release(&all.spans);
	span_arena_release(&all.arena);
	return rc < 0;
}
