/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and their values, which may be lists of values. */
#include "codec/otlp_proto.h"

#include "base/banned.h"

static void read_value(struct span__otlp_proto *r,
		       const struct span__proto_field *field,
		       struct span_value *v, unsigned depth);

size_t span__otlp_count(const struct span__cursor *in, uint32_t key)
{
	struct span__cursor copy = *in;
	struct span__proto_field f;
	size_t n = 0;

	while (span__proto_next(&copy, &f))
		n += PROTO(f.id, f.wire) == key;
	return n;
}

/* Room for N attributes, and for MORE. */
void span__otlp_attrs_open(struct span__otlp_proto *r,
			   struct span__otlp_attrs *list, size_t n, size_t more)
{
	*list = (struct span__otlp_attrs){
		.max = n < SPAN_MAX_ATTRS ? n : SPAN_MAX_ATTRS};
	list->v = span__message_array(r->o.m, r->arena, list->max + more,
				      sizeof(*list->v));
}

/* A value of LEN bytes that holds one short text, a number or a truth. */
static bool usual_value(const unsigned char *p, size_t len,
			struct span_value *v)
{
	if (len < 2)
		return false;
	if (p[0] == PROTO(1, PROTO_LEN) && p[1] == len - 2) {
		v->type = SPAN_STRING;
		v->str = (struct span_str){(const char *)p + 2, len - 2};
		return true;
	}
	if (p[0] == PROTO(2, PROTO_VARINT) && len == 2 && p[1] <= 1) {
		v->type = SPAN_BOOL;
		v->b = p[1];
		return true;
	}
	if (p[0] == PROTO(3, PROTO_VARINT) && len <= 4 && p[len - 1] < 0x80) {
		uint64_t n = 0;

		for (size_t i = len - 1; i; i--) {
			if (i < len - 1 && p[i] < 0x80)
				return false;
			n = n << 7 | (p[i] & 0x7f);
		}
		v->type = SPAN_INT;
		v->i = (int64_t)n;
		return true;
	}
	return false;
}

/*
 * An attribute as every SDK writes it, key and value in this order and both
 * short, stands where the lengths say: half of the time goes into attributes.
 */
static bool usual_attr(const struct span_str bytes, struct span_attr *a)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t at;

	if (bytes.len < 4 || p[0] != PROTO(1, PROTO_LEN) || p[1] >= 0x80)
		return false;
	at = 2 + (size_t)p[1];
	if (at + 2 > bytes.len || p[at] != PROTO(2, PROTO_LEN) ||
	    p[at + 1] >= 0x80 || at + 2 + p[at + 1] != bytes.len)
		return false;
	a->key = (struct span_str){(const char *)p + 2, p[1]};
	return usual_value(p + at + 2, p[at + 1], &a->value);
}

static void read_key_value(struct span__otlp_proto *r,
			   const struct span__proto_field *field,
			   struct span_attr *a, unsigned depth)
{
	const unsigned char *end;
	struct span__proto_field f;

	if (usual_attr(field->bytes, a))
		return;
	end = proto_enter(r->in, field);
	*a = (struct span_attr){.key = SPAN_STR("")};
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			a->key = otlp_text(r, &f);
			break;
		case PROTO(2, PROTO_LEN):
			read_value(r, &f, &a->value, depth);
			break;
		}
	proto_leave(r->in, end);
}

void span__otlp_attr(struct span__otlp_proto *r,
		     const struct span__proto_field *f,
		     struct span__otlp_attrs *list)
{
	struct span_attr left_out;

	if (list->n < list->max) {
		read_key_value(r, f, &list->v[list->n++], 0);
		return;
	}
	read_key_value(r, f, &left_out, 0);
	r->o.m->marks |= SPAN_MARK_CUT;
}

static void read_array(struct span__otlp_proto *r,
		       const struct span__proto_field *field,
		       struct span_value *v, unsigned depth)
{
	const unsigned char *end = proto_enter(r->in, field);
	size_t n = span__otlp_count(r->in, PROTO(1, PROTO_LEN)), i = 0;
	struct span_value *items =
		span__message_array(r->o.m, r->arena, n, sizeof(*items));
	struct span__proto_field f;

	while (items && span__proto_next(r->in, &f)) {
		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		items[i] = (struct span_value){0};
		read_value(r, &f, &items[i++], depth);
	}
	*v = (struct span_value){.type = SPAN_ARRAY, .array = {items, i}};
	proto_leave(r->in, end);
}

static void read_map(struct span__otlp_proto *r,
		     const struct span__proto_field *field,
		     struct span_value *v, unsigned depth)
{
	const unsigned char *end = proto_enter(r->in, field);
	size_t n = span__otlp_count(r->in, PROTO(1, PROTO_LEN)), i = 0;
	struct span_attr *pairs =
		span__message_array(r->o.m, r->arena, n, sizeof(*pairs));
	struct span__proto_field f;

	while (pairs && span__proto_next(r->in, &f))
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN))
			read_key_value(r, &f, &pairs[i++], depth);
	*v = (struct span_value){.type = SPAN_MAP, .map = {pairs, i}};
	proto_leave(r->in, end);
}

/* DEPTH arrays and maps are around this value. */
static void read_nested(struct span__otlp_proto *r,
			const struct span__proto_field *f, struct span_value *v,
			unsigned depth)
{
	if (depth >= SPAN_MAX_DEPTH) {
		*v = (struct span_value){0};
		r->o.m->marks |= SPAN_MARK_CUT;
	} else if (f->id == 5) {
		read_array(r, f, v, depth + 1);
	} else {
		read_map(r, f, v, depth + 1);
	}
}

static void read_value(struct span__otlp_proto *r,
		       const struct span__proto_field *field,
		       struct span_value *v, unsigned depth)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__proto_field f;

	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			v->type = SPAN_STRING;
			v->str = otlp_text(r, &f);
			break;
		case PROTO(2, PROTO_VARINT):
			v->type = SPAN_BOOL;
			v->b = f.number != 0;
			break;
		case PROTO(3, PROTO_VARINT):
			v->type = SPAN_INT;
			v->i = (int64_t)f.number;
			break;
		case PROTO(4, PROTO_I64):
			v->type = SPAN_DOUBLE;
			v->d = proto_double(&f);
			break;
		case PROTO(5, PROTO_LEN):
		case PROTO(6, PROTO_LEN):
			read_nested(r, &f, v, depth);
			break;
		case PROTO(7, PROTO_LEN):
			v->type = SPAN_BYTES;
			v->str = f.bytes;
			if (v->str.len > SPAN_MAX_STRING)
				span__message_cut(r->o.m, &v->str, false);
			break;
		}
	proto_leave(r->in, end);
}
