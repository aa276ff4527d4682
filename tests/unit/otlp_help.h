/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_help.h - what the tests of OTLP share: a message to text
 */
#ifndef OTLP_HELP_H
#define OTLP_HELP_H

#include "codec/decoder.h"

#include <span/span.h>

#include "tap.h"

static struct {
	struct span_decoder *d;
	struct span_buf text;
} seen;

static inline int see_span(void *arg, const struct span *s,
			   struct span_error *err)
{
	(void)arg;
	(void)err;
	span_encode_jsonl(&seen.text, s);
	return 0;
}

/*
 * The spans of a message as lines of jsonl, "none" for none, and
 * "bad N: WHAT at POS" when some were skipped; of a bad message "CODE: WHAT
 * at POS". Valid until the next call.
 */
static inline const char *see(int format, const void *p, size_t len)
{
	const struct span_error *bad;
	struct span_error err = {0};
	uint64_t before;
	int rc;

	if (!seen.d && span_decoder_open(&seen.d, NULL, NULL) < 0)
		abort();
	before = span_decoder_stats(seen.d)->bad_spans;
	seen.text.len = 0;
	rc = span_decoder_message(seen.d, format, p, len, see_span, NULL, &err);
	if (rc < 0)
		span_buf_printf(&seen.text, "%d: %s at %zu\n", rc, err.msg,
				(size_t)err.pos);
	if (!rc)
		span_buf_puts(&seen.text, "none\n");
	bad = span_decoder_bad_span(seen.d);
	if (rc >= 0 && bad)
		span_buf_printf(
			&seen.text, "bad %d: %s at %zu\n",
			(int)(span_decoder_stats(seen.d)->bad_spans - before),
			bad->msg, (size_t)bad->pos);
	span_buf_putc(&seen.text, '\0');
	return seen.text.p;
}

static inline void see_close(void)
{
	span_decoder_close(&seen.d);
	span_buf_release(&seen.text);
}

#endif
