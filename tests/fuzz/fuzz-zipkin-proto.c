/* SPDX-License-Identifier: Apache-2.0 */
#include <span/codec.h>

#include "zipkin-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	check_zipkin(SPAN_FORMAT_ZIPKIN_PROTO, p, len);
	return 0;
}
