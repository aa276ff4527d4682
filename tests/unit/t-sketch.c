/* SPDX-License-Identifier: Apache-2.0 */
/* The quantile sketch against the sorted values themselves. */
#include <span/sketch.h>

#include <math.h>

#include "tap.h"

#define N 20000

static uint64_t state = 1;

/* splitmix64 */
static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static double uniform(void)
{
	return ((double)(next() >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t whole(double v)
{
	return v >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)v;
}

static uint64_t constant(size_t i)
{
	(void)i;
	return 123456789;
}

static uint64_t small(size_t i)
{
	(void)i;
	return next() % 40;
}

static uint64_t ascending(size_t i)
{
	return i * 977;
}

static uint64_t any_bits(size_t i)
{
	(void)i;
	return next() >> next() % 64;
}

static uint64_t flat(size_t i)
{
	(void)i;
	return next();
}

static uint64_t exponential(size_t i)
{
	(void)i;
	return whole(-1e7 * log(uniform()));
}

static uint64_t log_normal(size_t i)
{
	double r = sqrt(-2 * log(uniform()));

	(void)i;
	return whole(exp(15 + 3 * r * cos(6.283185307179586 * uniform())));
}

static uint64_t pareto(size_t i)
{
	(void)i;
	return whole(1e3 / pow(uniform(), 2));
}

static uint64_t two_modes(size_t i)
{
	return i % 100 ? 1000000 + next() % 1000 : 9000000000 + next() % 1000;
}

static uint64_t powers(size_t i)
{
	return UINT64_C(1) << i % 64;
}

static uint64_t below_powers(size_t i)
{
	return (UINT64_C(1) << i % 64) - 1;
}

static uint64_t extremes(size_t i)
{
	return i % 3 ? 0 : UINT64_MAX;
}

static const struct {
	const char *name;
	uint64_t (*value)(size_t i);
} tests[] = {
	{"one value", constant},
	{"small numbers", small},
	{"ascending", ascending},
	{"any number of bits", any_bits},
	{"all 64 bits", flat},
	{"exponential", exponential},
	{"log-normal", log_normal},
	{"Pareto, infinite mean", pareto},
	{"two modes", two_modes},
	{"powers of two", powers},
	{"one below them", below_powers},
	{"0 and the largest", extremes},
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void put(struct span_sketch *s, uint64_t value, uint64_t count)
{
	if (span_sketch_put(s, value, count, NULL) < 0)
		abort();
}

static void merge(struct span_sketch *s, const struct span_sketch *from)
{
	if (span_sketch_merge(s, from, NULL) < 0)
		abort();
}

static bool same(const struct span_sketch *a, const struct span_sketch *b)
{
	if (a->n != b->n || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->v[i].bucket != b->v[i].bucket ||
		    a->v[i].count != b->v[i].count)
			return false;
	}
	return true;
}

/* |got - want| <= want / 64, without rounding. */
static bool within(uint64_t got, uint64_t want)
{
	return (got > want ? got - want : want - got) <= want / 64;
}

static size_t exact_rank(double q)
{
	double r = ceil(q * N);

	return r < 1 ? 1 : (size_t)r;
}

static void test_bound(const char *name, uint64_t *v)
{
	static const double quantiles[] = {0,	 1e-9, 0.001, 0.01,  0.25, 0.5,
					   0.75, 0.9,  0.99,  0.999, 1};
	struct span_sketch s = {0};
	bool good = true;

	for (size_t i = 0; i < N; i++)
		put(&s, v[i], 1);
	qsort(v, N, sizeof(*v), compare);
	for (size_t k = 0; k < sizeof(quantiles) / sizeof(*quantiles); k++) {
		uint64_t want = v[exact_rank(quantiles[k]) - 1];
		uint64_t got = span_sketch_quantile(&s, quantiles[k]);

		if (within(got, want))
			continue;
		good = false;
		diag("quantile %g is %" PRIu64 ", got %" PRIu64, quantiles[k],
		     want, got);
	}
	ok(good, "%s: each quantile is within 1/64", name);
	span_sketch_release(&s);
}

/* In three parts, merged in each order, and with themselves. */
static void test_merge(const char *name, const uint64_t *v)
{
	static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
	struct span_sketch all = {0}, parts[3] = {{0}}, none = {0};
	bool good = true;

	for (size_t i = 0; i < N; i++) {
		put(&all, v[i], 1);
		put(&parts[i * i % 7 % 3], v[i], 1);
	}
	for (size_t k = 0; k < 3; k++) {
		struct span_sketch sum = {0};

		for (size_t i = 0; i < 3; i++)
			merge(&sum, &parts[orders[k][i]]);
		merge(&sum, &none);
		good = good && same(&sum, &all);
		span_sketch_release(&sum);
	}
	ok(good, "%s: merged in any order it is the same", name);
	for (size_t i = 0; i < 3; i++)
		span_sketch_release(&parts[i]);
	span_sketch_release(&all);
}

static void test_buckets(void)
{
	bool good = span_sketch_bucket(0) == 0;

	for (uint32_t b = 1; b < SPAN_SKETCH_BUCKETS; b++) {
		uint64_t low = span_sketch_lower(b);

		good = good && span_sketch_bucket(low) == b &&
		       span_sketch_bucket(low - 1) == b - 1;
	}
	ok(good, "buckets cover all numbers, one after another");
	is_uint(span_sketch_bucket(UINT64_MAX), SPAN_SKETCH_BUCKETS - 1,
		"the largest number is in the last");
	is_uint(span_sketch_lower(SPAN_SKETCH_BUCKETS), UINT64_MAX,
		"there is none behind it");
}

static void test_extremes(void)
{
	struct span_sketch s = {0}, full = {0};

	is_uint(span_sketch_quantile(&s, 0.5), 0, "an empty sketch has 0");
	put(&s, 7, 0);
	is_uint(s.n, 0, "a value that comes no times leaves it empty");
	put(&s, 7, UINT64_MAX);
	put(&s, 7, 2);
	put(&s, 9, 5);
	is_uint(s.count, UINT64_MAX, "counts stop at the largest number");
	is_uint(s.v[0].count, UINT64_MAX, "that of a bucket too");
	is_uint(span_sketch_quantile(&s, 0.5), 7, "and quantiles go on");
	is_uint(span_sketch_quantile(&s, 1), 7, "to the end");
	put(&full, 9, UINT64_MAX);
	merge(&full, &s);
	is_uint(full.count, UINT64_MAX, "merging stops there, too");
	merge(&s, &s);
	is_uint(s.v[1].count, 10, "a sketch may be merged with itself");
	is_uint(span_sketch_quantile(&s, NAN), 7, "NaN is the least rank");
	span_sketch_release(&full);
	span_sketch_release(&s);
	is_uint(s.cap, 0, "released it is empty");
}

int main(void)
{
	static uint64_t v[N];

	for (size_t k = 0; k < sizeof(tests) / sizeof(*tests); k++) {
		for (size_t i = 0; i < N; i++)
			v[i] = tests[k].value(i);
		test_merge(tests[k].name, v);
		test_bound(tests[k].name, v);
	}
	test_buckets();
	test_extremes();
	return done_testing();
}
