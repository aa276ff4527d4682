/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search in a store: a scan finds the ids of the traces that match, 24 bytes
 * each; then the whole traces are fetched. Results in the order in which they
 * arrived, and orders that depend on the whole trace, come from one batch when
 * that holds them all, else from a walk through the store; results in order
 * come in batches.
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "query/search_store.h"
#include "store/store_traces.h"

#include "base/banned.h"

struct span__store_search *span__store_search_open(struct span_store *st)
{
	struct span__store_search *ss = calloc(1, sizeof(*ss));

	if (ss)
		ss->st = st;
	return ss;
}

static int load(struct span_search *s, const struct span__ranked_id *v,
		size_t n, struct span_error *err)
{
	s->store->batch.heads = s->certain && s->o.heads;
	return span__batch_load(&s->store->batch, s->store->st, v, n,
				s->o.memory, err);
}

int span__search_build(struct span_search *s, struct span_trace_builder *b,
		       struct span_trace *out, struct span_error *err)
{
	int rc;

	b->keep_duplicates = s->o.keep_duplicates;
	rc = b->spans.len ? span_trace_builder_build(b, out, err) : 0;
	if (rc < 0 || !b->spans.len)
		return rc;
	return s->certain && s->o.heads ? 1 : span__search_judge(s, out, err);
}

/*
 * Spans with one head that differ behind it were taken for one: from here on
 * whole spans are read.
 */
static bool has_alike(const struct span__batch *b, const struct span_trace *t)
{
	return b->heads && t->n_duplicates;
}

int span__search_fetch(struct span_search *s, const struct span__ranked_id *v,
		       size_t n, struct span_trace *out, struct span_error *err)
{
	struct span__batch *b = &s->store->batch;
	ptrdiff_t i = span__batch_find(b, v->id);
	int rc = i < 0 ? load(s, v, n, err) : 0;

	if (!rc && i < 0)
		i = span__batch_find(b, v->id);
	if (rc < 0 || i < 0)
		return rc;
	rc = span__search_build(s, &b->builders[i], out, err);
	if (rc <= 0 || !has_alike(b, out))
		return rc;
	s->o.heads = false;
	rc = load(s, v, n, err);
	if (rc < 0)
		return rc;
	return span__search_build(s, &b->builders[span__batch_find(b, v->id)],
				  out, err);
}

/* The next trace of the walk that matches. 1, 0 or a negative code. */
static int walk_on(struct span_search *s, struct span_trace *out,
		   struct span_error *err)
{
	struct span__store_search *ss = s->store;
	int rc;

	do {
		span__open_trace_free(ss->current);
		ss->current = NULL;
		rc = span__walk_next(&ss->walk, &ss->current, err);
		if (rc <= 0)
			return rc;
		rc = span__search_build(s, &ss->current->builder, out, err);
	} while (!rc);
	return rc;
}

/* Feed what CURSOR returns to the resolver, then close it. */
static int see_all(struct span_search *s, struct span_cursor *c,
		   struct span_error *err)
{
	struct span sp;
	int rc;

	while ((rc = span_cursor_next(c, &sp, err)) > 0) {
		rc = span__resolver_see(&s->resolver, sp.trace_id, err);
		if (rc < 0)
			break;
	}
	span_cursor_close(&c);
	return rc;
}

static int see_many(void *arg, const struct span__traces *t,
		    struct span_error *err)
{
	return span__resolver_see_many(arg, t->high, t->low, t->n, err);
}

/* Every trace there is, read from all spans where it is not known else. */
static int see_traces(struct span_search *s, struct span_error *err)
{
	struct span_cursor *c;
	int rc = span__store_traces(s->store->st, TRACES_IDS, see_many,
				    &s->resolver, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = span_store_scan(s->store->st, NULL, &c, err);
	return rc < 0 ? rc : see_all(s, c, err);
}

int span__search_resolve(struct span_search *s, struct span_error *err)
{
	struct span__batch *b = &s->store->batch;
	int rc = 0;

	for (size_t i = 0; i < s->q->n_ids && rc >= 0; i++)
		rc = span__ids_put(&s->ids, s->q->ids[i].exact, 0, err);
	for (size_t from = 0; from < s->ids.n && rc >= 0; from += b->n) {
		rc = load(s, s->ids.v + from, s->ids.n - from, err);
		for (size_t i = 0; i < b->n && rc >= 0; i++)
			if (b->builders[i].spans.len)
				rc = span__resolver_see(&s->resolver, b->ids[i],
							err);
	}
	if (rc >= 0 && span__resolver_open(&s->resolver))
		rc = see_traces(s, err);
	if (rc < 0)
		return rc;
	span__ids_clear(&s->ids);
	return span__resolver_finish(&s->resolver, &s->ids, err);
}

static int scan(struct span_search *s, struct span_error *err)
{
	if (s->o.sort == SPAN_SORT_NEWEST && s->o.limit && !s->q->whole)
		return span__scan_newest(s, s->o.limit, err);
	return span__scan_since(s, s->q->range.since_ns, err);
}

/* The next trace for rank(): of the walk, or the I-th of the batch. */
static int next_to_rank(struct span_search *s, size_t *i,
			struct span_trace *out, struct span_error *err)
{
	int rc = 0;

	if (s->store->walking)
		return walk_on(s, out, err);
	while (!rc && *i < s->ids.n) {
		rc = span__search_fetch(s, s->ids.v + *i, s->ids.n - *i, out,
					err);
		++*i;
	}
	return rc;
}

static uint64_t rank_key(const struct span_search *s,
			 const struct span_trace *t)
{
	const struct span__batch *b = &s->store->batch;

	if (s->o.sort == SPAN_SORT_DEFAULT)
		return UINT64_MAX -
		       b->arrivals[span__batch_find(b, t->trace_id)];
	return span__search_key(s, t, (const uint8_t *)s->matched.p);
}

/*
 * Replace s->ids by those of them that match, with keys of whole traces, at
 * least the first LIMIT (0: all).
 */
static int rank(struct span_search *s, uint64_t limit, struct span_error *err)
{
	struct span__ids ranked;
	struct span_trace t;
	size_t i = 0;
	int rc = span__ids_init(&ranked, err);

	while (rc >= 0 && (rc = next_to_rank(s, &i, &t, err)) > 0) {
		rc = span__ids_put(&ranked, t.trace_id, rank_key(s, &t), err);
		s->more |= span__ids_prune(&ranked, limit);
	}
	if (rc < 0) {
		span__ids_release(&ranked);
		return rc;
	}
	span__ids_release(&s->ids);
	s->ids = ranked;
	return 0;
}

static bool batch_has_all(const struct span_search *s)
{
	const struct span__batch *b = &s->store->batch;

	if (b->cut || s->ids.n > b->n)
		return !s->ids.n;
	for (size_t i = 0; i < s->ids.n; i++)
		if (span__batch_find(b, s->ids.v[i].id) < 0)
			return false;
	return true;
}

/* Begin a walk through all of s->ids unless one batch can hold them. */
static int start_walk(struct span_search *s, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	int rc = 0;

	if (!batch_has_all(s) && s->ids.n <= span__batch_room(&ss->batch))
		rc = load(s, s->ids.v, s->ids.n, err);
	if (rc < 0 || batch_has_all(s))
		return rc;
	span__batch_release(&ss->batch);
	ss->walking = true;
	return span__walk_init(&ss->walk, ss->st, &s->ids, s->o.memory, err);
}

/*
 * The same as scan_newest() where only the whole trace tells what matches:
 * those found are final that have a matching span in the part looked at, since
 * every matching span is a candidate.
 */
static int find_newest(struct span_search *s, uint64_t limit,
		       struct span_error *err)
{
	struct span__look l;
	int rc = span__look_init(&l, s->store->st, &s->q->range, err);

	while (!rc) {
		uint64_t since = span__look_since(&l, &s->q->range);

		rc = span__scan_since(s, since, err);
		if (!rc)
			rc = start_walk(s, err);
		if (!rc)
			rc = rank(s, limit + 1, err);
		span__walk_release(&s->store->walk);
		s->store->walking = false;
		if (rc < 0)
			return rc;
		s->ready = true;
		s->more |= span__ids_order(&s->ids, limit);
		if ((s->more && s->ids.v[limit - 1].key >= since) ||
		    since == s->q->range.since_ns)
			return 0;
		s->more = s->ready = false;
		span__look_further(&l, s->ids.n, limit);
		span__ids_clear(&s->ids);
	}
	return rc;
}

/* Fill s->ids with the results in their order, or begin to walk. */
static int find(struct span_search *s, struct span_error *err)
{
	bool by_scan =
		!s->q->n_ids && !s->q->whole && s->o.sort == SPAN_SORT_NEWEST;
	int rc = 0;

	if (s->q->whole && !s->q->n_ids && !s->given && s->o.limit &&
	    s->o.sort == SPAN_SORT_NEWEST)
		return find_newest(s, s->o.limit, err);
	s->store->in_parts = s->q->n_parts;
	s->store->needed = s->q->need.hints;
	if (span__best_can(s)) {
		rc = span__find_best(s, err);
		if (rc)
			return rc < 0 ? rc : 0;
	} else if (!s->given) {
		rc = s->q->n_ids ? span__search_resolve(s, err) : scan(s, err);
	}
	if (!rc && !by_scan)
		rc = start_walk(s, err);
	if (rc < 0)
		return rc;
	s->ready = true;
	s->certain = by_scan;
	if (s->store->walking && s->o.sort == SPAN_SORT_DEFAULT)
		return 0;
	if (!by_scan)
		rc = rank(s, s->o.limit, err);
	s->store->walking = false;
	s->more |= span__ids_order(&s->ids, s->o.limit);
	return rc;
}

int span__store_next(struct span_search *s, struct span_trace *out,
		     struct span_error *err)
{
	struct span__store_search *ss = s->store;
	int rc = s->ready ? 0 : find(s, err);

	if (!rc && ss->walking) {
		rc = walk_on(s, out, err);
		s->cut += rc > 0 && ss->current->full;
		return rc;
	}
	while (!rc && s->next < s->ids.n) {
		rc = span__search_fetch(s, s->ids.v + s->next,
					s->ids.n - s->next, out, err);
		s->next++;
		s->cut += rc > 0 && ss->batch.cut;
	}
	return rc;
}

/* Ids as they are found. */
static int next_new_id(struct span_search *s, uint8_t id[16],
		       struct span_error *err)
{
	struct span sp;
	int rc;

	s->store->in_parts = s->q->n_parts;
	rc = span__scan_open(s, s->q->range.since_ns, true, err);
	while (!rc) {
		rc = span__scan_match(s, &sp, err);
		if (rc <= 0)
			return rc;
		rc = span__ids_put(&s->ids, sp.trace_id, 0, err);
	}
	if (rc > 0)
		memcpy(id, sp.trace_id, 16);
	return rc;
}

int span__store_next_id(struct span_search *s, uint8_t id[16],
			struct span_error *err)
{
	struct span_trace t;
	int rc;

	if (!s->q->n_ids && !s->q->whole && s->o.sort == SPAN_SORT_DEFAULT)
		return next_new_id(s, id, err);
	rc = s->ready ? 0 : find(s, err);
	if (!rc && s->store->walking) {
		rc = walk_on(s, &t, err);
		if (rc > 0)
			memcpy(id, t.trace_id, 16);
		return rc;
	}
	if (rc < 0 || s->next == s->ids.n)
		return rc;
	memcpy(id, s->ids.v[s->next++].id, 16);
	return 1;
}

struct counting {
	uint64_t n;		/* traces that are in one place */
	struct span__ids parts; /* and the others */
};

static int count_traces(void *arg, const struct span__traces *t,
			struct span_error *err)
{
	struct counting *c = arg;
	int rc = 0;

	for (size_t i = 0; i < t->n && rc >= 0; i++) {
		uint8_t id[16];

		if (!t->in_parts[i]) {
			c->n++;
			continue;
		}
		span__trace_id_put(id, t->high[i], t->low[i]);
		rc = span__ids_put(&c->parts, id, 0, err);
	}
	return rc < 0 ? rc : 0;
}

int span__store_count_all(struct span_search *s, uint64_t *n,
			  struct span_error *err)
{
	struct counting c = {0};
	int rc;

	if (!s->store || !s->q->all || s->given || s->o.limit)
		return 0;
	rc = span__ids_init(&c.parts, err);
	if (!rc)
		rc = span__store_traces(s->store->st, TRACES_PARTS,
					count_traces, &c, err);
	*n = c.n + c.parts.n;
	span__ids_release(&c.parts);
	return rc;
}

void span__store_close(struct span__store_search **st)
{
	struct span__store_search *ss = *st;

	if (!ss)
		return;
	span__open_trace_free(ss->current);
	span__walk_release(&ss->walk);
	span__batch_release(&ss->batch);
	span_cursor_close(&ss->spans);
	free(ss->typed);
	free(ss);
	*st = NULL;
}
