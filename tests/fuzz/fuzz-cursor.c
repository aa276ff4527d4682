/* SPDX-License-Identifier: Apache-2.0 */
/* The file of span-query --cursor: what is read is written the same again. */
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "query/news.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static int read_again(struct span_str text, struct span_buf *out)
{
	struct span__news_state s;
	struct span_error err = {0};
	int rc = span__news_state_init(&s, &err);

	if (rc < 0)
		abort();
	rc = span__news_state_read(&s, text, &err);
	if (rc < 0 && (rc != err.code || !err.msg[0] || err.pos > text.len))
		abort();
	out->len = 0;
	if (!rc)
		span__news_state_write(&s, out);
	span__news_state_release(&s);
	return rc;
}

/* The bytes, and then the same with the checksum that they need. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_str text = {(const char *)p, len};
	struct span_buf once = {0}, twice = {0}, sound = {0};

	(void)read_again(text, &once);
	span_buf_str(&sound, text);
	span_buf_printf(&sound, "crc32c %08x\n",
			(unsigned)span__crc32c(0, p, len));
	if (read_again((struct span_str){sound.p, sound.len}, &once) == 0 &&
	    (read_again((struct span_str){once.p, once.len}, &twice) < 0 ||
	     once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0))
		abort();
	span_buf_release(&once);
	span_buf_release(&twice);
	span_buf_release(&sound);
	return 0;
}
