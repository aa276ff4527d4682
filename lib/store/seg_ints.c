/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing that a column says is believed before it was compared with the
 * length of the area, so that every offset that is computed later fits; what
 * lies in the directory of the groups is compared when it is used.
 */
#include "store/seg_ints.h"

#include "store/seg_bits.h"
#include "store/seg_ints_frame.h"
#include "store/seg_varint.h"

#include "base/banned.h"

/* Room for N elements of W bits at *POS, which is moved behind them. */
static bool lay(const struct span__ints *c, uint64_t *pos, uint64_t n,
		unsigned w, uint64_t *begin)
{
	uint64_t left = c->area.len - *pos;

	*begin = *pos;
	if (w && n / 8 > left / w)
		return false;
	if (w && span__bits_len(n, w) > left)
		return false;
	*pos += w ? span__bits_len(n, w) : 0;
	return true;
}

static bool open_groups(struct span__ints *c, struct span__take *t,
			uint64_t *len)
{
	uint64_t n = (c->n - 1) / SEG_GROUP + 1;
	uint64_t units = span__take_varint(t);
	uint8_t last = span__take_byte(t);

	if (t->failed || last > 64 || units < last ||
	    units > c->area.len / 64 + last)
		return false;
	c->n_groups = n;
	c->data_end = units;
	c->end_bits = (uint8_t)span__bits_of(units);
	c->exception_bits = (uint8_t)span__bits_of(c->n_exceptions);
	c->pos_bits = 9;
	*len = (units - last) * 64 +
	       span__bits_len((c->n - 1) % SEG_GROUP + 1, last);
	return lay(c, &t->pos, n, c->range_bits, &c->group_base) &&
	       lay(c, &t->pos, n, c->end_bits, &c->group_data) &&
	       lay(c, &t->pos, n, c->exception_bits, &c->group_exceptions);
}

static bool open_frame(struct span__ints *c, struct span__take *t,
		       uint64_t *len)
{
	uint64_t begin, pos;

	c->width = span__take_byte(t);
	c->pos_bits = (uint8_t)span__bits_of(c->n - 1);
	pos = t->pos;
	if (t->failed || c->width > 64 || (!c->width && !c->n_exceptions) ||
	    !lay(c, &pos, c->n, c->width, &begin))
		return false;
	*len = pos - begin;
	return true;
}

static bool open_tiers(struct span__ints *c, struct span__take *t,
		       uint64_t *len)
{
	uint64_t begin, pos;

	c->width = span__take_byte(t);
	c->n_long = span__take_varint(t);
	if (t->failed || !c->width || c->width >= c->range_bits ||
	    c->n_long > c->n || c->n_exceptions ||
	    !lay(c, &t->pos, (c->n - 1) / SEG_GROUP, span__bits_of(c->n_long),
		 &c->before) ||
	    !lay(c, &t->pos, c->n, 1, &c->marks))
		return false;
	pos = t->pos;
	if (!lay(c, &pos, c->n, c->width, &begin))
		return false;
	*len = pos - begin;
	return true;
}

static bool open_form(struct span__ints *c, struct span__take *t, uint64_t *len)
{
	switch (c->form) {
	case INTS_FRAME:
		return open_frame(c, t, len);
	case INTS_GROUPS:
		return open_groups(c, t, len);
	default:
		return open_tiers(c, t, len);
	}
}

/* What lies behind the first two fields, of a column that is no constant. */
static bool open_frames(struct span__ints *c, struct span__take *t,
			unsigned head)
{
	uint64_t room = (uint64_t)INT64_MAX - c->base, len;

	c->range = span__take_varint(t);
	if (head & INTS_HEAD_SCALE)
		c->scale = span__take_varint(t);
	if (head & INTS_HEAD_EXCEPTIONS)
		c->n_exceptions = span__take_varint(t);
	if (head & INTS_HEAD_RAISED)
		c->frame_base = span__take_varint(t);
	if (t->failed || !c->range || !c->scale || c->frame_base > c->range ||
	    (c->frame_base && c->form != INTS_FRAME) ||
	    c->range > room / c->scale || c->n_exceptions > c->n)
		return false;
	c->max = c->base + c->range * c->scale;
	c->range_bits = (uint8_t)span__bits_of(c->range);
	if (!open_form(c, t, &len) || len > c->area.len - t->pos)
		return false;
	c->data = t->pos;
	t->pos += len;
	if (c->form == INTS_TIERS)
		return lay(c, &t->pos, c->n_long, c->range_bits - c->width,
			   &c->rests);
	return lay(c, &t->pos, c->n_exceptions, c->pos_bits, &c->places) &&
	       lay(c, &t->pos, c->n_exceptions, c->range_bits, &c->quotients);
}

bool span__ints_open(struct span__ints *c, const struct span__area *area,
		     uint64_t n, uint64_t *used)
{
	struct span__take t = {.area = area};
	unsigned head;

	*c = (struct span__ints){.area = *area, .n = n, .scale = 1};
	if (used)
		*used = 0;
	if (!n)
		return true;
	head = span__take_byte(&t);
	c->form = head & INTS_HEAD_FORM;
	c->decimals = head >> INTS_HEAD_DECIMALS & 7;
	c->base = c->min = c->max = span__unfold(span__take_varint(&t));
	if (t.failed ||
	    (c->form != INTS_CONSTANT && !open_frames(c, &t, head))) {
		*c = (struct span__ints){.area = {NULL, 0, area->file}};
		return span__area_bad(area);
	}
	if (used)
		*used = t.pos;
	return true;
}

/*
 * Elements G and G + 1 of an array, together where they fit; there is no
 * element behind the last group, whose END is known.
 */
static bool bounds_of(const struct span__ints *c, uint64_t pos, uint64_t g,
		      unsigned w, uint64_t *begin, uint64_t *end)
{
	unsigned shift = (unsigned)(g % 8 * w % 8);
	uint64_t both;

	if (g + 1 == c->n_groups)
		return span__ints_element(c, pos, g, w, begin);
	if (w > 28 || !w)
		return span__ints_element(c, pos, g, w, begin) &&
		       span__ints_element(c, pos, g + 1, w, end);
	pos += g / 8 * w + g % 8 * w / 8;
	if (!span__area_ok(&c->area, pos, (shift + 2 * w + 7) / 8))
		return false;
	both = span__bits_read(c->area.p, c->area.len, pos, shift, 2 * w);
	*begin = both & span__bits_mask(w);
	*end = both >> w;
	return true;
}

static bool group_codes(const struct span__ints *c, uint64_t g,
			struct span__frame *f)
{
	uint64_t begin, end = c->data_end;

	f->first = g * SEG_GROUP;
	f->end = g + 1 == c->n_groups ? c->n : f->first + SEG_GROUP;
	if (!span__ints_element(c, c->group_base, g, c->range_bits, &f->base) ||
	    !bounds_of(c, c->group_data, g, c->end_bits, &begin, &end))
		return false;
	if (begin > end || end > c->data_end || end - begin > 64)
		return span__area_bad(&c->area);
	f->width = (uint8_t)(end - begin);
	f->pos = c->data + begin * 64;
	return true;
}

static bool group_exceptions(const struct span__ints *c, uint64_t g,
			     struct span__frame *f)
{
	f->exceptions = 0;
	f->exceptions_end = c->n_exceptions;
	if (!c->n_exceptions)
		return true;
	if (!bounds_of(c, c->group_exceptions, g, c->exception_bits,
		       &f->exceptions, &f->exceptions_end))
		return false;
	if (f->exceptions > f->exceptions_end ||
	    f->exceptions_end > c->n_exceptions)
		return span__area_bad(&c->area);
	return true;
}

bool span__frame_of(const struct span__ints *c, uint64_t i,
		    struct span__frame *f)
{
	*f = (struct span__frame){
		.end = c->n,
		.base = c->frame_base,
		.pos = c->data,
		.exceptions_end = c->n_exceptions,
		.width = c->width,
	};
	return c->form == INTS_FRAME || (group_codes(c, i / SEG_GROUP, f) &&
					 group_exceptions(c, i / SEG_GROUP, f));
}

bool span__frame_codes(const struct span__ints *c, const struct span__frame *f,
		       uint64_t i, size_t n, uint64_t *out)
{
	return span__ints_elements(c, f->pos, i - f->first, f->width, n, out);
}

uint64_t span__frame_exception(const struct span__ints *c,
			       const struct span__frame *f, uint64_t i)
{
	uint64_t from = f->exceptions, to = f->exceptions_end, place;

	while (from < to) {
		uint64_t mid = from + (to - from) / 2;

		if (!span__ints_element(c, c->places, mid, c->pos_bits, &place))
			return f->exceptions_end;
		if (place < i - f->first)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool span__exception_get(const struct span__ints *c,
			 const struct span__frame *f, uint64_t e, uint64_t *i,
			 uint64_t *quotient)
{
	uint64_t place;

	if (e >= f->exceptions_end ||
	    !span__ints_element(c, c->places, e, c->pos_bits, &place) ||
	    !span__ints_element(c, c->quotients, e, c->range_bits, quotient))
		return false;
	*i = f->first + place;
	return true;
}

/* The quotient of a value whose code is the mark. */
static bool exception_at(const struct span__ints *c,
			 const struct span__frame *f, uint64_t i,
			 uint64_t *quotient)
{
	uint64_t e = span__frame_exception(c, f, i), at;

	if (span__exception_get(c, f, e, &at, quotient) && at == i)
		return true;
	/* Of width 0 only exceptions are listed. */
	*quotient = f->base;
	return !f->width || span__area_bad(&c->area);
}

/* Where its group's exceptions are is read only where there may be one. */
static bool grouped_quotient(const struct span__ints *c, uint64_t i,
			     uint64_t *out)
{
	struct span__frame f;
	uint64_t code;

	if (!group_codes(c, i / SEG_GROUP, &f) ||
	    !span__ints_element(c, f.pos, i - f.first, f.width, &code))
		return false;
	*out = f.base + code;
	if (!c->n_exceptions || code != span__bits_mask(f.width))
		return true;
	if (!group_exceptions(c, i / SEG_GROUP, &f))
		return false;
	return f.exceptions == f.exceptions_end || exception_at(c, &f, i, out);
}

static bool quotient_at(const struct span__ints *c, uint64_t i, uint64_t *out)
{
	struct span__frame f;
	uint64_t code;

	if (c->form == INTS_TIERS)
		return span__tiers_get(c, i, out);
	if (c->form == INTS_GROUPS)
		return grouped_quotient(c, i, out);
	if (!span__ints_element(c, c->data, i, c->width, &code))
		return false;
	*out = c->frame_base + code;
	if (!c->n_exceptions || code != span__bits_mask(c->width))
		return true;
	return span__frame_of(c, i, &f) && exception_at(c, &f, i, out);
}

uint64_t span__ints_get(const struct span__ints *c, uint64_t i)
{
	uint64_t v = c->base, quotient;

	if (i >= c->n) {
		span__area_bad(&c->area);
		return 0;
	}
	if (c->form != INTS_CONSTANT) {
		if (!quotient_at(c, i, &quotient))
			return 0;
		v += quotient * c->scale;
	}
	if (c->decimals)
		span__decimals_restore(c->decimals, &v, 1);
	return v;
}

/* Quotients into values. */
static void multiply(uint64_t *v, size_t n, uint64_t base, uint64_t scale)
{
	if (scale == 1)
		for (size_t k = 0; k < n; k++)
			v[k] += base;
	else
		for (size_t k = 0; k < n; k++)
			v[k] = v[k] * scale + base;
}

/* Values of one frame. */
static bool frame_range(const struct span__ints *c, const struct span__frame *f,
			uint64_t i, size_t n, uint64_t *out)
{
	uint64_t base = c->base + f->base * c->scale, at, quotient, mark;

	if (!span__frame_codes(c, f, i, n, out))
		return false;
	multiply(out, n, base, c->scale);
	if (f->exceptions == f->exceptions_end)
		return true;
	mark = base + span__bits_mask(f->width) * c->scale;
	for (uint64_t e = span__frame_exception(c, f, i);
	     span__exception_get(c, f, e, &at, &quotient) && at - i < n; e++) {
		if (out[at - i] != mark)
			span__area_bad(&c->area);
		out[at - i] = c->base + quotient * c->scale;
	}
	return true;
}

static bool tiers_range(const struct span__ints *c, uint64_t i, size_t n,
			uint64_t *out)
{
	uint64_t marks[SEG_GROUP / 64];

	if (!span__tiers_range(c, i, n, out, marks))
		return false;
	multiply(out, n, c->base, c->scale);
	return true;
}

static void fill(uint64_t *out, size_t n, uint64_t v)
{
	for (size_t k = 0; k < n; k++)
		out[k] = v;
}

/* Values I to I + N - 1, which are no constant, a group at a time, of which
 * the nearest cache holds all. */
static void range(const struct span__ints *c, uint64_t i, size_t n,
		  uint64_t *out)
{
	struct span__frame f = {0};
	size_t step;

	for (; n; i += step, out += step, n -= step) {
		bool good = true;

		step = SEG_GROUP - (size_t)(i % SEG_GROUP);
		if (step > n)
			step = n;
		if (c->form == INTS_TIERS)
			good = tiers_range(c, i, step, out);
		else
			good = (i < f.end || span__frame_of(c, i, &f)) &&
			       frame_range(c, &f, i, step, out);
		if (!good)
			fill(out, step, 0);
		else if (c->decimals)
			span__decimals_restore(c->decimals, out, step);
	}
}

void span__ints_range(const struct span__ints *c, uint64_t i, size_t n,
		      uint64_t *out)
{
	if (i > c->n || n > c->n - i) {
		span__area_bad(&c->area);
		fill(out, n, 0);
	} else if (c->form == INTS_CONSTANT) {
		fill(out, n, c->base);
		span__decimals_restore(c->decimals, out, n);
	} else {
		range(c, i, n, out);
	}
}

uint64_t span__ints_upper(const struct span__ints *c, uint64_t x)
{
	uint64_t from = 0, to = c->n;

	while (from < to) {
		uint64_t mid = from + (to - from) / 2;

		if (span__ints_get(c, mid) > x)
			to = mid;
		else
			from = mid + 1;
	}
	return from;
}

bool span__ints_constant(const struct span__ints *c, uint64_t *v)
{
	if (!c->n || c->form != INTS_CONSTANT)
		return false;
	*v = span__ints_get(c, 0);
	return true;
}
