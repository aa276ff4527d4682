/* SPDX-License-Identifier: Apache-2.0 */
/* Traces by id, and blocks by trace. */
#include <string.h>

#include "base/hash.h"
#include "base/id.h"
#include "store/seg_read.h"
#include "store/seg_watch.h"

#include "base/banned.h"

uint64_t span__seg_bucket(const uint8_t id[16], uint64_t seed, unsigned bits)
{
	return bits ? XXH3_64bits_withSeed(id, 16, seed) >> (64 - bits) : 0;
}

/* Where the bucket of ID begins and ends. False: no bucket is like that. */
static bool bucket_of(struct span__seg *s, const uint8_t id[16],
		      uint64_t *begin, uint64_t *end)
{
	uint64_t n = s->buckets.n, bucket;

	if (!n || n & (n - 1))
		return false;
	bucket = span__seg_bucket(id, s->file.header.hash_seed,
				  (unsigned)__builtin_ctzll(n));
	*begin = bucket ? span__ints_get(&s->buckets, bucket - 1) : 0;
	*end = span__ints_get(&s->buckets, bucket);
	return *begin <= *end && *end <= s->n_traces &&
	       *end - *begin <= SEG_BUCKET_MAX;
}

static int find(struct span__seg *s, const uint8_t id[16], uint64_t *trace)
{
	uint64_t high = span__id_get(id), low = span__id_get(id + 8), i, end;

	if (!bucket_of(s, id, &i, &end)) {
		(void)span__area_bad(&s->buckets.area);
		return SPAN_E_CORRUPT;
	}
	for (; i < end; i++) {
		uint64_t t = span__ints_get(&s->bucket_traces, i);

		if (span__ints_get(&s->trace_low, t) == low &&
		    span__ints_get(&s->trace_high, t) == high && !s->file.bad) {
			*trace = t;
			return 1;
		}
	}
	return s->file.bad ? SPAN_E_CORRUPT : 0;
}

int span__seg_find(struct span__seg *s, const uint8_t id[16], uint64_t *trace,
		   struct span_error *err)
{
	struct span__watch w;
	int rc;

	if (!s->n_traces)
		return 0;
	w = span__watch(&s->file);
	rc = find(s, id, trace);
	(void)span__watch_end(&w);
	if (rc < 0)
		return span_error_at(err, rc, s->file.bad_pos,
				     "%s: the directory of traces is damaged",
				     s->file.name);
	return rc;
}

void span__seg_trace_id(struct span__seg *s, uint64_t trace, uint8_t id[16])
{
	span__trace_id_put(id, span__ints_get(&s->trace_high, trace),
			   span__ints_get(&s->trace_low, trace));
}

uint64_t span__seg_block_of(struct span__seg *s, uint64_t trace)
{
	uint64_t i = span__ints_upper(&s->block_trace, trace);

	return i ? i - 1 : 0;
}
