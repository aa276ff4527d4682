/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats-options.h - what span-stats is asked for
 */
#ifndef STATS_OPTIONS_H
#define STATS_OPTIONS_H

#include "stats-input.h"
#include "stats-out.h"

/* What to write, in the order of --help. */
enum stats_format { TABLE, CSV, JSON, PLOT, SVG, PROMETHEUS, OPENMETRICS };

#define STATS_NOT_GIVEN UINT64_MAX

extern struct stats_wanted {
	int format, order, style, value; /* -1: not given */
	bool all_kinds, unweighted, histogram, partial, merge;
	struct cmd_list by, quantiles;
	const char *buckets, *totals;
	uint64_t step, top; /* or STATS_NOT_GIVEN */
} stats_wanted;

extern const struct cmd_option stats_options[];

/* Read them into IN and O; what does not go together exits. */
void stats_options_read(struct stats_input *in, struct stats_out *o);
/* What a metrics function of the expression says besides, which IN has. */
void stats_options_metrics(const struct stats_input *in, struct stats_out *o);

#endif
