/* SPDX-License-Identifier: Apache-2.0 */
#include "query/redact_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define WAYS 4u /* places for what has the same hash */

int span__redact_cache_open(struct span__redact_cache **out,
			    struct span_error *err)
{
	struct span__redact_cache *c = calloc(1, sizeof(*c));
	int rc;

	*out = c;
	if (!c)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = span__key_init(&c->key, err);
	if (rc < 0)
		span__redact_cache_close(out);
	return rc;
}

static void clear_list(struct span__redact_list *l)
{
	free(l->rules);
	*l = (struct span__redact_list){0};
}

void span__redact_cache_clear(struct span__redact_cache *c)
{
	if (!c->used)
		return;
	for (size_t i = 0; i < REDACT_KEYS; i++)
		clear_list(&c->lists[i]);
	memset(c->clean, 0, sizeof(c->clean));
	c->evicted++;
	c->used = false;
}

void span__redact_cache_close(struct span__redact_cache **c)
{
	if (!*c)
		return;
	span__redact_cache_clear(*c);
	span_buf_release(&(*c)->lower);
	free(*c);
	*c = NULL;
}

/* Never 0, 0. */
static XXH128_hash_t hash(const struct span__redact_cache *c, uint64_t seed,
			  struct span_str text)
{
	XXH128_hash_t h = XXH3_128bits_withSecret(
		text.p, text.len, c->key.secret, sizeof(c->key.secret));

	h.low64 += seed * UINT64_C(0x9e3779b97f4a7c15);
	h.high64 = (h.high64 ^ seed) | 1;
	return h;
}

/* KEY in lower case, until the next; false: no memory. */
static bool make_lower(struct span__redact_cache *c, struct span_str *key)
{
	struct span_buf *b = &c->lower;

	b->len = 0;
	span_buf_str(b, *key);
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] >= 'A' && b->p[i] <= 'Z')
			b->p[i] += 'a' - 'A';
	*key = (struct span_str){b->p, b->len};
	return !b->failed;
}

/* Fill in the rules of the list; false: no memory. */
static bool fill_list(struct span__redact_cache *c, struct span__redact_list *l,
		      const struct span__redact_rule *rules, size_t n,
		      enum span__redact_place place, struct span_str key)
{
	l->rules = calloc(n + 1, sizeof(*l->rules));
	if (!l->rules || !make_lower(c, &key))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!span__redact_looks(&rules[i], place, key))
			continue;
		l->rules[l->n++] = (uint16_t)i;
		if (rules[i].secret < 0)
			l->has_other = true;
		else
			l->kinds |= 1u << rules[i].secret;
	}
	l->id = span__hash(&c->key, l->rules, l->n * sizeof(*l->rules)) | 1;
	return true;
}

/* Which of L is to go: one that is free, or else one after another. */
static size_t next_way(struct span__redact_cache *c,
		       const struct span__redact_list *l)
{
	for (size_t i = 0; i < WAYS; i++)
		if (!l[i].rules)
			return i;
	return c->turn++ % WAYS;
}

const struct span__redact_list *
span__redact_cache_list(struct span__redact_cache *c,
			const struct span__redact_rule *rules, size_t n,
			enum span__redact_place place, struct span_str key)
{
	XXH128_hash_t h = hash(c, (uint64_t)place, key);
	size_t set = (h.low64 >> 32) % (REDACT_KEYS / WAYS) * WAYS;
	struct span__redact_list *l = &c->lists[set];

	for (size_t i = 0; i < WAYS; i++)
		if (l[i].lo == h.low64 && l[i].hi == h.high64)
			return &l[i];
	l += next_way(c, l);
	c->used = true;
	if (l->rules) {
		c->evicted++;
		clear_list(l);
	}
	if (!fill_list(c, l, rules, n, place, key))
		return NULL;
	l->lo = h.low64;
	l->hi = h.high64;
	return l;
}

struct span__redact_clean
span__redact_cache_hash(const struct span__redact_cache *c,
			const struct span__redact_list *list,
			struct span_str text)
{
	XXH128_hash_t h = hash(c, list->id, text);

	return (struct span__redact_clean){h.low64, h.high64};
}

static size_t place_of(struct span__redact_clean h)
{
	return (h.lo >> 32) % REDACT_CLEAN;
}

bool span__redact_cache_is_clean(const struct span__redact_cache *c,
				 struct span__redact_clean h)
{
	const struct span__redact_clean *t = &c->clean[place_of(h)];

	return t->lo == h.lo && t->hi == h.hi;
}

void span__redact_cache_put_clean(struct span__redact_cache *c,
				  struct span__redact_clean h)
{
	c->clean[place_of(h)] = h;
}
