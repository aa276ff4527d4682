/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says which protocol, the rest is a message of Zipkin. */
#include <span/codec.h>

#include "zipkin-check.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static const int formats[] = {SPAN_FORMAT_ZIPKIN_COMPACT,
				      SPAN_FORMAT_ZIPKIN_BINARY};

	if (len)
		check_zipkin(formats[p[0] % 2], p + 1, len - 1);
	return 0;
}
