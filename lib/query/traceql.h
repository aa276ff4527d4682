/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traceql.h - TraceQL expressions: what traceql(7) describes, compiled
 *
 * An expression is a tree of two kinds of nodes: those of a struct tql_set
 * choose spans of a trace, those of a struct tql_expr compute something of
 * one span. All of it lives in the arena of the query.
 */
#ifndef SPAN_QUERY_TRACEQL_H
#define SPAN_QUERY_TRACEQL_H

#include <span/query.h>

#include "base/hash.h"
#include "query/match.h"
#include "store/store_shapes.h"

#define TQL_MAX_TEXT 65536u /* bytes of an expression */
#define TQL_MAX_DEPTH 128u  /* nesting, and operators that alternate */
#define TQL_MAX_REGEXES 256u
#define TQL_MAX_AGGREGATES 64u

/* What an operand can be for all that is known before it is evaluated. */
enum tql_type {
	TQL_NIL = 0,
	TQL_BOOL,
	TQL_INT, /* durations too, in ns */
	TQL_FLOAT,
	TQL_STRING,
	TQL_STATUS, /* i is an enum span_status */
	TQL_KIND,   /* i is an enum span_kind */
	/* These are no types of values. */
	TQL_DURATION,
	TQL_ATTRIBUTE, /* any of them */
	TQL_PARENT,    /* can only be asked for */
};

struct tql_value {
	enum tql_type type;
	union {
		bool b;
		int64_t i;
		double d;
		struct span_str str;
	};
};

enum tql_scope {
	TQL_UNSCOPED = 0, /* of the span, else of the resource */
	TQL_SPAN,
	TQL_RESOURCE,
	TQL_EVENT,
	TQL_LINK,
	TQL_INSTRUMENTATION,
};

enum tql_field_id {
	TQL_F_ATTRIBUTE = 0,
	TQL_F_SERVICE,
	TQL_F_NAME,
	TQL_F_STATUS,
	TQL_F_STATUS_MESSAGE,
	TQL_F_DURATION,
	TQL_F_KIND,
	TQL_F_SPAN_ID,
	TQL_F_PARENT_ID,
	TQL_F_TRACE_ID,
	TQL_F_EVENT_NAME,
	TQL_F_EVENT_TIME,
	TQL_F_LINK_TRACE_ID,
	TQL_F_LINK_SPAN_ID,
	TQL_F_SCOPE_NAME,
	TQL_F_SCOPE_VERSION,
	/* From here on the whole trace has to be known. */
	TQL_F_PARENT,
	TQL_F_CHILD_COUNT,
	TQL_F_NESTED_LEFT,
	TQL_F_NESTED_RIGHT,
	TQL_F_NESTED_PARENT,
	TQL_F_TRACE_DURATION,
	TQL_F_ROOT_NAME,
	TQL_F_ROOT_SERVICE,
};

struct tql_field {
	enum tql_field_id id;
	enum tql_scope scope; /* of an attribute */
	bool parent;	      /* of the span's parent */
	struct span_str key;  /* of an attribute */
};

enum tql_op {
	TQL_LITERAL = 0,
	TQL_FIELD,
	TQL_NEGATE,
	TQL_NOT,
	TQL_ADD,
	TQL_SUB,
	TQL_MUL,
	TQL_DIV,
	TQL_MOD,
	TQL_POW,
	TQL_EQ,
	TQL_NE,
	TQL_LT,
	TQL_LE,
	TQL_GT,
	TQL_GE,
	TQL_RE,
	TQL_NRE,
	TQL_EXISTS, /* != nil */
	TQL_ABSENT, /* = nil */
	TQL_AND,
	TQL_OR,
	/* Scalars only. */
	TQL_COUNT,
	TQL_AVG,
	TQL_MIN,
	TQL_MAX,
	TQL_SUM,
};

struct tql_expr {
	enum tql_op op;
	enum tql_type type;
	unsigned depth;
	bool whole; /* the trace has to be known */
	bool span;  /* it depends on the span at all */
	bool group; /* was in parentheses */
	size_t pos;
	struct tql_value value;
	struct tql_field field;
	struct span__regex *regex;
	struct tql_expr **v; /* operands: one, two, or N of && and || */
	size_t n;
};

/* A number of a set of spans. */
struct tql_scalar {
	enum tql_op op;
	unsigned depth;
	bool aggregate; /* it depends on the spans */
	size_t pos;
	struct tql_value value;
	struct tql_expr *of; /* what is averaged, summed ... */
	struct tql_scalar *a, *b;
	struct tql_value *results; /* of each group, while it is judged */
};

enum tql_set_op {
	TQL_FILTER = 0, /* { } */
	TQL_PIPELINE,
	TQL_BOTH,   /* && */
	TQL_EITHER, /* || */
	TQL_CHILD,
	TQL_DESCENDANT,
	TQL_PARENT_OF,
	TQL_ANCESTOR,
	TQL_SIBLING,
};

enum tql_stage_kind {
	TQL_STAGE_SET = 0,
	TQL_STAGE_SCALAR,
	TQL_STAGE_BY,
	TQL_STAGE_SELECT,
	TQL_STAGE_COALESCE,
};

struct tql_set {
	enum tql_set_op op;
	unsigned depth;
	bool negate;		 /* !> and so on */
	bool both;		 /* &> and so on: spans of both sides */
	bool group;		 /* was in parentheses */
	struct tql_expr *filter; /* NULL: every span */
	struct tql_set **v;	 /* operands */
	size_t n;
	struct tql_stage *stages;
	size_t n_stages;
	size_t number; /* of a filter, where shapes are judged */
};

struct tql_stage {
	enum tql_stage_kind kind;
	struct tql_set *set;
	enum tql_op op; /* the comparison of scalars */
	struct tql_scalar *a, *b;
	/* Bit N: it holds for N spans, where shapes are judged. */
	uint64_t counts;
	struct tql_expr *by;
};

/* Working memory of an evaluation. */
struct tql_scratch {
	struct span_buf text[2];
	char ids[2][SPAN_TRACE_ID_TEXT];
	struct span_buf number;
	struct span_buf keys;	 /* of by() */
	struct span_arena arena; /* of the trace that is judged */
	struct span__key secret; /* of by() */
	const struct span_trace *numbered;
	uint32_t *left, *right; /* the nested set numbers of its spans */
};

struct span__traceql {
	struct tql_set *root;
	const struct span_metrics *metrics; /* at its end, or NULL */
	const char *metrics_name;
	size_t metrics_pos;
	/* Of a trace that is a result some span can be chosen by this one. */
	const struct tql_set *need;
	bool whole; /* a span alone does not tell */
	bool groups;
	struct span__regex *regexes[TQL_MAX_REGEXES];
	size_t n_regexes, n_aggregates;
	struct tql_scratch scratch;
};

/* What the evaluation is about: TRACE is NULL for a span alone. */
struct tql_context {
	const struct span *span;
	const struct span_trace *trace;
	uint32_t at; /* the span's index in it */
	struct tql_scratch *scratch;
	struct span_error *err;
};

/* Neither yes nor no can be said without the whole trace. */
#define TQL_UNKNOWN 2

/* ---- Compiling ---- */

/*
 * 0; SPAN_E_INVALID with the column (from 0) in err->pos; SPAN_E_NOMEM. TEXT
 * is not needed afterwards.
 */
SPAN_NODISCARD int span__traceql_compile(struct span__traceql **out,
					 struct span_str text,
					 struct span_arena *arena,
					 struct span_error *err);
void span__traceql_close(struct span__traceql **q);

/* ---- Asking ---- */

/*
 * Could the expression choose S? 1, 0, TQL_UNKNOWN, or a negative code. Unless
 * WHOLE is set that is all: never TQL_UNKNOWN.
 */
SPAN_NODISCARD int span__traceql_match(struct span__traceql *q,
				       const struct span *s,
				       struct span_error *err);
/*
 * Judge a whole trace: 1 when the expression chooses spans of it, which get a
 * 1 in MATCHED, all others a 0; 0; or a negative code.
 */
SPAN_NODISCARD int span__traceql_judge(struct span__traceql *q,
				       const struct span_trace *t,
				       uint8_t *matched,
				       struct span_error *err);

/*
 * Conditions that hold for every span that the expression can choose, in a
 * form that a store looks for.
 */
#define TQL_MAX_HINTS 16u
#define TQL_MAX_NAMES 64u

struct tql_names {
	struct span_str v[TQL_MAX_NAMES];
	size_t n;
	bool set;
	/* Besides: what is asked of the name alone. */
	const struct tql_expr *conds[TQL_MAX_HINTS];
	size_t n_conds;
};

/* What a condition asks of an attribute; the test's argument is itself. */
struct tql_attr_hint {
	struct span_attr_test test;
	const struct tql_expr *e;
	enum tql_scope scope;
	struct tql_scratch *scratch;
};

struct tql_hints {
	struct tql_names services, operations;
	uint64_t min_ns, max_ns; /* 0: not set */
	bool error;
	struct span_tag_eq tags[TQL_MAX_HINTS];
	size_t n_tags;
	struct tql_attr_hint attrs[TQL_MAX_HINTS];
	size_t n_attrs;
	bool exact; /* spans that meet all of it are chosen */
};

/* Texts are copied to ARENA. 0 or SPAN_E_NOMEM. */
SPAN_NODISCARD int span__traceql_hints(struct span__traceql *q,
				       struct tql_hints *out,
				       struct span_arena *arena,
				       struct span_error *err);

/* The same of one part. */
SPAN_NODISCARD int span__tql_set_hints(struct span__traceql *q,
				       const struct tql_set *set,
				       struct tql_hints *out,
				       struct span_arena *arena,
				       struct span_error *err);

/*
 * Choose the part of an expression that finds the fewest candidates, and give
 * its hints: a trace is a result only if it has such a span, which need not be
 * one of those that match.
 */
SPAN_NODISCARD int span__traceql_need(struct span__traceql *q,
				      struct tql_hints *out,
				      struct span_arena *arena,
				      struct span_error *err);
/* Is S such a span? As span__traceql_match(). */
SPAN_NODISCARD int span__traceql_needs(struct span__traceql *q,
				       const struct span *s,
				       struct span_error *err);

/* The same of one condition; and make A what holds for spans of both. */
SPAN_NODISCARD int span__tql_expr_hints(struct span__traceql *q,
					const struct tql_expr *e,
					struct tql_hints *out,
					struct span_arena *arena,
					struct span_error *err);
void span__tql_both_hints(struct tql_hints *a, const struct tql_hints *b);
/*
 * Of an expression with "||": N sets of hints, at least one of which holds for
 * each span that it can choose, one for each operand of *EITHER; 0: there are
 * none. 0 or a negative code.
 */
SPAN_NODISCARD int span__traceql_parts(struct span__traceql *q,
				       const struct tql_expr **either,
				       struct tql_hints **out, size_t *n,
				       struct span_arena *arena,
				       struct span_error *err);

/* Does one of the operands FROM to TO - 1 of EITHER hold for S? 1, 0, < 0. */
SPAN_NODISCARD int span__traceql_any(struct span__traceql *q,
				     const struct tql_expr *either, size_t from,
				     size_t to, const struct span *s,
				     struct span_error *err);

/*
 * E, which compares the attribute FIELD with LITERAL by OP, or (LITERAL is
 * NULL) asks of it alone: false when a store cannot be asked for it.
 */
bool span__tql_attr_hint(const struct tql_expr *e,
			 const struct tql_field *field, enum tql_op op,
			 const struct tql_value *literal,
			 struct tql_scratch *scratch,
			 struct tql_attr_hint *out);

/* Do all of N->conds hold for a service or an operation of that name? */
SPAN_NODISCARD int span__traceql_name_fits(struct span__traceql *q,
					   const struct tql_names *n,
					   struct span_str name, bool service,
					   struct span_error *err);

/* ---- traceql_shape.c: what the shape of a trace tells ---- */

#define TQL_MAX_FILTERS 64u
#define TQL_MAX_KEYS 64u

struct span__tql_shapes;

/* 1; 0 when the expression asks for more than shapes tell; SPAN_E_NOMEM. */
SPAN_NODISCARD int span__traceql_shapes_open(struct span__tql_shapes **out,
					     struct span__traceql *q,
					     struct span_error *err);
void span__traceql_shapes_close(struct span__tql_shapes **s);
/* Keys that no resource may have. */
const struct span_str *
span__traceql_shapes_keys(const struct span__tql_shapes *s, size_t *n);
/* The keys of attributes that matter. */
const struct span_str *
span__traceql_shapes_attrs(const struct span__tql_shapes *s, size_t *n);
/* What is chosen of all spans that are as WHAT: see store_shapes.h. */
SPAN_NODISCARD int span__traceql_shapes_type(struct span__tql_shapes *s,
					     const struct span *what,
					     uint64_t *chosen,
					     struct span_error *err);
/* The same of a span that is there. */
SPAN_NODISCARD int span__traceql_shapes_span(struct span__tql_shapes *s,
					     const struct span *sp,
					     uint64_t *chosen,
					     struct span_error *err);
/* Each result has a span of which this bit is chosen; 0: that is not known. */
uint64_t span__traceql_shapes_need(const struct span__tql_shapes *s);
/* Of each of these bits it has a span. */
uint64_t span__traceql_shapes_all(const struct span__tql_shapes *s);
/* How many spans of a shape of N are chosen. 0 or a negative code. */
SPAN_NODISCARD int span__traceql_shapes_judge(struct span__tql_shapes *s,
					      const struct span__shape_node *v,
					      size_t n, uint32_t *matched,
					      struct span_error *err);
/*
 * The same of few spans, if there are at most SPAN__SHAPE_BITS filters, which
 * the second one tells.
 */
uint32_t span__traceql_shapes_few(const struct span__tql_shapes *s,
				  const struct span__shape_few *v);
bool span__traceql_shapes_has_few(const struct span__tql_shapes *s);

/* How many of few spans SET chooses, which has N_FILTERS. */
uint32_t span__tql_few(const struct tql_set *set, size_t n_filters,
		       const struct span__shape_few *v);

/* The shape that is judged in the place of a trace. */
struct tql_shape {
	const struct span__tql_shapes *of;
	const struct span__shape_node *v;
	size_t n;
};

bool span__tql_shape_chooses(const struct tql_shape *shape,
			     const struct tql_set *filter, size_t i);
/* As span__traceql_judge(); T has no spans. */
SPAN_NODISCARD int span__traceql_judge_shape(struct span__traceql *q,
					     const struct span_trace *t,
					     const struct tql_shape *shape,
					     uint8_t *matched,
					     struct span_error *err);

/* ---- traceql_lex.c ---- */

enum tql_token_kind {
	TQL_T_END = 0,
	TQL_T_OPEN_BRACE,
	TQL_T_CLOSE_BRACE,
	TQL_T_OPEN,
	TQL_T_CLOSE,
	TQL_T_COMMA,
	TQL_T_PIPE,
	TQL_T_AND,
	TQL_T_OR,
	TQL_T_NOT,
	TQL_T_EQ,
	TQL_T_NE,
	TQL_T_RE,
	TQL_T_NRE, /* also: no sibling */
	TQL_T_LT,
	TQL_T_LE,
	TQL_T_GT,
	TQL_T_GE,
	TQL_T_ADD,
	TQL_T_SUB,
	TQL_T_MUL,
	TQL_T_DIV,
	TQL_T_MOD,
	TQL_T_POW,
	TQL_T_DESCENDANT,
	TQL_T_ANCESTOR,
	TQL_T_SIBLING,
	TQL_T_NOT_CHILD,
	TQL_T_NOT_PARENT,
	TQL_T_NOT_DESCENDANT,
	TQL_T_NOT_ANCESTOR,
	TQL_T_BOTH_CHILD,
	TQL_T_BOTH_PARENT,
	TQL_T_BOTH_DESCENDANT,
	TQL_T_BOTH_ANCESTOR,
	TQL_T_BOTH_SIBLING,
	TQL_T_LITERAL,
	TQL_T_FIELD,
	TQL_T_WORD,
};

struct tql_token {
	enum tql_token_kind kind;
	enum tql_type type; /* of a literal or a field */
	size_t pos, len;
	union {
		struct tql_value value;
		struct tql_field field;
	};
};

struct tql_parser {
	struct span_str text;
	struct span_arena *arena;
	struct span_error *err;
	struct span__traceql *q;
	struct span_buf tokens;
	const struct tql_token *at;
	char *room; /* for what names and texts stand for */
	unsigned depth;
};

/* All tokens of p->text, the last one is TQL_T_END. */
SPAN_NODISCARD int span__tql_lex(struct tql_parser *p);

/* SPAN_E_INVALID with a sentence that begins with the column. */
int span__tql_fail(const struct tql_parser *p, size_t pos, const char *fmt, ...)
	SPAN_PRINTF(3, 4);
/* "WHAT was expected, not ..." with the token at hand. */
int span__tql_expected(const struct tql_parser *p, const char *what);
int span__tql_nomem(const struct tql_parser *p);

static inline bool tql_is_word(const struct tql_parser *p,
			       const struct tql_token *t, const char *word)
{
	return t->kind == TQL_T_WORD &&
	       span_str_equal((struct span_str){p->text.p + t->pos, t->len},
			      span_str(word));
}

/* A name that is a field by itself: "duration", "span:id". */
bool span__tql_intrinsic(struct span_str name, struct tql_field *field,
			 enum tql_type *type);

/* ---- traceql_field.c, traceql_check.c ---- */

/* The expression on one span that begins here. */
SPAN_NODISCARD int span__tql_parse_field(struct tql_parser *p,
					 struct tql_expr **out);
/* That it can be a condition. */
SPAN_NODISCARD int span__tql_check_bool(const struct tql_parser *p,
					const struct tql_expr *e);
bool span__tql_is_number(enum tql_type type);
const char *span__tql_type_name(enum tql_type type);
SPAN_NODISCARD int span__tql_unary(struct tql_parser *p, enum tql_op op,
				   size_t pos, struct tql_expr *a,
				   struct tql_expr **out);
SPAN_NODISCARD int span__tql_binary(struct tql_parser *p, enum tql_op op,
				    size_t pos, struct tql_expr *a,
				    struct tql_expr *b, struct tql_expr **out);
struct tql_expr *span__tql_new(struct tql_parser *p, enum tql_op op, size_t pos,
			       enum tql_type type);
/* Nesting: 0, or an error at the token at hand. */
SPAN_NODISCARD int span__tql_enter(struct tql_parser *p);

/* ---- traceql_pipeline.c, traceql_scalar.c ---- */

SPAN_NODISCARD int span__tql_parse_pipeline(struct tql_parser *p,
					    struct tql_set **out);
SPAN_NODISCARD int span__tql_parse_scalar(struct tql_parser *p,
					  struct tql_scalar **out);
/* Which of count, avg, min, max, sum the token is, or TQL_LITERAL. */
enum tql_op span__tql_aggregate(const struct tql_parser *p,
				const struct tql_token *t);

/* ---- traceql_metrics.c ---- */

/* Is the word at hand a metrics function? Then parse it, and by() behind it. */
bool span__tql_is_metrics(const struct tql_parser *p);
SPAN_NODISCARD int span__tql_parse_metrics(struct tql_parser *p);

/* ---- traceql_values.c ---- */

/* 0 to go on, 1 to stop, or a negative code. */
typedef int span__tql_value_fn(void *arg, const struct tql_value *v);

/*
 * Call FN with each value of the field; texts are in working memory SLOT (0
 * or 1). 0, 1 when FN stopped, TQL_UNKNOWN, or a negative code.
 */
SPAN_NODISCARD int span__tql_each(const struct tql_context *c,
				  const struct tql_field *f, unsigned slot,
				  span__tql_value_fn *fn, void *arg);

/* ---- traceql_compare.c ---- */

enum tql_order {
	TQL_LESS = -1,
	TQL_EQUAL = 0,
	TQL_GREATER = 1,
	TQL_DIFFERENT = 2, /* and in no order */
};
enum tql_order span__tql_compare(const struct tql_value *a,
				 const struct tql_value *b,
				 struct span_buf *number);
bool span__tql_holds(enum tql_op op, enum tql_order order);
/* The number of V, of a text that is written like one too; else nil. */
struct tql_value span__tql_number(const struct tql_value *v,
				  struct span_buf *number);
/* A OP B; nil when one of them is no number. */
struct tql_value span__tql_compute(enum tql_op op, struct tql_value a,
				   struct tql_value b);
bool span__tql_is_true(const struct tql_value *v);

/* ---- traceql_eval.c ---- */

/* 1, 0, TQL_UNKNOWN, or a negative code. */
SPAN_NODISCARD int span__tql_bool(const struct tql_context *c,
				  const struct tql_expr *e);
/* 0 with *OUT, TQL_UNKNOWN, or a negative code. */
SPAN_NODISCARD int span__tql_value(const struct tql_context *c,
				   const struct tql_expr *e, unsigned slot,
				   struct tql_value *out);

/* ---- traceql_set.c and what it uses ---- */

/*
 * The spans of a trace that are chosen, by their group: 0 is not chosen.
 * Without by() there is one group, 1.
 */
struct tql_run {
	struct span__traceql *q;
	const struct span_trace *t;
	const struct tql_shape *shape; /* or NULL */
	struct tql_context c;
};
/* An array of a number for each span and one more, all 0; NULL: no memory. */
uint32_t *span__tql_array(struct tql_run *r);
SPAN_NODISCARD int span__tql_nomem_run(const struct tql_run *r);

/*
 * HIT[i] becomes 1 for each span i of TO that has what OP asks for among the
 * spans of FROM of the same group.
 */
SPAN_NODISCARD int span__tql_relate(struct tql_run *r, enum tql_set_op op,
				    const uint32_t *from, const uint32_t *to,
				    uint8_t *hit);
/* The other way round: who has a child is a parent. */
enum tql_set_op span__tql_inverse(enum tql_set_op op);
/* Keep the groups for which the comparison of a stage holds. */
SPAN_NODISCARD int span__tql_filter_groups(struct tql_run *r,
					   const struct tql_stage *stage,
					   uint32_t *groups);
/* Split the groups by the values of an expression. */
SPAN_NODISCARD int span__tql_split_groups(struct tql_run *r,
					  const struct tql_expr *by,
					  uint32_t *groups);
/* For which counts of spans STAGE holds, which compares nothing else: bit N. */
uint64_t span__tql_counts(const struct tql_stage *stage,
			  struct span_buf *number);

#endif
