/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of a segment from any bytes, whose pages are taken as good and
 * whose head gets the checksum that it should have. It is there twice, so that
 * each looks for parents, and lists of edges, in the other. What comes out is
 * not more than there is, and the same when it is counted again; and verify
 * says of it what it wants.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/calls_count.h"
#include "store/seg_head.h"
#include "store/store_check_calls.h"
#include "tests/unit/simdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
const char *__asan_default_options(void);

#define NAME "00000001.seg"
#define SPANS_MAX 4096u /* few bytes may stand for very many spans */
#define COPIES 2u

/* Many disks come and go: what is freed need not be kept for long. */
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16";
}

struct input {
	struct span__call_names names;
	struct span__seg *segs[COPIES];
	struct span__calls_seg *files[COPIES];
	struct span__calls_source bounds[COPIES];
};

static int load(void *arg, size_t n, bool kept, struct span__calls_file *out,
		struct span_error *err)
{
	struct input *in = arg;
	int rc = 0;

	(void)kept;
	if (!in->files[n])
		rc = span__calls_seg_open(&in->files[n], in->segs[n],
					  &in->names, err);
	*out = (struct span__calls_file){.seg = in->files[n]};
	return rc;
}

static void done(void *arg, size_t n)
{
	(void)arg;
	(void)n;
}

static int add(void *arg, const struct span_store_calls *c,
	       struct span_error *err)
{
	(void)err;
	if (!c->calls || c->calls != c->sketch->count || !c->weight)
		abort();
	*(uint64_t *)arg += c->calls;
	return 0;
}

static uint64_t count(struct input *in, const struct span_store_calls_range *r)
{
	const struct span__calls_files files = {COPIES, in->bounds, load, done,
						in};
	uint64_t n = 0;

	if (span__calls_count(&files, &in->names, r, add, &n, NULL) < 0)
		return 0;
	return n;
}

static int complain(void *arg, const char *text)
{
	(void)arg;
	return strlen(text) < 300 ? 0 : -1;
}

/* What verify compares; whatever it says. */
static void verify(struct input *in)
{
	struct span__calls_file f = {.seg = in->files[0]};
	struct span__call_trace t = {0};
	struct span__calls_check *c;
	int rc = 0;

	if (!f.seg || span__calls_check_open(&c, in->segs[0], NULL) < 0)
		return;
	for (uint64_t i = 0; i < in->segs[0]->n_traces && !rc; i++) {
		rc = span__calls_file_trace(&f, i, &t, NULL);
		if (!rc)
			rc = span__call_trace_link(&t, NULL);
		if (!rc)
			span__calls_check_trace(c, i, &t);
	}
	if (span__calls_check_finish(c, complain, NULL) < 0)
		abort();
	span__calls_check_close(&c);
	span__call_trace_release(&t);
}

/* The other one is unloaded meanwhile: nothing may be open in it. */
static void verify_edges(struct input *in)
{
	if (span__edges_check(in->segs[0], &in->segs[1], 1, complain, NULL,
			      NULL) == -1)
		abort();
}

static void use(struct input *in)
{
	static const struct span_store_calls_range odd = {
		.since_ns = 1700000000000000001, .width_ns = 60000000000};
	uint64_t n = 0;

	if (span__call_names_init(&in->names, NULL) < 0)
		abort();
	for (size_t i = 0; i < COPIES; i++) {
		const struct span__seg_header *h = &in->segs[i]->file.header;

		in->segs[i]->file.check_all = false;
		in->bounds[i].seg = in->segs[i];
		in->bounds[i].min_start_ns = h->sum.min_start_ns;
		in->bounds[i].max_end_ns = h->sum.max_end_ns;
	}
	n = count(in, NULL);
	if (n != count(in, NULL))
		abort();
	if (count(in, &odd) > COPIES * in->segs[0]->n_spans)
		abort();
	verify(in);
	for (size_t i = 0; i < COPIES; i++)
		span__calls_seg_close(&in->files[i]);
	verify_edges(in);
	span__call_names_release(&in->names);
}

static void mend_head(uint8_t *p, size_t len)
{
	uint32_t size;

	if (len < SEG_HEADER)
		return;
	size = span__get32(p + 12);
	if (size >= SEG_HEADER && size <= SEG_HEAD_MAX && size <= len)
		span__put32(p + size - 4, span__crc32c(0, p, size - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct simdisk *disk = simdisk_open();
	const struct span__io *io = simdisk_io(disk);
	struct input in = {0};
	bool good = true;
	int dirfd;

	simdisk_put(disk, NAME, p, len);
	mend_head(simdisk_file(disk, NAME, &len), len);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	for (size_t i = 0; i < COPIES; i++)
		good = span__seg_open(&in.segs[i], io, dirfd, NAME, NULL) ==
			       0 &&
		       in.segs[i]->n_spans <= SPANS_MAX && good;
	if (good)
		use(&in);
	for (size_t i = 0; i < COPIES; i++)
		span__seg_close(&in.segs[i]);
	simdisk_close(&disk);
	return 0;
}
