/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value takes one byte at least, so that all lists together cannot announce
 * more elements than there are bytes: memory is linear in the bytes, however
 * lists are nested.
 */
#include <string.h>

#include "base/dec.h"
#include "base/id.h"
#include "store/seg_pack.h"

#include "base/banned.h"

struct unpack {
	struct dec d;
	struct span_arena *arena;
	size_t budget; /* elements that may still be announced */
};

static struct unpack begin(struct span_str p, struct span_arena *arena)
{
	/* no offset is added to a NULL pointer */
	static const char none[1];

	return (struct unpack){dec_init(p.len ? p.p : none, p.len), arena,
			       p.len};
}

/* An array for the N elements that were announced; NULL when there are none. */
static void *list(struct unpack *u, size_t n, size_t size)
{
	void *p;

	if (u->d.err || !n)
		return NULL;
	if (n > u->budget) {
		dec_fail(&u->d, SPAN_E_CORRUPT, "more elements than bytes");
		return NULL;
	}
	u->budget -= n;
	p = span_arena_array(u->arena, n, size);
	if (!p)
		dec_fail(&u->d, SPAN_E_NOMEM, "no memory");
	return p;
}

static void skip_rest(struct unpack *u, size_t n, size_t known)
{
	for (; n > known && !u->d.err; n--)
		span__dec_skip(&u->d);
}

static uint32_t get_u32(struct unpack *u)
{
	return (uint32_t)dec_uint_max(&u->d, UINT32_MAX,
				      "a number above 32 bits");
}

static void get_value(struct unpack *u, struct span_value *v, unsigned depth);

static void get_array(struct unpack *u, struct span_value *v, unsigned depth)
{
	size_t n = dec_array(&u->d);
	struct span_value *items = list(u, n, sizeof(*items));

	v->type = SPAN_ARRAY;
	v->array.v = items;
	v->array.n = items ? n : 0;
	for (size_t i = 0; i < v->array.n; i++)
		get_value(u, &items[i], depth + 1);
}

static void get_map(struct unpack *u, struct span_value *v, unsigned depth)
{
	size_t n = dec_map(&u->d);
	struct span_attr *items = list(u, n, sizeof(*items));

	v->type = SPAN_MAP;
	v->map.v = items;
	v->map.n = items ? n : 0;
	for (size_t i = 0; i < v->map.n; i++) {
		items[i].key = dec_str(&u->d, SPAN_MAX_STRING);
		get_value(u, &items[i].value, depth + 1);
	}
}

/* Recursion ends at SPAN_MAX_DEPTH. */
static void get_value(struct unpack *u, struct span_value *v, unsigned depth)
{
	unsigned head = dec_peek(&u->d);

	*v = (struct span_value){0};
	if (depth > SPAN_MAX_DEPTH) {
		dec_fail(&u->d, SPAN_E_LIMIT, "a value nested above its limit");
	} else if (head < 0x80 || head >= 0xe0 ||
		   (head >= 0xcc && head <= 0xd3)) {
		v->type = SPAN_INT;
		v->i = dec_int(&u->d);
	} else if (head < 0x90 || head == 0xde || head == 0xdf) {
		get_map(u, v, depth);
	} else if (head < 0xa0 || head == 0xdc || head == 0xdd) {
		get_array(u, v, depth);
	} else if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb)) {
		v->type = SPAN_STRING;
		v->str = dec_str(&u->d, SPAN_MAX_STRING);
	} else if (head == 0xc0) {
		u->d.p++;
	} else if (head == 0xc2 || head == 0xc3) {
		v->type = SPAN_BOOL;
		v->b = dec_bool(&u->d);
	} else if (head >= 0xc4 && head <= 0xc6) {
		v->type = SPAN_BYTES;
		v->str = dec_bin(&u->d, SPAN_MAX_STRING);
	} else {
		v->type = SPAN_DOUBLE;
		v->d = dec_double(&u->d);
	}
}

static void get_attrs(struct unpack *u, struct span_attrs *out)
{
	size_t n = dec_array(&u->d);
	struct span_attr *v;

	if (n & 1)
		dec_fail(&u->d, SPAN_E_CORRUPT, "a key without a value");
	n /= 2;
	if (n > SPAN_MAX_ATTRS)
		dec_fail(&u->d, SPAN_E_LIMIT, "too many attributes");
	v = list(u, n, sizeof(*v));
	out->v = v;
	out->n = v ? n : 0;
	for (size_t i = 0; i < out->n; i++) {
		v[i].key = dec_str(&u->d, SPAN_MAX_STRING);
		get_value(u, &v[i].value, 0);
	}
}

static void get_trace_id(struct unpack *u, uint8_t out[16])
{
	struct span_str s = dec_bin(&u->d, 16);

	if (s.len == 16)
		memcpy(out, s.p, 16);
	else
		dec_fail(&u->d, SPAN_E_CORRUPT,
			 "a trace id that is not 16 bytes");
}

static void get_ref(struct unpack *u, struct span_ref *r)
{
	size_t n = dec_array(&u->d);
	int64_t type;

	*r = (struct span_ref){0};
	if (n < 3)
		dec_fail(&u->d, SPAN_E_CORRUPT, "a reference without ids");
	type = dec_int(&u->d);
	if (type < INT32_MIN || type > INT32_MAX)
		dec_fail(&u->d, SPAN_E_CORRUPT,
			 "a reference type out of range");
	r->type = (int32_t)type;
	get_trace_id(u, r->trace_id);
	span__id_put(r->span_id, dec_uint(&u->d));
	if (n > 3)
		get_attrs(u, &r->attrs);
	if (n > 4)
		r->trace_state = dec_str(&u->d, SPAN_MAX_STRING);
	if (n > 5)
		r->flags = get_u32(u);
	if (n > 6)
		r->attrs.dropped = get_u32(u);
	skip_rest(u, n, 7);
}

static void get_refs(struct unpack *u, const struct span_ref **out,
		     size_t *n_out)
{
	size_t n = dec_array(&u->d);
	struct span_ref *v;

	if (n > SPAN_MAX_REFS)
		dec_fail(&u->d, SPAN_E_LIMIT, "too many references");
	v = list(u, n, sizeof(*v));
	*out = v;
	*n_out = v ? n : 0;
	for (size_t i = 0; i < *n_out; i++)
		get_ref(u, &v[i]);
}

static void get_event(struct unpack *u, struct span_event *e, uint64_t start_ns)
{
	size_t n = dec_array(&u->d);

	*e = (struct span_event){0};
	if (!n)
		dec_fail(&u->d, SPAN_E_CORRUPT, "an event without a time");
	e->time_ns = start_ns + (uint64_t)dec_int(&u->d);
	if (n > 1)
		get_attrs(u, &e->attrs);
	if (n > 2)
		e->name = dec_str(&u->d, SPAN_MAX_STRING);
	if (n > 3)
		e->attrs.dropped = get_u32(u);
	skip_rest(u, n, 4);
}

static void get_events(struct unpack *u, struct span *s)
{
	size_t n = dec_array(&u->d);
	struct span_event *v;

	if (n > SPAN_MAX_EVENTS)
		dec_fail(&u->d, SPAN_E_LIMIT, "too many events");
	v = list(u, n, sizeof(*v));
	s->events = v;
	s->n_events = v ? n : 0;
	for (size_t i = 0; i < s->n_events; i++)
		get_event(u, &v[i], s->start_ns);
}

/* Nothing may be left; WHAT is what was read. */
static int finish(struct unpack *u, const char *what, struct span_error *err)
{
	struct dec *d = &u->d;

	if (!d->err && dec_left(d))
		dec_fail(d, SPAN_E_CORRUPT, "bytes behind its end");
	/* all bytes are there: one that ends early is damage */
	if (d->err == SPAN_E_TRUNCATED)
		d->err = SPAN_E_CORRUPT;
	if (d->err)
		return span_error_set(err, d->err, "%s in a segment is bad: %s",
				      what, d->what);
	return 0;
}

/* A list of at least LEAST elements. */
static size_t get_head(struct unpack *u, size_t least)
{
	size_t n = dec_array(&u->d);

	if (n < least)
		dec_fail(&u->d, SPAN_E_CORRUPT, "too few elements");
	return n;
}

int span__unpack_value(struct span_value *out, struct span_str p,
		       struct span_arena *arena, struct span_error *err)
{
	struct unpack u = begin(p, arena);

	get_value(&u, out, 0);
	return finish(&u, "a value", err);
}

int span__unpack_process(struct span_process *out, struct span_str p,
			 struct span_arena *arena, struct span_error *err)
{
	struct unpack u = begin(p, arena);
	size_t n = get_head(&u, 1);

	*out = (struct span_process){0};
	get_attrs(&u, &out->attrs);
	if (n > 1)
		out->schema_url = dec_str(&u.d, SPAN_MAX_STRING);
	if (n > 2)
		out->attrs.dropped = get_u32(&u);
	skip_rest(&u, n, 3);
	return finish(&u, "a process", err);
}

int span__unpack_scope(struct span_scope *out, struct span_str p,
		       struct span_arena *arena, struct span_error *err)
{
	struct unpack u = begin(p, arena);
	size_t n = get_head(&u, 3);

	*out = (struct span_scope){0};
	out->name = dec_str(&u.d, SPAN_MAX_STRING);
	out->version = dec_str(&u.d, SPAN_MAX_STRING);
	get_attrs(&u, &out->attrs);
	if (n > 3)
		out->schema_url = dec_str(&u.d, SPAN_MAX_STRING);
	if (n > 4)
		out->attrs.dropped = get_u32(&u);
	skip_rest(&u, n, 5);
	return finish(&u, "a scope", err);
}

int span__unpack_refs(const struct span_ref **out, size_t *n, struct span_str p,
		      struct span_arena *arena, struct span_error *err)
{
	struct unpack u = begin(p, arena);

	get_refs(&u, out, n);
	return finish(&u, "a list of references", err);
}

int span__unpack_rest(struct span *s, uint32_t *scope, struct span_str p,
		      struct span_arena *arena, struct span_error *err)
{
	struct unpack u = begin(p, arena);
	size_t n = get_head(&u, 11);

	s->marks =
		(uint16_t)dec_uint_max(&u.d, UINT16_MAX, "marks out of range");
	s->flags = get_u32(&u);
	*scope = get_u32(&u);
	s->status_message = dec_str(&u.d, SPAN_MAX_STRING);
	s->trace_state = dec_str(&u.d, SPAN_MAX_STRING);
	get_attrs(&u, &s->attrs);
	get_events(&u, s);
	get_refs(&u, &s->refs, &s->n_refs);
	s->attrs.dropped = get_u32(&u);
	s->dropped_events = get_u32(&u);
	s->dropped_refs = get_u32(&u);
	skip_rest(&u, n, 11);
	return finish(&u, "the rest of a span", err);
}
