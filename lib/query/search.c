/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all searches share: the public functions, and the order of results.
 *
 * A search has two steps: spans for which span_query_match() holds name the
 * candidates, span__query_judge() decides on the whole trace. For conditions
 * on single spans both say the same; an expression over several spans of a
 * trace needs only a weaker first step.
 */
#include "query/search.h"
#include "query/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static int open_search(struct span_search **out, const struct span_query *q,
		       const struct span_search_opts *o, struct span_error *err)
{
	struct span_search *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	s->q = q;
	if (o)
		s->o = *o;
	if (s->o.limit && s->o.sort == SPAN_SORT_DEFAULT)
		s->o.sort = SPAN_SORT_NEWEST;
	if (!s->o.window_ns)
		s->o.window_ns = SPAN__WINDOW_NS;
	if (!s->o.memory)
		s->o.memory = SPAN__WINDOW_MEMORY;
	rc = span__ids_init(&s->ids, err);
	if (!rc)
		rc = span__ids_init(&s->seen, err);
	if (!rc)
		rc = span__resolver_init(&s->resolver, q, err);
	if (rc < 0)
		span_search_close(&s);
	*out = s;
	return rc;
}

int span_search_store(struct span_search **out, struct span_store *st,
		      const struct span_query *q,
		      const struct span_search_opts *o, struct span_error *err)
{
	int rc = open_search(out, q, o, err);

	if (rc < 0)
		return rc;
	(*out)->from_store = st;
	(*out)->store = span__store_search_open(st);
	if ((*out)->store)
		return 0;
	span_search_close(out);
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

int span__search_given(struct span_search **out, struct span_store *st,
		       const struct span_query *q,
		       const struct span_search_opts *o, struct span__ids *ids,
		       struct span_error *err)
{
	int rc = span_search_store(out, st, q, o, err);

	if (rc < 0) {
		span__ids_release(ids);
		return rc;
	}
	span__ids_release(&(*out)->ids);
	(*out)->ids = *ids;
	(*out)->given = true;
	return 0;
}

int span_search_source(struct span_search **out, struct span_source src,
		       const struct span_query *q,
		       const struct span_search_opts *o, struct span_error *err)
{
	int rc = open_search(out, q, o, err);

	if (rc < 0)
		return rc;
	(*out)->from_source = src;
	(*out)->undecided = span__resolver_open(&(*out)->resolver);
	(*out)->stream = span__stream_search_open(src);
	if ((*out)->stream)
		return 0;
	span_search_close(out);
	return span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

bool span__search_holds(const struct span_search *s)
{
	return s->o.sort != SPAN_SORT_DEFAULT || s->undecided;
}

static uint64_t latest_start(const struct span_trace *t, const uint8_t *matched)
{
	uint64_t latest = 0;

	for (size_t i = 0; i < t->n; i++)
		if (matched[i] && t->spans[i].start_ns > latest)
			latest = t->spans[i].start_ns;
	return latest;
}

uint64_t span__search_key(const struct span_search *s,
			  const struct span_trace *t, const uint8_t *matched)
{
	switch (s->o.sort) {
	case SPAN_SORT_START:
		return UINT64_MAX - t->start_ns;
	case SPAN_SORT_DURATION:
		return t->end_ns - t->start_ns;
	case SPAN_SORT_SPANS:
		return t->n;
	case SPAN_SORT_ERRORS:
		return t->n_errors;
	default:
		return latest_start(t, matched);
	}
}

int span__search_judge(struct span_search *s, const struct span_trace *t,
		       struct span_error *err)
{
	s->matched.len = 0;
	if (!span_buf_reserve(&s->matched, t->n))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__query_judge(s->q, t, (uint8_t *)s->matched.p, err);
}

int span_search_next(struct span_search *s, struct span_trace *out,
		     const uint8_t **matched, struct span_error *err)
{
	int rc = s->store ? span__store_next(s, out, err)
			  : span__stream_next(s, out, err);

	if (rc > 0 && matched)
		*matched = (const uint8_t *)s->matched.p;
	return rc;
}

/* The next trace that was not returned before, in whole or in part. */
static int next_id_of_traces(struct span_search *s, uint8_t id[16],
			     struct span_error *err)
{
	struct span_trace t;
	int rc;

	while ((rc = span__stream_next(s, &t, err)) > 0) {
		rc = span__ids_put(&s->seen, t.trace_id, 0, err);
		if (rc < 0)
			break;
		if (rc > 0) {
			memcpy(id, t.trace_id, 16);
			break;
		}
	}
	return rc;
}

int span_search_next_id(struct span_search *s, uint8_t id[16],
			struct span_error *err)
{
	if (!s->store && s->q->whole)
		return next_id_of_traces(s, id, err);
	return s->store ? span__store_next_id(s, id, err)
			: span__stream_next_id(s, id, err);
}

static int open_chosen(struct span_search *s, struct span_error *err)
{
	struct span_search_opts o = {.window_ns = s->o.window_ns,
				     .memory = s->o.memory};

	if (s->chosen.traces)
		return 0;
	/* The N newest spans are spans of the N newest traces. */
	if (s->o.sort == SPAN_SORT_NEWEST) {
		o.limit = s->o.limit;
		o.sort = s->o.sort;
	}
	return s->store ? span_search_store(&s->chosen.traces, s->from_store,
					    s->q, &o, err)
			: span_search_source(&s->chosen.traces, s->from_source,
					     s->q, &o, err);
}

/* The next matching span of the traces, as they come. */
static int next_chosen(struct span_search *s, struct span *out,
		       struct span_error *err)
{
	struct span__chosen *c = &s->chosen;
	int rc = open_chosen(s, err);

	while (rc >= 0) {
		for (; c->next < c->trace.n; c->next++) {
			if (!c->matched[c->next])
				continue;
			*out = c->trace.spans[c->next++];
			return 1;
		}
		rc = span_search_next(c->traces, &c->trace, &c->matched, err);
		s->cut = span_search_cut(c->traces);
		s->more |= span_search_more(c->traces);
		c->next = 0;
		if (rc <= 0) {
			c->trace.n = 0;
			break;
		}
	}
	return rc;
}

/* The same in order: what came before an error is still returned. */
static int next_span_of_traces(struct span_search *s, struct span *out,
			       struct span_error *err)
{
	struct span__chosen *c = &s->chosen;

	if (s->o.sort == SPAN_SORT_DEFAULT)
		return next_chosen(s, out, err);
	while (!s->ready) {
		int rc = next_chosen(s, out, &c->err);

		if (rc > 0)
			rc = span__keep_put(s, out, &c->err);
		else
			s->ready = true;
		c->rc = rc;
		s->ready |= rc < 0;
	}
	if (span__keep_next(s, out))
		return 1;
	if (c->rc < 0 && err)
		*err = c->err;
	return c->rc;
}

int span_search_next_span(struct span_search *s, struct span *out,
			  struct span_error *err)
{
	if (s->o.sort == SPAN_SORT_SPANS || s->o.sort == SPAN_SORT_ERRORS)
		return span_error_set(
			err, SPAN_E_INVALID,
			"the order is one of traces, not of spans");
	if (s->q->whole)
		return next_span_of_traces(s, out, err);
	return s->store ? span__store_next_span(s, out, err)
			: span__stream_next_span(s, out, err);
}

int span_search_count(struct span_search *s, uint64_t *n,
		      struct span_error *err)
{
	struct span__found found;
	struct span sp;
	int rc;

	*n = 0;
	if (s->o.sort < SPAN_SORT_SPANS) {
		rc = span__store_count_shapes(s, &found, err);
		*n = rc > 0 ? found.n_spans : 0;
		if (rc)
			return rc < 0 ? rc : 0;
	}
	if (s->store && s->q->pushed && !s->q->whole && !s->q->n_ids &&
	    s->o.sort < SPAN_SORT_SPANS)
		return span__store_count(s, n, err);
	if (s->store && s->q->n_parts && !s->q->whole && !s->q->n_ids &&
	    s->o.sort < SPAN_SORT_SPANS)
		return span__store_count_parts(s, n, err);
	while ((rc = span_search_next_span(s, &sp, err)) > 0)
		++*n;
	return rc;
}

int span_search_count_traces(struct span_search *s, uint64_t *n,
			     struct span_error *err)
{
	struct span__found found;
	uint8_t id[16];
	int rc = span__store_count_all(s, n, err);

	if (rc)
		return rc < 0 ? rc : 0;
	rc = span__store_count_shapes(s, &found, err);
	*n = rc > 0 ? found.n_traces : 0;
	if (rc)
		return rc < 0 ? rc : 0;
	while ((rc = span_search_next_id(s, id, err)) > 0)
		++*n;
	return rc;
}

uint64_t span_search_cut(const struct span_search *s)
{
	return s->cut;
}

bool span_search_more(const struct span_search *s)
{
	return s->more;
}

void span_search_close(struct span_search **s)
{
	if (!*s)
		return;
	span__store_close(&(*s)->store);
	span__stream_close(&(*s)->stream);
	span__keep_release(&(*s)->keep);
	span__resolver_release(&(*s)->resolver);
	span__ids_release(&(*s)->ids);
	span__ids_release(&(*s)->seen);
	span_search_close(&(*s)->chosen.traces);
	span_buf_release(&(*s)->matched);
	free(*s);
	*s = NULL;
}
