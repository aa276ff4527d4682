/* SPDX-License-Identifier: Apache-2.0 */
/* Which spans of a trace are in a scan. */
#include "store/seg_scan_state.h"

#include <string.h>

#include "base/banned.h"

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

int span__seg_scan_choose(struct span__seg_scan *c, size_t *n,
			  struct span_error *err)
{
	size_t len = span__bit_words(c->place.n) * sizeof(uint64_t);
	bool open = false;
	uint64_t *keep;

	c->keep.len = 0;
	keep = (uint64_t *)(void *)span_buf_reserve(&c->keep, len);
	if (!keep)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
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
