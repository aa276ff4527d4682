/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists end with what is rarely set, so that most are short; who reads takes
 * a missing element as zero and passes over those that it does not know.
 */
#include "store/seg_pack.h"

#include <endian.h>
#include <string.h>

#include "base/pack.h"

#include "base/banned.h"

/* Room for a number or a head; X->p is NULL when memory is out. */
static bool room(struct span_buf *out, struct pack *x)
{
	x->p = span_buf_reserve(out, PACK_MAX);
	return x->p;
}

static void done(struct span_buf *out, const struct pack *x)
{
	out->len = (size_t)(x->p - out->p);
}

static void put_uint(struct span_buf *out, uint64_t v)
{
	struct pack x;

	if (!room(out, &x))
		return;
	pack_uint64(&x, v);
	done(out, &x);
}

static void put_int(struct span_buf *out, int64_t v)
{
	struct pack x;

	if (!room(out, &x))
		return;
	pack_int64(&x, v);
	done(out, &x);
}

static void put_array(struct span_buf *out, size_t n)
{
	struct pack x;

	if (!room(out, &x))
		return;
	pack_array(&x, n);
	done(out, &x);
}

static void put_str(struct span_buf *out, struct span_str s, bool bytes)
{
	struct pack x;

	if (!room(out, &x))
		return;
	if (bytes)
		pack_bin(&x, s.len);
	else
		pack_str(&x, s.len);
	done(out, &x);
	span_buf_str(out, s);
}

static void put_small(struct span_buf *out, const struct span_value *v)
{
	struct pack x;

	if (!room(out, &x))
		return;
	if (v->type == SPAN_INT)
		pack_int64(&x, v->i);
	else if (v->type == SPAN_DOUBLE)
		pack_double(&x, v->d);
	else if (v->type == SPAN_BOOL && v->b)
		pack_true(&x);
	else if (v->type == SPAN_BOOL)
		pack_false(&x);
	else
		pack_nil(&x);
	done(out, &x);
}

static void put_map_head(struct span_buf *out, size_t n)
{
	struct pack x;

	if (!room(out, &x))
		return;
	pack_map(&x, n);
	done(out, &x);
}

/* How many values V has in it. */
static size_t n_inside(const struct span_value *v)
{
	if (v->type == SPAN_ARRAY)
		return v->array.n;
	return v->type == SPAN_MAP ? v->map.n : 0;
}

/* Recursion ends at SPAN_MAX_DEPTH. */
static void put_value(struct span_buf *out, const struct span_value *v,
		      unsigned depth)
{
	const struct span_value null = {0};

	if (depth >= SPAN_MAX_DEPTH && n_inside(v)) {
		put_small(out, &null);
	} else if (v->type == SPAN_STRING || v->type == SPAN_BYTES) {
		put_str(out, v->str, v->type == SPAN_BYTES);
	} else if (v->type == SPAN_ARRAY) {
		put_array(out, v->array.n);
		for (size_t i = 0; i < v->array.n; i++)
			put_value(out, &v->array.v[i], depth + 1);
	} else if (v->type == SPAN_MAP) {
		put_map_head(out, v->map.n);
		for (size_t i = 0; i < v->map.n; i++) {
			put_str(out, v->map.v[i].key, false);
			put_value(out, &v->map.v[i].value, depth + 1);
		}
	} else {
		put_small(out, v);
	}
}

void span__pack_value(struct span_buf *out, const struct span_value *v)
{
	put_value(out, v, 0);
}

static void put_attrs(struct span_buf *out, const struct span_attrs *a)
{
	put_array(out, 2 * a->n);
	for (size_t i = 0; i < a->n; i++) {
		put_str(out, a->v[i].key, false);
		put_value(out, &a->v[i].value, 0);
	}
}

void span__pack_process(struct span_buf *out, const struct span_process *p)
{
	size_t n = p->attrs.dropped ? 3 : p->schema_url.len ? 2 : 1;

	put_array(out, n);
	put_attrs(out, &p->attrs);
	if (n > 1)
		put_str(out, p->schema_url, false);
	if (n > 2)
		put_uint(out, p->attrs.dropped);
}

void span__pack_scope(struct span_buf *out, const struct span_scope *s)
{
	size_t n = s->attrs.dropped ? 5 : s->schema_url.len ? 4 : 3;

	put_array(out, n);
	put_str(out, s->name, false);
	put_str(out, s->version, false);
	put_attrs(out, &s->attrs);
	if (n > 3)
		put_str(out, s->schema_url, false);
	if (n > 4)
		put_uint(out, s->attrs.dropped);
}

static void put_ref(struct span_buf *out, const struct span_ref *r)
{
	size_t n = r->attrs.dropped	? 7
		   : r->flags		? 6
		   : r->trace_state.len ? 5
		   : r->attrs.n		? 4
					: 3;
	uint64_t id;

	put_array(out, n);
	put_int(out, r->type);
	put_str(out, (struct span_str){(const char *)r->trace_id, 16}, true);
	memcpy(&id, r->span_id, 8);
	put_uint(out, be64toh(id));
	if (n > 3)
		put_attrs(out, &r->attrs);
	if (n > 4)
		put_str(out, r->trace_state, false);
	if (n > 5)
		put_uint(out, r->flags);
	if (n > 6)
		put_uint(out, r->attrs.dropped);
}

void span__pack_refs(struct span_buf *out, const struct span_ref *v, size_t n)
{
	put_array(out, n);
	for (size_t i = 0; i < n; i++)
		put_ref(out, &v[i]);
}

static void put_event(struct span_buf *out, const struct span_event *e,
		      uint64_t start_ns)
{
	size_t n = e->attrs.dropped ? 4 : e->name.len ? 3 : e->attrs.n ? 2 : 1;

	put_array(out, n);
	put_int(out, (int64_t)(e->time_ns - start_ns));
	if (n > 1)
		put_attrs(out, &e->attrs);
	if (n > 2)
		put_str(out, e->name, false);
	if (n > 3)
		put_uint(out, e->attrs.dropped);
}

void span__pack_rest(struct span_buf *out, const struct span *s, uint32_t scope)
{
	put_array(out, 11);
	put_uint(out, s->marks);
	put_uint(out, s->flags);
	put_uint(out, scope);
	put_str(out, s->status_message, false);
	put_str(out, s->trace_state, false);
	put_attrs(out, &s->attrs);
	put_array(out, s->n_events);
	for (size_t i = 0; i < s->n_events; i++)
		put_event(out, &s->events[i], s->start_ns);
	span__pack_refs(out, s->refs, s->n_refs);
	put_uint(out, s->attrs.dropped);
	put_uint(out, s->dropped_events);
	put_uint(out, s->dropped_refs);
}
