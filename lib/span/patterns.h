/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/patterns.h - what failing traces have in common
 *
 * A trace fails when one of its spans does. What is said of it are the
 * operations in it, and the tags of their spans and processes, by service.
 * Each of them is counted in failing traces and in the rest, and judged by
 * Fisher's exact test: how probable is it that at least so many of the failing
 * traces have it, if failing had nothing to do with it? Many are judged at
 * once, therefore Benjamini and Hochberg's procedure keeps the expected part
 * of false ones among those that are told at Q or less.
 *
 * Besides: durations of failing calls that lie together, as those of timeouts
 * do, one or several of an operation.
 */
#ifndef SPAN_PATTERNS_H
#define SPAN_PATTERNS_H

#include <span/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Bounds of memory: different things that are counted (some 30 MB), values of
 * one key of a service (one that has more is an identifier, and is left out
 * whole), bytes of a value (a longer one is no category), operations whose
 * durations are looked at, and durations that are kept of each.
 */
#define SPAN_PATTERN_ITEMS (UINT32_C(1) << 18)
#define SPAN_PATTERN_VALUES 2000u
#define SPAN_PATTERN_VALUE_MAX 200u
#define SPAN_PATTERN_CALLS 2048u
#define SPAN_PATTERN_DURATIONS 4096u

/* Clusters of the durations of one operation at most. */
#define SPAN_PATTERN_CLUSTERS 4u

struct span_patterns_opts {
	uint64_t min_support; /* failing traces that have it */
	double max_q;
};

#define SPAN_PATTERNS_DEFAULTS                                                 \
	{                                                                      \
		.min_support = 5, .max_q = 0.05                                \
	}

struct span_pattern {
	/* KEY is empty for an operation, whose name VALUE is a template of. */
	struct span_str service, key, value;
	uint64_t failing, rest; /* traces that have it */
	double p;		/* one-sided, Fisher's exact test */
	double q;		/* the same for all that are told */
	/*
	 * How many times the odds of failing are those of the others, with 95
	 * % limits (Woolf), one half added to all counts (Haldane, Anscombe).
	 */
	double odds, odds_low, odds_high;
	double lift;	/* part of these that fails, by that of all traces */
	uint32_t alike; /* others after it that are in the very same traces */
	bool is_alike;	/* it is one of these */
};

/* Failing calls of one operation that took the same time. */
struct span_cluster {
	struct span_str service, name; /* a template */
	uint64_t failures, within;     /* WITHIN of FAILURES */
	uint64_t ns, plus_minus_ns;    /* the middle, half of the width */
	uint64_t rest, rest_within;    /* calls that did not fail */
	/*
	 * It takes longer than 95 % of the calls that did not fail, or without
	 * these 100 ms: it may be a timeout.
	 */
	bool is_long;
	uint8_t sample[16]; /* a trace */
};

struct span_patterns;

struct span_patterns_view {
	/* By P, then odds_low; those that are alike behind their first one. */
	const struct span_pattern *patterns;
	size_t n_patterns;
	const struct span_cluster *clusters; /* most failures first */
	size_t n_clusters;
	uint64_t failing, rest; /* traces */
	uint64_t judged;	/* things that were tested */
	uint64_t identifiers;	/* keys with too many values */
	uint64_t left_out;	/* things, or calls, without room */
};

/* Without options O has the defaults. 0, SPAN_E_NOMEM or SPAN_E_IO. */
SPAN_API SPAN_NODISCARD int
span_patterns_open(struct span_patterns **out,
		   const struct span_patterns_opts *o, struct span_error *err);
/* Count T. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_patterns_put(struct span_patterns *s,
					      const struct span_trace *t,
					      struct span_error *err);
/* *V is valid until the next call on S. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_patterns_view(struct span_patterns *s,
					       struct span_patterns_view *v,
					       struct span_error *err);
SPAN_API void span_patterns_close(struct span_patterns **s);

#ifdef __cplusplus
}
#endif
#endif
