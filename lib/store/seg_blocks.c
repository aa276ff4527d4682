/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_blocks.h"

#include <stdlib.h>

#include "base/banned.h"

static enum span__block_use use_of(struct span__seg *s,
				   const struct span_range *r, uint64_t block)
{
	uint64_t min, max;

	if (!r || (!r->since_ns && !r->until_ns))
		return SEG_BLOCK_IN;
	min = span__ints_get(&s->block_min_start, block);
	max = span__ints_get(&s->block_max_start, block);
	if (max < r->since_ns || (r->until_ns && min >= r->until_ns))
		return SEG_BLOCK_OUT;
	if (min >= r->since_ns && (!r->until_ns || max < r->until_ns))
		return SEG_BLOCK_IN;
	return SEG_BLOCK_PART;
}

bool span__blocks_between(uint8_t *use, struct span__seg *s,
			  const struct span_range *range)
{
	bool any = false;

	for (uint64_t b = 0; b < s->n_blocks; b++) {
		use[b] = (uint8_t)use_of(s, range, b);
		any |= use[b] != SEG_BLOCK_OUT;
	}
	return any;
}

/* How many spans of TYPE are before each block, and in all: n_blocks + 1. */
static bool type_ranks(struct span__seg *s, uint64_t type, uint64_t *out)
{
	struct span__seg_type_reader *t = span__seg_type(s, type);
	uint64_t n = s->n_blocks, last;
	struct span__ints ranks;

	if (!t || !span__ranks_type(&s->ranks, type, &ranks))
		return false;
	span__ints_range(&ranks, 0, n, out);
	out[n] = last = t->type.n_spans;
	for (uint64_t b = n; b-- > 0; last = out[b]) {
		if (out[b] > last)
			out[b] = last;
	}
	return true;
}

static uint64_t count_hits(const struct span__seg_hits *h, uint64_t from,
			   uint64_t to)
{
	return h->found == SEG_FOUND_ALL ? to - from
					 : span__bits_count(h->bits, from, to);
}

static bool all_in(const uint8_t *use, uint64_t n_blocks)
{
	for (uint64_t b = 0; b < n_blocks; b++) {
		if (use[b] != SEG_BLOCK_IN)
			return false;
	}
	return true;
}

int span__blocks_plan(uint8_t *use, uint32_t *hits, struct span__seg_match *m,
		      uint64_t *count, struct span_error *err)
{
	uint64_t n_blocks = m->s->n_blocks;
	bool whole = all_in(use, n_blocks);
	uint64_t *ranks = calloc(n_blocks + 1, sizeof(*ranks));
	bool good = ranks;

	for (uint64_t i = 0; i < m->n_types && good; i++) {
		const struct span__seg_hits *h = &m->types[i];
		bool counts = count && !span__seg_is_open(h);

		if (whole && counts) {
			*count += h->n;
			continue;
		}
		if (!h->found || !type_ranks(m->s, i, ranks))
			continue;
		for (uint64_t b = 0; b < n_blocks; b++) {
			uint64_t n = 0;

			if (use[b] != SEG_BLOCK_OUT)
				n = count_hits(h, ranks[b], ranks[b + 1]);
			if (use[b] == SEG_BLOCK_IN && counts)
				*count += n;
			else
				hits[b] += (uint32_t)n;
		}
	}
	for (uint64_t b = 0; b < n_blocks && good; b++) {
		if (!hits[b])
			use[b] = SEG_BLOCK_OUT;
	}
	free(ranks);
	if (good)
		return 0;
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}
