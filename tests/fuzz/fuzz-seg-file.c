/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container of a segment, its chunks and its strings. The first byte says
 * which: a file as it is; a segment of sections that the input gives, and then
 * damages; one whose head is changed under a checksum that holds; or the
 * content of a section.
 *
 * Verify finds every change that has no new checksum.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/seg_codec.h"
#include "store/seg_file.h"
#include "store/seg_head.h"
#include "store/seg_strings.h"
#include "tests/unit/simdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
const char *__asan_default_options(void);

#define NAME "00000001.seg"

/* Many disks come and go: what is freed need not be kept for long. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

static void check(bool good)
{
	if (!good)
		abort();
}

struct input {
	const uint8_t *p;
	size_t len;
};

static uint64_t take(struct input *in, size_t n)
{
	uint64_t v = 0;

	for (; n && in->len; n--, in->p++, in->len--)
		v = v << 8 | *in->p;
	return v;
}

static struct span_str take_bytes(struct input *in, size_t n)
{
	struct span_str s;

	if (n > in->len)
		n = in->len;
	s = (struct span_str){(const char *)in->p, n};
	in->p += n;
	in->len -= n;
	return s;
}

static unsigned sum;

static void use_chunks(const struct span__area *a)
{
	struct span__chunks *c;
	struct span_str s;

	if (span__chunks_open(&c, a, NULL) < 0)
		return;
	for (uint64_t pos = 0; pos < span__chunks_len(c) && pos < 1 << 20;
	     pos += 30000) {
		if (span__chunks_get(c, pos, 50000, &s) ||
		    span__chunks_get(c, pos, 1, &s))
			sum += (unsigned char)s.p[s.len - 1];
	}
	span__chunks_close(&c);
}

static void use_strings(const struct span__area *a,
			const struct span__area *shorts)
{
	struct span__strings s;

	if (span__strings_open(&s, a, shorts, NULL) < 0) {
		check(!s.n && !s.v);
		return;
	}
	for (uint32_t i = 0; i < s.n; i += 1 + s.n / 16) {
		struct span_str v = span__strings_get(&s, i);

		sum += v.len ? (unsigned char)v.p[v.len - 1] : 0;
		sum += span__strings_find(&s, v);
	}
	sum += span__strings_agree(&s);
	span__strings_close(&s);
}

static int count(void *arg, uint64_t pos, uint64_t len, struct span_error *err)
{
	unsigned *n = arg;

	(void)pos;
	(void)err;
	check(len > 0);
	++*n;
	return 0;
}

/* All that a reader does; true when verify finds no damage. */
static bool use_file(struct simdisk *disk)
{
	const struct span__io *io = simdisk_io(disk);
	int dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	struct span__seg_file f;
	struct span__area shorts;
	unsigned places = 0;
	int rc = span__seg_file_open(&f, io, dirfd, NAME, NULL);

	io->close(io->self, dirfd);
	check(simdisk_descriptors(disk) == 0);
	if (rc < 0)
		return false;
	shorts = span__seg_area(&f, SEG_SHORT_STRINGS);
	for (unsigned i = 0; i < SEG_SECTION_TYPES; i++) {
		struct span__area a =
			span__seg_area(&f, (enum span__seg_section)i);

		if (span__area_ok(&a, 0, a.len) && a.len)
			sum += a.p[a.len - 1];
		if (i < 3)
			use_chunks(&a);
		if (i < 3)
			use_strings(&a, &shorts);
	}
	check(span__seg_verify(&f, count, &places, NULL) == 0);
	span__seg_file_close(&f);
	return !places;
}

/* A segment of the sections in the input; what remains of that is damage. */
static void build(struct simdisk *disk, struct input *in)
{
	struct span__seg_header h = {.id.number = take(in, 1)};
	const struct span__io *io = simdisk_io(disk);
	struct span__seg_writer *w;
	uint64_t size;
	int dirfd;

	simdisk_put(disk, "LOCK", "", 0);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	check(span__seg_writer_open(&w, io, dirfd, NAME, &h, NULL) == 0);
	for (unsigned n = take(in, 1) % 8; n; n--) {
		unsigned type = take(in, 1) % SEG_SECTION_TYPES;
		struct span_str s = take_bytes(in, take(in, 2) % 6000);

		check(span__seg_writer_put(w, (enum span__seg_section)type, s.p,
					   s.len, NULL) == 0);
	}
	check(span__seg_writer_finish(w, &size, NULL) == 0);
	span__seg_writer_close(&w);
	io->close(io->self, dirfd);
}

/* Change bytes, each at an offset from the begin or from the end. */
static void damage(uint8_t *p, size_t len, struct input *in)
{
	while (in->len >= 4) {
		size_t pos = take(in, 2) % len;

		if (take(in, 1) % 2)
			pos = len - 1 - pos;
		p[pos] ^= (uint8_t)take(in, 1);
	}
}

/* Verify finds every change. */
static void use_damaged(struct simdisk *disk, struct input *in)
{
	size_t len;
	uint8_t *p = simdisk_file(disk, NAME, &len);
	uint8_t *was = malloc(len);
	bool good;

	check(was != NULL);
	memcpy(was, p, len);
	damage(p, len, in);
	good = use_file(disk);
	check(good == !memcmp(was, p, len));
	free(was);
}

static void change_head(uint8_t *p, size_t len, struct input *in)
{
	size_t size = span__get32(p + 12);

	check(size <= len && size <= SEG_PAGE);
	while (in->len >= 2) {
		uint64_t pos = take(in, 2);
		unsigned n = pos >> 14;

		pos %= size - 4;
		for (; n-- != UINT32_MAX && pos < size - 4; pos++)
			p[pos] = (uint8_t)take(in, 1);
	}
	if (span__get32(p + 12) == size)
		span__put32(p + size - 4, span__crc32c(0, p, size - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct simdisk *disk = simdisk_open();
	struct input in = {p, len};
	uint64_t how = take(&in, 1) % 5;
	struct span__area a = {in.p, in.len, NULL};
	size_t size;
	uint8_t *bytes;

	switch (how) {
	case 0:
		simdisk_put(disk, NAME, in.p, in.len);
		(void)use_file(disk);
		break;
	case 1:
		build(disk, &in);
		use_damaged(disk, &in);
		break;
	case 2:
		build(disk, &in);
		check(use_file(disk));
		bytes = simdisk_file(disk, NAME, &size);
		change_head(bytes, size, &in);
		(void)use_file(disk);
		break;
	case 3:
		use_chunks(&a);
		break;
	default:
		use_strings(&a, &a);
	}
	simdisk_close(&disk);
	return 0;
}
