/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partial results of span-stats(1). The checksum is made to hold, so that what
 * is behind it is read; what is accepted has to be written and read again to
 * the same counts.
 */
#include <span/stats.h>

#include <stdlib.h>

#include "base/crc32c.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

#define NAMES SPAN_STR("service")

static struct span_stats *merged(const void *p, size_t len)
{
	struct span_stats_opts o = {.n_labels = 1};
	struct span_stats *st;
	size_t used;

	if (span_stats_open(&st, &o, NULL) < 0)
		abort();
	if (span_stats_merge(st, NAMES, p, len, &used, NULL) < 0) {
		if (span_stats_rows(st) || span_stats_spans(st))
			abort();
		span_stats_close(&st);
		return NULL;
	}
	if (used > len)
		abort();
	return st;
}

/* A frame of the bytes, as the body, with the right checksum. */
static void wrap(struct span_buf *b, const uint8_t *p, size_t len)
{
	uint32_t crc = span__crc32c(0, p, len);

	span_buf_put(b, "\x94\xa4SPM1\x01\xc6", 8);
	for (int i = 24; i >= 0; i -= 8)
		span_buf_putc(b, (char)(len >> i));
	span_buf_put(b, p, len);
	span_buf_putc(b, '\xce');
	for (int i = 24; i >= 0; i -= 8)
		span_buf_putc(b, (char)(crc >> i));
}

static void again(struct span_stats *st)
{
	struct span_buf b = {0};
	struct span_stats *twin;

	if (span_stats_save(st, NAMES, &b, NULL) < 0)
		abort();
	twin = merged(b.p, b.len);
	if (!twin || span_stats_spans(twin) != span_stats_spans(st) ||
	    span_stats_rows(twin) != span_stats_rows(st))
		abort();
	span_stats_close(&twin);
	span_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_buf b = {0};
	struct span_stats *st = merged(p, len);

	span_stats_close(&st);
	wrap(&b, p, len);
	st = merged(b.p, b.len);
	if (st)
		again(st);
	span_stats_close(&st);
	span_buf_release(&b);
	return 0;
}
