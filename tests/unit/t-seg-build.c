/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put into a builder is read from the segment, span by span and field
 * by field, however the spans hang together; in the order that is promised;
 * and in time and memory that hostile spans do not blow up.
 */
#include <endian.h>
#include <fcntl.h>

#include "model/model.h"
#include "random-span.h"
#include "simdisk.h"
#include "store/seg_build_state.h"
#include "store/seg_read.h"
#include "tap.h"

#include "base/banned.h"

#define NAME "00000007.seg"
#define MANY 100000u

static struct simdisk *disk;
static int dirfd = -1;
static struct span_arena arena;

static void must(bool good)
{
	if (!good)
		abort();
}

static void new_disk(void)
{
	const struct span__io *io;

	simdisk_close(&disk);
	disk = simdisk_open();
	simdisk_put(disk, "LOCK", "", 0);
	io = simdisk_io(disk);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	must(dirfd >= 0);
}

/* Put the spans as frames, as the stream's writer makes them. */
static void put_frames(struct span__seg_builder *b, const struct span *v,
		       size_t n)
{
	struct span_reader *r = NULL;
	struct span_writer *w = NULL;
	struct span_buf mem = {0};
	struct span_frame *f;

	must(span_writer_open_mem(&w, &mem, NULL) == 0);
	for (size_t i = 0; i < n; i++)
		must(span_writer_put(w, &v[i], NULL) == 0);
	must(span_writer_flush(w, NULL) == 0);
	must(span_reader_open_mem(&r, mem.p, mem.len, NULL, NULL) == 0);
	while (span_reader_next_frame(r, &f, NULL) > 0)
		must(span__seg_builder_put_frame(b, f, NULL) == 0);
	span_reader_close(&r);
	span_writer_close(&w);
	span_buf_release(&mem);
}

static struct span__seg_header build(const struct span *v, size_t n,
				     bool frames)
{
	struct span__seg_header h = {.id = {{1, 2, 3}, 7}, .first_number = 7};
	struct span__seg_builder *b;
	struct span_error err = {0};
	uint64_t size;
	size_t said;

	new_disk();
	must(span__seg_builder_open(&b, SEG_CODEC_ZLIB, &err) == 0);
	if (frames)
		put_frames(b, v, n);
	for (size_t i = 0; !frames && i < n; i++)
		must(span__seg_builder_put(b, &v[i], &err) == 0);
	must(span__seg_builder_spans(b) == n);
	said = span__seg_builder_memory(b);
	if (span__seg_builder_finish(b, simdisk_io(disk), dirfd, NAME, &h,
				     &size, &err) < 0)
		diag("%s", err.msg);
	ok(said >= n * sizeof(struct span__build_span),
	   "the builder tells its memory: %zu bytes", said);
	span__seg_builder_close(&b);
	return h;
}

/* All spans of the segment, in order, at OUT; how many. Nodes at NODES. */
static size_t read_all(struct span__seg *s, struct span *out, size_t max,
		       struct span__seg_node *nodes)
{
	struct span__seg_walk w = {0};
	struct span__seg_place p;
	size_t n = 0;

	must(span__seg_walk_seek(&w, s, 0, UINT64_MAX, NULL) == 0);
	while (span__seg_walk_next(&w, &p, NULL) > 0) {
		uint64_t *read = calloc(p.n / 64 + 1, sizeof(*read));

		must(read && n + p.n <= max);
		must(span__seg_spans(s, &p, 0, p.n, NULL, SEG_WANT_ALL, &arena,
				     out + n, read, NULL) == 0);
		for (size_t i = 0; i < p.n; i++)
			must(read[i / 64] >> i % 64 & 1);
		memcpy(nodes + n, p.nodes, p.n * sizeof(*nodes));
		free(read);
		n += p.n;
	}
	span__seg_walk_release(&w);
	return n;
}

struct hashed {
	uint64_t hash;
	const struct span *s;
};

static int by_hash(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static struct hashed *sort_spans(const struct span *v, size_t n)
{
	struct hashed *h = calloc(n + 1, sizeof(*h));

	must(h);
	for (size_t i = 0; i < n; i++)
		h[i] = (struct hashed){span_hash(&v[i]), &v[i]};
	qsort(h, n, sizeof(*h), by_hash);
	return h;
}

static bool same_spans(const struct span *a, size_t n, const struct span *b,
		       size_t n_b)
{
	struct hashed *x = sort_spans(a, n), *y = sort_spans(b, n_b);
	bool same = n == n_b;

	for (size_t i = 0; i < n && same; i++)
		same = x[i].hash == y[i].hash && span_equal(x[i].s, y[i].s);
	free(x);
	free(y);
	return same;
}

/* Traces by start, siblings by type, start and id, blocks and bounds right. */
static bool in_order(const struct span *v, const struct span__seg_node *nodes,
		     size_t n)
{
	size_t *last = calloc(n + 2, sizeof(*last)); /* by depth: index + 1 */
	bool good = true;

	must(last);
	for (size_t i = 0; i < n; i++) {
		uint32_t link = nodes[i].link;
		uint32_t depth = link ? link - 1 : 0;
		const struct span *s = &v[i], *before;
		bool begins = !i || memcmp(v[i - 1].trace_id, s->trace_id, 16);

		for (size_t d = begins ? 0 : depth + 1; d <= n && last[d]; d++)
			last[d] = 0;
		before = last[depth] ? &v[last[depth] - 1] : NULL;
		if (before && nodes[i].type == nodes[last[depth] - 1].type)
			good &= before->start_ns < s->start_ns ||
				(before->start_ns == s->start_ns &&
				 memcmp(before->span_id, s->span_id, 8) <= 0);
		if (before)
			good &= nodes[last[depth] - 1].type <= nodes[i].type;
		if (depth)
			good &= last[depth - 1] &&
				!memcmp(v[last[depth - 1] - 1].span_id,
					s->parent_id, 8);
		last[depth] = i + 1;
	}
	free(last);
	return good;
}

static void round_trip(const char *what, const struct span *v, size_t n,
		       bool frames)
{
	struct span__seg_header h = build(v, n, frames);
	struct span__seg_node *nodes = calloc(n + 1, sizeof(*nodes));
	struct span *out = calloc(n + 1, sizeof(*out));
	struct span__seg *s = NULL;
	struct span_error err = {0};
	uint64_t min = n ? UINT64_MAX : 0, max = 0, end = 0;
	size_t got;

	must(nodes && out);
	for (size_t i = 0; i < n; i++) {
		min = v[i].start_ns < min ? v[i].start_ns : min;
		max = v[i].start_ns > max ? v[i].start_ns : max;
		end = span_end_ns(&v[i]) > end ? span_end_ns(&v[i]) : end;
	}
	if (!is_int(span__seg_open(&s, simdisk_io(disk), dirfd, NAME, &err), 0,
		    "%s: opened", what))
		diag("%s", err.msg);
	else {
		got = read_all(s, out, n, nodes);
		is_uint(got, n, "%s: all spans are there", what);
		ok(same_spans(v, n, out, got), "%s: as they were", what);
		ok(in_order(out, nodes, got), "%s: in order", what);
		ok(h.sum.n_spans == n && h.sum.min_start_ns == min &&
			   h.max_start_ns == max && h.sum.max_end_ns == end,
		   "%s: the header has the bounds", what);
		ok(!s->file.bad, "%s: nothing is damaged", what);
	}
	span__seg_close(&s);
	span_arena_release(&arena);
	free(nodes);
	free(out);
}

/* Spans of any content, in few traces, with few ids. */
static void test_random(uint64_t seed, size_t n, bool frames)
{
	struct span_arena mem = {0};
	struct rnd r = {seed, &mem};
	const struct span_process *p = NULL;
	struct span *v = rnd_alloc(&r, n * sizeof(*v));
	char what[40];

	for (size_t i = 0; i < n; i++) {
		if (!p || !rnd_below(&r, 20))
			p = rnd_process(&r);
		v[i] = rnd_span(&r, p);
		if (rnd_below(&r, 2)) {
			memset(v[i].trace_id, 0, 16);
			v[i].trace_id[15] = (uint8_t)rnd_below(&r, 20);
		}
		if (i && !rnd_below(&r, 10))
			v[i] = v[rnd_below(&r, i)];
	}
	snprintf(what, sizeof(what), "random %zu%s", n,
		 frames ? " frames" : "");
	round_trip(what, v, n, frames);
	span_arena_release(&mem);
}

static void put_number(uint8_t *out, uint64_t v)
{
	v = htobe64(v);
	memcpy(out, &v, 8);
}

static const struct span_process process = {.service = {"a", 1}};

static struct span plain(uint64_t id, uint64_t parent)
{
	struct span s = {.name = {"b", 1},
			 .process = &process,
			 .start_ns = 1000000 + id};

	s.trace_id[15] = 1;
	put_number(s.span_id, id);
	put_number(s.parent_id, parent);
	return s;
}

/* What one trace of MANY spans may look like, made to cost time. */
enum shape { CHAIN, STAR, CIRCLE, ONE_ID, SELVES, ORPHANS, SHARED, TRACES };
static const char *const shape_names[] = {
	"a chain",	"a star",  "a circle",	   "one id for all",
	"self-parents", "orphans", "pairs of ids", "one span a trace"};

static struct span shaped(enum shape shape, uint64_t i)
{
	struct span s;

	switch (shape) {
	case CHAIN:
		return plain(MANY - i, MANY - i - 1);
	case STAR:
		return plain(i + 1, i ? 1 : 0);
	case CIRCLE:
		return plain(i + 1, i ? i : MANY);
	case ONE_ID:
		return plain(7, 7 + i % 2);
	case SELVES:
		return plain(i + 1, i + 1);
	case ORPHANS:
		return plain(i + 1, MANY + 1 + i);
	case SHARED:
		s = plain(i / 2 + 1, i / 4 + 1);
		s.kind = i % 2 ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER;
		return s;
	default:
		s = plain(1, 0);
		put_number(s.trace_id, i * 0x9e3779b97f4a7c15);
		return s;
	}
}

static void test_shape(enum shape shape)
{
	struct span *v = calloc(MANY, sizeof(*v));

	must(v);
	for (uint64_t i = 0; i < MANY; i++)
		v[i] = shaped(shape, i);
	round_trip(shape_names[shape], v, MANY, false);
	free(v);
}

/* More types than there may be, tags, events, weights likewise. */
static void test_limits(void)
{
	enum { N = SEG_TYPES_MAX * 2 };
	struct span_arena mem = {0};
	struct rnd r = {9, &mem};
	struct span *v = rnd_alloc(&r, N * sizeof(*v));
	struct span__seg_header h;

	for (uint64_t i = 0; i < N; i++) {
		struct span_event *e = rnd_alloc(&r, 18 * sizeof(*e));
		struct span_attr *a = rnd_alloc(&r, 130 * sizeof(*a));
		char *name = rnd_alloc(&r, 40);

		v[i] = plain(i + 1, i / 2);
		v[i].name = (struct span_str){
			name, (size_t)snprintf(name, 40, "name %u",
					       (unsigned)i % (N - 50))};
		memset(e, 0, 18 * sizeof(*e));
		memset(a, 0, 130 * sizeof(*a));
		v[i].events = e;
		v[i].n_events = i % 500 ? 0 : 14 + i / 500 % 4;
		v[i].attrs.v = a;
		v[i].attrs.n = i % 501 ? 0 : 120 + i / 501 % 10;
		name = rnd_alloc(&r, 40);
		if (i % 2)
			v[i].trace_state = (struct span_str){
				name, (size_t)snprintf(name, 40, "ot=th:%x",
						       (unsigned)i % 600)};
	}
	round_trip("limits", v, N, true);
	h = build(v, N, false);
	ok(h.n_types > SEG_TYPES_MAX && h.n_types <= SEG_TYPES_MAX + 1024 + 512,
	   "there are not too many types: %u", (unsigned)h.n_types);
	ok(h.flags & SEG_FLAG_MIXED_WEIGHTS, "weights were too many");
	span_arena_release(&mem);
}

static void test_weights(void)
{
	static const struct {
		const char *state;
		double weight;
	} rows[] = {
		{"", 1},
		{"ot=th:0", 1},
		{"ot=th:8", 2},
		{"ot=th:c", 4},
		{"ot=th:fd70a3d70a3d71", 100},
		{"ot=th:ffffffffffffff", 0x1p56},
		{"a=b, ot=rv:12345678901234;th:8 ,c=d", 2},
		{"ot=th:8;rv:1", 2},
		{"ot=th:", 1},
		{"ot=th:fffffffffffffff", 1},
		{"ot=th:8g", 1},
		{"ot=th:C", 1},
		{"xot=th:8", 1},
		{"ot=xth:8", 1},
		{"ot=", 1},
		{",,;", 1},
		{"ot=rv:1,ot=th:8", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		double got = span__weight(span_str(rows[i].state));

		ok(got > rows[i].weight * 0.999999 &&
			   got < rows[i].weight * 1.000001,
		   "weight of \"%s\"", rows[i].state);
	}
}

/* Any call fails: a code, and nothing that looks like a segment. */
static void test_failures(void)
{
	struct span v[3] = {plain(1, 0), plain(2, 1), plain(3, 1)};
	uint64_t calls, size;
	bool good = true;

	(void)build(v, 3, false);
	calls = simdisk_calls(disk);
	for (uint64_t nth = 2; nth <= calls; nth++) {
		struct span__seg_header h = {.id.number = 7, .first_number = 7};
		struct span__seg_builder *b;
		int rc;

		new_disk();
		must(span__seg_builder_open(&b, SEG_CODEC_NONE, NULL) == 0);
		for (size_t i = 0; i < 3; i++)
			must(span__seg_builder_put(b, &v[i], NULL) == 0);
		simdisk_fail(disk, nth, 5);
		rc = span__seg_builder_finish(b, simdisk_io(disk), dirfd, NAME,
					      &h, &size, NULL);
		good &= rc == SPAN_E_IO || nth == calls;
		good &= span__seg_builder_put(b, &v[0], NULL) < 0;
		span__seg_builder_close(&b);
	}
	ok(good, "each of %u calls that fails is told", (unsigned)calls);
}

/* The segment of some spans of many types, in the disk's file. */
static const uint8_t *build_with(unsigned threads, size_t *len)
{
	struct span__seg_header h = {.id.number = 7, .first_number = 7};
	struct span__seg_builder *b;
	uint64_t size;

	new_disk();
	must(span__seg_builder_open(&b, span__seg_codec_best(), NULL) == 0);
	span__seg_builder_bound(b, 0, threads);
	for (uint64_t i = 0; i < 20000; i++) {
		static const char *const names[] = {"a", "b", "c", "d", "e"};
		struct span s = plain(i, i % 3 ? i - 1 : 0);
		char text[600];

		memset(text, 'a' + (int)(i * i % 23), sizeof(text));
		snprintf(text, sizeof(text), "user %u of %u",
			 (unsigned)(i * 7919 % 1000), (unsigned)(i % 300));
		text[strlen(text)] = ' ';
		s.name = span_str(names[i % 5]);
		s.status_message = (struct span_str){text, 20 + i * 31 % 580};
		s.duration_ns = i * 1000003 % 500000;
		must(span__seg_builder_put(b, &s, NULL) == 0);
	}
	must(span__seg_builder_finish(b, simdisk_io(disk), dirfd, NAME, &h,
				      &size, NULL) == 0);
	span__seg_builder_close(&b);
	return simdisk_file(disk, NAME, len);
}

static void test_threads(void)
{
	size_t len, n;
	uint8_t *one;
	const uint8_t *p = build_with(1, &len);

	one = malloc(len);
	must(one);
	memcpy(one, p, len);
	for (unsigned threads = 2; threads < 5; threads++) {
		p = build_with(threads, &n);
		ok(n == len && !memcmp(p, one, n), "%u threads write the same",
		   threads);
	}
	free(one);
}

/* What takes more memory than there may be is not written. */
static void test_bound(void)
{
	struct span__seg_header h = {.id.number = 7, .first_number = 7};
	struct span s = plain(1, 0);
	struct span__seg_builder *b;
	uint64_t size;

	for (unsigned i = 0; i < 2; i++) {
		new_disk();
		must(span__seg_builder_open(&b, SEG_CODEC_NONE, NULL) == 0);
		must(span__seg_builder_put(b, &s, NULL) == 0);
		span__seg_builder_bound(b, i ? 4096 : 64 << 20, 1);
		is_int(span__seg_builder_finish(b, simdisk_io(disk), dirfd,
						NAME, &h, &size, NULL),
		       i ? SPAN_E_LIMIT : 0, "memory: %s",
		       i ? "too little" : "enough");
		span__seg_builder_close(&b);
	}
}

int main(void)
{
	test_threads();
	test_bound();
	test_weights();
	round_trip("nothing", NULL, 0, false);
	test_random(1, 1, false);
	test_random(2, 100, false);
	test_random(3, 1500, false);
	test_random(4, 1500, true);
	test_limits();
	for (int i = CHAIN; i <= TRACES; i++)
		test_shape((enum shape)i);
	test_failures();
	simdisk_close(&disk);
	return done_testing();
}
