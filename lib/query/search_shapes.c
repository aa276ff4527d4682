/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results are counted by the shapes of traces where the expression is decided
 * by those; the traces that are left are then judged one by one.
 */
#include "query/search_store.h"
#include "query/traceql.h"
#include "store/store_shapes.h"

#include "base/banned.h"

/* Of memory for each trace, so that they are fetched in some batches. */
#define FEW_BYTES 4096u

struct asking {
	struct span__tql_shapes *shapes;
	const struct span_query *q;
	struct span__ids ids; /* of traces that are to be judged */
};

static int type(void *arg, const struct span *what, uint64_t *chosen,
		struct span_error *err)
{
	struct asking *a = arg;

	return span__traceql_shapes_type(a->shapes, what, chosen, err);
}

static int one_span(void *arg, const struct span *s, uint64_t *chosen,
		    bool *needed, struct span_error *err)
{
	struct asking *a = arg;
	uint64_t need = span__traceql_shapes_need(a->shapes);
	int told = span__traceql_shapes_span(a->shapes, s, chosen, err);
	int rc = 1;

	if (told < 0)
		return told;
	if (told && need)
		rc = (*chosen & need) != 0;
	else if (a->q->need.hints)
		rc = span__query_needs(a->q, s, err);
	*needed = rc > 0;
	return rc < 0 ? rc : told;
}

static int shape(void *arg, const struct span__shape_node *v, size_t n,
		 uint32_t *matched, struct span_error *err)
{
	struct asking *a = arg;

	return span__traceql_shapes_judge(a->shapes, v, n, matched, err);
}

static uint32_t few(void *arg, const struct span__shape_few *v)
{
	const struct asking *a = arg;

	return span__traceql_shapes_few(a->shapes, v);
}

static int trace(void *arg, const uint8_t id[16], struct span_error *err)
{
	struct asking *a = arg;
	int rc = span__ids_put(&a->ids, id, 0, err);

	return rc < 0 ? rc : 0;
}

/* No option but the time narrows it, and all results count. */
static bool is_plain(const struct span_search *s)
{
	const struct span_query *q = s->q;

	return s->store && q->whole && q->expression && q->alone && !s->given &&
	       !s->o.limit;
}

static void add(struct span__found *found, const struct span_trace *t,
		const uint8_t *matched)
{
	found->n_traces++;
	for (size_t i = 0; i < t->n; i++)
		found->n_spans += matched[i];
}

static int count_batch(struct span_search *s, struct span__batch *b,
		       struct span__found *found, struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < b->n && rc >= 0; i++) {
		struct span_trace t;

		rc = span__search_build(s, &b->builders[i], &t, err);
		if (rc <= 0)
			continue;
		add(found, &t, (const uint8_t *)s->matched.p);
		s->cut += b->cut;
	}
	return rc < 0 ? rc : 0;
}

/* Fetch some traces after some, into half of the memory: ids are in it too. */
static int count_few(struct span_search *s, const struct span__ids *ids,
		     struct span__found *found, struct span_error *err)
{
	struct span__batch b = {0};
	int rc = 0;

	for (size_t from = 0; from < ids->n && !rc; from += b.n) {
		rc = span__batch_load(&b, s->from_store, ids->v + from,
				      ids->n - from, s->o.memory / 2, err);
		if (!rc)
			rc = count_batch(s, &b, found, err);
	}
	span__batch_release(&b);
	return rc;
}

/* Walk through the store. */
static int count_many(struct span_search *s, struct span__ids *ids,
		      struct span__found *found, struct span_error *err)
{
	struct span_search_opts o = s->o;
	struct span_search *rest = NULL;
	const uint8_t *matched;
	struct span_trace t;
	int rc;

	o.sort = SPAN_SORT_DEFAULT;
	rc = span__search_given(&rest, s->from_store, s->q, &o, ids, err);
	*ids = (struct span__ids){0}; /* the search has them */
	if (rc < 0)
		return rc;
	while ((rc = span_search_next(rest, &t, &matched, err)) > 0)
		add(found, &t, matched);
	s->cut += span_search_cut(rest);
	span_search_close(&rest);
	return rc;
}

static int ask(struct span_search *s, struct asking *a,
	       struct span__found *found, struct span_error *err)
{
	struct span__shapes_sink sink = {.arg = a,
					 .type = type,
					 .span = one_span,
					 .shape = shape,
					 .trace = trace};
	int rc;

	sink.since_ns = s->q->range.since_ns;
	sink.until_ns = s->q->range.until_ns;
	sink.attrs = span__traceql_shapes_attrs(a->shapes, &sink.n_attrs);
	sink.keys = span__traceql_shapes_keys(a->shapes, &sink.n_keys);
	sink.need = span__traceql_shapes_need(a->shapes);
	sink.all = span__traceql_shapes_all(a->shapes);
	if (span__traceql_shapes_has_few(a->shapes))
		sink.few = few;
	rc = span__store_shapes(s->from_store, &sink, err);
	if (rc <= 0)
		return rc;
	found->n_traces = sink.n_traces;
	found->n_spans = sink.n_spans;
	rc = a->ids.n <= s->o.memory / FEW_BYTES
		     ? count_few(s, &a->ids, found, err)
		     : count_many(s, &a->ids, found, err);
	return rc < 0 ? rc : 1;
}

int span__store_count_shapes(struct span_search *s, struct span__found *found,
			     struct span_error *err)
{
	struct asking a = {.q = s->q};
	int rc;

	*found = (struct span__found){0};
	if (!is_plain(s))
		return 0;
	rc = span__traceql_shapes_open(&a.shapes, s->q->expression, err);
	if (rc <= 0)
		return rc;
	rc = span__ids_init(&a.ids, err);
	if (!rc)
		rc = ask(s, &a, found, err);
	span__ids_release(&a.ids);
	span__traceql_shapes_close(&a.shapes);
	return rc;
}
