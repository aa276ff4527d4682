/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Span streams. The first byte says how the rest is used: as a stream; as a
 * frame's tables and body, put together with a checksum that holds, so that
 * what is behind the checksum is reached; or as one msgpack value, which the
 * cursor and msgpack-c must measure alike.
 *
 * What is read as a span is written and read again, and must be equal; so must
 * be spans whose trace state is changed.
 */
#include <span/stream.h>

#include <msgpack.h>
#include <stdlib.h>

#include "base/dec.h"
#include "stream/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void check(bool good)
{
	if (!good)
		abort();
}

static void again(struct span_writer *w, struct span_buf *mem,
		  const struct span *s)
{
	struct span_error err = {0};
	struct span_reader *r;
	struct span back;
	int rc;

	mem->len = 0;
	rc = span_writer_put(w, s, &err);
	if (rc == SPAN_E_LIMIT) /* it grew above 1 MiB: tables were shared */
		return;
	check(rc == 0 && span_writer_flush(w, &err) == 0);
	check(span_reader_open_mem(&r, mem->p, mem->len, NULL, &err) == 0);
	check(span_reader_next(r, &back, &err) == 1);
	check(span_equal(s, &back) && span_hash(s) == span_hash(&back));
	check(span_reader_next(r, &back, &err) == 0);
	span_reader_close(&r);
}

static void read_stream(const void *p, size_t len, bool skip_bad)
{
	struct span_reader_opts o = {.skip_bad = skip_bad};
	struct span_error err = {0};
	struct span_buf mem = {0};
	struct span_writer *w;
	struct span_reader *r;
	struct span s;
	int rc, n = 0;

	check(span_reader_open_mem(&r, p, len, &o, &err) == 0);
	check(span_writer_open_mem(&w, &mem, &err) == 0);
	while ((rc = span_reader_next(r, &s, &err)) > 0)
		if (n++ < 4)
			again(w, &mem, &s);
	if (rc < 0)
		check(err.code == rc && err.pos <= len && err.msg[0]);
	check(!skip_bad || rc == 0);
	span_reader_close(&r);
	span_writer_close(&w);
	span_buf_release(&mem);
}

static int half(void *arg, struct span_str *state, struct span_error *err)
{
	(void)arg;
	(void)err;
	*state = SPAN_STR("ot=th:8");
	return 0;
}

/* The spans of FROM with another state are those of TO, unless one is bad. */
static void compare_changed(struct span_frame *from, const struct span_buf *to)
{
	struct span_error err = {0};
	struct span_reader *r;
	struct span s, changed;
	int rc;

	check(span_reader_open_mem(&r, to->p, to->len, NULL, &err) == 0);
	span_frame_rewind(from);
	while ((rc = span_frame_next(from, &s, &err)) > 0) {
		check(span_reader_next(r, &changed, &err) == 1);
		if (changed.trace_state.len == 7)
			s.trace_state = SPAN_STR("ot=th:8");
		check(span_equal(&s, &changed));
	}
	check(rc < 0 || span_reader_next(r, &changed, &err) == 0);
	span_reader_close(&r);
}

/* Spans whose trace state is patched in, at which nobody has looked. */
static void change_states(const struct span_buf *b)
{
	static const uint8_t all[32] = {255, 255, 255, 255, 255, 255, 255, 255,
					255, 255, 255, 255, 255, 255, 255, 255,
					255, 255, 255, 255, 255, 255, 255, 255,
					255, 255, 255, 255, 255, 255, 255, 255};
	struct span_error err = {0};
	struct span_buf mem = {0};
	struct span_writer *w;
	struct span_frame *f;
	size_t used;
	bool good;
	int rc;

	check(span_frame_open(&f, &err) == 0);
	check(span_writer_open_mem(&w, &mem, &err) == 0);
	if (span_frame_parse(f, b->p, b->len, &used, &err) == 1) {
		struct span s;

		while ((rc = span_frame_next(f, &s, &err)) > 0)
			;
		good = rc == 0;
		if (!good)
			check(span_frame_parse(f, b->p, b->len, &used, &err) ==
			      1);
		rc = span_writer_put_slice_states(w, f, all, half, NULL, &err);
		check(rc == 0 || !good);
		if (good)
			compare_changed(f, &mem);
	}
	span_frame_close(&f);
	span_writer_close(&w);
	span_buf_release(&mem);
}

static void read_composed(const uint8_t *p, size_t len)
{
	struct span__parts parts = {.base_ns = 1700000000000000000};
	struct span_buf b = {0};
	size_t tables;

	if (len < 3)
		return;
	parts.n_spans = p[0];
	tables = (size_t)(p[1] << 8 | p[2]) % (len - 2);
	parts.tables[0] = (struct span_str){(const char *)p + 3, tables};
	if (tables > len - 3)
		return;
	parts.body = (struct span_str){(const char *)p + 3 + tables,
				       len - 3 - tables};
	span__frame_compose(&b, &parts);
	check(!b.failed);
	read_stream(b.p, b.len, false);
	change_states(&b);
	span_buf_release(&b);
}

static void measure(const uint8_t *p, size_t len)
{
	struct dec_measure m = {0}, slow = {0};
	int rc = span__dec_measure(&m, p, len), part = 0;
	msgpack_unpacked u;
	size_t off = 0;

	for (size_t n = 0; n <= len && part == 0; n++)
		part = span__dec_measure(&slow, p, n);
	check(part == rc && (rc != 1 || slow.pos == m.pos));
	if (rc != 1)
		return;
	msgpack_unpacked_init(&u);
	switch (msgpack_unpack_next(&u, (const char *)p, len, &off)) {
	case MSGPACK_UNPACK_SUCCESS:
		check(off == m.pos);
		break;
	case MSGPACK_UNPACK_NOMEM_ERROR: /* more than 32 levels */
		break;
	default:
		abort();
	}
	msgpack_unpacked_destroy(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	if (!len)
		return 0;
	switch (p[0] & 3) {
	case 0:
		read_stream(p + 1, len - 1, false);
		break;
	case 1:
		read_stream(p + 1, len - 1, true);
		break;
	case 2:
		read_composed(p + 1, len - 1);
		break;
	default:
		measure(p + 1, len - 1);
	}
	return 0;
}
