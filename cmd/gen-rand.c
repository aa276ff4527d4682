/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chance on integers only, so that a seed gives the same bytes everywhere.
 *
 * The generator is SplitMix64 (Steele, Lea, Flood 2014). Powers of two are a
 * polynomial of degree 4 on the fraction, right to 4 parts in a million;
 * normal numbers are sums of eight uniform ones.
 */
#include "gen.h"

#include "base/banned.h"

#define GOLDEN 0x9e3779b97f4a7c15ull
#define LN2 2977044472ull /* in 2^-32 */
/* Deviation of the sum of eight uniform 16-bit numbers. */
#define SUM8_SIGMA 53510

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t gen_rand(uint64_t *state)
{
	return mix(*state += GOLDEN);
}

uint64_t gen_mix(uint64_t seed, uint64_t i)
{
	return mix(seed + (i + 1) * GOLDEN);
}

static uint64_t mul_high(uint64_t a, uint64_t b)
{
	return (uint64_t)((wide)a * b >> 64);
}

uint64_t gen_below(uint64_t *state, uint64_t n)
{
	return mul_high(gen_rand(state), n);
}

bool gen_chance(uint64_t *state, uint64_t p)
{
	return p >= GEN_ALWAYS || gen_rand(state) >> 32 < p;
}

uint64_t gen_probability(double p)
{
	return (uint64_t)(p * (double)GEN_ALWAYS);
}

uint64_t gen_log2(uint64_t x)
{
	int whole = 63 - __builtin_clzll(x);
	/* The mantissa, 1 to 2, in 2^-31; squaring it shifts its logarithm. */
	uint64_t m = whole > 31 ? x >> (whole - 31) : x << (31 - whole);
	uint64_t frac = 0;

	for (int bit = 31; bit >= 0; bit--) {
		m = m * m >> 31;
		if (m >> 32) {
			m >>= 1;
			frac |= 1ull << bit;
		}
	}
	return (uint64_t)whole << 32 | frac;
}

uint64_t gen_exp2(int64_t q)
{
	uint64_t f = (uint64_t)q & UINT32_MAX;
	int64_t whole = q >> 32;
	uint64_t m;

	if (whole < 0)
		return 0;
	if (whole > 62)
		return 1ull << 63;
	m = 222243073ull + (58713532ull * f >> 32);
	m = 1037682813ull + (m * f >> 32);
	m = 2976296038ull + (m * f >> 32);
	m = 4294982298ull + (m * f >> 32);
	return whole > 32 ? m << (whole - 32) : m >> (32 - whole);
}

uint64_t gen_log_normal(uint64_t *state, uint64_t median, uint64_t sigma)
{
	int64_t sum = -4 * 65535;

	for (int i = 0; i < 2; i++) {
		uint64_t r = gen_rand(state);

		sum += (int64_t)((r & 0xffff) + (r >> 16 & 0xffff) +
				 (r >> 32 & 0xffff) + (r >> 48));
	}
	return gen_exp2((int64_t)median + sum * (int64_t)sigma / SUM8_SIGMA);
}

uint64_t gen_log_uniform(uint64_t *state, uint64_t lo, uint64_t hi)
{
	return gen_exp2((int64_t)(lo + mul_high(gen_rand(state), hi - lo)));
}

uint64_t gen_gap(uint64_t *state, uint64_t mean)
{
	uint64_t below_one = (64ull << 32) - gen_log2(gen_rand(state) | 1);

	return (uint64_t)((wide)below_one * LN2 / GEN_ALWAYS * mean /
			  GEN_ALWAYS);
}
