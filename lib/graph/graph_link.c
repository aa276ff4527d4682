/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References to other traces: a table remembers the node of each span by a
 * keyed hash of its ids, and a list those references whose span has not come
 * yet. A table that is full becomes the old one, whose spans are still known,
 * and the one that was old before is forgotten.
 */
#include "graph/graph_tables.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_BITS 10u
#define LAST_BITS 21u	   /* 32 MiB, twice */
#define WAITING (1u << 20) /* references that may wait for their span */

struct place {
	uint64_t hash; /* 0: free */
	uint32_t node;
};

struct waiting {
	uint64_t hash;
	uint32_t to;
	bool error;
	uint64_t duration_ns;
	double weight;
};

struct places {
	struct place *v;
	unsigned bits;
	size_t n;
};

struct span__graph_links {
	struct places places, old;
	struct span_buf waiting; /* array */
};

static struct place *find_in(const struct places *t, uint64_t hash)
{
	size_t mask = ((size_t)1 << t->bits) - 1, at = hash & mask;

	while (t->v[at].hash && t->v[at].hash != hash)
		at = (at + 1) & mask;
	return &t->v[at];
}

static const struct place *find(const struct span__graph_links *l,
				uint64_t hash)
{
	const struct place *p = find_in(&l->places, hash);

	if (p->hash || !l->old.v)
		return p;
	return find_in(&l->old, hash);
}

/* Room for one more at half full at most. */
static int make_room(struct span__graph_links *l)
{
	struct places *t = &l->places, new = {.bits = t->bits, .n = t->n};
	bool full = t->bits == LAST_BITS;

	if (t->v && 2 * (t->n + 1) <= (size_t)1 << t->bits)
		return 0;
	if (!full)
		new.bits = t->v ? t->bits + 1 : FIRST_BITS;
	new.v = calloc((size_t)1 << new.bits, sizeof(*new.v));
	if (!new.v)
		return SPAN_E_NOMEM;
	for (size_t i = 0; !full && t->v && i < (size_t)1 << t->bits; i++)
		if (t->v[i].hash)
			*find_in(&new, t->v[i].hash) = t->v[i];
	if (full) {
		free(l->old.v);
		l->old = *t;
		new.n = 0;
	} else {
		free(t->v);
	}
	*t = new;
	return 0;
}

static int remember(struct span__graph_links *l, uint64_t hash, uint32_t node)
{
	struct place *p;

	if (make_room(l) < 0)
		return SPAN_E_NOMEM;
	p = find_in(&l->places, hash);
	l->places.n += !p->hash;
	*p = (struct place){hash, node};
	return 0;
}

static uint64_t hash_ids(const struct span_graph *g, const uint8_t trace[16],
			 const uint8_t span[8])
{
	uint8_t ids[24];
	uint64_t h;

	memcpy(ids, trace, 16);
	memcpy(ids + 16, span, 8);
	h = span__hash(&g->key, ids, sizeof(ids));
	return h ? h : 1;
}

static int open_links(struct span_graph *g)
{
	if (!g->links)
		g->links = calloc(1, sizeof(*g->links));
	return g->links ? 0 : SPAN_E_NOMEM;
}

static int put(struct span_graph *g, uint32_t from, const struct waiting *w)
{
	struct span__graph_call c = {
		.from = from,
		.to = w->to,
		.kind = SPAN_GRAPH_LINK,
		.error = w->error,
		.calls = 1,
		.sum_ns = w->duration_ns,
		.weight = w->weight,
	};

	return span__graph_put_call(g, &c);
}

static int put_link(struct span_graph *g, const struct waiting *w)
{
	const struct place *p = find(g->links, w->hash);

	if (p->hash)
		return put(g, p->node, w);
	if (g->links->waiting.len / sizeof(*w) == WAITING) {
		g->sums.lost_links++;
		return 0;
	}
	span_buf_put(&g->links->waiting, w, sizeof(*w));
	return g->links->waiting.failed ? SPAN_E_NOMEM : 0;
}

int span__graph_put_links(struct span_graph *g, const struct span *s,
			  uint32_t node)
{
	int rc = open_links(g);

	if (!rc)
		rc = remember(g->links, hash_ids(g, s->trace_id, s->span_id),
			      node);
	for (size_t i = 0; i < s->n_refs && !rc; i++) {
		const struct span_ref *r = &s->refs[i];
		struct waiting w = {
			.hash = hash_ids(g, r->trace_id, r->span_id),
			.to = node,
			.error = span_is_error(s),
			.duration_ns = s->duration_ns,
			.weight = span__weight(s->trace_state),
		};

		if (memcmp(r->trace_id, s->trace_id, 16) != 0)
			rc = put_link(g, &w);
	}
	return rc;
}

int span__graph_settle_links(struct span_graph *g)
{
	struct span__graph_links *l = g->links;
	const struct waiting *w;
	int rc = 0;

	if (!l)
		return 0;
	w = (struct waiting *)l->waiting.p;
	for (size_t n = l->waiting.len / sizeof(*w); n && !rc; n--, w++) {
		const struct place *p = find(l, w->hash);

		if (p->hash)
			rc = put(g, p->node, w);
		else
			g->sums.lost_links++;
	}
	l->waiting.len = 0;
	return rc;
}

void span__graph_close_links(struct span__graph_links **lp)
{
	struct span__graph_links *l = *lp;

	if (!l)
		return;
	free(l->places.v);
	free(l->old.v);
	span_buf_release(&l->waiting);
	free(l);
	*lp = NULL;
}
