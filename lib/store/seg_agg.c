/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of aggregates, as span-store(5) draws them. */
#include "store/seg_agg.h"

#include <stdlib.h>

#include "store/seg_agg_sum.h"
#include "store/seg_varint.h"

#include "base/banned.h"

#define SUM_BITS 128u
#define MINUTES_MAX (UINT64_MAX / SEG_AGG_UNIT)

bool span__agg_info(const struct span__area *section,
		    struct span__agg_info *out)
{
	struct span__take t = {.area = section};
	uint64_t len, minutes;

	*out = (struct span__agg_info){0};
	if (!section->len)
		return false;
	len = span__take_varint(&t);
	if (t.failed || len > section->len - t.pos)
		return span__area_bad(section);
	out->whole = span__area_sub(section, t.pos, len);
	t.pos += len;
	if (t.pos == section->len)
		return true;
	minutes = span__take_varint(&t);
	if (t.failed || !minutes || minutes > MINUTES_MAX)
		return span__area_bad(section);
	out->width_ns = minutes * SEG_AGG_UNIT;
	out->buckets = span__area_sub(section, t.pos, section->len - t.pos);
	return true;
}

void span__agg_reader_init(struct span__agg_reader *r,
			   const struct span__area *area, uint64_t width_ns,
			   uint64_t n_types)
{
	*r = (struct span__agg_reader){
		.area = *area,
		.width_ns = width_ns,
		.n_types = n_types,
	};
}

/* The head of the next edge. */
static bool take_edge(struct span__agg_reader *r, struct span__take *t)
{
	uint64_t head = span__take_varint(t);
	uint64_t parent = span__take_varint(t);

	if (head & 1) {
		if (head != 1 || !r->started || !parent)
			return false;
		parent = parent > UINT32_MAX ? UINT64_MAX : parent + r->parent;
	} else {
		if (r->started && !head)
			return false;
		r->type += head >> 1;
	}
	r->parent = parent;
	r->started = true;
	r->bucket = 0;
	r->entries_left = r->width_ns ? span__take_varint(t) : 1;
	return r->type < r->n_types && r->entries_left &&
	       parent < SEG_PARENT_TYPE + r->n_types;
}

static bool take_sum(struct span__take *t, span__sum *out)
{
	span__sum v = 0;

	for (unsigned shift = 0; shift < SUM_BITS; shift += 7) {
		uint8_t b = span__take_byte(t);

		v |= (span__sum)(b & 0x7f) << shift;
		if (b < 0x80) {
			*out = v;
			return !t->failed;
		}
	}
	return false;
}

/* Room for N buckets. */
static bool make_room(struct span_sketch *s, size_t n)
{
	void *v;

	span_sketch_reset(s);
	if (n <= s->cap)
		return true;
	v = realloc(s->v, n * sizeof(*s->v));
	if (!v)
		return false;
	s->v = v;
	s->cap = n;
	return true;
}

/* The sketch, and in *LEAST what its calls take at least. */
static int take_sketch(struct span__agg_reader *r, struct span__take *t,
		       span__sum *least)
{
	uint64_t n = span__take_varint(t), bucket = 0;
	struct span_sketch *s = &r->sketch;

	*least = 0;
	if (!n || n > SPAN_SKETCH_BUCKETS)
		return SPAN_E_CORRUPT;
	if (!make_room(s, n))
		return SPAN_E_NOMEM;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t head = span__take_varint(t);
		uint64_t above = head & 1 ? span__take_varint(t) : 0;
		uint64_t count = head & 1 ? above + 2 : 1;

		if (t->failed || (i && head < 2) || above > UINT32_MAX - 2 ||
		    head >> 1 >= SPAN_SKETCH_BUCKETS - bucket)
			return SPAN_E_CORRUPT;
		bucket += head >> 1;
		*least +=
			(span__sum)span_sketch_lower((uint32_t)bucket) * count;
		s->v[i].bucket = (uint32_t)bucket;
		s->v[i].count = count;
		s->count += count;
	}
	s->n = n;
	return 0;
}

static int take_entry(struct span__agg_reader *r, struct span__take *t,
		      struct span__agg_entry *out)
{
	span__sum least, more;
	int rc;

	if (r->width_ns) {
		uint64_t step = span__take_varint(t);

		if (step > UINT64_MAX / r->width_ns - r->bucket)
			return SPAN_E_CORRUPT;
		r->bucket += step;
	}
	rc = take_sketch(r, t, &least);
	if (rc < 0)
		return rc;
	if (!take_sum(t, &more))
		return SPAN_E_CORRUPT;
	more = (more + least / r->scale) * r->scale;
	*out = (struct span__agg_entry){
		.parent = r->parent,
		.type = (uint32_t)r->type,
		.start_ns = r->bucket * r->width_ns,
		.calls = r->sketch.count,
		.sum_ns = (uint64_t)more,
		.sum_high = (uint64_t)(more >> 64),
		.sketch = &r->sketch,
	};
	r->entries_left--;
	return t->failed ? SPAN_E_CORRUPT : 1;
}

int span__agg_reader_next(struct span__agg_reader *r,
			  struct span__agg_entry *out, struct span_error *err)
{
	struct span__take t = {&r->area, r->pos, false, r->ok};
	int rc = SPAN_E_CORRUPT;

	if (!r->failed && r->pos == r->area.len && !r->entries_left)
		return 0;
	if (!r->pos)
		r->scale = span__take_varint(&t);
	if (!r->failed && r->scale && (r->entries_left || take_edge(r, &t)))
		rc = take_entry(r, &t, out);
	r->pos = t.pos;
	r->ok = t.ok;
	if (rc > 0)
		return rc;
	r->failed = true;
	if (rc == SPAN_E_NOMEM)
		return span_error_set(err, rc, "out of memory");
	span__area_bad(&r->area);
	return span_error_set(err, SPAN_E_CORRUPT, "damaged aggregates");
}

void span__agg_reader_release(struct span__agg_reader *r)
{
	span_sketch_release(&r->sketch);
}
