/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search in a store: a scan finds the ids of the traces that match and puts
 * them in order, 24 bytes each; then the whole traces are fetched in batches
 * that fit into memory, as many at once as possible, since each fetch may have
 * to look at the whole store. Orders that depend on the whole trace take one
 * round of fetching more.
 */
#include "query/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FIRST_BATCH 2048u
#define MAX_BATCH 65536u

/* Whole traces in memory. */
struct batch {
	uint8_t (*ids)[16]; /* sorted */
	struct span_trace_builder *builders;
	size_t n;
	size_t bytes;
	bool cut; /* not all of the only trace has room */
};

struct span__store_search {
	struct span_store *st;
	struct batch batch;
	size_t batch_max; /* traces that should fit */
	struct span_cursor *spans;
};

struct span__store_search *span__store_search_open(struct span_store *st)
{
	struct span__store_search *ss = calloc(1, sizeof(*ss));

	if (!ss)
		return NULL;
	ss->st = st;
	ss->batch_max = FIRST_BATCH;
	return ss;
}

static void batch_release(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		span_trace_builder_release(&b->builders[i]);
	free(b->ids);
	free(b->builders);
	*b = (struct batch){0};
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static int batch_init(struct batch *b, const struct span__ranked_id *v,
		      size_t n, struct span_error *err)
{
	batch_release(b);
	b->ids = calloc(n + 1, sizeof(*b->ids));
	b->builders = calloc(n + 1, sizeof(*b->builders));
	if (!b->ids || !b->builders)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	b->n = n;
	for (size_t i = 0; i < n; i++)
		memcpy(b->ids[i], v[i].id, 16);
	qsort(b->ids, n, sizeof(*b->ids), compare_ids);
	return 0;
}

static struct span_trace_builder *batch_get(const struct batch *b,
					    const uint8_t id[16])
{
	const uint8_t(*at)[16] = NULL;

	if (b->n)
		at = bsearch(id, b->ids, b->n, sizeof(*b->ids), compare_ids);
	return at ? &b->builders[at - (const uint8_t(*)[16])b->ids] : NULL;
}

static size_t builder_size(const struct span_trace_builder *b)
{
	return span_arena_size(&b->arena) + b->spans.cap + b->scratch.cap;
}

/* Add a span. 1; 0 when there is no room; or a negative code. */
static int batch_put(struct batch *b, const struct span *sp, size_t memory,
		     struct span_error *err)
{
	struct span_trace_builder *to = batch_get(b, sp->trace_id);
	size_t before;
	int rc;

	if (!to)
		return 1;
	if (b->bytes > memory) {
		b->cut = true;
		return 0;
	}
	before = builder_size(to);
	rc = span_trace_builder_put(to, sp, err);
	b->bytes += builder_size(to) - before;
	return rc < 0 ? rc : 1;
}

static int batch_fill(struct span_search *s, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	struct batch *b = &ss->batch;
	struct span_cursor *c = NULL;
	struct span sp;
	int rc = span_store_find(ss->st, (const uint8_t(*)[16])b->ids, b->n, &c,
				 err);

	if (rc < 0)
		return rc;
	while ((rc = span_cursor_next(c, &sp, err)) > 0) {
		rc = batch_put(b, &sp, s->o.memory, err);
		if (rc <= 0)
			break;
	}
	span_cursor_close(&c);
	return rc;
}

/*
 * Fetch the first of the N traces at V, at least one. When they do not fit,
 * fetch half as many.
 */
static int batch_load(struct span_search *s, const struct span__ranked_id *v,
		      size_t n, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	struct batch *b = &ss->batch;
	size_t fit;

	if (n > ss->batch_max)
		n = ss->batch_max;
	for (;; n = (n + 1) / 2) {
		int rc = batch_init(b, v, n, err);

		if (!rc)
			rc = batch_fill(s, err);
		if (rc < 0)
			return rc;
		if (!b->cut || n == 1)
			break;
	}
	fit = s->o.memory / (b->bytes / n + 1) / 4 * 3;
	ss->batch_max = fit < 1 ? 1 : fit > MAX_BATCH ? MAX_BATCH : fit;
	return 0;
}

/*
 * Put the trace V[0] together, from the batch or a new one of the N at V. 1
 * with s->matched; 0 when it does not match, or is gone.
 */
static int get_trace(struct span_search *s, const struct span__ranked_id *v,
		     size_t n, struct span_trace *out, struct span_error *err)
{
	struct batch *b = &s->store->batch;
	struct span_trace_builder *from = batch_get(b, v->id);
	int rc;

	if (!from) {
		rc = batch_load(s, v, n, err);
		if (rc < 0)
			return rc;
		from = batch_get(b, v->id);
	}
	if (!from || !from->spans.len)
		return 0;
	rc = span_trace_builder_build(from, out, err);
	if (rc < 0)
		return rc;
	return span__search_judge(s, out, err);
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

/* Find out what the typed ids mean: s->ids are then the traces they name. */
static int resolve(struct span_search *s, struct span_error *err)
{
	struct batch *b = &s->store->batch;
	struct span_cursor *c = NULL;
	int rc = 0;

	for (size_t i = 0; i < s->q->n_ids && rc >= 0; i++)
		rc = span__ids_put(&s->ids, s->q->ids[i].exact, 0, err);
	for (size_t from = 0; from < s->ids.n && rc >= 0; from += b->n) {
		rc = batch_load(s, s->ids.v + from, s->ids.n - from, err);
		for (size_t i = 0; i < b->n && rc >= 0; i++)
			if (b->builders[i].spans.len)
				rc = span__resolver_see(&s->resolver, b->ids[i],
							err);
	}
	if (rc >= 0 && span__resolver_open(&s->resolver)) {
		rc = span_store_scan(s->store->st, NULL, &c, err);
		if (rc >= 0)
			rc = see_all(s, c, err);
	}
	if (rc < 0)
		return rc;
	span__ids_clear(&s->ids);
	return span__resolver_finish(&s->resolver, &s->ids, err);
}

/* The ids of all traces with a matching span. */
static int scan(struct span_search *s, struct span_error *err)
{
	struct span_cursor *c = NULL;
	struct span sp;
	int rc = span_store_scan(s->store->st, &s->q->range, &c, err);
	uint64_t limit = s->o.sort == SPAN_SORT_NEWEST ? s->o.limit : 0;

	if (rc < 0)
		return rc;
	while ((rc = span_cursor_next(c, &sp, err)) > 0) {
		rc = span_query_match(s->q, &sp, err);
		if (rc > 0)
			rc = span__ids_put(&s->ids, sp.trace_id, sp.start_ns,
					   err);
		if (rc < 0)
			break;
		s->more |= span__ids_prune(&s->ids, limit);
	}
	span_cursor_close(&c);
	return rc;
}

/* Replace s->ids by those of them that match, with keys of whole traces. */
static int rank(struct span_search *s, struct span_error *err)
{
	struct span__ids ranked;
	struct span_trace t;
	int rc = span__ids_init(&ranked, err);

	for (size_t i = 0; i < s->ids.n && rc >= 0; i++) {
		rc = get_trace(s, s->ids.v + i, s->ids.n - i, &t, err);
		if (rc > 0)
			rc = span__ids_put(
				&ranked, t.trace_id,
				span__search_key(s, &t,
						 (const uint8_t *)s->matched.p),
				err);
		s->more |= span__ids_prune(&ranked, s->o.limit);
	}
	if (rc < 0) {
		span__ids_release(&ranked);
		return rc;
	}
	span__ids_release(&s->ids);
	s->ids = ranked;
	return 0;
}

/* Fill s->ids with the results in their order. */
static int find(struct span_search *s, struct span_error *err)
{
	int rc = s->q->n_ids ? resolve(s, err) : scan(s, err);

	if (rc >= 0 && (s->q->n_ids || s->o.sort != SPAN_SORT_NEWEST))
		rc = rank(s, err);
	if (rc < 0)
		return rc;
	s->more |= span__ids_order(&s->ids, s->o.limit);
	s->ready = true;
	return 0;
}

int span__store_next(struct span_search *s, struct span_trace *out,
		     struct span_error *err)
{
	int rc = s->ready ? 0 : find(s, err);

	while (!rc && s->next < s->ids.n) {
		rc = get_trace(s, s->ids.v + s->next, s->ids.n - s->next, out,
			       err);
		s->next++;
		s->cut += rc > 0 && s->store->batch.cut;
	}
	return rc;
}

int span__store_next_id(struct span_search *s, uint8_t id[16],
			struct span_error *err)
{
	int rc = s->ready ? 0 : find(s, err);

	if (rc < 0 || s->next == s->ids.n)
		return rc;
	memcpy(id, s->ids.v[s->next++].id, 16);
	return 1;
}

/* A cursor over the spans that may match. */
static int open_spans(struct span_search *s, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	int rc;

	if (!s->q->n_ids)
		return span_store_scan(ss->st, &s->q->range, &ss->spans, err);
	rc = resolve(s, err);
	if (rc < 0)
		return rc;
	span__ids_order(&s->ids, 0);
	rc = batch_init(&ss->batch, s->ids.v, s->ids.n, err);
	if (rc < 0)
		return rc;
	return span_store_find(ss->st, (const uint8_t(*)[16])ss->batch.ids,
			       ss->batch.n, &ss->spans, err);
}

/* The next matching span as it comes. */
static int next_span(struct span_search *s, struct span *out,
		     struct span_error *err)
{
	int rc, match = 0;

	while ((rc = span_cursor_next(s->store->spans, out, err)) > 0) {
		match = span_query_match(s->q, out, err);
		if (match)
			return match;
	}
	return rc;
}

int span__store_next_span(struct span_search *s, struct span *out,
			  struct span_error *err)
{
	int rc = s->store->spans ? 0 : open_spans(s, err);

	if (rc < 0)
		return rc;
	if (!span__search_holds(s))
		return next_span(s, out, err);
	while (!s->ready) {
		rc = next_span(s, out, err);
		if (rc > 0)
			rc = span__keep_put(s, out, err);
		else
			s->ready = !rc;
		if (rc < 0)
			return rc;
	}
	return span__keep_next(s, out);
}

void span__store_close(struct span__store_search **st)
{
	if (!*st)
		return;
	batch_release(&(*st)->batch);
	span_cursor_close(&(*st)->spans);
	free(*st);
	*st = NULL;
}
