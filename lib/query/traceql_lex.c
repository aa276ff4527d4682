/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of TraceQL. An attribute with its scope is one token, as is an
 * intrinsic: what ends the name of an attribute is no blank or operator
 * everywhere, "a-b" and "a/b" are names.
 */
#include "query/traceql.h"

#include <stdio.h>
#include <string.h>

#include <span/text.h>

#include "query/traceql_lex.h"

#include "base/banned.h"

#define SHOWN 40u /* bytes of a token that a message has */

/* The longest first. */
static const struct {
	const char *text;
	enum tql_token_kind kind;
} operators[] = {
	{"!>>", TQL_T_NOT_DESCENDANT},
	{"!<<", TQL_T_NOT_ANCESTOR},
	{"&>>", TQL_T_BOTH_DESCENDANT},
	{"&<<", TQL_T_BOTH_ANCESTOR},
	{"&&", TQL_T_AND},
	{"||", TQL_T_OR},
	{"!=", TQL_T_NE},
	{"!~", TQL_T_NRE},
	{"=~", TQL_T_RE},
	{">=", TQL_T_GE},
	{"<=", TQL_T_LE},
	{">>", TQL_T_DESCENDANT},
	{"<<", TQL_T_ANCESTOR},
	{"!>", TQL_T_NOT_CHILD},
	{"!<", TQL_T_NOT_PARENT},
	{"&>", TQL_T_BOTH_CHILD},
	{"&<", TQL_T_BOTH_PARENT},
	{"&~", TQL_T_BOTH_SIBLING},
	{"{", TQL_T_OPEN_BRACE},
	{"}", TQL_T_CLOSE_BRACE},
	{"(", TQL_T_OPEN},
	{")", TQL_T_CLOSE},
	{",", TQL_T_COMMA},
	{"|", TQL_T_PIPE},
	{"!", TQL_T_NOT},
	{"=", TQL_T_EQ},
	{"<", TQL_T_LT},
	{">", TQL_T_GT},
	{"+", TQL_T_ADD},
	{"-", TQL_T_SUB},
	{"*", TQL_T_MUL},
	{"/", TQL_T_DIV},
	{"%", TQL_T_MOD},
	{"^", TQL_T_POW},
	{"~", TQL_T_SIBLING},
};

static const struct {
	const char *text;
	enum tql_scope scope;
} scopes[] = {
	{"span", TQL_SPAN},   {"resource", TQL_RESOURCE},
	{"event", TQL_EVENT}, {"link", TQL_LINK},
	{"trace", 0},	      {"instrumentation", TQL_INSTRUMENTATION},
};

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

int span__tql_fail(const struct tql_parser *p, size_t pos, const char *fmt, ...)
{
	char text[180];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return span_error_at(p->err, SPAN_E_INVALID, pos,
			     "expression, column %zu: %s", pos + 1, text);
}

int span__tql_nomem(const struct tql_parser *p)
{
	return span_error_set(p->err, SPAN_E_NOMEM, "memory is out");
}

int span__tql_expected(const struct tql_parser *p, const char *what)
{
	const struct tql_token *t = p->at;
	struct span_str shown = {p->text.p + t->pos, t->len};
	struct span_buf b = {0};
	int rc;

	if (t->kind == TQL_T_END)
		return span__tql_fail(p, t->pos, "%s was expected, not the end",
				      what);
	shown.len = span_text_cut(shown, SHOWN);
	span_text_terminal(&b, shown);
	rc = span__tql_fail(p, t->pos, "%s was expected, not '%.*s%s'", what,
			    (int)b.len, b.p ? b.p : "",
			    shown.len < t->len ? "..." : "");
	span_buf_release(&b);
	return rc;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool in_attribute(char c)
{
	return !is_blank(c) && !strchr("{}()=~!<>&|^,", c);
}

/* What is at I, or 0 at the end. */
static char peek(const struct tql_parser *p, size_t i)
{
	return i < p->text.len ? p->text.p[i] : 0;
}

static bool push(struct tql_parser *p, const struct tql_token *t)
{
	span_buf_put(&p->tokens, t, sizeof(*t));
	return !p->tokens.failed;
}

/* The name at *I, of parts with and without quotes. */
static int lex_name(struct tql_parser *p, size_t *i, struct span_str *out)
{
	size_t start = *i, len = 0, quote = 0;
	char *to = p->room;
	bool quoted = false;

	for (; *i < p->text.len; ++*i) {
		char c = p->text.p[*i];

		if (c == '"') {
			quoted = !quoted;
			quote = *i;
			continue;
		}
		if (!quoted && !in_attribute(c))
			break;
		if (quoted && c == '\\') {
			c = peek(p, ++*i);
			if (c != '"' && c != '\\')
				return span__tql_fail(
					p, *i - 1,
					"in the name of an attribute only \\\" "
					"and \\\\ are escapes");
		}
		to[len++] = c;
	}
	if (quoted)
		return span__tql_fail(p, quote, "the quote is not closed");
	if (!len)
		return span__tql_fail(p, start,
				      "the name of an attribute was expected");
	p->room += len;
	*out = (struct span_str){to, len};
	return 0;
}

/* An attribute whose name begins at *I. */
static int lex_attribute(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	struct tql_field *f = &t->field;
	int rc = lex_name(p, i, &f->key);

	t->kind = TQL_T_FIELD;
	t->type = TQL_ATTRIBUTE;
	if (!rc && f->scope == TQL_RESOURCE &&
	    span_str_equal(f->key, SPAN_STR("service.name"))) {
		f->id = TQL_F_SERVICE;
		t->type = TQL_STRING;
	}
	return rc;
}

/* The scope that the word from START to END is, or -1. */
static int find_scope(const struct tql_parser *p, size_t start, size_t end)
{
	struct span_str word = {p->text.p + start, end - start};

	for (size_t i = 0; i < N_ELEMENTS(scopes); i++)
		if (span_str_equal(word, span_str(scopes[i].text)))
			return (int)scopes[i].scope;
	return -1;
}

static size_t word_end(const struct tql_parser *p, size_t i)
{
	while (is_letter(peek(p, i)) || is_digit(peek(p, i)))
		i++;
	return i;
}

static bool is_text(const struct tql_parser *p, size_t i, const char *text)
{
	size_t len = strlen(text);

	return len <= p->text.len - i && !memcmp(p->text.p + i, text, len);
}

/* parent.X, parent.span.X ...; *I is behind the first dot. */
static int lex_of_parent(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	size_t end = word_end(p, *i);
	int scope = find_scope(p, *i, end);

	t->field.parent = true;
	if (scope > 0 && peek(p, end) == '.') {
		t->field.scope = (enum tql_scope)scope;
		*i = end + 1;
	}
	return lex_attribute(p, t, i);
}

/* SCOPE:NAME */
static int lex_scoped(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	struct span_str name;

	*i = word_end(p, *i + 1);
	name = (struct span_str){p->text.p + t->pos, *i - t->pos};
	t->kind = TQL_T_FIELD;
	if (!span__tql_intrinsic(name, &t->field, &t->type))
		return span__tql_fail(
			p, t->pos, "there is no '%.*s'; see traceql(7)",
			(int)(name.len < 60 ? name.len : 60), name.p);
	return 0;
}

static bool lex_constant(const struct tql_parser *p, struct tql_token *t)
{
	static const struct {
		const char *name;
		struct tql_value value;
	} constants[] = {
		{"nil", {.type = TQL_NIL}},
		{"true", {.type = TQL_BOOL, .b = true}},
		{"false", {.type = TQL_BOOL, .b = false}},
		{"minInt", {.type = TQL_INT, .i = INT64_MIN}},
		{"maxInt", {.type = TQL_INT, .i = INT64_MAX}},
		{"unset", {.type = TQL_STATUS, .i = SPAN_STATUS_UNSET}},
		{"ok", {.type = TQL_STATUS, .i = SPAN_STATUS_OK}},
		{"error", {.type = TQL_STATUS, .i = SPAN_STATUS_ERROR}},
		{"unspecified", {.type = TQL_KIND, .i = SPAN_KIND_UNSPECIFIED}},
		{"internal", {.type = TQL_KIND, .i = SPAN_KIND_INTERNAL}},
		{"server", {.type = TQL_KIND, .i = SPAN_KIND_SERVER}},
		{"client", {.type = TQL_KIND, .i = SPAN_KIND_CLIENT}},
		{"producer", {.type = TQL_KIND, .i = SPAN_KIND_PRODUCER}},
		{"consumer", {.type = TQL_KIND, .i = SPAN_KIND_CONSUMER}},
	};

	for (size_t i = 0; i < N_ELEMENTS(constants); i++) {
		if (!tql_is_word(p, t, constants[i].name))
			continue;
		t->kind = TQL_T_LITERAL;
		t->value = constants[i].value;
		t->type = t->value.type;
		return true;
	}
	return false;
}

/* What begins with a letter. */
static int lex_word(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	struct tql_field field = {0};
	size_t end = word_end(p, *i);
	int scope = find_scope(p, *i, end);

	t->field = field;
	if (scope >= 0 && peek(p, end) == ':') {
		*i = end;
		return lex_scoped(p, t, i);
	}
	if (scope > 0 && peek(p, end) == '.') {
		t->field.scope = (enum tql_scope)scope;
		*i = end + 1;
		return lex_attribute(p, t, i);
	}
	if (is_text(p, *i, "parent.")) {
		*i = end + 1;
		return lex_of_parent(p, t, i);
	}
	*i = end;
	t->len = end - t->pos;
	t->kind = TQL_T_WORD;
	if (lex_constant(p, t))
		return 0;
	if (span__tql_intrinsic((struct span_str){p->text.p + t->pos, t->len},
				&t->field, &t->type))
		t->kind = TQL_T_FIELD;
	return 0;
}

static int lex_operator(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	struct span_buf b = {0};
	struct span_str c = {p->text.p + *i, 1};
	int rc;

	for (size_t k = 0; k < N_ELEMENTS(operators); k++) {
		if (!is_text(p, *i, operators[k].text))
			continue;
		t->kind = operators[k].kind;
		*i += strlen(operators[k].text);
		return 0;
	}
	if (c.p[0] == '\'')
		return span__tql_fail(p, *i,
				      "texts are in double quotes or "
				      "backquotes, not in single ones");
	while (c.len < 4 && *i + c.len < p->text.len &&
	       (c.p[c.len] & 0xc0) == 0x80)
		c.len++;
	span_text_terminal(&b, c);
	rc = span__tql_fail(p, *i, "'%.*s' means nothing here", (int)b.len,
			    b.p ? b.p : "");
	span_buf_release(&b);
	return rc;
}

static int lex_token(struct tql_parser *p, struct tql_token *t, size_t *i)
{
	char c = p->text.p[*i];

	if (is_letter(c))
		return lex_word(p, t, i);
	if (is_digit(c) || (c == '.' && is_digit(peek(p, *i + 1))))
		return span__tql_lex_number(p, t, i);
	if (c == '"' || c == '`')
		return span__tql_lex_string(p, t, i);
	if (c == '.') {
		++*i;
		t->field = (struct tql_field){0};
		return lex_attribute(p, t, i);
	}
	return lex_operator(p, t, i);
}

int span__tql_lex(struct tql_parser *p)
{
	struct tql_token t;
	size_t i = 0;

	/* What names and texts stand for is never longer than they are. */
	p->room = span_arena_alloc(p->arena, p->text.len + 1);
	if (!p->room)
		return span__tql_nomem(p);
	for (;;) {
		int rc;

		while (i < p->text.len && is_blank(p->text.p[i]))
			i++;
		t = (struct tql_token){.pos = i};
		if (i == p->text.len)
			break;
		rc = lex_token(p, &t, &i);
		if (rc < 0)
			return rc;
		t.len = i - t.pos;
		if (!push(p, &t))
			return span__tql_nomem(p);
	}
	if (!push(p, &t))
		return span__tql_nomem(p);
	p->at = (const struct tql_token *)(const void *)p->tokens.p;
	return 0;
}
