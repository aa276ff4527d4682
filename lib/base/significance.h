/* SPDX-License-Identifier: Apache-2.0 */
/* significance.h - tests of significance; for lib/ only */
#ifndef SPAN_BASE_SIGNIFICANCE_H
#define SPAN_BASE_SIGNIFICANCE_H

#include <span/sketch.h>

/*
 * Fisher's exact test of A of N against B of M: the probability of at least
 * A, the margins given. Correct to 9 digits for counts up to 10^6.
 */
double span__fisher_greater(uint64_t a, uint64_t n, uint64_t b, uint64_t m);
/* Two-sided: twice the smaller of both sides, at most 1. */
double span__fisher(uint64_t a, uint64_t n, uint64_t b, uint64_t m);

/* Odds ratio and its 95 % limits, one half added to each count. */
struct span__odds {
	double ratio, low, high;
};
struct span__odds span__odds_ratio(uint64_t a, uint64_t n, uint64_t b,
				   uint64_t m);

/*
 * Are values of A greater or less than those of B? Mann and Whitney's test,
 * two-sided, by the normal approximation with its correction for ties, which
 * values of one bucket are. 1 when either has fewer than 8.
 */
double span__rank_sum(const struct span_sketch *a, const struct span_sketch *b);

/*
 * Benjamini and Hochberg: the N values P, ascending, to their Q in place; M
 * were tested, of which the others are greater.
 */
void span__false_discovery(double *p, size_t n, uint64_t m);

#endif
