/* SPDX-License-Identifier: Apache-2.0 */
#include "diff-operands.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/banned.h"

size_t diff_operand_fits(const char *operand, const uint8_t id[16])
{
	char text[SPAN_TRACE_ID_TEXT];
	size_t len = strlen(operand);
	uint8_t whole[16];

	if (span_trace_id_parse(span_str(operand), whole) < 0)
		return 0;
	if (!memcmp(whole, id, sizeof(whole)))
		return SPAN_TRACE_ID_TEXT;
	span_trace_id_text(id, text);
	return strncasecmp(text, operand, len) ? 0 : len;
}

int diff_operands_sort(int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		char *operand = argv[i];
		uint8_t id[16];

		if (!strcmp(operand, "-") || !access(operand, F_OK))
			continue;
		if (span_trace_id_parse(span_str(operand), id) < 0)
			cmd_usage("no FILE and no id of a trace: '%s'",
				  operand);
		memmove(&argv[n + 1], &argv[n],
			(size_t)(i - n) * sizeof(*argv));
		argv[n++] = operand;
	}
	return n;
}
