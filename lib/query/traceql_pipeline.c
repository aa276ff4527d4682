/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipelines and the operators between sets of spans:
 *
 *	pipeline = stage { "|" stage }
 *	stage    = set | scalar comparison scalar | by(expression)
 *		   | select(field, ...) | coalesce()
 *	set      = "{" [ expression ] "}" | "(" pipeline ")" | set operator set
 *
 * && and || are the weakest operators, all others are equally strong, and all
 * are from the left.
 */
#include "query/traceql.h"

#include <string.h>

#include "base/banned.h"

static const struct relation {
	enum tql_token_kind token;
	enum tql_set_op op;
	bool negate, both;
} relations[] = {
	{TQL_T_AND, TQL_BOTH, false, false},
	{TQL_T_OR, TQL_EITHER, false, false},
	{TQL_T_GT, TQL_CHILD, false, false},
	{TQL_T_LT, TQL_PARENT_OF, false, false},
	{TQL_T_DESCENDANT, TQL_DESCENDANT, false, false},
	{TQL_T_ANCESTOR, TQL_ANCESTOR, false, false},
	{TQL_T_SIBLING, TQL_SIBLING, false, false},
	{TQL_T_NOT_CHILD, TQL_CHILD, true, false},
	{TQL_T_NOT_PARENT, TQL_PARENT_OF, true, false},
	{TQL_T_NOT_DESCENDANT, TQL_DESCENDANT, true, false},
	{TQL_T_NOT_ANCESTOR, TQL_ANCESTOR, true, false},
	{TQL_T_NRE, TQL_SIBLING, true, false},
	{TQL_T_BOTH_CHILD, TQL_CHILD, false, true},
	{TQL_T_BOTH_PARENT, TQL_PARENT_OF, false, true},
	{TQL_T_BOTH_DESCENDANT, TQL_DESCENDANT, false, true},
	{TQL_T_BOTH_ANCESTOR, TQL_ANCESTOR, false, true},
	{TQL_T_BOTH_SIBLING, TQL_SIBLING, false, true},
};

static const struct relation *find_relation(enum tql_token_kind token)
{
	for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++)
		if (relations[i].token == token)
			return &relations[i];
	return NULL;
}

static bool is_weak(const struct relation *r)
{
	return r->op == TQL_BOTH || r->op == TQL_EITHER;
}

static enum tql_op comparison(enum tql_token_kind token)
{
	switch (token) {
	case TQL_T_EQ:
		return TQL_EQ;
	case TQL_T_NE:
		return TQL_NE;
	case TQL_T_LT:
		return TQL_LT;
	case TQL_T_LE:
		return TQL_LE;
	case TQL_T_GT:
		return TQL_GT;
	case TQL_T_GE:
		return TQL_GE;
	default:
		return TQL_LITERAL;
	}
}

static int parse_set(struct tql_parser *p, bool weak, struct tql_set **out);

static int new_set(struct tql_parser *p, enum tql_set_op op,
		   struct tql_set **out)
{
	*out = span_arena_alloc(p->arena, sizeof(**out));
	if (!*out)
		return span__tql_nomem(p);
	**out = (struct tql_set){.op = op, .depth = 1};
	return 0;
}

static int parse_filter(struct tql_parser *p, struct tql_set **out)
{
	int rc = new_set(p, TQL_FILTER, out);

	if (rc < 0)
		return rc;
	p->at++;
	if (p->at->kind != TQL_T_CLOSE_BRACE) {
		rc = span__tql_parse_field(p, &(*out)->filter);
		if (!rc)
			rc = span__tql_check_bool(p, (*out)->filter);
		if (rc < 0)
			return rc;
	}
	if (p->at->kind != TQL_T_CLOSE_BRACE)
		return span__tql_expected(p, "an operator or '}'");
	p->at++;
	return 0;
}

static int parse_group(struct tql_parser *p, struct tql_set **out)
{
	int rc = span__tql_enter(p);

	if (rc < 0)
		return rc;
	p->at++;
	rc = span__tql_parse_pipeline(p, out);
	p->depth--;
	if (rc < 0)
		return rc;
	if (p->at->kind != TQL_T_CLOSE)
		return span__tql_expected(p, "an operator, '|' or ')'");
	p->at++;
	/* A pipeline of one set is that set. */
	if ((*out)->n_stages == 1 && (*out)->stages[0].kind == TQL_STAGE_SET)
		*out = (*out)->stages[0].set;
	(*out)->group = true;
	return 0;
}

static int parse_operand(struct tql_parser *p, struct tql_set **out)
{
	if (p->at->kind == TQL_T_OPEN_BRACE)
		return parse_filter(p, out);
	if (p->at->kind == TQL_T_OPEN)
		return parse_group(p, out);
	return span__tql_expected(p, "'{'");
}

static int add_operand(struct tql_parser *p, struct tql_set *set,
		       struct tql_set *operand, size_t pos)
{
	if (!(set->n & (set->n - 1))) {
		struct tql_set **v =
			span_arena_array(p->arena, set->n ? set->n * 2 : 1,
					 sizeof(struct tql_set *));

		if (!v)
			return span__tql_nomem(p);
		if (set->n)
			memcpy(v, set->v, set->n * sizeof(struct tql_set *));
		set->v = v;
	}
	set->v[set->n++] = operand;
	if (operand->depth >= set->depth)
		set->depth = operand->depth + 1;
	if (set->depth > TQL_MAX_DEPTH)
		return span__tql_fail(p, pos,
				      "the expression is nested too deeply");
	return 0;
}

static int combine(struct tql_parser *p, const struct relation *r, size_t pos,
		   struct tql_set *right, struct tql_set **set)
{
	struct tql_set *left = *set;
	int rc;

	if (is_weak(r) && left->op == r->op && !left->group)
		return add_operand(p, left, right, pos);
	rc = new_set(p, r->op, set);
	if (rc < 0)
		return rc;
	(*set)->negate = r->negate;
	(*set)->both = r->both;
	rc = add_operand(p, *set, left, pos);
	return rc < 0 ? rc : add_operand(p, *set, right, pos);
}

/* Operators that are at least as strong as the weak ones, or the others. */
static int parse_set(struct tql_parser *p, bool weak, struct tql_set **out)
{
	int rc = parse_operand(p, out);

	while (!rc) {
		const struct tql_token *t = p->at;
		const struct relation *r = find_relation(t->kind);
		struct tql_set *right;

		if (!r || (is_weak(r) && !weak))
			return 0;
		p->at++;
		rc = is_weak(r) ? parse_set(p, false, &right)
				: parse_operand(p, &right);
		if (!rc)
			rc = combine(p, r, t->pos, right, out);
	}
	return rc;
}

/* ---- Stages ---- */

/*
 * Is what begins with this parenthesis a number of the set? It is when there
 * are only numbers in it.
 */
static bool is_scalar_group(const struct tql_parser *p)
{
	const struct tql_token *t = p->at;
	size_t depth = 0;

	for (;; t++) {
		switch (t->kind) {
		case TQL_T_OPEN:
			depth++;
			break;
		case TQL_T_CLOSE:
			if (!--depth)
				return true;
			break;
		case TQL_T_END:
		case TQL_T_PIPE:
		case TQL_T_OPEN_BRACE:
			return false;
		default:
			if (comparison(t->kind) || tql_is_word(p, t, "by") ||
			    tql_is_word(p, t, "select") ||
			    tql_is_word(p, t, "coalesce"))
				return false;
		}
	}
}

static int parse_comparison(struct tql_parser *p, struct tql_stage *stage)
{
	const struct tql_token *t = p->at;
	int rc = span__tql_parse_scalar(p, &stage->a);

	stage->kind = TQL_STAGE_SCALAR;
	if (rc < 0)
		return rc;
	stage->op = comparison(p->at->kind);
	if (stage->op == TQL_LITERAL)
		return span__tql_expected(p, "a comparison");
	p->at++;
	rc = span__tql_parse_scalar(p, &stage->b);
	if (rc < 0)
		return rc;
	if (!stage->a->aggregate && !stage->b->aggregate)
		return span__tql_fail(p, t->pos,
				      "an aggregate such as count() was "
				      "expected in the comparison");
	return 0;
}

static int parse_by(struct tql_parser *p, struct tql_stage *stage)
{
	int rc = span__tql_parse_field(p, &stage->by);

	stage->kind = TQL_STAGE_BY;
	p->q->groups = true;
	if (rc < 0)
		return rc;
	if (stage->by->type == TQL_PARENT || !stage->by->span)
		return span__tql_fail(p, stage->by->pos,
				      "a field of the span to group by was "
				      "expected here");
	return 0;
}

static int parse_select(struct tql_parser *p, struct tql_stage *stage)
{
	stage->kind = TQL_STAGE_SELECT;
	for (;;) {
		if (p->at->kind != TQL_T_FIELD)
			return span__tql_expected(p, "a field");
		p->at++;
		if (p->at->kind != TQL_T_COMMA)
			return 0;
		p->at++;
	}
}

static int parse_coalesce(struct tql_parser *p, struct tql_stage *stage)
{
	(void)p;
	stage->kind = TQL_STAGE_COALESCE;
	return 0;
}

static const struct function {
	const char *name;
	int (*parse)(struct tql_parser *p, struct tql_stage *stage);
} functions[] = {
	{"by", parse_by},
	{"select", parse_select},
	{"coalesce", parse_coalesce},
};

static int parse_function(struct tql_parser *p, const struct function *f,
			  struct tql_stage *stage)
{
	int rc;

	p->at++;
	if (p->at->kind != TQL_T_OPEN)
		return span__tql_expected(p, "'('");
	p->at++;
	rc = f->parse(p, stage);
	if (rc < 0)
		return rc;
	if (p->at->kind != TQL_T_CLOSE)
		return span__tql_expected(p, "')'");
	p->at++;
	return 0;
}

/* Why a word cannot begin a stage. */
static int refuse_word(const struct tql_parser *p)
{
	static const char *const metrics[] = {"compare", "topk", "bottomk"};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		if (tql_is_word(p, p->at, metrics[i]))
			return span__tql_fail(
				p, p->at->pos,
				"%s() is a metrics function that is not "
				"supported",
				metrics[i]);
	if (span__tql_is_metrics(p))
		return span__tql_fail(p, p->at->pos,
				      "a metrics function comes last, behind "
				      "'|' and outside of parentheses");
	return span__tql_expected(p, "'{' or a function such as count()");
}

static int parse_stage(struct tql_parser *p, bool first,
		       struct tql_stage *stage)
{
	const struct tql_token *t = p->at;

	*stage = (struct tql_stage){0};
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (!tql_is_word(p, t, functions[i].name))
			continue;
		if (first && functions[i].parse == parse_coalesce)
			return span__tql_fail(p, t->pos,
					      "coalesce() cannot be first");
		return parse_function(p, &functions[i], stage);
	}
	if (span__tql_aggregate(p, t) || t->kind == TQL_T_LITERAL ||
	    t->kind == TQL_T_SUB ||
	    (t->kind == TQL_T_OPEN && is_scalar_group(p)))
		return parse_comparison(p, stage);
	if (t->kind == TQL_T_WORD)
		return refuse_word(p);
	stage->kind = TQL_STAGE_SET;
	return parse_set(p, true, &stage->set);
}

static int add_stage(struct tql_parser *p, struct tql_set *set,
		     const struct tql_stage *stage)
{
	size_t n = set->n_stages;

	if (!(n & (n - 1))) {
		struct tql_stage *v =
			span_arena_array(p->arena, n ? n * 2 : 1, sizeof(*v));

		if (!v)
			return span__tql_nomem(p);
		if (n)
			memcpy(v, set->stages, n * sizeof(*v));
		set->stages = v;
	}
	set->stages[set->n_stages++] = *stage;
	if (stage->set && stage->set->depth >= set->depth)
		set->depth = stage->set->depth + 1;
	return 0;
}

int span__tql_parse_pipeline(struct tql_parser *p, struct tql_set **out)
{
	int rc = new_set(p, TQL_PIPELINE, out);

	while (!rc) {
		struct tql_stage stage;

		if ((*out)->n_stages && !p->depth && span__tql_is_metrics(p))
			return span__tql_parse_metrics(p);
		rc = parse_stage(p, !(*out)->n_stages, &stage);
		if (!rc)
			rc = add_stage(p, *out, &stage);
		if (rc || p->at->kind != TQL_T_PIPE)
			return rc;
		p->at++;
	}
	return rc;
}
