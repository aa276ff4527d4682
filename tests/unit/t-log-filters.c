/* SPDX-License-Identifier: Apache-2.0 */
/* Scans of a log that pass over frames by their filters miss no span. */
#include "scan-model.h"
#include "store-model.h"

#include "store/log_filters.h"
#include "store/store_dir.h"

#include <span/stream.h>

#define FRAMES 200u
#define SPANS 2u /* of each */
#define SCANS 3000u

static struct span_arena arena;
static struct rnd rnd = {7, &arena};
static struct span spans[FRAMES][SPANS];
static struct span_frame *frame;
static struct model m;
static struct span_error err;

static void append_frame(struct span_store *st, struct span *v)
{
	const struct span_process *p = rnd_process(&rnd);
	struct span_buf bytes = {0};
	struct span_writer *w = NULL;
	size_t used;

	if (span_writer_open_mem(&w, &bytes, NULL) < 0)
		abort();
	for (size_t i = 0; i < SPANS; i++) {
		do
			v[i] = rnd_span(&rnd, p);
		while (span_writer_put(w, &v[i], NULL) < 0);
	}
	if (span_writer_flush(w, NULL) < 0 ||
	    span_frame_parse(frame, bytes.p, bytes.len, &used, NULL) < 0 ||
	    used != bytes.len || span_store_append_frame(st, frame, &err) < 0)
		abort();
	span_writer_close(&w);
	span_buf_release(&bytes);
}

static struct simdisk *make(struct span_store **writer)
{
	struct span_store_opts o = model_opts(&m, SPAN_SYNC_GROUP);
	struct simdisk *disk = simdisk_open();

	memset(&m, 0, sizeof(m));
	m.disk = disk;
	m.next_acked = 1;
	o.ack = NULL;
	if (span__store_open(writer, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	for (size_t i = 0; i < FRAMES; i++)
		append_frame(*writer, spans[i]);
	return disk;
}

static uint64_t count_model(const struct span_range *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < FRAMES * SPANS; i++)
		n += model_in(r, &spans[i / SPANS][i % SPANS]);
	return n;
}

/* Read what is in the range, the newest first. */
static uint64_t count_newest(struct span_store *st, struct span_range r)
{
	const uint64_t floor = 0;
	struct span_cursor *c;
	struct span s;
	uint64_t n = 0;

	r.floor_ns = &floor;
	if (span_store_scan(st, &r, &c, &err) < 0)
		abort();
	while (span_cursor_next(c, &s, &err) > 0)
		n++;
	span_cursor_close(&c);
	return n;
}

static void test_scans(struct simdisk *disk, const char *what)
{
	const struct span_store_opts o = {.damage = model_damage, .arg = &m};
	struct span_store_work before, after;
	struct span_store *st = NULL;
	unsigned bad = 0, none = 0, some = 0;

	if (span__store_open(&st, "store", &o, simdisk_io(disk), &err) < 0)
		abort();
	span_store_work(st, &before);
	for (unsigned i = 0; i < SCANS && !bad; i++) {
		struct scan_model model;
		uint64_t n = 0, want;

		model_rnd(&model, &rnd, &spans[rnd_below(&rnd, FRAMES)][0]);
		want = count_model(&model.range);
		if (span_store_count(st, &model.range, &n, &err) < 0)
			abort();
		bad += n != want;
		bad += count_newest(st, model.range) != want;
		if (bad)
			diag("scan %u: %" PRIu64 ", want %" PRIu64, i, n, want);
		none += !want;
		some += want > 0;
	}
	span_store_work(st, &after);
	is_uint(bad, 0, "%s: as many spans as there are, in order and newest",
		what);
	ok(none > 100 && some > 100, "%s: %u of the scans find, %u do not",
	   what, some, none);
	diag("%" PRIu64 " frames were read of %u",
	     after.n_frames - before.n_frames, 2 * FRAMES * SCANS);
	ok(after.n_frames - before.n_frames < FRAMES * SCANS,
	   "%s: less than half of the frames were read", what);
	is_uint(m.damage, 0, "%s: nothing is damaged", what);
	(void)span_store_close(&st, NULL);
}

/* Those that are asked for, by the file at NAME. */
static unsigned find(struct simdisk *disk, const char *name,
		     const struct span_range *r)
{
	const struct span__log_id fallback = {.number = 1};
	const struct span__scan scan = {.range = r};
	struct span_buf buf = {0};
	struct span__filter filter;
	struct span_str index;
	struct span__dir dir;
	struct span__log log;
	unsigned n;
	int rc;

	span__filter_init(&filter, &scan);
	if (span__dir_open(&dir, simdisk_io(disk), "store", false, &err) < 0 ||
	    span__log_open(&log, dir.io, dir.fd, name, &fallback, false, &err) <
		    0)
		abort();
	rc = span__log_filters_find(&log, &filter, &buf, &index, &err);
	n = rc > 0 ? (unsigned)(index.len / LOG_INDEX_ENTRY) : 0;
	span__log_close(&log);
	span__dir_close(&dir);
	span_buf_release(&buf);
	return rc > 0 ? n : UINT32_MAX;
}

/* The frames in no list, and some for which a filter says yes by chance. */
static void is_few(unsigned n, const char *what)
{
	ok(n >= FRAMES % 32 && n <= FRAMES % 32 + FRAMES / 20, "%s: %u frames",
	   what, n);
}

static void test_find(struct simdisk *disk, const char *name)
{
	const struct span_str nobody = SPAN_STR("nobody at all");
	const struct span_tag_eq tag = {nobody, nobody};
	const struct span_range service = {.services = &nobody,
					   .n_services = 1};
	const struct span_range operation = {.operations = &nobody,
					     .n_operations = 1};
	const struct span_range tags = {.tags = &tag, .n_tags = 1};
	const struct span_range all = {.error = true};
	unsigned n = find(disk, name, &tags);
	uint8_t *p;
	size_t len;

	is_few(find(disk, name, &service), "no such service");
	is_few(find(disk, name, &operation), "no such operation");
	is_few(n, "no such tag");
	is_uint(find(disk, name, &all), UINT32_MAX,
		"what filters do not tell is not asked of them");
	/* One list less: its frames may have anything. */
	p = simdisk_file(disk, name, &len);
	for (size_t i = 0; i + 64 < len; i += LOG_ALIGN) {
		if (memcmp(p + i, "SREC", 4) || p[i + 12] != LOG_TYPE_FILTERS)
			continue;
		p[i + 60] ^= 1;
		is_uint(find(disk, name, &tags), n + 32,
			"the frames of a damaged list are read");
		p[i + 60] ^= 1;
		p[i + 8] ^= 1;
		is_uint(find(disk, name, &tags), UINT32_MAX,
			"and all of them where a header is damaged");
		p[i + 8] ^= 1;
		break;
	}
}

int main(void)
{
	struct span_store *writer = NULL;
	struct simdisk *disk;

	if (span_frame_open(&frame, NULL) < 0)
		abort();
	disk = make(&writer);
	test_scans(disk, "active");
	test_find(disk, "00000001.open");
	if (span_store_close(&writer, &err) < 0)
		abort();
	test_scans(disk, "closed");
	test_find(disk, "00000001.log");
	simdisk_close(&disk);
	span_frame_close(&frame);
	span_arena_release(&arena);
	return done_testing();
}
