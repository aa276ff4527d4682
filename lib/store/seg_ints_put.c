/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_ints_plan.h"

#include "store/seg_ints_frame.h"
#include "store/seg_varint.h"

#include "base/banned.h"

static void put_head(struct span_buf *out, const struct span__ints_plan *p,
		     unsigned mark, uint64_t n_exceptions)
{
	bool raised = p->form == INTS_FRAME && p->frame.base;

	if (n_exceptions)
		mark |= INTS_HEAD_EXCEPTIONS;
	if (p->scale.value > 1)
		mark |= INTS_HEAD_SCALE;
	if (raised)
		mark |= INTS_HEAD_RAISED;
	span_buf_putc(out, (char)(mark | (unsigned)p->form));
	span__varint_put(out, span__fold(p->base));
	if (p->form == INTS_CONSTANT)
		return;
	span__varint_put(out, p->range);
	if (p->scale.value > 1)
		span__varint_put(out, p->scale.value);
	if (n_exceptions)
		span__varint_put(out, n_exceptions);
	if (raised)
		span__varint_put(out, p->frame.base);
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

static void put_codes(struct span__bits *b, const struct span__frame_plan *f,
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

		if (q[i] < f->base || (code >= mark && (f->width || code))) {
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

static void put_exceptions(struct span_buf *out,
			   const struct span__ints_plan *p,
			   struct exceptions *e, unsigned place_bits)
{
	if (e->places.len || e->places.failed) {
		put_numbers(out, &e->places, place_bits);
		put_numbers(out, &e->quotients, p->range_bits);
	}
	span_buf_release(&e->places);
	span_buf_release(&e->quotients);
}

static size_t group_len(const struct span__ints_plan *p, size_t first)
{
	return p->n - first < SEG_GROUP ? p->n - first : SEG_GROUP;
}

static void put_frame(struct span_buf *out, const struct span__ints_plan *p,
		      unsigned mark)
{
	uint64_t q[SEG_GROUP];
	struct exceptions e = {0};
	struct span__bits b;

	put_head(out, p, mark, p->frame.n_exceptions);
	span_buf_putc(out, (char)p->frame.width);
	if (!begin(&b, out, span__bits_len(p->n, p->frame.width)))
		return;
	for (size_t i = 0; i < p->n; i += SEG_GROUP) {
		size_t n = group_len(p, i);

		span__ints_quotients(p, i, n, q);
		put_codes(&b, &p->frame, q, n, i, &e);
	}
	end(&b, out);
	put_exceptions(out, p, &e, span__bits_of(p->n - 1));
}

static void put_directory(struct span_buf *out, const struct span__ints_plan *p)
{
	const struct span__frame_plan *f = (const void *)p->groups.p;
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

static void put_groups(struct span_buf *out, const struct span__ints_plan *p,
		       unsigned mark)
{
	const struct span__frame_plan *f = (const void *)p->groups.p;
	size_t last = p->groups.len / sizeof(*f) - 1;
	uint64_t q[SEG_GROUP];
	struct exceptions e = {0};
	struct span__bits b;

	put_head(out, p, mark, p->n_exceptions);
	span__varint_put(out, p->units);
	span_buf_putc(out, (char)f[last].width);
	put_directory(out, p);
	if (!begin(&b, out, p->units * 64))
		return;
	for (size_t g = 0; g <= last; g++) {
		size_t n = group_len(p, g * SEG_GROUP);

		span__ints_quotients(p, g * SEG_GROUP, n, q);
		put_codes(&b, &f[g], q, n, 0, &e);
	}
	end(&b, out);
	put_exceptions(out, p, &e, 9);
}

/* The marks of the longer quotients, and how many are before each group but
 * the first. Returns how many there are; their rests are added to RESTS. */
static uint64_t put_marks(struct span__bits *b, const struct span__ints_plan *p,
			  struct span_buf *before, struct span_buf *rests)
{
	uint64_t q[SEG_GROUP], group[SEG_GROUP], count = 0;

	for (size_t i = 0; i < p->n; i += SEG_GROUP) {
		size_t n = group_len(p, i), n_long = 0;

		if (i)
			span_buf_put(before, &count, sizeof(count));
		span__ints_quotients(p, i, n, q);
		for (size_t k = 0; k < n; k++) {
			uint64_t rest = q[k] >> p->tier;

			span__bits_put(b, rest != 0, 1);
			group[n_long] = rest;
			n_long += rest != 0;
		}
		span_buf_put(rests, group, n_long * sizeof(*group));
		count += n_long;
	}
	return count;
}

static void put_short(struct span_buf *out, const struct span__ints_plan *p)
{
	uint64_t q[SEG_GROUP], mask = span__bits_mask(p->tier);
	struct span__bits b;

	if (!begin(&b, out, span__bits_len(p->n, p->tier)))
		return;
	for (size_t i = 0; i < p->n; i += SEG_GROUP) {
		size_t n = group_len(p, i);

		span__ints_quotients(p, i, n, q);
		for (size_t k = 0; k < n; k++)
			span__bits_put(&b, q[k] & mask, p->tier);
	}
	end(&b, out);
}

static void put_tiers(struct span_buf *out, const struct span__ints_plan *p,
		      unsigned mark)
{
	struct span_buf marks = {0}, before = {0}, rests = {0};
	struct span__bits b;
	uint64_t count;

	put_head(out, p, mark, 0);
	if (begin(&b, &marks, span__bits_len(p->n, 1))) {
		count = put_marks(&b, p, &before, &rests);
		end(&b, &marks);
		span_buf_putc(out, (char)p->tier);
		span__varint_put(out, count);
		put_numbers(out, &before, span__bits_of(count));
		span_buf_put(out, marks.p, marks.len);
		put_short(out, p);
		put_numbers(out, &rests, p->range_bits - p->tier);
	}
	out->failed |= marks.failed;
	span_buf_release(&marks);
	span_buf_release(&before);
	span_buf_release(&rests);
}

static void put_form(struct span_buf *out, const struct span__ints_plan *p,
		     unsigned mark)
{
	switch (p->form) {
	case INTS_CONSTANT:
		put_head(out, p, mark, 0);
		break;
	case INTS_FRAME:
		put_frame(out, p, mark);
		break;
	case INTS_GROUPS:
		put_groups(out, p, mark);
		break;
	case INTS_TIERS:
		put_tiers(out, p, mark);
		break;
	}
}

void span__ints_put_marked(struct span_buf *out, const uint64_t *v, size_t n,
			   uint8_t mark)
{
	struct span__ints_plan p;

	if (!n)
		return;
	span__ints_plan(&p, v, n);
	put_form(out, &p, mark);
	out->failed |= p.groups.failed;
	span_buf_release(&p.groups);
}

void span__ints_put(struct span_buf *out, const uint64_t *v, size_t n)
{
	span__ints_put_marked(out, v, n, 0);
}
