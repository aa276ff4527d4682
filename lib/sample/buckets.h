/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buckets.h - so many traces in a time, of each service or operation
 *
 * Buckets of tokens by the time of the spans. What finds none is counted, and
 * the next that finds one stands for it too.
 */
#ifndef SPAN_SAMPLE_BUCKETS_H
#define SPAN_SAMPLE_BUCKETS_H

#include "base/hash.h"
#include "base/slots.h"

struct span__limit {
	double per_ns; /* tokens; 0: there are no more */
	double burst;
	struct span__slots slots; /* of the buckets after the first */
	struct span_buf buckets;  /* the first is for whom there is no room */
	struct span__key secret;
};

struct span__bucket;

SPAN_NODISCARD int span__limit_init(struct span__limit *l, double per_second,
				    double burst, struct span_error *err);
/*
 * The bucket of a service and an operation; NULL when memory is out. Valid
 * until the next call.
 */
struct span__bucket *span__limit_bucket(struct span__limit *l,
					struct span_str service,
					struct span_str operation);
/* Take a token at NOW_NS, when there is one. */
bool span__bucket_take(const struct span__limit *l, struct span__bucket *b,
		       uint64_t now_ns);
/* One was dropped that nothing else stands for; one was kept: how many it
 * stands for. */
void span__bucket_miss(struct span__bucket *b);
double span__bucket_stands_for(struct span__bucket *b);
void span__limit_release(struct span__limit *l);

#endif
