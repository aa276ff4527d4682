/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as a trace id is one, and reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "query/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	char digits[SPAN_TRACE_ID_TEXT], again[SPAN_TRACE_ID_TEXT];
	struct span_error err = {0};
	char *text = malloc(len + 1);
	uint8_t id[16];
	int rc;

	if (!text)
		return 0;
	if (len)
		memcpy(text, p, len);
	text[len] = '\0';
	rc = span__trace_text_read(text, digits, &err);
	if (rc < 0 && (rc != err.code || !err.msg[0] || err.pos > len))
		abort();
	if (!rc && (span_trace_id_parse(span_str(digits), id) < 0 ||
		    span__trace_text_read(digits, again, &err) < 0 ||
		    strcmp(digits, again) != 0))
		abort();
	free(text);
	return 0;
}
