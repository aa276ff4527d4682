/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/buckets.h"

#include <stdlib.h>

#include "base/banned.h"

#define MAX_BUCKETS 65536u /* the rest share the first one */

struct span__bucket {
	uint64_t hash;
	double tokens, missed;
	uint64_t last_ns;
};

static struct span__bucket *bucket(const struct span__limit *l, size_t i)
{
	return (struct span__bucket *)l->buckets.p + i;
}

static struct span__bucket *append(struct span__limit *l, uint64_t hash)
{
	struct span__bucket *b =
		span__append_zeros(&l->buckets, sizeof(struct span__bucket));

	if (b)
		*b = (struct span__bucket){.hash = hash, .tokens = l->burst};
	return b;
}

int span__limit_init(struct span__limit *l, double per_second, double burst,
		     struct span_error *err)
{
	l->per_ns = per_second / 1e9;
	l->burst = burst;
	if (!append(l, 0))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__key_init(&l->secret, err);
}

static uint64_t hash_of(const void *arg, const struct span__slots *t,
			uint32_t i)
{
	(void)t;
	return bucket(arg, i + 1u)->hash;
}

struct span__bucket *span__limit_bucket(struct span__limit *l,
					struct span_str service,
					struct span_str operation)
{
	uint64_t h = span__hash_str(&l->secret, service) * 31 +
		     span__hash_str(&l->secret, operation);
	size_t n = l->buckets.len / sizeof(struct span__bucket), at, mask;
	struct span__bucket *b;

	if (span__slots_grow(&l->slots, hash_of, l) < 0)
		return NULL;
	mask = ((size_t)1 << l->slots.bits) - 1;
	for (at = h & mask; l->slots.slots[at]; at = (at + 1) & mask)
		if (bucket(l, l->slots.slots[at])->hash == h)
			return bucket(l, l->slots.slots[at]);
	if (n >= MAX_BUCKETS)
		return bucket(l, 0);
	b = append(l, h);
	if (b) {
		l->slots.slots[at] = (uint32_t)n;
		l->slots.n++;
	}
	return b;
}

/* Time that goes back brings nothing. */
bool span__bucket_take(const struct span__limit *l, struct span__bucket *b,
		       uint64_t now_ns)
{
	if (now_ns > b->last_ns) {
		if (b->last_ns)
			b->tokens += (double)(now_ns - b->last_ns) * l->per_ns;
		if (b->tokens > l->burst)
			b->tokens = l->burst;
		b->last_ns = now_ns;
	}
	if (b->tokens < 1)
		return false;
	b->tokens--;
	return true;
}

void span__bucket_miss(struct span__bucket *b)
{
	b->missed++;
}

double span__bucket_stands_for(struct span__bucket *b)
{
	double n = 1 + b->missed;

	b->missed = 0;
	return n;
}

void span__limit_release(struct span__limit *l)
{
	free(l->slots.slots);
	span_buf_release(&l->buckets);
	*l = (struct span__limit){0};
}
