/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of trace ids: an array that can be sorted, 24 bytes an id, and a hash
 * table of indices into it.
 */
#include "query/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_CAP 64u
#define MAX_IDS (UINT32_MAX / 2)
#define PRUNE_FROM 65536u

int span__ids_init(struct span__ids *ids, struct span_error *err)
{
	*ids = (struct span__ids){0};
	return span__key_init(&ids->secret, err);
}

/* The place of ID, or the free one where it belongs. */
static size_t find_place(const struct span__ids *ids, const uint8_t id[16])
{
	size_t mask = ids->n_places - 1;
	size_t at = span__hash(&ids->secret, id, 16) & mask;

	while (ids->places[at] &&
	       memcmp(ids->v[ids->places[at] - 1].id, id, 16))
		at = (at + 1) & mask;
	return at;
}

/* After the array changed its order. */
static void index_again(struct span__ids *ids)
{
	memset(ids->places, 0, ids->n_places * sizeof(*ids->places));
	for (size_t i = 0; i < ids->n; i++)
		ids->places[find_place(ids, ids->v[i].id)] = (uint32_t)i + 1;
}

/* Twice the ids; the table stays between a quarter and half full. */
static int grow(struct span__ids *ids, struct span_error *err)
{
	size_t cap = ids->cap ? ids->cap * 2 : FIRST_CAP;
	struct span__ranked_id *v = NULL;
	uint32_t *places = NULL;

	if (cap <= MAX_IDS)
		v = realloc(ids->v, cap * sizeof(*v));
	if (v) {
		ids->v = v;
		places = calloc(cap * 2, sizeof(*places));
	}
	if (!places)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	free(ids->places);
	ids->places = places;
	ids->n_places = cap * 2;
	ids->cap = cap;
	index_again(ids);
	return 0;
}

int span__ids_put(struct span__ids *ids, const uint8_t id[16], uint64_t key,
		  struct span_error *err)
{
	struct span__ranked_id *v;
	size_t at;

	if (ids->n == ids->cap) {
		int rc = grow(ids, err);

		if (rc < 0)
			return rc;
	}
	at = find_place(ids, id);
	if (ids->places[at]) {
		v = &ids->v[ids->places[at] - 1];
		if (v->key < key)
			v->key = key;
		return 0;
	}
	v = &ids->v[ids->n++];
	memcpy(v->id, id, 16);
	v->key = key;
	ids->places[at] = (uint32_t)ids->n;
	return 1;
}

struct span__ranked_id *span__ids_get(const struct span__ids *ids,
				      const uint8_t id[16])
{
	size_t at = ids->n ? ids->places[find_place(ids, id)] : 0;

	return at ? &ids->v[at - 1] : NULL;
}

bool span__ids_has(const struct span__ids *ids, const uint8_t id[16])
{
	return span__ids_get(ids, id);
}

static int compare(const void *a, const void *b)
{
	const struct span__ranked_id *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return memcmp(x->id, y->id, sizeof(x->id));
}

bool span__ids_order(struct span__ids *ids, uint64_t limit)
{
	bool more = limit && ids->n > limit;

	if (!ids->n)
		return false;
	qsort(ids->v, ids->n, sizeof(*ids->v), compare);
	if (more)
		ids->n = limit;
	index_again(ids);
	return more;
}

bool span__ids_prune(struct span__ids *ids, uint64_t limit)
{
	if (!limit || ids->n < PRUNE_FROM || ids->n / 4 < limit)
		return false;
	return span__ids_order(ids, limit);
}

void span__ids_clear(struct span__ids *ids)
{
	ids->n = 0;
	if (ids->places)
		index_again(ids);
}

void span__ids_release(struct span__ids *ids)
{
	free(ids->v);
	free(ids->places);
	ids->v = NULL;
	ids->places = NULL;
	ids->n = ids->cap = ids->n_places = 0;
}
