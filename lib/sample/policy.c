/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chances. Those of alternatives are not added but the best one holds, as all
 * compare with the same random bits: what 1 % keeps is among what 10 % keep.
 *
 * Limits are asked last, only where their answer matters: of alternatives when
 * no other is certain, of things that must all hold when the others do. A trace
 * that a limit has a place for is certain; one that has no chance elsewhere is
 * counted there, and the next that gets a place stands for it.
 */
#include "sample/policy.h"

#include <math.h>
#include <string.h>

#include "query/match.h"

#include "base/banned.h"

/* 1, 0 or a negative code. */
static int traceql(const struct span__policy *p, struct span__asked_trace *t,
		   struct span_error *err)
{
	int rc = 0;

	for (size_t i = 0; i < t->trace->n && !rc; i++)
		rc = span_query_match(p->query, &t->trace->spans[i], err);
	if (rc <= 0)
		return rc;
	t->matched->len = 0;
	if (!span_buf_reserve(t->matched, t->trace->n))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return span__query_judge(p->query, t->trace, (uint8_t *)t->matched->p,
				 err);
}

static bool has_status(const struct span_trace *t, uint8_t status)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->spans[i].status == status)
			return true;
	return false;
}

static bool is_between(const struct span_trace *t, uint64_t min, uint64_t max)
{
	uint64_t ns = t->end_ns - t->start_ns;

	return ns >= min && (!max || ns <= max);
}

static struct span__bucket *bucket_of(struct span__policy *p,
				      const struct span *s)
{
	struct span_str none = {0};

	return span__limit_bucket(
		&p->limit, p->per == SPAN__PER_ALL ? none : s->process->service,
		p->per == SPAN__PER_OPERATION ? s->name : none);
}

static int take(const struct span__limit *l, struct span__bucket *b,
		const struct span__asked_trace *t, struct span__chance *out,
		struct span_error *err)
{
	if (!b)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	out->bucket = b;
	out->has_place = span__bucket_take(l, b, t->now_ns);
	out->p = out->has_place;
	return 0;
}

static int limited(struct span__policy *p, const struct span__asked_trace *t,
		   struct span__chance *out, struct span_error *err)
{
	const struct span *root = &t->trace->spans[t->trace->root];

	return take(&p->limit, bucket_of(p, root), t, out, err);
}

int span__policy_strategies(struct span__policy *p,
			    const struct span_strategies *s,
			    struct span_arena *a, struct span_error *err)
{
	size_t n = s->n + 1;
	int rc = 0;

	p->strategies = s;
	p->remembers = true;
	p->limits = span_arena_array(a, n, sizeof(*p->limits));
	if (!p->limits)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	memset(p->limits, 0, n * sizeof(*p->limits));
	for (size_t i = 0; i < n && rc >= 0; i++) {
		const struct span_strategy *one =
			i < s->n ? &s->services[i] : &s->usual;

		if (one->limits)
			rc = span__limit_init(&p->limits[i], one->param,
					      one->param > 1 ? one->param : 1,
					      err);
	}
	return rc;
}

/* As Jaeger's clients do where a trace begins. */
static int by_strategies(struct span__policy *p,
			 const struct span__asked_trace *t,
			 struct span__chance *out, struct span_error *err)
{
	const struct span *root = &t->trace->spans[t->trace->root];
	struct span_str service = root->process->service, none = {0};
	const struct span_strategy *s =
		span_strategies_find(p->strategies, service);
	struct span__limit *l =
		&p->limits[s == &p->strategies->usual
				   ? p->strategies->n
				   : (size_t)(s - p->strategies->services)];

	if (s->limits && !s->has_operations)
		return take(l, span__limit_bucket(l, service, none), t, out,
			    err);
	out->p = span_strategy_p(s, root->name);
	return 0;
}

/* The share is of all; of what a client sampled already a larger one is. */
static int adapted(const struct span__asked_trace *t, struct span__chance *out)
{
	const struct span *root = &t->trace->spans[t->trace->root];

	out->p = fmin(t->adapted->p * span__client_weight(root), 1);
	return 0;
}

/*
 * Each of its operations takes its place. Their buckets may move, so that
 * another, whose place is the same for all, counts those without one.
 */
static int rare(struct span__policy *p, const struct span__asked_trace *t,
		struct span__chance *out, struct span_error *err)
{
	struct span_str none = {0};

	out->p = 0;
	for (size_t i = 0; i < t->trace->n; i++) {
		const struct span *s = &t->trace->spans[i];
		struct span__bucket *b = bucket_of(p, s);

		if (!b)
			return span_error_set(err, SPAN_E_NOMEM,
					      "memory is out");
		if (span__bucket_take(&p->limit, b, t->now_ns))
			out->p = 1;
	}
	out->has_place = out->p > 0;
	out->bucket = span__limit_bucket(&p->limit, none, none);
	return out->bucket ? 0
			   : span_error_set(err, SPAN_E_NOMEM, "memory is out");
}

static int either(struct span__policy *p, struct span__asked_trace *t,
		  struct span__chance *out, struct span_error *err)
{
	for (int remembers = 0; remembers < 2; remembers++) {
		for (size_t i = 0; i < p->n && out->p < 1; i++) {
			struct span__chance c = {0};
			int rc;

			if (p->v[i].remembers != remembers)
				continue;
			rc = span__policy_ask(&p->v[i], t, &c, err);
			if (rc < 0)
				return rc;
			/* What could be kept elsewhere is no miss. */
			if (c.p > out->p || (out->p == 0 && c.bucket))
				*out = c;
		}
	}
	return 0;
}

static int all(struct span__policy *p, struct span__asked_trace *t,
	       struct span__chance *out, struct span_error *err)
{
	out->p = 1;
	for (int remembers = 0; remembers < 2; remembers++) {
		for (size_t i = 0; i < p->n && out->p > 0; i++) {
			struct span__chance c = {0};
			int rc;

			if (p->v[i].remembers != remembers)
				continue;
			/* No place for what is dropped anyway. */
			if (remembers &&
			    !span_ratio_keeps(t->ratio, out->p,
					      &t->trace->spans[t->trace->root]))
				return 0;
			rc = span__policy_ask(&p->v[i], t, &c, err);
			if (rc < 0)
				return rc;
			if (c.p < out->p)
				out->p = c.p;
			if (c.bucket) {
				out->bucket = c.bucket;
				out->has_place = c.has_place;
			}
		}
	}
	return 0;
}

static int negate(struct span__policy *p, struct span__asked_trace *t,
		  struct span__chance *out, struct span_error *err)
{
	struct span__chance c = {0};
	int rc = span__policy_ask(p->v, t, &c, err);

	out->p = c.p > 0 ? 0 : 1;
	return rc;
}

static int ask(struct span__policy *p, struct span__asked_trace *t,
	       struct span__chance *out, struct span_error *err)
{
	int rc = 0;

	switch (p->type) {
	case SPAN__POLICY_ALWAYS:
		out->p = 1;
		break;
	case SPAN__POLICY_ERROR:
		out->p = t->trace->n_errors > 0;
		break;
	case SPAN__POLICY_STATUS:
		out->p = has_status(t->trace, p->status);
		break;
	case SPAN__POLICY_LATENCY:
		out->p = is_between(t->trace, p->min_ns, p->max_ns);
		break;
	case SPAN__POLICY_TRACEQL:
		rc = traceql(p, t, err);
		out->p = rc > 0;
		break;
	case SPAN__POLICY_RATIO:
		out->p = p->ratio;
		break;
	case SPAN__POLICY_RATE:
	case SPAN__POLICY_FIRST:
		return limited(p, t, out, err);
	case SPAN__POLICY_STRATEGIES:
		return by_strategies(p, t, out, err);
	case SPAN__POLICY_ADAPTIVE:
		return adapted(t, out);
	case SPAN__POLICY_RARE:
		return rare(p, t, out, err);
	case SPAN__POLICY_AND:
		return all(p, t, out, err);
	case SPAN__POLICY_OR:
		return either(p, t, out, err);
	case SPAN__POLICY_NOT:
		return negate(p, t, out, err);
	}
	return rc < 0 ? rc : 0;
}

int span__policy_ask(struct span__policy *p, struct span__asked_trace *t,
		     struct span__chance *out, struct span_error *err)
{
	int rc = ask(p, t, out, err);

	if (p->number)
		out->policy = p->number;
	return rc;
}

static void release(struct span__policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		release(&p->v[i]);
	span_query_close(&p->query);
	span__limit_release(&p->limit);
	for (size_t i = 0; p->limits && i <= p->strategies->n; i++)
		span__limit_release(&p->limits[i]);
}

void span__policies_release(struct span__policies *p)
{
	release(&p->root);
	span_strategies_close(&p->strategies);
	span__adaptive_release(&p->adaptive);
	span_arena_release(&p->arena);
	*p = (struct span__policies){0};
}
