/* SPDX-License-Identifier: Apache-2.0 */
/* A frame is what it is for others: msgpack-c reads it. */
#include <span/stream.h>

#include <msgpack.h>

#include "base/crc32c.h"
#include "tests/unit/tap.h"

static struct span_error err;

/*
 * msgpack-c reads the same frame as one value, tables and counts alike. It
 * refuses more than 32 levels, so these spans have no nested values.
 */
static void test_msgpack_c(void)
{
	struct span_process p = {.service = SPAN_STR("svc")};
	struct span_attr a = {SPAN_STR("k"), {.type = SPAN_STRING}};
	struct span_buf b = {0};
	struct span_writer *w;
	msgpack_unpacked u;
	msgpack_object *v;
	size_t off = 0;

	a.value.str = SPAN_STR("v");
	if (span_writer_open_mem(&w, &b, &err))
		abort();
	for (int i = 0; i < 3; i++) {
		struct span s = {.process = &p,
				 .start_ns = 5000000000,
				 .duration_ns = 7000,
				 .attrs = {&a, 1, 0}};

		s.span_id[7] = (uint8_t)(i + 1);
		if (span_writer_put(w, &s, &err))
			abort();
	}
	if (span_writer_flush(w, &err))
		abort();
	msgpack_unpacked_init(&u);
	is_int(msgpack_unpack_next(&u, b.p, b.len, &off),
	       MSGPACK_UNPACK_SUCCESS, "msgpack-c reads a frame");
	is_uint(off, b.len, "to its end");
	v = u.data.via.array.ptr;
	is_uint(u.data.via.array.size, 11, "it has 11 elements");
	is(v[0].via.str.ptr, v[0].via.str.size, "SPN1", "the mark");
	is_uint(v[2].via.u64, 3, "the spans");
	is_uint(v[4].via.u64, 5000000000, "the earliest start");
	is_uint(v[5].via.u64, 5000007000, "the latest end");
	is_uint(v[6].via.array.size, 24 + 2,
		"strings: room for 24 names, then svc and v");
	is(v[6].via.array.ptr[1].via.str.ptr,
	   v[6].via.array.ptr[1].via.str.size, "k",
	   "the key stands behind the empty name");
	is_uint(v[10].via.u64, span__crc32c(0, b.p, b.len - 5), "the checksum");
	msgpack_unpacked_destroy(&u);
	span_writer_close(&w);
	span_buf_release(&b);
}

int main(void)
{
	test_msgpack_c();
	return done_testing();
}
