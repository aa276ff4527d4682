/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zipkin-cases.h - what the tests of Zipkin's readers share
 */
#ifndef ZIPKIN_CASES_H
#define ZIPKIN_CASES_H

#include "codec/decoder.h"

#include "span_dump.h"
#include "tap.h"

static struct span_decoder *decoder;

static inline int put_line(void *arg, const struct span *s,
			   struct span_error *err)
{
	(void)err;
	put_span(arg, s);
	return 0;
}

/*
 * Decode the message: the lines of its spans, then of what was wrong, "bad:
 * WHAT at N" for the first bad span and "CODE: WHAT at N" for the message.
 */
static inline struct span_buf decoded(int format, const void *p, size_t len)
{
	struct span_error err = {0};
	struct span_buf text = {0};
	const struct span_error *bad;
	int rc = span_decoder_message(decoder, format, p, len, put_line, &text,
				      &err);

	bad = span_decoder_bad_span(decoder);
	if (bad && rc >= 0)
		span_buf_printf(&text, "bad: %s at %zu\n", bad->msg,
				(size_t)bad->pos);
	if (rc < 0)
		span_buf_printf(&text, "%d: %s at %zu\n", rc, err.msg,
				(size_t)err.pos);
	span_buf_putc(&text, 0);
	return text;
}

static inline void is_decoded(int format, const void *p, size_t len,
			      const char *want, const char *name)
{
	struct span_buf text = decoded(format, p, len);

	is_str(text.p, want, "%s", name);
	span_buf_release(&text);
}

#endif
