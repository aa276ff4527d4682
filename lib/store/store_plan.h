/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_plan.h - which files to seal together
 *
 * A group of neighbouring closed logs is due when it makes a whole segment, or
 * when the oldest of them is old. The small segments before it join it while
 * they are not more than twice as large as all that follows: so sizes at least
 * double from segment to segment, going back, and a span is written again only
 * a logarithmic number of times.
 */
#ifndef SPAN_STORE_PLAN_H
#define SPAN_STORE_PLAN_H

#include <span/base.h>

#define SEAL_BYTES (120u << 20) /* of logs: two whole ones */

/* A file of the store, in the order of numbers. */
struct span__plan_file {
	uint64_t spans, bytes;
	uint64_t memory;     /* that building it took; of a segment */
	uint64_t arrival_ns; /* of its last frame */
	bool segment;
	bool fixed; /* cannot be sealed, and nothing across it */
};

struct span__plan_limits {
	uint64_t max_spans, memory, max_age_ns, now_ns;
	bool all; /* any log is due */
};

/* COUNT files from FIRST on, of which the last LOGS are logs. */
struct span__plan {
	size_t first, count, logs;
	const char *why;
};

/* The first group at or after file FROM that is due: false when none is. */
bool span__plan_next(const struct span__plan_file *v, size_t n, size_t from,
		     const struct span__plan_limits *limits,
		     struct span__plan *out);

#endif
