/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging a shape of few spans: traceql_set.c with a bit for each span. Groups
 * know nothing of each other, so that each is judged alone, and what is left of
 * them put together.
 */
#include "query/traceql.h"

#include "base/le.h"

#include "base/banned.h"

#define NONE SPAN__SHAPE_FEW /* as a span: a bit that is never set */

struct few {
	const struct span__shape_few *v;
	uint64_t filters[SPAN__SHAPE_BITS]; /* the spans that each chooses */
};

/* Take the lowest bit of V, which is not 0. */
static unsigned take(uint64_t *v)
{
	unsigned i = (unsigned)__builtin_ctzll(*v);

	*v &= *v - 1;
	return i;
}

/* The spans of which bit BIT is chosen: of 8 bytes at a time. */
static uint64_t gather(const struct span__shape_few *v, size_t bit)
{
	uint64_t out = 0;

	for (uint32_t i = 0; i < v->n; i += 8) {
		uint64_t bits = span__get64(v->chosen + i) >> bit &
				UINT64_C(0x0101010101010101);

		out |= bits * UINT64_C(0x0102040810204080) >> 56 << i;
	}
	return out;
}

/* ---- Who is whose child ---- */

static uint64_t children(const struct few *f, uint64_t from, uint64_t to)
{
	uint64_t hit = 0;

	for (uint64_t left = to; left;) {
		unsigned i = take(&left);

		hit |= (from >> f->v->parent[i] & 1) << i;
	}
	return hit;
}

static uint64_t parents(const struct few *f, uint64_t from, uint64_t to)
{
	uint64_t hit = 0;

	while (from)
		hit |= UINT64_C(1) << f->v->parent[take(&from)];
	return hit & to;
}

/* Parents come before their children. */
static uint64_t descendants(const struct few *f, uint64_t from, uint64_t to)
{
	uint64_t below = 0;

	if (!from)
		return 0;
	for (unsigned i = (unsigned)__builtin_ctzll(from) + 1; i < f->v->n; i++)
		below |= ((from | below) >> f->v->parent[i] & 1) << i;
	return below & to;
}

static uint64_t ancestors(const struct few *f, uint64_t from, uint64_t to)
{
	uint64_t above = 0;

	for (unsigned i = f->v->n; i-- > 0;)
		above |= ((from | above) >> i & 1) << f->v->parent[i];
	return above & to;
}

static uint64_t siblings(const struct few *f, uint64_t from, uint64_t to)
{
	uint64_t kids[NONE + 1] = {0}, hit = 0;

	for (uint64_t left = from; left;) {
		unsigned i = take(&left);

		kids[f->v->parent[i]] |= UINT64_C(1) << i;
	}
	kids[NONE] = 0;
	for (uint64_t left = to; left;) {
		unsigned i = take(&left);
		uint64_t own = UINT64_C(1) << i;

		hit |= kids[f->v->parent[i]] & ~own ? own : 0;
	}
	return hit;
}

/* Those of TO that are that of one in FROM. */
static uint64_t relate(const struct few *f, enum tql_set_op op, uint64_t from,
		       uint64_t to)
{
	switch (op) {
	case TQL_CHILD:
		return children(f, from, to);
	case TQL_PARENT_OF:
		return parents(f, from, to);
	case TQL_DESCENDANT:
		return descendants(f, from, to);
	case TQL_ANCESTOR:
		return ancestors(f, from, to);
	default:
		return siblings(f, from, to);
	}
}

/* ---- Sets ---- */

static uint64_t choose(const struct few *f, const struct tql_set *set,
		       uint64_t in);

static uint64_t combine(const struct few *f, const struct tql_set *set,
			uint64_t in)
{
	uint64_t out = 0;

	for (size_t k = 0; k < set->n; k++) {
		uint64_t one = choose(f, set->v[k], in);

		if (set->op == TQL_BOTH && !one)
			return 0;
		out |= one;
	}
	return out;
}

static uint64_t structure(const struct few *f, const struct tql_set *set,
			  uint64_t in)
{
	uint64_t right = choose(f, set->v[1], in), left, out;

	if (!right)
		return 0;
	left = choose(f, set->v[0], in);
	out = relate(f, set->op, left, right);
	if (set->negate)
		out ^= right;
	if (set->both)
		out |= relate(f, span__tql_inverse(set->op), right, left);
	return out;
}

/* ---- Pipelines ---- */

/* None is empty, and no span is in two of them. */
struct groups {
	uint64_t v[SPAN__SHAPE_FEW];
	size_t n;
};

static void split_by_parent(const struct few *f, struct groups *g)
{
	struct groups out = {.n = 0};

	for (size_t i = 0; i < g->n; i++) {
		uint8_t group[NONE + 1]; /* of those in SEEN */
		uint64_t seen = 0;

		for (uint64_t left = g->v[i]; left;) {
			unsigned span = take(&left);
			unsigned parent = f->v->parent[span];

			if (!(seen >> parent & 1)) {
				group[parent] = (uint8_t)out.n;
				out.v[out.n++] = 0;
			}
			seen |= UINT64_C(1) << parent;
			out.v[group[parent]] |= UINT64_C(1) << span;
		}
	}
	g->n = out.n;
	for (size_t i = 0; i < out.n; i++)
		g->v[i] = out.v[i];
}

static void choose_groups(const struct few *f, const struct tql_set *set,
			  struct groups *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		uint64_t one = choose(f, set, g->v[i]);

		if (one)
			g->v[n++] = one;
	}
	g->n = n;
}

static void filter_groups(uint64_t counts, struct groups *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (counts >> __builtin_popcountll(g->v[i]) & 1)
			g->v[n++] = g->v[i];
	g->n = n;
}

static uint64_t all_of(const struct groups *g)
{
	uint64_t out = 0;

	for (size_t i = 0; i < g->n; i++)
		out |= g->v[i];
	return out;
}

static uint64_t pipeline(const struct few *f, const struct tql_set *set,
			 uint64_t in)
{
	struct groups g;

	g.v[0] = in;
	g.n = in != 0;
	for (size_t i = 0; i < set->n_stages && g.n; i++) {
		const struct tql_stage *stage = &set->stages[i];

		switch (stage->kind) {
		case TQL_STAGE_SET:
			choose_groups(f, stage->set, &g);
			break;
		case TQL_STAGE_SCALAR:
			filter_groups(stage->counts, &g);
			break;
		case TQL_STAGE_BY:
			split_by_parent(f, &g);
			break;
		case TQL_STAGE_COALESCE:
			g.v[0] = all_of(&g);
			g.n = 1;
			break;
		default:
			break;
		}
	}
	return all_of(&g);
}

/* The spans of the group IN that SET chooses. */
static uint64_t choose(const struct few *f, const struct tql_set *set,
		       uint64_t in)
{
	switch (set->op) {
	case TQL_FILTER:
		return in & f->filters[set->number];
	case TQL_PIPELINE:
		return pipeline(f, set, in);
	case TQL_BOTH:
	case TQL_EITHER:
		return combine(f, set, in);
	default:
		return structure(f, set, in);
	}
}

uint32_t span__tql_few(const struct tql_set *set, size_t n_filters,
		       const struct span__shape_few *v)
{
	struct few f = {.v = v};
	uint64_t out;

	for (size_t k = 0; k < n_filters; k++)
		f.filters[k] = gather(v, k);
	out = choose(&f, set, (UINT64_C(1) << v->n) - 1);
	return (uint32_t)__builtin_popcountll(out);
}
