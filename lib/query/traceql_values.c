/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of a field of a span: none, one, or several.
 */
#include "query/traceql.h"

#include <string.h>

#include <span/text.h>

#include "base/bytes.h"

#include "base/banned.h"

/* What one call is about. */
struct asked {
	const struct tql_context *c;
	const struct tql_field *f;
	unsigned slot;
	span__tql_value_fn *fn;
	void *arg;
};

static int give_int(const struct asked *a, enum tql_type type, int64_t i)
{
	struct tql_value v = {.type = type, .i = i};

	return a->fn(a->arg, &v);
}

static int give_str(const struct asked *a, struct span_str str)
{
	struct tql_value v = {.type = TQL_STRING, .str = str};

	return a->fn(a->arg, &v);
}

/* A text that is not there when it is empty. */
static int give_some(const struct asked *a, struct span_str str)
{
	return str.len ? give_str(a, str) : 0;
}

static int64_t clamp(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static int64_t difference(uint64_t a, uint64_t b)
{
	return a >= b ? clamp(a - b) : -clamp(b - a);
}

/* Bytes, arrays and maps are what they are written as. */
static int give_text(const struct asked *a, const struct span_value *v)
{
	struct span_buf *b = &a->c->scratch->text[a->slot];

	b->len = 0;
	span_text_value(b, v);
	if (b->failed)
		return span_error_set(a->c->err, SPAN_E_NOMEM, "memory is out");
	return give_str(a, (struct span_str){b->p, b->len});
}

static int give(const struct asked *a, const struct span_value *v)
{
	struct tql_value value = {0};

	switch (v->type) {
	case SPAN_NULL:
		return 0;
	case SPAN_STRING:
		return give_str(a, v->str);
	case SPAN_INT:
		return give_int(a, TQL_INT, v->i);
	case SPAN_BOOL:
		value.type = TQL_BOOL;
		value.b = v->b;
		return a->fn(a->arg, &value);
	case SPAN_DOUBLE:
		value.type = TQL_FLOAT;
		value.d = v->d;
		return a->fn(a->arg, &value);
	default:
		return give_text(a, v);
	}
}

/* The values of the attribute; *THERE when it has one. */
static int attrs(const struct asked *a, const struct span_attrs *list,
		 bool *there)
{
	int rc = 0;

	for (size_t i = 0; i < list->n && !rc; i++) {
		const struct span_attr *attr = &list->v[i];

		if (!span__str_equal(attr->key, a->f->key))
			continue;
		*there |= attr->value.type != SPAN_NULL;
		rc = give(a, &attr->value);
	}
	return rc;
}

static int resource(const struct asked *a, bool *there)
{
	const struct span_process *p = a->c->span->process;

	if (span_str_equal(a->f->key, SPAN_STR("service.name")))
		return give_str(a, p->service);
	return attrs(a, &p->attrs, there);
}

/* A reference that only names the parent is no link. */
static bool is_link(const struct span *s, const struct span_ref *ref)
{
	return memcmp(ref->trace_id, s->trace_id, 16) != 0 ||
	       memcmp(ref->span_id, s->parent_id, 8) != 0;
}

static int links(const struct asked *a)
{
	const struct span *s = a->c->span;
	char *text = a->c->scratch->ids[a->slot];
	bool there = false;
	int rc = 0;

	for (size_t i = 0; i < s->n_refs && !rc; i++) {
		const struct span_ref *ref = &s->refs[i];

		if (!is_link(s, ref))
			continue;
		if (a->f->id == TQL_F_LINK_TRACE_ID)
			rc = give_str(a, span_str(span_trace_id_text(
						 ref->trace_id, text)));
		else if (a->f->id == TQL_F_LINK_SPAN_ID)
			rc = give_str(
				a, span_str(span_id_text(ref->span_id, text)));
		else
			rc = attrs(a, &ref->attrs, &there);
	}
	return rc;
}

static int events(const struct asked *a)
{
	const struct span *s = a->c->span;
	bool there = false;
	int rc = 0;

	for (size_t i = 0; i < s->n_events && !rc; i++) {
		const struct span_event *e = &s->events[i];

		if (a->f->id == TQL_F_EVENT_NAME)
			rc = give_some(a, span_event_name(e));
		else if (a->f->id == TQL_F_EVENT_TIME)
			rc = give_int(a, TQL_INT,
				      difference(e->time_ns, s->start_ns));
		else
			rc = attrs(a, &e->attrs, &there);
	}
	return rc;
}

static int attribute(const struct asked *a)
{
	const struct span *s = a->c->span;
	bool there = false;
	int rc;

	switch (a->f->scope) {
	case TQL_UNSCOPED:
		rc = attrs(a, &s->attrs, &there);
		return rc || there ? rc : resource(a, &there);
	case TQL_SPAN:
		return attrs(a, &s->attrs, &there);
	case TQL_RESOURCE:
		return resource(a, &there);
	case TQL_EVENT:
		return events(a);
	case TQL_LINK:
		return links(a);
	default:
		return s->scope ? attrs(a, &s->scope->attrs, &there) : 0;
	}
}

/* ---- What the whole trace tells ---- */

/*
 * Left and right numbers of a walk through the trees, from 1 on: a span has
 * the numbers of its descendants between its own.
 */
static bool number(const struct tql_context *c)
{
	struct tql_scratch *s = c->scratch;
	const struct span_trace *t = c->trace;
	uint32_t n = 0, depth = 0;
	uint32_t *path;

	if (s->numbered == t)
		return true;
	s->left = span_arena_array(&s->arena, t->n, sizeof(*s->left));
	s->right = span_arena_array(&s->arena, t->n, sizeof(*s->right));
	path = span_arena_array(&s->arena, t->n, sizeof(*path));
	if (!s->left || !s->right || !path)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		uint32_t at = t->order[i];

		while (depth > t->nodes[at].depth)
			s->right[path[--depth]] = ++n;
		path[depth++] = at;
		s->left[at] = ++n;
	}
	while (depth)
		s->right[path[--depth]] = ++n;
	s->numbered = t;
	return true;
}

/* -1 for a span that names no parent, 0 for one whose parent is not there. */
static int64_t nested_parent(const struct tql_context *c)
{
	uint32_t parent = c->trace->nodes[c->at].parent;

	if (parent != SPAN_TRACE_NONE)
		return c->scratch->left[parent];
	return span_is_root(c->span) ? -1 : 0;
}

static int nested(const struct asked *a)
{
	const struct tql_context *c = a->c;

	if (!number(c))
		return span_error_set(c->err, SPAN_E_NOMEM, "memory is out");
	if (a->f->id == TQL_F_NESTED_PARENT)
		return give_int(a, TQL_INT, nested_parent(c));
	return give_int(a, TQL_INT,
			a->f->id == TQL_F_NESTED_LEFT
				? c->scratch->left[c->at]
				: c->scratch->right[c->at]);
}

static int64_t count_children(const struct tql_context *c)
{
	const struct span_trace_node *nodes = c->trace->nodes;
	uint32_t child = nodes[c->at].first_child;
	int64_t n = 0;

	for (; child != SPAN_TRACE_NONE; child = nodes[child].next_sibling)
		n++;
	return n;
}

static int of_trace(const struct asked *a)
{
	const struct span_trace *t = a->c->trace;

	switch (a->f->id) {
	case TQL_F_PARENT:
		return t->nodes[a->c->at].parent == SPAN_TRACE_NONE
			       ? 0
			       : give_int(a, TQL_INT, 1);
	case TQL_F_CHILD_COUNT:
		return give_int(a, TQL_INT, count_children(a->c));
	case TQL_F_TRACE_DURATION:
		return give_int(a, TQL_INT, clamp(t->end_ns - t->start_ns));
	case TQL_F_ROOT_NAME:
		return give_str(a, t->spans[t->root].name);
	case TQL_F_ROOT_SERVICE:
		return give_str(a, t->spans[t->root].process->service);
	default:
		return nested(a);
	}
}

/* ---- All fields ---- */

static int of_span(const struct asked *a)
{
	static const uint8_t no_id[8];
	const struct span *s = a->c->span;
	char *text = a->c->scratch->ids[a->slot];

	switch (a->f->id) {
	case TQL_F_SERVICE:
		return give_str(a, s->process->service);
	case TQL_F_NAME:
		return give_str(a, s->name);
	case TQL_F_STATUS:
		return give_int(a, TQL_STATUS,
				span_is_error(s) ? SPAN_STATUS_ERROR
						 : s->status);
	case TQL_F_STATUS_MESSAGE:
		return give_str(a, s->status_message);
	case TQL_F_DURATION:
		return give_int(a, TQL_INT, clamp(s->duration_ns));
	case TQL_F_KIND:
		return give_int(a, TQL_KIND,
				*span_kind_name(s->kind) ? s->kind : 0);
	case TQL_F_SPAN_ID:
		return give_str(a, span_str(span_id_text(s->span_id, text)));
	case TQL_F_PARENT_ID:
		return memcmp(s->parent_id, no_id, 8) != 0
			       ? give_str(a, span_str(span_id_text(s->parent_id,
								   text)))
			       : 0;
	case TQL_F_TRACE_ID:
		return give_str(
			a, span_str(span_trace_id_text(s->trace_id, text)));
	case TQL_F_SCOPE_NAME:
		return s->scope ? give_some(a, s->scope->name) : 0;
	case TQL_F_SCOPE_VERSION:
		return s->scope ? give_some(a, s->scope->version) : 0;
	case TQL_F_EVENT_NAME:
	case TQL_F_EVENT_TIME:
		return events(a);
	case TQL_F_LINK_TRACE_ID:
	case TQL_F_LINK_SPAN_ID:
		return links(a);
	case TQL_F_ATTRIBUTE:
		return attribute(a);
	default:
		return of_trace(a);
	}
}

int span__tql_each(const struct tql_context *c, const struct tql_field *f,
		   unsigned slot, span__tql_value_fn *fn, void *arg)
{
	struct asked a = {c, f, slot, fn, arg};
	struct tql_context parent;

	if ((f->parent || f->id >= TQL_F_PARENT) && !c->trace)
		return TQL_UNKNOWN;
	if (!f->parent)
		return of_span(&a);
	parent = *c;
	parent.at = c->trace->nodes[c->at].parent;
	if (parent.at == SPAN_TRACE_NONE)
		return 0;
	parent.span = &c->trace->spans[parent.at];
	a.c = &parent;
	return of_span(&a);
}
