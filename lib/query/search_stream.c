/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Search in a stream: spans gather in a window of open traces, those that are
 * complete are judged, and returned or forgotten. With a limit or an order of
 * its own the results are kept to the end. An input that ends with an error
 * first gives the results of what came before.
 */
#include "query/search.h"
#include "query/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define PRUNE_FROM 64u

struct result {
	struct span__open_trace *t;
	uint64_t key;
};

struct span__stream_search {
	struct span_source src;
	struct span__window window;
	struct span__open_trace *current; /* the last one returned */
	struct result *results;
	size_t n, cap, next;
	size_t bytes; /* of the results */
	bool started, end;
	int rc; /* how the source ended */
	struct span_error err;
};

struct span__stream_search *span__stream_search_open(struct span_source src)
{
	struct span__stream_search *ss = calloc(1, sizeof(*ss));

	if (ss)
		ss->src = src;
	return ss;
}

/* The next span. 1, or 0 at the end, which may be an error: see finish(). */
static int read_span(struct span_search *s, struct span *out)
{
	struct span__stream_search *ss = s->stream;

	if (ss->end)
		return 0;
	ss->rc = ss->src.next(ss->src.self, out, &ss->err);
	ss->end = ss->rc <= 0;
	return !ss->end;
}

/* All results are out: 0, or the code with which the source ended. */
static int finish(const struct span__stream_search *ss, struct span_error *err)
{
	if (ss->rc < 0 && err)
		*err = ss->err;
	return ss->rc < 0 ? ss->rc : 0;
}

/* The next span with its verdict in *MATCH. 1, 0 or a negative code. */
static int read_and_match(struct span_search *s, struct span *out, int *match,
			  struct span_error *err)
{
	int rc = read_span(s, out);

	if (rc <= 0)
		return rc;
	if (s->undecided) {
		rc = span__resolver_see(&s->resolver, out->trace_id, err);
		if (rc < 0)
			return rc;
	}
	*match = span_query_match(s->q, out, err);
	return *match < 0 ? *match : 1;
}

/* Judge T. 1 with *OUT and s->matched, 0, or a negative code. */
static int judge(struct span_search *s, struct span__open_trace *t,
		 struct span_trace *out, struct span_error *err)
{
	int rc;

	if (!t->candidate && !t->goes_on)
		return 0;
	t->builder.keep_duplicates = s->o.keep_duplicates;
	rc = span_trace_builder_build(&t->builder, out, err);
	if (rc < 0)
		return rc;
	rc = span__search_judge(s, out, err);
	/*
	 * The rest of a trace that matched is part of the result; of one that
	 * was only a candidate it must match itself.
	 */
	return rc < 0 ? rc : rc || (t->goes_on && !s->q->whole);
}

static int compare(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return memcmp(x->t->id, y->t->id, 16);
}

/* Put the results in order and let those above the limit go. */
static void order(struct span_search *s)
{
	struct span__stream_search *ss = s->stream;

	if (ss->n && s->o.sort != SPAN_SORT_DEFAULT)
		qsort(ss->results, ss->n, sizeof(*ss->results), compare);
	while (s->o.limit && ss->n > s->o.limit) {
		struct span__open_trace *t = ss->results[--ss->n].t;

		ss->bytes -= t->bytes;
		span__open_trace_free(t);
		s->more = true;
	}
}

static int make_room(struct span_search *s, struct span_error *err)
{
	struct span__stream_search *ss = s->stream;
	bool full = ss->bytes > s->o.memory / 4 * 3;
	struct result *v;
	size_t cap;

	if (s->o.limit && !s->undecided &&
	    (full || (ss->n >= PRUNE_FROM && ss->n / 2 >= s->o.limit)))
		order(s);
	if (full && ss->bytes > s->o.memory / 4 * 3)
		return span_error_set(
			err, SPAN_E_LIMIT,
			"the results to put in order need more than %llu bytes",
			(unsigned long long)(s->o.memory / 4 * 3));
	if (ss->n < ss->cap)
		return 0;
	cap = ss->cap ? ss->cap * 2 : PRUNE_FROM;
	v = realloc(ss->results, cap * sizeof(*v));
	if (!v)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	ss->results = v;
	ss->cap = cap;
	return 0;
}

static int keep(struct span_search *s, struct span__open_trace *t,
		const struct span_trace *built, struct span_error *err)
{
	struct span__stream_search *ss = s->stream;
	int rc = make_room(s, err);

	if (rc < 0)
		return rc;
	ss->results[ss->n++] = (struct result){
		t, span__search_key(s, built, (uint8_t *)s->matched.p)};
	ss->bytes += t->bytes;
	return 0;
}

/* The end: what did the typed ids mean, and what is the order? */
static int settle(struct span_search *s, struct span_error *err)
{
	struct span__stream_search *ss = s->stream;
	size_t n = 0;
	int rc;

	s->ready = true;
	if (s->undecided) {
		rc = span__resolver_finish(&s->resolver, &s->ids, err);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < ss->n; i++)
			if (span__ids_has(&s->ids, ss->results[i].t->id))
				ss->results[n++] = ss->results[i];
			else
				span__open_trace_free(ss->results[i].t);
		ss->n = n;
	}
	order(s);
	return 0;
}

/*
 * Deal with a trace that left the window. 1 when it is the next result, which
 * is then ss->current; 0; or a negative code.
 */
static int dispose(struct span_search *s, struct span__open_trace *t,
		   struct span_trace *out, struct span_error *err)
{
	int rc = judge(s, t, out, err);

	if (rc > 0 && !span__search_holds(s)) {
		s->stream->current = t;
		return 1;
	}
	if (rc > 0) {
		rc = keep(s, t, out, err);
		if (!rc)
			return 0;
	}
	span__open_trace_free(t);
	return rc;
}

/* Read on until a result can be returned, or all is read. */
static int gather(struct span_search *s, struct span_trace *out,
		  struct span_error *err)
{
	struct span__stream_search *ss = s->stream;
	int rc = 0, match = 0;
	struct span sp;

	while (rc == 0) {
		size_t left =
			s->o.memory > ss->bytes ? s->o.memory - ss->bytes : 0;
		struct span__open_trace *t =
			span__window_pop(&ss->window, left, ss->end);

		s->cut = ss->window.cut;
		if (t) {
			rc = dispose(s, t, out, err);
			continue;
		}
		if (ss->end)
			return 0;
		rc = read_and_match(s, &sp, &match, err);
		if (rc > 0 && s->o.trim)
			s->o.trim(&sp);
		if (rc > 0)
			rc = span__window_put(&ss->window, &sp, match > 0,
					      s->o.memory / 4, err);
	}
	return rc;
}

static int start(struct span_search *s, struct span_error *err)
{
	if (s->stream->started)
		return 0;
	s->stream->started = true;
	return span__window_init(&s->stream->window, s->o.window_ns, err);
}

int span__stream_next(struct span_search *s, struct span_trace *out,
		      struct span_error *err)
{
	struct span__stream_search *ss = s->stream;
	int rc = start(s, err);

	span__open_trace_free(ss->current);
	ss->current = NULL;
	if (!rc && !s->ready)
		rc = gather(s, out, err);
	if (!rc && !s->ready)
		rc = settle(s, err);
	if (rc)
		return rc;
	if (ss->next == ss->n)
		return finish(ss, err);
	ss->current = ss->results[ss->next++].t;
	return judge(s, ss->current, out, err);
}

/* Read all ids, then put them in order. */
static int gather_ids(struct span_search *s, struct span_error *err)
{
	struct span__ids meant = {0};
	struct span sp;
	int rc, match = 0;
	size_t n = 0;

	while ((rc = read_and_match(s, &sp, &match, err)) > 0) {
		if (match)
			rc = span__ids_put(&s->ids, sp.trace_id, sp.start_ns,
					   err);
		if (rc < 0)
			break;
		if (!s->undecided)
			s->more |= span__ids_prune(&s->ids, s->o.limit);
	}
	if (!rc && s->undecided) {
		rc = span__ids_init(&meant, err);
		if (!rc)
			rc = span__resolver_finish(&s->resolver, &meant, err);
		for (size_t i = 0; i < s->ids.n && !rc; i++)
			if (span__ids_has(&meant, s->ids.v[i].id))
				s->ids.v[n++] = s->ids.v[i];
		s->ids.n = n;
		span__ids_release(&meant);
	}
	if (s->o.sort != SPAN_SORT_DEFAULT)
		s->more |= span__ids_order(&s->ids, s->o.limit);
	s->ready = true;
	return rc;
}

int span__stream_next_id(struct span_search *s, uint8_t id[16],
			 struct span_error *err)
{
	struct span_trace t;
	struct span sp;
	int rc = 0, match = 0;

	if (s->o.sort > SPAN_SORT_NEWEST) {
		rc = span__stream_next(s, &t, err);
		if (rc > 0)
			memcpy(id, t.trace_id, 16);
		return rc;
	}
	if (span__search_holds(s)) {
		if (!s->ready)
			rc = gather_ids(s, err);
		if (!rc && s->next == s->ids.n)
			return finish(s->stream, err);
		if (!rc)
			memcpy(id, s->ids.v[s->next++].id, 16);
		return rc < 0 ? rc : 1;
	}
	while ((rc = read_and_match(s, &sp, &match, err)) > 0) {
		if (match)
			rc = span__ids_put(&s->ids, sp.trace_id, 0, err);
		if (rc < 0)
			return rc;
		if (match && rc > 0) {
			memcpy(id, sp.trace_id, 16);
			return 1;
		}
	}
	return rc < 0 ? rc : finish(s->stream, err);
}

int span__stream_next_span(struct span_search *s, struct span *out,
			   struct span_error *err)
{
	int rc = 0, match = 0;

	while (!s->ready && (rc = read_and_match(s, out, &match, err)) > 0) {
		if (match && !span__search_holds(s))
			return 1;
		if (match)
			rc = span__keep_put(s, out, err);
		if (rc < 0)
			return rc;
	}
	if (!rc && !s->ready && s->undecided) {
		rc = span__resolver_finish(&s->resolver, &s->ids, err);
		span__keep_only(&s->keep, &s->ids);
	}
	if (rc < 0)
		return rc;
	s->ready = true;
	return span__keep_next(s, out) ? 1 : finish(s->stream, err);
}

void span__stream_close(struct span__stream_search **st)
{
	struct span__stream_search *ss = *st;

	if (!ss)
		return;
	span__open_trace_free(ss->current);
	for (size_t i = ss->next; i < ss->n; i++)
		span__open_trace_free(ss->results[i].t);
	free(ss->results);
	span__window_release(&ss->window);
	free(ss);
	*st = NULL;
}
