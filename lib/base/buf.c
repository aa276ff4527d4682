/* SPDX-License-Identifier: Apache-2.0 */
#include <span/base.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"

#include "base/banned.h"

#define FIRST_CAP 256u

static char *grow(struct span_buf *b, size_t len)
{
	size_t need, cap = b->cap ? b->cap : FIRST_CAP;
	char *p;

	if (b->failed)
		return NULL;
	if (__builtin_add_overflow(b->len, len, &need) || need > SIZE_MAX / 2)
		goto failed;
	while (cap < need)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p)
		goto failed;
	if (cap >= HUGE_GROWN)
		span__huge_hint(p, cap);
	b->p = p;
	b->cap = cap;
	return b->p + b->len;
failed:
	b->failed = true;
	return NULL;
}

/* Where LEN bytes go; inlined, as most puts are few bytes that fit. */
static inline char *room(struct span_buf *b, size_t len)
{
	if (len <= b->cap - b->len && b->p && !b->failed)
		return b->p + b->len;
	return grow(b, len);
}

char *span_buf_reserve(struct span_buf *b, size_t len)
{
	return room(b, len);
}

void span_buf_put(struct span_buf *b, const void *p, size_t len)
{
	char *to = room(b, len);

	if (!to || !len)
		return;
	memcpy(to, p, len);
	b->len += len;
}

void span_buf_str(struct span_buf *b, struct span_str s)
{
	span_buf_put(b, s.p, s.len);
}

void span_buf_puts(struct span_buf *b, const char *s)
{
	span_buf_put(b, s, strlen(s));
}

void span_buf_putc(struct span_buf *b, char c)
{
	char *to = room(b, 1);

	if (!to)
		return;
	*to = c;
	b->len++;
}

void span_buf_printf(struct span_buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		b->failed = true;
		return;
	}
	to = span_buf_reserve(b, (size_t)len + 1);
	if (!to)
		return;
	va_start(ap, fmt);
	vsnprintf(to, (size_t)len + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)len;
}

void span_buf_release(struct span_buf *b)
{
	free(b->p);
	*b = (struct span_buf){0};
}
