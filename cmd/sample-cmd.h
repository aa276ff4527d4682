/* SPDX-License-Identifier: Apache-2.0 */
/* sample-cmd.h - the parts of span-sample */
#ifndef SAMPLE_CMD_H
#define SAMPLE_CMD_H

#include "cmd_source.h"

/* What the options say. */
struct sample {
	struct span_ratio like;
	double ratio; /* when nothing else is asked for */
	bool explain;
	uint64_t wait_ns, memory; /* 0: the library's */
	struct span_writer *out;
	struct span_writer *dropped; /* or NULL */
	struct span_buf text;	     /* working memory */
};

/* Write S, or put it aside: 0 or a negative code. */
SPAN_NODISCARD int sample_put(struct sample *o, const struct span *s,
			      const struct span_verdict *v,
			      struct span_error *err);

/* By the ids alone, span by span; cmd_source_open() after prepare. */
void sample_head_prepare(struct sample *o);
SPAN_NODISCARD int sample_head(struct sample *o, struct cmd_source *in,
			       struct span_error *err);

/* By policies, whole traces. */
SPAN_NODISCARD int sample_tail_prepare(struct sample *o, const char *name,
				       const struct span_buf *policies,
				       struct span_error *err);
SPAN_NODISCARD int sample_tail(struct cmd_source *in, struct span_error *err);
void sample_tail_close(void);

/* ---- sample-policy.c: options that are short for policies ---- */

extern const struct cmd_option sample_policy_options[];
/*
 * Of --ratio alone 0 and *RATIO; else 1 and the policies in TEXT, with their
 * NAME for messages; or a negative code. Wrong usage exits.
 */
SPAN_NODISCARD int sample_policies(bool whole, double *ratio, const char **name,
				   struct span_buf *text,
				   struct span_error *err);

/* The file of Jaeger's strategies, or NULL. */
const char *sample_strategies(void);

/* ---- sample-adaptive.c: what is learned from run to run ---- */

extern const struct cmd_option sample_adaptive_options[];
/* The type of policy that the options ask for and its *VALUE, or NULL. */
const char *sample_adaptive_type(const char **value);
/* Read the state for S, or NULL: 0 or a negative code. Wrong usage exits. */
SPAN_NODISCARD int sample_adaptive_open(struct span_sampler *s,
					struct span_error *err);
/* Write the files when it is time, or the END: 0 or a negative code. */
SPAN_NODISCARD int sample_adaptive_write(const struct span_sampler *s, bool end,
					 struct span_error *err);
void sample_adaptive_close(void);

/* ---- sample-report.c: what was done ---- */

/* To call first: the policies that are counted, or NULL. 0 or a code. */
SPAN_NODISCARD int sample_report_open(const struct span_sampler *s,
				      struct span_error *err);
/* N spans of a trace; EXPLAIN says why on stderr. */
void sample_count(const struct span_sampled *s, bool explain);
void sample_count_spans(uint64_t kept, uint64_t dropped);
void sample_report_metrics(bool now);
/* Lines of counts: of -v, which began at SINCE. */
void sample_report(uint64_t since);
/* Warn of what was decided early. */
void sample_report_early(void);
void sample_report_close(void);

#endif
