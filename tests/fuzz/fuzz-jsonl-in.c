/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON lines. */
#include <span/codec.h>

#include "jaeger-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	check_jaeger(SPAN_FORMAT_JSONL, p, len);
	return 0;
}
