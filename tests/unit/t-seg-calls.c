/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The aggregates of a segment say what counting its spans one by one says, the
 * trees taken from where every other program takes them.
 */
#include <fcntl.h>

#include <span/trace.h>

#include "seg-spans.h"
#include "simdisk.h"
#include "store/seg_agg.h"
#include "store/seg_build.h"
#include "store/seg_read.h"
#include "tap.h"

#include "base/banned.h"

#define NAME "00000007.seg"
#define KEY 200

static struct simdisk *disk;
static int dirfd = -1;

/* Calls between two kinds of spans, as text, and what they sum up to. */
struct call {
	char key[KEY];
	uint64_t calls, sum_ns, sum_high;
};

struct calls {
	struct call *v;
	size_t n, cap;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static void add(struct calls *c, const char *parent, const char *child,
		uint64_t calls, uint64_t sum_ns, uint64_t sum_high)
{
	char key[KEY];
	size_t i;

	snprintf(key, sizeof(key), "%s -> %s", parent, child);
	for (i = 0; i < c->n && strcmp(c->v[i].key, key) != 0; i++)
		;
	if (i == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 64;
		c->v = realloc(c->v, c->cap * sizeof(*c->v));
		must(c->v);
	}
	if (i == c->n) {
		memset(&c->v[i], 0, sizeof(c->v[i]));
		memcpy(c->v[c->n++].key, key, KEY);
	}
	c->v[i].calls += calls;
	c->v[i].sum_high += sum_high + (c->v[i].sum_ns + sum_ns < sum_ns);
	c->v[i].sum_ns += sum_ns;
}

static void describe(char out[80], struct span_str service,
		     struct span_str name, unsigned kind, bool error)
{
	snprintf(out, 80, "%.*s/%.*s/%u/%d", (int)service.len, service.p,
		 (int)name.len, name.p, kind, error);
}

static void describe_span(char out[80], const struct span *s)
{
	describe(out, s->process->service, s->name, s->kind, span_is_error(s));
}

/*
 * The spans of one trace. Flags are numbers, so that duplicates are told
 * apart.
 */
static void count_trace(struct calls *c, const struct span *const *v, size_t n)
{
	struct span_trace_builder b = {0};
	struct span_trace t;

	for (size_t i = 0; i < n; i++) {
		struct span s = *v[i];

		s.flags = (uint32_t)i;
		must(span_trace_builder_put(&b, &s, NULL) == 0);
	}
	must(span_trace_builder_build(&b, &t, NULL) == 0 && t.n == n);
	for (size_t i = 0; i < n; i++) {
		char child[80], parent[80] = "none";

		describe_span(child, &t.spans[i]);
		if (t.nodes[i].parent != SPAN_TRACE_NONE)
			describe_span(parent, &t.spans[t.nodes[i].parent]);
		else if (t.nodes[i].flags & SPAN_TRACE_ORPHAN)
			memcpy(parent, "absent", sizeof("absent"));
		add(c, parent, child, 1, t.spans[i].duration_ns, 0);
	}
	span_trace_builder_release(&b);
}

static struct calls count(const struct span *v, size_t n)
{
	const struct span **trace = calloc(n + 1, sizeof(*trace));
	bool *done = calloc(n + 1, sizeof(*done));
	struct calls c = {0};

	must(trace && done);
	for (size_t i = 0; i < n; i++) {
		size_t len = 0;

		for (size_t k = i; k < n && !done[i]; k++)
			if (!done[k] &&
			    !memcmp(v[i].trace_id, v[k].trace_id, 16)) {
				trace[len++] = &v[k];
				done[k] = k != i;
			}
		if (len)
			count_trace(&c, trace, len);
	}
	free(trace);
	free(done);
	return c;
}

static void describe_type(struct span__seg *s, uint64_t i, char out[80])
{
	const struct span__seg_type_reader *t = span__seg_type(s, i);

	must(t && !t->bad && !t->type.loose);
	describe(out, span__strings_get(&s->strings, t->type.service),
		 span__strings_get(&s->strings, t->type.name), t->type.kind,
		 t->type.error);
}

/* All entries of AREA, in buckets of WIDTH_NS (0: the whole segment). */
static struct calls read_calls(struct span__seg *s,
			       const struct span__area *area, uint64_t width_ns)
{
	struct span__agg_reader r;
	struct span__agg_entry e;
	struct calls c = {0};

	span__agg_reader_init(&r, area, width_ns, s->file.header.n_types);
	while (span__agg_reader_next(&r, &e, NULL) > 0) {
		char child[80], parent[80] = "none";

		describe_type(s, e.type, child);
		if (e.parent == SEG_PARENT_ABSENT)
			memcpy(parent, "absent", sizeof("absent"));
		else if (e.parent != SEG_PARENT_NONE)
			describe_type(s, e.parent - SEG_PARENT_TYPE, parent);
		add(&c, parent, child, e.calls, e.sum_ns, e.sum_high);
	}
	span__agg_reader_release(&r);
	return c;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct call *)a)->key,
		      ((const struct call *)b)->key);
}

static bool same(struct calls *a, struct calls *b)
{
	bool good = a->n == b->n;

	qsort(a->v, a->n, sizeof(*a->v), by_key);
	qsort(b->v, b->n, sizeof(*b->v), by_key);
	for (size_t i = 0; i < a->n && i < b->n && good; i++) {
		good = !strcmp(a->v[i].key, b->v[i].key) &&
		       a->v[i].calls == b->v[i].calls &&
		       a->v[i].sum_ns == b->v[i].sum_ns &&
		       a->v[i].sum_high == b->v[i].sum_high;
		if (!good)
			diag("%s: %" PRIu64 ", want %s: %" PRIu64, a->v[i].key,
			     a->v[i].calls, b->v[i].key, b->v[i].calls);
	}
	return good;
}

static void build(const struct span *v, size_t n)
{
	struct span__seg_header h = {.id.number = 7, .first_number = 7};
	struct span__seg_builder *b;
	const struct span__io *io;
	uint64_t size;

	simdisk_close(&disk);
	disk = simdisk_open();
	simdisk_put(disk, "LOCK", "", 0);
	io = simdisk_io(disk);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	must(span__seg_builder_open(&b, SEG_CODEC_NONE, NULL) == 0);
	for (size_t i = 0; i < n; i++)
		must(span__seg_builder_put(b, &v[i], NULL) == 0);
	must(span__seg_builder_finish(b, io, dirfd, NAME, &h, &size, NULL) ==
	     0);
	span__seg_builder_close(&b);
}

/* N spans in traces of about EACH; one in SHARE has another's id. */
static void test(uint64_t seed, size_t n, size_t each, unsigned share)
{
	struct span_arena arena = {0};
	struct rnd r = {seed, &arena};
	struct span *v = rnd_spans(&r, n, each, 0);
	struct span__seg *s = NULL;
	struct span__agg_info info;
	struct span__area area;
	struct calls want, got;

	for (size_t i = 0; share && i < n; i++) {
		const struct span *o = &v[rnd_below(&r, n)];

		if (!rnd_below(&r, share))
			memcpy(v[i].span_id, o->span_id, 8);
		if (!rnd_below(&r, share))
			memcpy(v[i].parent_id, o->span_id, 8);
		if (!rnd_below(&r, share))
			memcpy(v[i].trace_id, o->trace_id, 16);
	}
	build(v, n);
	must(span__seg_open(&s, simdisk_io(disk), dirfd, NAME, NULL) == 0 &&
	     span__seg_load(s, NULL) == 0);
	want = count(v, n);
	area = span__seg_area(&s->file, SEG_AGGREGATES);
	must(span__agg_info(&area, &info));
	got = read_calls(s, &info.whole, 0);
	ok(want.n > 5 && same(&got, &want),
	   "%zu spans in traces of %zu, one in %u twisted: %zu edges", n, each,
	   share, want.n);
	free(got.v);
	if (info.width_ns) {
		got = read_calls(s, &info.buckets, info.width_ns);
		ok(same(&got, &want), "the same in buckets");
		free(got.v);
	}
	free(want.v);
	span__seg_close(&s);
	span_arena_release(&arena);
}

int main(void)
{
	test(1, 300, 10, 0);
	test(2, 2000, 12, 0);
	test(3, 1000, 400, 0);
	for (uint64_t seed = 10; seed < 20; seed++)
		test(seed, 200, 20, 4);
	test(4, 1500, 100, 3);
	test(5, 1500, 3, 10);
	simdisk_close(&disk);
	return done_testing();
}
