/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A structured filter as TraceQL.
 *
 * TraceQL has what the filter has, so each call becomes an expression of its
 * own; boolean ones get parentheses, since && and || are equally strong. What
 * it has not is one event, or link, for which several conditions hold: "some"
 * is understood where it does not matter that it is one.
 */
#include "query/filter.h"

#include "base/banned.h"

#define N_ELEMENTS(v) (sizeof(v) / sizeof(*(v)))

static void put_expression(struct span__filter_writer *w,
			   const struct filter_node *node);

static bool equals(struct span_str s, const char *text)
{
	return span_str_equal(s, span_str(text));
}

static bool is_reference(const struct filter_node *node)
{
	return node->term == FILTER_ATTR || node->term == FILTER_FIELD;
}

static void put_operand(struct span__filter_writer *w,
			const struct filter_node *node, enum filter_holds what)
{
	if (is_reference(node))
		span__filter_reference(w, node);
	else if (node->term == FILTER_SCALAR)
		span__filter_constant(w, node->name, node->type, what);
	else
		span__filter_fail(w, SPAN_E_INVALID,
				  "a comparison is of references and "
				  "constants, not of",
				  node->name);
}

static bool has_args(struct span__filter_writer *w,
		     const struct filter_node *call, size_t n)
{
	if (call->n == n)
		return true;
	span__filter_fail(
		w, SPAN_E_INVALID,
		n == 1 ? "one argument is needed by the filter operator"
		       : "two arguments are needed by the filter operator",
		call->name);
	return false;
}

/* A reference and then something of TERM. */
static bool refers(struct span__filter_writer *w,
		   const struct filter_node *call, enum filter_term term)
{
	if (!has_args(w, call, 2))
		return false;
	if (is_reference(&call->args[0]) && call->args[1].term == term)
		return true;
	span__filter_fail(w, SPAN_E_INVALID,
			  term == FILTER_LIST
				  ? "a reference and a list are needed by the "
				    "filter operator"
				  : "a reference and a constant are needed by "
				    "the filter operator",
			  call->name);
	return false;
}

static const struct comparison {
	const char *op, *traceql;
	bool order; /* not of kinds and statuses */
	bool negative;
} comparisons[] = {
	{"eq", " = ", false, false},  {"ne", " != ", false, true},
	{"gt", " > ", true, false},   {"lt", " < ", true, false},
	{"gte", " >= ", true, false}, {"lte", " <= ", true, false},
};

static const struct comparison *find_comparison(struct span_str op)
{
	for (size_t i = 0; i < N_ELEMENTS(comparisons); i++)
		if (equals(op, comparisons[i].op))
			return &comparisons[i];
	return NULL;
}

static void put_comparison(struct span__filter_writer *w,
			   const struct filter_node *call,
			   const struct comparison *c)
{
	enum filter_holds a, b;

	if (!has_args(w, call, 2))
		return;
	a = span__filter_holds(&call->args[0]);
	b = span__filter_holds(&call->args[1]);
	if (c->order && (a == HOLDS_KIND || a == HOLDS_STATUS ||
			 b == HOLDS_KIND || b == HOLDS_STATUS))
		span__filter_fail(w, SPAN_E_INVALID,
				  "kinds and statuses have no order, as it is "
				  "asked for by",
				  call->name);
	put_operand(w, &call->args[0], b);
	span_buf_puts(w->out, c->traceql);
	put_operand(w, &call->args[1], a);
}

static void put_exists(struct span__filter_writer *w,
		       const struct filter_node *call)
{
	if (!has_args(w, call, 1))
		return;
	if (!is_reference(&call->args[0]))
		span__filter_fail(w, SPAN_E_INVALID,
				  "a reference is needed by the filter "
				  "operator",
				  call->name);
	else
		span__filter_reference(w, &call->args[0]);
	span_buf_puts(w->out, " != nil");
}

/* The pattern may be found anywhere, TraceQL's has to fit all. */
static void put_regex(struct span__filter_writer *w,
		      const struct filter_node *call)
{
	struct span_buf pattern = {0};

	if (!refers(w, call, FILTER_SCALAR))
		return;
	if (span__filter_holds(&call->args[0]) == HOLDS_DURATION)
		span__filter_fail(w, SPAN_E_INVALID,
				  "a pattern is for texts, not for",
				  call->args[0].name);
	span_buf_puts(&pattern, ".*(?:");
	span_buf_str(&pattern, call->args[1].name);
	span_buf_puts(&pattern, ").*");
	span__filter_reference(w, &call->args[0]);
	span_buf_puts(w->out, " =~ ");
	span__filter_text(w, (struct span_str){pattern.p, pattern.len});
	w->out->failed |= pattern.failed;
	span_buf_release(&pattern);
}

static void put_membership(struct span__filter_writer *w,
			   const struct filter_node *call, bool in)
{
	const struct filter_node *ref = call->args, *list;

	if (!refers(w, call, FILTER_LIST))
		return;
	list = &call->args[1];
	if (!list->n)
		span__filter_fail(w, SPAN_E_INVALID,
				  "the list is empty of the filter "
				  "operator",
				  call->name);
	span_buf_putc(w->out, '(');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			span_buf_puts(w->out, in ? " || " : " && ");
		span__filter_reference(w, ref);
		span_buf_puts(w->out, in ? " = " : " != ");
		span__filter_constant(w, list->args[i].name, list->type,
				      span__filter_holds(ref));
	}
	span_buf_putc(w->out, ')');
}

static bool is_word(struct span_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && c < 0x80)
			return false;
	}
	return s.len;
}

/*
 * Words in a text: adjacent, with anything but letters and digits between
 * them; or each of them somewhere, which one pattern says of one value.
 */
static void put_words(struct span__filter_writer *w,
		      const struct filter_node *call, bool phrase)
{
	const struct filter_node *list;

	if (!refers(w, call, FILTER_LIST))
		return;
	list = &call->args[1];
	if (call->args[0].term != FILTER_ATTR || !list->n ||
	    (list->type.len && !equals(list->type, "string")))
		span__filter_fail(w, SPAN_E_INVALID,
				  "an attribute and a list of words are "
				  "needed by the filter operator",
				  call->name);
	span__filter_reference(w, &call->args[0]);
	span_buf_puts(w->out, phrase ? " =~ \"(?i).*\\\\b" : " =~ \"(?i)");
	for (size_t i = 0; i < list->n; i++) {
		struct span_str word = list->args[i].name;

		if (!is_word(word))
			span__filter_fail(w, SPAN_E_INVALID,
					  "a word is of letters and "
					  "digits, not",
					  word);
		if (phrase && i)
			span_buf_puts(w->out, "[^\\\\pL\\\\pN]+");
		span_buf_puts(w->out, phrase ? "" : "(?=.*\\\\b");
		span_buf_str(w->out, word);
		span_buf_puts(w->out, phrase ? "" : "\\\\b)");
	}
	span_buf_puts(w->out, phrase ? "\\\\b.*\"" : ".*\"");
}

/* ---- "some" ---- */

static bool speaks_of(const struct filter_node *node, struct span_str level)
{
	if (is_reference(node))
		return span_str_equal(node->level, level);
	for (size_t i = 0; node->term == FILTER_CALL && i < node->n; i++)
		if (speaks_of(&node->args[i], level))
			return true;
	return false;
}

/*
 * Whether "there is one for which it holds" is what TraceQL says of NODE: it
 * has one condition on the element, which holds when any element meets it.
 */
static bool is_of_any(const struct filter_node *node, struct span_str level)
{
	const struct comparison *c = find_comparison(node->name);
	size_t n = 0;

	if (!speaks_of(node, level))
		return true;
	if (equals(node->name, "not") || equals(node->name, "not_in") ||
	    (c && c->negative))
		return false;
	for (size_t i = 0; i < node->n; i++) {
		n += speaks_of(&node->args[i], level);
		if (node->args[i].term == FILTER_CALL &&
		    !is_of_any(&node->args[i], level))
			return false;
	}
	return n == 1 || equals(node->name, "or");
}

static void put_some(struct span__filter_writer *w,
		     const struct filter_node *call)
{
	struct span_str level;

	if (!has_args(w, call, 2))
		return;
	level = call->args[0].level;
	if (call->args[0].term != FILTER_NESTED ||
	    (!equals(level, "event") && !equals(level, "link")) ||
	    call->args[1].term != FILTER_CALL) {
		span__filter_fail(w, SPAN_E_INVALID,
				  "events or links, and a condition on "
				  "them, are needed by the filter "
				  "operator",
				  call->name);
		return;
	}
	if (w->in_some) {
		span__filter_fail(
			w, SPAN_E_INVALID,
			"filter operators in each other:", call->name);
		return;
	}
	if (!is_of_any(&call->args[1], level) ||
	    !speaks_of(&call->args[1], level)) {
		span__filter_fail(
			w, SPAN_E_FORMAT,
			"this store cannot filter by several conditions, or a "
			"negative one, on one",
			level);
		return;
	}
	w->in_some = true;
	put_expression(w, &call->args[1]);
	w->in_some = false;
}

/* ---- All of them ---- */

static void put_all(struct span__filter_writer *w,
		    const struct filter_node *call, const char *between)
{
	if (call->n < 2)
		span__filter_fail(w, SPAN_E_INVALID,
				  "two arguments or more are needed by "
				  "the filter operator",
				  call->name);
	span_buf_putc(w->out, '(');
	for (size_t i = 0; i < call->n && w->rc >= 0; i++) {
		if (i)
			span_buf_puts(w->out, between);
		put_expression(w, &call->args[i]);
	}
	span_buf_putc(w->out, ')');
}

static void put_not(struct span__filter_writer *w,
		    const struct filter_node *call)
{
	if (!has_args(w, call, 1))
		return;
	span_buf_puts(w->out, "!(");
	put_expression(w, call->args);
	span_buf_putc(w->out, ')');
}

static void put_other(struct span__filter_writer *w,
		      const struct filter_node *call)
{
	struct span_str op = call->name;

	if (equals(op, "regex"))
		put_regex(w, call);
	else if (equals(op, "in") || equals(op, "not_in"))
		put_membership(w, call, equals(op, "in"));
	else if (equals(op, "phrase") || equals(op, "fulltext"))
		put_words(w, call, equals(op, "phrase"));
	else if (equals(op, "some"))
		put_some(w, call);
	else
		span__filter_fail(w, SPAN_E_INVALID, "unknown filter operator",
				  op);
}

static void put_expression(struct span__filter_writer *w,
			   const struct filter_node *node)
{
	const struct comparison *c;

	if (node->term != FILTER_CALL) {
		span__filter_fail(w, SPAN_E_INVALID,
				  "a condition is a call, not", node->name);
		return;
	}
	c = find_comparison(node->name);
	if (c)
		put_comparison(w, node, c);
	else if (equals(node->name, "and"))
		put_all(w, node, " && ");
	else if (equals(node->name, "or"))
		put_all(w, node, " || ");
	else if (equals(node->name, "not"))
		put_not(w, node);
	else if (equals(node->name, "exists"))
		put_exists(w, node);
	else
		put_other(w, node);
}

int span_filter_traceql(struct span_buf *out, struct span_str json,
			struct span_error *err)
{
	struct span_arena arena = {0};
	struct span__filter_writer w = {.out = out, .err = err};
	struct filter_node call;
	size_t len = out->len;

	w.rc = span__filter_read(&call, json, &arena, err);
	if (!w.rc) {
		span_buf_puts(out, "{ ");
		put_expression(&w, &call);
		span_buf_puts(out, " }");
	}
	span_arena_release(&arena);
	if (!w.rc && out->failed)
		w.rc = span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (w.rc < 0)
		out->len = len;
	return w.rc;
}
