/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All ids of a large store do not fit into memory at once: they are gone
 * through in several passes then, each for some of the hashes.
 */
#include "store/trace_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"

#include "base/banned.h"

#define FIRST_SLOTS 1024u
#define PASS_TRACES (1u << 20) /* up to 8 MiB of tags */

/* The ids of a pass, by 32 bits of their hashes: another's are never there. */
struct seen {
	uint32_t *tags; /* 0: free */
	size_t n, n_tags;
};

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

/* False: it was there, or there is no place for it. */
static bool is_first(struct seen *all, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32) | 1;
	size_t at = (size_t)hash & (all->n_tags - 1);

	while (all->tags[at] && all->tags[at] != tag)
		at = (at + 1) & (all->n_tags - 1);
	if (all->tags[at] || all->n == all->n_tags - 1)
		return false;
	all->tags[at] = tag;
	all->n++;
	return true;
}

/* The hashes of the N traces of a segment from AT on; what they need comes. */
static void hash_group(const struct span__trace_set *out,
		       const struct seen *all, struct span__seg *s, uint64_t at,
		       size_t n, uint64_t *hash)
{
	uint64_t high[SEG_GROUP], low[SEG_GROUP];

	span__ints_range(&s->trace_high, at, n, high);
	span__ints_range(&s->trace_low, at, n, low);
	for (size_t i = 0; i < n; i++) {
		hash[i] = span__trace_set_hash(out, high[i], low[i]);
		__builtin_prefetch(&all->tags[hash[i] & (all->n_tags - 1)]);
	}
}

/* In which of PASSES a hash is looked at: by its high half, as the tag is. */
static uint64_t pass_of(uint64_t hash, uint64_t passes)
{
	return (hash >> 32) * passes >> 32;
}

/* The traces of a segment that are in pass PASS of PASSES. */
static int add_segment(struct span__trace_set *out, struct seen *all,
		       struct span__seg *s, const struct span__trace_set *logs,
		       uint64_t pass, uint64_t passes)
{
	uint64_t hash[SEG_GROUP];
	int rc = 0;

	for (uint64_t at = 0; at < s->n_traces && rc >= 0; at += SEG_GROUP) {
		size_t n = s->n_traces - at < SEG_GROUP
				   ? (size_t)(s->n_traces - at)
				   : SEG_GROUP;

		hash_group(out, all, s, at, n, hash);
		for (size_t i = 0; i < n && rc >= 0; i++)
			if (pass_of(hash[i], passes) == pass &&
			    (!is_first(all, hash[i]) ||
			     span__trace_set_has(logs, hash[i])))
				rc = span__trace_set_put(out, hash[i]);
	}
	return rc < 0 ? rc : 0;
}

/* Room for the N traces of a pass: three quarters of the tags, or fewer. */
static int make_room(struct seen *all, uint64_t n)
{
	all->n_tags = FIRST_SLOTS;
	while (all->n_tags * 3 / 4 < n)
		all->n_tags *= 2;
	all->tags = malloc(all->n_tags * sizeof(*all->tags));
	if (!all->tags)
		return SPAN_E_NOMEM;
	span__huge_hint(all->tags, all->n_tags * sizeof(*all->tags));
	return 0;
}

int span__trace_set_shared(struct span__trace_set *out,
			   struct span__seg *const *segs, size_t n,
			   const struct span__trace_set *logs)
{
	struct seen all = {0};
	uint64_t n_traces = 0, passes;
	int rc;

	for (size_t i = 0; i < n; i++)
		n_traces += segs[i]->n_traces;
	passes = n_traces / PASS_TRACES + 1;
	rc = make_room(&all, n_traces / passes + 1);
	for (uint64_t pass = 0; pass < passes && !rc; pass++) {
		memset(all.tags, 0, all.n_tags * sizeof(*all.tags));
		all.n = 0;
		for (size_t i = 0; i < n && !rc; i++)
			rc = add_segment(out, &all, segs[i], logs, pass,
					 passes);
	}
	free(all.tags);
	return rc;
}
