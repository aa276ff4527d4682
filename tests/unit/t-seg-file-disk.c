/* SPDX-License-Identifier: Apache-2.0 */
/* The container of a segment on disks that fail, are full or lose power. */
#include "seg-parts.h"

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
	test_failures();
	test_unreadable();
	test_full();
	test_power_cuts();
	test_missing();
	test_system_map();
	return done_testing();
}
