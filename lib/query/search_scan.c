/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans of a store for what matches. An expression with "||" is looked for part
 * by part: spans then come in another order, and some of them several times,
 * which does not matter where only their traces are asked for.
 */
#include "query/search_store.h"
#include "query/traceql.h"

#include "base/banned.h"

static void choose_range(struct span_search *s)
{
	struct span__store_search *ss = s->store;
	const struct span_query *q = s->q;
	const struct span__part *p = ss->in_parts ? &q->parts[ss->part] : NULL;

	ss->judged = ss->needed ? q->need.pushed : p ? p->pushed : q->pushed;
	ss->range = ss->needed ? q->need.range : p ? p->range : q->range;
}

int span__scan_open(struct span_search *s, uint64_t since, bool heads,
		    struct span_error *err)
{
	struct span__store_search *ss = s->store;

	if (ss->spans)
		return 0;
	choose_range(s);
	ss->range.since_ns = since;
	if (ss->until)
		ss->range.until_ns = ss->until;
	if (ss->least_ns)
		ss->range.min_duration_ns = ss->least_ns;
	ss->range.floor_ns = ss->floored ? &ss->floor : NULL;
	ss->range.head_only =
		heads &&
		(ss->needed || ss->in_parts ? ss->judged : s->q->headed);
	return span_store_scan(ss->st, &ss->range, &ss->spans, err);
}

/* Go on with the next part: 1, 0 when there is none, or a negative code. */
static int next_part(struct span_search *s, struct span_error *err)
{
	struct span__store_search *ss = s->store;
	uint64_t since = ss->range.since_ns;
	int rc;

	if (!ss->in_parts || ss->part + 1 == s->q->n_parts)
		return 0;
	ss->part++;
	span_cursor_close(&ss->spans);
	rc = span__scan_open(s, since, true, err);
	return rc < 0 ? rc : 1;
}

int span__scan_match(struct span_search *s, struct span *out,
		     struct span_error *err)
{
	int rc;

	do {
		rc = span_cursor_next(s->store->spans, out, err);
		if (!rc && (rc = next_part(s, err)) > 0) {
			rc = 0;
			continue;
		}
		if (rc <= 0 || s->store->judged)
			return rc;
		if (s->store->needed)
			rc = span__query_needs(s->q, out, err);
		else if (s->store->range.head_only)
			rc = span_query_match_head(s->q, out, err);
		else
			rc = span_query_match(s->q, out, err);
	} while (!rc);
	return rc;
}

int span__scan_some(struct span_search *s, uint64_t since, size_t most,
		    struct span_error *err)
{
	struct span__store_search *ss = s->store;
	struct span sp;
	int rc;

	ss->part = 0;
	rc = span__scan_open(s, since, true, err);
	while (rc >= 0 && s->ids.n < most &&
	       (rc = span__scan_match(s, &sp, err)) > 0)
		rc = span__ids_put(&s->ids, sp.trace_id, sp.start_ns, err);
	span_cursor_close(&ss->spans);
	return rc < 0 ? rc : s->ids.n < most;
}

int span__scan_since(struct span_search *s, uint64_t since,
		     struct span_error *err)
{
	int rc = span__scan_some(s, since, SIZE_MAX, err);

	return rc < 0 ? rc : 0;
}

/*
 * When there are enough traces, what starts before the last one is of no
 * interest: it cannot bring a trace in, nor one further up. There is one more
 * then than is asked for, which is to be told.
 */
int span__scan_newest(struct span_search *s, uint64_t limit,
		      struct span_error *err)
{
	struct span__store_search *ss = s->store;
	struct span sp;
	int rc;

	ss->floored = true;
	rc = span__scan_open(s, s->q->range.since_ns, true, err);
	while (rc >= 0 && (rc = span__scan_match(s, &sp, err)) > 0) {
		rc = span__ids_put(&s->ids, sp.trace_id, sp.start_ns, err);
		if (rc <= 0 || s->ids.n <= limit ||
		    (ss->floor && s->ids.n - limit <= limit / 4))
			continue;
		s->more |= span__ids_order(&s->ids, limit);
		ss->floor = s->ids.v[limit - 1].key;
	}
	span_cursor_close(&ss->spans);
	return rc;
}

static int limit_count(struct span_search *s, uint64_t *n, int rc)
{
	if (s->o.limit && *n > s->o.limit) {
		s->more = true;
		*n = s->o.limit;
	}
	return rc;
}

int span__store_count(struct span_search *s, uint64_t *n,
		      struct span_error *err)
{
	return limit_count(
		s, n, span_store_count(s->store->st, &s->q->range, n, err));
}

/*
 * Is S, which the store found for part K, one that the parts before it did not
 * have? 1, 0 or a negative code.
 */
static int is_new(const struct span_query *q, size_t k, const struct span *s,
		  struct span_error *err)
{
	int rc = 1;

	if (!q->parts[k].pushed)
		rc = span_query_match(q, s, err);
	if (rc > 0 && !q->parts[k].pushed)
		rc = span__traceql_any(q->expression, q->either, k, k + 1, s,
				       err);
	if (rc <= 0)
		return rc;
	rc = span__traceql_any(q->expression, q->either, 0, k, s, err);
	return rc < 0 ? rc : !rc;
}

static int count_part(struct span_search *s, size_t k, uint64_t *n,
		      struct span_error *err)
{
	const struct span__part *p = &s->q->parts[k];
	struct span_cursor *c;
	struct span sp;
	int rc = span_store_scan(s->store->st, &p->range, &c, err);

	if (rc < 0)
		return rc;
	while ((rc = span_cursor_next(c, &sp, err)) > 0) {
		rc = is_new(s->q, k, &sp, err);
		if (rc < 0)
			break;
		*n += (uint64_t)rc;
	}
	span_cursor_close(&c);
	return rc;
}

int span__store_count_parts(struct span_search *s, uint64_t *n,
			    struct span_error *err)
{
	const struct span__part *first = &s->q->parts[0];
	int rc;

	if (first->pushed)
		rc = span_store_count(s->store->st, &first->range, n, err);
	else
		rc = count_part(s, 0, n, err);
	for (size_t k = 1; k < s->q->n_parts && !rc; k++)
		rc = count_part(s, k, n, err);
	return limit_count(s, n, rc);
}
