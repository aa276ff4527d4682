/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_filter.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/le.h"

#include "base/banned.h"

#define WORDS 8u

/* Odd numbers, by which five bits of each product are independent. */
static const uint32_t factors[WORDS] = {
	0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f,
	0x165667b1, 0xd3a2646d, 0xfd7046c5, 0xb55a4f09,
};

/* The offset of a text's block, by the high half of its hash. */
static uint64_t block_of(uint64_t hash, uint64_t len)
{
	return (hash >> 32) * (len / FILTER_BLOCK) >> 32;
}

static uint32_t bit_of(uint64_t hash, unsigned word)
{
	return 1u << ((uint32_t)hash * factors[word] >> 27);
}

void span__filter_put_hash(uint8_t *p, size_t len, uint64_t hash)
{
	uint8_t *block = p + block_of(hash, len) * FILTER_BLOCK;

	for (unsigned k = 0; k < WORDS; k++)
		span__put32(block + 4 * k,
			    span__get32(block + 4 * k) | bit_of(hash, k));
}

void span__filter_put(uint8_t *p, size_t len, struct span_str text)
{
	span__filter_put_hash(p, len, XXH3_64bits(text.p, text.len));
}

bool span__filter_may_have_hash(const uint8_t *p, size_t len, uint64_t hash)
{
	const uint8_t *block = p + block_of(hash, len) * FILTER_BLOCK;

	for (unsigned k = 0; k < WORDS; k++)
		if (!(span__get32(block + 4 * k) & bit_of(hash, k)))
			return false;
	return true;
}

bool span__filter_may_have(const struct span__area *filter,
			   struct span_str text)
{
	uint64_t hash = XXH3_64bits(text.p, text.len);
	uint64_t pos = block_of(hash, filter->len) * FILTER_BLOCK;

	return filter->len < FILTER_BLOCK ||
	       !span__area_ok(filter, pos, FILTER_BLOCK) ||
	       span__filter_may_have_hash(filter->p, filter->len, hash);
}
