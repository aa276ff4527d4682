/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates of a segment: what comes out is what went in. */
#include "store/seg_agg.h"

#include "tap.h"

#define TYPES 40u
#define SECOND UINT64_C(1000000000)

static uint64_t state;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct call {
	uint64_t parent;
	uint32_t type;
	uint64_t start, duration;
};

static const struct test {
	const char *name;
	size_t n, edges;
	uint64_t first, step; /* of starts */
	bool micro, absurd;
	uint64_t minutes; /* of the buckets that are expected */
} tests[] = {
	{"many calls a minute", 50000, 30, 1020 * SECOND, SECOND / 1000, true,
	 false, 1},
	{"nanoseconds", 20000, 5, 1000 * SECOND, SECOND / 1000, false, false,
	 1},
	{"a call a second", 20000, 10, 1000000 * SECOND, SECOND, true, false,
	 1440},
	{"a call an hour", 2000, 40, 1000000 * SECOND, 3600 * SECOND, true,
	 false, 0},
	{"absurd times", 5000, 20, 0, SECOND, false, true, 0},
	{"one call", 1, 1, 7, 0, true, false, 0},
	{"none", 0, 0, 0, 0, true, false, 0},
};

static struct call *make_calls(const struct test *t)
{
	struct call *v = calloc(t->n + 1, sizeof(*v));

	for (size_t i = 0; i < t->n; i++) {
		uint64_t edge = next() % t->edges;

		v[i].parent = edge % 7 * (TYPES + 1) / 7;
		v[i].type = (uint32_t)(edge * 13 % TYPES);
		v[i].start = t->first + i * t->step + next() % SECOND;
		v[i].duration = (next() >> 40) % (1000 + i) * 1000;
		if (!t->micro)
			v[i].duration += next() % 1000;
		if (t->absurd && !(next() % 3))
			v[i].duration = v[i].start = next() >> next() % 64;
		if (t->absurd && !(next() % 50))
			v[i].duration = v[i].start = UINT64_MAX;
	}
	return v;
}

static void write_section(const struct call *v, size_t n, struct span_buf *out)
{
	struct span__agg_writer *w;
	size_t memory;

	if (span__agg_writer_open(&w, NULL) < 0)
		abort();
	for (size_t i = 0; i < n; i++)
		if (span__agg_writer_put(w, v[i].parent, v[i].type, v[i].start,
					 v[i].duration, NULL) < 0)
			abort();
	memory = span__agg_writer_memory(w);
	ok(memory <= 70 * n + 10000, "memory is linear: %zu for %zu", memory,
	   n);
	if (span__agg_writer_finish(w, n, out, NULL) < 0)
		abort();
	span__agg_writer_close(&w);
}

/* The sum over the calls that belong to E, or whether they differ from it. */
static bool entry_good(const struct span__agg_entry *e, const struct call *v,
		       size_t n, uint64_t width, uint8_t *seen)
{
	struct span_sketch want = {0};
	uint64_t sum = 0, high = 0;
	bool good;

	for (size_t i = 0; i < n; i++) {
		if (v[i].parent != e->parent || v[i].type != e->type ||
		    (width && v[i].start / width * width != e->start_ns))
			continue;
		if (seen[i]++ || span_sketch_put(&want, v[i].duration, 1, NULL))
			abort();
		high += __builtin_add_overflow(sum, v[i].duration, &sum);
	}
	good = want.count && want.count == e->calls && sum == e->sum_ns &&
	       high == e->sum_high && want.n == e->sketch->n;
	for (size_t i = 0; good && i < want.n; i++)
		good = want.v[i].bucket == e->sketch->v[i].bucket &&
		       want.v[i].count == e->sketch->v[i].count;
	span_sketch_release(&want);
	return good;
}

static void check_level(const char *name, const struct span__area *area,
			uint64_t width, const struct call *v, size_t n)
{
	uint8_t *seen = calloc(n + 1, 1);
	struct span__agg_reader r;
	struct span__agg_entry e;
	size_t n_entries = 0, n_bad = 0;
	int rc;

	span__agg_reader_init(&r, area, width, TYPES);
	while ((rc = span__agg_reader_next(&r, &e, NULL)) > 0) {
		n_bad += !entry_good(&e, v, n, width, seen);
		n_entries++;
	}
	for (size_t i = 0; i < n; i++)
		n_bad += seen[i] != 1;
	ok(!rc && !n_bad, "%s: %zu entries of %" PRIu64 " s, all right", name,
	   n_entries, width / SECOND);
	span__agg_reader_release(&r);
	free(seen);
}

static void test_round(const struct test *t)
{
	struct call *v = make_calls(t);
	struct span_buf out = {0};
	struct span__agg_info info;
	struct span__area area;

	write_section(v, t->n, &out);
	area = (struct span__area){(const uint8_t *)out.p, out.len, NULL};
	is_int(span__agg_info(&area, &info), t->n != 0, "%s: a section",
	       t->name);
	check_level(t->name, &info.whole, 0, v, t->n);
	if (t->minutes)
		check_level(t->name, &info.buckets, info.width_ns, v, t->n);
	is_uint(info.width_ns, t->minutes * 60 * SECOND, "%s: minutes",
		t->name);
	diag("%s: %" PRIu64 " and %" PRIu64 " bytes for %zu calls", t->name,
	     info.whole.len, info.buckets.len, t->n);
	ok((double)info.buckets.len <= SEG_AGG_BUDGET * (double)t->n,
	   "%s: within the budget", t->name);
	span_buf_release(&out);
	free(v);
}

/* Read all there is of bytes that may mean anything. */
static void read_any(const uint8_t *p, size_t len)
{
	struct span__area area = {p, len, NULL};
	struct span__agg_info info;
	struct span__agg_reader r;
	struct span__agg_entry e;

	if (!span__agg_info(&area, &info))
		return;
	for (int level = 0; level < 2; level++) {
		if (level && !info.width_ns)
			break;
		span__agg_reader_init(&r, level ? &info.buckets : &info.whole,
				      level ? info.width_ns : 0, TYPES);
		while (span__agg_reader_next(&r, &e, NULL) > 0)
			if (e.type >= TYPES ||
			    e.parent >= TYPES + SEG_PARENT_TYPE)
				abort();
		span__agg_reader_release(&r);
	}
}

static void test_damage(void)
{
	const struct test *t = &tests[2];
	struct call *v = make_calls(t);
	struct span_buf out = {0};

	write_section(v, t->n, &out);
	for (int i = 0; i < 2000; i++) {
		uint8_t *p = malloc(out.len);
		size_t len = next() % 2 ? out.len : next() % out.len;

		memcpy(p, out.p, out.len);
		for (uint64_t k = next() % 8; k; k--)
			p[next() % out.len] = (uint8_t)next();
		read_any(p, len);
		free(p);
	}
	ok(true, "damaged bytes do no harm");
	span_buf_release(&out);
	free(v);
}

/* One edge with one sketch of one bucket, whose count is what says. */
static const struct refused {
	const char *name, *bytes;
	size_t len;
	int rc;
} refused[] = {
	{"a call", "\x06\x01\x02\x00\x01\x00\x00", 7, 1},
	{"the most calls", "\x0b\x01\x02\x00\x01\x01\xfd\xff\xff\xff\x0f\x00",
	 12, 1},
	{"a call too many", "\x0b\x01\x02\x00\x01\x01\xfe\xff\xff\xff\x0f\x00",
	 12, SPAN_E_CORRUPT},
	{"a count that comes to nothing",
	 "\x10\x01\x02\x00\x01\x01"
	 "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00",
	 17, SPAN_E_CORRUPT},
	{"no bucket", "\x05\x01\x02\x00\x00\x00", 6, SPAN_E_CORRUPT},
	{"a type that is not there", "\x06\x01\x7e\x00\x01\x00\x00", 7,
	 SPAN_E_CORRUPT},
};

static void test_refused(void)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct refused *t = &refused[i];
		struct span__area area = {(const uint8_t *)t->bytes, t->len,
					  NULL};
		struct span__agg_info info;
		struct span__agg_reader r;
		struct span__agg_entry e;
		int rc = SPAN_E_CORRUPT;

		if (span__agg_info(&area, &info)) {
			span__agg_reader_init(&r, &info.whole, 0, TYPES);
			rc = span__agg_reader_next(&r, &e, NULL);
			span__agg_reader_release(&r);
		}
		ok(rc == t->rc, "%s: %d", t->name, rc);
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		state = i;
		test_round(&tests[i]);
	}
	test_damage();
	test_refused();
	return done_testing();
}
