/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trace_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_SLOTS 1024u

int span__trace_set_init(struct span__trace_set *s, struct span_error *err)
{
	struct span__key key;
	int rc = span__key_init(&key, err);

	*s = (struct span__trace_set){0};
	memcpy(s->key, key.secret, sizeof(s->key));
	return rc;
}

void span__trace_set_release(struct span__trace_set *s)
{
	free(s->slots);
	s->slots = NULL;
	s->n = s->n_slots = 0;
}

static uint64_t *find(const struct span__trace_set *s, uint64_t hash)
{
	size_t at = (size_t)hash & (s->n_slots - 1);

	while (s->slots[at] && s->slots[at] != hash)
		at = (at + 1) & (s->n_slots - 1);
	return &s->slots[at];
}

static bool resize(struct span__trace_set *s, size_t n_slots)
{
	uint64_t *old = s->slots;
	size_t n = s->n_slots;

	s->slots = calloc(n_slots, sizeof(*s->slots));
	if (!s->slots) {
		s->slots = old;
		return false;
	}
	s->n_slots = n_slots;
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*find(s, old[i]) = old[i];
	free(old);
	return true;
}

int span__trace_set_put(struct span__trace_set *s, uint64_t hash)
{
	uint64_t *slot;

	if (2 * s->n >= s->n_slots &&
	    !resize(s, s->n_slots ? 2 * s->n_slots : FIRST_SLOTS))
		return SPAN_E_NOMEM;
	slot = find(s, hash);
	if (*slot)
		return 0;
	*slot = hash;
	s->n++;
	return 1;
}
