/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/stats.h - how many, how many failed, how long: spans in groups
 *
 * Spans are counted in rows: one for each set of labels, such as service and
 * operation, and each bucket of time. A row has calls, errors, durations as a
 * sketch (span/sketch.h: quantiles are off by at most 1/64 of their value) and,
 * where it is wanted, as a histogram with exact buckets. A span that stands for
 * several, since its trace was sampled, counts as that many.
 *
 * Counts are in 65,536ths of a span, so that sums do not depend on an order:
 * what is counted in parts and merged is exactly what is counted at once.
 * Memory is bounded, whatever the labels are.
 */
#ifndef SPAN_STATS_H
#define SPAN_STATS_H

#include <span/sketch.h>
#include <span/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_STATS_ONE 65536u	    /* a span, in the unit of counts */
#define SPAN_STATS_LABELS 16u	    /* of a row */
#define SPAN_STATS_BOUNDS 64u	    /* of a histogram */
#define SPAN_STATS_ROWS 131072u	    /* that are told apart */
#define SPAN_STATS_TEXT 33554432u   /* bytes of labels, of all rows */
#define SPAN_STATS_BUCKETS 4194304u /* of sketches, of all rows */

struct span_stats_opts {
	size_t n_labels;
	/* Buckets of time: WIDTH_NS long, the first at SINCE_NS; 0: one. */
	uint64_t since_ns, width_ns;
	bool any_since; /* they begin where those of the first merge do */
	/* Upper bounds of a histogram in ns, inclusive, ascending. */
	const uint64_t *bounds;
	size_t n_bounds;
	bool exemplars;	 /* keep one span for each bucket of the histogram */
	bool unweighted; /* each span counts as one */
};

/* A span that is an example of its bucket: the last one that was put. */
struct span_stats_exemplar {
	uint8_t trace_id[16], span_id[8];
	uint64_t duration_ns;
	bool set;
};

/* Counts, and those of the sketch, in 65,536ths, at most UINT64_MAX. */
struct span_stats_row {
	uint64_t start_ns; /* of its bucket of time; 0: all time */
	uint64_t spans;	   /* that were put, unweighted */
	uint64_t calls, errors;
	/* Of durations, in 65,536ths of a ns: 128 bits, at most all ones. */
	uint64_t sum_high, sum_low;
	uint64_t min_ns, max_ns;
	struct span_sketch durations;
};

struct span_stats;

/*
 * O is copied. 0; SPAN_E_INVALID when it is above the limits or its bounds do
 * not ascend; SPAN_E_NOMEM; SPAN_E_IO without randomness.
 */
SPAN_API SPAN_NODISCARD int span_stats_open(struct span_stats **out,
					    const struct span_stats_opts *o,
					    struct span_error *err);

/* Count S in the row of LABELS, as many as opts has. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_stats_put(struct span_stats *st,
					   const struct span_str *labels,
					   const struct span *s,
					   struct span_error *err);

/*
 * Count a group of calls of a store. It knows no histogram, no exemplars, and
 * durations only as a sketch: min_ns and max_ns are those of its buckets. 0 or
 * SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int
span_stats_put_calls(struct span_stats *st, const struct span_str *labels,
		     const struct span_store_calls *c, struct span_error *err);

/*
 * The time that the spans come from, which rates are about: made wider by
 * FROM_NS to TO_NS, and what it is by now. Zeros when there was none.
 */
SPAN_API void span_stats_widen(struct span_stats *st, uint64_t from_ns,
			       uint64_t to_ns);
SPAN_API void span_stats_times(const struct span_stats *st, uint64_t *from_ns,
			       uint64_t *to_ns);

/* Spans that were counted, and those beyond the limits, which were not. */
SPAN_API uint64_t span_stats_spans(const struct span_stats *st);
SPAN_API uint64_t span_stats_left_out(const struct span_stats *st);

/*
 * The rows, sorted by labels, then time: their number, and row I of them. Valid
 * until the next put or merge. span_stats_sort() comes first: 0 or
 * SPAN_E_NOMEM.
 */
SPAN_API SPAN_NODISCARD int span_stats_sort(struct span_stats *st,
					    struct span_error *err);
SPAN_API size_t span_stats_rows(const struct span_stats *st);
SPAN_API const struct span_stats_row *
span_stats_row(const struct span_stats *st, size_t i);
SPAN_API struct span_str span_stats_label(const struct span_stats *st, size_t i,
					  size_t label);
/*
 * Of row I: the counts of its histogram's buckets, n_bounds + 1 of them, the
 * last one for what is above all bounds, not cumulative; and as many exemplars.
 * NULL when there is none.
 */
SPAN_API const uint64_t *span_stats_histogram(const struct span_stats *st,
					      size_t i);
SPAN_API const struct span_stats_exemplar *
span_stats_exemplars(const struct span_stats *st, size_t i);
SPAN_API const struct span_stats_opts *
span_stats_opts(const struct span_stats *st);

/* Add the counts of FROM to those of TO, which starts as a copy of a row. */
SPAN_API SPAN_NODISCARD int span_stats_add(struct span_stats_row *to,
					   const struct span_stats_row *from,
					   struct span_error *err);
/* The mean of its durations, rounded down; 0 when there are none. */
SPAN_API uint64_t span_stats_mean_ns(const struct span_stats_row *r);
/* Their sum, as near as a double is. */
SPAN_API double span_stats_sum_ns(const struct span_stats_row *r);

/*
 * A partial result as bytes, and back: span-stats(1) draws the format;
 * exemplars are not in it. NAMES are texts that say what the labels and options
 * mean, which must be equal for what is merged. save appends to OUT: 0 or
 * SPAN_E_NOMEM.
 *
 * merge adds what LEN bytes at P have: 0; SPAN_E_TRUNCATED, SPAN_E_CORRUPT,
 * SPAN_E_FORMAT, SPAN_E_LIMIT with the offset in err->pos, and nothing was
 * added; SPAN_E_INVALID when it was made with other options or NAMES; or
 * SPAN_E_NOMEM. *USED is their length, what follows is not looked at.
 */
SPAN_API SPAN_NODISCARD int span_stats_save(const struct span_stats *st,
					    struct span_str names,
					    struct span_buf *out,
					    struct span_error *err);
SPAN_API SPAN_NODISCARD int
span_stats_merge(struct span_stats *st, struct span_str names, const void *p,
		 size_t len, size_t *used, struct span_error *err);

/*
 * The NAMES that such bytes were made with, which they keep. 0, or a code as
 * merge has it for the envelope alone.
 */
SPAN_API SPAN_NODISCARD int span_stats_names(const void *p, size_t len,
					     struct span_str *names,
					     struct span_error *err);

SPAN_API void span_stats_close(struct span_stats **st);

#ifdef __cplusplus
}
#endif
#endif
