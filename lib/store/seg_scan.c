/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns tell which spans of a type there are, not which traces they are in:
 * the traces of those blocks are walked that have any, and that may have spans
 * between the times.
 */
#include "store/seg_scan.h"

#include <stdlib.h>
#include <string.h>

#include "store/seg_blocks.h"

#include "base/banned.h"

#define WINDOW 256u   /* spans of a trace that are decoded at once */
#define FEW_TRACES 4u /* for each of which the block is counted alone */

struct span__seg_scan {
	struct span__seg *s;
	const struct span__filter *filter;
	struct span__seg_match match;
	uint8_t *blocks; /* enum span__block_use of each; NULL: by ids */
	uint32_t *hits;	 /* of each block */
	bool planned;	 /* blocks without spans of the scan are out */
	bool checked;	 /* only spans that must be checked are walked */
	/* the traces of a search by ids, ascending */
	uint64_t *traces;
	size_t n_traces, next_trace;
	/* the walk */
	struct span__seg_walk walk;
	uint64_t block; /* how many were gone through */
	uint64_t left;	/* hits in this block that were not come to yet */
	bool times;	/* the starts in this block must be looked at */
	struct span__seg_place place;
	struct span_buf keep; /* a bit for each span of the trace */
	size_t from, n, at;   /* the window, and the next span in it */
	struct span spans[WINDOW];
	uint64_t read[WINDOW / 64];
	struct span_arena arena;
	struct span_buf text;
};

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

/* ---- Which spans of a trace ---- */

static bool open_tags_hold(const struct span__seg_scan *c,
			   const struct span__seg_hits *h, uint64_t rank,
			   uint32_t process)
{
	for (size_t i = 0; i < h->n_open; i++) {
		const struct span__open_tag *o = &h->open[i];
		const struct span__seg_tag *tag = &c->match.tags[o->tag];

		if (o->bits && span__bit(o->bits, rank))
			continue;
		if (process >= c->s->process_ends.n ||
		    !span__bit(tag->processes, process))
			return false;
	}
	return true;
}

/* By hits alone, which are counted off. Returns how many. */
static size_t keep_hits(struct span__seg_scan *c, uint64_t *keep, bool *open)
{
	const struct span__seg_place *p = &c->place;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct span__seg_hits *h =
			&c->match.types[p->nodes[i].type];

		if (!span__seg_hit(h, p->ranks[i]) ||
		    (c->checked && !c->times && !span__seg_is_open(h)))
			continue;
		c->left -= c->left > 0;
		*open |= h->n_open > 0;
		keep[i / 64] |= UINT64_C(1) << i % 64;
		n++;
	}
	return n;
}

static void drop(uint64_t *keep, size_t i, size_t *n)
{
	keep[i / 64] &= ~(UINT64_C(1) << i % 64);
	--*n;
}

static void keep_open(struct span__seg_scan *c, uint64_t *keep, size_t *n)
{
	const struct span__seg_place *p = &c->place;
	const uint32_t *processes = span__seg_process_numbers(c->s, p);

	for (size_t i = 0; i < p->n && *n; i++) {
		const struct span__seg_hits *h =
			&c->match.types[p->nodes[i].type];

		if (span__bit(keep, i) && h->n_open &&
		    (!processes ||
		     !open_tags_hold(c, h, p->ranks[i], processes[i])))
			drop(keep, i, n);
	}
}

static void keep_times(struct span__seg_scan *c, uint64_t *keep, size_t *n)
{
	const struct span_range *r = c->filter->scan.range;
	const uint64_t *starts = span__seg_starts(c->s, &c->place);

	for (size_t i = 0; i < c->place.n && *n; i++) {
		if (!span__bit(keep, i))
			continue;
		if (!starts || starts[i] < r->since_ns ||
		    (r->until_ns && starts[i] >= r->until_ns))
			drop(keep, i, n);
	}
}

/* Choose the spans of c->place: how many, or SPAN_E_NOMEM. */
static int choose_spans(struct span__seg_scan *c, size_t *n,
			struct span_error *err)
{
	size_t len = span__bit_words(c->place.n) * sizeof(uint64_t);
	bool open = false;
	uint64_t *keep;

	c->keep.len = 0;
	keep = (uint64_t *)(void *)span_buf_reserve(&c->keep, len);
	if (!keep)
		return out_of_memory(err);
	if (c->traces) {
		memset(keep, 0xff, len);
		*n = c->place.n;
		return 0;
	}
	memset(keep, 0, len);
	*n = keep_hits(c, keep, &open);
	if (*n && open)
		keep_open(c, keep, n);
	if (*n && c->times)
		keep_times(c, keep, n);
	return 0;
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
		if (!is_old(c) && choose_spans(c, n, err) < 0)
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
				 c->place.n - c->from < WINDOW
					 ? c->place.n
					 : c->from + WINDOW))
		c->from += WINDOW;
	if (c->from >= c->place.n)
		return 0;
	c->n = c->place.n - c->from < WINDOW ? c->place.n - c->from : WINDOW;
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

int span__seg_scan_open(struct span__seg_scan **out, struct span__seg *s,
			const struct span__filter *filter,
			struct span_error *err)
{
	struct span__seg_scan *c = calloc(1, sizeof(*c));
	int rc;

	*out = NULL;
	if (!c)
		return out_of_memory(err);
	c->s = s;
	c->filter = filter;
	rc = filter->scan.n_ids ? find_traces(c, err) : find_blocks(c, err);
	if (rc < 0)
		span__seg_scan_close(&c);
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
