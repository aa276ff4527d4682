/* SPDX-License-Identifier: Apache-2.0 */
/* The trace ids of a frame, without its tables. */
#include "stream/frame.h"

#include "base/banned.h"

int span__frame_ids(const void *p, size_t len,
		    void (*fn)(void *arg, const uint8_t id[16]), void *arg)
{
	struct dec d = dec_init(p, len), span;
	struct span_str body;
	uint8_t id[16];
	uint32_t n;

	dec_array(&d);
	dec_take(&d, 5);
	dec_uint(&d);
	n = dec_u32(&d);
	for (int i = 0; i < 6 && !d.err; i++)
		span__dec_skip(&d);
	body = dec_bin(&d, SPAN_FRAME_MAX);
	d = dec_init(body.p, body.len);
	for (; n && !d.err; n--) {
		uint64_t size = dec_uint(&d);
		const unsigned char *at = dec_take(&d, size);

		if (!at)
			break;
		span = dec_init(at, size);
		dec_array(&span);
		span__frame_trace_id(&span, id);
		if (span.err)
			return span.err;
		fn(arg, id);
	}
	return d.err;
}
