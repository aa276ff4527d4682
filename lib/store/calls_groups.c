/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While it is counted a sketch is an array of its buckets, cut into pages of
 * one power of two, of which a group has those that it needs.
 */
#include "store/calls_groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PAGE 32u
#define PAGES (SPAN_SKETCH_BUCKETS / PAGE)
#define MEMORY (16u << 20) /* of groups before they are given out */

struct group {
	uint64_t bucket;
	uint32_t parent, name;
	span__sum sum;
	uint32_t page[PAGES]; /* number + 1 */
};

struct span__calls_groups {
	const struct span__calls_sink *sink;
	struct group *v;
	size_t n, cap;
	uint32_t *table; /* number + 1; 0: free */
	size_t size;
	uint64_t (*pages)[PAGE];
	size_t n_pages, cap_pages;
	uint32_t last; /* the group that was found last */
	struct span_sketch sketch;
};

int span__calls_emit(const struct span__calls_sink *s, uint32_t parent,
		     uint32_t name, uint64_t bucket, span__sum sum,
		     const struct span_sketch *sketch, struct span_error *err)
{
	const struct span__call_name *n = &s->names->v[name];
	struct span_store_calls c = {
		.service = n->service,
		.name = n->name,
		.kind = n->kind,
		.error = n->error,
		.follows = n->follows,
		.weight = n->weight,
		.start_ns = s->since_ns + bucket * s->width_ns,
		.calls = sketch->count,
		.sum_ns = sum > UINT64_MAX ? UINT64_MAX : (uint64_t)sum,
		.sum_high = (uint64_t)(sum >> 64),
		.sum_low = (uint64_t)sum,
		.sketch = sketch,
	};

	if (parent == CALLS_ABSENT)
		c.parent = SPAN_PARENT_ABSENT;
	if (parent >= CALLS_NAME) {
		n = &s->names->v[parent - CALLS_NAME];
		c.parent = SPAN_PARENT_KNOWN;
		c.parent_service = n->service;
		c.parent_name = n->name;
		c.parent_kind = n->kind;
	}
	return s->fn(s->arg, &c, err);
}

int span__calls_groups_open(struct span__calls_groups **out,
			    const struct span__calls_sink *sink,
			    struct span_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	(*out)->sink = sink;
	return 0;
}

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15;
	v = (v ^ v >> 29) * 0xbf58476d1ce4e5b9;
	return v ^ v >> 32;
}

static bool is_group(const struct group *v, uint32_t parent, uint32_t name,
		     uint64_t bucket)
{
	return v->name == name && v->parent == parent && v->bucket == bucket;
}

/* Numbers of names are ours and not the sender's: no key is needed. */
static uint32_t *slot(const struct span__calls_groups *g, uint32_t parent,
		      uint32_t name, uint64_t bucket)
{
	uint64_t h = mix(((uint64_t)name << 32 | parent) +
			 bucket * 0x94d049bb133111eb);
	size_t at = h & (g->size - 1);

	while (g->table[at] &&
	       !is_group(&g->v[g->table[at] - 1], parent, name, bucket))
		at = (at + 1) & (g->size - 1);
	return &g->table[at];
}

static bool grow(struct span__calls_groups *g)
{
	size_t cap = g->cap ? g->cap * 2 : 256;
	uint32_t *table;
	struct group *v;

	if (g->n < g->cap)
		return true;
	table = calloc(2 * cap, sizeof(*table));
	v = table ? realloc(g->v, cap * sizeof(*v)) : NULL;
	if (!v) {
		free(table);
		return false;
	}
	free(g->table);
	g->v = v;
	g->cap = cap;
	g->table = table;
	g->size = 2 * cap;
	for (uint32_t i = 0; i < g->n; i++)
		*slot(g, v[i].parent, v[i].name, v[i].bucket) = i + 1;
	return true;
}

static struct group *find(struct span__calls_groups *g, uint32_t parent,
			  uint32_t name, uint64_t bucket)
{
	uint32_t *at;

	if (g->last < g->n && is_group(&g->v[g->last], parent, name, bucket))
		return &g->v[g->last];
	if (!grow(g))
		return NULL;
	at = slot(g, parent, name, bucket);
	if (!*at) {
		g->v[g->n] = (struct group){
			.bucket = bucket, .parent = parent, .name = name};
		*at = (uint32_t)++g->n;
	}
	g->last = *at - 1;
	return &g->v[g->last];
}

static bool add_page(struct span__calls_groups *g, struct group *to,
		     uint32_t page)
{
	size_t cap = g->cap_pages ? g->cap_pages * 2 : 1024;
	void *p;

	if (g->n_pages == g->cap_pages) {
		p = realloc(g->pages, cap * sizeof(*g->pages));
		if (!p)
			return false;
		g->pages = p;
		g->cap_pages = cap;
	}
	memset(g->pages[g->n_pages], 0, sizeof(*g->pages));
	to->page[page] = (uint32_t)++g->n_pages;
	return true;
}

/* Add N, which may be -1, to sketch bucket B of a group. */
static int count(struct span__calls_groups *g, struct group *to, uint32_t b,
		 uint64_t n, struct span_error *err)
{
	if (!to || (!to->page[b / PAGE] && !add_page(g, to, b / PAGE)))
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	g->pages[to->page[b / PAGE] - 1][b % PAGE] += n;
	return 0;
}

int span__calls_groups_add(struct span__calls_groups *g, uint32_t parent,
			   uint32_t name, uint64_t start_ns,
			   uint64_t duration_ns, struct span_error *err)
{
	struct group *to;
	int rc = 0;

	if (g->n * sizeof(*g->v) + g->n_pages * sizeof(*g->pages) > MEMORY)
		rc = span__calls_groups_flush(g, err);
	if (rc < 0)
		return rc;
	to = find(g, parent, name, span__calls_bucket(g->sink, start_ns));
	rc = count(g, to, span_sketch_bucket(duration_ns), 1, err);
	if (!rc)
		to->sum += duration_ns;
	return rc;
}

int span__calls_groups_put(struct span__calls_groups *g, uint32_t parent,
			   uint32_t name, uint64_t bucket, span__sum sum,
			   const struct span_sketch *sketch,
			   struct span_error *err)
{
	struct group *to = find(g, parent, name, bucket);
	int rc = 0;

	for (size_t i = 0; i < sketch->n && !rc; i++)
		rc = count(g, to, sketch->v[i].bucket, sketch->v[i].count, err);
	if (!rc && to)
		to->sum += sum;
	return rc;
}

int span__calls_groups_take(struct span__calls_groups *g, uint32_t parent,
			    uint32_t name, uint64_t start_ns,
			    uint64_t duration_ns, struct span_error *err)
{
	struct group *to =
		find(g, parent, name, span__calls_bucket(g->sink, start_ns));
	int rc = count(g, to, span_sketch_bucket(duration_ns), UINT64_MAX, err);

	if (!rc)
		to->sum -= duration_ns;
	return rc;
}

static int make_sketch(struct span__calls_groups *g, const struct group *of,
		       struct span_error *err)
{
	int rc = 0;

	span_sketch_reset(&g->sketch);
	for (uint32_t p = 0; p < PAGES && !rc; p++) {
		const uint64_t *counts;

		if (!of->page[p])
			continue;
		counts = g->pages[of->page[p] - 1];
		for (uint32_t i = 0; i < PAGE && !rc; i++)
			rc = span_sketch_put(&g->sketch,
					     span_sketch_lower(p * PAGE + i),
					     counts[i], err);
	}
	return rc;
}

int span__calls_groups_flush(struct span__calls_groups *g,
			     struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < g->n && rc >= 0; i++) {
		const struct group *v = &g->v[i];

		rc = make_sketch(g, v, err);
		if (!rc && g->sketch.count)
			rc = span__calls_emit(g->sink, v->parent, v->name,
					      v->bucket, v->sum, &g->sketch,
					      err);
	}
	if (g->size)
		memset(g->table, 0, g->size * sizeof(*g->table));
	g->n = 0;
	g->n_pages = 0;
	return rc < 0 ? rc : 0;
}

void span__calls_groups_close(struct span__calls_groups **g)
{
	struct span__calls_groups *old = *g;

	if (!old)
		return;
	free(old->v);
	free(old->table);
	free(old->pages);
	span_sketch_release(&old->sketch);
	free(old);
	*g = NULL;
}
