/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed data: the first byte says how. No more comes out than may. */
#include "net/inflate.h"

#include <stdlib.h>

#define MAX 100000u

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_error err = {0};
	struct span_buf out = {0};
	int rc;

	if (!len)
		return 0;
	rc = span__inflate(p[0] % 5, p + 1, len - 1, MAX, &out, &err);
	if (rc < 0)
		check(err.code == rc && err.msg[0]);
	else
		check(rc == 0 && out.len <= MAX);
	check(out.cap <= 4 * MAX);
	span_buf_release(&out);
	return 0;
}
