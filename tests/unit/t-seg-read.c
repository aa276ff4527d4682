/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put into a segment is read from it, all at once, trace by trace and
 * by id; and of a damaged one what is not damaged, never anything else.
 */
#include <fcntl.h>

#include "base/sort.h"
#include "seg-spans.h"
#include "simdisk.h"
#include "store/seg_build.h"
#include "store/seg_read.h"
#include "tap.h"

#define NAME "00000007.seg"

static struct simdisk *disk;
static int dirfd = -1;

static void must(bool good)
{
	if (!good)
		abort();
}

static void new_disk(void)
{
	const struct span__io *io;

	if (disk)
		simdisk_close(&disk);
	disk = simdisk_open();
	simdisk_put(disk, "LOCK", "", 0);
	io = simdisk_io(disk);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	must(dirfd >= 0);
}

static void build(const struct span *v, size_t n, enum span__seg_codec codec)
{
	struct span__seg_header h = {.id = {{1, 2, 3}, 7}, .first_number = 7};
	struct span__seg_builder *b;
	struct span_error err = {0};
	uint64_t size;

	new_disk();
	/* a build may have no zstd */
	if (codec > span__seg_codec_best())
		codec = span__seg_codec_best();
	must(span__seg_builder_open(&b, codec, &err) == 0);
	for (size_t i = 0; i < n; i++)
		must(span__seg_builder_put(b, &v[i], &err) == 0);
	if (span__seg_builder_finish(b, simdisk_io(disk), dirfd, NAME, &h,
				     &size, &err) < 0)
		diag("%s", err.msg);
	span__seg_builder_close(&b);
}

static struct span__seg *open_segment(bool check)
{
	struct span__seg *s = NULL;
	struct span_error err = {0};

	if (span__seg_open(&s, simdisk_io(disk), dirfd, NAME, &err) < 0)
		return NULL;
	s->file.check_all = check;
	if (span__seg_load(s, &err) < 0)
		span__seg_close(&s);
	return s;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Hashes of spans, to compare what is there with what should be. */
struct hashes {
	uint64_t *v;
	size_t n, cap;
};

static void add(struct hashes *h, const struct span *s)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 1024;
		h->v = realloc(h->v, h->cap * sizeof(*h->v));
		must(h->v);
	}
	h->v[h->n++] = span_hash(s);
}

static void sort(struct hashes *h)
{
	if (h->n)
		qsort(h->v, h->n, sizeof(*h->v), by_number);
}

static bool same(struct hashes *a, struct hashes *b)
{
	sort(a);
	sort(b);
	return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * 8));
}

/* Every one of A is in B, which is sorted. */
static bool within(const struct hashes *a, const struct hashes *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!bsearch(&a->v[i], b->v, b->n, 8, by_number))
			return false;
	return true;
}

struct reading {
	struct span_arena arena;
	struct span *out;
	uint64_t *read;
	size_t cap;
};

static void reserve(struct reading *r, size_t n)
{
	if (n <= r->cap)
		return;
	r->out = realloc(r->out, n * sizeof(*r->out));
	r->read = realloc(r->read, (n / 64 + 1) * sizeof(*r->read));
	r->cap = n;
	must(r->out && r->read);
}

static void release(struct reading *r)
{
	span_arena_release(&r->arena);
	free(r->out);
	free(r->read);
}

/* Spans of a place; how many could be read. */
static size_t read_place(struct span__seg *s, struct reading *r,
			 const struct span__seg_place *p, int want,
			 struct hashes *h)
{
	size_t n = 0;

	reserve(r, p->n);
	span_arena_reset(&r->arena);
	must(span__seg_spans(s, p, 0, p->n, NULL, want, &r->arena, r->out,
			     r->read, NULL) == 0);
	for (size_t i = 0; i < p->n; i++) {
		if (!(r->read[i / 64] >> i % 64 & 1))
			continue;
		n++;
		if (h)
			add(h, &r->out[i]);
	}
	return n;
}

static void read_all(struct span__seg *s, struct hashes *h)
{
	struct span__seg_walk w = {0};
	struct span__seg_place p;
	struct reading r = {0};

	must(span__seg_walk_seek(&w, s, 0, UINT64_MAX, NULL) == 0);
	while (span__seg_walk_next(&w, &p, NULL) > 0)
		(void)read_place(s, &r, &p, SEG_WANT_ALL, h);
	span__seg_walk_release(&w);
	release(&r);
}

static struct hashes hashes_of(const struct span *v, size_t n)
{
	struct hashes h = {0};

	for (size_t i = 0; i < n; i++)
		add(&h, &v[i]);
	return h;
}

static bool heads_equal(const struct span *a, const struct span *b)
{
	return !memcmp(a->trace_id, b->trace_id, 16) &&
	       !memcmp(a->span_id, b->span_id, 8) &&
	       !memcmp(a->parent_id, b->parent_id, 8) &&
	       a->start_ns == b->start_ns && a->duration_ns == b->duration_ns &&
	       span_str_equal(a->name, b->name) && a->process == b->process &&
	       a->kind == b->kind && a->status == b->status &&
	       a->flags == b->flags && a->marks == b->marks &&
	       !a->scope == !b->scope;
}

/* Heads are those of the whole spans, however the trace is cut. */
static bool heads_agree(struct span__seg *s, struct rnd *rnd,
			const struct span__seg_place *p)
{
	size_t from = rnd_below(rnd, p->n), to;
	struct reading all = {0}, head = {0};
	bool good = true;
	uint64_t keep = rnd_next(rnd);

	to = from + 1 + rnd_below(rnd, p->n - from);
	if (to - from > 64)
		to = from + 64;
	reserve(&head, p->n);
	(void)read_place(s, &all, p, SEG_WANT_ALL, NULL);
	must(span__seg_spans(s, p, from, to, &keep, SEG_WANT_HEAD, &head.arena,
			     head.out, head.read, NULL) == 0);
	for (size_t i = 0; i < to - from; i++) {
		bool is = head.read[0] >> i & 1;

		good = good && is == (keep >> i & 1) &&
		       (!is || heads_equal(&head.out[i], &all.out[from + i]));
	}
	release(&all);
	release(&head);
	return good;
}

static bool places_equal(const struct span__seg_place *a,
			 const struct span__seg_place *b)
{
	return a->trace == b->trace && a->first_span == b->first_span &&
	       a->n == b->n && !memcmp(a->ranks, b->ranks, a->n * 8);
}

/* One trace alone, and some from there on, as a walk from the begin has it. */
static bool seek_agrees(struct span__seg *s, struct span__seg_walk *other,
			const struct span__seg_place *p)
{
	struct span__seg_walk w = {0};
	struct span__seg_place q;
	bool good;

	must(span__seg_walk_seek(&w, s, p->trace, p->trace + 1, NULL) == 0);
	good = span__seg_walk_next(&w, &q, NULL) == 1 && places_equal(p, &q) &&
	       span__seg_walk_next(&w, &q, NULL) == 0;
	must(span__seg_walk_seek(other, s, p->trace, UINT64_MAX, NULL) == 0);
	good = good && span__seg_walk_next(other, &q, NULL) == 1 &&
	       places_equal(p, &q);
	span__seg_walk_release(&w);
	return good;
}

static void test_places(const char *name, struct span__seg *s, unsigned every)
{
	struct rnd rnd = {.state = 99};
	struct span__seg_walk w = {0}, other = {0};
	size_t n = 0, heads = 0, seeks = 0, found = 0;
	struct span__seg_place p;

	must(span__seg_walk_seek(&w, s, 0, UINT64_MAX, NULL) == 0);
	while (span__seg_walk_next(&w, &p, NULL) > 0) {
		uint64_t trace = UINT64_MAX;
		uint8_t id[16];

		if (rnd_below(&rnd, every))
			continue;
		n++;
		heads += heads_agree(s, &rnd, &p);
		seeks += seek_agrees(s, &other, &p);
		span__seg_trace_id(s, p.trace, id);
		found += span__seg_find(s, id, &trace, NULL) == 1 &&
			 trace == p.trace;
	}
	is_uint(heads, n, "%s: heads are those of the whole spans", name);
	is_uint(seeks, n, "%s: a trace is where a walk finds it", name);
	is_uint(found, n, "%s: traces are found by their ids", name);
	span__seg_walk_release(&w);
	span__seg_walk_release(&other);
}

static void test_absent(const char *name, struct span__seg *s)
{
	struct rnd rnd = {.state = 5};
	size_t found = 0;
	uint64_t trace;

	for (int i = 0; i < 1000; i++) {
		uint64_t id[2] = {rnd_next(&rnd), rnd_next(&rnd)};
		uint8_t bytes[16];

		memcpy(bytes, id, 16);
		found += span__seg_find(s, bytes, &trace, NULL) != 0;
	}
	is_uint(found, 0, "%s: other ids are not found", name);
	ok(!s->file.bad, "%s: there is no damage", name);
}

static const struct {
	const char *name;
	size_t n, each;
	unsigned wild, every;
	enum span__seg_codec codec;
} sets[] = {
	{"no span", 0, 1, 0, 1, SEG_CODEC_ZLIB},
	{"one span", 1, 1, 0, 1, SEG_CODEC_ZLIB},
	{"one trace", 500, 500, 20, 1, SEG_CODEC_NONE},
	{"wild spans", 1200, 5, 1, 5, SEG_CODEC_ZLIB},
	{"some wild spans", 3000, 12, 20, 10, SEG_CODEC_ZSTD},
	{"traces of one span", 3000, 1, 0, 50, SEG_CODEC_ZLIB},
	{"several blocks", 60000, 14, 0, 300, SEG_CODEC_ZSTD},
};

static void test_sets(void)
{
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct rnd r = {.state = i, .arena = &(struct span_arena){0}};
		struct span *v =
			rnd_spans(&r, sets[i].n, sets[i].each, sets[i].wild);
		struct hashes want = hashes_of(v, sets[i].n), got = {0};
		struct span__seg *s;

		build(v, sets[i].n, sets[i].codec);
		s = open_segment(true);
		if (ok(s != NULL, "%s: it opens", sets[i].name)) {
			read_all(s, &got);
			ok(same(&want, &got), "%s: all spans come back",
			   sets[i].name);
			if (sets[i].n)
				test_places(sets[i].name, s, sets[i].every);
			test_absent(sets[i].name, s);
		}
		span__seg_close(&s);
		free(want.v);
		free(got.v);
		span_arena_release(r.arena);
	}
}

/* One page after another is damaged: what comes back is part of what was. */
static void test_damage(void)
{
	struct rnd r = {.state = 3, .arena = &(struct span_arena){0}};
	struct span *v = rnd_spans(&r, 20000, 10, 200);
	struct hashes want = hashes_of(v, 20000);
	size_t len, pages = 0, marked = 0, sound = 0, lost = 0, unusable = 0;
	uint8_t *file;

	build(v, 20000, SEG_CODEC_ZLIB);
	sort(&want);
	file = simdisk_file(disk, NAME, &len);
	for (size_t page = 1; page < len / SEG_PAGE; page += 5) {
		uint8_t *p = file + page * SEG_PAGE + rnd_below(&r, SEG_PAGE);
		struct hashes got = {0};
		struct span__seg *s;

		*p ^= 0x55;
		pages++;
		s = open_segment(true);
		if (s) {
			read_all(s, &got);
			marked += s->file.bad || got.n == want.n;
			lost += want.n - got.n;
		} else {
			unusable++;
			marked++;
		}
		sound += within(&got, &want) && got.n <= want.n;
		span__seg_close(&s);
		*p ^= 0x55;
		free(got.v);
	}
	diag("%zu pages: on average %zu of 20000 spans lost, %zu unusable",
	     pages, lost / pages, unusable);
	is_uint(sound, pages, "no damaged span comes back");
	is_uint(marked, pages, "damage is told");
	free(want.v);
	span_arena_release(r.arena);
}

/* Bytes changed behind the checksums' back: anything may come, but no harm. */
static void test_hostile(void)
{
	struct rnd r = {.state = 4, .arena = &(struct span_arena){0}};
	struct span *v = rnd_spans(&r, 300, 10, 10);
	size_t len, rounds = 300;
	uint8_t *file;

	build(v, 300, SEG_CODEC_NONE);
	file = simdisk_file(disk, NAME, &len);
	for (size_t i = 0; i < rounds; i++) {
		struct hashes got = {0};
		struct span__seg *s;
		size_t at[4];
		uint8_t change[4];

		for (int k = 0; k < 4; k++) {
			at[k] = SEG_PAGE + rnd_below(&r, len - SEG_PAGE);
			change[k] = (uint8_t)rnd_next(&r);
			file[at[k]] ^= change[k];
		}
		s = open_segment(false);
		if (s)
			read_all(s, &got);
		span__seg_close(&s);
		for (int k = 0; k < 4; k++)
			file[at[k]] ^= change[k];
		free(got.v);
	}
	ok(true, "changed bytes do no harm");
	span_arena_release(r.arena);
}

#define TYPES 4000u
#define ROWS 14u
#define KEYS 60u

/* Span I of a segment where each type has keys of its own. */
static void wide_span(uint64_t i, struct span *s, struct span_attr *attrs,
		      char (*keys)[24])
{
	static const struct span_process process = {.serial = 1};

	*s = (struct span){.process = &process, .attrs = {attrs, KEYS, 0}};
	s->start_ns = 1000 * i;
	for (unsigned k = 0; k < 8; k++)
		s->span_id[k] = s->trace_id[k] = (uint8_t)((i + 1) >> 8 * k);
	for (unsigned k = 0; k < KEYS; k++) {
		snprintf(keys[k], sizeof(*keys), "k%u.%u", (unsigned)i / ROWS,
			 k);
		attrs[k] = (struct span_attr){
			span_str(keys[k]),
			{.type = SPAN_INT, .i = (int64_t)(i * k % 7919)}};
	}
}

static void build_wide(struct hashes *want)
{
	struct span__seg_header h = {.id = {{1, 2, 3}, 7}, .first_number = 7};
	struct span_attr attrs[KEYS];
	struct span__seg_builder *b;
	char keys[KEYS][24];
	struct span s;
	uint64_t size;

	new_disk();
	must(span__seg_builder_open(&b, SEG_CODEC_NONE, NULL) == 0);
	for (uint64_t i = 0; i < TYPES * ROWS; i++) {
		wide_span(i, &s, attrs, keys);
		must(span__seg_builder_put(b, &s, NULL) == 0);
		add(want, &s);
	}
	must(span__seg_builder_finish(b, simdisk_io(disk), dirfd, NAME, &h,
				      &size, NULL) == 0);
	span__seg_builder_close(&b);
}

/* A reader has open what a block needs, not what all types would. */
static void test_wide(void)
{
	struct hashes want = {0}, got = {0};
	struct span__seg_walk w = {0};
	struct span_arena arena = {0};
	struct span__seg_place p;
	struct span__seg *seg;
	size_t most = 0;

	build_wide(&want);
	seg = open_segment(false);
	must(seg && !span__seg_walk_seek(&w, seg, 0, seg->n_traces, NULL));
	while (span__seg_walk_next(&w, &p, NULL) > 0) {
		uint64_t read[1];
		struct span s;

		span_arena_reset(&arena);
		must(!span__seg_spans(seg, &p, 0, 1, NULL, SEG_WANT_ALL, &arena,
				      &s, read, NULL));
		add(&got, &s);
		if (span_arena_size(&seg->opened) > most)
			most = span_arena_size(&seg->opened);
	}
	ok(same(&want, &got), "%u spans of %u types are read", TYPES * ROWS,
	   TYPES);
	ok(most < (40u << 20), "with %zu KiB of columns open at most",
	   most >> 10);
	span__seg_walk_release(&w);
	span__seg_close(&seg);
	span_arena_release(&arena);
	free(want.v);
	free(got.v);
}

int main(void)
{
	test_sets();
	test_wide();
	test_damage();
	test_hostile();
	simdisk_close(&disk);
	return done_testing();
}
