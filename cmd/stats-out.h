/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats-out.h - what span-stats writes
 */
#ifndef STATS_OUT_H
#define STATS_OUT_H

#include "cmd.h"
#include "stats-field.h"

#define STATS_QUANTILES 16u
#define STATS_LINES 8u /* of an SVG, one a group */

enum stats_order {
	STATS_BY_CALLS,
	STATS_BY_ERRORS,
	STATS_BY_RATIO,
	STATS_BY_LATENCY,
	STATS_BY_NAME,
};

/* What pictures show. */
enum stats_value {
	STATS_RATE,
	STATS_RATIO,
	STATS_LATENCY,
	/* Of durations, in ns: */
	STATS_MEAN,
	STATS_MIN,
	STATS_MAX,
	STATS_SUM,
};

/* Whose names of metrics. */
enum stats_style { STATS_OTEL, STATS_OTEL_SECONDS, STATS_TEMPO };

/* Rows with the same labels: N of them from FIRST on, and all together. */
struct stats_group {
	size_t first, n;
	struct span_stats_row total;
};

/* Where the output goes, piece by piece. */
struct stats_sink {
	int fd;
	int rc; /* how it failed, or 0 */
	struct span_error *err;
};

struct stats_out {
	struct span_stats *st;
	struct stats_sink *sink;
	const struct stats_fields *fields;
	double quantiles[STATS_QUANTILES];
	size_t n_quantiles;
	double latency;		 /* the quantile of pictures and orders */
	enum stats_value figure; /* of durations that is asked for, from
				  * STATS_MEAN on; or STATS_RATE */
	uint64_t from_ns, to_ns; /* that rates are about; 0: of no span */
	uint64_t step_ns;	 /* 0: no buckets of time */
	struct stats_group *groups;
	size_t n_groups, n_hidden; /* shown, and beyond --top */
	bool full;		   /* a count is as high as counts are */
	struct span_render_opts look;
	enum stats_style style;
	enum stats_value value;
	bool open_metrics;
};

/* Gather the groups in ORDER, the first TOP (0: all). 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int stats_groups(struct stats_out *o, enum stats_order order,
				uint64_t top, struct span_error *err);
void stats_groups_release(struct stats_out *o);

/* Seconds that rates of the whole are about, at least a nanosecond. */
double stats_seconds(const struct stats_out *o);
/* Calls a second in NS; the share of errors. */
double stats_rate(const struct span_stats_row *r, double seconds);
double stats_ratio(const struct span_stats_row *r);
/* "mean" and so on, and its ns, at most UINT64_MAX. */
const char *stats_figure_name(enum stats_value figure);
uint64_t stats_figure_ns(const struct span_stats_row *r,
			 enum stats_value figure);
/* "p99.9" */
void stats_quantile_name(struct span_buf *b, double q);
/* A count, which is in 65,536ths: "12", "3.5"; rounded for people: "1,234". */
void stats_count(struct span_buf *b, uint64_t count);
void stats_count_rounded(struct span_buf *b, uint64_t count);
/* Buckets of time that the groups have, from *FIRST_NS on. */
size_t stats_steps(const struct stats_out *o, uint64_t *first_ns);
/* When the last of them ends, or the last time that there is. */
uint64_t stats_steps_end(const struct stats_out *o, uint64_t first_ns,
			 size_t steps);
/* In which of N columns, at most one a bucket, the one of START_NS is shown. */
size_t stats_part(const struct stats_out *o, uint64_t start_ns,
		  uint64_t first_ns, size_t steps, size_t n);

/*
 * Write what B has when that is much, so that the output never is in memory as
 * a whole; or all of it. False when it failed, and no more is of use.
 */
bool stats_drain(struct span_buf *b, const struct stats_out *o);
bool stats_drain_all(struct span_buf *b, const struct stats_out *o);

typedef void stats_out_fn(struct span_buf *b, const struct stats_out *o);
stats_out_fn stats_out_table, stats_out_csv, stats_out_json;
stats_out_fn stats_out_plot, stats_out_svg, stats_out_prometheus;
/* What is put below the line of group G with a histogram, for people. */
void stats_histogram_put(struct span_buf *b, const struct stats_out *o,
			 const struct stats_group *g);
/* Do all fields have labels of their own? Else *TWICE is one of two. */
bool stats_prom_names(const struct stats_out *o, struct span_buf *twice);

#endif
