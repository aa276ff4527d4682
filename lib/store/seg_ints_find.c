/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wanted range of values becomes a range of quotients, and in each frame
 * one of codes; so values are compared as they are stored, and where a frame
 * is wholly in or out of the range its codes are not even unpacked.
 */
#include "store/seg_ints.h"

#include "base/scratch.h"
#include "store/seg_between.h"
#include "store/seg_ints_frame.h"

#include "base/banned.h"

#define CANDIDATES 16u /* of a group that are looked at one by one */

/* Numbers of a column that have no sign to vectors. */
#define PLAIN_MAX ((uint64_t)INT64_MAX)

static void set_bits(uint64_t *bits, uint64_t at, uint64_t n)
{
	for (uint64_t k; n; at += k, n -= k) {
		k = 64 - at % 64 < n ? 64 - at % 64 : n;
		bits[at / 64] |= span__bits_mask((unsigned)k) << at % 64;
	}
}

static void assign_bit(uint64_t *bits, uint64_t at, bool set)
{
	bits[at / 64] &= ~(1ull << at % 64);
	bits[at / 64] |= (uint64_t)set << at % 64;
}

/* A bit for each of N numbers of C, 64 at most, from LO to HI. */
static uint64_t between(const struct span__ints *c, const uint64_t *v, size_t n,
			uint64_t lo, uint64_t hi)
{
	return c->range > PLAIN_MAX ? span__between_any(v, n, lo, hi - lo)
				    : span__between(v, n, lo, hi - lo);
}

/* Set the bits, AT and on, of values from LO to HI. */
static void compare(const struct span__ints *c, const uint64_t *v, size_t n,
		    uint64_t lo, uint64_t hi, uint64_t *bits, uint64_t at)
{
	for (size_t k; n; v += k, n -= k, at += k) {
		k = 64 - at % 64 < n ? 64 - at % 64 : n;
		bits[at / 64] |= between(c, v, k, lo, hi) << at % 64;
	}
}

static uint64_t count_bits(const uint64_t *bits, size_t n)
{
	uint64_t count = 0;

	for (size_t k = 0; k < (n + 63) / 64; k++)
		count += span__bits_count(bits[k]);
	return count;
}

static void clear_bits(uint64_t *bits, size_t n)
{
	memset(bits, 0, (n + 63) / 64 * sizeof(*bits));
}

/* Quotients that are looked for, and which values. */
struct wanted {
	uint64_t lo, hi;
	uint64_t from, n;
	uint64_t *bits;
};

/* Values I to I + N - 1, of one frame. */
static void find_codes(const struct span__ints *c, const struct span__frame *f,
		       const struct wanted *w, uint64_t i, size_t n)
{
	uint64_t greatest = span__bits_mask(f->width);
	uint64_t lo, hi;
	SPAN__SCRATCH uint64_t codes[SEG_GROUP];

	if (w->hi < f->base)
		return;
	lo = w->lo > f->base ? w->lo - f->base : 0;
	hi = w->hi - f->base;
	if (lo > greatest)
		return;
	if (hi > greatest)
		hi = greatest;
	if (lo == 0 && hi == greatest) {
		set_bits(w->bits, i - w->from, n);
		return;
	}
	if (span__frame_codes(c, f, i, n, codes))
		compare(c, codes, n, lo, hi, w->bits, i - w->from);
}

/* Exceptions E to END - 1: their codes were compared as if they were values. */
static void correct(const struct span__ints *c, const struct span__frame *f,
		    const struct wanted *w, uint64_t e, uint64_t end)
{
	uint64_t at, quotient;

	for (; e < end && span__exception_get(c, f, e, &at, &quotient); e++)
		if (at - w->from < w->n)
			assign_bit(w->bits, at - w->from,
				   w->lo <= quotient && quotient <= w->hi);
}

/* The same where their codes are not in the range: most are nothing to do. */
static void add_exceptions(const struct span__ints *c,
			   const struct span__frame *f, const struct wanted *w,
			   uint64_t e, uint64_t end)
{
	SPAN__SCRATCH uint64_t quotients[64];
	uint64_t found;
	size_t k;

	for (; e < end; e += k) {
		k = end - e < 64 ? (size_t)(end - e) : 64;
		if (!span__ints_elements(c, c->quotients, e, c->range_bits, k,
					 quotients))
			return;
		found = between(c, quotients, k, w->lo, w->hi);
		for (; found; found &= found - 1) {
			uint64_t one = e + (unsigned)__builtin_ctzll(found);

			correct(c, f, w, one, one + 1);
		}
	}
}

/* Among values I to I + N - 1 of the frame. */
static void find_exceptions(const struct span__ints *c,
			    const struct span__frame *f, const struct wanted *w,
			    uint64_t i, size_t n)
{
	uint64_t mark = f->base + span__bits_mask(f->width);
	uint64_t e = f->exceptions, end = f->exceptions_end;

	if (e == end)
		return;
	if (i > f->first)
		e = span__frame_exception(c, f, i);
	if (i + n < f->end)
		end = span__frame_exception(c, f, i + n);
	if (mark >= w->lo && mark <= w->hi)
		correct(c, f, w, e, end);
	else
		add_exceptions(c, f, w, e, end);
}

static void find_frames(const struct span__ints *c, const struct wanted *w)
{
	uint64_t i = w->from, end = w->from + w->n, to;
	struct span__frame f;

	for (; i < end; i = to) {
		bool good = span__frame_of(c, i, &f);

		to = f.end < end ? f.end : end;
		if (!good)
			continue;
		for (uint64_t at = i, k; at < to; at += k) {
			k = to - at < SEG_GROUP ? to - at : SEG_GROUP;
			find_codes(c, &f, w, at, (size_t)k);
		}
		find_exceptions(c, &f, w, i, (size_t)(to - i));
	}
}

/*
 * One value among N of a group: their low bits are compared alone, and what is
 * left looked at. False when that is too much.
 */
static bool find_by_low_bits(const struct span__ints *c, const struct wanted *w,
			     uint64_t i, size_t n)
{
	uint64_t mark = w->lo & span__bits_mask(c->width), v, left;
	SPAN__SCRATCH uint64_t low[SEG_GROUP];
	uint64_t found[SEG_GROUP / 64] = {0};

	if (!span__ints_elements(c, c->data, i, c->width, n, low))
		return true;
	compare(c, low, n, mark, mark, found, 0);
	if (count_bits(found, n) > CANDIDATES)
		return false;
	for (size_t k = 0; k < n; k += 64)
		for (left = found[k / 64]; left; left &= left - 1) {
			uint64_t at = i + k + (unsigned)__builtin_ctzll(left);

			if (span__tiers_get(c, at, &v) && v == w->lo)
				set_bits(w->bits, at - w->from, 1);
		}
	return true;
}

static void find_tiers(const struct span__ints *c, const struct wanted *w)
{
	SPAN__SCRATCH uint64_t q[SEG_GROUP];
	uint64_t marks[SEG_GROUP / 64], i = w->from;
	size_t step;

	for (uint64_t n = w->n; n; i += step, n -= step) {
		step = SEG_GROUP - (size_t)(i % SEG_GROUP);
		if (step > n)
			step = (size_t)n;
		if (w->lo == w->hi && find_by_low_bits(c, w, i, step))
			continue;
		if (span__tiers_range(c, i, step, q, marks))
			compare(c, q, step, w->lo, w->hi, w->bits, i - w->from);
	}
}

uint64_t span__ints_find(const struct span__ints *c, uint64_t from, size_t n,
			 int64_t min, int64_t max, uint64_t *bits)
{
	struct wanted w = {.hi = c->range, .from = from, .n = n, .bits = bits};

	clear_bits(bits, n);
	if (from > c->n || n > c->n - from) {
		span__area_bad(&c->area);
		return 0;
	}
	if (!n || min > max || max < (int64_t)c->min || min > (int64_t)c->max)
		return 0;
	if (min <= (int64_t)c->min && max >= (int64_t)c->max) {
		set_bits(bits, 0, n);
		return n;
	}
	if (min > (int64_t)c->base)
		w.lo = ((uint64_t)min - c->base - 1) / c->scale + 1;
	if (max < (int64_t)c->max)
		w.hi = ((uint64_t)max - c->base) / c->scale;
	if (w.lo > w.hi)
		return 0;
	if (c->form == INTS_TIERS)
		find_tiers(c, &w);
	else
		find_frames(c, &w);
	return count_bits(bits, n);
}

static double from_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* Doubles that are stored as their bits. */
static uint64_t find_bits(const struct span__ints *c, uint64_t from, size_t n,
			  double min, double max, uint64_t *bits)
{
	SPAN__SCRATCH uint64_t v[SEG_GROUP];
	uint64_t count = 0;
	size_t k;

	for (size_t i = 0; i < n; i += k) {
		k = n - i < SEG_GROUP ? n - i : SEG_GROUP;
		span__ints_range(c, from + i, k, v);
		for (size_t j = 0; j < k; j++) {
			double x = from_bits(v[j]);

			if (!(x >= min && x <= max))
				continue;
			bits[(i + j) / 64] |= 1ull << (i + j) % 64;
			count++;
		}
	}
	return count;
}

/* 2^53, below which every whole number is a double. */
#define WHOLE 9007199254740992.0

/* The least number k for which k / SCALE is not below V, within 63 bits. */
static int64_t least_fraction(double v, double scale)
{
	double k = v * scale;

	if (k <= -WHOLE)
		return -INT64_MAX;
	if (k >= WHOLE)
		return INT64_MAX;
	/* The product was rounded: one less may do, or one more be needed. */
	for (int64_t i = (int64_t)k - 2;; i++)
		if ((double)i / scale >= v)
			return i;
}

uint64_t span__doubles_find(const struct span__ints *c, uint64_t from, size_t n,
			    double min, double max, uint64_t *bits)
{
	double scale;

	clear_bits(bits, n);
	if (from > c->n || n > c->n - from) {
		span__area_bad(&c->area);
		return 0;
	}
	if (!(min <= max))
		return 0;
	if (!c->decimals)
		return find_bits(c, from, n, min, max, bits);
	scale = span__decimals_scale(c->decimals);
	/* k / scale <= max is the same as -k / scale >= -max. */
	return span__ints_find(c, from, n, least_fraction(min, scale),
			       -least_fraction(-max, scale), bits);
}
