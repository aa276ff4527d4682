/* SPDX-License-Identifier: Apache-2.0 */
#include <span/stats.h>

#include <math.h>

#include "tap.h"

static const uint64_t bounds[] = {10, 100};

static const struct span_process process = {.service = {"cart", 4}};

static struct span make(uint64_t start_ns, uint64_t duration_ns, bool error,
			const char *trace_state)
{
	return (struct span){
		.process = &process,
		.name = SPAN_STR("get"),
		.start_ns = start_ns,
		.duration_ns = duration_ns,
		.status = error ? SPAN_STATUS_ERROR : SPAN_STATUS_UNSET,
		.trace_state = span_str(trace_state),
	};
}

static int put(struct span_stats *st, const char *label, const struct span *s)
{
	struct span_str labels = span_str(label);

	return span_stats_put(st, &labels, s, NULL);
}

static void test_counts(void)
{
	struct span_stats_opts o = {
		.n_labels = 1, .bounds = bounds, .n_bounds = 2};
	struct span a = make(5, 10, false, NULL), b = make(6, 11, true, NULL);
	struct span c = make(7, 1000, false, NULL);
	struct span_stats *st = NULL;
	const struct span_stats_row *r;
	const uint64_t *h;

	ok(!span_stats_open(&st, &o, NULL) && !put(st, "x", &a) &&
		   !put(st, "x", &b) && !put(st, "x", &c) && !put(st, "", &a) &&
		   !span_stats_sort(st, NULL),
	   "spans are put");
	is_int(span_stats_rows(st), 2, "a row for each label");
	is_int(span_stats_label(st, 0, 0).len, 0, "sorted by it");
	r = span_stats_row(st, 1);
	is_int(r->calls, 3 * SPAN_STATS_ONE, "calls");
	is_int(r->errors, SPAN_STATS_ONE, "errors");
	is_int(span_stats_mean_ns(r), 340, "mean");
	ok(r->min_ns == 10 && r->max_ns == 1000, "least and greatest");
	h = span_stats_histogram(st, 1);
	ok(h[0] == SPAN_STATS_ONE && h[1] == SPAN_STATS_ONE &&
		   h[2] == SPAN_STATS_ONE,
	   "a bound belongs to its bucket");
	span_stats_close(&st);
}

static void test_times(void)
{
	struct span_stats_opts o = {
		.n_labels = 1, .since_ns = 7, .width_ns = 10};
	static const uint64_t starts[] = {7, 16, 17, 39};
	struct span_stats *st = NULL;
	bool good = !span_stats_open(&st, &o, NULL);

	for (size_t i = 0; i < 4 && good; i++) {
		struct span s = make(starts[i], 1, false, NULL);

		good = !put(st, "x", &s);
	}
	good = good && !span_stats_sort(st, NULL) && span_stats_rows(st) == 3 &&
	       span_stats_row(st, 0)->start_ns == 7 &&
	       span_stats_row(st, 0)->spans == 2 &&
	       span_stats_row(st, 1)->start_ns == 17 &&
	       span_stats_row(st, 2)->start_ns == 37;
	ok(good, "buckets of time begin where they should");
	span_stats_close(&st);
}

/* Kept with a probability of 1/4, and of about 0.3. */
static void test_weights(void)
{
	struct span_stats_opts o = {.n_labels = 1};
	struct span a = make(0, 100, true, "ot=th:c");
	struct span b = make(0, 200, false, "x=y,ot=rv:1;th:b333333333333");
	struct span_stats *st = NULL;
	const struct span_stats_row *r;

	ok(!span_stats_open(&st, &o, NULL) && !put(st, "x", &a) &&
		   !put(st, "x", &b) && !span_stats_sort(st, NULL),
	   "spans with weights");
	r = span_stats_row(st, 0);
	is_int(r->errors, 4 * SPAN_STATS_ONE, "an error stands for 4");
	is_int(r->calls, 4 * SPAN_STATS_ONE + 218453, "and 3.3333 more");
	is_int(span_stats_mean_ns(r), 145, "the mean is weighted");
	is_int(r->spans, 2, "two were put");
	span_stats_close(&st);
	o.unweighted = true;
	ok(!span_stats_open(&st, &o, NULL) && !put(st, "x", &a) &&
		   !span_stats_sort(st, NULL) &&
		   span_stats_row(st, 0)->calls == SPAN_STATS_ONE,
	   "unless that is not wanted");
	span_stats_close(&st);
}

/* 1 us to 1 s in even steps, or in steps that grow from 1 us to 1000 s. */
static uint64_t even(uint64_t i, uint64_t n)
{
	return 1000 + (uint64_t)((double)i / (double)n * 1e9);
}

static uint64_t growing(uint64_t i, uint64_t n)
{
	return (uint64_t)(1e3 * pow(1e9, (double)i / (double)n));
}

/*
 * N values, of which the I-th greatest is known, in another order: 7919 has no
 * divisor with N in common.
 */
static void test_bound(const char *name, uint64_t (*value)(uint64_t, uint64_t),
		       uint64_t n)
{
	struct span_stats_opts o = {0};
	uint64_t worst = 0;
	struct span_stats *st = NULL;
	bool good = !span_stats_open(&st, &o, NULL);

	for (uint64_t i = 0; i < n && good; i++) {
		struct span s = make(0, value(i * 7919 % n, n), false, NULL);

		good = !span_stats_put(st, NULL, &s, NULL);
	}
	good = good && !span_stats_sort(st, NULL);
	for (unsigned i = 1; i < 1000 && good; i++) {
		const struct span_stats_row *r = span_stats_row(st, 0);
		uint64_t exact = value(i * (n / 1000) - 1, n);
		uint64_t got = span_sketch_quantile(&r->durations, i / 1000.0);
		uint64_t off = got > exact ? got - exact : exact - got;

		worst += off * 64 > exact;
	}
	ok(good && !worst,
	   "999 quantiles of %" PRIu64 " %s values are within "
	   "1/64",
	   n, name);
	span_stats_close(&st);
}

/* Each label is new: what is above the limit is counted, and left out. */
static void test_limit(void)
{
	struct span_stats_opts o = {.n_labels = 1};
	struct span s = make(0, 1, false, NULL);
	struct span_stats *st = NULL;
	bool good = !span_stats_open(&st, &o, NULL);

	for (unsigned i = 0; i < SPAN_STATS_ROWS + 1000 && good; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u", i);
		good = !put(st, text, &s);
	}
	good = good && !put(st, "0", &s);
	ok(good, "more labels than there is room for");
	is_int(span_stats_left_out(st), 1000, "some are left out");
	is_int(span_stats_spans(st), SPAN_STATS_ROWS + 1, "the others count");
	span_stats_close(&st);
}

static void test_calls(void)
{
	struct span_stats_opts o = {.n_labels = 1};
	struct span_sketch sketch = {0};
	struct span_store_calls c = {
		.calls = 3, .sum_low = 60, .weight = 2, .sketch = &sketch};
	struct span_str label = SPAN_STR("x");
	struct span_stats *st = NULL;
	const struct span_stats_row *r;

	ok(!span_sketch_put(&sketch, 20, 3, NULL) &&
		   !span_stats_open(&st, &o, NULL) &&
		   !span_stats_put_calls(st, &label, &c, NULL) &&
		   !span_stats_sort(st, NULL),
	   "calls of a store are put");
	r = span_stats_row(st, 0);
	ok(r->calls == 6 * SPAN_STATS_ONE && !r->errors && r->spans == 3 &&
		   span_stats_mean_ns(r) == 20 &&
		   r->durations.count == r->calls,
	   "as many as they stand for");
	c.sum_high = 1;
	ok(!span_stats_put_calls(st, &label, &c, NULL) &&
		   !span_stats_sort(st, NULL),
	   "more of them, whose sum takes more than 64 bits");
	r = span_stats_row(st, 0);
	ok(r->sum_high == 2 * SPAN_STATS_ONE &&
		   r->sum_low == 240 * SPAN_STATS_ONE &&
		   span_stats_mean_ns(r) == UINT64_C(3074457345618258622),
	   "and is exact");
	c.sum_high = c.sum_low = UINT64_MAX;
	ok(!span_stats_put_calls(st, &label, &c, NULL) &&
		   !span_stats_sort(st, NULL) &&
		   span_stats_row(st, 0)->sum_high == UINT64_MAX &&
		   span_stats_row(st, 0)->sum_low == UINT64_MAX,
	   "and stays at its limit");
	span_stats_close(&st);
	span_sketch_release(&sketch);
}

static bool open_with_bounds(struct span_stats **st)
{
	struct span_stats_opts o = {
		.n_labels = 1, .bounds = bounds, .n_bounds = 2};

	return !span_stats_open(st, &o, NULL);
}

/* Names are told of what is whole, and not of what is torn. */
static void test_names(const struct span_buf *bytes)
{
	struct span_str names = {0};
	bool good = true;

	ok(!span_stats_names(bytes->p, bytes->len, &names, NULL) &&
		   span_str_equal(names, SPAN_STR("names")),
	   "the names of a partial result are told");
	for (size_t i = 0; i < bytes->len && good; i++)
		good = span_stats_names(bytes->p, i, &names, NULL) < 0;
	ok(good, "but not those of a part of it");
}

static int merge(struct span_stats *st, const void *p, size_t len)
{
	size_t used;

	return span_stats_merge(st, SPAN_STR("names"), p, len, &used, NULL);
}

/* Each cut is refused and adds nothing; so is each byte that is changed. */
static void test_partial(void)
{
	struct span a = make(5, 10, false, NULL), b = make(6, 11, true, NULL);
	struct span_stats *st = NULL, *to = NULL;
	struct span_buf bytes = {0};
	bool good = open_with_bounds(&st) && open_with_bounds(&to) &&
		    !put(st, "x", &a) && !put(st, "y", &b) &&
		    !put(st, "y", &a) &&
		    !span_stats_save(st, SPAN_STR("names"), &bytes, NULL);

	test_names(&bytes);
	for (size_t i = 0; i < bytes.len && good; i++) {
		char *part = malloc(i + 1);

		memcpy(part, bytes.p, i);
		good = merge(to, part, i) < 0;
		free(part);
		bytes.p[i] ^= 0x41;
		good = good && merge(to, bytes.p, bytes.len) < 0;
		bytes.p[i] ^= 0x41;
	}
	ok(good && !span_stats_spans(to) && !span_stats_rows(to),
	   "what is damaged is refused as a whole");
	ok(!merge(to, bytes.p, bytes.len) && !merge(to, bytes.p, bytes.len) &&
		   !span_stats_sort(to, NULL) && span_stats_rows(to) == 2 &&
		   span_stats_row(to, 1)->calls == 4 * SPAN_STATS_ONE &&
		   span_stats_row(to, 1)->errors == 2 * SPAN_STATS_ONE &&
		   span_stats_row(to, 1)->min_ns == 10 &&
		   span_stats_histogram(to, 1)[1] == 2 * SPAN_STATS_ONE,
	   "what is whole is added, twice if need be");
	span_buf_release(&bytes);
	span_stats_close(&st);
	span_stats_close(&to);
}

/* With an argument: so many values, in thousands. */
int main(int argc, char **argv)
{
	uint64_t n = 1000 * (argc > 1 ? strtoull(argv[1], NULL, 10) : 1000);
	static const uint64_t wrong[] = {2, 2};
	struct span_stats_opts o = {.bounds = wrong, .n_bounds = 2};
	struct span_stats *st = NULL;

	is_int(span_stats_open(&st, &o, NULL), SPAN_E_INVALID,
	       "bounds have to ascend");
	o = (struct span_stats_opts){.n_labels = SPAN_STATS_LABELS + 1};
	is_int(span_stats_open(&st, &o, NULL), SPAN_E_INVALID,
	       "labels have a limit");
	test_counts();
	test_times();
	test_weights();
	test_bound("even", even, n);
	test_bound("growing", growing, n);
	test_limit();
	test_calls();
	test_partial();
	return done_testing();
}
