/* SPDX-License-Identifier: Apache-2.0 */
#include "sample/blocks.h"

#include <string.h>
#include <sys/mman.h>

#include "base/huge.h"

#include "base/banned.h"

#define SMALLEST (16u << 10)
#define PARTS 64u /* that memory has at least, but for the smallest blocks */

void span__blocks_init(struct span__blocks *b, uint64_t memory)
{
	*b = (struct span__blocks){.size = SMALLEST};
	while (b->size < HUGE_PAGE && b->size * 2 <= memory / PARTS)
		b->size *= 2;
}

/* What is no block is rounded up to one of the smallest. */
static size_t whole(size_t len)
{
	return (len + SMALLEST - 1) & -(size_t)SMALLEST;
}

void *span__blocks_get(struct span__blocks *b, size_t len)
{
	void *p;

	if (len > SIZE_MAX / 2)
		return NULL;
	len = whole(len);
	if (len == HUGE_PAGE) {
		p = span__huge_alloc();
	} else {
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			p = NULL;
	}
	if (p)
		b->bytes += len;
	return p;
}

void span__blocks_free(struct span__blocks *b, void *p, size_t len)
{
	if (!p)
		return;
	(void)munmap(p, whole(len));
	b->bytes -= whole(len);
}

void span__numbered_init(struct span__numbered *p, struct span__blocks *blocks,
			 unsigned size_bits)
{
	*p = (struct span__numbered){.blocks = blocks, .size_bits = size_bits};
	while ((size_t)2 << (p->chunk_bits + size_bits) <= blocks->size)
		p->chunk_bits++;
}

int64_t span__numbered_take(struct span__numbered *p)
{
	uint32_t number = p->n;
	void *chunk;

	if (p->free1) {
		number = p->free1 - 1;
		memcpy(&p->free1, span__numbered_at(p, number),
		       sizeof(p->free1));
		return number;
	}
	if (number == UINT32_MAX)
		return -1;
	if (!(number & ((1u << p->chunk_bits) - 1))) {
		if (!span_buf_reserve(&p->chunks, sizeof(chunk)))
			return -1;
		chunk = span__blocks_get(p->blocks, p->blocks->size);
		if (!chunk)
			return -1;
		span_buf_put(&p->chunks, &chunk, sizeof(chunk));
	}
	p->n++;
	return number;
}

void span__numbered_give(struct span__numbered *p, uint32_t number)
{
	memcpy(span__numbered_at(p, number), &p->free1, sizeof(p->free1));
	p->free1 = number + 1;
}

void span__numbered_release(struct span__numbered *p)
{
	char **chunks = (char **)(void *)p->chunks.p;

	for (size_t i = 0; i < p->chunks.len / sizeof(*chunks); i++)
		span__blocks_free(p->blocks, chunks[i], p->blocks->size);
	span_buf_release(&p->chunks);
	p->n = p->free1 = 0;
}
