/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of few spans, of which nearly all have nothing odd about them: a
 * table on the stack finds parents sooner than a sorted list does. Ids that
 * were made to meet in it cost a walk over all of it, which is short.
 */
#include "trace/parents.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

struct table {
	const struct span__member *v;
	size_t mask;
	uint8_t places[4 * SPAN__FEW]; /* an index plus one; 0: free */
};

/* The place of the span with ID, or the free one where it belongs. */
static uint8_t *find_place(struct table *t, uint64_t id)
{
	size_t at = (size_t)(id * 0x9e3779b97f4a7c15 >> 40) & t->mask;

	while (t->places[at] && t->v[t->places[at] - 1].id != id)
		at = (at + 1) & t->mask;
	return &t->places[at];
}

/* False when an id is there twice. */
static bool put_ids(struct table *t, size_t n)
{
	t->mask = 31;
	while (t->mask + 1 < 4 * n)
		t->mask = 2 * t->mask + 1;
	memset(t->places, 0, t->mask + 1);
	for (size_t i = 0; i < n; i++) {
		uint8_t *place = find_place(t, t->v[i].id);

		if (*place)
			return false;
		*place = (uint8_t)(i + 1);
	}
	return true;
}

/* Returns whether some come before their parents, and some after. */
static bool find_by_id(struct table *t, size_t n, struct span__few_parents *p)
{
	bool before = false, after = false;

	for (size_t i = 0; i < n; i++) {
		uint64_t id = t->v[i].parent_id;
		uint32_t parent = NONE;

		p->flags[i] = 0;
		if (id && id != t->v[i].id) {
			uint8_t place = *find_place(t, id);

			parent = place ? place - 1u : NONE;
			p->flags[i] = place ? 0 : SPAN_TRACE_ORPHAN;
			before |= parent > i && place;
			after |= parent < i;
		}
		p->parent[i] = parent;
	}
	return before && after;
}

static bool has_circle(const struct span__few_parents *p, size_t n)
{
	uint8_t mark[SPAN__FEW] = {0};

	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = i;

		for (; j != NONE && !mark[j]; j = p->parent[j])
			mark[j] = (uint8_t)(i + 1);
		if (j != NONE && mark[j] == i + 1)
			return true;
	}
	return false;
}

bool span__parents_find_few(struct span__few_parents *p,
			    const struct span__member *v, size_t n)
{
	struct table t;

	t.v = v;
	if (n > SPAN__FEW || !put_ids(&t, n))
		return false;
	return !find_by_id(&t, n, p) || !has_circle(p, n);
}
