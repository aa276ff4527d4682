/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace needs to be a result: in "{A} >> {B}" spans of both. A search
 * looks for the part that the store finds best, and that few traces have.
 */
#include "query/traceql.h"

#include "base/banned.h"

struct needer {
	struct span__traceql *q;
	struct span_arena *arena;
	struct span_error *err;
};

/* How few spans they leave, by experience. */
static int score(const struct tql_set *set, const struct tql_hints *h)
{
	if (h->n_tags)
		return 8;
	if (h->n_attrs)
		return 6;
	if (h->error)
		return 7;
	if (h->operations.set)
		return 6;
	if (h->services.set)
		return 5;
	if (h->min_ns)
		return 4;
	if (h->operations.n_conds || h->services.n_conds)
		return 3;
	return set->op != TQL_FILTER || set->filter;
}

struct need {
	const struct tql_set *set;
	int score;
};

static int need_of(struct needer *h, const struct tql_set *set,
		   struct need *best);

static int offer(struct needer *h, const struct tql_set *set, struct need *best)
{
	struct tql_hints hints;
	int rc = span__tql_set_hints(h->q, set, &hints, h->arena, h->err),
	    own = score(set, &hints);

	if (!rc && (!best->set || own > best->score))
		*best = (struct need){set, own};
	return rc;
}

/* Each of the stages leaves spans, and so does each stage before it. */
static int need_of_stages(struct needer *h, const struct tql_set *set,
			  struct need *best)
{
	int rc = offer(h, set, best);

	for (size_t i = 0; i < set->n_stages && !rc; i++)
		if (set->stages[i].kind == TQL_STAGE_SET)
			rc = need_of(h, set->stages[i].set, best);
	return rc;
}

/* Of what has to choose spans for SET to choose some, the best. */
static int need_of(struct needer *h, const struct tql_set *set,
		   struct need *best)
{
	int rc = 0;

	if (set->op == TQL_PIPELINE)
		return need_of_stages(h, set, best);
	if (set->op == TQL_FILTER || set->op == TQL_EITHER)
		return offer(h, set, best);
	/* Of what is not below something, the something need not be there. */
	for (size_t i = set->negate; i < set->n && !rc; i++)
		rc = need_of(h, set->v[i], best);
	return rc;
}

int span__traceql_need(struct span__traceql *q, struct tql_hints *out,
		       struct span_arena *arena, struct span_error *err)
{
	struct needer h = {q, arena, err};
	struct need best = {NULL, 0};
	int rc = need_of(&h, q->root, &best);

	if (rc < 0)
		return rc;
	q->need = best.set;
	return span__tql_set_hints(q, q->need, out, arena, err);
}
