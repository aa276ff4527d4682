/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats-input.h - spans, or calls that a store knows, into statistics
 */
#ifndef STATS_INPUT_H
#define STATS_INPUT_H

#include "cmd_source.h"
#include "stats-field.h"

struct stats_input {
	/* What the options say: */
	struct stats_fields fields;
	struct span_stats_opts opts; /* n_labels and since_ns are filled in */
	uint64_t bounds[SPAN_STATS_BOUNDS];
	bool all_kinds;	    /* also when kinds or an expression are given */
	bool any_selection; /* the first partial result says it, if not options
			     */
	const char *totals; /* --totals FILE, or NULL */
	bool by;	    /* --by was given */
	bool exact; /* the least and the greatest duration are asked for */
	/* What came of it: */
	struct cmd_source *source;   /* while it is read */
	struct span_metrics metrics; /* of its expression; by is used up */
	bool has_metrics;
	struct span_stats *st;
	uint64_t n_other_kinds;	 /* spans that were passed over */
	struct span_buf names;	 /* of fields and selection */
	struct span_buf by_text; /* that fields of by() point into */
	struct span_buf place;	 /* of totals: how far a store was read */
	bool had_totals;
	int rc; /* of a span */
	struct span_error *err;
};

/* ---- stats-bounds.c ---- */

/* "2ms,10ms,1s", or NULL for the usual ones; wrong usage exits. */
void stats_bounds(struct stats_input *in, const char *text);

/* ---- stats-input.c ---- */

/*
 * Open the source that the options and ARGV name, whose expression may say what
 * to count; then read all of it. 0 or a code.
 */
SPAN_NODISCARD int stats_input_source(struct stats_input *in, int argc,
				      char **argv, struct span_error *err);
SPAN_NODISCARD int stats_input_read(struct stats_input *in,
				    struct span_error *err);
/* Make IN->st, empty, when all is known that makes its rows. */
SPAN_NODISCARD int stats_input_open(struct stats_input *in,
				    struct span_error *err);
/* Count a span, if it is of a kind that counts: 0 or what failed, which stays.
 */
SPAN_NODISCARD int stats_input_put(struct stats_input *in,
				   const struct span *s);

void stats_input_release(struct stats_input *in);

/* ---- stats-merge.c ---- */

/* Read partial results, FILEs that ARGV names; and write one. */
SPAN_NODISCARD int stats_input_merge(struct stats_input *in, int argc,
				     char **argv, struct span_error *err);
SPAN_NODISCARD int stats_input_save(const struct stats_input *in,
				    struct span_buf *out,
				    struct span_error *err);
/* Put together what totals and partial results are called. */
SPAN_NODISCARD int stats_names_put(struct stats_input *in,
				   struct span_error *err);
/* Merge the partial result at P, as span_stats_merge(). */
SPAN_NODISCARD int stats_input_add(struct stats_input *in, const void *p,
				   size_t len, size_t *used,
				   struct span_error *why);

/* ---- stats-totals.c ---- */

/* Take IN->totals for this run alone: SPAN_E_BUSY when another one has it. */
SPAN_NODISCARD int stats_totals_lock(const struct stats_input *in,
				     struct span_error *err);
/* Add what was counted of FILEs; or that, and what of a store came since. */
SPAN_NODISCARD int stats_totals_add(struct stats_input *in,
				    struct span_error *err);
SPAN_NODISCARD int stats_totals_arrived(struct stats_input *in,
					struct cmd_source *source,
					struct span_error *err);
/* Keep all that was counted for the next run, once it has been shown. */
SPAN_NODISCARD int stats_totals_commit(struct stats_input *in,
				       struct span_error *err);

#endif
