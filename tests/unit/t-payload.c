/* SPDX-License-Identifier: Apache-2.0 */
/* Payload streams: what is written is read, cut or damaged too. */
#include <span/payload.h>
#include <span/stream.h>

#include "tests/unit/tap.h"

static struct span_error err;

static void test_payloads(void)
{
	struct span_payload p =
				    {
					    .time_ns = 1700000000000000001,
					    .peer = SPAN_STR("[::1]:4711"),
					    .port = 6831,
					    .transport = SPAN_TRANSPORT_UDP,
					    .truncated = true,
					    .content_type = SPAN_STR(
						    "application/x-thrift"),
					    .path = SPAN_STR("/api/traces"),
					    .data = SPAN_STR("\x82\0\xff"),
				    },
			    q;
	struct span_payload_reader_opts skip = {.skip_bad = true};
	struct span_payload_reader *r;
	struct span_buf b = {0};
	uint64_t places;
	size_t bad = 0;

	if (span_payload_encode(&b, &p, &err) ||
	    span_payload_encode(&b, &p, &err) ||
	    span_payload_reader_open_mem(&r, b.p, b.len, NULL, &err))
		abort();
	ok(span_payload_detect(b.p, b.len), "a payload stream is known");
	ok(!span_stream_detect(b.p, b.len), "and is no span stream");
	is_int(span_payload_reader_next(r, &q, &err), 1, "a payload is read");
	is_mem(q.data.p, q.data.len, p.data.p, p.data.len, "its data");
	is(q.peer.p, q.peer.len, "[::1]:4711", "its peer");
	is(q.path.p, q.path.len, "/api/traces", "its path");
	ok(q.time_ns == p.time_ns && q.port == 6831 && q.truncated &&
		   q.transport == SPAN_TRANSPORT_UDP,
	   "and its numbers");
	is_int(span_payload_reader_next(r, &q, &err), 1, "another one");
	is_int(span_payload_reader_next(r, &q, &err), 0, "then the end");
	span_payload_reader_close(&r);
	for (size_t len = 1; len < b.len / 2; len++) {
		if (span_payload_reader_open_mem(&r, b.p, len, NULL, &err))
			abort();
		bad += span_payload_reader_next(r, &q, &err) !=
		       SPAN_E_TRUNCATED;
		span_payload_reader_close(&r);
	}
	is_uint(bad, 0, "each prefix is cut");
	b.p[3] ^= 1;
	if (span_payload_reader_open_mem(&r, b.p, b.len, &skip, &err))
		abort();
	is_int(span_payload_reader_next(r, &q, &err), 1,
	       "after damage the next payload is found");
	is_int(span_payload_reader_next(r, &q, &err), 0, "and then the end");
	is_uint(span_payload_reader_skipped(r, &places), b.len / 2,
		"the damage is counted");
	span_payload_reader_close(&r);
	span_buf_release(&b);
}

int main(void)
{
	test_payloads();
	return done_testing();
}
