/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of the spans sorted by id finds parents. Spans that share an id lie
 * together in it as a group, in which the order is by service, servers first,
 * then start. Sorting where others hash leaves nothing for hostile ids to aim
 * at.
 */
#include "trace/parents.h"

#include "base/sort.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* What a group of spans with one id offers to others; at its first item. */
struct span__group {
	uint32_t client; /* the earliest client, or NONE */
	uint32_t best;	 /* the parent for a child of another service */
};

struct work {
	const struct span__member *v;
	size_t n;
	struct span__item *ids; /* by span id */
	struct span__item *tmp;
	struct span__group *groups;
	uint32_t *parent;
	uint32_t *mark;
	uint8_t *flags;
};

static int allocate(struct work *w, struct span_buf *buf)
{
	size_t each = 2 * sizeof(*w->ids) + sizeof(*w->groups) +
		      sizeof(*w->parent) + sizeof(*w->mark) + sizeof(*w->flags);
	char *p;

	if (w->n > SIZE_MAX / 2 / each)
		return SPAN_E_NOMEM;
	buf->len = 0;
	p = span_buf_reserve(buf, w->n * each);
	if (!p) {
		buf->failed = false;
		return SPAN_E_NOMEM;
	}
	w->ids = (struct span__item *)p;
	w->tmp = w->ids + w->n;
	w->groups = (struct span__group *)(w->tmp + w->n);
	w->parent = (uint32_t *)(w->groups + w->n);
	w->mark = w->parent + w->n;
	w->flags = (uint8_t *)(w->mark + w->n);
	return 0;
}

/* The end of the group that starts at FROM in ids[]. */
static size_t group_end(const struct work *w, size_t from)
{
	size_t to = from + 1;

	while (to < w->n && w->ids[to].key == w->ids[from].key)
		to++;
	return to;
}

static int compare_in_group(const void *arg, uint32_t a, uint32_t b)
{
	const struct work *w = arg;
	bool a_server = w->v[a].kind == SPAN_KIND_SERVER;
	bool b_server = w->v[b].kind == SPAN_KIND_SERVER;

	if (w->v[a].service != w->v[b].service)
		return w->v[a].service < w->v[b].service ? -1 : 1;
	return b_server - a_server;
}

static struct span__group describe(const struct work *w, size_t from,
				   size_t end)
{
	uint32_t client = NONE, server = NONE, first = NONE;

	for (size_t k = from; k < end; k++) {
		uint32_t i = w->ids[k].i;
		int kind = w->v[i].kind;

		if (i < first)
			first = i;
		if (kind == SPAN_KIND_CLIENT && i < client)
			client = i;
		if (kind == SPAN_KIND_SERVER && i < server)
			server = i;
	}
	return (struct span__group){client, server != NONE ? server : first};
}

static void describe_groups(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->ids[i] = (struct span__item){w->v[i].id, i};
	span__sort(w->ids, w->tmp, w->n, NULL, NULL);
	for (size_t from = 0, end; from < w->n; from = end) {
		bool shared;

		end = group_end(w, from);
		shared = end - from > 1;
		if (shared)
			span__sort(w->ids + from, w->tmp, end - from,
				   compare_in_group, w);
		w->groups[from] = describe(w, from, end);
		for (size_t k = from; k < end; k++)
			w->flags[w->ids[k].i] =
				shared && w->ids[k].key ? SPAN_TRACE_SHARED : 0;
	}
}

/*
 * The first item with this id and a service not below SERVICE; where there is
 * none, the next item or n.
 */
static size_t find(const struct work *w, uint64_t id, uint32_t service)
{
	size_t from = 0, n = w->n;

	while (n) {
		size_t half = n / 2;
		const struct span__item *it = &w->ids[from + half];

		if (it->key < id ||
		    (it->key == id && w->v[it->i].service < service)) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return from;
}

static bool has_id(const struct work *w, size_t at, uint64_t id)
{
	return at < w->n && w->ids[at].key == id;
}

/* The client whose id the server span I took over, or NONE. */
static uint32_t find_client(const struct work *w, uint32_t i)
{
	if (!(w->flags[i] & SPAN_TRACE_SHARED) ||
	    w->v[i].kind != SPAN_KIND_SERVER)
		return NONE;
	return w->groups[find(w, w->v[i].id, 0)].client;
}

static bool is_root(const struct span__member *m)
{
	return !m->parent_id || m->parent_id == m->id;
}

/* The span with ID that is the parent of one of SERVICE, or NONE. */
static uint32_t by_id(const struct work *w, uint64_t id, uint32_t service)
{
	size_t group = find(w, id, 0), at;

	if (!has_id(w, group, id))
		return NONE;
	if (!has_id(w, group + 1, id))
		return w->ids[group].i;
	at = find(w, id, service);
	if (has_id(w, at, id) && w->v[w->ids[at].i].service == service)
		return w->ids[at].i;
	return w->groups[group].best;
}

static uint32_t find_parent(const struct work *w, uint32_t i)
{
	uint32_t parent = find_client(w, i);

	if (parent != NONE || is_root(&w->v[i]))
		return parent;
	return by_id(w, w->v[i].parent_id, w->v[i].service);
}

/* Take its parent from the earliest span of the circle that holds I. */
static void cut(struct work *w, uint32_t i)
{
	uint32_t first = i;

	for (uint32_t j = w->parent[i]; j != i; j = w->parent[j])
		if (j < first)
			first = j;
	w->parent[first] = NONE;
	w->flags[first] |= SPAN_TRACE_CYCLE;
}

/*
 * Walk up from each span and leave its mark on the way: a mark of the same
 * walk is a circle, one of another walk has been seen to end.
 */
static void cut_circles(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->mark[i] = NONE;
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t j = i;

		while (j != NONE && w->mark[j] == NONE) {
			w->mark[j] = i;
			j = w->parent[j];
		}
		if (j != NONE && w->mark[j] == i)
			cut(w, j);
	}
}

int span__parents_find(struct span__parents *p, const struct span__member *v,
		       size_t n)
{
	struct work w = {.v = v, .n = n};
	int rc = allocate(&w, &p->buf);

	if (rc < 0)
		return rc;
	describe_groups(&w);
	for (uint32_t i = 0; i < n; i++) {
		w.parent[i] = find_parent(&w, i);
		if (w.parent[i] == NONE && !is_root(&v[i]))
			w.flags[i] |= SPAN_TRACE_ORPHAN;
	}
	cut_circles(&w);
	p->v = v;
	p->n = n;
	p->ids = w.ids;
	p->groups = w.groups;
	p->parent = w.parent;
	p->flags = w.flags;
	return 0;
}

uint32_t span__parents_adopt(const struct span__parents *p, uint64_t parent_id,
			     uint32_t service)
{
	struct work w = {
		.v = p->v,
		.n = p->n,
		.ids = p->ids,
		.groups = p->groups,
	};

	return by_id(&w, parent_id, service);
}

void span__parents_release(struct span__parents *p)
{
	span_buf_release(&p->buf);
	*p = (struct span__parents){0};
}
