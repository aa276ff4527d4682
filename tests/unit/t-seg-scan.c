/* SPDX-License-Identifier: Apache-2.0 */
/* Scans of a segment, against asking every span. */
#include <fcntl.h>

#include "scan-model.h"
#include "seg-spans.h"
#include "simdisk.h"
#include "store/seg_build.h"
#include "store/seg_scan.h"
#include "tap.h"

#define NAME "00000007.seg"
#define SPANS 3000u
#define MANY 40000u /* spans of several blocks */

static struct span_arena arena;
static struct rnd rnd = {1, &arena};
static struct simdisk *disk;
static struct span *spans;
static size_t n_spans;

static void must(bool good)
{
	if (!good)
		abort();
}

static struct span__seg *make_segment(size_t n, size_t each, unsigned wild)
{
	struct span__seg_header h = {.id = {{1, 2, 3}, 7}, .first_number = 7};
	struct span__seg_builder *b;
	struct span__seg *s = NULL;
	struct span_error err = {0};
	const struct span__io *io;
	uint64_t size;
	int dirfd;

	span_arena_reset(&arena);
	spans = rnd_spans(&rnd, n, each, wild);
	n_spans = n;
	if (disk)
		simdisk_close(&disk);
	disk = simdisk_open();
	simdisk_put(disk, "LOCK", "", 0);
	io = simdisk_io(disk);
	dirfd = io->open(io->self, AT_FDCWD, "store", O_RDONLY, 0);
	must(dirfd >= 0);
	must(span__seg_builder_open(&b, SEG_CODEC_NONE, &err) == 0);
	for (size_t i = 0; i < n; i++)
		must(span__seg_builder_put(b, &spans[i], &err) == 0);
	must(span__seg_builder_finish(b, io, dirfd, NAME, &h, &size, &err) ==
	     0);
	span__seg_builder_close(&b);
	must(span__seg_open(&s, io, dirfd, NAME, &err) == 0);
	io->close(io->self, dirfd);
	return s;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What tells a span from others: all of it, or what every scan gives. */
static uint64_t hash(const struct span *s, bool head)
{
	struct span h;

	if (!head)
		return span_hash(s);
	h = *s;
	h.status_message = h.trace_state = (struct span_str){0};
	h.attrs = (struct span_attrs){0};
	h.events = NULL;
	h.refs = NULL;
	h.n_events = h.n_refs = 0;
	h.dropped_events = h.dropped_refs = 0;
	return span_hash(&h);
}

struct hashes {
	uint64_t v[2 * MANY];
	size_t n;
};

static void expect(struct hashes *h, const struct span__scan *scan)
{
	bool head = scan->range && scan->range->head_only;

	h->n = 0;
	for (size_t i = 0; i < n_spans; i++) {
		bool in = !scan->range || model_in(scan->range, &spans[i]);

		for (size_t k = 0; k < scan->n_ids && in; k++) {
			in = !memcmp(spans[i].trace_id, scan->ids[k], 16);
			if (in)
				break;
			in = k + 1 < scan->n_ids;
		}
		if (in)
			h->v[h->n++] = hash(&spans[i], head);
	}
	qsort(h->v, h->n, sizeof(*h->v), by_number);
}

static bool find(struct hashes *h, struct span__seg *s,
		 const struct span__filter *filter)
{
	const struct span_range *r = filter->scan.range;
	struct span__seg_scan *c;
	struct span_error err = {0};
	struct span span;
	int rc = span__seg_scan_open(&c, s, filter, &err);

	h->n = 0;
	while (rc >= 0 && (rc = span__seg_scan_next(c, &span, &err)) > 0 &&
	       h->n < 2 * MANY)
		h->v[h->n++] = hash(&span, r && r->head_only);
	span__seg_scan_close(&c);
	qsort(h->v, h->n, sizeof(*h->v), by_number);
	if (rc < 0)
		diag("%s", err.msg);
	return rc == 0;
}

static bool count(uint64_t *n, struct span__seg *s,
		  const struct span__filter *filter)
{
	struct span__seg_scan *c;
	struct span_error err = {0};
	int rc = span__seg_scan_open(&c, s, filter, &err);

	*n = 0;
	if (!rc)
		rc = span__seg_scan_count(c, n, &err);
	span__seg_scan_close(&c);
	if (rc < 0)
		diag("%s", err.msg);
	return rc == 0;
}

/* Both ways: how many are found, or -1. */
static int judge(struct span__seg *s, const struct span__scan *scan)
{
	static struct hashes got, want;
	struct span__filter filter;
	uint64_t n;

	span__filter_init(&filter, scan);
	expect(&want, scan);
	if (!find(&got, s, &filter) || !count(&n, s, &filter))
		return -1;
	if (got.n != want.n || n != want.n ||
	    memcmp(got.v, want.v, want.n * sizeof(*want.v)) || s->file.bad) {
		diag("%zu found, %zu counted, of %zu%s", got.n, (size_t)n,
		     want.n, s->file.bad ? ", damaged" : "");
		return -1;
	}
	return (int)want.n;
}

static void show(const struct span_range *r)
{
	diag("services %zu operations %zu functions %d %d times %d %d "
	     "durations %d %d error %d head %d",
	     r->n_services, r->n_operations, r->service_fn != NULL,
	     r->operation_fn != NULL, r->since_ns != 0, r->until_ns != 0,
	     r->min_duration_ns != 0, r->max_duration_ns != 0, r->error,
	     r->head_only);
	for (size_t i = 0; i < r->n_tags; i++)
		diag("tag %.*s=%.*s", (int)r->tags[i].key.len, r->tags[i].key.p,
		     (int)r->tags[i].value.len, r->tags[i].value.p);
}

static void test_random(const char *name, size_t n, size_t each, unsigned wild,
			unsigned scans)
{
	struct span__seg *s = make_segment(n, each, wild);
	int bad = 0, some = 0;

	for (size_t i = 0; i < scans && !bad; i++) {
		struct scan_model m;
		const struct span__scan scan = {.range = &m.range};
		int found;

		model_rnd(&m, &rnd, &spans[rnd_below(&rnd, n_spans)]);
		m.range.head_only = rnd_below(&rnd, 2);
		found = judge(s, &scan);
		bad += found < 0;
		some += found > 0;
		if (found < 0)
			show(&m.range);
	}
	is_int(bad, 0, "%s: random scans find what there is", name);
	ok(some > (int)scans / 10, "%s: %d of %u find something", name, some,
	   scans);
	span__seg_close(&s);
}

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void test_ids(void)
{
	static uint8_t ids[40][16];
	struct span__seg *s = make_segment(SPANS, 14, 20);
	int bad = 0;

	for (size_t i = 0; i < 200; i++) {
		struct span__scan scan = {.ids = (const uint8_t(*)[16])ids};
		size_t n = 1 + rnd_below(&rnd, i % 2 ? 40 : 3);

		for (size_t k = 0; k < n; k++) {
			memcpy(ids[k], spans[rnd_below(&rnd, n_spans)].trace_id,
			       16);
			ids[k][0] ^= rnd_below(&rnd, 5) == 0;
		}
		qsort(ids, n, 16, by_id);
		for (size_t k = 0; k < n; k++) {
			if (!k || memcmp(ids[scan.n_ids - 1], ids[k], 16))
				memmove(ids[scan.n_ids++], ids[k], 16);
		}
		bad += judge(s, &scan) < 0;
	}
	is_int(bad, 0, "the spans of traces");
	span__seg_close(&s);
}

int main(void)
{
	test_random("small traces", SPANS, 5, 0, 300);
	test_random("wild spans", SPANS, 14, 3, 300);
	test_random("a large trace", SPANS, 1500, 10, 300);
	test_random("several blocks", MANY, 14, 100, 30);
	test_ids();
	simdisk_close(&disk);
	span_arena_release(&arena);
	return done_testing();
}
