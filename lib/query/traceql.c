/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TraceQL expression from its text, and what it says of a span alone.
 */
#include "query/traceql.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* A condition without braces, not a pipeline that begins with a function? */
static bool is_bare(const struct tql_parser *p)
{
	static const char *const functions[] = {"by", "select", "coalesce"};

	for (const struct tql_token *t = p->at; t->kind; t++) {
		if (t->kind == TQL_T_OPEN_BRACE)
			return false;
		if (t[1].kind != TQL_T_OPEN || t->kind != TQL_T_WORD)
			continue;
		if (span__tql_aggregate(p, t))
			return false;
		for (size_t i = 0; i < sizeof(functions) / sizeof(*functions);
		     i++)
			if (tql_is_word(p, t, functions[i]))
				return false;
	}
	return true;
}

/* The whole text as a condition: { TEXT } */
static int parse_bare(struct tql_parser *p, struct tql_set **out)
{
	struct tql_stage *stage = span_arena_alloc(p->arena, sizeof(*stage));
	struct tql_set *set = span_arena_alloc(p->arena, 2 * sizeof(*set));
	int rc;

	if (!stage || !set)
		return span__tql_nomem(p);
	set[0] = (struct tql_set){.op = TQL_FILTER, .depth = 1};
	set[1] = (struct tql_set){
		.op = TQL_PIPELINE, .depth = 2, .stages = stage, .n_stages = 1};
	*stage = (struct tql_stage){.kind = TQL_STAGE_SET, .set = set};
	rc = span__tql_parse_field(p, &set->filter);
	if (!rc)
		rc = span__tql_check_bool(p, set->filter);
	*out = set + 1;
	return rc;
}

static int check_end(const struct tql_parser *p, bool bare)
{
	if (p->at->kind == TQL_T_END)
		return 0;
	if (tql_is_word(p, p->at, "with"))
		return span__tql_fail(p, p->at->pos,
				      "hints such as with(most_recent=true) "
				      "are not supported");
	return span__tql_expected(p, bare ? "an operator or the end"
					  : "an operator, '|' or the end");
}

/* Can what it chooses be told from each span alone? */
static bool is_whole(const struct tql_set *set)
{
	if (set->op == TQL_FILTER)
		return set->filter && set->filter->whole;
	if (set->op != TQL_EITHER && set->op != TQL_PIPELINE)
		return true;
	for (size_t i = 0; i < set->n; i++)
		if (is_whole(set->v[i]))
			return true;
	for (size_t i = 0; i < set->n_stages; i++) {
		const struct tql_stage *stage = &set->stages[i];

		if (stage->kind == TQL_STAGE_SCALAR ||
		    (stage->kind == TQL_STAGE_SET && is_whole(stage->set)))
			return true;
	}
	return false;
}

static int parse(struct tql_parser *p)
{
	bool bare;
	int rc = span__tql_lex(p);

	if (rc < 0)
		return rc;
	if (p->at->kind == TQL_T_END)
		return span__tql_fail(p, 0, "the expression is empty");
	bare = is_bare(p);
	rc = bare ? parse_bare(p, &p->q->root)
		  : span__tql_parse_pipeline(p, &p->q->root);
	return rc < 0 ? rc : check_end(p, bare);
}

int span__traceql_compile(struct span__traceql **out, struct span_str text,
			  struct span_arena *arena, struct span_error *err)
{
	struct tql_parser p = {.text = text, .arena = arena, .err = err};
	int rc;

	*out = NULL;
	p.q = calloc(1, sizeof(*p.q));
	if (!p.q)
		return span__tql_nomem(&p);
	rc = text.len > TQL_MAX_TEXT
		     ? span__tql_fail(&p, TQL_MAX_TEXT,
				      "the expression is above %u bytes",
				      TQL_MAX_TEXT)
		     : parse(&p);
	span_buf_release(&p.tokens);
	if (!rc && p.q->groups)
		rc = span__key_init(&p.q->scratch.secret, err);
	if (rc < 0) {
		span__traceql_close(&p.q);
		return rc;
	}
	p.q->whole = is_whole(p.q->root);
	*out = p.q;
	return 0;
}

void span__traceql_close(struct span__traceql **q)
{
	struct tql_scratch *s;

	if (!*q)
		return;
	s = &(*q)->scratch;
	for (size_t i = 0; i < (*q)->n_regexes; i++)
		span__regex_close(&(*q)->regexes[i]);
	span_buf_release(&s->text[0]);
	span_buf_release(&s->text[1]);
	span_buf_release(&s->number);
	span_buf_release(&s->keys);
	span_arena_release(&s->arena);
	free(*q);
	*q = NULL;
}

static int match(const struct tql_context *c, const struct tql_set *set);

/* One of them: 1 before unknown before 0. */
static int match_any(const struct tql_context *c, const struct tql_set *set,
		     size_t from)
{
	int any = 0;

	for (size_t i = from; i < set->n; i++) {
		int rc = match(c, set->v[i]);

		if (rc < 0 || rc == 1)
			return rc;
		any |= rc;
	}
	return any;
}

static int match_pipeline(const struct tql_context *c,
			  const struct tql_set *set)
{
	int all = 1;

	for (size_t i = 0; i < set->n_stages; i++) {
		int rc = set->stages[i].kind == TQL_STAGE_SET
				 ? match(c, set->stages[i].set)
				 : 1;

		if (rc <= 0)
			return rc;
		if (rc == TQL_UNKNOWN)
			all = rc;
	}
	return all;
}

/* Can the span be among those that SET chooses? */
static int match(const struct tql_context *c, const struct tql_set *set)
{
	switch (set->op) {
	case TQL_FILTER:
		return set->filter ? span__tql_bool(c, set->filter) : 1;
	case TQL_PIPELINE:
		return match_pipeline(c, set);
	case TQL_BOTH:
	case TQL_EITHER:
		return match_any(c, set, 0);
	default:
		/* The right side, or both, and whether they are related. */
		return match_any(c, set, set->both ? 0 : 1);
	}
}

int span__traceql_match(struct span__traceql *q, const struct span *s,
			struct span_error *err)
{
	struct tql_context c = {.span = s, .scratch = &q->scratch, .err = err};
	int rc = match(&c, q->root);

	return rc == 1 && q->whole ? TQL_UNKNOWN : rc;
}

int span__traceql_needs(struct span__traceql *q, const struct span *s,
			struct span_error *err)
{
	struct tql_context c = {.span = s, .scratch = &q->scratch, .err = err};

	return match(&c, q->need);
}
