/* SPDX-License-Identifier: Apache-2.0 */
/* Payload streams: what is read is encoded and read again. */
#include <span/payload.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void again(const struct span_payload *p)
{
	struct span_payload_reader *r;
	struct span_error err = {0};
	struct span_payload back;
	struct span_buf b = {0};

	check(span_payload_encode(&b, p, &err) == 0);
	check(span_payload_reader_open_mem(&r, b.p, b.len, NULL, &err) == 0);
	check(span_payload_reader_next(r, &back, &err) == 1);
	check(back.time_ns == p->time_ns && back.port == p->port &&
	      back.transport == p->transport &&
	      back.truncated == p->truncated &&
	      span_str_equal(back.peer, p->peer) &&
	      span_str_equal(back.content_type, p->content_type) &&
	      span_str_equal(back.path, p->path) &&
	      span_str_equal(back.data, p->data));
	check(span_payload_reader_next(r, &back, &err) == 0);
	span_payload_reader_close(&r);
	span_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct span_payload_reader_opts o = {0};
	struct span_payload_reader *r;
	struct span_error err = {0};
	struct span_payload payload;
	int rc;

	if (!len)
		return 0;
	o.skip_bad = p[0] & 1;
	check(span_payload_reader_open_mem(&r, p + 1, len - 1, &o, &err) == 0);
	while ((rc = span_payload_reader_next(r, &payload, &err)) > 0)
		again(&payload);
	if (rc < 0)
		check(err.code == rc && err.pos <= len && err.msg[0]);
	check(!o.skip_bad || rc == 0);
	span_payload_reader_close(&r);
	return 0;
}
