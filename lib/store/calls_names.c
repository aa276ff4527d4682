/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#include "base/banned.h"

int span__call_names_init(struct span__call_names *t, struct span_error *err)
{
	*t = (struct span__call_names){0};
	return span__key_init(&t->key, err);
}

static uint64_t hash_name(const struct span__call_names *t,
			  const struct span__call_name *n)
{
	uint64_t h = span__hash_str(&t->key, n->name);

	h = h * 3 + n->kind * 4u + n->follows * 2u + n->error;
	return h ^ span__hash_str(&t->key, n->service) * 5;
}

static bool same_name(const struct span__call_name *a,
		      const struct span__call_name *b)
{
	return a->kind == b->kind && a->error == b->error &&
	       a->follows == b->follows &&
	       !memcmp(&a->weight, &b->weight, sizeof(a->weight)) &&
	       span__str_equal(a->name, b->name) &&
	       span__str_equal(a->service, b->service);
}

static uint32_t *find_name(const struct span__call_names *t,
			   const struct span__call_name *n)
{
	size_t mask = t->by_name.size - 1;
	size_t at = hash_name(t, n) & mask;
	uint32_t *slots = t->by_name.slots;

	while (slots[at] && !same_name(&t->v[slots[at] - 1], n))
		at = (at + 1) & mask;
	return &slots[at];
}

static uint32_t *find_service(const struct span__call_names *t,
			      struct span_str service)
{
	size_t mask = t->by_service.size - 1;
	size_t at = span__hash_str(&t->key, service) & mask;
	uint32_t *slots = t->by_service.slots;

	while (slots[at] &&
	       !span__str_equal(t->services[slots[at] - 1], service))
		at = (at + 1) & mask;
	return &slots[at];
}

/* Room for one more in the array *V and, at most half full, in its table. */
static bool grow(void *v, size_t size, size_t n, size_t *cap,
		 struct span__names_table *table)
{
	void **array = v;
	size_t more = *cap ? *cap * 2 : 64;
	uint32_t *slots;
	void *p;

	if (n < *cap)
		return false;
	slots = calloc(2 * more, sizeof(*slots));
	p = slots ? realloc(*array, more * size) : NULL;
	if (!p) {
		free(slots);
		return false;
	}
	*array = p;
	*cap = more;
	free(table->slots);
	*table = (struct span__names_table){slots, 2 * more};
	return true;
}

static bool put_service(struct span__call_names *t, struct span_str service,
			uint32_t *number)
{
	uint32_t *slot;

	if (grow(&t->services, sizeof(*t->services), t->n_services,
		 &t->cap_services, &t->by_service))
		for (uint32_t i = 0; i < t->n_services; i++)
			*find_service(t, t->services[i]) = i + 1;
	if (t->n_services == t->cap_services)
		return false;
	slot = find_service(t, service);
	if (!*slot) {
		if (!span_arena_str(&t->arena, service,
				    &t->services[t->n_services]))
			return false;
		*slot = (uint32_t)++t->n_services;
	}
	*number = *slot - 1;
	return true;
}

static bool add_name(struct span__call_names *t,
		     const struct span__call_name *name)
{
	struct span__call_name *to = &t->v[t->n];

	*to = *name;
	if (!put_service(t, name->service, &to->service_number) ||
	    !span_arena_str(&t->arena, name->name, &to->name))
		return false;
	to->service = t->services[to->service_number];
	t->n++;
	return true;
}

int span__call_names_put(struct span__call_names *t,
			 const struct span__call_name *name, uint32_t *number,
			 struct span_error *err)
{
	uint32_t *slot;

	if (grow(&t->v, sizeof(*t->v), t->n, &t->cap, &t->by_name))
		for (uint32_t i = 0; i < t->n; i++)
			*find_name(t, &t->v[i]) = i + 1;
	if (t->n == t->cap)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	slot = find_name(t, name);
	if (!*slot) {
		if (!add_name(t, name))
			return span_error_set(err, SPAN_E_NOMEM,
					      "out of memory");
		*slot = (uint32_t)t->n;
	}
	*number = *slot - 1;
	return 0;
}

size_t span__call_names_memory(const struct span__call_names *t)
{
	return span_arena_size(&t->arena) +
	       t->cap * (sizeof(*t->v) + 2 * sizeof(uint32_t));
}

void span__call_names_reset(struct span__call_names *t)
{
	struct span__key key = t->key;

	span__call_names_release(t);
	t->key = key;
}

void span__call_names_release(struct span__call_names *t)
{
	span_arena_release(&t->arena);
	free(t->v);
	free(t->services);
	free(t->by_name.slots);
	free(t->by_service.slots);
	*t = (struct span__call_names){0};
}
