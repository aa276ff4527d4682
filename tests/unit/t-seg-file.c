/* SPDX-License-Identifier: Apache-2.0 */
/* The container of a segment: every byte changed, every length, every call. */
#include "seg-parts.h"

static void test_round_trip(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	struct span__seg_file f;
	bool hit;

	is_int(open_seg(&f, d), 0, "round trip: opens");
	is_mem(&f.header, sizeof(h), &h, sizeof(h), "round trip: the header");
	for (size_t i = 0; i < N_PARTS; i++)
		is_int(read_part(&f, i), 1, "round trip: section %zu", i);
	ok(!span__seg_area(&f, SEG_EDGES).p, "round trip: a section less");
	ok(!f.bad, "round trip: nothing is bad");
	is_uint(verify(&f, 0, &hit), 0, "round trip: verify finds nothing");
	span__seg_file_close(&f);
	is_uint(simdisk_descriptors(d), 0, "round trip: all is closed");
	span_buf_release(&bytes);
	simdisk_close(&d);
	h = header(8);
	d = make(&h, &bytes);
	is_int(open_seg(&f, d), 0, "round trip: written in pieces");
	for (size_t i = 0; i < N_PARTS; i++)
		is_int(read_part(&f, i), 1, "round trip: section %zu", i);
	span__seg_file_close(&f);
	span_buf_release(&bytes);
	simdisk_close(&d);
}

/* Put sections FROM to TO, finish and close. */
static void put_some(struct span__seg_writer *w, size_t from, size_t to)
{
	uint64_t size;

	for (size_t i = from; i < to; i++)
		if (span__seg_writer_put(w, parts[i].type, content[i],
					 parts[i].len, &err) < 0)
			abort();
	is_int(span__seg_writer_finish(w, &size, &err), 0,
	       "extend: sections %zu to %zu", from, to);
	span__seg_writer_close(&w);
}

/* What is written in two goes is the same as what is written in one. */
static void test_extend(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *whole = make(&h, &bytes);

	for (size_t first = 0; first <= N_PARTS; first++) {
		struct simdisk *d = new_disk();
		struct span__seg_writer *w;
		struct span__seg_file f;
		int dirfd = open_dir(d);
		const uint8_t *p;
		size_t len;

		if (span__seg_writer_open(&w, simdisk_io(d), dirfd, NAME, &h,
					  &err) < 0)
			abort();
		put_some(w, 0, first);
		if (span__seg_file_open(&f, simdisk_io(d), dirfd, NAME, &err) <
			    0 ||
		    span__seg_writer_extend(&w, &f, dirfd, &err) < 0)
			abort();
		put_some(w, first, N_PARTS);
		span__seg_file_close(&f);
		p = simdisk_file(d, NAME, &len);
		is_mem(p, len, bytes.p, bytes.len, "extend: after %zu", first);
		simdisk_io(d)->close(simdisk_io(d)->self, dirfd);
		is_uint(simdisk_descriptors(d), 0, "extend: all is closed");
		simdisk_close(&d);
	}
	span_buf_release(&bytes);
	simdisk_close(&whole);
}

static void test_areas(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	struct span__area a, none, sub;
	struct span__seg_file f;

	if (open_seg(&f, d) < 0)
		abort();
	a = span__seg_area(&f, SEG_COLUMNS);
	none = span__seg_area(&f, SEG_EDGES);
	sub = span__area_sub(&a, 8999, 1);
	ok(sub.p == a.p + 8999 && sub.len == 1, "areas: the last byte");
	sub = span__area_sub(&a, 8999, 2);
	ok(!sub.p && !sub.len, "areas: not one more");
	sub = span__area_sub(&none, 0, 0);
	ok(!sub.p && span__area_ok(&sub, 0, 0), "areas: nothing of nothing");
	ok(span__area_ok(&a, 9000, 0) && !f.bad, "areas: nothing at the end");
	ok(!span__area_ok(&a, UINT64_MAX, 2) && f.bad, "areas: no overflow");
	is_uint(f.bad_pos, (uint64_t)(a.p - f.map), "areas: the place");
	span__seg_file_close(&f);
	span_buf_release(&bytes);
	simdisk_close(&d);
}

static void test_flips(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	unsigned closed = 0, wrong = 0, missed = 0, header_lost = 0;
	size_t len;
	uint8_t *p = simdisk_file(d, NAME, &len);

	for (size_t i = 0; i < len; i++) {
		struct span__seg_file f;
		bool hit;

		p[i] ^= (uint8_t)(1u << i % 8);
		if (open_seg(&f, d) < 0) {
			closed++;
		} else {
			for (size_t k = 0; k < N_PARTS; k++)
				wrong += read_part(&f, k) < 0;
			header_lost += memcmp(&f.header, &h, sizeof(h)) != 0;
			verify(&f, i, &hit);
			missed += !hit;
			span__seg_file_close(&f);
		}
		p[i] = (uint8_t)bytes.p[i];
	}
	is_uint(closed, 0, "flips: the file always opens");
	is_uint(header_lost, 0, "flips: with its header");
	is_uint(wrong, 0, "flips: no damage is read as data");
	is_uint(missed, 0, "flips: verify names the place, of %zu", len);
	span_buf_release(&bytes);
	simdisk_close(&d);
}

static void test_cuts(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	unsigned closed = 0, wrong = 0, unsaid = 0, missed = 0, whole = 0;
	struct span__seg_file f;
	bool hit;

	for (size_t i = 0; i < bytes.len; i++) {
		simdisk_put(d, NAME, bytes.p, i);
		if (open_seg(&f, d) < 0) {
			closed++;
			wrong += err.code != SPAN_E_CORRUPT;
			continue;
		}
		unsaid += !f.bad;
		for (size_t k = 0; k < N_PARTS; k++) {
			int rc = read_part(&f, k);

			wrong += rc < 0;
			whole += rc == 1;
		}
		verify(&f, i, &hit);
		missed += !hit;
		span__seg_file_close(&f);
	}
	is_uint(closed, span__seg_head_size(N_PARTS),
		"cuts: with the head the file opens");
	is_uint(wrong, 0, "cuts: nothing else is read as data");
	ok(whole > bytes.len / 2, "cuts: the sections before it are whole");
	is_uint(unsaid, 0, "cuts: it is marked bad");
	is_uint(missed, 0, "cuts: verify names the end");
	span_buf_putc(&bytes, 'x');
	simdisk_put(d, NAME, bytes.p, bytes.len);
	is_int(open_seg(&f, d), 0, "cuts: a byte too many");
	verify(&f, bytes.len - 1, &hit);
	ok(hit && !f.bad, "cuts: verify names it");
	span__seg_file_close(&f);
	span_buf_release(&bytes);
	simdisk_close(&d);
}

/* A page of another segment, and of another place. */
static void test_origin(void)
{
	struct span__seg_header h = header(7), other_h = header(9);
	struct span_buf bytes = {0}, other = {0};
	struct simdisk *d = make(&h, &bytes), *o = make(&other_h, &other);
	struct span__seg_file f;
	size_t len;
	uint8_t *p = simdisk_file(d, NAME, &len);

	is_mem(bytes.p + SEG_PAGE, SEG_PAGE, other.p + SEG_PAGE, SEG_PAGE,
	       "origin: the same bytes");
	if (open_seg(&f, d) < 0)
		abort();
	memcpy(p + f.data_end, other.p + f.data_end, 16);
	span__seg_file_close(&f);
	is_int(open_seg(&f, d), 0, "origin: checksums of another segment");
	is_int(read_part(&f, 1), 0, "origin: make its pages bad");
	span__seg_file_close(&f);
	memcpy(p, other.p, len);
	memcpy(p, bytes.p, SEG_PAGE);
	is_int(open_seg(&f, d), 0, "origin: all but the head");
	is_int(read_part(&f, 1), 0, "origin: is bad too");
	is_uint(f.bad_pos, SEG_PAGE, "origin: from the first page on");
	span__seg_file_close(&f);
	span_buf_release(&bytes);
	span_buf_release(&other);
	simdisk_close(&d);
	simdisk_close(&o);
}

static void test_features(void)
{
	static const struct {
		const char *name;
		struct span__features f;
		int read, write;
	} rows[] = {
		{"compat", {.compat = 1ull << 63}, 0, 0},
		{"ro-compat", {.ro_compat = 4}, 0, SPAN_E_FORMAT},
		{"incompat", {.incompat = 1}, SPAN_E_FORMAT, SPAN_E_FORMAT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct span__seg_header h = header(7);
		struct span_buf bytes = {0};
		struct span__seg_file f;
		struct simdisk *d;

		h.features = rows[i].f;
		d = make(&h, &bytes);
		is_int(open_seg(&f, d), rows[i].read, "features: %s, a reader",
		       rows[i].name);
		if (!rows[i].read)
			is_int(span__features_check(&f.header.features, true,
						    &err),
			       rows[i].write, "features: %s, a writer",
			       rows[i].name);
		else
			is_str(err.msg, NAME ": a later version wrote it",
			       "features: says so");
		span__seg_file_close(&f);
		span_buf_release(&bytes);
		simdisk_close(&d);
	}
}

int main(void)
{
	fill_content();
	test_round_trip();
	test_extend();
	test_areas();
	test_flips();
	test_cuts();
	test_origin();
	test_features();
	return done_testing();
}
