/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span-sum - whether two streams hold the same spans, in any order
 *
 * usage: span-sum <stream
 *
 * Prints how many spans there are, and the sum of the hashes of all of them,
 * each over every field, modulo 2^64.
 */
#include <span/span.h>

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

int main(void)
{
	struct span_error err = {0};
	struct span_reader *r = NULL;
	struct span s;
	uint64_t n = 0, sum = 0;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, &err);

	while (rc >= 0 && (rc = span_reader_next(r, &s, &err)) > 0) {
		n++;
		sum += span_hash(&s);
	}
	span_reader_close(&r);
	if (rc < 0) {
		fprintf(stderr, "span-sum: %s\n", err.msg);
		return 1;
	}
	printf("%" PRIu64 " %016" PRIx64 "\n", n, sum);
	return 0;
}
