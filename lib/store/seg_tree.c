/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/seg_spans.h"
#include "store/seg_watch.h"

#include "base/banned.h"

int span__tree_open(struct span__seg_tree **out, struct span_error *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

void span__tree_close(struct span__seg_tree **t)
{
	if (!*t)
		return;
	free((*t)->parents);
	free((*t)->last);
	free((*t)->starts);
	free((*t)->ids);
	free((*t)->bad_start);
	free((*t)->processes);
	free(*t);
	*t = NULL;
}

static bool grow(void *p, size_t n, size_t size)
{
	void **v = p, *more = realloc(*v, n * size);

	if (more)
		*v = more;
	return more;
}

static bool reserve(struct span__seg_tree *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 64;

	if (n <= t->cap)
		return true;
	while (cap < n)
		cap *= 2;
	t->cap = 0;
	if (!grow(&t->parents, cap, sizeof(*t->parents)) ||
	    !grow(&t->last, cap + 1, sizeof(*t->last)) ||
	    !grow(&t->starts, cap, sizeof(*t->starts)) ||
	    !grow(&t->ids, cap, sizeof(*t->ids)) ||
	    !grow(&t->bad_start, cap, sizeof(*t->bad_start)) ||
	    !grow(&t->processes, cap, sizeof(*t->processes)))
		return false;
	t->cap = cap;
	return true;
}

/* Links were checked to make a tree: depths go up by one at most. */
static void put_parents(struct span__seg_tree *t,
			const struct span__seg_place *p)
{
	for (size_t i = 0; i < p->n; i++) {
		uint32_t link = p->nodes[i].link;
		uint32_t depth = link > SEG_LINK_EXPLICIT ? link - 1 : 0;

		t->parents[i] = depth ? t->last[depth - 1] : SEG_NO_PARENT;
		t->last[depth] = (uint32_t)i;
	}
}

/* Of the type of node I, the column of its slot K; NULL when damaged. */
static const struct span__ints *column(struct span__seg *s,
				       const struct span__seg_place *p,
				       size_t i, unsigned k)
{
	struct span__seg_type_reader *t = span__seg_type(s, p->nodes[i].type);
	struct span__seg_column *c;

	if (!t || k >= t->type.n_slots)
		return NULL;
	if (t->columns[k].ints && !t->columns[k].bad)
		return t->columns[k].ints;
	c = span__seg_column(s, t, k);
	return c ? c->ints : NULL;
}

/* What the start of node I counts from; false when that is damaged. */
static bool origin(struct span__seg *s, const struct span__seg_tree *t,
		   const struct span__seg_place *p, size_t i, uint64_t *out)
{
	const struct span__seg_type_reader *type =
		span__seg_type(s, p->nodes[i].type);
	const struct span__ints *own, *parents;
	uint32_t parent = t->parents[i];

	if (parent == SEG_NO_PARENT)
		return true;
	*out = t->starts[parent];
	if (!type || !type->type.centred)
		return type && !t->bad_start[parent];
	own = column(s, p, i, 1);
	parents = column(s, p, parent, 1);
	if (!own || !parents)
		return false;
	*out += span__centre(span__ints_get(parents, p->ranks[parent]),
			     span__ints_get(own, p->ranks[i]));
	return !t->bad_start[parent];
}

static void put_starts(struct span__seg *s, struct span__seg_tree *t,
		       const struct span__seg_place *p)
{
	struct span__watch w = span__watch(&s->file);
	uint64_t start = span__ints_get(&s->trace_start, p->trace);
	bool bad = span__watch_damage(&w);

	t->bad_starts = false;
	for (size_t i = 0; i < p->n; i++) {
		const struct span__ints *c = column(s, p, i, 0);

		t->starts[i] = start;
		t->bad_start[i] =
			!origin(s, t, p, i, &t->starts[i]) || bad || !c;
		if (c)
			t->starts[i] += span__ints_get(c, p->ranks[i]);
		if (s->file.bad)
			t->bad_start[i] |= span__watch_damage(&w);
		t->bad_starts |= t->bad_start[i];
	}
	(void)span__watch_end(&w);
}

/* A process of a span's own; SEG_NO_PROCESS when damaged. */
static uint32_t own_process(struct span__seg *s,
			    const struct span__seg_place *p, size_t i,
			    struct span__watch *w)
{
	const struct span__ints *c = column(s, p, i, 2);
	uint64_t number = c ? span__ints_get(c, p->ranks[i]) : 0;

	if (s->file.bad && span__watch_damage(w))
		return SEG_NO_PROCESS;
	if (!c || number >= SEG_NO_PROCESS)
		return SEG_NO_PROCESS;
	return (uint32_t)number;
}

static void put_processes(struct span__seg *s, struct span__seg_tree *t,
			  const struct span__seg_place *p)
{
	struct span__watch w = span__watch(&s->file);

	for (size_t i = 0; i < p->n; i++) {
		const struct span__seg_type_reader *type =
			span__seg_type(s, p->nodes[i].type);
		uint32_t parent = t->parents[i];

		t->processes[i] = SEG_NO_PROCESS;
		if (!type)
			continue;
		if (!type->type.same_process)
			t->processes[i] = own_process(s, p, i, &w);
		else if (parent != SEG_NO_PARENT)
			t->processes[i] = t->processes[parent];
		if (t->processes[i] == SEG_NO_PROCESS)
			(void)span__area_bad(&s->types.area);
	}
	(void)span__watch_end(&w);
}

struct span__seg_tree *span__seg_tree(struct span__seg *s,
				      const struct span__seg_place *p,
				      bool starts, bool processes)
{
	struct span__seg_tree *t = s->tree;

	if (!t->n || t->trace != p->trace || t->n != p->n) {
		t->n = 0;
		t->has_starts = t->has_processes = t->has_ids = false;
		if (!reserve(t, p->n))
			return NULL;
		put_parents(t, p);
		t->trace = p->trace;
		t->n = p->n;
	}
	if (starts && !t->has_starts) {
		put_starts(s, t, p);
		t->has_starts = true;
	}
	if (processes && !t->has_processes) {
		put_processes(s, t, p);
		t->has_processes = true;
	}
	return t;
}

const uint64_t *span__seg_ids(struct span__seg *s,
			      const struct span__seg_place *p)
{
	struct span__seg_tree *t = s->tree;
	struct span__watch w;

	if (t->has_ids)
		return t->ids;
	w = span__watch(&s->file);
	span__ints_range(&s->span_ids, p->first_span, p->n, t->ids);
	t->has_ids = !s->file.bad;
	span__watch_forget(&w);
	return t->has_ids ? t->ids : NULL;
}

const uint64_t *span__seg_starts(struct span__seg *s,
				 const struct span__seg_place *p)
{
	struct span__seg_tree *t = span__seg_tree(s, p, true, false);

	return t && !t->bad_starts ? t->starts : NULL;
}

const uint32_t *span__seg_process_numbers(struct span__seg *s,
					  const struct span__seg_place *p)
{
	struct span__seg_tree *t = span__seg_tree(s, p, false, true);

	return t ? t->processes : NULL;
}
