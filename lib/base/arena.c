/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"

#include "base/banned.h"

#define ALIGN 16u
#define FIRST_BLOCK 4096u

struct span__arena_block {
	struct span__arena_block *older;
	size_t cap;
	bool lent; /* not to be freed */
	_Alignas(16) unsigned char data[];
};

/* A new block of CAP bytes; false when memory is out. */
static bool add_block(struct span_arena *a, size_t cap)
{
	struct span__arena_block *block = malloc(sizeof(*block) + cap);

	if (!block)
		return false;
	if (cap >= HUGE_GROWN)
		span__huge_hint(block, sizeof(*block) + cap);
	block->older = a->block;
	block->cap = cap;
	block->lent = false;
	a->block = block;
	a->used = 0;
	return true;
}

static void *grow(struct span_arena *a, size_t len)
{
	size_t cap = a->block ? a->block->cap * 2 : FIRST_BLOCK;

	if (!add_block(a, cap < len ? len : cap))
		return NULL;
	a->used = len;
	return a->block->data;
}

void span__arena_begin(struct span_arena *a, size_t len)
{
	if (!a->block)
		(void)!add_block(a, len);
}

_Static_assert(sizeof(struct span__arena_block) == SPAN__ARENA_HEAD,
	       "who lends memory has to know");

void span__arena_lend(struct span_arena *a, void *p, size_t len)
{
	struct span__arena_block *block = p;

	*block = (struct span__arena_block){.cap = len - sizeof(*block),
					    .lent = true};
	*a = (struct span_arena){.block = block};
}

void *span_arena_alloc(struct span_arena *a, size_t len)
{
	size_t at = (a->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);

	if (len > SIZE_MAX / 4)
		return NULL;
	if (!a->block || at > a->block->cap || len > a->block->cap - at)
		return grow(a, len);
	a->used = at + len;
	return a->block->data + at;
}

void *span_arena_array(struct span_arena *a, size_t n, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(n, size, &len))
		return NULL;
	return span_arena_alloc(a, len);
}

/* Text needs no alignment: half of what is kept of spans are short texts. */
bool span_arena_str(struct span_arena *a, struct span_str s,
		    struct span_str *out)
{
	char *p;

	if (!s.len) {
		*out = SPAN_STR("");
		return true;
	}
	if (a->block && s.len <= a->block->cap - a->used) {
		p = (char *)a->block->data + a->used;
		a->used += s.len;
	} else {
		p = span_arena_alloc(a, s.len);
	}
	if (!p)
		return false;
	memcpy(p, s.p, s.len);
	*out = (struct span_str){p, s.len};
	return true;
}

static void free_chain(struct span__arena_block *block)
{
	while (block) {
		struct span__arena_block *older = block->older;

		if (!block->lent)
			free(block);
		block = older;
	}
}

/* The newest block is the largest: each is at least twice the one before. */
void span_arena_reset(struct span_arena *a)
{
	if (a->block) {
		free_chain(a->block->older);
		a->block->older = NULL;
	}
	a->used = 0;
}

size_t span_arena_size(const struct span_arena *a)
{
	size_t size = 0;

	for (const struct span__arena_block *b = a->block; b; b = b->older)
		size += sizeof(*b) + b->cap;
	return size;
}

void span_arena_release(struct span_arena *a)
{
	free_chain(a->block);
	*a = (struct span_arena){0};
}
