/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte is the format that is asked for, the rest a message. */
#include <span/codec.h>

#include "thrift-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const int formats[] = {SPAN_FORMAT_AUTO,
				      SPAN_FORMAT_JAEGER_COMPACT,
				      SPAN_FORMAT_JAEGER_BINARY};

	if (len)
		check_thrift(formats[p[0] % 3], p + 1, len - 1);
	return 0;
}
