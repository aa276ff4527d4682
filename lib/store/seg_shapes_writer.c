/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes while a segment is built: symbols are numbered as they come, shapes
 * are kept as symbols, and when all are known the symbols are numbered anew,
 * the frequent ones first.
 */
#include "store/seg_shapes.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/sort.h"

#include "base/banned.h"

struct symbol {
	uint32_t type, turn;
	uint64_t uses; /* in different shapes */
};

struct shape {
	uint64_t hash;
	uint64_t first; /* of its symbols */
	uint32_t n;
};

/* A table of numbers by hash, open, at most half full. */
struct index {
	uint32_t *slots; /* number + 1 */
	size_t mask, n;
};

struct span__shapes_writer {
	enum span__seg_codec codec;
	struct span__key key;
	struct span_buf symbols, shapes, all, one;
	struct index by_symbol, by_shape;
};

int span__shapes_writer_open(struct span__shapes_writer **out,
			     enum span__seg_codec codec, struct span_error *err)
{
	struct span__shapes_writer *w = calloc(1, sizeof(*w));
	int rc;

	*out = NULL;
	if (!w)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a segment's shapes");
	rc = span__key_init(&w->key, err);
	if (rc < 0) {
		free(w);
		return rc;
	}
	w->codec = codec;
	*out = w;
	return 0;
}

void span__shapes_writer_close(struct span__shapes_writer **w)
{
	if (!*w)
		return;
	span_buf_release(&(*w)->symbols);
	span_buf_release(&(*w)->shapes);
	span_buf_release(&(*w)->all);
	span_buf_release(&(*w)->one);
	free((*w)->by_symbol.slots);
	free((*w)->by_shape.slots);
	free(*w);
	*w = NULL;
}

static struct symbol *symbols(const struct span__shapes_writer *w)
{
	return (struct symbol *)(void *)w->symbols.p;
}

static struct shape *shapes(const struct span__shapes_writer *w)
{
	return (struct shape *)(void *)w->shapes.p;
}

static const uint32_t *pieces(const struct span__shapes_writer *w)
{
	return (const uint32_t *)(const void *)w->all.p;
}

uint64_t span__shapes_writer_count(const struct span__shapes_writer *w)
{
	return w->shapes.len / sizeof(struct shape);
}

size_t span__shapes_writer_memory(const struct span__shapes_writer *w)
{
	size_t slots = 0;

	slots += w->by_symbol.slots ? w->by_symbol.mask + 1 : 0;
	slots += w->by_shape.slots ? w->by_shape.mask + 1 : 0;
	return sizeof(*w) + w->symbols.cap + w->shapes.cap + w->all.cap +
	       w->one.cap + slots * sizeof(uint32_t);
}

static uint64_t symbol_hash(const struct span__shapes_writer *w,
			    const struct symbol *s)
{
	return span__hash(&w->key, s, offsetof(struct symbol, uses));
}

/* Room for one more; HASH gives the hash of a number. */
static bool index_grow(struct span__shapes_writer *w, struct index *x,
		       uint64_t (*hash)(const struct span__shapes_writer *w,
					uint32_t i))
{
	size_t cap = x->slots ? (x->mask + 1) * 2 : 256;
	uint32_t *slots;

	if (x->slots && x->n * 2 <= x->mask)
		return true;
	slots = calloc(cap, sizeof(*slots));
	if (!slots)
		return false;
	free(x->slots);
	x->slots = slots;
	x->mask = cap - 1;
	for (uint32_t i = 0; i < x->n; i++) {
		size_t at = hash(w, i) & x->mask;

		while (slots[at])
			at = (at + 1) & x->mask;
		slots[at] = i + 1;
	}
	return true;
}

static uint64_t hash_of_symbol(const struct span__shapes_writer *w, uint32_t i)
{
	return symbol_hash(w, &symbols(w)[i]);
}

static uint64_t hash_of_shape(const struct span__shapes_writer *w, uint32_t i)
{
	return shapes(w)[i].hash;
}

/* The number of a symbol; UINT32_MAX when memory is out. */
static uint32_t symbol_number(struct span__shapes_writer *w, uint32_t type,
			      uint32_t turn)
{
	struct symbol s = {.type = type, .turn = turn};
	struct index *x = &w->by_symbol;
	size_t at;

	if (!index_grow(w, x, hash_of_symbol))
		return UINT32_MAX;
	for (at = symbol_hash(w, &s) & x->mask; x->slots[at];
	     at = (at + 1) & x->mask) {
		const struct symbol *o = &symbols(w)[x->slots[at] - 1];

		if (o->type == type && o->turn == turn)
			return x->slots[at] - 1;
	}
	span_buf_put(&w->symbols, &s, sizeof(s));
	if (w->symbols.failed)
		return UINT32_MAX;
	x->slots[at] = (uint32_t)++x->n;
	return (uint32_t)x->n - 1;
}

/* The shape as symbols, in w->one. */
static bool translate(struct span__shapes_writer *w,
		      const struct span__seg_node *v, size_t n)
{
	uint32_t before = 0; /* link that a child of the node before has */
	uint32_t *one;

	w->one.len = 0;
	one = (uint32_t *)(void *)span_buf_reserve(&w->one, n * sizeof(*one));
	if (!one)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t link = v[i].link, turn = link;

		if (link > SEG_LINK_EXPLICIT)
			turn = 2 + before - link;
		before = link > SEG_LINK_EXPLICIT ? link + 1 : 2;
		one[i] = symbol_number(w, v[i].type, turn);
		if (one[i] == UINT32_MAX)
			return false;
	}
	return true;
}

static int64_t find_or_add(struct span__shapes_writer *w, size_t n)
{
	const uint32_t *one = (const uint32_t *)(const void *)w->one.p;
	struct index *x = &w->by_shape;
	struct shape s = {.hash = span__hash(&w->key, one, n * sizeof(*one)),
			  .first = w->all.len / sizeof(*one),
			  .n = (uint32_t)n};
	size_t at;

	if (!index_grow(w, x, hash_of_shape))
		return -1;
	for (at = s.hash & x->mask; x->slots[at]; at = (at + 1) & x->mask) {
		const struct shape *o = &shapes(w)[x->slots[at] - 1];

		if (o->hash == s.hash && o->n == n &&
		    !memcmp(pieces(w) + o->first, one, n * sizeof(*one)))
			return x->slots[at] - 1;
	}
	span_buf_put(&w->shapes, &s, sizeof(s));
	span_buf_put(&w->all, one, n * sizeof(*one));
	if (w->shapes.failed || w->all.failed)
		return -1;
	for (size_t i = 0; i < n; i++)
		symbols(w)[one[i]].uses++;
	x->slots[at] = (uint32_t)++x->n;
	return (int64_t)x->n - 1;
}

int64_t span__shapes_writer_put(struct span__shapes_writer *w,
				const struct span__seg_node *v, size_t n,
				struct span_error *err)
{
	int64_t i = -1;

	if (!n || n >= UINT32_MAX)
		return span_error_set(err, SPAN_E_LIMIT,
				      "a trace of %zu spans has no shape", n);
	if (translate(w, v, n))
		i = find_or_add(w, n);
	if (i < 0)
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a segment's shapes");
	return i;
}

/* The final number of each symbol in FINAL; columns of them to OUT. */
static bool put_symbols(const struct span__shapes_writer *w,
			struct span_buf *out, uint32_t *final)
{
	size_t n = w->by_symbol.n;
	struct span__item *items = calloc(2 * n + 1, sizeof(*items));
	uint64_t *v = calloc(n + 1, sizeof(*v)), count = n;

	if (items && v) {
		for (uint32_t i = 0; i < n; i++) {
			items[i].key = UINT64_MAX - symbols(w)[i].uses;
			items[i].i = i;
		}
		span__sort(items, items + n, n, NULL, NULL);
		span__ints_put(out, &count, 1);
		for (uint32_t i = 0; i < n; i++) {
			final[items[i].i] = i;
			v[i] = symbols(w)[items[i].i].type;
		}
		span__ints_put(out, v, n);
		for (size_t i = 0; i < n; i++)
			v[i] = symbols(w)[items[i].i].turn;
		span__ints_put(out, v, n);
	} else {
		out->failed = true;
	}
	free(items);
	free(v);
	return !out->failed;
}

static void put_number(struct span__chunks_writer *c, uint32_t v)
{
	uint8_t bytes[5];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (uint8_t)(v | 0x80);
	bytes[n++] = (uint8_t)v;
	(void)span__chunks_writer_put(c, bytes, n);
}

/* The pieces into C, their ends to OUT. */
static bool put_shapes(const struct span__shapes_writer *w,
		       struct span__chunks_writer *c, struct span_buf *out,
		       const uint32_t *final)
{
	size_t n = w->by_shape.n;
	uint64_t *ends = calloc(n + 1, sizeof(*ends));

	if (!ends)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct shape *s = &shapes(w)[i];

		for (uint32_t k = 0; k < s->n; k++)
			put_number(c, final[pieces(w)[s->first + k]]);
		ends[i] = span__chunks_writer_len(c);
	}
	span__ints_put(out, ends, n);
	free(ends);
	return true;
}

/* A symbol of a shape takes a byte or two. */
static enum span__seg_codec codec_for(const struct span__shapes_writer *w,
				      uint64_t n_spans)
{
	uint64_t n = w->all.len / sizeof(uint32_t);

	return n <= n_spans / 5 * 2 ? SEG_CODEC_NONE : w->codec;
}

int span__shapes_writer_finish(struct span__shapes_writer *w, uint64_t n_spans,
			       struct span_buf *out, struct span_error *err)
{
	uint32_t *final = calloc(w->by_symbol.n + 1, sizeof(*final));
	struct span__chunks_writer *c = NULL;
	int rc = SPAN_E_NOMEM;

	if (!final ||
	    span__chunks_writer_open(&c, codec_for(w, n_spans), err) < 0)
		goto done;
	if (put_symbols(w, out, final) && put_shapes(w, c, out, final) &&
	    span__chunks_writer_finish(c, out, err) == 0 && !out->failed)
		rc = 0;
done:
	if (rc < 0)
		span_error_set(err, rc, "no memory for a segment's shapes");
	span__chunks_writer_close(&c);
	free(final);
	return rc;
}
