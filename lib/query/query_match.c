/* SPDX-License-Identifier: Apache-2.0 */
/* A query, asked of a span or of a whole trace. */
#include "query/traceql.h"

#include <string.h>

#include "base/banned.h"

bool span__id_is_prefix(const struct span__id *id, const uint8_t trace_id[16])
{
	static const uint8_t zeros[8];
	bool is_short = !memcmp(trace_id, zeros, sizeof(zeros));
	const uint8_t *printed = trace_id + (is_short ? 8 : 0);
	size_t whole = id->digits / 2;

	if (id->digits > (is_short ? 16 : 32) ||
	    memcmp(printed, id->prefix, whole) != 0)
		return false;
	return id->digits % 2 == 0 ||
	       printed[whole] >> 4 == id->prefix[whole] >> 4;
}

static bool match_ids(const struct span_query *q, const struct span *s)
{
	for (size_t i = 0; i < q->n_ids; i++)
		if (!memcmp(s->trace_id, q->ids[i].exact, 16) ||
		    span__id_is_prefix(&q->ids[i], s->trace_id))
			return true;
	return !q->n_ids;
}

/* Of a query with an expression its hints are in the range, too. */
static bool match_range(const struct span_range *r, const struct span *s)
{
	return s->start_ns >= r->since_ns &&
	       (!r->until_ns || s->start_ns < r->until_ns) &&
	       s->duration_ns >= r->min_duration_ns &&
	       (!r->max_duration_ns || s->duration_ns <= r->max_duration_ns);
}

int span_query_match_head(const struct span_query *q, const struct span *s,
			  struct span_error *err)
{
	int rc;

	if (!match_range(&q->range, s) || !match_ids(q, s))
		return 0;
	if ((q->root || q->orphans) && span_is_root(s) != q->root)
		return 0;
	rc = span__names_match(&q->services, s->process->service, err);
	if (rc > 0)
		rc = span__names_match(&q->operations, s->name, err);
	if (rc <= 0)
		return rc;
	return q->tags.n || q->n_not_tags || q->matchers.n || q->range.error ||
			       q->expression
		       ? 2
		       : 1;
}

/* All but the expression. */
static int match_options(const struct span_query *q, const struct span *s,
			 struct span_error *err)
{
	int rc = span_query_match_head(q, s, err);

	if (rc <= 1)
		return rc;
	if (q->range.error && !span_is_error(s))
		return 0;
	rc = span__tags_match(&q->tags, s, err);
	for (size_t i = 0; i < q->n_not_tags && rc > 0; i++) {
		rc = span__tags_match(&q->not_tags[i], s, err);
		rc = rc < 0 ? rc : !rc;
	}
	return rc > 0 ? span__matchers_match(&q->matchers, s, err) : rc;
}

int span_query_match(const struct span_query *q, const struct span *s,
		     struct span_error *err)
{
	int rc = match_options(q, s, err);

	if (rc > 0 && q->expression)
		rc = span__traceql_match(q->expression, s, err);
	return rc > 0 ? 1 : rc;
}

int span__query_needs(const struct span_query *q, const struct span *s,
		      struct span_error *err)
{
	int rc = span__traceql_needs(q->expression, s, err);

	return rc > 0 ? 1 : rc;
}

bool span_query_needs_trace(const struct span_query *q)
{
	return q->whole;
}

int span__query_judge(const struct span_query *q, const struct span_trace *t,
		      uint8_t *matched, struct span_error *err)
{
	bool chosen = q->expression && q->expression->whole;
	int any = 0, rc = 1;

	if (chosen)
		rc = span__traceql_judge(q->expression, t, matched, err);
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < t->n; i++) {
		if (chosen)
			rc = matched[i] ? match_options(q, &t->spans[i], err)
					: 0;
		else
			rc = span_query_match(q, &t->spans[i], err);
		if (rc < 0)
			return rc;
		matched[i] = rc > 0 && (!q->orphans ||
					t->nodes[i].flags & SPAN_TRACE_ORPHAN);
		any |= matched[i];
	}
	return any;
}
