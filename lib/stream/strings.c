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
	t->n = t->n_reserved = STRINGS_FIRST_KEYS;
	return span__key_init(&t->key, err);
}

void span__strings_reset(struct span__strings *t)
{
	memset(t->slots, 0, sizeof(*t->slots) << t->slot_bits);
	t->keys.len = t->packed.len = 0;
	t->n_reserved = t->n_all_keys;
	if (t->n_reserved > STRINGS_MAX_KEYS)
		t->n_reserved = STRINGS_MAX_KEYS;
	t->n = t->n_reserved;
	t->n_keys = t->n_all_keys = 0;
}

void span__strings_release(struct span__strings *t)
{
	free(t->slots);
	free(t->entries);
	span_buf_release(&t->keys);
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
	const char *p = n < t->n_reserved ? t->keys.p : t->packed.p;

	return span__hash(&t->key, p + e->off, e->len);
}

/* Twice the slots when they are half full. */
static int grow_slots(struct span__strings *t)
{
	unsigned bits = t->slot_bits + 1;
	uint32_t *slots = calloc((size_t)1 << bits, sizeof(*slots));

	if (!slots)
		return SPAN_E_NOMEM;
	for (uint32_t n = 0; n < t->n; n++)
		if (n < t->n_keys || n >= t->n_reserved)
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

static int64_t append(struct span__strings *t, struct span_str s, uint64_t hash,
		      bool is_key)
{
	bool reserved = is_key && t->n_keys < t->n_reserved;
	struct span_buf *b = reserved ? &t->keys : &t->packed;
	struct strings__entry *e;
	uint32_t n;
	struct pack x;

	if (make_room(t) < 0)
		return SPAN_E_NOMEM;
	x.p = span_buf_reserve(b, PACK_MAX + s.len);
	if (!x.p)
		return SPAN_E_NOMEM;
	n = reserved ? t->n_keys++ : t->n++;
	e = &t->entries[n];
	pack_str(&x, s.len);
	e->off = (uint32_t)(x.p - b->p);
	e->len = (uint32_t)s.len;
	pack_raw(&x, s.p, s.len);
	b->len = (size_t)(x.p - b->p);
	*free_slot(t->slots, t->slot_bits, hash) = n + 1;
	t->n_all_keys += is_key;
	return n;
}

int64_t span__strings_add(struct span__strings *t, struct span_str s,
			  bool is_key)
{
	uint64_t hash = span__hash_str(&t->key, s);
	size_t mask = ((size_t)1 << t->slot_bits) - 1;

	for (size_t at = hash & mask; t->slots[at]; at = (at + 1) & mask)
		if (span__strings_is(t, t->slots[at] - 1, s))
			return t->slots[at] - 1;
	return append(t, s, hash, is_key);
}

int span__strings_finish(struct span__strings *t)
{
	size_t n = t->n_reserved - t->n_keys;
	char *p = span_buf_reserve(&t->keys, n);

	if (!p)
		return SPAN_E_NOMEM;
	memset(p, 0xa0, n);
	t->keys.len += n;
	return 0;
}
