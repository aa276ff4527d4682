/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/adjust.h"

#include <string.h>

#include "base/sort.h"
#include "trace/parents.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* Ids that no span has, in ascending order. */
struct free_ids {
	const struct span__item *taken; /* sorted */
	size_t n, at;
	uint64_t last;
};

static uint64_t next_free(struct free_ids *f)
{
	f->last++;
	for (; f->at < f->n && f->taken[f->at].key <= f->last; f->at++)
		if (f->taken[f->at].key == f->last)
			f->last++;
	return f->last;
}

/* Is span I of T a server that took over the id of its client? */
static bool took_id(const struct span_trace *t, uint32_t i)
{
	uint32_t parent = t->nodes[i].parent;

	return t->spans[i].kind == SPAN_KIND_SERVER && parent != NONE &&
	       !memcmp(t->spans[i].span_id, t->spans[parent].span_id, 8);
}

/* Name another parent, in the reference that named the old one, too. */
static int replace_parent(struct span_arena *a, struct span *s, uint64_t id)
{
	uint8_t old[8];
	struct span_ref *refs;

	memcpy(old, s->parent_id, sizeof(old));
	span__id_put(s->parent_id, id);
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		if (memcmp(r->span_id, old, 8) != 0 ||
		    memcmp(r->trace_id, s->trace_id, 16) != 0)
			continue;
		refs = span_arena_array(a, s->n_refs, sizeof(*refs));
		if (!refs)
			return SPAN_E_NOMEM;
		memcpy(refs, s->refs, s->n_refs * sizeof(*refs));
		span__id_put(refs[i].span_id, id);
		s->refs = refs;
		return 0;
	}
	return 0;
}

/* The ids of T's spans, sorted; NULL when memory is out. */
static struct span__item *sort_ids(struct span_arena *a,
				   const struct span_trace *t)
{
	struct span__item *v = span_arena_array(a, 2 * t->n, sizeof(*v));

	if (!v)
		return NULL;
	for (uint32_t i = 0; i < t->n; i++)
		v[i] = (struct span__item){span__id_get(t->spans[i].span_id),
					   i};
	span__sort(v, v + t->n, t->n, NULL, NULL);
	return v;
}

/* The new id of each span into NEW, 0: it keeps its own. How many are new. */
static size_t choose_ids(const struct span_trace *t,
			 const struct span__item *taken, uint64_t *new)
{
	struct free_ids f = {.taken = taken, .n = t->n};
	size_t n = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		new[i] = took_id(t, i) ? next_free(&f) : 0;
		n += new[i] != 0;
	}
	return n;
}

static int rename_spans(struct span_trace_builder *b,
			const struct span_trace *t, const uint64_t *new)
{
	size_t n;
	struct span *spans = span__adjusted(b, &n);
	int rc = 0;

	for (uint32_t i = 0; i < t->n && !rc; i++) {
		uint32_t parent = t->nodes[i].parent;

		if (parent != NONE && (new[parent] || new[i]))
			rc = replace_parent(
				&b->arena, &spans[i],
				new[parent]
					? new[parent]
					: span__id_get(spans[parent].span_id));
	}
	for (uint32_t i = 0; i < t->n && !rc; i++)
		if (new[i])
			span__id_put(spans[i].span_id, new[i]);
	return rc;
}

int span_adjust_ids(struct span_trace_builder *b, struct span_trace *t,
		    struct span_error *err)
{
	struct span__item *taken = sort_ids(&b->arena, t);
	uint64_t *new = span_arena_array(&b->arena, t->n, sizeof(*new));
	int rc = taken && new ? 0 : SPAN_E_NOMEM;

	if (!rc && !choose_ids(t, taken, new))
		return 0;
	if (!rc)
		rc = rename_spans(b, t, new);
	return rc < 0 ? span__adjust_end(rc, err)
		      : span_trace_builder_build(b, t, err);
}
