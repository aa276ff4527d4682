/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_filter.h - whether a text may be among others
 *
 * A blocked Bloom filter over XXH3 of the texts: each sets one bit in each of
 * the eight words of one block of 32 bytes. About one text in a hundred that
 * was not put seems to be there.
 */
#ifndef SPAN_SEG_FILTER_H
#define SPAN_SEG_FILTER_H

#include "store/seg_file.h"

#define FILTER_BLOCK 32u

/* Bytes of a filter for N different texts. */
static inline size_t span__filter_len(size_t n)
{
	return (n * 10 / 256 + 1) * FILTER_BLOCK;
}

/* P is zeroed before the first one; LEN is a number of blocks, not 0. */
void span__filter_put(uint8_t *p, size_t len, struct span_str text);

/* The same by their hashes, which need not be those of texts. */
void span__filter_put_hash(uint8_t *p, size_t len, uint64_t hash);
bool span__filter_may_have_hash(const uint8_t *p, size_t len, uint64_t hash);

/* False: it is not there. True for an empty or damaged filter. */
bool span__filter_may_have(const struct span__area *filter,
			   struct span_str text);

#endif
