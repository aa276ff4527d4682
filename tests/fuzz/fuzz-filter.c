/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured filters: what becomes TraceQL is a text that a query can be
 * compiled of or is refused for; nothing is left behind by what is refused.
 */
#include <span/query.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_str json = {(const char *)p, len};
	struct span_error err = {0};
	struct span_buf out = {0};
	int rc = span_filter_traceql(&out, json, &err);

	if (rc < 0 && out.len)
		abort();
	if (!rc && memchr(out.p, 0, out.len))
		abort();
	span_buf_putc(&out, 0);
	if (!rc && !out.failed) {
		struct span_select sel = {.expression = out.p};
		struct span_query *q = NULL;

		rc = span_query_compile(&q, &sel, &err);
		if (rc < 0 && rc != SPAN_E_INVALID && rc != SPAN_E_NOMEM)
			abort();
		span_query_close(&q);
	}
	span_buf_release(&out);
	return 0;
}
