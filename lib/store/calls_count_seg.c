/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of a segment: from its aggregates where their buckets lie within
 * the buckets that are asked for, else, and where types do not name their
 * spans, from the columns. What aggregates count as absent parents is put
 * right for those orphans whose parents are in other files.
 */
#include "store/calls_count.h"

#include <stdlib.h>
#include <string.h>

#include "store/seg_agg.h"

#include "base/banned.h"

struct counting {
	struct span__calls_counter *c;
	struct span__seg *seg;
	/* Starts from lo to hi are covered by aggregates of this area. */
	bool covers;
	uint64_t lo, hi, width_ns;
	struct span__area area;
	struct span_buf found; /* orphans with parents in other files */
	uint8_t *touched;      /* one a name: it has some that are covered */
	size_t n_touched;
	uint64_t next; /* trace that was not looked at: blocks may overlap */
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

static bool covered(const struct counting *w, uint64_t start_ns)
{
	return w->covers && start_ns >= w->lo && start_ns <= w->hi;
}

/* Those of whole buckets that lie in the range. */
static void cover_buckets(struct counting *w, const struct span__agg_info *info)
{
	const struct span__calls_sink *s = &w->c->sink;
	uint64_t width = info->width_ns, end;

	if (!width || s->width_ns % width ||
	    (s->width_ns && s->since_ns % width))
		return;
	w->lo = s->since_ns / width * width;
	if (w->lo < s->since_ns && __builtin_add_overflow(w->lo, width, &w->lo))
		return;
	end = s->last_ns == UINT64_MAX ? 0 : (s->last_ns + 1) / width * width;
	if (!end && s->last_ns != UINT64_MAX)
		return;
	w->hi = end - 1;
	w->covers = w->lo <= w->hi;
	w->area = info->buckets;
	w->width_ns = width;
}

static void plan(struct counting *w)
{
	struct span__area section =
		span__seg_area(&w->seg->file, SEG_AGGREGATES);
	const struct span__seg_header *h = &w->seg->file.header;
	const struct span__calls_sink *s = &w->c->sink;
	struct span__agg_info info;

	if (!span__agg_info(&section, &info))
		return;
	if (!span__calls_in(s, h->sum.min_start_ns) ||
	    !span__calls_in(s, h->max_start_ns) ||
	    span__calls_bucket(s, h->sum.min_start_ns) !=
		    span__calls_bucket(s, h->max_start_ns)) {
		cover_buckets(w, &info);
		return;
	}
	w->covers = true;
	w->hi = UINT64_MAX;
	w->area = info.whole;
}

/* ---- orphans ---- */

static const struct span__orphan *found(const struct counting *w, size_t *n)
{
	*n = w->found.len / sizeof(struct span__orphan);
	return (const struct span__orphan *)(const void *)w->found.p;
}

/* Take out those that aggregates count as absent. */
static int take_found(struct counting *w, struct span_error *err)
{
	size_t n;
	const struct span__orphan *v = found(w, &n);
	int rc = 0;

	w->n_touched = w->c->names->n;
	w->touched = calloc(w->n_touched + 1, 1);
	if (!w->touched)
		return out_of_memory(err);
	for (size_t i = 0; i < n && !rc; i++) {
		if (v[i].loose || !covered(w, v[i].start_ns))
			continue;
		w->touched[v[i].name] = 1;
		rc = span__calls_groups_take(w->c->groups, CALLS_ABSENT,
					     v[i].name, v[i].start_ns,
					     v[i].duration_ns, err);
	}
	return rc;
}

/* And count them as what they are. */
static int add_found(struct counting *w, struct span_error *err)
{
	size_t n;
	const struct span__orphan *v = found(w, &n);
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		if (!v[i].loose && covered(w, v[i].start_ns))
			rc = span__calls_groups_add(w->c->groups, v[i].parent,
						    v[i].name, v[i].start_ns,
						    v[i].duration_ns, err);
	return rc;
}

/* The parent of the span at PLACE, found in another file; or absent. */
static uint32_t find_found(const struct counting *w, uint64_t trace,
			   uint32_t place)
{
	size_t n, from = 0;
	const struct span__orphan *v = found(w, &n);

	while (n) {
		size_t half = n / 2;
		const struct span__orphan *o = &v[from + half];

		if (o->trace == trace && o->place == place)
			return o->parent;
		if (o->trace < trace ||
		    (o->trace == trace && o->place < place)) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return CALLS_ABSENT;
}

/* ---- aggregates ---- */

static bool is_loose(const struct counting *w, const struct span__agg_entry *e)
{
	struct span__calls_seg *s = w->c->file.seg;

	return span__calls_seg_loose(s, e->type) ||
	       (e->parent >= SEG_PARENT_TYPE &&
		span__calls_seg_loose(s, e->parent - SEG_PARENT_TYPE));
}

static int put_entry(struct counting *w, const struct span__agg_entry *e,
		     struct span_error *err)
{
	struct span__calls_counter *c = w->c;
	uint64_t start = w->width_ns ? e->start_ns
				     : w->seg->file.header.sum.min_start_ns;
	uint64_t bucket = span__calls_bucket(&c->sink, start);
	uint32_t name, parent = (uint32_t)e->parent;
	span__sum sum = (span__sum)e->sum_high << 64 | e->sum_ns;
	int rc = span__calls_seg_name(c->file.seg, e->type, &name, err);

	if (!rc && e->parent >= SEG_PARENT_TYPE) {
		rc = span__calls_seg_name(
			c->file.seg, e->parent - SEG_PARENT_TYPE, &parent, err);
		parent += CALLS_NAME;
	}
	if (rc < 0)
		return rc;
	if (parent == CALLS_ABSENT && name < w->n_touched && w->touched[name])
		return span__calls_groups_put(c->groups, parent, name, bucket,
					      sum, e->sketch, err);
	return span__calls_emit(&c->sink, parent, name, bucket, sum, e->sketch,
				err);
}

static int count_aggregates(struct counting *w, struct span_error *err)
{
	struct span__agg_reader r;
	struct span__agg_entry e;
	int rc = take_found(w, err);

	if (rc < 0)
		return rc;
	span__agg_reader_init(&r, &w->area, w->width_ns, w->seg->types.n);
	while (!rc && (rc = span__agg_reader_next(&r, &e, err)) > 0) {
		rc = 0;
		if (!w->width_ns || covered(w, e.start_ns))
			rc = is_loose(w, &e) ? 0 : put_entry(w, &e, err);
	}
	span__agg_reader_release(&r);
	if (rc == SPAN_E_CORRUPT)
		rc = 0; /* the file is marked, which is told */
	if (!rc)
		rc = span__calls_groups_flush(w->c->groups, err);
	return rc ? rc : add_found(w, err);
}

/* ---- columns ---- */

static uint32_t parent_of(const struct counting *w, uint64_t trace, size_t i)
{
	const struct span__call_trace *t = &w->c->trace;
	uint32_t parent = t->parent[i];

	if (parent != SPAN_TRACE_NONE)
		return CALLS_NAME + t->calls[parent].name;
	if (t->flags[i] & SPAN_TRACE_ORPHAN)
		return find_found(w, trace, t->calls[i].place);
	return CALLS_NONE;
}

/* Is call I in the range, and not in the aggregates? */
static bool is_left(const struct counting *w, size_t i)
{
	const struct span__call_trace *t = &w->c->trace;
	const struct span__call *call = &t->calls[i];
	uint32_t parent = t->parent[i];

	if (!span__calls_in(&w->c->sink, call->start_ns))
		return false;
	return !covered(w, call->start_ns) || call->loose ||
	       (parent != SPAN_TRACE_NONE && t->calls[parent].loose);
}

static int count_trace(struct counting *w, uint64_t trace,
		       struct span_error *err)
{
	struct span__call_trace *t = &w->c->trace;
	int rc = span__calls_file_trace(&w->c->file, trace, t, err);

	if (!rc)
		rc = span__call_trace_link(t, err);
	for (size_t i = 0; i < t->n && !rc; i++)
		if (is_left(w, i))
			rc = span__calls_groups_add(
				w->c->groups, parent_of(w, trace, i),
				t->calls[i].name, t->calls[i].start_ns,
				t->calls[i].duration_ns, err);
	return rc;
}

static bool has_loose(const struct counting *w, uint64_t trace)
{
	const struct span__seg_node *v;
	uint64_t shape;
	size_t n;

	if (!span__calls_seg_any_loose(w->c->file.seg))
		return false;
	shape = span__ints_get(&w->seg->trace_shape, trace);
	if (!span__shapes_get(w->seg->shapes, shape, &v, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (span__calls_seg_loose(w->c->file.seg, v[i].type))
			return true;
	return false;
}

/* May spans that start between these times be left for the columns? */
static bool may_be_left(const struct counting *w, uint64_t first, uint64_t last)
{
	const struct span__calls_sink *s = &w->c->sink;

	if (first > s->last_ns || last < s->since_ns)
		return false;
	if (first < s->since_ns)
		first = s->since_ns;
	if (last > s->last_ns)
		last = s->last_ns;
	return !covered(w, first) || !covered(w, last);
}

static int count_block(struct counting *w, uint64_t block,
		       struct span_error *err)
{
	const struct span__seg *seg = w->seg;
	uint64_t trace = span__ints_get(&seg->block_trace, block);
	uint64_t end = seg->n_traces;
	int rc = 0;

	if (block + 1 < seg->n_blocks)
		end = span__ints_get(&seg->block_trace, block + 1);
	if (trace < w->next)
		trace = w->next;
	for (; trace < end && trace < seg->n_traces && !rc; trace++) {
		uint64_t first, last;

		w->next = trace + 1;
		span__calls_file_times(&w->c->file, trace, &first, &last);
		if (may_be_left(w, first, last) || has_loose(w, trace))
			rc = count_trace(w, trace, err);
	}
	return rc;
}

static int count_columns(struct counting *w, struct span_error *err)
{
	const struct span__seg *seg = w->seg;
	bool loose = span__calls_seg_any_loose(w->c->file.seg);
	int rc = 0;

	for (uint64_t b = 0; b < seg->n_blocks && !rc; b++)
		if (loose ||
		    may_be_left(w, span__ints_get(&seg->block_min_start, b),
				span__ints_get(&seg->block_max_start, b)))
			rc = count_block(w, b, err);
	return rc;
}

int span__calls_count_seg(struct span__calls_counter *c, struct span_error *err)
{
	struct counting w = {.c = c, .seg = span__calls_seg(c->file.seg)};
	int rc;

	plan(&w);
	w.covers = w.covers && span__area_ok(&w.area, 0, w.area.len);
	rc = span__calls_orphans(c, &w.found, err);
	if (!rc && w.covers)
		rc = count_aggregates(&w, err);
	if (!rc)
		rc = count_columns(&w, err);
	free(w.touched);
	span_buf_release(&w.found);
	return rc;
}
