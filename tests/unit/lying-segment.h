/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lying-segment.h - two segments that share traces, and ways to make them say
 * what is not true, with every checksum right
 */
#ifndef LYING_SEGMENT_H
#define LYING_SEGMENT_H

#include <fcntl.h>

#include "random-span.h"
#include "simdisk.h"
#include "store/seg_build.h"
#include "store/seg_edges.h"
#include "store/store_check_calls.h"
#include "store/store_check_seg.h"
#include "store/store_ops.h"
#include "tap.h"

#define SECOND UINT64_C(1000000000)
#define BASE (UINT64_C(29000000) * 60 * SECOND)
#define TRACES 150u
#define LENGTH (2 * 60 * SECOND) /* of the time that starts are in */

static const char *const names[] = {"00000001.seg", "00000002.seg"};
static struct simdisk *disk;
static const struct span__io *io;
static int dirfd;
static uint8_t uuid[16]; /* of the store */
static struct span_error err;

static inline void must(bool good)
{
	if (good)
		return;
	diag("%s", err.msg);
	abort();
}

/* ---- two segments that share traces ---- */

static inline void put_span(struct span__seg_builder *b, struct rnd *r,
			    uint8_t trace, uint8_t id, uint8_t parent)
{
	static const char *const services[] = {"web", "cart", "db"};
	static const uint64_t durations[] = {2000, 70000, 12000000};
	const struct span_process p = {.service = span_str(services[id % 3])};
	struct span s = {
		.trace_id = {1, [15] = trace},
		.span_id = {id},
		.parent_id = {parent},
		.name = SPAN_STR("call"),
		.start_ns = BASE + rnd_below(r, LENGTH),
		.duration_ns = durations[rnd_below(r, 3)],
		.process = &p,
	};

	must(span__seg_builder_put(b, &s, &err) == 0);
}

/* Of each trace the spans 1 to 5, or those from 6 on, which are below. */
static inline void build(int which)
{
	struct span__seg_header h = {.id.number = (uint64_t)which + 1,
				     .first_number = (uint64_t)which + 1};
	struct rnd r = {.state = (uint64_t)which + 1};
	struct span__seg_builder *b;
	uint64_t size;

	memcpy(h.id.uuid, uuid, sizeof(uuid));
	must(span__seg_builder_open(&b, SEG_CODEC_NONE, &err) == 0);
	for (unsigned t = 0; t < TRACES; t++)
		for (uint8_t id = 1; id <= 5; id++) {
			uint8_t own = (uint8_t)(id + 5 * which);

			put_span(b, &r, (uint8_t)t, own,
				 which && id == 1
					 ? (uint8_t)(1 + rnd_below(&r, 5))
					 : (uint8_t)(own - 1));
		}
	must(span__seg_builder_finish(b, io, dirfd, names[which], &h, &size,
				      &err) == 0);
	span__seg_builder_close(&b);
}

static inline struct span__seg *open_seg(int which)
{
	struct span__seg *s;

	must(span__seg_open(&s, io, dirfd, names[which], &err) == 0);
	return s;
}

static inline void make_store(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_APPEND};
	struct span_store_stat stat;
	struct span_store *st;

	must(!span__store_open(&st, "store", &o, io, &err) &&
	     !span_store_close(&st, &err));
	o.mode = SPAN_STORE_READ;
	must(!span__store_open(&st, "store", &o, io, &err) &&
	     !span_store_stat(st, &stat, &err) && !span_store_close(&st, &err));
	memcpy(uuid, stat.uuid, sizeof(uuid));
}

static inline void make(void)
{
	struct span__seg *first;
	uint64_t size;

	disk = simdisk_open();
	io = simdisk_io(disk);
	make_store();
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	build(0);
	build(1);
	first = open_seg(0);
	must(span__edges_add(io, dirfd, names[1], &first, 1, &size, &err) == 0);
	span__seg_close(&first);
}

/* Write segment WHICH anew with other bytes in one of its sections. */
static inline void rewrite(int which, enum span__seg_section type,
			   const void *p, size_t len)
{
	struct span__seg *s = open_seg(which);
	struct span__seg_file *f = &s->file;
	struct span__seg_writer *w;
	uint64_t size;

	must(span__seg_writer_open(&w, io, dirfd, names[which], &f->header,
				   &err) == 0);
	for (size_t i = 0; i < f->n_sections; i++) {
		enum span__seg_section t = f->sections[i].type;
		struct span__area area = span__seg_area(f, t);

		must(span__area_ok(&area, 0, area.len));
		if (t == type)
			area = (struct span__area){p, len, NULL};
		must(span__seg_writer_put(w, t, area.p, area.len, &err) == 0);
	}
	must(span__seg_writer_finish(w, &size, &err) == 0);
	span__seg_writer_close(&w);
	span__seg_close(&s);
}

static inline struct span_buf section(int which, enum span__seg_section type)
{
	struct span__seg *s = open_seg(which);
	struct span__area area = span__seg_area(&s->file, type);
	struct span_buf out = {0};

	must(span__area_ok(&area, 0, area.len));
	span_buf_put(&out, area.p, area.len);
	must(!out.failed && out.len);
	span__seg_close(&s);
	return out;
}

/* ---- what verify says ---- */

struct said {
	unsigned n;
	char first[200];
};

static inline int hear(void *arg, const char *text)
{
	struct said *s = arg;

	if (!s->n++)
		snprintf(s->first, sizeof(s->first), "%s", text);
	return 0;
}

static inline int hear_of_file(void *arg, const struct span_store_file *f,
			       const char *text, struct span_error *e)
{
	char line[200];

	(void)e;
	if (!text)
		return 0;
	snprintf(line, sizeof(line), "%s: %s", f->name, text);
	return hear(arg, line);
}

/* Of the whole store. */
static inline struct said verify_store(void)
{
	struct span_store_opts o = {.mode = SPAN_STORE_READ};
	struct said said = {0};
	struct span_store *st;

	must(!span__store_open(&st, "store", &o, io, &err) &&
	     span_store_verify(st, hear_of_file, &said, &err) >= 0 &&
	     !span_store_close(&st, &err));
	return said;
}

static inline struct said verify(int which)
{
	struct span__seg *s = open_seg(which), *other = open_seg(!which);
	struct said said = {0};

	must(span__segment_verify(s, hear, &said, &err) == 0);
	if (!said.n)
		must(span__edges_check(s, &other, 1, hear, &said, &err) == 0);
	span__seg_close(&s);
	span__seg_close(&other);
	return said;
}

#endif
