/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks begin with those of the block and go up by one with each span. For one
 * trace alone only its own types are counted.
 */
#include <stdlib.h>
#include <string.h>

#include "store/seg_read.h"
#include "store/seg_watch.h"

#include "base/banned.h"

#define TIDY_SPANS 16384u /* a block */

/* A rank that no column has: what was to be counted on is damaged. */
#define NO_RANK (UINT64_MAX / 2)

/* What is to be known about a block. */
struct block {
	uint64_t number, trace, end, span;
};

/* False, and the file is marked, when it is damaged. */
static bool get_block(struct span__seg *s, uint64_t number, struct block *b)
{
	struct span__watch w = span__watch(&s->file);

	b->number = number;
	b->trace = span__ints_get(&s->block_trace, number);
	b->span = span__ints_get(&s->block_span, number);
	b->end = s->n_traces;
	if (number + 1 < s->n_blocks)
		b->end = span__ints_get(&s->block_trace, number + 1);
	if (b->trace >= b->end || b->end > s->n_traces || b->span >= s->n_spans)
		(void)span__area_bad(&s->block_trace.area);
	return !span__watch_end(&w);
}

/* How many spans of TYPE are before the block; NO_RANK when unknown. */
static uint64_t rank_at(struct span__seg *s, uint64_t type, uint64_t block)
{
	struct span__watch w = span__watch(&s->file);
	struct span__ints c;
	uint64_t rank = NO_RANK;

	if (span__ranks_type(&s->ranks, type, &c))
		rank = span__ints_get(&c, block);
	if (span__watch_end(&w) || rank > s->n_spans)
		rank = NO_RANK;
	return rank;
}

/* The nodes of a trace: 1; 0 damaged; or SPAN_E_NOMEM. */
static int get_nodes(struct span__seg *s, uint64_t trace,
		     const struct span__seg_node **v, size_t *n)
{
	struct span__watch w = span__watch(&s->file);
	uint64_t shape = span__ints_get(&s->trace_shape, trace);
	bool good = !s->file.bad && span__shapes_get(s->shapes, shape, v, n);

	if (span__watch_end(&w))
		return 0;
	if (good && !*n)
		return span__area_bad(&s->trace_shape.area);
	return good ? 1 : SPAN_E_NOMEM;
}

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* Count the spans of the trace that is next, and go on to the one behind. */
static int skip(struct span__seg_walk *w)
{
	const struct span__seg_node *v;
	size_t n;
	int rc = get_nodes(w->seg, w->trace, &v, &n);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		w->counts[v[i].type]++;
	w->span += n;
	w->trace++;
	return 1;
}

/* Begin with block NUMBER, or with the next one that is not damaged. */
static bool begin_block(struct span__seg_walk *w, uint64_t number)
{
	struct span__seg *s = w->seg;
	struct block b;

	while (number < s->n_blocks && !get_block(s, number, &b))
		number++;
	w->block = number;
	if (number >= s->n_blocks) {
		w->trace = w->end;
		return false;
	}
	w->trace = b.trace;
	w->span = b.span;
	w->block_end = b.end;
	for (uint64_t t = 0; t < s->types.n; t++)
		w->counts[t] = rank_at(s, t, number);
	return true;
}

/*
 * The trace that is next is damaged: go on with a later block. It goes up,
 * whatever the blocks say, so that there is an end.
 */
static void next_block(struct span__seg_walk *w)
{
	uint64_t trace = w->trace;
	uint64_t block = span__seg_block_of(w->seg, trace);

	if (block < w->block)
		block = w->block;
	while (begin_block(w, block + 1) && w->trace <= trace)
		block = w->block;
}

static int count_up_to(struct span__seg_walk *w, uint64_t first,
		       struct span_error *err)
{
	while (w->trace < first && w->trace < w->end) {
		int rc = skip(w);

		if (rc < 0)
			return no_memory(err);
		if (rc == 0)
			next_block(w);
	}
	return 0;
}

int span__seg_walk_seek(struct span__seg_walk *w, struct span__seg *s,
			uint64_t first, uint64_t end, struct span_error *err)
{
	int rc = span__seg_load(s, err);

	if (rc < 0)
		return rc;
	span__seg_tidy(s);
	if (w->seg != s) {
		span__seg_walk_release(w);
		w->seg = s;
	}
	w->end = end < s->n_traces ? end : s->n_traces;
	if (first >= w->end) {
		w->trace = w->end;
		w->block_end = 0;
		return 0;
	}
	if (!w->counts && w->end - first == 1) {
		w->trace = first;
		return 0;
	}
	if (w->counts && first >= w->trace && first < w->block_end)
		return count_up_to(w, first, err);
	if (!w->counts)
		w->counts = calloc(s->types.n + 1, sizeof(*w->counts));
	if (!w->counts)
		return no_memory(err);
	if (!begin_block(w, span__seg_block_of(s, first)))
		return 0;
	return count_up_to(w, first, err);
}

static uint64_t *room(struct span__seg_walk *w, size_t n)
{
	w->ranks.len = 0;
	return (uint64_t *)(void *)span_buf_reserve(&w->ranks,
						    n * sizeof(uint64_t));
}

/* One trace alone: COUNTS are of its own types, by their mark. */
struct alone {
	struct span__seg *seg;
	uint64_t *counts;
	size_t n;
};

/* Of the types of the N nodes V what is before BLOCK. False: not all of it. */
static bool mark_types(struct alone *a, const struct span__seg_node *v,
		       size_t n, uint64_t block)
{
	uint32_t *marks = a->seg->type_marks;
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		if (marks[v[i].type])
			continue;
		a->counts[a->n] = rank_at(a->seg, v[i].type, block);
		good = good && a->counts[a->n] != NO_RANK;
		marks[v[i].type] = (uint32_t)++a->n;
	}
	return good;
}

static void forget_types(struct alone *a)
{
	memset(a->seg->type_marks, 0,
	       a->seg->types.n * sizeof(*a->seg->type_marks));
	a->n = 0;
}

/* Count over the traces of the block before TRACE. As get_nodes(). */
static int count_alone(struct alone *a, const struct block *b, uint64_t trace,
		       uint64_t *span)
{
	const uint32_t *marks = a->seg->type_marks;

	*span = b->span;
	for (uint64_t t = b->trace; t < trace; t++) {
		const struct span__seg_node *v;
		size_t n;
		int rc = get_nodes(a->seg, t, &v, &n);

		if (rc <= 0)
			return rc;
		*span += n;
		if (*span - b->span > SEG_BLOCK_MAX) {
			(void)span__area_bad(&a->seg->block_span.area);
			return 0;
		}
		for (size_t i = 0; i < n; i++)
			if (marks[v[i].type])
				a->counts[marks[v[i].type] - 1]++;
	}
	return 1;
}

/* Take what TRACE and those behind it in the block have from the counts. */
static bool take_back(struct alone *a, const struct block *b, uint64_t trace,
		      uint64_t *span)
{
	const uint32_t *marks = a->seg->type_marks;

	for (uint64_t t = trace; t < b->end; t++) {
		const struct span__seg_node *v;
		size_t n;

		if (get_nodes(a->seg, t, &v, &n) <= 0 || n > *span - b->span)
			return false;
		*span -= n;
		for (size_t i = 0; i < n; i++)
			if (marks[v[i].type] &&
			    !a->counts[marks[v[i].type] - 1]--)
				return false;
	}
	return true;
}

/*
 * The same from the block behind, where that is nearer. False when it cannot be
 * done, for damage, too, that does not concern TRACE.
 */
static bool count_back(struct alone *a, const struct block *b, uint64_t trace,
		       const struct span__seg_node *v, size_t n, uint64_t *span)
{
	struct span__watch w;
	struct block next;
	bool good;

	if (b->number + 1 >= a->seg->n_blocks ||
	    trace - b->trace < b->end - trace)
		return false;
	w = span__watch(&a->seg->file);
	good = get_block(a->seg, b->number + 1, &next) &&
	       next.trace == b->end && next.span > b->span &&
	       mark_types(a, v, n, next.number);
	*span = next.span;
	good = good && take_back(a, b, trace, span);
	span__watch_forget(&w);
	if (!good)
		forget_types(a);
	return good;
}

static int count_before(struct alone *a, const struct block *b, uint64_t trace,
			const struct span__seg_node *v, size_t n,
			uint64_t *span)
{
	if (count_back(a, b, trace, v, n, span))
		return 1;
	(void)mark_types(a, v, n, b->number);
	return count_alone(a, b, trace, span);
}

/*
 * As get_nodes(): 0 when the trace cannot be placed. The counts are behind the
 * ranks. Shapes are asked for again, as large ones are not kept.
 */
static int place_alone(struct span__seg_walk *w, struct span__seg_place *out)
{
	struct span__seg *s = w->seg;
	struct alone a = {.seg = s};
	uint64_t *ranks, span = 0;
	struct block b;
	int rc = get_nodes(s, w->trace, &out->nodes, &out->n);

	if (rc <= 0)
		return rc;
	if (!get_block(s, span__seg_block_of(s, w->trace), &b) ||
	    w->trace < b.trace || w->trace >= b.end)
		return 0;
	ranks = room(w, 2 * out->n);
	if (!ranks)
		return SPAN_E_NOMEM;
	a.counts = ranks + out->n;
	rc = count_before(&a, &b, w->trace, out->nodes, out->n, &span);
	if (rc > 0)
		rc = get_nodes(s, w->trace, &out->nodes, &out->n);
	for (size_t i = 0; rc > 0 && i < out->n; i++) {
		uint32_t mark = s->type_marks[out->nodes[i].type];

		ranks[i] = a.counts[mark - 1]++;
	}
	forget_types(&a);
	out->trace = w->trace;
	out->first_span = span;
	out->ranks = ranks;
	if (rc > 0 && (span > s->n_spans || out->n > s->n_spans - span))
		return span__area_bad(&s->block_span.area);
	return rc;
}

static int place_next(struct span__seg_walk *w, struct span__seg_place *out)
{
	struct span__seg *s = w->seg;
	uint64_t *ranks;
	int rc = get_nodes(s, w->trace, &out->nodes, &out->n);

	if (rc <= 0)
		return rc;
	if (w->span > s->n_spans || out->n > s->n_spans - w->span)
		return span__area_bad(&s->block_span.area);
	ranks = room(w, out->n);
	if (!ranks)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < out->n; i++)
		ranks[i] = w->counts[out->nodes[i].type]++;
	out->trace = w->trace++;
	out->first_span = w->span;
	out->ranks = ranks;
	w->span += out->n;
	return 1;
}

static void tidy(struct span__seg_walk *w)
{
	if (w->span >= w->tidied && w->span - w->tidied < TIDY_SPANS)
		return;
	span__seg_tidy(w->seg);
	w->tidied = w->span;
}

int span__seg_walk_next(struct span__seg_walk *w, struct span__seg_place *out,
			struct span_error *err)
{
	while (w->trace < w->end) {
		int rc;

		if (w->counts) {
			tidy(w);
			rc = place_next(w, out);
		} else {
			rc = place_alone(w, out);
			w->trace = w->end;
		}
		if (rc < 0)
			return no_memory(err);
		if (rc > 0)
			return 1;
		if (w->counts)
			next_block(w);
	}
	return 0;
}

void span__seg_walk_release(struct span__seg_walk *w)
{
	free(w->counts);
	span_buf_release(&w->ranks);
	*w = (struct span__seg_walk){0};
}
