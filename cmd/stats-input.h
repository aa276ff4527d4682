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
	/* What a metrics function says, where there is one: */
	double quantiles[SPAN_METRICS_QUANTILES];
	size_t n_quantiles;
	/* What came of it: */
	struct span_stats *st;
	uint64_t from_ns, to_ns; /* of --since, --until, else of the input */
	uint64_t n_other_kinds;	 /* spans, or groups of calls, passed over */
	struct span_buf names;	 /* of fields and selection */
	struct span_buf by_text; /* that fields of by() point into */
	int rc;			 /* of a span */
	struct span_error *err;
};

/* "2ms,10ms,1s", or NULL for the usual ones; wrong usage exits. */
void stats_bounds(struct stats_input *in, const char *text);

/* Read all of the source that the options and ARGV name. 0 or a code. */
SPAN_NODISCARD int stats_input_read(struct stats_input *in, int argc,
				    char **argv, struct span_error *err);
/* The same of partial results, FILEs that ARGV names; and write one. */
SPAN_NODISCARD int stats_input_merge(struct stats_input *in, int argc,
				     char **argv, struct span_error *err);
SPAN_NODISCARD int stats_input_save(const struct stats_input *in,
				    struct span_buf *out,
				    struct span_error *err);
/* Count a span, if it is of a kind that counts: 0 or what failed, which stays.
 */
SPAN_NODISCARD int stats_input_put(struct stats_input *in,
				   const struct span *s);

/* ---- stats-totals.c ---- */

/* Put together what totals and partial results are called. */
SPAN_NODISCARD int stats_names_put(struct stats_input *in,
				   struct span_error *err);
/* Merge the partial result at P, as span_stats_merge(). */
SPAN_NODISCARD int stats_input_add(struct stats_input *in, const void *p,
				   size_t len, size_t *used,
				   struct span_error *why);

/* Take IN->totals for this run alone: SPAN_E_BUSY when another one has it. */
SPAN_NODISCARD int stats_totals_lock(const struct stats_input *in,
				     struct span_error *err);
/* Add what was counted of FILEs, or what of a store came since. */
SPAN_NODISCARD int stats_totals_add(struct stats_input *in,
				    struct span_error *err);
SPAN_NODISCARD int stats_totals_arrived(struct stats_input *in,
					struct cmd_source *source,
					struct span_error *err);

void stats_input_release(struct stats_input *in);

#endif
