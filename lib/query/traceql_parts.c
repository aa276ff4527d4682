/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "A && (B || C)" has the spans of "A && B" and those of "A && C", each of
 * which a store finds better than both together.
 */
#include "query/traceql.h"

#include "base/banned.h"

/* Does it leave anything out that a store need not look at? */
static bool is_narrow(const struct tql_hints *h)
{
	return h->services.set || h->services.n_conds || h->operations.set ||
	       h->operations.n_conds || h->min_ns || h->max_ns || h->error ||
	       h->n_tags || h->n_attrs;
}

/* The "||" among the conditions of E that all must hold. */
static const struct tql_expr *find_or(const struct tql_expr *e)
{
	if (e->op == TQL_OR)
		return e;
	for (size_t i = 0; e->op == TQL_AND && i < e->n; i++) {
		if (e->v[i]->op == TQL_OR)
			return e->v[i];
	}
	return NULL;
}

/* What holds beside ONE of the conditions of E. */
static int others(struct span__traceql *q, const struct tql_expr *e,
		  const struct tql_expr *one, struct tql_hints *out,
		  struct span_arena *arena, struct span_error *err)
{
	int rc = 0;

	*out = (struct tql_hints){.exact = true};
	for (size_t i = 0; e != one && i < e->n && !rc; i++) {
		struct tql_hints h;

		if (e->v[i] == one)
			continue;
		rc = span__tql_expr_hints(q, e->v[i], &h, arena, err);
		span__tql_both_hints(out, &h);
	}
	return rc;
}

/* The condition of an expression that is one "{ }"; or NULL. */
static const struct tql_expr *only_filter(const struct tql_set *set)
{
	while (set->op == TQL_PIPELINE && set->n_stages == 1 &&
	       set->stages[0].kind == TQL_STAGE_SET)
		set = set->stages[0].set;
	return set->op == TQL_FILTER ? set->filter : NULL;
}

int span__traceql_parts(struct span__traceql *q, const struct tql_expr **out_or,
			struct tql_hints **out, size_t *n,
			struct span_arena *arena, struct span_error *err)
{
	const struct tql_expr *e = only_filter(q->root), *either = NULL;
	struct tql_hints base;
	int rc;

	*n = 0;
	if (!q->whole && e)
		either = find_or(e);
	if (!either || either->n > TQL_MAX_HINTS)
		return 0;
	*out = span_arena_array(arena, either->n, sizeof(**out));
	if (!*out)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	rc = others(q, e, either, &base, arena, err);
	for (size_t i = 0; i < either->n && !rc; i++) {
		struct tql_hints *h = &(*out)[i];

		rc = span__tql_expr_hints(q, either->v[i], h, arena, err);
		if (!rc && !is_narrow(h))
			return 0;
		span__tql_both_hints(h, &base);
	}
	if (!rc) {
		*out_or = either;
		*n = either->n;
	}
	return rc;
}

int span__traceql_any(struct span__traceql *q, const struct tql_expr *either,
		      size_t from, size_t to, const struct span *s,
		      struct span_error *err)
{
	const struct tql_context c = {
		.span = s, .scratch = &q->scratch, .err = err};
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++)
		rc = span__tql_bool(&c, either->v[i]);
	return rc;
}
