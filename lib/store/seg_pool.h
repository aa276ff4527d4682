/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg_pool.h - memory while a segment is built: pieces, texts, long columns
 *
 * All of it is given back at once. A pool takes memory from the system in
 * pieces of one size, a larger one when it is large, so that what it holds is
 * what is in it, where an arena that doubles would hold up to twice as much.
 */
#ifndef SPAN_SEG_POOL_H
#define SPAN_SEG_POOL_H

#include "base/hash.h"

#define SEG_POOL_PIECE (256u << 10)

struct span__pool {
	struct span__pool_piece *piece;
	size_t used, cap; /* of the piece */
	size_t size;	  /* of all pieces */
};

/* LEN bytes, ALIGN (1 or 8) aligned, not cleared; NULL when memory is out. */
void *span__pool_alloc(struct span__pool *p, size_t len, size_t align);
void span__pool_release(struct span__pool *p);

/*
 * Texts, each once, numbered from 0 as they come. A zeroed struct with a key
 * is empty.
 */
struct span__intern {
	struct span__key key;
	struct span_str *v;
	uint64_t *slots; /* upper half: of the hash; lower: number + 1 */
	size_t n, cap, mask;
	struct span__pool pool;
};

#define SEG_NO_MEMORY UINT32_MAX

/* The number of S, which is copied; SEG_NO_MEMORY when memory is out. */
uint32_t span__intern_put(struct span__intern *t, struct span_str s);
/* The number of S, or SEG_NO_MEMORY when it is not there. */
uint32_t span__intern_find(const struct span__intern *t, struct span_str s);
/*
 * The numbers + 1 of the N texts V into OUT, 0 for those that memory was out
 * for. Faster than one by one: the table is fetched for all of them at once.
 */
void span__intern_put_all(struct span__intern *t, const struct span_str *v,
			  size_t n, uint32_t *out);
/* Bytes that it holds; and while the next texts are put, when it grows. */
size_t span__intern_memory(const struct span__intern *t);
size_t span__intern_growth(const struct span__intern *t);
/*
 * What a table of N numbers in MASK + 1 places takes beside what it has when
 * it is soon to grow: both tables are there then.
 */
size_t span__table_growth(const void *slots, size_t mask, size_t n);
/* Give back what only put needs. */
void span__intern_seal(struct span__intern *t);
void span__intern_release(struct span__intern *t);

/*
 * A column that grows row by row. As long as all rows are equal it has no
 * more than the value. A zeroed struct is empty, once WIDE is set.
 */
struct span__raw {
	uint64_t value; /* of the rows before FROM */
	uint32_t from, left;
	bool wide; /* 64 bits a row; else 32 */
	bool varies;
	void *next; /* where the next row goes */
	struct span__raw_block *first, *last;
};

/* Add V, as row number ROW. False when memory is out. */
bool span__raw_grow(struct span__raw *c, struct span__pool *p, uint32_t row,
		    uint64_t v);
static inline bool span__raw_put(struct span__raw *c, struct span__pool *p,
				 uint32_t row, uint64_t v)
{
	if (!c->varies && row && c->value == v)
		return true;
	if (!c->left)
		return span__raw_grow(c, p, row, v);
	c->left--;
	if (c->wide) {
		uint64_t *to = c->next;

		*to = v;
		c->next = to + 1;
	} else {
		uint32_t *to = c->next;

		*to = (uint32_t)v;
		c->next = to + 1;
	}
	return true;
}

/* All N rows, in the order they came, into OUT. */
void span__raw_get64(const struct span__raw *c, uint32_t n, uint64_t *out);
void span__raw_get32(const struct span__raw *c, uint32_t n, uint32_t *out);

#endif
