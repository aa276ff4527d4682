/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The function at the end of an expression that makes numbers of the spans it
 * chooses:
 *
 *	metrics = function "(" [ "duration" { "," number } ] ")"
 *		  [ "by" "(" field { "," field } ")" ]
 *
 * Who counts gets the fields as they were typed.
 */
#include "query/traceql.h"

#include "base/banned.h"

static const struct function {
	const char *name;
	enum span_metric what;
	bool duration; /* is what it is about */
} functions[] = {
	{"rate", SPAN_METRIC_RATE, false},
	{"count_over_time", SPAN_METRIC_COUNT, false},
	{"quantile_over_time", SPAN_METRIC_QUANTILE, true},
	{"histogram_over_time", SPAN_METRIC_HISTOGRAM, true},
	{"avg_over_time", SPAN_METRIC_AVG, true},
	{"min_over_time", SPAN_METRIC_MIN, true},
	{"max_over_time", SPAN_METRIC_MAX, true},
	{"sum_over_time", SPAN_METRIC_SUM, true},
};

static const struct function *find(const struct tql_parser *p)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (tql_is_word(p, p->at, functions[i].name))
			return &functions[i];
	return NULL;
}

bool span__tql_is_metrics(const struct tql_parser *p)
{
	return find(p);
}

static int take(struct tql_parser *p, enum tql_token_kind kind,
		const char *name)
{
	if (p->at->kind != kind)
		return span__tql_expected(p, name);
	p->at++;
	return 0;
}

/* ", 0.9" */
static int parse_quantile(struct tql_parser *p, struct span_metrics *m)
{
	const struct tql_token *t = ++p->at;
	double q = t->type == TQL_INT	  ? (double)t->value.i
		   : t->type == TQL_FLOAT ? t->value.d
					  : -1;

	if (t->kind != TQL_T_LITERAL || !(q >= 0 && q <= 1))
		return span__tql_expected(p, "a number from 0 to 1");
	if (m->n_quantiles == SPAN_METRICS_QUANTILES)
		return span__tql_fail(p, t->pos, "more than %u quantiles",
				      SPAN_METRICS_QUANTILES);
	m->quantiles[m->n_quantiles++] = q;
	p->at++;
	return 0;
}

static int parse_arguments(struct tql_parser *p, const struct function *f,
			   struct span_metrics *m)
{
	const struct tql_token *t = p->at;
	int rc = 0;

	if (!f->duration)
		return 0;
	if (t->kind != TQL_T_FIELD || t->field.id != TQL_F_DURATION ||
	    t->field.parent)
		return span__tql_expected(p, "duration");
	p->at++;
	while (!rc && f->what == SPAN_METRIC_QUANTILE &&
	       p->at->kind == TQL_T_COMMA)
		rc = parse_quantile(p, m);
	if (!rc && f->what == SPAN_METRIC_QUANTILE && !m->n_quantiles)
		return span__tql_expected(p, "',' and a number from 0 to 1");
	return rc;
}

static int parse_by(struct tql_parser *p, struct span_metrics *m)
{
	int rc;

	p->at++;
	rc = take(p, TQL_T_OPEN, "'('");
	while (!rc) {
		const struct tql_token *t = p->at;
		struct span_str text = {p->text.p + t->pos, t->len};

		if (t->kind != TQL_T_FIELD)
			return span__tql_expected(p, "a field");
		if (m->n_by == SPAN_METRICS_FIELDS)
			return span__tql_fail(p, t->pos, "more than %u fields",
					      SPAN_METRICS_FIELDS);
		if (!span_arena_str(p->arena, text, &m->by[m->n_by++]))
			return span__tql_nomem(p);
		p->at++;
		if (p->at->kind != TQL_T_COMMA)
			return take(p, TQL_T_CLOSE, "',' or ')'");
		p->at++;
	}
	return rc;
}

int span__tql_parse_metrics(struct tql_parser *p)
{
	const struct function *f = find(p);
	struct span_metrics *m = span_arena_alloc(p->arena, sizeof(*m));
	int rc;

	if (!m)
		return span__tql_nomem(p);
	*m = (struct span_metrics){.what = f->what};
	p->q->metrics = m;
	p->q->metrics_name = f->name;
	p->q->metrics_pos = p->at++->pos;
	rc = take(p, TQL_T_OPEN, "'('");
	if (!rc)
		rc = parse_arguments(p, f, m);
	if (!rc)
		rc = take(p, TQL_T_CLOSE, "')'");
	if (!rc && tql_is_word(p, p->at, "by"))
		rc = parse_by(p, m);
	return rc;
}
