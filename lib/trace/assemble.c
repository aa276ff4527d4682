/* SPDX-License-Identifier: Apache-2.0 */
/* Spans are sorted by start, so that "earliest" is the lowest index. */
#include "trace/assemble.h"

#include <string.h>

#include "base/sort.h"
#include "trace/parents.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* Spans of equal hash that are compared before duplicates are given up. */
#define MAX_COLLISIONS 16

/* Processes that are remembered by address. */
#define RECENT 64u

struct work {
	struct span *spans;
	size_t n;
	struct span__item *ids; /* by span id */
	struct span__item *tmp;
	struct span__member *members;
	struct span_trace_node *nodes;
	uint32_t *order;
};

static int allocate(struct work *w, struct span_buf *scratch)
{
	size_t each = 2 * sizeof(*w->ids) + sizeof(*w->members) +
		      sizeof(*w->nodes) + sizeof(*w->order);
	char *p;

	if (w->n > SIZE_MAX / 2 / each)
		return SPAN_E_NOMEM;
	p = span_buf_reserve(scratch, w->n * each);
	if (!p)
		return SPAN_E_NOMEM;
	w->ids = (struct span__item *)p;
	w->tmp = w->ids + w->n;
	w->members = (struct span__member *)(w->tmp + w->n);
	w->nodes = (struct span_trace_node *)(w->members + w->n);
	w->order = (uint32_t *)(w->nodes + w->n);
	return 0;
}

/* Put the spans where ids[] says, cycle by cycle of the permutation. */
static void permute(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct span first;
		uint32_t to = i;

		if (w->ids[i].i == i)
			continue;
		first = w->spans[i];
		while (w->ids[to].i != i) {
			uint32_t from = w->ids[to].i;

			w->spans[to] = w->spans[from];
			w->ids[to].i = to;
			to = from;
		}
		w->spans[to] = first;
		w->ids[to].i = to;
	}
}

static void sort_by_start(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->ids[i] = (struct span__item){w->spans[i].start_ns, i};
	span__sort(w->ids, w->tmp, w->n, NULL, NULL);
	permute(w);
}

static int compare_service(const void *arg, uint32_t a, uint32_t b)
{
	const struct work *w = arg;
	const struct span_process *p = w->spans[a].process;
	const struct span_process *q = w->spans[b].process;

	return p == q ? 0 : span_str_compare(p->service, q->service);
}

/*
 * The first of the last spans that came with the process of each: they are few
 * where spans are many, and alone are sorted. Their items are ids[], the spans
 * that each stands for have its number in their service. Returns how many.
 */
static size_t represent(struct work *w)
{
	uint32_t recent[RECENT] = {0};
	size_t n = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct span_process *p = w->spans[i].process;
		uint32_t *at = &recent[((uintptr_t)p >> 4) % RECENT];
		uint8_t start[8] = {0};

		if (!i || w->spans[*at].process != p) {
			if (p->service.len)
				memcpy(start, p->service.p,
				       p->service.len < 8 ? p->service.len : 8);
			w->ids[n++] =
				(struct span__item){span__id_get(start), i};
			*at = i;
		}
		w->members[i].service = *at;
	}
	return n;
}

/* Returns the number of different services. */
static size_t number_services(struct work *w)
{
	size_t n = represent(w);
	uint32_t number = 0;

	span__sort(w->ids, w->tmp, n, compare_service, w);
	for (size_t k = 0; k < n; k++) {
		if (k && (w->ids[k].key != w->ids[k - 1].key ||
			  compare_service(w, w->ids[k - 1].i, w->ids[k].i)))
			number++;
		w->tmp[w->ids[k].i].i = number;
	}
	for (uint32_t i = 0; i < w->n; i++)
		w->members[i].service = w->tmp[w->members[i].service].i;
	return (size_t)number + 1;
}

/* The end of the group that starts at FROM in ids[]. */
static size_t group_end(const struct work *w, size_t from)
{
	size_t to = from + 1;

	while (to < w->n && w->ids[to].key == w->ids[from].key)
		to++;
	return to;
}

/*
 * Mark the duplicates among N spans with one id, in order of start, in
 * nodes[].flags; the first of equal ones stays. Sorts V by hash.
 */
static size_t mark_duplicates(struct work *w, struct span__item *v, size_t n)
{
	uint32_t kept[MAX_COLLISIONS];
	size_t n_kept = 0, found = 0;

	for (size_t k = 0; k < n; k++)
		v[k].key = span_hash(&w->spans[v[k].i]);
	span__sort(v, w->tmp, n, NULL, NULL);
	for (size_t k = 0; k < n; k++) {
		const struct span *s = &w->spans[v[k].i];
		size_t at = 0;

		if (k && v[k].key != v[k - 1].key)
			n_kept = 0;
		while (at < n_kept && !span_equal(s, &w->spans[kept[at]]))
			at++;
		if (at < n_kept) {
			w->nodes[v[k].i].flags = 1;
			found++;
		} else if (n_kept < MAX_COLLISIONS) {
			kept[n_kept++] = v[k].i;
		}
	}
	return found;
}

static void sort_by_id(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->ids[i] = (struct span__item){
			span__id_get(w->spans[i].span_id), i};
	span__sort(w->ids, w->tmp, w->n, NULL, NULL);
}

/* Leave duplicates out of spans[]. */
static void drop_duplicates(struct work *w)
{
	size_t found = 0, to = 0;

	for (size_t i = 0; i < w->n; i++)
		w->nodes[i].flags = 0;
	sort_by_id(w);
	for (size_t from = 0, end; from < w->n; from = end) {
		end = group_end(w, from);
		if (end - from > 1)
			found += mark_duplicates(w, w->ids + from, end - from);
	}
	if (!found)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (!w->nodes[i].flags)
			w->spans[to++] = w->spans[i];
	w->n = to;
}

/* True when references to the PARENT are there, but no CHILD_OF one. */
static bool follows(const struct span *s, const struct span *parent)
{
	bool found = false;

	if (memcmp(s->parent_id, parent->span_id, 8) != 0)
		return false;
	for (size_t i = 0; i < s->n_refs; i++) {
		const struct span_ref *r = &s->refs[i];

		if (memcmp(r->span_id, s->parent_id, 8) != 0 ||
		    memcmp(r->trace_id, s->trace_id, 16) != 0)
			continue;
		if (r->type == SPAN_REF_CHILD_OF)
			return false;
		if (r->type == SPAN_REF_FOLLOWS_FROM)
			found = true;
	}
	return found;
}

static void describe(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct span__member *m = &w->members[i];

		m->id = span__id_get(w->spans[i].span_id);
		m->parent_id = span__id_get(w->spans[i].parent_id);
		m->kind = w->spans[i].kind;
	}
}

static int find_parents(struct work *w)
{
	struct span__few_parents few;
	struct span__parents p = {.parent = few.parent, .flags = few.flags};
	int rc = 0;

	if (!span__parents_find_few(&few, w->members, w->n))
		rc = span__parents_find(&p, w->members, w->n);
	for (uint32_t i = 0; i < w->n && !rc; i++) {
		struct span_trace_node *node = &w->nodes[i];

		node->parent = p.parent[i];
		node->flags = p.flags[i];
		if (node->parent != NONE &&
		    follows(&w->spans[i], &w->spans[node->parent]))
			node->flags |= SPAN_TRACE_FOLLOWS;
	}
	span__parents_release(&p);
	return rc;
}

static void link_children(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->nodes[i].first_child = NONE;
	for (uint32_t i = (uint32_t)w->n; i-- > 0;) {
		struct span_trace_node *node = &w->nodes[i];
		struct span_trace_node *parent;

		node->next_sibling = NONE;
		if (node->parent == NONE)
			continue;
		parent = &w->nodes[node->parent];
		node->next_sibling = parent->first_child;
		parent->first_child = i;
	}
}

static uint32_t best_root(const struct work *w)
{
	static const uint32_t worse[] = {0, SPAN_TRACE_ORPHAN,
					 SPAN_TRACE_ORPHAN | SPAN_TRACE_CYCLE};

	for (size_t rank = 0; rank < 3; rank++)
		for (uint32_t i = 0; i < w->n; i++)
			if (w->nodes[i].parent == NONE &&
			    !(w->nodes[i].flags &
			      ((SPAN_TRACE_ORPHAN | SPAN_TRACE_CYCLE) &
			       ~worse[rank])))
				return i;
	return 0;
}

/* Append the tree of ROOT to order[] from AT on; returns where it ends. */
static size_t walk(struct work *w, uint32_t root, size_t at)
{
	uint32_t i = root;

	w->nodes[root].depth = 0;
	for (;;) {
		uint32_t child = w->nodes[i].first_child;

		w->order[at++] = i;
		if (child != NONE) {
			w->nodes[child].depth = w->nodes[i].depth + 1;
			i = child;
			continue;
		}
		while (i != root && w->nodes[i].next_sibling == NONE)
			i = w->nodes[i].parent;
		if (i == root)
			return at;
		w->nodes[w->nodes[i].next_sibling].depth = w->nodes[i].depth;
		i = w->nodes[i].next_sibling;
	}
}

static void summarize(const struct work *w, struct span_trace *t)
{
	t->start_ns = w->spans[0].start_ns;
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t end = span_end_ns(&w->spans[i]);

		if (end > t->end_ns)
			t->end_ns = end;
		t->n_errors += span_is_error(&w->spans[i]);
		t->n_orphans += (w->nodes[i].flags & SPAN_TRACE_ORPHAN) != 0;
		t->n_roots += w->nodes[i].parent == NONE;
	}
}

static void arrange(struct work *w, struct span_trace *t)
{
	size_t at;

	t->root = best_root(w);
	at = walk(w, t->root, 0);
	for (uint32_t i = 0; i < w->n; i++)
		if (w->nodes[i].parent == NONE && i != t->root)
			at = walk(w, i, at);
}

int span__assemble(struct span *spans, size_t n, bool keep_duplicates,
		   struct span_buf *scratch, struct span_trace *out,
		   size_t *left)
{
	struct work w = {.spans = spans, .n = n};
	int rc = allocate(&w, scratch);

	if (rc < 0)
		return rc;
	sort_by_start(&w);
	if (!keep_duplicates)
		drop_duplicates(&w);
	*out = (struct span_trace){.n_services = number_services(&w)};
	describe(&w);
	rc = find_parents(&w);
	if (rc < 0)
		return rc;
	link_children(&w);
	arrange(&w, out);
	summarize(&w, out);
	memcpy(out->trace_id, spans[0].trace_id, sizeof(out->trace_id));
	out->spans = spans;
	out->nodes = w.nodes;
	out->order = w.order;
	out->n = w.n;
	*left = w.n;
	return 0;
}
