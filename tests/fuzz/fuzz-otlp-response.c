/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte says what the rest is: of what kind, and in which form. */
#include "codec/otlp_response.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_arena arena = {0};
	struct span__otlp_response r;
	struct span_error err = {0};
	int rc;

	if (!len)
		return 0;
	rc = (p[0] & 2 ? span__otlp_status : span__otlp_response)(
		&r, p[0] & 1, p + 1, len - 1, &arena, &err);
	if (rc < 0 && (rc != err.code || err.pos > len - 1 || r.code ||
		       r.rejected || r.message.len || r.retry))
		abort();
	if (rc >= 0 &&
	    (r.rejected < 0 || r.message.len > len || (r.retry_ns && !r.retry)))
		abort();
	if (span_arena_size(&arena) > 16 * len + 16384)
		abort();
	span_arena_release(&arena);
	return 0;
}
