/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats.h - rows of statistics from the inside
 *
 * stats.c counts, stats_view.c gives the rows out in order, stats_partial.c
 * writes and merges partial results.
 */
#ifndef SPAN_GRAPH_STATS_H
#define SPAN_GRAPH_STATS_H

#include <span/stats.h>

#include "base/hash.h"
#include "base/slots.h"

__extension__ typedef unsigned __int128 span__wide;

struct span_stats {
	struct span_stats_opts o;
	uint64_t bounds[SPAN_STATS_BOUNDS];
	struct span__key key;
	struct span__slots by_text, by_key;
	struct span_arena text;
	size_t text_len;
	struct span_buf texts; /* struct span_str, by number */
	/* Arrays by row: numbers of its labels, the row, its histogram. */
	struct span_buf ids, rows, counts, exemplars;
	struct span_buf order; /* numbers of rows, sorted */
	size_t n_buckets;      /* of the sketches of all rows */
	struct span_sketch scaled;
	uint64_t spans, left_out;
	bool timed;
	uint64_t from_ns, to_ns; /* when it is timed */
};

/*
 * The row of LABELS that begins at START_NS, made when it is new: its number,
 * UINT32_MAX where the limits are passed. 0 or SPAN_E_NOMEM.
 */
SPAN_NODISCARD int span__stats_find(struct span_stats *st,
				    const struct span_str *labels,
				    uint64_t start_ns, uint32_t *out);
/* Add FROM to row I, or to what is left out. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__stats_add_row(struct span_stats *st, uint32_t i,
				       const struct span_stats_row *from,
				       struct span_error *err);

static inline span__wide span__stats_sum(const struct span_stats_row *r)
{
	return (span__wide)r->sum_high << 64 | r->sum_low;
}

static inline struct span_str span__stats_text(const struct span_stats *st,
					       uint32_t i)
{
	return ((const struct span_str *)st->texts.p)[i];
}

static inline struct span_stats_row *
span__stats_row(const struct span_stats *st, uint32_t i)
{
	return (struct span_stats_row *)st->rows.p + i;
}

static inline const uint32_t *span__stats_ids(const struct span_stats *st,
					      uint32_t i)
{
	return (const uint32_t *)st->ids.p + i * st->o.n_labels;
}

static inline uint64_t *span__stats_counts(const struct span_stats *st,
					   uint32_t i)
{
	return st->o.n_bounds
		       ? (uint64_t *)st->counts.p + i * (st->o.n_bounds + 1)
		       : NULL;
}

static inline struct span_stats_exemplar *
span__stats_exemplars(const struct span_stats *st, uint32_t i)
{
	return st->o.exemplars ? (struct span_stats_exemplar *)st->exemplars.p +
					 i * (st->o.n_bounds + 1)
			       : NULL;
}

#endif
