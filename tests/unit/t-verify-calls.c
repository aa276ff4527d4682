/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregates that say what is not true: verify finds each of them. */
#include "lying-segment.h"
#include "store/seg_agg.h"

#include "base/banned.h"

/* ---- aggregates that were made of other calls ---- */

struct call {
	uint64_t parent, start_ns, duration_ns;
	uint32_t type;
};

static void read_trace(struct span__calls_file *f, uint64_t trace,
		       struct span__call_trace *t, struct span_buf *out)
{
	must(span__calls_file_trace(f, trace, t, &err) == 0 &&
	     span__call_trace_link(t, &err) == 0);
	for (size_t i = 0; i < t->n; i++) {
		struct call c = {SEG_PARENT_NONE, t->calls[i].start_ns,
				 t->calls[i].duration_ns, t->calls[i].type};

		if (t->parent[i] != SPAN_TRACE_NONE)
			c.parent =
				SEG_PARENT_TYPE + t->calls[t->parent[i]].type;
		else if (t->flags[i] & SPAN_TRACE_ORPHAN)
			c.parent = SEG_PARENT_ABSENT;
		span_buf_put(out, &c, sizeof(c));
	}
}

static struct span_buf read_calls(int which)
{
	struct span__seg *s = open_seg(which);
	struct span__call_names n;
	struct span__calls_file f = {0};
	struct span__call_trace t = {0};
	struct span_buf out = {0};

	must(span__call_names_init(&n, &err) == 0 &&
	     span__calls_seg_open(&f.seg, s, &n, &err) == 0);
	for (uint64_t i = 0; i < span__calls_file_traces(&f); i++)
		read_trace(&f, i, &t, &out);
	must(!out.failed);
	span__call_trace_release(&t);
	span__calls_seg_close(&f.seg);
	span__call_names_release(&n);
	span__seg_close(&s);
	return out;
}

static void write_calls(int which, const struct call *v, size_t n)
{
	struct span__agg_writer *w;
	struct span_buf out = {0};

	must(span__agg_writer_open(&w, &err) == 0);
	for (size_t i = 0; i < n; i++)
		must(span__agg_writer_put(w, v[i].parent, v[i].type,
					  v[i].start_ns, v[i].duration_ns,
					  &err) == 0);
	must(span__agg_writer_finish(w, n, &out, &err) == 0);
	rewrite(which, SEG_AGGREGATES, out.p, out.len);
	span_buf_release(&out);
	span__agg_writer_close(&w);
}

/* Each changes calls that are by a type, of different durations. */
static void none(struct call *a, struct call *b)
{
	(void)a;
	(void)b;
}

static void other_parent(struct call *a, struct call *b)
{
	(void)b;
	a->parent = SEG_PARENT_ABSENT;
}

static void other_minute(struct call *a, struct call *b)
{
	(void)b;
	a->start_ns +=
		a->start_ns < BASE + LENGTH / 2 ? 60 * SECOND : -60 * SECOND;
}

static void other_sum(struct call *a, struct call *b)
{
	(void)b;
	a->duration_ns += 1000;
	must(span_sketch_bucket(a->duration_ns) ==
	     span_sketch_bucket(a->duration_ns - 1000));
}

/* B is of the same edge and minute. */
static void other_sketch(struct call *a, struct call *b)
{
	uint64_t more = a->duration_ns / 2 / 1000 * 1000;

	a->duration_ns -= more;
	b->duration_ns += more;
}

static void unknown_edge(struct call *a, struct call *b)
{
	(void)b;
	a->parent = SEG_PARENT_TYPE + a->type;
}

static const struct {
	const char *name;
	void (*change)(struct call *a, struct call *b);
	const char *says;
} lies[] = {
	{"nothing", none, ""},
	{"the parent of a call", other_parent, " are there"},
	{"the minute of a call", other_minute, " on: "},
	{"a sum", other_sum, ": the sum of their durations is wrong"},
	{"a sketch", other_sketch, ": the sketch of their durations is wrong"},
	{"an edge that is not there", unknown_edge, " are there"},
};

static bool alike(const struct call *a, const struct call *b)
{
	return a != b && a->parent == b->parent && a->type == b->type &&
	       a->start_ns / (60 * SECOND) == b->start_ns / (60 * SECOND);
}

static void test_lies(void)
{
	struct span_buf as_it_is = section(0, SEG_AGGREGATES);
	struct span_buf calls = read_calls(0);
	size_t n = calls.len / sizeof(struct call);
	struct call *v = malloc(calls.len);
	struct said said;

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct call *a = v, *b = v;

		memcpy(v, calls.p, calls.len);
		while (a->parent < SEG_PARENT_TYPE ||
		       a->duration_ns != 12000000)
			a++;
		while (!alike(a, b))
			b++;
		lies[i].change(a, b);
		write_calls(0, v, n);
		said = verify(0);
		ok(lies[i].change == none
			   ? !said.n
			   : said.n && strstr(said.first, lies[i].says) &&
				     !strncmp(said.first, "calls of type ", 14),
		   "aggregates that differ in %s: %s", lies[i].name,
		   said.first);
	}
	write_calls(0, (const struct call *)(void *)calls.p, n - 1);
	said = verify(0);
	ok(said.n && strstr(said.first, " are there"), "a call less: %s",
	   said.first);
	said = verify_store();
	ok(!strncmp(said.first, "00000001.seg: calls of type ", 28),
	   "a call less, in the store: %s", said.first);
	rewrite(0, SEG_AGGREGATES, as_it_is.p, as_it_is.len);
	span_buf_release(&as_it_is);
	span_buf_release(&calls);
	free(v);
}

/* ---- any byte ---- */

/* All that a section says, as numbers. */
static struct span_buf read_aggregates(const struct span_buf *bytes, size_t n)
{
	struct span__area area = {(const uint8_t *)bytes->p, bytes->len, NULL};
	struct span__agg_info info;
	struct span_buf out = {0};

	if (!span__agg_info(&area, &info))
		span_buf_puts(&out, "bad");
	for (int level = 0; level < 2; level++) {
		struct span__agg_reader r;
		struct span__agg_entry e;
		int rc;

		if (level && !info.width_ns)
			break;
		span__agg_reader_init(&r, level ? &info.buckets : &info.whole,
				      level ? info.width_ns : 0, n);
		while ((rc = span__agg_reader_next(&r, &e, NULL)) > 0) {
			span_buf_printf(&out, "%d %u %u %llu %llu %llu:", level,
					(unsigned)e.parent, e.type,
					(unsigned long long)e.start_ns,
					(unsigned long long)e.sum_ns,
					(unsigned long long)e.sum_high);
			for (size_t i = 0; i < e.sketch->n; i++)
				span_buf_printf(
					&out, " %u=%llu", e.sketch->v[i].bucket,
					(unsigned long long)e.sketch->v[i]
						.count);
		}
		span__agg_reader_release(&r);
		if (rc < 0)
			span_buf_puts(&out, "bad");
	}
	span_buf_putc(&out, 0);
	return out;
}

/* It says that no trace has two spans with one id. */
static void test_ids(void)
{
	struct span_buf as_it_is = section(0, SEG_SPAN_IDS), other = {0};
	struct span__seg *s = open_seg(0);
	uint64_t ids[TRACES * 5];
	struct said said;

	must(span__seg_load(s, &err) == 0);
	ok(s->file.header.flags & SEG_FLAG_DISTINCT_IDS,
	   "no trace has an id twice");
	span__ints_range(&s->span_ids, 0, TRACES * 5, ids);
	span__seg_close(&s);
	ids[11] = ids[13];
	span__ints_put(&other, ids, TRACES * 5);
	rewrite(0, SEG_SPAN_IDS, other.p, other.len);
	said = verify(0);
	ok(said.n && !strcmp(said.first, "trace 2 has two spans with one id"),
	   "an id that is there twice: %s", said.first);
	rewrite(0, SEG_SPAN_IDS, as_it_is.p, as_it_is.len);
	said = verify(0);
	is_uint(said.n, 0, "as it was");
	span_buf_release(&as_it_is);
	span_buf_release(&other);
}

static void test_aggregate_bytes(void)
{
	struct span_buf as_it_is = section(0, SEG_AGGREGATES), want;
	struct span__seg *s = open_seg(0);
	size_t n_types, unseen = 0, changed = 0;

	must(span__seg_load(s, &err) == 0);
	n_types = s->types.n;
	span__seg_close(&s);
	want = read_aggregates(&as_it_is, n_types);
	for (size_t i = 0; i < 2 * as_it_is.len; i++) {
		struct span_buf got;
		char *at = &as_it_is.p[i / 2], old = *at;

		*at = (char)(i % 2 ? *at ^ 1 << i % 7 : *at + 1);
		got = read_aggregates(&as_it_is, n_types);
		rewrite(0, SEG_AGGREGATES, as_it_is.p, as_it_is.len);
		if (strcmp(got.p, want.p) != 0) {
			changed++;
			if (!verify(0).n && unseen++ < 5)
				diag("byte %zu: %02x for %02x is not seen",
				     i / 2, *at & 0xff, old & 0xff);
		}
		*at = old;
		span_buf_release(&got);
	}
	rewrite(0, SEG_AGGREGATES, as_it_is.p, as_it_is.len);
	ok(changed > as_it_is.len && !unseen && !verify(0).n,
	   "any byte of the aggregates: %zu changes are seen, %zu are not",
	   changed - unseen, unseen);
	span_buf_release(&as_it_is);
	span_buf_release(&want);
}

int main(void)
{
	make();
	ok(!verify(0).n && !verify(1).n && !verify_store().n,
	   "both segments are sound");
	test_lies();
	test_ids();
	test_aggregate_bytes();
	simdisk_close(&disk);
	return done_testing();
}
