/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as text in each form: valid UTF-8 comes out, nothing in it acts on
 * a terminal, and what is fitted fits. The first byte is a width.
 */
#include <span/text.h>

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

typedef void text_fn(struct span_buf *b, struct span_str s);

static void csv(struct span_buf *b, struct span_str s)
{
	span_text_csv(b, s, true);
}

static const struct {
	text_fn *fn;
	const char *keep; /* controls that may come out */
} forms[] = {
	{span_text_json, ""},	{span_text_terminal, ""},
	{span_text_dot, ""},	{span_text_html, "\n\t"},
	{span_text_quoted, ""}, {span_text_logfmt, ""},
	{csv, "\n\t\r"},
};

static void check(const struct span_buf *b, const char *keep)
{
	for (size_t at = 0; at < b->len;) {
		uint32_t cp;

		at += span__utf8_next(b->p + at, b->len - at, &cp);
		if (cp == SPAN__UTF8_BAD)
			abort();
		if (span__utf8_unsafe(cp) &&
		    (!cp || cp >= 0x80 || !strchr(keep, (int)cp)))
			abort();
	}
}

/* Escapes do not change what has none any more. */
static void check_again(const struct span_buf *b)
{
	struct span_buf again = {0};

	span_text_terminal(&again, (struct span_str){b->p, b->len});
	if (again.len != b->len ||
	    (b->len && memcmp(again.p, b->p, b->len) != 0))
		abort();
	span_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_buf b = {0};
	struct span_str s = {(const char *)p + 1, len - 1};

	if (!len)
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		b.len = 0;
		forms[i].fn(&b, s);
		check(&b, forms[i].keep);
		if (forms[i].fn == span_text_terminal)
			check_again(&b);
	}
	b.len = 0;
	span_text_fit(&b, s, *p, true);
	check(&b, "");
	if (span_text_width((struct span_str){b.p, b.len}) != *p)
		abort();
	if (span_text_cut(s, *p) > *p)
		abort();
	span_buf_release(&b);
	return 0;
}
