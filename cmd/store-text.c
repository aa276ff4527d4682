/* SPDX-License-Identifier: Apache-2.0 */
/* What several verbs of span-store print. */
#include "store-cmd.h"

#include <string.h>

#include "base/banned.h"

void store_put_n(struct span_buf *b, uint64_t n, const char *word)
{
	span_text_count(b, n);
	span_buf_printf(b, " %s%s", word, store_s(n));
}

void store_put_policy(struct span_buf *b, const struct span_store_policy *p)
{
	const char *comma = "";

	if (p->max_age_ns) {
		span_buf_puts(b, "keep ");
		span_text_duration(b, p->max_age_ns);
		comma = ", ";
	}
	if (p->max_bytes) {
		span_buf_printf(b, "%sat most ", comma);
		span_text_size(b, p->max_bytes);
		comma = ", ";
	}
	if (p->min_free) {
		span_buf_printf(b, "%sleave ", comma);
		span_text_size(b, p->min_free);
		span_buf_puts(b, " free");
		comma = ", ";
	}
	if (!*comma)
		span_buf_puts(b, "keep everything");
}

void store_put_file(struct span_buf *b, const char *before,
		    const struct span_store_file *f, const char *text)
{
	span_buf_printf(b, "%s%s, ", before, f->name);
	store_put_n(b, f->n_spans, "span");
	span_buf_puts(b, ", ");
	span_text_size(b, f->bytes);
	if (text)
		span_buf_printf(b, ": %s", text);
	span_buf_putc(b, '\n');
}

void store_align_right(struct span_buf *b, size_t at, size_t width)
{
	size_t len = b->len - at;

	if (b->failed || len >= width || !span_buf_reserve(b, width - len))
		return;
	memmove(b->p + at + width - len, b->p + at, len);
	memset(b->p + at, ' ', width - len);
	b->len = at + width;
}

int store_print(struct span_buf *b, int rc, struct span_error *err)
{
	if (rc >= 0 && b->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (rc >= 0 && b->len)
		fwrite(b->p, 1, b->len, stdout);
	span_buf_release(b);
	return rc;
}
