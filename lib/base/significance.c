/* SPDX-License-Identifier: Apache-2.0 */
#include "base/significance.h"

#include <math.h>

#include "base/banned.h"

/* The quantile 0.975 of the normal distribution. */
#define Z_95 1.959963984540054
#define FEW 8
/* A term that adds nothing to a sum of doubles any more. */
#define NOTHING 1e-18

/* lgamma(3) writes a global. */
static double log_factorial(double n)
{
	int sign;

	return lgamma_r(n + 1, &sign);
}

static double log_choose(double n, double k)
{
	return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

/*
 * Of N + M things A + B are marked. From A on upwards: the first term from
 * logarithms, each other one from the one before it.
 */
double span__fisher_greater(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
	double marked = (double)a + (double)b, dn = (double)n, dm = (double)m;
	double top = marked < dn ? marked : dn, k = (double)a;
	double low = marked > dm ? marked - dm : 0;
	double term, sum = 0;

	if (k <= low)
		return 1;
	term = exp(log_choose(dn, k) + log_choose(dm, marked - k) -
		   log_choose(dn + dm, marked));
	/* Below the mode the terms grow first: ask the other side. */
	if (k * (dn + dm) < marked * dn) {
		for (k -= 1; k >= low; k--) {
			term *= (k + 1) * (dm - marked + k + 1) /
				((dn - k) * (marked - k));
			sum += term;
			if (term < sum * NOTHING)
				break;
		}
		return sum < 1 ? 1 - sum : 0;
	}
	for (; k <= top; k++) {
		sum += term;
		if (term < sum * NOTHING)
			break;
		term *= (dn - k) * (marked - k) /
			((k + 1) * (dm - marked + k + 1));
	}
	return sum < 1 ? sum : 1;
}

double span__fisher(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
	double more = span__fisher_greater(a, n, b, m);
	double less = span__fisher_greater(b, m, a, n);
	double p = 2 * (more < less ? more : less);

	return p < 1 ? p : 1;
}

struct span__odds span__odds_ratio(uint64_t a, uint64_t n, uint64_t b,
				   uint64_t m)
{
	double p = (double)a + .5, q = (double)(n - a) + .5;
	double r = (double)b + .5, s = (double)(m - b) + .5;
	double width = Z_95 * sqrt(1 / p + 1 / q + 1 / r + 1 / s);
	double log_ratio = log(p) + log(s) - log(q) - log(r);

	return (struct span__odds){exp(log_ratio), exp(log_ratio - width),
				   exp(log_ratio + width)};
}

double span__rank_sum(const struct span_sketch *a, const struct span_sketch *b)
{
	double n = (double)a->count, m = (double)b->count, all = n + m;
	double before = 0, ranks = 0, ties = 0, mean, variance, z;

	if (a->count < FEW || b->count < FEW)
		return 1;
	for (size_t i = 0, k = 0; i < a->n || k < b->n;) {
		uint32_t at = i < a->n ? a->v[i].bucket : UINT32_MAX;
		double x = 0, y = 0, t;

		if (k < b->n && b->v[k].bucket < at)
			at = b->v[k].bucket;
		if (i < a->n && a->v[i].bucket == at)
			x = (double)a->v[i++].count;
		if (k < b->n && b->v[k].bucket == at)
			y = (double)b->v[k++].count;
		t = x + y;
		ranks += x * (before + (t + 1) / 2);
		ties += t * (t * t - 1);
		before += t;
	}
	mean = n * (all + 1) / 2;
	variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
	if (variance <= 0)
		return 1;
	z = (fabs(ranks - mean) - .5) / sqrt(variance);
	return z > 0 ? erfc(z / sqrt(2)) : 1;
}

void span__false_discovery(double *p, size_t n, uint64_t m)
{
	double least = 1;

	for (size_t i = n; i--;) {
		double q = p[i] * (double)m / (double)(i + 1);

		least = q < least ? q : least;
		p[i] = least;
	}
}
