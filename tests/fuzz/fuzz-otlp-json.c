/* SPDX-License-Identifier: Apache-2.0 */
#include <span/codec.h>

#include "otlp-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	check_otlp(SPAN_FORMAT_OTLP_JSON, p, len);
	return 0;
}
