/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates and lists of columns as they are typed: the first byte says what a
 * line is about, the rest is both the text and the names of the span.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/query-template.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(int rc, const struct span_error *err, size_t len)
{
	if (rc < 0 && (rc != err->code || !err->msg[0] || err->pos > len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_attr attr = {.key = {"k", 1}};
	struct span_process process = {.attrs = {&attr, 1, 0}};
	struct span s = {.process = &process, .attrs = {&attr, 1, 0}};
	const struct span_trace t = {.spans = &s, .n = 1};
	struct query_item item = {&s, NULL};
	struct query_template *template;
	struct query_columns columns;
	struct span_error err = {0};
	struct span_buf b = {0};
	char *text;
	int rc;

	if (!len || !(text = malloc(len)))
		return 0;
	memcpy(text, p + 1, len - 1);
	text[len - 1] = '\0';
	if (!(*p & 1))
		item.trace = &t;
	s.name = process.service = (struct span_str){(const char *)p, len};
	attr.value = (struct span_value){SPAN_STRING, {.str = s.name}};
	rc = query_template_open(&template, text, *p & 1, &err);
	check(rc, &err, len);
	if (!rc)
		query_template_put(&b, template, &item, *p & 2);
	query_template_close(&template);
	rc = query_columns_read(&columns, text, *p & 1, *p, &err);
	check(rc, &err, len);
	if (!rc) {
		query_columns_head(&b, &columns, *p & 2);
		query_columns_row(&b, &columns, &item, *p & 2);
		query_columns_csv(&b, &columns, &item, *p & 2);
	}
	span_buf_release(&b);
	free(text);
	return 0;
}
