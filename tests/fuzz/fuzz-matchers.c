/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus selectors as they are typed: the first byte says how long the
 * text is, in fours; the rest is a value, and the key of an attribute. One
 * condition and its opposite never agree.
 */
#include <span/query.h>

#include <stdlib.h>
#include <string.h>

#include "query/matchers.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static int ask(const char *text, const struct span *s)
{
	struct span_select sel = {.matchers = &text, .n_matchers = 1};
	struct span_error err = {0};
	struct span_query *q;
	int rc = span_query_compile(&q, &sel, &err);

	if (rc < 0 &&
	    (q || err.code != rc || !err.msg[0] || err.pos > strlen(text)))
		abort();
	if (!rc)
		rc = span_query_match(q, s, &err);
	span_query_close(&q);
	return rc;
}

/* {k="..."} and {k!="..."} of any bytes, each as \xHH. */
static void ask_both(const struct span *s, struct span_str value)
{
	struct span_buf is = {0}, not = {0};

	span_buf_puts(&is, "{k=\"");
	span_buf_puts(&not, "{k!=\"");
	for (size_t i = 0; i < value.len; i++) {
		span_buf_printf(&is, "\\x%02x", (uint8_t)value.p[i]);
		span_buf_printf(&not, "\\x%02x", (uint8_t)value.p[i]);
	}
	span_buf_put(&is, "\"}", 3);
	span_buf_put(&not, "\"}", 3);
	if (ask(is.p, s) != 1 || ask(not .p, s) != 0)
		abort();
	span_buf_release(&is);
	span_buf_release(&not );
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char text[1024];
	struct span_attr attrs[2] = {{.key = {"k", 1}}};
	struct span_process process = {.attrs = {attrs, 2, 0}};
	struct span s = {.process = &process, .attrs = {attrs, 2, 0}};
	struct span_str value;
	size_t n;

	if (!len)
		return 0;
	n = 4u * p[0] < len - 1 ? 4u * p[0] : len - 1;
	memcpy(text, p + 1, n);
	text[n] = 0;
	value = (struct span_str){(const char *)p + 1 + n, len - 1 - n};
	if (value.len > 4096)
		value.len = 4096;
	attrs[0].value = (struct span_value){SPAN_STRING, {.str = value}};
	attrs[1] = (struct span_attr){value, attrs[0].value};
	process.service = s.name = value;
	(void)!ask(text, &s);
	ask_both(&s, value);
	return 0;
}
