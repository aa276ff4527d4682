/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of an open hash table have 32 bits of the hash beside the number of a
 * trace, so that nearly every look ends at the right one or nowhere. Who leaves
 * closes the gap.
 */
#include "sample/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/huge.h"

#include "base/banned.h"

#define NONE SPAN__WAITING_NONE
#define TRACE_BITS 6u /* of the size of an entry */
#define FIRST_PLACES 2048u
#define TREE_BYTES 160u /* a span, to put its trace together */
#define AHEAD 2u	/* blocks that the next span may take */
#define EXPECTED 4u	/* spans of the next trace */

struct span__waiting_place {
	uint32_t hash, number1; /* plus one; 0: free */
};

_Static_assert(sizeof(struct span__waiting_trace) <= 1u << TRACE_BITS,
	       "see above");

static size_t places_bytes(size_t n)
{
	return n * sizeof(struct span__waiting_place);
}

int span__waiting_init(struct span__waiting *w, struct span__blocks *blocks,
		       size_t memory, size_t max, struct span_error *err)
{
	*w = (struct span__waiting){.blocks = blocks,
				    .memory = memory,
				    .max = max,
				    .n_places = FIRST_PLACES,
				    .oldest = NONE,
				    .newest = NONE,
				    .big = NONE};
	span__numbered_init(&w->traces, blocks, TRACE_BITS);
	w->places = span__blocks_get(blocks, places_bytes(w->n_places));
	if (!w->places)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__held_init(&w->held, blocks, err);
}

/* ---- by id ---- */

/* Where a trace is, or the free place where it would be. */
static size_t place_of(const struct span__waiting *w, const uint8_t id[16],
		       uint32_t hash)
{
	size_t mask = w->n_places - 1, at = hash & mask;

	for (; w->places[at].number1; at = (at + 1) & mask)
		if (w->places[at].hash == hash &&
		    !memcmp(span__waiting_at(w, w->places[at].number1 - 1)->id,
			    id, 16))
			break;
	return at;
}

uint32_t span__waiting_find(const struct span__waiting *w, const uint8_t id[16],
			    uint64_t hash)
{
	const struct span__waiting_trace *t;
	uint32_t number1;

	if (w->newest != NONE) {
		t = span__waiting_at(w, w->newest);
		if (t->hash == hash && !memcmp(t->id, id, 16))
			return w->newest;
	}
	number1 = w->places[place_of(w, id, (uint32_t)hash)].number1;
	return number1 ? number1 - 1 : NONE;
}

/* Twice the places. */
static bool grow(struct span__waiting *w)
{
	size_t n = w->n_places * 2, mask = n - 1;
	struct span__waiting_place *places =
		span__blocks_get(w->blocks, places_bytes(n));

	if (!places)
		return false;
	span__huge_hint(places, places_bytes(n));
	for (size_t i = 0; i < w->n_places; i++) {
		size_t at = w->places[i].hash & mask;

		if (!w->places[i].number1)
			continue;
		while (places[at].number1)
			at = (at + 1) & mask;
		places[at] = w->places[i];
	}
	span__blocks_free(w->blocks, w->places, places_bytes(w->n_places));
	w->places = places;
	w->n_places = n;
	return true;
}

static void remove_place(struct span__waiting *w,
			 const struct span__waiting_trace *t)
{
	size_t mask = w->n_places - 1,
	       gap = place_of(w, t->id, (uint32_t)t->hash);

	for (size_t at = (gap + 1) & mask; w->places[at].number1;
	     at = (at + 1) & mask) {
		size_t home = w->places[at].hash & mask;

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		w->places[gap] = w->places[at];
		gap = at;
	}
	w->places[gap].number1 = 0;
}

/* ---- by age ---- */

static void append(struct span__waiting *w, uint32_t number)
{
	struct span__waiting_trace *t = span__waiting_at(w, number);

	t->older = w->newest;
	t->newer = NONE;
	if (w->newest != NONE)
		span__waiting_at(w, w->newest)->newer = number;
	else
		w->oldest = number;
	w->newest = number;
}

static void unlink_age(struct span__waiting *w, struct span__waiting_trace *t)
{
	if (t->older != NONE)
		span__waiting_at(w, t->older)->newer = t->newer;
	else
		w->oldest = t->newer;
	if (t->newer != NONE)
		span__waiting_at(w, t->newer)->older = t->older;
	else
		w->newest = t->older;
}

/* ---- traces ---- */

static unsigned need_bits(uint64_t need)
{
	return 63u - (unsigned)__builtin_clzll(need | 1);
}

/* What reading the largest trace takes. */
static size_t reserve(const struct span__waiting *w)
{
	unsigned bits = 63;
	size_t need;

	while (bits && !w->n_needing[bits])
		bits--;
	need = (size_t)2 << bits;
	return need < w->max ? need : w->max;
}

static bool has_room(const struct span__waiting *w, size_t bytes)
{
	return w->blocks->bytes + reserve(w) + bytes <= w->memory;
}

/* Are as many places taken as should be? */
static bool is_crowded(const struct span__waiting *w)
{
	return w->n * 4 >= w->n_places * 3;
}

bool span__waiting_is_full(const struct span__waiting *w)
{
	return !has_room(w, AHEAD * w->blocks->size) ||
	       (is_crowded(w) && !has_room(w, places_bytes(w->n_places * 2)));
}

static int begin(struct span__waiting *w, const uint8_t id[16], uint64_t hash,
		 uint32_t *number, struct span_error *err)
{
	bool may_grow = has_room(w, places_bytes(w->n_places * 2));
	struct span__waiting_trace *t;
	int64_t taken;

	if ((is_crowded(w) && may_grow) || w->n * 16 >= w->n_places * 15)
		if (!grow(w))
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
	taken = span__numbered_take(&w->traces);
	if (taken < 0)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	*number = (uint32_t)taken;
	t = span__waiting_at(w, *number);
	*t = (struct span__waiting_trace){.hash = hash};
	memcpy(t->id, id, 16);
	w->places[place_of(w, id, (uint32_t)hash)] =
		(struct span__waiting_place){(uint32_t)hash, *number + 1};
	append(w, *number);
	w->n_needing[0]++;
	w->n++;
	return 0;
}

int span__waiting_put(struct span__waiting *w, uint32_t number,
		      const struct span *s, uint64_t hash, uint64_t came,
		      struct span_error *err)
{
	struct span__waiting_trace *t;
	uint32_t span;
	int rc = span__held_put(&w->held, s, &span, err);

	if (rc >= 0 && number == NONE)
		rc = begin(w, s->trace_id, hash, &number, err);
	if (rc < 0)
		return rc;
	t = span__waiting_at(w, number);
	if (t->n++)
		span__held_at(&w->held, t->tail)->next = span;
	else
		t->first = span;
	t->tail = span;
	t->last = came;
	w->n_needing[need_bits(t->need)]--;
	t->need += span__held_lists(s) + sizeof(*s) + TREE_BYTES;
	w->n_needing[need_bits(t->need)]++;
	if (t->need > w->max)
		w->big = number;
	if (w->newest != number) {
		unlink_age(w, t);
		append(w, number);
	}
	return 0;
}

int span__waiting_read(struct span__waiting *w, uint32_t number,
		       struct span_trace_builder *b, struct span_error *err)
{
	const struct span__waiting_trace *t = span__waiting_at(w, number);
	uint32_t at = t->first;
	int rc = 0;

	if (!span_buf_reserve(&b->spans, t->n * sizeof(struct span)))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	span__arena_begin(&b->arena, t->need);
	for (uint32_t i = 0; i < t->n && rc >= 0; i++) {
		struct span *s = (struct span *)(void *)b->spans.p + i;

		rc = span__held_get(&w->held, at, &b->arena, s, err);
		at = span__held_at(&w->held, at)->next;
	}
	b->spans.len = t->n * sizeof(struct span);
	return rc;
}

/*
 * One by one each look would wait for memory. The next trace's spans come while
 * this one is decided, and where they are while that of the one before is.
 */
void span__waiting_expect(const struct span__waiting *w)
{
	const struct span__waiting_trace *t;
	uint32_t at;

	if (w->oldest == NONE)
		return;
	t = span__waiting_at(w, w->oldest);
	at = t->first;
	for (uint32_t i = 0; i < t->n && i < EXPECTED; i++) {
		span__held_expect(&w->held, at);
		at = span__held_at(&w->held, at)->next;
	}
	if (t->newer == NONE)
		return;
	t = span__waiting_at(w, t->newer);
	__builtin_prefetch(&w->places[t->hash & (w->n_places - 1)], 1);
	__builtin_prefetch(span__held_at(&w->held, t->first), 1);
	__builtin_prefetch(span__held_at(&w->held, t->tail), 1);
	if (t->newer != NONE)
		__builtin_prefetch(span__waiting_at(w, t->newer), 1);
}

void span__waiting_take(struct span__waiting *w, uint32_t number)
{
	struct span__waiting_trace *t = span__waiting_at(w, number);

	remove_place(w, t);
	unlink_age(w, t);
	w->n_needing[need_bits(t->need)]--;
	w->n--;
	if (w->big == number)
		w->big = NONE;
}

void span__waiting_drop(struct span__waiting *w, uint32_t number)
{
	const struct span__waiting_trace *t = span__waiting_at(w, number);
	uint32_t at = t->first;

	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t next = span__held_at(&w->held, at)->next;

		span__held_drop(&w->held, at);
		at = next;
	}
	span__numbered_give(&w->traces, number);
}

void span__waiting_release(struct span__waiting *w)
{
	if (!w->blocks)
		return;
	span__held_release(&w->held);
	span__numbered_release(&w->traces);
	span__blocks_free(w->blocks, w->places, places_bytes(w->n_places));
	*w = (struct span__waiting){0};
}
