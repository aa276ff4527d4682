/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/put.h - the puts of a span_buf, inlined
 *
 * For writers that put a few bytes very often: what fits is stored in place.
 */
#ifndef BASE_PUT_H
#define BASE_PUT_H

#include <span/base.h>

#include <string.h>

static inline void span__put(struct span_buf *b, const void *p, size_t len)
{
	if (len && len <= b->cap - b->len && !b->failed) {
		memcpy(b->p + b->len, p, len);
		b->len += len;
	} else {
		span_buf_put(b, p, len);
	}
}

static inline void span__putc(struct span_buf *b, char c)
{
	if (b->len < b->cap && !b->failed)
		b->p[b->len++] = c;
	else
		span_buf_putc(b, c);
}

static inline void span__put_str(struct span_buf *b, struct span_str s)
{
	span__put(b, s.p, s.len);
}

#endif
