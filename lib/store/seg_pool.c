/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Columns grow by blocks of a quarter of what they have, so that little is
 * left empty and nothing is ever copied.
 */
#include "store/seg_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"

#include "base/banned.h"

#define LARGE (4u << 20) /* of a pool that gets large pieces */
#define RAW_FIRST 4u
#define RAW_BLOCK 2048u
#define BATCH 64u   /* texts that are looked for at once */
#define SOON 65536u /* texts: a frame has hardly more */

struct span__pool_piece {
	struct span__pool_piece *older;
	size_t huge; /* 1: it is a large page */
	uint64_t data[];
};

struct span__raw_block {
	struct span__raw_block *next;
	uint32_t n;
	uint64_t rows[];
};

/* What is long has a piece of its own, so that little is left empty. */
static bool is_long(size_t len)
{
	return len > SEG_POOL_PIECE / 16;
}

/* A piece for LEN bytes, with *CAP of them. */
static struct span__pool_piece *new_piece(const struct span__pool *p,
					  size_t len, size_t *cap)
{
	struct span__pool_piece *piece;
	bool huge = !is_long(len) && p->size >= LARGE;

	if (huge)
		*cap = HUGE_PAGE - sizeof(*piece);
	else
		*cap = is_long(len) ? len : SEG_POOL_PIECE;
	piece = huge ? span__huge_alloc() : malloc(sizeof(*piece) + *cap);
	if (piece)
		piece->huge = huge;
	return piece;
}

void *span__pool_alloc(struct span__pool *p, size_t len, size_t align)
{
	size_t at = (p->used + align - 1) & ~(align - 1), cap;
	struct span__pool_piece *piece;

	if (p->piece && at <= p->cap && len <= p->cap - at) {
		p->used = at + len;
		return (char *)p->piece->data + at;
	}
	if (len > SIZE_MAX / 2)
		return NULL;
	piece = new_piece(p, len, &cap);
	if (!piece)
		return NULL;
	p->size += sizeof(*piece) + cap;
	if (is_long(len) && p->piece) {
		piece->older = p->piece->older;
		p->piece->older = piece;
		return piece->data;
	}
	piece->older = p->piece;
	p->piece = piece;
	p->cap = cap;
	p->used = len;
	return piece->data;
}

void span__pool_release(struct span__pool *p)
{
	while (p->piece) {
		struct span__pool_piece *older = p->piece->older;

		if (p->piece->huge)
			span__huge_free(p->piece);
		else
			free(p->piece);
		p->piece = older;
	}
	*p = (struct span__pool){0};
}

static bool grow_slots(struct span__intern *t)
{
	size_t n = t->slots ? 2 * (t->mask + 1) : 1024, mask = n - 1;
	uint64_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	span__huge_hint(slots, n * sizeof(*slots));
	/* the upper half of a hash is kept, and gives the place */
	for (size_t i = 0; t->slots && i <= t->mask; i++) {
		size_t at = (t->slots[i] >> 32) & mask;

		if (!t->slots[i])
			continue;
		while (slots[at])
			at = (at + 1) & mask;
		slots[at] = t->slots[i];
	}
	free(t->slots);
	t->slots = slots;
	t->mask = mask;
	return true;
}

static bool grow_list(struct span__intern *t)
{
	size_t cap = t->cap ? t->cap + t->cap / 2 : 512;
	struct span_str *v = realloc(t->v, cap * sizeof(*v));

	if (!v)
		return false;
	t->v = v;
	t->cap = cap;
	return true;
}

static bool is_text(const struct span__intern *t, uint32_t i, struct span_str s)
{
	return t->v[i].len == s.len &&
	       (!s.len || !memcmp(t->v[i].p, s.p, s.len));
}

/* The number of a text; SEG_NO_MEMORY with its place in *AT. */
static uint32_t find_hashed(const struct span__intern *t, struct span_str s,
			    uint64_t hash, size_t *at)
{
	for (*at = hash & t->mask; t->slots[*at]; *at = (*at + 1) & t->mask) {
		uint32_t i = (uint32_t)t->slots[*at] - 1;

		if (t->slots[*at] >> 32 == hash && is_text(t, i, s))
			return i;
	}
	return SEG_NO_MEMORY;
}

static uint32_t put_hashed(struct span__intern *t, struct span_str s,
			   uint64_t hash)
{
	uint32_t found;
	size_t at;
	char *p;

	if ((!t->slots || t->n >= t->mask / 4 * 3) && !grow_slots(t))
		return SEG_NO_MEMORY;
	found = find_hashed(t, s, hash, &at);
	if (found != SEG_NO_MEMORY)
		return found;
	if (t->n >= UINT32_MAX - 1 || (t->n == t->cap && !grow_list(t)))
		return SEG_NO_MEMORY;
	p = span__pool_alloc(&t->pool, s.len, 1);
	if (!p)
		return SEG_NO_MEMORY;
	if (s.len)
		memcpy(p, s.p, s.len);
	t->v[t->n] = (struct span_str){p, s.len};
	t->slots[at] = hash << 32 | ++t->n;
	return (uint32_t)t->n - 1;
}

uint32_t span__intern_put(struct span__intern *t, struct span_str s)
{
	return put_hashed(t, s, span__hash_str(&t->key, s) >> 32);
}

uint32_t span__intern_find(const struct span__intern *t, struct span_str s)
{
	size_t at;

	if (!t->slots)
		return SEG_NO_MEMORY;
	return find_hashed(t, s, span__hash_str(&t->key, s) >> 32, &at);
}

/* Where a text with this hash is to be found first, if it is there. */
static const struct span_str *likely(const struct span__intern *t,
				     uint64_t hash)
{
	uint64_t slot = t->slots[hash & t->mask];

	return slot ? &t->v[(uint32_t)slot - 1] : t->v;
}

void span__intern_put_all(struct span__intern *t, const struct span_str *v,
			  size_t n, uint32_t *out)
{
	uint64_t hash[BATCH];

	for (size_t from = 0; from < n; from += BATCH) {
		size_t some = n - from < BATCH ? n - from : BATCH;

		for (size_t i = 0; i < some; i++) {
			hash[i] = span__hash_str(&t->key, v[from + i]) >> 32;
			if (t->slots)
				__builtin_prefetch(
					&t->slots[hash[i] & t->mask]);
		}
		for (size_t i = 0; t->slots && i < some; i++)
			__builtin_prefetch(likely(t, hash[i]));
		for (size_t i = 0; t->slots && i < some; i++)
			__builtin_prefetch(likely(t, hash[i])->p);
		for (size_t i = 0; i < some; i++)
			out[from + i] = put_hashed(t, v[from + i], hash[i]) + 1;
	}
}

size_t span__intern_memory(const struct span__intern *t)
{
	return t->pool.size + t->cap * sizeof(*t->v) +
	       (t->slots ? (t->mask + 1) * sizeof(*t->slots) : 0);
}

size_t span__table_growth(const void *slots, size_t mask, size_t n)
{
	return slots && n + SOON >= mask / 4 * 3
		       ? 2 * (mask + 1) * sizeof(uint64_t)
		       : 0;
}

size_t span__intern_growth(const struct span__intern *t)
{
	return span__table_growth(t->slots, t->mask, t->n);
}

void span__intern_seal(struct span__intern *t)
{
	free(t->slots);
	t->slots = NULL;
}

void span__intern_release(struct span__intern *t)
{
	span__intern_seal(t);
	free(t->v);
	t->v = NULL;
	t->n = t->cap = 0;
	span__pool_release(&t->pool);
}

static bool add_block(struct span__raw *c, struct span__pool *p,
		      uint32_t stored)
{
	uint32_t n = stored / 4;
	struct span__raw_block *b;

	if (n < RAW_FIRST)
		n = RAW_FIRST;
	if (n > RAW_BLOCK)
		n = RAW_BLOCK;
	b = span__pool_alloc(
		p, sizeof(*b) + n * (c->wide ? sizeof(uint64_t) : 4u), 8);
	if (!b)
		return false;
	b->next = NULL;
	b->n = n;
	if (c->last)
		c->last->next = b;
	else
		c->first = b;
	c->last = b;
	c->next = b->rows;
	c->left = n;
	return true;
}

bool span__raw_grow(struct span__raw *c, struct span__pool *p, uint32_t row,
		    uint64_t v)
{
	if (!row) {
		c->value = v;
		return true;
	}
	if (!c->varies) {
		c->varies = true;
		c->from = row;
	}
	return add_block(c, p, row - c->from) && span__raw_put(c, p, row, v);
}

void span__raw_get64(const struct span__raw *c, uint32_t n, uint64_t *out)
{
	uint32_t to = c->varies ? c->from : n;

	for (uint32_t i = 0; i < to; i++)
		out[i] = c->value;
	for (const struct span__raw_block *b = c->first; b && to < n;
	     b = b->next) {
		uint32_t some = n - to < b->n ? n - to : b->n;

		memcpy(out + to, b->rows, some * sizeof(*out));
		to += some;
	}
}

void span__raw_get32(const struct span__raw *c, uint32_t n, uint32_t *out)
{
	uint32_t to = c->varies ? c->from : n;

	for (uint32_t i = 0; i < to; i++)
		out[i] = (uint32_t)c->value;
	for (const struct span__raw_block *b = c->first; b && to < n;
	     b = b->next) {
		uint32_t some = n - to < b->n ? n - to : b->n;

		memcpy(out + to, b->rows, some * sizeof(*out));
		to += some;
	}
}
