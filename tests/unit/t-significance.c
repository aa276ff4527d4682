/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of significance against values that were computed with exact fractions
 * (math.comb of Python), and by hand.
 */
#include <math.h>

#include "tap.h"

#include "base/significance.h"

#include "base/banned.h"

static const struct {
	uint64_t a, n, b, m;
	double greater, both;
} fisher[] = {
	{3, 4, 1, 4, 0.24285714285714285, 0.4857142857142857},
	{5, 5, 0, 5, 0.003968253968253968, 0.007936507936507936},
	{0, 5, 5, 5, 1.0, 0.007936507936507936},
	{1, 10, 9, 10, 0.9999945874558878, 0.001093333910671372},
	{8, 10, 2, 100, 4.771050656432982e-09, 9.542101312865963e-09},
	{0, 0, 3, 9, 1.0, 1.0},
	{14, 15, 3, 980, 1.0426638146005276e-27, 2.0853276292010552e-27},
	{400, 1000, 300, 1000, 1.6858498536999693e-06, 3.3716997073999386e-06},
	{30, 100, 290, 1000, 0.4571930267281698, 0.9143860534563396},
	{20, 20, 5000, 5000, 1.0, 1.0},
	{500, 20000, 100, 20000, 4.4010824832283366e-66, 8.802164966456673e-66},
	{40, 50, 1000, 100000, 2.066348041998303e-70, 4.132696083996606e-70},
};

static bool is_near(double got, double want)
{
	return fabs(got - want) <= 1e-9 * fabs(want) + 1e-300;
}

static void test_fisher(void)
{
	for (size_t i = 0; i < sizeof(fisher) / sizeof(*fisher); i++) {
		double p = span__fisher_greater(fisher[i].a, fisher[i].n,
						fisher[i].b, fisher[i].m);
		double both = span__fisher(fisher[i].a, fisher[i].n,
					   fisher[i].b, fisher[i].m);

		if (!ok(is_near(p, fisher[i].greater) &&
				is_near(both, fisher[i].both),
			"%d of %d against %d of %d", (int)fisher[i].a,
			(int)fisher[i].n, (int)fisher[i].b, (int)fisher[i].m))
			diag("%.17g %.17g", p, both);
	}
}

static void test_odds(void)
{
	struct span__odds o = span__odds_ratio(9, 10, 1, 10);

	/* 9.5 * 9.5 / (1.5 * 1.5), width 1.96 * sqrt(2/9.5 + 2/1.5) */
	ok(fabs(o.ratio - 40.1111111) < 1e-6, "odds: the ratio");
	ok(fabs(log(o.high / o.ratio) - 2.4352) < 1e-3 &&
		   fabs(log(o.ratio / o.low) - 2.4352) < 1e-3,
	   "odds: its limits");
	o = span__odds_ratio(10, 10, 0, 10);
	ok(isfinite(o.ratio) && isfinite(o.high) && o.low > 1,
	   "odds: all against none is a number");
}

static void put(struct span_sketch *s, uint64_t from, uint64_t to)
{
	for (; from <= to; from++)
		if (span_sketch_put(s, from, 1, NULL) < 0)
			abort();
}

static void test_ranks(void)
{
	struct span_sketch a = {0}, b = {0};

	put(&a, 1, 10);
	put(&b, 11, 20);
	/* U = 0: (50 - 0.5) / sqrt(100 / 12 * 21) = 3.7418 */
	ok(fabs(span__rank_sum(&a, &b) - 0.00018267) < 1e-6,
	   "ranks: one is above the other");
	ok(fabs(span__rank_sum(&b, &a) - span__rank_sum(&a, &b)) < 1e-12,
	   "ranks: or the other way round");
	ok(span__rank_sum(&a, &a) > .9, "ranks: the same");
	span_sketch_reset(&b);
	put(&b, 11, 17);
	ok(span__rank_sum(&a, &b) >= 1, "ranks: too few to tell");
	span_sketch_reset(&a);
	span_sketch_reset(&b);
	if (span_sketch_put(&a, 5, 20, NULL) < 0 ||
	    span_sketch_put(&b, 5, 30, NULL) < 0)
		abort();
	ok(span__rank_sum(&a, &b) >= 1, "ranks: all are tied");
	span_sketch_release(&a);
	span_sketch_release(&b);
}

static void test_false_discovery(void)
{
	double p[] = {0.001, 0.008, 0.039, 0.041, 0.042};

	/* Of Benjamini and Hochberg's procedure by hand, of 10 tests. */
	span__false_discovery(p, 5, 10);
	ok(fabs(p[0] - 0.01) < 1e-12 && fabs(p[1] - 0.04) < 1e-12 &&
		   fabs(p[2] - 0.084) < 1e-12 && fabs(p[3] - 0.084) < 1e-12 &&
		   fabs(p[4] - 0.084) < 1e-12,
	   "false discovery: q never falls");
}

int main(void)
{
	test_fisher();
	test_odds();
	test_ranks();
	test_false_discovery();
	return done_testing();
}
