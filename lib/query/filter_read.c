/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as api_v3 of Jaeger takes them, in JSON:
 *
 *	call       {"op":"and","args":[expression, ...]}
 *	expression {"attr":{"key":"http.method","level":"span"}}
 *		   {"field":{"name":"duration","level":"span"}}
 *		   {"nested":{"level":"event"}}
 *		   {"scalar":{"value":"500","type":"int"}}
 *		   {"list":{"values":["a","b"],"type":"string"}}
 *		   {"call":call}
 *		   {"ref":{"name":"duration","level":"span","attr":false}}
 *
 * The last form is that of 2.21, which the first three have replaced. Source:
 * Jaeger's RFC 0005.
 */
#include "query/filter.h"

#include "codec/json.h"

#include "base/banned.h"

struct reader {
	struct span__cursor in;
	struct span__json j;
	struct span_arena *arena;
	unsigned depth;
	bool no_memory;
};

static void read_call(struct reader *r, struct filter_node *out);

static void fail(struct reader *r, const char *what)
{
	span__cursor_fail(&r->in, r->in.p, SPAN_E_INVALID, what);
}

/* A constant, which other languages may write as what it is. */
static struct span_str read_text(struct reader *r)
{
	switch (span__json_peek(&r->j)) {
	case JSON_NUMBER:
		return span__json_number(&r->j);
	case JSON_BOOL:
		return span__json_bool(&r->j) ? SPAN_STR("true")
					      : SPAN_STR("false");
	default:
		return span__json_string(&r->j);
	}
}

/* The nodes that were gathered in V, as the arguments of OUT. */
static void take_args(struct reader *r, struct span_buf *v,
		      struct filter_node *out)
{
	size_t n = v->len / sizeof(*out);
	struct filter_node *args = span_arena_array(r->arena, n, sizeof(*args));

	if (v->failed || !args)
		r->no_memory = true;
	else if (n)
		memcpy(args, v->p, v->len);
	out->args = args;
	out->n = r->no_memory ? 0 : n;
	span_buf_release(v);
}

static void read_values(struct reader *r, struct filter_node *out)
{
	struct span_buf v = {0};

	if (span__json_array(&r->j))
		while (span__json_item(&r->j)) {
			struct filter_node value = {.term = FILTER_SCALAR,
						    .name = read_text(r)};

			span_buf_put(&v, &value, sizeof(value));
		}
	take_args(r, &v, out);
}

/* The members of every term but a call. */
static void read_member(struct reader *r, struct span_str key,
			struct filter_node *out)
{
	bool constant = out->term == FILTER_SCALAR || out->term == FILTER_LIST;

	if (span_str_equal(key, SPAN_STR("level")) && !constant)
		out->level = span__json_string(&r->j);
	else if (span_str_equal(key, SPAN_STR("type")) && constant)
		out->type = span__json_string(&r->j);
	else if (span_str_equal(key, SPAN_STR("values")) &&
		 out->term == FILTER_LIST)
		read_values(r, out);
	else if (span_str_equal(key, SPAN_STR("value")) &&
		 out->term == FILTER_SCALAR)
		out->name = read_text(r);
	else if (span_str_equal(key, SPAN_STR("key")) &&
		 out->term == FILTER_ATTR)
		out->name = span__json_string(&r->j);
	else if (span_str_equal(key, SPAN_STR("name")) &&
		 out->term == FILTER_FIELD)
		out->name = span__json_string(&r->j);
	else
		fail(r, "a member that is not known here");
}

static void read_term(struct reader *r, struct filter_node *out)
{
	struct span_str key;

	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key))
		read_member(r, key, out);
}

/* An attribute where nothing else is said; without a name a collection. */
static void read_ref(struct reader *r, struct filter_node *out)
{
	bool attr = false;
	struct span_str key;

	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key))
		if (span_str_equal(key, SPAN_STR("name")))
			out->name = span__json_string(&r->j);
		else if (span_str_equal(key, SPAN_STR("level")))
			out->level = span__json_string(&r->j);
		else if (span_str_equal(key, SPAN_STR("attr")))
			attr = span__json_bool(&r->j);
		else
			fail(r, "a member that is not known here");
	out->term = attr || !out->level.len ? FILTER_ATTR : FILTER_FIELD;
	if (!out->name.len && out->level.len && !attr)
		out->term = FILTER_NESTED;
}

static void read_expression(struct reader *r, struct filter_node *out)
{
	static const struct {
		struct span_str name;
		enum filter_term term;
	} terms[] = {
		{{"attr", 4}, FILTER_ATTR},	{{"field", 5}, FILTER_FIELD},
		{{"nested", 6}, FILTER_NESTED}, {{"scalar", 6}, FILTER_SCALAR},
		{{"list", 4}, FILTER_LIST},	{{"call", 4}, FILTER_CALL},
		{{"ref", 3}, FILTER_NONE},
	};
	size_t i = 0, n = sizeof(terms) / sizeof(*terms);
	struct span_str key;
	bool any = false;

	*out = (struct filter_node){0};
	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		for (i = 0; i < n && !span_str_equal(key, terms[i].name); i++)
			;
		if (i == n || any) {
			fail(r, "an argument is one of attr, field, nested, "
				"scalar, list and call");
			return;
		}
		any = true;
		out->term = terms[i].term;
		if (out->term == FILTER_CALL)
			read_call(r, out);
		else if (out->term == FILTER_NONE)
			read_ref(r, out);
		else
			read_term(r, out);
	}
	if (!any)
		fail(r, "filter argument is empty: exactly one of attr, field, "
			"nested, scalar, list or call must be set");
}

static void read_args(struct reader *r, struct filter_node *out)
{
	struct span_buf v = {0};

	if (span__json_array(&r->j))
		while (span__json_item(&r->j)) {
			struct filter_node arg;

			read_expression(r, &arg);
			span_buf_put(&v, &arg, sizeof(arg));
		}
	take_args(r, &v, out);
}

static void read_call_member(struct reader *r, struct span_str key,
			     struct filter_node *out)
{
	if (span_str_equal(key, SPAN_STR("op")))
		out->name = span__json_string(&r->j);
	else if (span_str_equal(key, SPAN_STR("args")))
		read_args(r, out);
	else
		fail(r, "a call has op and args");
}

static void read_call(struct reader *r, struct filter_node *out)
{
	struct span_str key;

	*out = (struct filter_node){.term = FILTER_CALL};
	if (r->depth == SPAN__FILTER_DEPTH) {
		fail(r, "too many calls in each other");
		return;
	}
	r->depth++;
	if (span__json_object(&r->j)) {
		while (span__json_member(&r->j, &key))
			read_call_member(r, key, out);
	}
	r->depth--;
}

int span__filter_read(struct filter_node *out, struct span_str json,
		      struct span_arena *arena, struct span_error *err)
{
	struct reader r = {.arena = arena};

	cursor_init(&r.in, json.p, json.len);
	span__json_init(&r.j, &r.in, arena);
	read_call(&r, out);
	span__json_end(&r.j);
	if (r.no_memory || (r.in.failed && r.in.code == SPAN_E_NOMEM))
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	if (r.in.failed)
		return span_error_at(err, SPAN_E_INVALID, r.in.pos,
				     "byte %zu: %s", r.in.pos, r.in.what);
	return 0;
}
