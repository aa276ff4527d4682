/* SPDX-License-Identifier: Apache-2.0 */
/* A span stream on standard input to the form "jsonl" on standard output. */
#include <span/span.h>

#include <stdio.h>
#include <unistd.h>

#include "base/banned.h"

int main(void)
{
	struct span_reader *r = NULL;
	struct span_error err = {0};
	struct span_buf b = {0};
	struct span s;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, &err);

	while (rc >= 0 && (rc = span_reader_next(r, &s, &err)) > 0) {
		b.len = 0;
		span_encode_jsonl(&b, &s);
		fwrite(b.p, 1, b.len, stdout);
	}
	if (rc < 0)
		fprintf(stderr, "spans-jsonl: %s\n", err.msg);
	span_reader_close(&r);
	span_buf_release(&b);
	return fflush(stdout) || rc < 0;
}
