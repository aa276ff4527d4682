/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations and sizes have no length that most of them share. In two tiers the
 * low bits of every quotient are in one array, and the rest of those that need
 * more in another; a bit for each value says which these are, and a count for
 * each group how many came before, so that any one is found.
 */
#include "base/scratch.h"
#include "store/seg_ints_frame.h"

#include "base/banned.h"

bool span__ints_elements(const struct span__ints *c, uint64_t pos, uint64_t i,
			 unsigned w, size_t n, uint64_t *out)
{
	uint64_t at = span__bits_len(i & ~7ull, w);

	if (!w) {
		memset(out, 0, n * sizeof(*out));
		return true;
	}
	if (!span__area_ok(&c->area, pos + at, span__bits_len(i % 8 + n, w)))
		return false;
	span__bits_unpack(c->area.p + pos, c->area.len - pos, i, w, n, out);
	return true;
}

/* How many long quotients there are before group G. */
static bool long_before(const struct span__ints *c, uint64_t g, uint64_t *out)
{
	*out = 0;
	return !g || span__ints_element(c, c->before, g - 1,
					span__bits_of(c->n_long), out);
}

/* The marks of N values of one group, from I on, and how many are set. */
static bool marks_of(const struct span__ints *c, uint64_t i, size_t n,
		     uint64_t marks[SEG_GROUP / 64], uint64_t *count)
{
	*count = 0;
	for (size_t k = 0; k < n; k += 64) {
		unsigned w = n - k < 64 ? (unsigned)(n - k) : 64;
		unsigned shift = (unsigned)((i + k) % 8);
		uint64_t pos = c->marks + (i + k) / 8;

		if (!span__area_ok(&c->area, pos, (shift + w + 7) / 8))
			return false;
		marks[k / 64] =
			span__bits_read(c->area.p, c->area.len, pos, shift, w);
		*count += span__bits_count(marks[k / 64]);
	}
	return true;
}

/* The marks of values I to I + N - 1, where their rests begin and how many
 * there are. */
static bool find_rests(const struct span__ints *c, uint64_t i, size_t n,
		       uint64_t marks[SEG_GROUP / 64], uint64_t *first,
		       uint64_t *count)
{
	uint64_t skipped;

	if (!long_before(c, i / SEG_GROUP, first) ||
	    !marks_of(c, i / SEG_GROUP * SEG_GROUP, i % SEG_GROUP, marks,
		      &skipped) ||
	    !marks_of(c, i, n, marks, count))
		return false;
	if (*first > c->n_long - skipped - *count || *first > c->n_long ||
	    skipped + *count > c->n_long)
		return span__area_bad(&c->area);
	*first += skipped;
	return true;
}

bool span__tiers_range(const struct span__ints *c, uint64_t i, size_t n,
		       uint64_t *out, uint64_t marks[SEG_GROUP / 64])
{
	SPAN__SCRATCH uint64_t rests[SEG_GROUP];
	uint64_t first, count;
	const uint64_t *rest = rests;

	if (!find_rests(c, i, n, marks, &first, &count) ||
	    !span__ints_elements(c, c->data, i, c->width, n, out) ||
	    !span__ints_elements(c, c->rests, first, c->range_bits - c->width,
				 (size_t)count, rests))
		return false;
	for (size_t k = 0; k < n; k += 64)
		for (uint64_t m = marks[k / 64]; m; m &= m - 1)
			out[k + (unsigned)__builtin_ctzll(m)] |= *rest++
								 << c->width;
	return true;
}

/* Most quotients are short: what is before them does not matter then. */
bool span__tiers_get(const struct span__ints *c, uint64_t i, uint64_t *out)
{
	uint64_t marks[SEG_GROUP / 64], first, count, rest;

	if (!span__ints_element(c, c->data, i, c->width, out) ||
	    !span__ints_element(c, c->marks, i, 1, &count))
		return false;
	if (!count)
		return true;
	if (!find_rests(c, i, 1, marks, &first, &count) ||
	    !span__ints_element(c, c->rests, first, c->range_bits - c->width,
				&rest))
		return false;
	*out |= rest << c->width;
	return true;
}
