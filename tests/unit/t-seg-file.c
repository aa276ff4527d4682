/* SPDX-License-Identifier: Apache-2.0 */
/* The container of a segment: every byte changed, every length, every call. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "simdisk.h"
#include "store/seg_file.h"
#include "store/seg_head.h"
#include "tap.h"

#define NAME "00000007.seg"

static struct span_error err;

/* The sections of the segment that most tests use. */
static const struct {
	enum span__seg_section type;
	size_t len;
} parts[] = {{SEG_STRINGS, 100}, {SEG_COLUMNS, 9000}, {SEG_HEAP, 5}};
#define N_PARTS (sizeof(parts) / sizeof(*parts))

static uint8_t content[N_PARTS][9000];

static void fill_content(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < N_PARTS; i++) {
		for (size_t k = 0; k < parts[i].len; k++) {
			x = x * 1664525 + 1013904223;
			content[i][k] = (uint8_t)(x >> 24);
		}
	}
}

static struct span__seg_header header(uint64_t number)
{
	struct span__seg_header h = {
		.id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		       number},
		.first_number = 3,
		.sum = {10, 20, 30, 40, 50, 60, 70, 80},
		.missing_frames = 90,
		.created_ns = 100,
		.n_traces = 110,
		.n_blocks = 120,
		.n_types = 130,
		.n_shapes = 140,
		.hash_seed = 150,
		.max_start_ns = 160,
		.build_bytes = 170,
		.flags = 180,
		.stamp_ns = 190,
		.stamp_boot_ns = 200,
		.boot_id = "abcdefghijklmno",
	};

	return h;
}

static int open_dir(struct simdisk *d)
{
	const struct span__io *io = simdisk_io(d);
	int fd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);

	if (fd < 0)
		abort();
	return fd;
}

static struct simdisk *new_disk(void)
{
	struct simdisk *d = simdisk_open();

	simdisk_put(d, "LOCK", "", 0);
	return d;
}

static int write_parts(struct span__seg_writer *w, bool in_pieces)
{
	for (size_t i = 0; i < N_PARTS; i++) {
		size_t half = parts[i].len / 2;
		int rc;

		if (in_pieces) {
			rc = span__seg_writer_begin(w, parts[i].type, &err);
			if (!rc)
				rc = span__seg_writer_add(w, content[i], half,
							  &err);
			if (!rc)
				rc = span__seg_writer_add(w, content[i] + half,
							  parts[i].len - half,
							  &err);
		} else {
			rc = span__seg_writer_put(w, parts[i].type, content[i],
						  parts[i].len, &err);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int write_at(struct simdisk *d, int dirfd,
		    const struct span__seg_header *h, uint64_t *size)
{
	struct span__seg_writer *w;
	int rc;

	rc = span__seg_writer_open(&w, simdisk_io(d), dirfd, NAME, h, &err);
	if (rc < 0)
		return rc;
	rc = write_parts(w, h->id.number % 2 == 0);
	if (rc == 0)
		rc = span__seg_writer_finish(w, size, &err);
	span__seg_writer_close(&w);
	return rc;
}

/* A new disk with the segment of header H, whose bytes are copied too. */
static struct simdisk *make(const struct span__seg_header *h,
			    struct span_buf *bytes)
{
	struct simdisk *d = new_disk();
	const struct span__io *io = simdisk_io(d);
	int dirfd = open_dir(d);
	uint64_t size;
	size_t len;
	uint8_t *p;

	if (write_at(d, dirfd, h, &size) < 0)
		abort();
	io->close(io->self, dirfd);
	p = simdisk_file(d, NAME, &len);
	if (!p || len != size)
		abort();
	span_buf_put(bytes, p, len);
	return d;
}

static int open_seg(struct span__seg_file *f, struct simdisk *d)
{
	const struct span__io *io = simdisk_io(d);
	int dirfd = open_dir(d), rc;

	memset(&err, 0, sizeof(err));
	rc = span__seg_file_open(f, io, dirfd, NAME, &err);
	io->close(io->self, dirfd);
	return rc;
}

/* A section as it is read: 1 whole, 0 said to be damaged or cut, -1 wrong. */
static int read_part(struct span__seg_file *f, size_t i)
{
	struct span__area a = span__seg_area(f, parts[i].type);

	if (!span__area_ok(&a, 0, a.len))
		return f->bad ? 0 : -1;
	if (a.len > parts[i].len || (a.len < parts[i].len && !f->bad))
		return -1;
	if (a.len && memcmp(a.p, content[i], (size_t)a.len))
		return -1;
	return a.len == parts[i].len;
}

struct places {
	uint64_t want;
	bool hit;
	size_t n;
};

static int place(void *arg, uint64_t pos, uint64_t len, struct span_error *e)
{
	struct places *p = arg;

	(void)e;
	p->n++;
	p->hit |= p->want >= pos && p->want - pos < len;
	return 0;
}

/* How many places verify names; *HIT: POS is in one of them. */
static size_t verify(struct span__seg_file *f, uint64_t pos, bool *hit)
{
	struct places p = {.want = pos};

	if (span__seg_verify(f, place, &p, &err) < 0)
		abort();
	*hit = p.hit;
	return p.n;
}

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

/* Every call of the writer fails, then every call of the reader. */
static void test_failures(void)
{
	struct span__seg_header h = header(7);
	unsigned good = 0, bad = 0, n;
	struct simdisk *d;
	uint64_t size;

	for (n = 1; n < 100 && !good; n++) {
		int dirfd;

		d = new_disk();
		dirfd = open_dir(d);
		simdisk_fail(d, simdisk_calls(d) + n, EIO);
		if (write_at(d, dirfd, &h, &size) < 0)
			bad += err.code != SPAN_E_IO || err.sys != EIO;
		else
			good = n;
		simdisk_close(&d);
	}
	/* unlink, open, two writes, sync; close is not asked */
	ok(good > 5, "failures: %u calls of the writer can fail", n - 2);
	is_uint(bad, 0, "failures: each is told");
	for (n = 1, good = 0; n < 100 && !good; n++) {
		struct span_buf bytes = {0};
		struct span__seg_file f;

		d = make(&h, &bytes);
		simdisk_fail(d, simdisk_calls(d) + 1 + n, EIO);
		if (open_seg(&f, d) == 0)
			good = n;
		bad += !good && err.code != SPAN_E_IO;
		bad += simdisk_descriptors(d) != 0;
		span__seg_file_close(&f);
		span_buf_release(&bytes);
		simdisk_close(&d);
	}
	is_uint(good, 4, "failures: open, stat and map of the reader");
	is_uint(bad, 0, "failures: each is told, and all is closed");
}

/* Pages that the disk cannot read are places like others. */
static void test_unreadable(void)
{
	struct span__seg_header h = header(7);
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	struct span__seg_file f;
	bool hit;

	if (open_seg(&f, d) < 0)
		abort();
	simdisk_fail(d, simdisk_calls(d) + 1, EIO);
	is_uint(verify(&f, f.data_end + 1, &hit), 1, "unreadable: the end");
	ok(hit, "unreadable: is named");
	is_int(read_part(&f, 1), 0, "unreadable: no page is touched any more");
	simdisk_fail(d, simdisk_calls(d) + 2, EIO);
	is_uint(verify(&f, 0, &hit), 0, "unreadable: not at once, but alone");
	span__seg_file_close(&f);
	span_buf_release(&bytes);
	simdisk_close(&d);
}

static void test_full(void)
{
	struct span__seg_header h = header(7);
	unsigned not_full = 0, taken = 0;
	struct span_buf bytes = {0};
	struct simdisk *d = make(&h, &bytes);
	struct span__seg_file f;
	uint64_t size;

	simdisk_close(&d);
	for (size_t room = 1; room < bytes.len; room += 61) {
		int dirfd;

		d = new_disk();
		dirfd = open_dir(d);
		simdisk_capacity(d, room);
		not_full += write_at(d, dirfd, &h, &size) != SPAN_E_FULL;
		simdisk_capacity(d, 0);
		taken += open_seg(&f, d) == 0;
		span__seg_file_close(&f);
		simdisk_close(&d);
	}
	is_uint(not_full, 0, "full: says so");
	is_uint(taken, 0, "full: what was written is no segment");
	span_buf_release(&bytes);
}

/* The writer dies at every call, and the machine after it. */
static void test_power_cuts(void)
{
	struct span__seg_header h = header(7);
	unsigned wrong = 0, opened = 0, runs = 0;

	for (uint64_t n = 1; n < 12; n++) {
		struct simdisk *d = new_disk();
		int dirfd = open_dir(d);
		uint64_t size;
		int rc;

		simdisk_kill(d, simdisk_calls(d) + n);
		rc = write_at(d, dirfd, &h, &size);
		for (uint64_t seed = 0; seed < 50; seed++, runs++) {
			struct simdisk *next = simdisk_power_cut(d, seed);
			struct span__seg_file f;
			bool hit = true;

			if (open_seg(&f, next) == 0) {
				opened++;
				for (size_t k = 0; k < N_PARTS; k++)
					wrong += read_part(&f, k) < 0;
				wrong += !rc && verify(&f, 0, &hit) != 0;
			}
			span__seg_file_close(&f);
			simdisk_close(&next);
		}
		simdisk_close(&d);
	}
	ok(opened && opened < runs, "power: %u of %u files open", opened, runs);
	is_uint(wrong, 0, "power: what a segment says is true");
}

static void test_missing(void)
{
	struct simdisk *d = new_disk();
	struct span__seg_file f;

	is_int(open_seg(&f, d), SPAN_E_NOTFOUND, "missing: no file");
	simdisk_put(d, NAME, "", 0);
	is_int(open_seg(&f, d), SPAN_E_CORRUPT, "missing: an empty file");
	is_str(err.msg, NAME ": no segment has 0 bytes", "missing: says so");
	span__seg_file_close(&f);
	simdisk_close(&d);
}

/* Linux 5.14 has it. */
static bool has_populate(void)
{
	static char page[8192];
	char *p = page + (4096 - (uintptr_t)page % 4096) % 4096;

	return !madvise(p, 4096, MADV_POPULATE_READ);
}

static void test_system_map(void)
{
	FILE *f;
	const struct span__io *io = &span__io_system;
	int fd = io->open(io->self, AT_FDCWD, "/proc/self/exe", O_RDONLY, 0);
	void *p = io->map(io->self, fd, 5000);

	ok(p && !memcmp(p, "\177ELF", 4), "map: the system's");
	ok(p && !io->touch(io->self, (char *)p + 10, 4096), "map: touch");
	if (p)
		io->unmap(io->self, p, 5000);
	io->close(io->self, fd);
	f = tmpfile();
	p = f && !ftruncate(fileno(f), 8192)
		    ? io->map(io->self, fileno(f), 8192)
		    : NULL;
	if (p && !ftruncate(fileno(f), 4096))
		ok(!io->touch(io->self, p, 4096) &&
			   (io->touch(io->self, (char *)p + 4096, 4096) < 0 ||
			    !has_populate()),
		   "map: touch tells what cannot be read");
	else
		skip_tests(1, "no temporary file");
	if (p)
		io->unmap(io->self, p, 8192);
	if (f)
		fclose(f);
	errno = 0;
	ok(!io->map(io->self, -1, 5000) && errno == EBADF, "map: fails");
}

int main(void)
{
	fill_content();
	test_round_trip();
	test_areas();
	test_flips();
	test_cuts();
	test_origin();
	test_features();
	test_failures();
	test_unreadable();
	test_full();
	test_power_cuts();
	test_missing();
	test_system_map();
	return done_testing();
}
