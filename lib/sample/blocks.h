/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocks.h - memory in blocks of one size, which go back to the system
 *
 * Who has to keep to a bound takes all that grows from here: what is counted is
 * what the process has, since nothing is left of a block that was freed.
 */
#ifndef SPAN_SAMPLE_BLOCKS_H
#define SPAN_SAMPLE_BLOCKS_H

#include <span/base.h>

struct span__blocks {
	size_t size;  /* of a block, a power of two */
	size_t bytes; /* taken from the system, by all */
};

/* Blocks of a size for whom MEMORY bytes are all that there are. */
void span__blocks_init(struct span__blocks *b, uint64_t memory);
/* LEN bytes of zeros, a block when that is its size; NULL: memory is out. */
SPAN_NODISCARD void *span__blocks_get(struct span__blocks *b, size_t len);
void span__blocks_free(struct span__blocks *b, void *p, size_t len);

/*
 * Things of one size, a power of two, by number: they stay where they are. What
 * was given back is given out again first.
 */
struct span__numbered {
	struct span__blocks *blocks;
	struct span_buf chunks; /* addresses of blocks */
	unsigned size_bits, chunk_bits;
	uint32_t n, free1; /* free1: the first free one plus one */
};

void span__numbered_init(struct span__numbered *p, struct span__blocks *blocks,
			 unsigned size_bits);
/* Its number, or -1 when memory is out. It is not cleared. */
SPAN_NODISCARD int64_t span__numbered_take(struct span__numbered *p);
void span__numbered_give(struct span__numbered *p, uint32_t number);
void span__numbered_release(struct span__numbered *p);

static inline void *span__numbered_at(const struct span__numbered *p,
				      uint32_t number)
{
	char *chunk = ((char **)(void *)p->chunks.p)[number >> p->chunk_bits];
	uint32_t at = number & ((1u << p->chunk_bits) - 1);

	return chunk + ((size_t)at << p->size_bits);
}

#endif
