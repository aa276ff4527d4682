/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_between.h - which of many numbers are in a range
 *
 * A search of a column compares each of its values, so that what it takes for
 * one is most of the time of a count. Without vectors that is seven
 * instructions; with those that all x86-64 have it is less than three.
 */
#ifndef SPAN_SEG_BETWEEN_H
#define SPAN_SEG_BETWEEN_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A bit for each of the N values at V, 64 at most, from LO to LO + SPAN. */
static inline uint64_t span__between_any(const uint64_t *v, size_t n,
					 uint64_t lo, uint64_t span)
{
	uint64_t word = 0;

	for (size_t i = n; i--;)
		word = word << 1 | (v[i] - lo <= span);
	return word;
}

#ifdef __SSE2__
/* The upper halves of four values: negative where one is out of the range. */
static inline __m128i span__out_of_range(const uint64_t *v, __m128i lo,
					 __m128i span)
{
	__m128i a = _mm_loadu_si128((const __m128i *)(const void *)v);
	__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(v + 2));

	a = _mm_sub_epi64(a, lo);
	b = _mm_sub_epi64(b, lo);
	a = _mm_or_si128(a, _mm_sub_epi64(span, a));
	b = _mm_or_si128(b, _mm_sub_epi64(span, b));
	return _mm_castps_si128(
		_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0xdd));
}

/* The same of values, LO and SPAN that are less than 2^63. */
static inline uint64_t span__between(const uint64_t *v, size_t n, uint64_t lo,
				     uint64_t span)
{
	__m128i from = _mm_set1_epi64x((long long)lo);
	__m128i width = _mm_set1_epi64x((long long)span);
	uint64_t word = 0;
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		__m128i a = _mm_packs_epi32(
			span__out_of_range(v + i, from, width),
			span__out_of_range(v + i + 4, from, width));
		__m128i b = _mm_packs_epi32(
			span__out_of_range(v + i + 8, from, width),
			span__out_of_range(v + i + 12, from, width));
		int out = _mm_movemask_epi8(_mm_packs_epi16(a, b));

		word |= (uint64_t)(~out & 0xffff) << i;
	}
	if (i < n)
		word |= span__between_any(v + i, n - i, lo, span) << i;
	return word;
}
#else
static inline uint64_t span__between(const uint64_t *v, size_t n, uint64_t lo,
				     uint64_t span)
{
	return span__between_any(v, n, lo, span);
}
#endif

#endif
