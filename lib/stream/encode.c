/* SPDX-License-Identifier: Apache-2.0 */
/* Spans to the body of a frame; tables.c has what they refer to. */
#include "stream/enc.h"

#include <endian.h>
#include <string.h>

#include "base/banned.h"

/*
 * Starts are counted from this much before the first span of a frame, so that
 * spans which began a little earlier stay small numbers.
 */
#define BASE_BEFORE_NS UINT64_C(2000000000)

/* What packs into PACK_MAX bytes. */
static bool is_small(enum span_type type)
{
	return type == SPAN_INT || type == SPAN_BOOL || type == SPAN_DOUBLE ||
	       type == SPAN_NULL;
}

static void pack_small(struct pack *x, const struct span_value *v)
{
	if (v->type == SPAN_INT)
		pack_int64(x, v->i);
	else if (v->type == SPAN_DOUBLE)
		pack_double(x, v->d);
	else if (v->type == SPAN_NULL)
		pack_nil(x);
	else if (v->b)
		pack_true(x);
	else
		pack_false(x);
}

static void enc_value(struct enc *e, const struct span_value *v,
		      unsigned depth);

static void enc_list(struct enc *e, const struct span_value *v, unsigned depth)
{
	enc_array(e, v->array.n);
	for (size_t i = 0; i < v->array.n && !e->err; i++)
		enc_value(e, &v->array.v[i], depth + 1);
}

static void enc_map(struct enc *e, const struct span_value *v, unsigned depth)
{
	if (enc_room(e, PACK_MAX))
		pack_map(&e->x, v->map.n);
	for (size_t i = 0; i < v->map.n && !e->err; i++) {
		enc_raw_str(e, v->map.v[i].key, false);
		enc_value(e, &v->map.v[i].value, depth + 1);
	}
}

/* A value in place; recursion ends at SPAN_MAX_DEPTH. */
static void enc_value(struct enc *e, const struct span_value *v, unsigned depth)
{
	if (depth > SPAN_MAX_DEPTH) {
		enc_fail(e, SPAN_E_LIMIT, "a value nested above 64");
		return;
	}
	if (!enc_room(e, PACK_MAX))
		return;
	if (is_small(v->type))
		pack_small(&e->x, v);
	else if (v->type == SPAN_STRING || v->type == SPAN_BYTES)
		enc_raw_str(e, v->str, v->type == SPAN_BYTES);
	else if (v->type == SPAN_ARRAY)
		enc_list(e, v, depth);
	else if (v->type == SPAN_MAP)
		enc_map(e, v, depth);
	else
		enc_fail(e, SPAN_E_INVALID, "a value of no known type");
}

/* A key and its value; ROOM bytes are needed for what comes behind. */
static void enc_attr(struct enc *e, const struct span_attr *a,
		     struct span__guess *g, size_t room)
{
	uint32_t key = enc_guessed(e, a->key, &g->key1, true), value;

	if (a->value.type == SPAN_STRING) {
		value = enc_guessed(e, a->value.str, &g->value1, false);
		pack_uint32(&e->x, key << 1 | 1);
		pack_uint32(&e->x, value);
		return;
	}
	pack_uint32(&e->x, key << 1);
	if (is_small(a->value.type)) {
		pack_small(&e->x, &a->value);
		return;
	}
	enc_value(e, &a->value, 0);
	enc_room(e, room);
}

void span__enc_attrs(struct enc *e, const struct span_attrs *attrs,
		     struct span__guess *guesses)
{
	const size_t each = 2 * PACK_MAX;

	if (attrs->n > SPAN_MAX_ATTRS) {
		enc_fail(e, SPAN_E_LIMIT, "more than 1,024 attributes");
		return;
	}
	if (!enc_room(e, PACK_MAX + attrs->n * each))
		return;
	pack_array(&e->x, 2 * attrs->n);
	for (size_t i = 0; i < attrs->n && !e->err; i++) {
		struct span__guess none = {0};
		struct span__guess *g = &none;

		if (guesses && i < GUESS_PLACES)
			g = &guesses[i];
		enc_attr(e, &attrs->v[i], g, (attrs->n - i) * each);
	}
}

/* Nanoseconds; whole microseconds as a negative number, which is shorter. */
static void enc_time(struct enc *e, uint64_t ns)
{
	if (!enc_room(e, PACK_MAX))
		return;
	if (ns % 1000 == 0)
		pack_int64(&e->x, -(int64_t)(ns / 1000));
	else
		pack_uint64(&e->x, ns);
}

static uint64_t id_number(const uint8_t id[8])
{
	uint64_t v;

	memcpy(&v, id, 8);
	return be64toh(v);
}

static void enc_trace_id(struct enc *e, const uint8_t id[16])
{
	if (!id_number(id))
		enc_u64(e, id_number(id + 8));
	else
		enc_raw_str(e, (struct span_str){(const char *)id, 16}, true);
}

static void enc_event(struct enc *e, const struct span_event *ev,
		      uint64_t start_ns, struct span__guess *guesses)
{
	size_t n = ev->attrs.dropped ? 4 : ev->name.len ? 3 : 1;

	if (n == 1 && ev->attrs.n)
		n = 2;
	enc_array(e, n);
	enc_time(e, ev->time_ns - start_ns);
	if (n > 1)
		span__enc_attrs(e, &ev->attrs, guesses);
	if (n > 2)
		enc_ref1(e, ev->name);
	if (n > 3)
		enc_u64(e, ev->attrs.dropped);
}

static size_t ref_elements(const struct span_ref *r)
{
	if (r->attrs.dropped)
		return 7;
	if (r->flags)
		return 6;
	if (r->trace_state.len)
		return 5;
	return r->attrs.n ? 4 : 3;
}

static void enc_reference(struct enc *e, const struct span_ref *r,
			  const uint8_t trace_id[16])
{
	size_t n = ref_elements(r);

	enc_array(e, n);
	if (!enc_room(e, 2 * PACK_MAX))
		return;
	pack_int64(&e->x, r->type);
	if (!memcmp(r->trace_id, trace_id, 16))
		pack_nil(&e->x);
	else
		enc_trace_id(e, r->trace_id);
	enc_u64(e, id_number(r->span_id));
	if (n > 3)
		span__enc_attrs(e, &r->attrs, NULL);
	if (n > 4)
		enc_ref1(e, r->trace_state);
	if (n > 5)
		enc_u64(e, r->flags);
	if (n > 6)
		enc_u64(e, r->attrs.dropped);
}

static size_t extra_elements(const struct span *s)
{
	if (s->dropped_refs)
		return 5;
	if (s->dropped_events)
		return 4;
	if (s->attrs.dropped)
		return 3;
	if (s->trace_state.len)
		return 2;
	return s->status_message.len ? 1 : 0;
}

static void enc_extra(struct enc *e, const struct span *s, size_t n)
{
	enc_array(e, n);
	if (n > 0)
		enc_ref1(e, s->status_message);
	if (n > 1)
		enc_ref1(e, s->trace_state);
	if (n > 2)
		enc_u64(e, s->attrs.dropped);
	if (n > 3)
		enc_u64(e, s->dropped_events);
	if (n > 4)
		enc_u64(e, s->dropped_refs);
}

static size_t span_elements(const struct span *s, size_t n_extra)
{
	if (n_extra)
		return 14;
	if (s->n_refs)
		return 13;
	if (s->n_events)
		return 12;
	return s->attrs.n ? 11 : 10;
}

static void enc_lists(struct enc *e, const struct span *s, size_t n,
		      uint32_t row)
{
	if (n > 11) {
		enc_array(e, s->n_events);
		for (size_t i = 0; i < s->n_events && !e->err; i++)
			enc_event(e, &s->events[i], s->start_ns,
				  e->b->guesses->fields[row]);
	}
	if (n > 12) {
		enc_array(e, s->n_refs);
		for (size_t i = 0; i < s->n_refs && !e->err; i++)
			enc_reference(e, &s->refs[i], s->trace_id);
	}
}

/* Names are few and differ in length or in their last letters. */
static uint32_t enc_name(struct enc *e, struct span_str s)
{
	size_t at = s.len;

	if (s.len >= 2)
		at += (unsigned char)s.p[s.len - 1] * 7u +
		      (unsigned char)s.p[s.len / 2] * 3u;
	return enc_guessed(e, s, &e->b->guesses->names1[at % GUESS_NAMES],
			   true);
}

static void enc_span(struct enc *e, const struct span *s)
{
	size_t n_extra = extra_elements(s), n = span_elements(s, n_extra);
	uint32_t process = span__enc_process(e, s->process);
	uint32_t scope1 = span__enc_scope1(e, s->scope);
	uint32_t name = enc_name(e, s->name), row = name % GUESS_NAMES;

	enc_array(e, n);
	enc_trace_id(e, s->trace_id);
	if (!enc_room(e, 8 * PACK_MAX))
		return;
	pack_uint64(&e->x, id_number(s->span_id));
	pack_uint64(&e->x, id_number(s->parent_id));
	pack_uint32(&e->x, process);
	pack_uint32(&e->x, scope1);
	pack_uint32(&e->x, name);
	enc_time(e, s->start_ns - e->b->base_ns);
	enc_time(e, s->duration_ns);
	enc_u64(e, (uint64_t)s->kind | (uint64_t)s->status << 4 |
			   (uint64_t)s->marks << 8);
	enc_u64(e, s->flags);
	if (n > 10)
		span__enc_attrs(e, &s->attrs, e->b->guesses->attrs[row]);
	enc_lists(e, s, n, row);
	if (n > 13)
		enc_extra(e, s, n_extra);
}

/*
 * The length goes before the span but is known after it: two bytes are left
 * free, which fits most spans, and the others are moved.
 */
#define GAP 2u

static int put_length(struct span_buf *body, size_t at)
{
	size_t len = body->len - at - GAP, head;
	char length[PACK_MAX];
	struct pack x = {length};

	pack_uint64(&x, len);
	head = (size_t)(x.p - length);
	if (head != GAP) {
		if (!span_buf_reserve(body, head))
			return SPAN_E_NOMEM;
		memmove(body->p + at + head, body->p + at + GAP, len);
	}
	memcpy(body->p + at, length, head);
	body->len = at + head + len;
	return 0;
}

static void start_frame(struct span__building *b, const struct span *s)
{
	if (s->start_ns >= BASE_BEFORE_NS)
		b->base_ns = s->start_ns - BASE_BEFORE_NS;
	else
		b->base_ns = 0;
	b->min_start_ns = UINT64_MAX;
	b->max_end_ns = 0;
}

size_t span__enc_text_bytes(const struct span_attrs *attrs)
{
	size_t sum = 0;

	for (size_t i = 0; i < attrs->n && i < SPAN_MAX_ATTRS; i++) {
		const struct span_attr *a = &attrs->v[i];

		sum += a->key.len;
		if (a->value.type == SPAN_STRING)
			sum += a->value.str.len;
	}
	return sum;
}

/* Strings are shared by the spans of a frame, but one of them may come alone.
 */
static bool texts_fit(const struct span *s)
{
	size_t sum = span__enc_text_bytes(&s->attrs);

	for (size_t i = 0; i < s->n_events && sum <= SPAN_MAX_BYTES; i++)
		sum += s->events[i].name.len +
		       span__enc_text_bytes(&s->events[i].attrs);
	for (size_t i = 0; i < s->n_refs && sum <= SPAN_MAX_BYTES; i++)
		sum += s->refs[i].trace_state.len +
		       span__enc_text_bytes(&s->refs[i].attrs);
	return sum <= SPAN_MAX_BYTES;
}

static bool fits(const struct span *s, const char **why)
{
	*why = NULL;
	if (s->n_events > SPAN_MAX_EVENTS)
		*why = "more than 1,024 events";
	else if (s->n_refs > SPAN_MAX_REFS)
		*why = "more than 1,024 references";
	else if (s->kind > 15 || s->status > 15)
		*why = "a kind or status above 15";
	else if (!texts_fit(s))
		*why = "a span above 1 MiB";
	return !*why;
}

int span__building_add(struct span__building *b, const struct span *s)
{
	size_t at = b->body.len;
	uint64_t end_ns = span_end_ns(s);
	struct enc e;

	if (!fits(s, &b->refused))
		return SPAN_E_LIMIT;
	if (!b->n_spans)
		start_frame(b, s);
	enc_begin(&e, b, &b->body);
	if (enc_room(&e, GAP))
		e.x.p += GAP;
	enc_span(&e, s);
	enc_end(&e);
	if (!e.err && b->body.len - at - GAP > SPAN_MAX_BYTES)
		enc_fail(&e, SPAN_E_LIMIT, "a span above 1 MiB");
	if (!e.err && put_length(&b->body, at) < 0)
		enc_fail(&e, SPAN_E_NOMEM, "no memory for a frame");
	if (e.err) {
		b->body.len = at;
		b->refused = e.what;
		return e.err;
	}
	b->n_spans++;
	if (s->start_ns < b->min_start_ns)
		b->min_start_ns = s->start_ns;
	if (end_ns > b->max_end_ns)
		b->max_end_ns = end_ns;
	return 0;
}
