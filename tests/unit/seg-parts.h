/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg-parts.h - a segment of a few sections on a simulated disk
 */
#ifndef SEG_PARTS_H
#define SEG_PARTS_H

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

static inline void fill_content(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < N_PARTS; i++) {
		for (size_t k = 0; k < parts[i].len; k++) {
			x = x * 1664525 + 1013904223;
			content[i][k] = (uint8_t)(x >> 24);
		}
	}
}

static inline struct span__seg_header header(uint64_t number)
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

static inline int open_dir(struct simdisk *d)
{
	const struct span__io *io = simdisk_io(d);
	int fd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);

	if (fd < 0)
		abort();
	return fd;
}

static inline struct simdisk *new_disk(void)
{
	struct simdisk *d = simdisk_open();

	simdisk_put(d, "LOCK", "", 0);
	return d;
}

static inline int write_parts(struct span__seg_writer *w, bool in_pieces)
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

static inline int write_at(struct simdisk *d, int dirfd,
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
static inline struct simdisk *make(const struct span__seg_header *h,
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

static inline int open_seg(struct span__seg_file *f, struct simdisk *d)
{
	const struct span__io *io = simdisk_io(d);
	int dirfd = open_dir(d), rc;

	memset(&err, 0, sizeof(err));
	rc = span__seg_file_open(f, io, dirfd, NAME, &err);
	io->close(io->self, dirfd);
	return rc;
}

/* A section as it is read: 1 whole, 0 said to be damaged or cut, -1 wrong. */
static inline int read_part(struct span__seg_file *f, size_t i)
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

static inline int place(void *arg, uint64_t pos, uint64_t len,
			struct span_error *e)
{
	struct places *p = arg;

	(void)e;
	p->n++;
	p->hit |= p->want >= pos && p->want - pos < len;
	return 0;
}

/* How many places verify names; *HIT: POS is in one of them. */
static inline size_t verify(struct span__seg_file *f, uint64_t pos, bool *hit)
{
	struct places p = {.want = pos};

	if (span__seg_verify(f, place, &p, &err) < 0)
		abort();
	*hit = p.hit;
	return p.n;
}

#endif
