/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment, whose pages are taken as good and whose head gets the checksum
 * that it should have, so that what is behind them is reached: everything is
 * read, from types to spans.
 *
 * Heads must be those of whole spans, and a trace that is found by its id must
 * have it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/le.h"
#include "store/seg_head.h"
#include "store/seg_read.h"
#include "tests/unit/simdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);
const char *__asan_default_options(void);

#define NAME "00000001.seg"
/* What is read of one input, as few bytes may stand for very many spans. */
#define TRACES 300u
#define SPANS 512u
#define ITEMS 300u

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

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void use_column(const struct span__seg_column *c, uint64_t n,
		       struct span_arena *arena)
{
	uint64_t bits[SPANS / 64], v[64];
	struct span_str s;

	if (c->ints) {
		(void)span__ints_get(c->ints, n / 2);
		span__ints_range(c->ints, 0, (size_t)least(n, 64), v);
		(void)span__ints_find(c->ints, 0, (size_t)least(n, SPANS), 1,
				      1000, bits);
		return;
	}
	span_arena_reset(arena);
	(void)span__texts_get(c->texts, n / 2, arena, &s);
	(void)span__texts_find(c->texts, 0, (size_t)least(n, SPANS), s, bits);
}

static void use_types(struct span__seg *s, struct span_arena *arena)
{
	for (uint64_t i = 0; i < least(s->types.n, ITEMS); i++) {
		struct span__seg_type_reader *t = span__seg_type(s, i);

		for (unsigned k = 0; t && k < t->type.n_slots; k++) {
			struct span__seg_column *c = span__seg_column(s, t, k);

			if (c && t->type.n_spans)
				use_column(c, t->type.n_spans, arena);
		}
	}
}

static void use_tables(struct span__seg *s, struct span_arena *arena)
{
	for (uint64_t i = 0; i < ITEMS; i++) {
		span_arena_reset(arena);
		if (i < s->process_ends.n)
			(void)span__seg_process(s, i, arena);
		if (i < s->scope_ends.n)
			(void)span__seg_scope(s, i, arena);
	}
}

static void use_place(struct span__seg *s, const struct span__seg_place *p,
		      struct span_arena *arena)
{
	static struct span whole[SPANS], head[SPANS];
	uint64_t all[SPANS / 64], some[SPANS / 64];
	size_t n = (size_t)least(p->n, SPANS);

	span_arena_reset(arena);
	check(span__seg_spans(s, p, p->n - n, p->n, NULL, SEG_WANT_ALL, arena,
			      whole, all, NULL) == 0);
	check(span__seg_spans(s, p, p->n - n, p->n, all, SEG_WANT_HEAD, arena,
			      head, some, NULL) == 0);
	for (size_t i = 0; i < n; i++) {
		if (!(all[i / 64] >> i % 64 & 1))
			continue;
		(void)span_hash(&whole[i]);
		check(some[i / 64] >> i % 64 & 1);
		check(whole[i].start_ns == head[i].start_ns &&
		      whole[i].duration_ns == head[i].duration_ns &&
		      whole[i].flags == head[i].flags &&
		      span_str_equal(whole[i].name, head[i].name) &&
		      whole[i].kind < 16 && whole[i].status < 16);
	}
}

static void use_id(struct span__seg *s, uint64_t trace)
{
	uint8_t id[16], other[16];
	uint64_t found;

	span__seg_trace_id(s, trace, id);
	if (span__seg_find(s, id, &found, NULL) <= 0)
		return;
	span__seg_trace_id(s, found, other);
	check(!memcmp(id, other, 16));
}

/* Traces one after another, and then alone. */
static void use_traces(struct span__seg *s, struct span_arena *arena)
{
	struct span__seg_walk w = {0}, alone = {0};
	struct span__seg_place p;

	check(span__seg_walk_seek(&w, s, 0, TRACES, NULL) == 0);
	while (span__seg_walk_next(&w, &p, NULL) > 0) {
		uint64_t trace = p.trace;

		use_place(s, &p, arena);
		use_id(s, trace);
		check(span__seg_walk_seek(&alone, s, trace, trace + 1, NULL) ==
		      0);
		if (trace % 8 == 0 && span__seg_walk_next(&alone, &p, NULL) > 0)
			use_place(s, &p, arena);
	}
	span__seg_walk_release(&w);
	span__seg_walk_release(&alone);
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
	struct span_arena arena = {0};
	struct span__seg *s;
	int dirfd;

	simdisk_put(disk, NAME, p, len);
	mend_head(simdisk_file(disk, NAME, &len), len);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	if (span__seg_open(&s, io, dirfd, NAME, NULL) == 0) {
		s->file.check_all = false;
		if (span__seg_load(s, NULL) == 0) {
			use_types(s, &arena);
			use_tables(s, &arena);
			use_traces(s, &arena);
		}
		span__seg_close(&s);
	}
	span_arena_release(&arena);
	simdisk_close(&disk);
	return 0;
}
