/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of numbers: what is put comes back, in every way of reading. */
#include <math.h>

#include "store/seg_ints.h"

#include "tap.h"

#include "base/banned.h"

#define N_MAX 5000u

static uint64_t state = 1;

static uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t of_double(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static uint64_t constant(size_t i)
{
	(void)i;
	return 7;
}

static uint64_t small(size_t i)
{
	(void)i;
	return random64() % 5;
}

static uint64_t negative(size_t i)
{
	(void)i;
	return 0 - random64() % 1000;
}

static uint64_t random_id(size_t i)
{
	(void)i;
	return random64();
}

static uint64_t micros(size_t i)
{
	(void)i;
	return 1700000000000000000 + random64() % 10000 * 1000;
}

static uint64_t ascending(size_t i)
{
	return 1700000000000000000 + i * 1000000 + random64() % 1000000;
}

static uint64_t outliers(size_t i)
{
	return i % 97 == 5 ? random64() >> 1 : random64() % 100;
}

static uint64_t seldom(size_t i)
{
	return i % 211 == 100 ? 40 + random64() % 40 : 3;
}

static uint64_t either(size_t i)
{
	(void)i;
	return random64() % 2;
}

static uint64_t extremes(size_t i)
{
	static const uint64_t v[] = {0, 1, INT64_MAX, 1ull << 63, UINT64_MAX};

	(void)i;
	return v[random64() % 5];
}

static uint64_t evens(size_t i)
{
	(void)i;
	return random64() << 63 | random64() % 3 * 64;
}

static uint64_t of_any_width(size_t i)
{
	(void)i;
	return random64() >> random64() % 64;
}

static uint64_t steps(size_t i)
{
	return i / 700 * 1000000007;
}

/* Now and then a clock that is wrong. */
static uint64_t wrong_clock(size_t i)
{
	return random64() % 1000 - (i % 101 == 7 ? 3600000000000 : 0);
}

/* No length that most have. */
static uint64_t skewed(size_t i)
{
	(void)i;
	return (random64() >> 44) / (1 + random64() % 5000) * 1000;
}

/* Blocks of a kind each, so that the groups differ. */
static uint64_t mixed(size_t i)
{
	switch (i / 512 % 4) {
	case 0:
		return 5;
	case 1:
		return random64() % 1000;
	case 2:
		return outliers(i);
	default:
		return seldom(i);
	}
}

static uint64_t full_groups(size_t i)
{
	return i / 512 % 2 ? random64() : i / 512;
}

/* Bytes that a column of N takes at most. */
static const struct kind {
	const char *name;
	uint64_t (*fn)(size_t i);
	size_t n, max_len;
} kinds[] = {
	{"constant", constant, 5000, 2},
	{"small", small, 5000, 1900},
	{"negative", negative, 5000, 6300},
	{"random ids", random_id, 5000, 40040},
	{"microseconds", micros, 5000, 8800},
	{"ascending", ascending, 5000, 18200},
	{"with outliers", outliers, 5000, 5000},
	{"seldom another", seldom, 5000, 80},
	{"either of two", either, 5000, 640},
	{"extremes", extremes, 5000, 40040},
	{"even numbers of all bits", evens, 5000, 1000000},
	{"of any width", of_any_width, 5000, 40040},
	{"steps", steps, 5000, 460},
	{"mixed", mixed, 5000, 3000},
	{"wrong clocks", wrong_clock, 5000, 6800},
	{"skewed", skewed, 5000, 8000},
	{"full groups", full_groups, 5000, 24600},
	{"two small", small, 2, 6},
	{"nine negative", negative, 9, 18},
};

static uint64_t v[N_MAX], got[N_MAX], bits[N_MAX / 64 + 1];

static struct span__area area_of(const struct span_buf *b)
{
	return (struct span__area){(const uint8_t *)b->p, b->len, NULL};
}

static void fill(const struct kind *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = k->fn(i);
}

static bool same_found(const struct span__ints *c, size_t from, size_t n,
		       int64_t min, int64_t max)
{
	uint64_t count = span__ints_find(c, from, n, min, max, bits), want = 0;

	for (size_t i = 0; i < n; i++) {
		bool in = (int64_t)v[from + i] >= min &&
			  (int64_t)v[from + i] <= max;

		want += in;
		if (in != (bits[i / 64] >> i % 64 & 1))
			return false;
	}
	return count == want;
}

/* Ranges about values that are there. */
static bool finds(const struct span__ints *c, size_t n)
{
	for (int k = 0; k < 20; k++) {
		size_t from = (size_t)(random64() % n);
		size_t len = (size_t)(random64() % (n - from + 1));
		uint64_t a = v[random64() % n], b = v[random64() % n];

		if (k % 4 == 1)
			b = a;
		if (k % 4 == 2)
			a += random64() % 3 - 1;
		if (!same_found(c, from, len, (int64_t)a, (int64_t)b))
			return false;
	}
	return same_found(c, 0, n, INT64_MIN, INT64_MAX) &&
	       same_found(c, 0, n, INT64_MIN, (int64_t)v[0]);
}

static bool reads(const struct span__ints *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span__ints_get(c, i) != v[i])
			return false;
	for (int k = 0; k < 10; k++) {
		size_t from = k ? (size_t)(random64() % n) : 0;
		size_t len = k ? (size_t)(random64() % (n - from + 1)) : n;

		span__ints_range(c, from, len, got);
		if (memcmp(got, v + from, len * sizeof(*v)) != 0)
			return false;
	}
	return true;
}

/* Put, open with something behind it, and read in all ways. */
static bool round_trip(size_t n, size_t *len)
{
	struct span_buf b = {0};
	struct span__ints c;
	struct span__area area;
	uint64_t used = 0;
	bool good;

	span_buf_puts(&b, "x");
	span__ints_put(&b, v, n);
	*len = b.len - 1;
	span_buf_puts(&b, "behind");
	area = area_of(&b);
	area = span__area_sub(&area, 1, b.len - 1 - random64() % 7);
	good = span__ints_open(&c, &area, n, &used) && used == *len &&
	       reads(&c, n) && finds(&c, n);
	for (size_t i = 0; i < n; i++)
		good = good && (int64_t)c.min <= (int64_t)v[i] &&
		       (int64_t)c.max >= (int64_t)v[i];
	span_buf_release(&b);
	return good;
}

static void test_kinds(void)
{
	static const size_t lens[] = {1,  2,   3,   5,	 8,    9,    64,
				      65, 511, 512, 513, 1024, 1300, 2000};
	size_t len;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		bool good = true;

		for (size_t j = 0; j < sizeof(lens) / sizeof(*lens); j++) {
			fill(&kinds[k], lens[j]);
			good = good && round_trip(lens[j], &len);
		}
		fill(&kinds[k], kinds[k].n);
		good = good && round_trip(kinds[k].n, &len);
		ok(good, "%s: all lengths come back", kinds[k].name);
		ok(len <= kinds[k].max_len, "%s: %zu take %zu bytes",
		   kinds[k].name, kinds[k].n, len);
	}
}

static void test_random(void)
{
	bool good = true;
	size_t len;

	for (int k = 0; k < 300; k++) {
		const struct kind *a = &kinds[random64() % 17];
		const struct kind *b = &kinds[random64() % 17];
		size_t n = 1 + (size_t)(random64() % 1600);

		for (size_t i = 0; i < n; i++)
			v[i] = (i / 300 % 2 ? a : b)->fn(i);
		if (good && !round_trip(n, &len)) {
			diag("%s, %s: %zu", a->name, b->name, n);
			good = false;
		}
	}
	ok(good, "columns of two kinds come back");
}

static void test_upper(void)
{
	static const uint64_t ends[] = {3, 3, 7, 100, 1ull << 63, UINT64_MAX};
	struct span_buf b = {0};
	struct span__ints c;
	struct span__area area;

	span__ints_put(&b, ends, 6);
	area = area_of(&b);
	ok(span__ints_open(&c, &area, 6, NULL), "ends open");
	is_uint(span__ints_upper(&c, 0), 0, "upper of less than all");
	is_uint(span__ints_upper(&c, 3), 2, "upper of equal ones");
	is_uint(span__ints_upper(&c, 99), 3, "upper between");
	is_uint(span__ints_upper(&c, INT64_MAX), 4, "upper is unsigned");
	is_uint(span__ints_upper(&c, UINT64_MAX), 6, "upper of the greatest");
	span_buf_release(&b);
}

static double third(size_t i)
{
	return (double)(i % 50) / 3;
}

static double cents(size_t i)
{
	(void)i;
	return (double)((int64_t)(random64() % 100000) - 7) / 100;
}

static double whole(size_t i)
{
	return (double)(i % 9) - 4;
}

static double odd(size_t i)
{
	static const double odds[] = {0.0,	-0.0,	   NAN,
				      INFINITY, -INFINITY, 1e300};

	return odds[i % 6];
}

static double tenths(size_t i)
{
	return (double)i * 0.1;
}

static const struct {
	const char *name;
	double (*fn)(size_t i);
	size_t max_len;
} doubles[] = {
	{"thirds", third, 8020},	  {"cents", cents, 2140},
	{"whole numbers", whole, 510},	  {"odd doubles", odd, 8020},
	{"sums of tenths", tenths, 8020},
};

static bool doubles_found(const struct span__ints *c, size_t n, double min,
			  double max)
{
	uint64_t count = span__doubles_find(c, 0, n, min, max, bits);

	for (size_t i = 0; i < n; i++) {
		double x;

		memcpy(&x, &v[i], sizeof(x));
		count -= x >= min && x <= max;
		if ((x >= min && x <= max) != (bits[i / 64] >> i % 64 & 1))
			return false;
	}
	return !count;
}

static void test_doubles(void)
{
	const size_t n = 1000;
	struct span__area area;
	struct span__ints c;

	for (size_t k = 0; k < sizeof(doubles) / sizeof(*doubles); k++) {
		struct span_buf b = {0};
		bool good = true;

		for (size_t i = 0; i < n; i++)
			v[i] = of_double(doubles[k].fn(i));
		span__doubles_put(&b, v, n);
		area = area_of(&b);
		ok(span__ints_open(&c, &area, n, NULL) && reads(&c, n),
		   "%s come back", doubles[k].name);
		ok(b.len <= doubles[k].max_len, "%s: %zu bytes",
		   doubles[k].name, b.len);
		for (size_t i = 0; i < 50; i++) {
			double min = doubles[k].fn((size_t)random64() % n);
			double max = doubles[k].fn((size_t)random64() % n);

			good = good && doubles_found(&c, n, min, max) &&
			       doubles_found(&c, n, min, min) &&
			       doubles_found(&c, n, nextafter(min, 1e9), max) &&
			       doubles_found(&c, n, min, nextafter(max, -1e9));
		}
		good = good && doubles_found(&c, n, -INFINITY, INFINITY) &&
		       doubles_found(&c, n, NAN, 1) &&
		       doubles_found(&c, n, 1e15, 1e18) &&
		       doubles_found(&c, n, -1e18, -1e15);
		ok(good, "%s are found", doubles[k].name);
		span_buf_release(&b);
	}
	v[0] = of_double(1.25);
	{
		struct span_buf b = {0};
		uint64_t x = 0;

		span__doubles_put(&b, v, 1);
		area = area_of(&b);
		ok(span__ints_open(&c, &area, 1, NULL) &&
			   span__ints_constant(&c, &x) && x == v[0],
		   "a constant double");
		span_buf_release(&b);
	}
}

/* Whatever the bytes, reading ends and stays inside. */
static void read_damaged(const uint8_t *p, size_t len, uint64_t n)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct span__area area = {copy, len, NULL};
	struct span__ints c;
	uint64_t used = 0, x;

	memcpy(copy, p, len);
	if (span__ints_open(&c, &area, n, &used)) {
		if (used > len)
			abort();
		for (uint64_t i = 0; i < n && i < 1300; i++)
			(void)span__ints_get(&c, i);
		if (n <= N_MAX) {
			span__ints_range(&c, 0, n, got);
			span__ints_find(&c, 0, n, 0, 1000, bits);
			span__doubles_find(&c, 0, n, 0, 1000, bits);
		}
		(void)span__ints_upper(&c, 1000);
		(void)span__ints_constant(&c, &x);
	}
	free(copy);
}

static void test_damage(void)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		size_t n = k % 2 ? 20 : 600;
		struct span_buf b = {0};

		fill(&kinds[k], n);
		span__ints_put(&b, v, n);
		for (size_t i = 0; i < b.len && i < 300; i++) {
			char was = b.p[i];

			for (int bit = 0; bit < 8; bit++) {
				b.p[i] = (char)(was ^ 1 << bit);
				read_damaged((uint8_t *)b.p, b.len, n);
			}
			b.p[i] = was;
			read_damaged((uint8_t *)b.p, i, n);
			read_damaged((uint8_t *)b.p, b.len, n << i % 64);
		}
		span_buf_release(&b);
	}
	ok(true, "damaged columns are read without harm");
}

static void test_bounds(void)
{
	struct span_buf b = {0};
	struct span__ints c;
	struct span__area area = {NULL, 0, NULL};
	uint64_t used = 9, x;

	ok(span__ints_open(&c, &area, 0, &used) && used == 0,
	   "an empty column takes nothing");
	ok(!span__ints_constant(&c, &x), "and is not constant");
	is_uint(span__ints_upper(&c, 0), 0, "and has no value");
	ok(!span__ints_open(&c, &area, 1, NULL) && c.n == 0,
	   "a column without bytes is damaged");
	v[0] = 3;
	v[1] = 5;
	span__ints_put(&b, v, 2);
	area = area_of(&b);
	ok(span__ints_open(&c, &area, 2, NULL), "two values");
	is_uint(span__ints_get(&c, 2), 0, "a value behind the end is 0");
	got[0] = got[1] = 1;
	span__ints_range(&c, 1, 2, got);
	ok(!got[0] && !got[1], "and so is a range over it");
	is_uint(span__ints_find(&c, 2, 1, 0, 9, bits), 0, "or a search");
	b.len = 0;
	v[0] = v[1] = 7;
	span__ints_put(&b, v, 2);
	area = area_of(&b);
	ok(span__ints_open(&c, &area, 2, NULL) && span__ints_constant(&c, &x) &&
		   x == 7,
	   "a constant");
	span_buf_release(&b);
}

int main(void)
{
	test_bounds();
	test_kinds();
	test_random();
	test_upper();
	test_doubles();
	test_damage();
	return done_testing();
}
