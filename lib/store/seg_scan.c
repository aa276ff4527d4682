/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns tell which spans of a type there are, not which traces they are in:
 * the traces of those blocks are walked that have any, and that may have spans
 * between the times.
 */
#include "store/seg_scan_state.h"

#include <stdlib.h>
#include <string.h>

#include "store/seg_blocks.h"

#include "base/banned.h"

#define FEW_TRACES 4u /* for each of which the block is counted alone */

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* ---- The walk ---- */

/* The time before which nothing is wanted any more. */
static uint64_t floor_of(const struct span__seg_scan *c)
{
	const struct span_range *r = c->filter->scan.range;

	return r && r->floor_ns ? *r->floor_ns : 0;
}

/*
 * The next block that has spans of the scan: the last one first where there is
 * a floor, as traces are in the order of their starts. False at the end.
 */
static bool choose_block(struct span__seg_scan *c, uint64_t *block)
{
	const struct span_range *r = c->filter->scan.range;
	uint64_t n = c->s->n_blocks, floor = floor_of(c);

	while (c->block < n) {
		*block = c->block++;
		if (r && r->floor_ns)
			*block = n - 1 - *block;
		if (c->blocks[*block] &&
		    (!floor ||
		     span__ints_get(&c->s->block_max_start, *block) >= floor))
			return true;
	}
	return false;
}

/* Go to the next block: 1, 0 at the end, or a negative code. */
static int next_block(struct span__seg_scan *c, struct span_error *err)
{
	const struct span__ints *first = &c->s->block_trace;
	uint64_t from, block, to = c->s->n_traces;
	int rc;

	if (!choose_block(c, &block))
		return 0;
	if (c->s->file.work)
		span__work_add(&c->s->file.work->blocks_walked, 1);
	c->times = c->blocks[block] == SEG_BLOCK_PART;
	c->left = c->hits[block];
	from = span__ints_get(first, block);
	if (block + 1 < c->s->n_blocks)
		to = span__ints_get(first, block + 1);
	if (from >= to)
		return 1;
	rc = span__seg_walk_seek(&c->walk, c->s, from, to, err);
	return rc < 0 ? rc : 1;
}

/* One that was not gone through yet: in a search by ids they ascend. */
static void count_block(struct span__seg_scan *c, uint64_t block)
{
	if (!c->s->file.work || block < c->block)
		return;
	span__work_add(&c->s->file.work->blocks_walked, 1);
	c->block = block + 1;
}

/* The next trace of a search by ids. As span__seg_walk_next(). */
static int next_of_ids(struct span__seg_scan *c, struct span_error *err)
{
	int rc = 0;

	while (!rc && c->next_trace < c->n_traces) {
		uint64_t trace = c->traces[c->next_trace++];

		rc = span__seg_walk_seek(
			&c->walk, c->s, trace,
			c->n_traces > FEW_TRACES ? c->s->n_traces : trace + 1,
			err);
		if (!rc)
			rc = span__seg_walk_next(&c->walk, &c->place, err);
		if (rc > 0)
			count_block(c, span__seg_block_of(c->s, trace));
	}
	return rc;
}

static int next_place(struct span__seg_scan *c, struct span_error *err)
{
	int rc;

	if (c->traces)
		return next_of_ids(c, err);
	for (;;) {
		/* behind the last hit of a block there is nothing to find */
		rc = c->left ? span__seg_walk_next(&c->walk, &c->place, err)
			     : 0;
		if (rc)
			return rc;
		rc = next_block(c, err);
		if (rc <= 0)
			return rc;
	}
}

/* Does all of c->place end before anything that is wanted? */
static bool is_old(const struct span__seg_scan *c)
{
	uint64_t floor = floor_of(c), trace = c->place.trace;

	return floor &&
	       span__ints_get(&c->s->trace_start, trace) +
			       span__ints_get(&c->s->trace_end, trace) <
		       floor;
}

/* Go to the next trace that has spans of the scan: *N of them. */
static int next_trace(struct span__seg_scan *c, size_t *n,
		      struct span_error *err)
{
	int rc;

	do {
		rc = next_place(c, err);
		if (rc <= 0)
			return rc;
		*n = 0;
		if (!is_old(c) && span__seg_scan_choose(c, n, err) < 0)
			return SPAN_E_NOMEM;
	} while (!*n);
	c->from = c->n = c->at = 0;
	return 1;
}

/* Decode the next window of the trace: 1, 0 at its end, or SPAN_E_NOMEM. */
static int next_window(struct span__seg_scan *c, int want,
		       struct span_error *err)
{
	const uint64_t *keep = (const uint64_t *)(const void *)c->keep.p;
	int rc;

	c->from += c->n;
	c->n = c->at = 0;
	while (c->from < c->place.n &&
	       !span__bits_count(keep, c->from,
				 c->place.n - c->from < SEG_SCAN_WINDOW
					 ? c->place.n
					 : c->from + SEG_SCAN_WINDOW))
		c->from += SEG_SCAN_WINDOW;
	if (c->from >= c->place.n)
		return 0;
	c->n = c->place.n - c->from < SEG_SCAN_WINDOW ? c->place.n - c->from
						      : SEG_SCAN_WINDOW;
	if (c->s->file.work)
		span__work_add(&c->s->file.work->spans,
			       span__bits_count(keep, c->from, c->from + c->n));
	span_arena_reset(&c->arena);
	rc = span__seg_spans(c->s, &c->place, c->from, c->from + c->n,
			     keep + c->from / 64, want, &c->arena, c->spans,
			     c->read, err);
	return rc < 0 ? rc : 1;
}

/* Must span I of the trace be decoded to be sure of it? */
static bool is_checked(const struct span__seg_scan *c, size_t i)
{
	return !c->traces && c->match.types[c->place.nodes[i].type].check;
}

/* The next span of the window that is in the scan: 1, 0, or a code. */
static int next_in_window(struct span__seg_scan *c, struct span *out,
			  struct span_error *err)
{
	while (c->at < c->n) {
		size_t i = c->at++;
		int rc = 1;

		if (!span__bit(c->read, i))
			continue;
		if (is_checked(c, c->from + i))
			rc = span__filter_span(c->filter, &c->spans[i],
					       &c->text, err);
		if (rc > 0)
			*out = c->spans[i];
		if (rc)
			return rc;
	}
	return 0;
}

/* How much of the spans of c->place has to be decoded. */
static int want_of(const struct span__seg_scan *c, bool head_only)
{
	if (!head_only)
		return SEG_WANT_ALL;
	for (size_t i = 0; i < c->place.n; i++) {
		if (is_checked(c, i))
			return SEG_WANT_ALL;
	}
	return SEG_WANT_HEAD;
}

/* Where no block was between the times nothing was matched. */
static int plan(struct span__seg_scan *c, uint64_t *n, struct span_error *err)
{
	if (!c->match.s)
		return 0;
	return span__blocks_plan(c->blocks, c->hits, &c->match, n, err);
}

static int plan_once(struct span__seg_scan *c, struct span_error *err)
{
	if (c->planned)
		return 0;
	c->planned = true;
	return plan(c, NULL, err);
}

int span__seg_scan_next(struct span__seg_scan *c, struct span *out,
			struct span_error *err)
{
	const struct span_range *r = c->filter->scan.range;
	size_t n;
	int rc = plan_once(c, err);

	if (rc < 0)
		return rc;
	for (;;) {
		rc = next_in_window(c, out, err);
		if (rc)
			return rc;
		if (c->place.n)
			rc = next_window(c, want_of(c, r && r->head_only), err);
		if (!rc)
			rc = next_trace(c, &n, err);
		if (rc <= 0)
			return rc;
	}
}

/* Is there a span that must be decoded among those of the trace? */
static bool must_check(const struct span__seg_scan *c)
{
	const uint64_t *keep = (const uint64_t *)(const void *)c->keep.p;

	for (size_t i = 0; i < c->place.n; i++) {
		if (span__bit(keep, i) && is_checked(c, i))
			return true;
	}
	return false;
}

/* Count the spans of c->place, which have to be decoded. */
static int count_checked(struct span__seg_scan *c, uint64_t *count,
			 struct span_error *err)
{
	struct span s;
	int rc;

	while ((rc = next_window(c, SEG_WANT_ALL, err)) > 0) {
		while ((rc = next_in_window(c, &s, err)) > 0)
			++*count;
		if (rc < 0)
			return rc;
	}
	return rc;
}

int span__seg_scan_count(struct span__seg_scan *c, uint64_t *n,
			 struct span_error *err)
{
	size_t some;
	int rc;

	c->planned = c->checked = true;
	rc = plan(c, n, err);
	while (!rc && (rc = next_trace(c, &some, err)) > 0) {
		rc = 0;
		if (must_check(c))
			rc = count_checked(c, n, err);
		else
			*n += some;
	}
	return rc;
}

/* ---- Open and close ---- */

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int find_traces(struct span__seg_scan *c, struct span_error *err)
{
	const struct span__scan *scan = &c->filter->scan;

	c->traces = calloc(scan->n_ids, sizeof(*c->traces));
	if (!c->traces)
		return out_of_memory(err);
	for (size_t i = 0; i < scan->n_ids; i++) {
		int rc = span__seg_find(c->s, scan->ids[i],
					&c->traces[c->n_traces], err);

		if (rc == SPAN_E_NOMEM)
			return rc;
		c->n_traces += rc > 0;
	}
	if (!c->n_traces)
		return 0;
	qsort(c->traces, c->n_traces, sizeof(*c->traces), compare_numbers);
	return span__seg_load(c->s, err);
}

static int find_blocks(struct span__seg_scan *c, struct span_error *err)
{
	c->blocks = calloc(c->s->n_blocks + 1, 1);
	c->hits = calloc(c->s->n_blocks + 1, sizeof(*c->hits));
	if (!c->blocks || !c->hits)
		return out_of_memory(err);
	span__seg_load_blocks(c->s);
	if (!span__blocks_between(c->blocks, c->s, c->filter->scan.range))
		return 0;
	return span__seg_match_open(&c->match, c->s, c->filter, err);
}

/* Is there anything in the segment? */
static void count_work(const struct span__seg_scan *c)
{
	struct span__work *w = c->s->file.work;

	if (!w)
		return;
	if (c->traces ? !c->n_traces : !c->match.n)
		span__work_add(&w->segments_passed, 1);
	else
		span__work_add(&w->blocks, c->s->n_blocks);
}

int span__seg_scan_open(struct span__seg_scan **out, struct span__seg *s,
			const struct span__filter *filter,
			struct span_error *err)
{
	struct span__seg_scan *c = malloc(sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return out_of_memory(err);
	memset(c, 0, offsetof(struct span__seg_scan, spans));
	c->s = s;
	c->filter = filter;
	rc = filter->scan.n_ids ? find_traces(c, err) : find_blocks(c, err);
	if (rc < 0)
		span__seg_scan_close(&c);
	else
		count_work(c);
	*out = c;
	return rc;
}

void span__seg_scan_close(struct span__seg_scan **c)
{
	if (!*c)
		return;
	span__seg_match_close(&(*c)->match);
	span__seg_walk_release(&(*c)->walk);
	span_buf_release(&(*c)->keep);
	span_buf_release(&(*c)->text);
	span_arena_release(&(*c)->arena);
	free((*c)->traces);
	free((*c)->blocks);
	free((*c)->hits);
	free(*c);
	*c = NULL;
}
