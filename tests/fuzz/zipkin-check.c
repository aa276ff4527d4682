/* SPDX-License-Identifier: Apache-2.0 */
#include "zipkin-check.h"

#include <span/codec.h>

#include <stdlib.h>
#include <string.h>

#include "thrift-check.h"

/* What a reader had to do to a span, and need not do again. */
#define MENDED (SPAN_MARK_CUT | SPAN_MARK_CLAMPED)

/* Above this what is written may be cut where it was not before. */
#define MAX_AGAIN (32u << 10)

struct again {
	int format;
	struct span_decoder *d; /* beside the one that calls */
	struct span_arena arena;
	struct span span;
};

static void check(bool good)
{
	if (!good)
		abort();
}

static int keep(void *arg, const struct span *s, struct span_error *err)
{
	struct again *a = arg;

	(void)err;
	return span_copy(&a->span, s, &a->arena);
}

static int write_and_read(struct again *a, const struct span *s)
{
	struct span_buf b = {0};
	int rc;

	check(!span_encode_message(&b, a->format, s, 1, NULL));
	rc = span_decoder_message(a->d, a->format, b.p, b.len, keep, a, NULL);
	span_buf_release(&b);
	return rc;
}

static int take(void *arg, const struct span *s, struct span_error *err)
{
	struct again *a = arg;
	struct span first;

	(void)err;
	check(write_and_read(a, s) == 1);
	first = a->span;
	check(!memcmp(first.trace_id, s->trace_id, 16) &&
	      !memcmp(first.span_id, s->span_id, 8) &&
	      !memcmp(first.parent_id, s->parent_id, 8));
	check(first.kind == s->kind);
	/* In Thrift a start of 0 is none. */
	check(first.start_ns == s->start_ns || !s->start_ns);
	check(write_and_read(a, &first) == 1);
	first.marks &= (uint16_t)~MENDED;
	a->span.marks &= (uint16_t)~MENDED;
	check(span_equal(&first, &a->span));
	span_arena_reset(&a->arena);
	return 0;
}

void check_zipkin(int format, const uint8_t *p, size_t len)
{
	struct again a = {.format = format};
	struct span_decoder *d = NULL;

	check_thrift(format, p, len);
	if (len > MAX_AGAIN)
		return;
	check(!span_decoder_open(&d, NULL, NULL));
	check(!span_decoder_open(&a.d, NULL, NULL));
	(void)!span_decoder_message(d, format, p, len, take, &a, NULL);
	span_decoder_close(&d);
	span_decoder_close(&a.d);
	span_arena_release(&a.arena);
}
