/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make-segment - a segment on standard output, for tests
 *
 *	make-segment CODEC <SPANS		of a span stream
 *	make-segment CODEC SEED N EACH WILD	of N spans of seg-spans.h
 *
 * CODEC is none, zlib or zstd. The same spans make the same bytes.
 */
#include <fcntl.h>
#include <unistd.h>

#include "seg-spans.h"
#include "simdisk.h"
#include "store/seg_build.h"

#include "base/banned.h"

#define NAME "00000007.seg"

static struct span_error err;

static int put_stream(struct span__seg_builder *b)
{
	struct span_reader *r = NULL;
	struct span s;
	int rc = span_reader_open(&r, STDIN_FILENO, NULL, &err);

	while (rc >= 0 && (rc = span_reader_next(r, &s, &err)) > 0)
		if (span__seg_builder_put(b, &s, &err) < 0)
			rc = -1;
	span_reader_close(&r);
	return rc;
}

static int put_random(struct span__seg_builder *b, char **argv)
{
	struct span_arena arena = {0};
	struct rnd r = {.state = strtoull(argv[0], NULL, 10), .arena = &arena};
	size_t n = strtoul(argv[1], NULL, 10);
	struct span *v = rnd_spans(&r, n, strtoul(argv[2], NULL, 10),
				   (unsigned)strtoul(argv[3], NULL, 10));
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = span__seg_builder_put(b, &v[i], &err);
	span_arena_release(&arena);
	return rc;
}

static int write_segment(struct span__seg_builder *b)
{
	struct span__seg_header h = {
		.id = {{0x5e, 0x67, 0x3e, 0x17, 1, 2, 3, 4, 5, 6, 7, 8}, 7},
		.first_number = 7,
	};
	struct simdisk *disk = simdisk_open();
	const struct span__io *io = simdisk_io(disk);
	uint64_t size;
	const uint8_t *p;
	size_t len;
	int dirfd, rc;

	simdisk_put(disk, "LOCK", "", 0);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	rc = span__seg_builder_finish(b, io, dirfd, NAME, &h, &size, &err);
	p = rc < 0 ? NULL : simdisk_file(disk, NAME, &len);
	if (p && fwrite(p, 1, len, stdout) != len)
		rc = -1;
	simdisk_close(&disk);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const codecs[] = {"none", "zlib", "zstd"};
	struct span__seg_builder *b = NULL;
	int codec = 2, rc = -1;

	while (argc > 1 && codec && strcmp(argv[1], codecs[codec]) != 0)
		codec--;
	if (argc == 2 || argc == 6)
		rc = span__seg_builder_open(&b, (enum span__seg_codec)codec,
					    &err);
	if (rc == 0)
		rc = argc == 2 ? put_stream(b) : put_random(b, argv + 2);
	if (rc >= 0)
		rc = write_segment(b);
	span__seg_builder_close(&b);
	if (rc < 0)
		fprintf(stderr, "make-segment: %s\n", err.msg);
	return rc < 0 || fflush(stdout) ? 1 : 0;
}
