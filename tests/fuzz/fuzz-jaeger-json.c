/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a message of Jaeger's JSON. */
#include <span/codec.h>

#include "jaeger-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	check_jaeger(SPAN_FORMAT_JAEGER_JSON, p, len);
	return 0;
}
