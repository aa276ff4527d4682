/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column is gone over three times: for its least and greatest value, for
 * the divisor, and, 512 values at a time, for how many bits the quotients
 * take, of which a count by number of bits says what each width would cost.
 * Then the sizes of all forms are known.
 */
#include "store/seg_ints_plan.h"

#include "base/banned.h"

#define PLACE_BITS 9u /* of an exception in a group */
#define SAMPLE 9u
#define TIERS_MIN 64u /* values */

static void divisor_init(struct span__divisor *d, uint64_t value)
{
	uint64_t odd, x;

	d->value = value;
	d->shift = (unsigned)__builtin_ctzll(value);
	odd = value >> d->shift;
	/* Each step doubles the bits that are right, of which 3 are. */
	x = odd;
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	d->inverse = x;
	d->limit = UINT64_MAX / odd;
}

static bool divides(const struct span__divisor *d, uint64_t v)
{
	return !(v & ((1ull << d->shift) - 1)) &&
	       span__divide(d, v) <= d->limit;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static void find_range(struct span__ints_plan *p)
{
	int64_t lo = (int64_t)p->v[0], hi = lo;

	for (size_t i = 1; i < p->n; i++) {
		int64_t x = (int64_t)p->v[i];

		lo = x < lo ? x : lo;
		hi = x > hi ? x : hi;
	}
	p->base = (uint64_t)lo;
	p->range = (uint64_t)hi - (uint64_t)lo;
}

static void find_scale(struct span__ints_plan *p)
{
	divisor_init(&p->scale, p->range);
	for (size_t i = 0; i < p->n && p->scale.value > 1; i++) {
		uint64_t d = p->v[i] - p->base;

		if (!divides(&p->scale, d))
			divisor_init(&p->scale,
				     common_divisor(p->scale.value, d));
	}
	p->range = span__divide(&p->scale, p->range);
	p->range_bits = span__bits_of(p->range);
}

void span__ints_quotients(const struct span__ints_plan *p, size_t i, size_t n,
			  uint64_t *out)
{
	const uint64_t *v = p->v + i;

	for (size_t k = 0; k < n; k++)
		out[k] = span__divide(&p->scale, v[k] - p->base);
}

/* Count by bits. Two counts take turns, so that no one waits for the other;
 * what is below BASE is found among those of all bits. */
static void count_widths(const uint64_t *q, size_t n, uint64_t base,
			 uint32_t counts[INTS_WIDTHS])
{
	uint32_t even[INTS_WIDTHS] = {0};
	size_t i;

	memset(counts, 0, INTS_WIDTHS * sizeof(*counts));
	for (i = 0; i + 1 < n; i += 2) {
		uint64_t a = q[i] - base + 1, b = q[i + 1] - base + 1;

		even[a && q[i] >= base ? span__bits_of(a) : 65]++;
		counts[b && q[i + 1] >= base ? span__bits_of(b) : 65]++;
	}
	if (i < n) {
		uint64_t a = q[i] - base + 1;

		even[a && q[i] >= base ? span__bits_of(a) : 65]++;
	}
	for (i = 0; i < INTS_WIDTHS; i++)
		counts[i] += even[i];
}

/*
 * The width that costs least when an exception costs COST bits more; returns
 * what all cost. Of BELOW values, which are below the base, and counted with
 * the longest, no width makes codes. Of width 0 all but the base are
 * exceptions.
 */
static uint64_t choose_width(struct span__frame_plan *f,
			     const uint32_t counts[INTS_WIDTHS], uint64_t n,
			     uint64_t max, uint64_t below, unsigned cost)
{
	unsigned full = span__bits_of(max), w = full;
	uint64_t exceptions = counts[INTS_WIDTHS - 1], best = UINT64_MAX;

	if (!below) {
		f->width = (uint8_t)full;
		f->n_exceptions = 0;
		best = n * full;
		exceptions = counts[full + 1];
		w--;
	}
	for (; w <= full; w--) {
		uint64_t bits;

		if (w)
			exceptions += counts[w + 1];
		bits = n * w + exceptions * cost;
		if (bits >= best)
			continue;
		best = bits;
		f->width = (uint8_t)w;
		f->n_exceptions = exceptions;
	}
	return best;
}

/*
 * Where most quotients lie far above the least one, the least one of these:
 * so that one clock that is wrong does not make all the others long. False:
 * they do not.
 */
static bool raised_base(const uint64_t *q, size_t n, uint64_t min,
			uint64_t *base)
{
	uint64_t s[SAMPLE], low, spread, floor;

	for (size_t k = 0; k < SAMPLE; k++) {
		uint64_t x = q[(2 * k + 1) * n / (2 * SAMPLE)];
		size_t i = k;

		for (; i && s[i - 1] > x; i--)
			s[i] = s[i - 1];
		s[i] = x;
	}
	low = s[2];
	spread = s[6] - low;
	if (low - min < 64 || (low - min) / 8 < spread)
		return false;
	floor = low - 4 * spread;
	*base = low;
	for (size_t i = 0; i < n; i++)
		if (q[i] >= floor && q[i] < *base)
			*base = q[i];
	return true;
}

/* The best frame for N quotients, few enough to look at again. */
static uint64_t plan_small(struct span__frame_plan *f, const uint64_t *q,
			   size_t n, unsigned cost)
{
	uint64_t min = UINT64_MAX, max = 0, best, bits, below = 0;
	uint32_t counts[INTS_WIDTHS];
	struct span__frame_plan raised;

	for (size_t i = 0; i < n; i++) {
		min = q[i] < min ? q[i] : min;
		max = q[i] > max ? q[i] : max;
	}
	count_widths(q, n, min, counts);
	f->base = min;
	best = choose_width(f, counts, n, max - min, 0, cost);
	if (n < 2 * SAMPLE || !raised_base(q, n, min, &raised.base) ||
	    (max - raised.base) >> 62)
		return best;
	for (size_t i = 0; i < n; i++)
		below += q[i] < raised.base;
	count_widths(q, n, raised.base, counts);
	bits = choose_width(&raised, counts, n, max - raised.base, below, cost);
	if (bits >= best)
		return best;
	*f = raised;
	return bits;
}

static void plan_group(struct span__ints_plan *p, const uint64_t *q, size_t n)
{
	struct span__frame_plan f;

	p->bits += plan_small(&f, q, n, PLACE_BITS + p->range_bits);
	span_buf_put(&p->groups, &f, sizeof(f));
	p->n_exceptions += f.n_exceptions;
	p->units += f.width;
}

/* What groups take, with their directory. */
static uint64_t groups_bits(const struct span__ints_plan *p)
{
	uint64_t entry = p->range_bits + span__bits_of(p->units) +
			 span__bits_of(p->n_exceptions);

	if (!p->groups.len || p->groups.failed)
		return UINT64_MAX;
	return p->bits + 64 +
	       entry * (p->groups.len / sizeof(struct span__frame_plan));
}

/* What two tiers take: the short quotients' bits, and whether they are all. */
static uint64_t tiers_bits(struct span__ints_plan *p,
			   const uint32_t counts[INTS_WIDTHS])
{
	uint64_t longer = counts[p->range_bits + 1], best = UINT64_MAX;
	uint64_t all = p->n + p->n / SEG_GROUP * span__bits_of(p->n) + 64;

	if (p->n < TIERS_MIN)
		return best;
	for (unsigned w = p->range_bits - 1; w; w--) {
		uint64_t bits;

		longer += counts[w + 1];
		bits = all + p->n * w + longer * (p->range_bits - w);
		if (bits >= best)
			continue;
		best = bits;
		p->tier = w;
	}
	return best;
}

void span__ints_plan(struct span__ints_plan *p, const uint64_t *v, size_t n)
{
	uint32_t counts[INTS_WIDTHS], all[INTS_WIDTHS] = {0};
	uint64_t q[SEG_GROUP], best, groups, tiers;
	unsigned cost;

	*p = (struct span__ints_plan){.v = v, .n = n};
	find_range(p);
	if (!p->range)
		return;
	find_scale(p);
	cost = span__bits_of(n - 1) + p->range_bits;
	for (size_t i = 0, k; i < n; i += k) {
		k = n - i < SEG_GROUP ? n - i : SEG_GROUP;
		span__ints_quotients(p, i, k, q);
		count_widths(q, k, 0, counts);
		for (unsigned j = 0; j < INTS_WIDTHS; j++)
			all[j] += counts[j];
		if (n > SEG_GROUP)
			plan_group(p, q, k);
	}
	p->form = INTS_FRAME;
	best = n > SEG_GROUP
		       ? choose_width(&p->frame, all, n, p->range, 0, cost)
		       : plan_small(&p->frame, q, n, cost);
	groups = groups_bits(p);
	tiers = tiers_bits(p, all);
	if (groups < best) {
		p->form = INTS_GROUPS;
		best = groups;
	}
	/* Reading tiers takes longer: not for less than a part in 32. */
	if (tiers < best - best / 32)
		p->form = INTS_TIERS;
}
