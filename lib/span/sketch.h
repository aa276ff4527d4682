/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span/sketch.h - quantiles of durations, in little memory
 *
 * A histogram whose buckets grow with the value: below 32 one for each number,
 * above that 32 of equal width for each power of two. So a quantile is off by
 * at most 1/64 (1.6 %) of its value, for any data, and sketches merge without
 * adding to that, in any order, to the same result. At most 1,920 buckets; the
 * used ones are kept.
 *
 * Source: the log-linear histogram of HdrHistogram (Tene), with five bits.
 */
#ifndef SPAN_SKETCH_H
#define SPAN_SKETCH_H

#include <span/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPAN_SKETCH_BUCKETS 1920u

/* A zeroed struct is empty. */
struct span_sketch {
	struct span_sketch_bucket {
		uint32_t bucket;
		uint64_t count;
	} * v; /* ascending */
	size_t n;
	uint32_t cap;
	uint32_t absent; /* empty buckets before that of the last value */
	uint64_t count;	 /* of all values, at most UINT64_MAX */
};

/* The bucket of VALUE, and the least value of a bucket. */
SPAN_API uint32_t span_sketch_bucket(uint64_t value);
SPAN_API uint64_t span_sketch_lower(uint32_t bucket);

/* Add COUNT times VALUE; merge adds all of FROM. 0 or SPAN_E_NOMEM. */
SPAN_API SPAN_NODISCARD int span_sketch_put(struct span_sketch *s,
					    uint64_t value, uint64_t count,
					    struct span_error *err);
SPAN_API SPAN_NODISCARD int span_sketch_merge(struct span_sketch *s,
					      const struct span_sketch *from,
					      struct span_error *err);

/*
 * The value at quantile Q (0 to 1): the middle of the bucket that has the
 * value of rank ceil(Q * count), at least 1. 0 when it is empty.
 */
SPAN_API uint64_t span_sketch_quantile(const struct span_sketch *s, double q);

SPAN_API void span_sketch_reset(struct span_sketch *s);
SPAN_API void span_sketch_release(struct span_sketch *s);

#ifdef __cplusplus
}
#endif
#endif
