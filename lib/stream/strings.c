/* SPDX-License-Identifier: Apache-2.0 */
/* An open hash table of numbers; the bytes lie packed as they will be sent. */
#include "stream/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/pack.h"

#include "base/banned.h"

#define FIRST_BITS 12u
#define FIRST_CAP 1024u

int span__strings_init(struct span__strings *t, struct span_error *err)
{
	*t = (struct span__strings){.slot_bits = FIRST_BITS, .cap = FIRST_CAP};
	t->slots = calloc((size_t)1 << FIRST_BITS, sizeof(*t->slots));
	t->entries = malloc(FIRST_CAP * sizeof(*t->entries));
	if (!t->slots || !t->entries) {
		span__strings_release(t);
		return span_error_set(err, SPAN_E_NOMEM,
				      "no memory for a string table");
	}
	return span__key_init(&t->key, err);
}

void span__strings_reset(struct span__strings *t)
{
	memset(t->slots, 0, sizeof(*t->slots) << t->slot_bits);
	t->packed.len = 0;
	t->n = 0;
}

void span__strings_release(struct span__strings *t)
{
	free(t->slots);
	free(t->entries);
	span_buf_release(&t->packed);
	t->slots = NULL;
	t->entries = NULL;
}

static uint32_t *free_slot(uint32_t *slots, unsigned bits, uint64_t hash)
{
	size_t mask = ((size_t)1 << bits) - 1, at = hash & mask;

	while (slots[at])
		at = (at + 1) & mask;
	return &slots[at];
}

static uint64_t hash_of(const struct span__strings *t, uint32_t n)
{
	const struct strings__entry *e = &t->entries[n];

	return span__hash(&t->key, t->packed.p + e->off, e->len);
}

/* Twice the slots when they are half full. */
static int grow_slots(struct span__strings *t)
{
	unsigned bits = t->slot_bits + 1;
	uint32_t *slots = calloc((size_t)1 << bits, sizeof(*slots));

	if (!slots)
		return SPAN_E_NOMEM;
	for (uint32_t n = 0; n < t->n; n++)
		*free_slot(slots, bits, hash_of(t, n)) = n + 1;
	free(t->slots);
	t->slots = slots;
	t->slot_bits = bits;
	return 0;
}

static int make_room(struct span__strings *t)
{
	struct strings__entry *entries;

	if (t->n == t->cap) {
		entries = realloc(t->entries,
				  (size_t)t->cap * 2 * sizeof(*entries));
		if (!entries)
			return SPAN_E_NOMEM;
		t->entries = entries;
		t->cap *= 2;
	}
	if (t->n >= (uint32_t)1 << (t->slot_bits - 1))
		return grow_slots(t);
	return 0;
}

static int64_t append(struct span__strings *t, struct span_str s, uint64_t hash)
{
	struct pack x;

	if (make_room(t) < 0)
		return SPAN_E_NOMEM;
	x.p = span_buf_reserve(&t->packed, PACK_MAX + s.len);
	if (!x.p)
		return SPAN_E_NOMEM;
	pack_str(&x, s.len);
	t->entries[t->n].off = (uint32_t)(x.p - t->packed.p);
	t->entries[t->n].len = (uint32_t)s.len;
	pack_raw(&x, s.p, s.len);
	t->packed.len = (size_t)(x.p - t->packed.p);
	*free_slot(t->slots, t->slot_bits, hash) = t->n + 1;
	return t->n++;
}

int64_t span__strings_add(struct span__strings *t, struct span_str s)
{
	uint64_t hash = span__hash_str(&t->key, s);
	size_t mask = ((size_t)1 << t->slot_bits) - 1;

	for (size_t at = hash & mask; t->slots[at]; at = (at + 1) & mask)
		if (span__strings_is(t, t->slots[at] - 1, s))
			return t->slots[at] - 1;
	return append(t, s, hash);
}
