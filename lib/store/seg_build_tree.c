/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of one trace, as a segment stores it: a span hangs on a span with
 * the id that it names as parent, the earliest when several have it. That
 * keeps every parent id; what a parent means beyond, span/trace.h says.
 *
 * All is done in arrays, without recursion: linear in the spans of the trace
 * but for sorting siblings.
 */
#include "store/seg_build_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

#define NONE UINT32_MAX
/* Siblings that are sorted by insertion. */
#define FEW 12u

enum { UNSEEN = 0, ON_PATH, DONE };

/* Make room for N spans. */
static bool make_room(struct span__build_tree *t, uint32_t n)
{
	size_t cap = t->cap ? t->cap : 256;
	size_t each = sizeof(*t->nodes) + 2 * sizeof(*t->items) +
		      sizeof(*t->shape) + 5 * sizeof(uint32_t);
	char *p;

	if (n <= t->cap)
		return true;
	while (cap < n)
		cap *= 2;
	p = realloc(t->memory, cap * each);
	if (!p)
		return false;
	t->memory = p;
	t->size = cap * each;
	t->cap = cap;
	t->nodes = (void *)p;
	t->items = (void *)(t->nodes + cap);
	t->shape = (void *)(t->items + 2 * cap);
	t->kids = (void *)(t->shape + cap);
	t->stack = t->kids + cap;
	t->order = t->stack + cap;
	t->table = t->order + cap; /* room for twice the spans */
	return true;
}

static void load(const struct span__seg_builder *b, struct span__build_tree *t,
		 const uint32_t *spans, uint32_t n)
{
	const struct span__build_span *all = span__build_spans(b);
	const struct span__build_type *types = span__build_types(b);

	for (uint32_t i = 0; i < n; i++) {
		const struct span__build_span *s = &all[spans[i]];

		t->nodes[i] = (struct span__tree_node){
			.id = s->id,
			.parent_id = s->parent,
			.start = s->start,
			.span = spans[i],
			.type = types[s->type].final,
			.process = s->process,
			.parent = NONE,
		};
	}
}

static size_t place(const struct span__build_tree *t, uint64_t id, size_t mask)
{
	__uint128_t v = (__uint128_t)(id ^ t->secret[0]) * t->secret[1];

	return (size_t)((uint64_t)v ^ (uint64_t)(v >> 64)) & mask;
}

/* The place in the table of ID: of a span, or empty. */
static uint32_t *lookup(const struct span__build_tree *t, uint64_t id,
			size_t mask)
{
	size_t at = place(t, id, mask);

	while (t->table[at] != NONE && t->nodes[t->table[at]].id != id)
		at = (at + 1) & mask;
	return &t->table[at];
}

/* Find everybody's parent. */
static void find_parents(struct span__build_tree *t, uint32_t n)
{
	struct span__tree_node *v = t->nodes;
	size_t mask = 1;

	while (mask < 2 * (size_t)n)
		mask *= 2;
	memset(t->table, 0xff, mask * sizeof(*t->table));
	mask--;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t *at = lookup(t, v[i].id, mask);

		t->shared |= *at != NONE && v[i].id;
		t->any_twice |= *at != NONE;
		if (*at == NONE || v[i].start < v[*at].start)
			*at = i;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (!v[i].parent_id)
			continue;
		v[i].link = SEG_LINK_EXPLICIT;
		if (v[i].parent_id == v[i].id)
			continue;
		v[i].parent = *lookup(t, v[i].parent_id, mask);
	}
}

/* Cut the circle that I is part of at its earliest span. */
static void cut_circle(struct span__build_tree *t, uint32_t i)
{
	struct span__tree_node *v = t->nodes;
	uint32_t first = i;

	for (uint32_t at = v[i].parent; at != i; at = v[at].parent)
		if (v[at].start < v[first].start ||
		    (v[at].start == v[first].start && at < first))
			first = at;
	v[first].parent = NONE;
	v[first].cut = true;
}

static void cut_circles(struct span__build_tree *t, uint32_t n)
{
	struct span__tree_node *v = t->nodes;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t end = i;
		bool circle;

		while (end != NONE && v[end].state == UNSEEN) {
			v[end].state = ON_PATH;
			end = v[end].parent;
		}
		circle = end != NONE && v[end].state == ON_PATH;
		for (uint32_t at = i; at != NONE && v[at].state == ON_PATH;
		     at = v[at].parent)
			v[at].state = DONE;
		if (circle)
			cut_circle(t, end);
	}
}

/* Order of siblings: by type, start, id, arrival. */
static int compare(const void *arg, uint32_t a, uint32_t b)
{
	const struct span__tree_node *v = arg, *x = &v[a], *y = &v[b];

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void sort_siblings(struct span__build_tree *t, uint32_t *kids,
			  uint32_t n)
{
	if (n <= FEW) {
		for (uint32_t i = 1; i < n; i++) {
			uint32_t one = kids[i], k = i;

			for (; k && compare(t->nodes, kids[k - 1], one) > 0;
			     k--)
				kids[k] = kids[k - 1];
			kids[k] = one;
		}
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		t->items[i] =
			(struct span__item){t->nodes[kids[i]].type, kids[i]};
	span__sort(t->items, t->items + n, n, compare, t->nodes);
	for (uint32_t i = 0; i < n; i++)
		kids[i] = t->items[i].i;
}

/* Lists of children in kids[]; those without parent come first. */
static uint32_t list_children(struct span__build_tree *t, uint32_t n)
{
	struct span__tree_node *v = t->nodes;
	uint32_t roots = 0, at;

	for (uint32_t i = 0; i < n; i++) {
		if (v[i].parent == NONE)
			t->kids[roots++] = i;
		else
			v[v[i].parent].n++;
	}
	at = roots;
	for (uint32_t i = 0; i < n; i++) {
		v[i].first = at;
		at += v[i].n;
		v[i].n = 0;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct span__tree_node *p;

		if (v[i].parent == NONE)
			continue;
		p = &v[v[i].parent];
		t->kids[p->first + p->n++] = i;
	}
	sort_siblings(t, t->kids, roots);
	for (uint32_t i = 0; i < n; i++)
		if (v[i].n > 1)
			sort_siblings(t, t->kids + v[i].first, v[i].n);
	return roots;
}

/* Each tree in preorder: order[] and shape[]. */
static void walk(struct span__build_tree *t, uint32_t roots)
{
	struct span__tree_node *v = t->nodes;
	uint32_t n_stack = 0, n = 0;

	for (uint32_t i = roots; i--;)
		t->stack[n_stack++] = t->kids[i];
	while (n_stack) {
		uint32_t i = t->stack[--n_stack];

		if (v[i].parent != NONE) {
			v[i].depth = v[v[i].parent].depth + 1;
			v[i].link = 1 + v[i].depth;
		}
		t->shape[n] = (struct span__seg_node){v[i].type, v[i].link};
		t->order[n++] = i;
		for (uint32_t k = v[i].n; k--;)
			t->stack[n_stack++] = t->kids[v[i].first + k];
	}
}

bool span__build_tree(const struct span__seg_builder *b,
		      struct span__build_tree *t, const uint32_t *spans,
		      uint32_t n)
{
	if (!make_room(t, n))
		return false;
	t->shared = false;
	load(b, t, spans, n);
	find_parents(t, n);
	cut_circles(t, n);
	walk(t, list_children(t, n));
	return true;
}
