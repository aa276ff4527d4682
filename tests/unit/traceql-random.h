/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceql-random.h - random expressions as trees: written, and evaluated by
 * traceql-model.h
 */
#ifndef TRACEQL_RANDOM_H
#define TRACEQL_RANDOM_H

#include "traceql-model.h"

#define TR_PICK(r, list) (list)[rnd_below(r, sizeof(list) / sizeof(*(list)))]

enum tr_kind {
	TR_COMPARE, /* field OP literal */
	TR_FIELDS,  /* field OP field */
	TR_SUM,	    /* field ARITHMETIC number OP number */
	TR_REGEX,
	TR_NIL,
	TR_ALONE,
	TR_NOT,
	TR_AND,
	TR_OR,
	/* Sets. */
	TR_FILTER,
	TR_BOTH,
	TR_EITHER,
	TR_RELATION,
	TR_PIPE, /* a, then the stage b */
	TR_SCALAR,
	TR_BY,
	TR_COALESCE,
};

struct tr_node {
	enum tr_kind kind;
	size_t field, other;
	const char *op, *sum, *pattern, *aggregate;
	struct tm_value literal;
	char text[88]; /* of the literal */
	struct tr_node *a, *b;
};

static inline struct tr_node *tr_new(struct rnd *r, enum tr_kind kind)
{
	struct tr_node *n = rnd_alloc(r, sizeof(*n));

	*n = (struct tr_node){.kind = kind};
	return n;
}

/* ---- Making ---- */

static const char *const tr_ops[] = {"=", "!=", "<", "<=", ">", ">="};
static const char *const tr_words[] = {
	"ann",	 "bob",	 "500",	   "true",   "error",	"shop", "payment",
	"GET /", "work", "SELECT", "server", "0500",	"72.5", "",
	"retry", "lib",	 "72.50",  "[500]",  "timeout", "ok",
};
static const char *const tr_patterns[] = {
	".*a.*", "5..", "GET.*|work", "ann|bob", "[a-z]+", ".*", "s.*", "",
};

static inline void tr_literal(struct rnd *r, struct tr_node *n, size_t type)
{
	static const struct {
		const char *text;
		int64_t ns;
	} durations[] = {{"10ms", 10000000},
			 {"1.5s", 1500000000},
			 {"50000us", 50000000},
			 {"0s", 0}};
	static const char *const numbers[] = {"500", "0", "1", "-1",	   "2",
					      "-7",  "3", "5", "100000000"};
	size_t i;

	switch (type) {
	case 0:
		n->literal.type = TM_TEXT;
		snprintf(n->literal.text, sizeof(n->literal.text), "%s",
			 TR_PICK(r, tr_words));
		snprintf(n->text, sizeof(n->text), "\"%s\"", n->literal.text);
		break;
	case 1:
		n->literal.type = TM_INT;
		snprintf(n->text, sizeof(n->text), "%s", TR_PICK(r, numbers));
		n->literal.i = strtoll(n->text, NULL, 10);
		break;
	case 2:
		n->literal.type = TM_DOUBLE;
		n->literal.d = rnd_below(r, 2) ? 72.5 : 500;
		snprintf(n->text, sizeof(n->text), "%.1f", n->literal.d);
		break;
	case 3:
		i = rnd_below(r, 4);
		n->literal.type = TM_INT;
		n->literal.i = durations[i].ns;
		snprintf(n->text, sizeof(n->text), "%s", durations[i].text);
		break;
	case 4:
	case 5:
	case 6:
		n->literal.type = (enum tm_type)(type - 4 + TM_BOOL);
		n->literal.i = (int64_t)rnd_below(r, type == 4 ? 2 : 3);
		snprintf(n->text, sizeof(n->text), "%s", tm_name(&n->literal));
		n->op = rnd_below(r, 2) ? "=" : "!=";
		break;
	default:
		break;
	}
}

/* What a field may be compared with: kinds of literals. */
static inline size_t tr_type_for(struct rnd *r, size_t field)
{
	static const char types[TM_FIRST_ATTR + 1] = "0050360000300130010";

	if (field >= TM_FIRST_ATTR)
		return rnd_below(r, 7);
	if (types[field] == '1' || types[field] == '3')
		return 1 + rnd_below(r, 3);
	return (size_t)(types[field] - '0');
}

static inline struct tr_node *tr_compare(struct rnd *r)
{
	struct tr_node *n = tr_new(r, TR_COMPARE);

	n->field = rnd_below(r, TM_N_FIELDS);
	if (n->field == 18)
		n->field = 7;
	n->op = rnd_below(r, 2) ? "=" : TR_PICK(r, tr_ops);
	if (n->field == 2 || n->field == 5) {
		n->op = "=";
		tr_literal(r, n, n->field == 2 ? 5 : 6);
	} else {
		tr_literal(r, n, tr_type_for(r, n->field));
	}
	return n;
}

static inline size_t tr_attr(struct rnd *r)
{
	return TM_FIRST_ATTR + rnd_below(r, TM_N_FIELDS - TM_FIRST_ATTR);
}

static inline struct tr_node *tr_simple(struct rnd *r)
{
	struct tr_node *n;

	switch (rnd_below(r, 10)) {
	case 0:
		n = tr_new(r, TR_FIELDS);
		n->field = tr_attr(r);
		n->other = rnd_below(r, 2) ? tr_attr(r) : rnd_below(r, 2) * 4;
		n->op = TR_PICK(r, tr_ops);
		return n;
	case 1:
		n = tr_new(r, TR_SUM);
		n->field = rnd_below(r, 2) ? 4 : tr_attr(r);
		n->sum = rnd_below(r, 2) ? "+" : "*";
		n->op = TR_PICK(r, tr_ops);
		tr_literal(r, n, 1);
		return n;
	case 2:
		n = tr_new(r, TR_REGEX);
		n->field = rnd_below(r, 2) ? rnd_below(r, 2) : tr_attr(r);
		n->op = rnd_below(r, 3) ? "=~" : "!~";
		n->pattern = TR_PICK(r, tr_patterns);
		return n;
	case 3:
		n = tr_new(r, TR_NIL);
		n->field = rnd_below(r, TM_N_FIELDS);
		n->op = rnd_below(r, 2) ? "=" : "!=";
		return n;
	case 4:
		n = tr_new(r, TR_ALONE);
		n->field = tr_attr(r);
		return n;
	default:
		return tr_compare(r);
	}
}

static inline struct tr_node *tr_condition(struct rnd *r, int depth)
{
	struct tr_node *n;

	if (!depth || rnd_below(r, 5) < 2)
		return tr_simple(r);
	n = tr_new(r, (enum tr_kind)(TR_NOT + rnd_below(r, 3)));
	n->a = tr_condition(r, depth - 1);
	if (n->kind != TR_NOT)
		n->b = tr_condition(r, depth - 1);
	return n;
}

static inline struct tr_node *tr_set(struct rnd *r, int depth)
{
	static const char *const relations[] = {
		">",   ">>", "<",  "<<",  "~",	"!>",  "!>>", "!<",
		"!<<", "!~", "&>", "&>>", "&<", "&<<", "&~",
	};
	static const char *const aggregates[] = {"count", "avg", "min", "max",
						 "sum"};
	struct tr_node *n, *stage;

	if (!depth || rnd_below(r, 4) == 0) {
		n = tr_new(r, TR_FILTER);
		n->a = rnd_below(r, 8) ? tr_condition(r, 2) : NULL;
		return n;
	}
	n = tr_new(r, (enum tr_kind)(TR_BOTH + rnd_below(r, 4)));
	n->a = tr_set(r, depth - 1);
	if (n->kind == TR_RELATION)
		n->op = TR_PICK(r, relations);
	if (n->kind != TR_PIPE) {
		n->b = tr_set(r, depth - 1);
		return n;
	}
	stage = tr_new(r, (enum tr_kind)(TR_SCALAR + rnd_below(r, 4)));
	n->b = stage;
	if (stage->kind > TR_COALESCE) {
		n->b = tr_set(r, depth - 1);
	} else if (stage->kind == TR_SCALAR) {
		stage->aggregate = TR_PICK(r, aggregates);
		stage->field = rnd_below(r, 2) ? 4 : tr_attr(r);
		stage->op = TR_PICK(r, tr_ops);
		tr_literal(r, stage, stage->aggregate[0] == 'c' ? 1 : 3);
	} else if (stage->kind == TR_BY) {
		static const size_t by[] = {0, 1, 2, 5, 7, 13, 18 + 1, 27};

		stage->field = TR_PICK(r, by);
	}
	return n;
}

/* ---- Writing ---- */

static inline void tr_write(struct span_buf *b, const struct tr_node *n)
{
	const char *field = tm_fields[n->field];

	switch (n->kind) {
	case TR_COMPARE:
		span_buf_printf(b, "%s %s %s", field, n->op, n->text);
		break;
	case TR_FIELDS:
		span_buf_printf(b, "%s %s %s", field, n->op,
				tm_fields[n->other]);
		break;
	case TR_SUM:
		span_buf_printf(b, "%s %s 2 %s %s", field, n->sum, n->op,
				n->text);
		break;
	case TR_REGEX:
		span_buf_printf(b, "%s %s `%s`", field, n->op, n->pattern);
		break;
	case TR_NIL:
		span_buf_printf(b, "%s %s nil", field, n->op);
		break;
	case TR_ALONE:
		span_buf_puts(b, field);
		break;
	case TR_NOT:
		span_buf_puts(b, "!(");
		tr_write(b, n->a);
		span_buf_puts(b, ")");
		break;
	case TR_AND:
	case TR_OR:
	case TR_BOTH:
	case TR_EITHER:
	case TR_RELATION:
		span_buf_puts(b, "(");
		tr_write(b, n->a);
		span_buf_puts(b, n->op ? ") "
				 : n->kind == TR_AND || n->kind == TR_BOTH
					 ? ") && "
					 : ") || ");
		if (n->op)
			span_buf_printf(b, "%s ", n->op);
		span_buf_puts(b, "(");
		tr_write(b, n->b);
		span_buf_puts(b, ")");
		break;
	case TR_FILTER:
		span_buf_puts(b, "{ ");
		if (n->a)
			tr_write(b, n->a);
		span_buf_puts(b, " }");
		break;
	case TR_PIPE:
		tr_write(b, n->a);
		span_buf_puts(b, n->b->kind == TR_PIPE ? " | (" : " | ");
		tr_write(b, n->b);
		span_buf_puts(b, n->b->kind == TR_PIPE ? ")" : "");
		break;
	case TR_SCALAR:
		span_buf_printf(b, "%s(%s) %s %s", n->aggregate,
				n->aggregate[0] == 'c' ? "" : field, n->op,
				n->text);
		break;
	case TR_BY:
		span_buf_printf(b, "by(%s)", field);
		break;
	case TR_COALESCE:
		span_buf_puts(b, "coalesce()");
		break;
	}
}

/* ---- Evaluating ---- */

static inline struct tm_value tr_first(const struct span_trace *t, size_t at,
				       size_t field)
{
	struct tm_list l;

	tm_field(&l, t, at, field);
	if (l.n)
		return l.v[0];
	return (struct tm_value){.type = TM_NIL};
}

static inline bool tr_negated(const struct tr_node *n)
{
	return n->op[0] == '!' && (n->op[1] == '=' || n->op[1] == '~');
}

static inline bool tr_pairs(const struct tr_node *n, const struct tm_list *a,
			    const struct tm_list *b)
{
	const char *op = tr_negated(n) ? "=" : n->op;
	bool any = false;

	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < b->n; j++)
			any |= tm_holds(op, tm_compare(&a->v[i], &b->v[j]));
	return tr_negated(n) ? a->n && b->n && !any : any;
}

static inline bool tr_sum(const struct tr_node *n, const struct span_trace *t,
			  size_t at)
{
	struct tm_value v = tr_first(t, at, n->field);
	struct tm_value sum = {.type = TM_DOUBLE};
	long double d;

	if (!v.type || !tm_as_number(&v, &d))
		return false;
	sum.d = (double)(n->sum[0] == '+' ? d + 2 : d * 2);
	return tm_holds(n->op, tm_compare(&sum, &n->literal));
}

static inline bool tr_holds(const struct tr_node *n, const struct span_trace *t,
			    size_t at)
{
	struct tm_list a, b = {.n = 1};
	bool any = false;

	switch (n->kind) {
	case TR_NOT:
		return !tr_holds(n->a, t, at);
	case TR_AND:
		return tr_holds(n->a, t, at) && tr_holds(n->b, t, at);
	case TR_OR:
		return tr_holds(n->a, t, at) || tr_holds(n->b, t, at);
	case TR_SUM:
		return tr_sum(n, t, at);
	default:
		break;
	}
	tm_field(&a, t, at, n->field);
	switch (n->kind) {
	case TR_COMPARE:
		b.v[0] = n->literal;
		return tr_pairs(n, &a, &b);
	case TR_FIELDS:
		tm_field(&b, t, at, n->other);
		return tr_pairs(n, &a, &b);
	case TR_REGEX:
		for (size_t i = 0; i < a.n; i++)
			any |= tm_matches(n->pattern, &a.v[i]);
		return n->op[0] == '!' ? a.n && !any : any;
	case TR_NIL:
		return (a.n > 0) == (n->op[0] == '!');
	default:
		for (size_t i = 0; i < a.n; i++)
			any |= (a.v[i].type == TM_BOOL && a.v[i].i) ||
			       (a.v[i].type == TM_TEXT &&
				!strcmp(a.v[i].text, "true"));
		return any;
	}
}

static inline bool tr_is_above(const struct span_trace *t, size_t above,
			       size_t at)
{
	while (t->nodes[at].parent != SPAN_TRACE_NONE) {
		at = t->nodes[at].parent;
		if (at == above)
			return true;
	}
	return false;
}

/* Is B what OP says of A? */
static inline bool tr_related(const struct span_trace *t, const char *op,
			      size_t a, size_t b)
{
	bool twice = op[1];

	switch (op[0]) {
	case '>':
		return twice ? tr_is_above(t, a, b) : t->nodes[b].parent == a;
	case '<':
		return twice ? tr_is_above(t, b, a) : t->nodes[a].parent == b;
	default:
		return a != b && t->nodes[a].parent == t->nodes[b].parent &&
		       t->nodes[a].parent != SPAN_TRACE_NONE;
	}
}

#define TR_BIT(i) (UINT64_C(1) << (i))

static inline uint64_t tr_relate(const struct span_trace *t, const char *op,
				 uint64_t from, uint64_t to)
{
	bool negate = op[0] == '!', both = op[0] == '&';
	uint64_t out = 0;

	op += negate || both;
	for (size_t b = 0; b < t->n; b++) {
		bool any = false;

		for (size_t a = 0; a < t->n; a++) {
			if (!(from & TR_BIT(a)) || !(to & TR_BIT(b)) ||
			    !tr_related(t, op, a, b))
				continue;
			any = true;
			if (both)
				out |= TR_BIT(a);
		}
		if ((to & TR_BIT(b)) && any != negate)
			out |= TR_BIT(b);
	}
	return out;
}

/* Groups of spans, as a list. */
struct tr_groups {
	uint64_t v[64];
	size_t n;
};

static inline uint64_t tr_choose(const struct tr_node *n,
				 const struct span_trace *t, uint64_t in);

static inline bool tr_scalar(const struct tr_node *n,
			     const struct span_trace *t, uint64_t group)
{
	struct tm_value out = {.type = TM_DOUBLE};
	size_t count = 0;
	double sum = 0, least = INFINITY, most = -INFINITY;

	for (size_t i = 0; i < t->n; i++) {
		struct tm_value v = {.type = TM_INT};
		long double d;

		if (!(group & TR_BIT(i)))
			continue;
		if (n->aggregate[0] != 'c')
			v = tr_first(t, i, n->field);
		if (!v.type || !tm_as_number(&v, &d))
			continue;
		count++;
		sum += (double)d;
		least = fmin(least, (double)d);
		most = fmax(most, (double)d);
	}
	if (n->aggregate[0] == 'c')
		out.d = (double)count;
	else if (!count)
		return false;
	else
		out.d = n->aggregate[0] == 'a'	 ? sum / (double)count
			: n->aggregate[0] == 's' ? sum
			: n->aggregate[1] == 'i' ? least
						 : most;
	return tm_holds(n->op, tm_compare(&out, &n->literal));
}

static inline void tr_split(const struct tr_node *n, const struct span_trace *t,
			    uint64_t group, struct tr_groups *out)
{
	for (size_t i = 0; i < t->n; i++) {
		struct tm_value v = tr_first(t, i, n->field);
		uint64_t same = 0;

		if (!(group & TR_BIT(i)))
			continue;
		for (size_t j = i; j < t->n; j++) {
			struct tm_value w = tr_first(t, j, n->field);

			if ((group & TR_BIT(j)) &&
			    ((!v.type && !w.type) ||
			     (v.type && w.type && !tm_compare(&v, &w))))
				same |= TR_BIT(j);
		}
		out->v[out->n++] = same;
		group &= ~same;
	}
}

static inline void tr_stage(const struct tr_node *n, const struct span_trace *t,
			    struct tr_groups *g)
{
	struct tr_groups out = {.n = 0};

	for (size_t i = 0; i < g->n; i++) {
		if (n->kind == TR_BY) {
			tr_split(n, t, g->v[i], &out);
		} else if (n->kind == TR_COALESCE) {
			out.n = 1;
			out.v[0] |= g->v[i];
		} else {
			out.v[out.n] =
				n->kind == TR_SCALAR
					? tr_scalar(n, t, g->v[i]) ? g->v[i] : 0
					: tr_choose(n, t, g->v[i]);
			out.n += out.v[out.n] != 0;
		}
	}
	*g = out;
}

/* The groups behind the stages of a pipeline: A of the first one. */
static inline void tr_pipe(const struct tr_node *n, const struct span_trace *t,
			   uint64_t in, struct tr_groups *g)
{
	if (n->kind == TR_PIPE) {
		tr_pipe(n->a, t, in, g);
		tr_stage(n->b, t, g);
		return;
	}
	g->v[0] = tr_choose(n, t, in);
	g->n = g->v[0] != 0;
}

static inline uint64_t tr_choose(const struct tr_node *n,
				 const struct span_trace *t, uint64_t in)
{
	struct tr_groups g = {.n = 0};
	uint64_t out = 0, a, b;

	if (n->kind == TR_FILTER) {
		for (size_t i = 0; i < t->n; i++)
			if ((in & TR_BIT(i)) && (!n->a || tr_holds(n->a, t, i)))
				out |= TR_BIT(i);
		return out;
	}
	if (n->kind == TR_PIPE) {
		tr_pipe(n, t, in, &g);
		for (size_t i = 0; i < g.n; i++)
			out |= g.v[i];
		return out;
	}
	a = tr_choose(n->a, t, in);
	b = tr_choose(n->b, t, in);
	if (n->kind == TR_RELATION)
		return tr_relate(t, n->op, a, b);
	return n->kind == TR_BOTH && !(a && b) ? 0 : a | b;
}

#endif
