/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people type: the first byte says where the text goes, the second how
 * long it is; the rest is the text of the span's names and values.
 */
#include <span/query.h>

#include <stdlib.h>
#include <string.h>

#include "query/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void ask(const struct span_select *sel, const struct span *s)
{
	struct span_error err = {0};
	struct span_query *q;

	if (span_query_compile(&q, sel, &err) < 0) {
		if (q || !err.code || !err.msg[0])
			abort();
		return;
	}
	(void)!span_query_match(q, s, &err);
	if (span_query_match(q, s, &err) > 1)
		abort();
	span_query_close(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char typed[256] = "";
	const char *text = typed;
	struct span_attr attr = {.key = {"k", 1}};
	struct span_process process = {.attrs = {&attr, 1, 0}};
	struct span s = {.process = &process, .attrs = {&attr, 1, 0}};
	struct span_select sel = {0};
	size_t n;

	if (len < 2)
		return 0;
	n = p[1] < len - 2 ? p[1] : len - 2;
	memcpy(typed, p + 2, n);
	s.name = (struct span_str){(const char *)p + 2 + n, len - 2 - n};
	process.service = s.name;
	attr.value = (struct span_value){SPAN_STRING, {.str = s.name}};
	switch (p[0] % 4) {
	case 0:
		sel.tags = &text;
		sel.n_tags = 1;
		break;
	case 1:
		sel.services = &text;
		sel.n_services = 1;
		break;
	case 2:
		sel.trace_ids = &text;
		sel.n_trace_ids = 1;
		break;
	default:
		if (span__glob((struct span_str){typed, n}, s.name) &&
		    !span__glob_is((struct span_str){typed, n}) &&
		    !memchr(typed, '\\', n) &&
		    !span_str_equal(s.name, (struct span_str){typed, n}))
			abort();
	}
	ask(&sel, &s);
	return 0;
}
