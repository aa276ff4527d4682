/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deep copies. Values nest, but every decoder and the span stream stop at
 * SPAN_MAX_DEPTH, so that recursion here is bounded by what can exist.
 */
#include "model/model.h"

#include "base/banned.h"

static bool copy_value(struct span_value *v, struct span_arena *a);

static bool copy_pairs(const struct span_attr **pairs, size_t n,
		       struct span_arena *a)
{
	struct span_attr *v;

	if (!n) {
		*pairs = NULL;
		return true;
	}
	v = span_arena_array(a, n, sizeof(*v));
	if (!v)
		return false;
	for (size_t i = 0; i < n; i++) {
		v[i] = (*pairs)[i];
		if (!span_arena_str(a, v[i].key, &v[i].key) ||
		    !copy_value(&v[i].value, a))
			return false;
	}
	*pairs = v;
	return true;
}

static bool copy_array(struct span_value *value, struct span_arena *a)
{
	struct span_value *v = span_arena_array(a, value->array.n, sizeof(*v));

	if (!v)
		return false;
	for (size_t i = 0; i < value->array.n; i++) {
		v[i] = value->array.v[i];
		if (!copy_value(&v[i], a))
			return false;
	}
	value->array.v = v;
	return true;
}

static bool copy_value(struct span_value *v, struct span_arena *a)
{
	switch (v->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		return span_arena_str(a, v->str, &v->str);
	case SPAN_ARRAY:
		return copy_array(v, a);
	case SPAN_MAP:
		return copy_pairs(&v->map.v, v->map.n, a);
	default:
		return true;
	}
}

static bool copy_attrs(struct span_attrs *attrs, struct span_arena *a)
{
	return copy_pairs(&attrs->v, attrs->n, a);
}

bool span__copy_process(struct span_process *p, struct span_arena *a)
{
	return span_arena_str(a, p->service, &p->service) &&
	       span_arena_str(a, p->schema_url, &p->schema_url) &&
	       copy_attrs(&p->attrs, a);
}

bool span__copy_scope(struct span_scope *s, struct span_arena *a)
{
	return span_arena_str(a, s->name, &s->name) &&
	       span_arena_str(a, s->version, &s->version) &&
	       span_arena_str(a, s->schema_url, &s->schema_url) &&
	       copy_attrs(&s->attrs, a);
}

static bool copy_events(struct span *s, struct span_arena *a)
{
	struct span_event *v = span_arena_array(a, s->n_events, sizeof(*v));

	if (!v)
		return false;
	for (size_t i = 0; i < s->n_events; i++) {
		v[i] = s->events[i];
		if (!span_arena_str(a, v[i].name, &v[i].name) ||
		    !copy_attrs(&v[i].attrs, a))
			return false;
	}
	s->events = v;
	return true;
}

static bool copy_refs(struct span *s, struct span_arena *a)
{
	struct span_ref *v = span_arena_array(a, s->n_refs, sizeof(*v));

	if (!v)
		return false;
	for (size_t i = 0; i < s->n_refs; i++) {
		v[i] = s->refs[i];
		if (!span_arena_str(a, v[i].trace_state, &v[i].trace_state) ||
		    !copy_attrs(&v[i].attrs, a))
			return false;
	}
	s->refs = v;
	return true;
}

static bool copy_owner(struct span *s, struct span_arena *a)
{
	struct span_process *p = span_arena_alloc(a, sizeof(*p));
	struct span_scope *c;

	if (!p)
		return false;
	*p = *s->process;
	s->process = p;
	if (!span__copy_process(p, a))
		return false;
	if (!s->scope)
		return true;
	c = span_arena_alloc(a, sizeof(*c));
	if (!c)
		return false;
	*c = *s->scope;
	s->scope = c;
	return span__copy_scope(c, a);
}

int span_copy(struct span *dst, const struct span *src,
	      struct span_arena *arena)
{
	*dst = *src;
	if (!copy_owner(dst, arena) ||
	    !span_arena_str(arena, dst->name, &dst->name) ||
	    !span_arena_str(arena, dst->status_message, &dst->status_message) ||
	    !span_arena_str(arena, dst->trace_state, &dst->trace_state) ||
	    !copy_attrs(&dst->attrs, arena) || !copy_events(dst, arena) ||
	    !copy_refs(dst, arena))
		return SPAN_E_NOMEM;
	return 0;
}
