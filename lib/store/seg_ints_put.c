/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column is gone over three times: for its least and greatest value, for
 * the divisor, and, 512 values at a time, for how many bits the quotients
 * take, of which a count by number of bits says what each width would cost.
 * Then both forms' sizes are known and one of them is written.
 */
#include "store/seg_ints.h"

#include "store/seg_bits.h"
#include "store/seg_ints_frame.h"
#include "store/seg_varint.h"

#include "base/banned.h"

/* What a quotient needs as a code below the mark: bits of (quotient + 1). */
#define WIDTHS 66u

/* Division by a number that is known to divide: a shift and a product. */
struct divisor {
	uint64_t value, inverse, limit;
	unsigned shift;
};

struct frame {
	uint64_t base; /* quotient */
	uint64_t n_exceptions;
	uint8_t width;
};

struct plan {
	const uint64_t *v;
	size_t n;
	uint64_t base, range;
	struct divisor scale;
	uint8_t mark; /* bits of the head that the caller sets */
	unsigned range_bits;
	struct frame whole;
	struct span_buf groups;		    /* struct frame */
	uint64_t n_exceptions, units, bits; /* of the groups */
	uint32_t counts[WIDTHS];
};

static void divisor_init(struct divisor *d, uint64_t value)
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

static uint64_t divide(const struct divisor *d, uint64_t v)
{
	return (v >> d->shift) * d->inverse;
}

static bool divides(const struct divisor *d, uint64_t v)
{
	return !(v & ((1ull << d->shift) - 1)) && divide(d, v) <= d->limit;
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

static void find_range(const uint64_t *v, size_t n, int64_t *min, int64_t *max)
{
	int64_t lo = (int64_t)v[0], hi = lo;

	for (size_t i = 1; i < n; i++) {
		int64_t x = (int64_t)v[i];

		lo = x < lo ? x : lo;
		hi = x > hi ? x : hi;
	}
	*min = lo;
	*max = hi;
}

static void find_scale(struct plan *p)
{
	divisor_init(&p->scale, p->range);
	for (size_t i = 0; i < p->n && p->scale.value > 1; i++) {
		uint64_t d = p->v[i] - p->base;

		if (!divides(&p->scale, d))
			divisor_init(&p->scale,
				     common_divisor(p->scale.value, d));
	}
	p->range = divide(&p->scale, p->range);
	p->range_bits = span__bits_of(p->range);
}

/* The quotients of N values; the greatest is returned, *MIN the least. */
static uint64_t quotients(const struct plan *p, const uint64_t *v, size_t n,
			  uint64_t *out, uint64_t *min)
{
	uint64_t lo = UINT64_MAX, hi = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t q = divide(&p->scale, v[i] - p->base);

		out[i] = q;
		lo = q < lo ? q : lo;
		hi = q > hi ? q : hi;
	}
	*min = lo;
	return hi;
}

/* Count by bits. Two counts take turns, so that no one waits for the other. */
static void count_widths(const uint64_t *q, size_t n, uint64_t base,
			 uint32_t counts[WIDTHS])
{
	uint32_t even[WIDTHS] = {0};
	size_t i;

	memset(counts, 0, WIDTHS * sizeof(*counts));
	for (i = 0; i + 1 < n; i += 2) {
		uint64_t a = q[i] - base + 1, b = q[i + 1] - base + 1;

		even[a ? span__bits_of(a) : 65]++;
		counts[b ? span__bits_of(b) : 65]++;
	}
	if (i < n) {
		uint64_t a = q[i] - base + 1;

		even[a ? span__bits_of(a) : 65]++;
	}
	for (i = 0; i < WIDTHS; i++)
		counts[i] += even[i];
}

/*
 * The width that costs least when an exception costs COST bits more. Of width
 * 0 all but the least value are exceptions.
 */
static void choose_width(struct frame *f, const uint32_t counts[WIDTHS],
			 uint64_t n, uint64_t max, unsigned cost)
{
	unsigned full = span__bits_of(max);
	uint64_t exceptions, best = n * full;

	f->width = (uint8_t)full;
	f->n_exceptions = 0;
	if (!full)
		return;
	exceptions = counts[full + 1];
	for (unsigned w = full - 1; w < full; w--) {
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
}

static size_t group_len(const struct plan *p, size_t first)
{
	return p->n - first < SEG_GROUP ? p->n - first : SEG_GROUP;
}

static void plan_group(struct plan *p, const uint64_t *q, size_t n,
		       uint64_t min, uint64_t max)
{
	uint32_t counts[WIDTHS];
	struct frame f = {.base = min};

	count_widths(q, n, min, counts);
	choose_width(&f, counts, n, max - min, 9 + p->range_bits);
	span_buf_put(&p->groups, &f, sizeof(f));
	p->n_exceptions += f.n_exceptions;
	p->units += f.width;
	p->bits += n * f.width + f.n_exceptions * (9 + p->range_bits);
}

static void plan_frames(struct plan *p)
{
	uint64_t q[SEG_GROUP], min, max;
	uint32_t counts[WIDTHS];

	for (size_t i = 0; i < p->n; i += SEG_GROUP) {
		size_t n = group_len(p, i);

		max = quotients(p, p->v + i, n, q, &min);
		count_widths(q, n, 0, counts);
		for (unsigned k = 0; k < WIDTHS; k++)
			p->counts[k] += counts[k];
		if (p->n > SEG_GROUP)
			plan_group(p, q, n, min, max);
	}
	choose_width(&p->whole, p->counts, p->n, p->range,
		     span__bits_of(p->n - 1) + p->range_bits);
}

static void put_head(struct span_buf *out, const struct plan *p,
		     enum span__ints_form form, uint64_t n_exceptions)
{
	span_buf_putc(out, (char)(form | p->mark | (n_exceptions ? 0x40 : 0) |
				  (p->scale.value > 1 ? 0x04 : 0)));
	span__varint_put(out, span__fold(p->base));
	if (form == INTS_CONSTANT)
		return;
	span__varint_put(out, p->range);
	if (p->scale.value > 1)
		span__varint_put(out, p->scale.value);
	if (n_exceptions)
		span__varint_put(out, n_exceptions);
}

static bool begin(struct span__bits *b, struct span_buf *out, uint64_t len)
{
	*b = (struct span__bits){
		.p = (uint8_t *)span_buf_reserve(out, (size_t)len + 8),
	};
	return b->p;
}

static void end(struct span__bits *b, struct span_buf *out)
{
	span__bits_flush(b);
	out->len = (size_t)(b->p - (uint8_t *)out->p);
}

/* The exceptions of a frame, added to those of the frames before it. */
struct exceptions {
	struct span_buf places, quotients;
};

static void put_codes(struct span__bits *b, const struct frame *f,
		      const uint64_t *q, size_t n, uint64_t first,
		      struct exceptions *e)
{
	uint64_t mark = span__bits_mask(f->width);

	if (!f->n_exceptions) {
		for (size_t i = 0; i < n; i++)
			span__bits_put(b, q[i] - f->base, f->width);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t code = q[i] - f->base, place = first + i;

		if (code >= mark && (f->width || code)) {
			span_buf_put(&e->places, &place, sizeof(place));
			span_buf_put(&e->quotients, &q[i], sizeof(q[i]));
			code = mark;
		}
		span__bits_put(b, code, f->width);
	}
}

static void put_numbers(struct span_buf *out, const struct span_buf *v,
			unsigned width)
{
	size_t n = v->len / sizeof(uint64_t);
	const uint64_t *p = (const uint64_t *)(const void *)v->p;
	struct span__bits b;

	out->failed |= v->failed;
	if (!begin(&b, out, span__bits_len(n, width)))
		return;
	for (size_t i = 0; i < n; i++)
		span__bits_put(&b, p[i], width);
	end(&b, out);
}

static void put_exceptions(struct span_buf *out, const struct plan *p,
			   struct exceptions *e, unsigned place_bits)
{
	if (e->places.len || e->places.failed) {
		put_numbers(out, &e->places, place_bits);
		put_numbers(out, &e->quotients, p->range_bits);
	}
	span_buf_release(&e->places);
	span_buf_release(&e->quotients);
}

static void put_frame(struct span_buf *out, const struct plan *p)
{
	uint64_t q[SEG_GROUP], min;
	struct exceptions e = {0};
	struct span__bits b;

	put_head(out, p, INTS_FRAME, p->whole.n_exceptions);
	span_buf_putc(out, (char)p->whole.width);
	if (!begin(&b, out, span__bits_len(p->n, p->whole.width)))
		return;
	for (size_t i = 0; i < p->n; i += SEG_GROUP) {
		size_t n = group_len(p, i);

		quotients(p, p->v + i, n, q, &min);
		put_codes(&b, &p->whole, q, n, i, &e);
	}
	end(&b, out);
	put_exceptions(out, p, &e, span__bits_of(p->n - 1));
}

static void put_directory(struct span_buf *out, const struct plan *p)
{
	const struct frame *f = (const void *)p->groups.p;
	size_t n = p->groups.len / sizeof(*f);
	unsigned end_bits = span__bits_of(p->units);
	unsigned exception_bits = span__bits_of(p->n_exceptions);
	uint64_t at = 0;
	struct span__bits b;

	if (!begin(&b, out,
		   24 + n * (p->range_bits + end_bits + exception_bits) / 8))
		return;
	for (size_t i = 0; i < n; i++)
		span__bits_put(&b, f[i].base, p->range_bits);
	span__bits_flush(&b);
	for (size_t i = 0; i < n; at += f[i++].width)
		span__bits_put(&b, at, end_bits);
	span__bits_flush(&b);
	at = 0;
	for (size_t i = 0; i < n; at += f[i++].n_exceptions)
		span__bits_put(&b, at, exception_bits);
	end(&b, out);
}

static void put_groups(struct span_buf *out, const struct plan *p)
{
	const struct frame *f = (const void *)p->groups.p;
	size_t last = p->groups.len / sizeof(*f) - 1;
	uint64_t q[SEG_GROUP], min;
	struct exceptions e = {0};
	struct span__bits b;

	put_head(out, p, INTS_GROUPS, p->n_exceptions);
	span__varint_put(out, p->units);
	span_buf_putc(out, (char)f[last].width);
	put_directory(out, p);
	if (!begin(&b, out, p->units * 64))
		return;
	for (size_t g = 0; g <= last; g++) {
		size_t n = group_len(p, g * SEG_GROUP);

		quotients(p, p->v + g * SEG_GROUP, n, q, &min);
		put_codes(&b, &f[g], q, n, 0, &e);
	}
	end(&b, out);
	put_exceptions(out, p, &e, 9);
}

/* Bits of the groups' form, and whether it is the smaller one. */
static bool groups_pay(const struct plan *p)
{
	uint64_t place = span__bits_of(p->n - 1) + p->range_bits;
	uint64_t frame = p->n * p->whole.width + p->whole.n_exceptions * place;
	uint64_t entry = p->range_bits + span__bits_of(p->units) +
			 span__bits_of(p->n_exceptions);

	return p->groups.len && !p->groups.failed &&
	       p->bits + entry * (p->groups.len / sizeof(struct frame)) + 64 <
		       frame;
}

void span__ints_put_marked(struct span_buf *out, const uint64_t *v, size_t n,
			   uint8_t mark)
{
	struct plan p = {.v = v, .n = n, .mark = mark};
	int64_t min, max;

	if (!n)
		return;
	find_range(v, n, &min, &max);
	p.base = (uint64_t)min;
	p.range = (uint64_t)max - (uint64_t)min;
	if (!p.range) {
		put_head(out, &p, INTS_CONSTANT, 0);
		return;
	}
	find_scale(&p);
	plan_frames(&p);
	if (groups_pay(&p))
		put_groups(out, &p);
	else
		put_frame(out, &p);
	out->failed |= p.groups.failed;
	span_buf_release(&p.groups);
}

void span__ints_put(struct span_buf *out, const uint64_t *v, size_t n)
{
	span__ints_put_marked(out, v, n, 0);
}
