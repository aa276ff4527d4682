/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's ListOfSpans.
 *
 * Times are unsigned there; one whose highest bit is set is taken for the
 * negative number that some encoder wrote, and clamped.
 *
 * Source: openzipkin zipkin.proto.
 */
#include "codec/proto.h"
#include "codec/zipkin_read.h"

#include "base/banned.h"

static uint64_t big_endian(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static void read_trace_id(struct span__zipkin_reader *r, struct span_str s)
{
	if (s.len != 8 && s.len != 16) {
		span__zipkin_bad(r, (const unsigned char *)s.p,
				 "a trace id is not 8 or 16 bytes");
		return;
	}
	r->span.trace_id_high = s.len == 16 ? big_endian(s.p) : 0;
	r->span.trace_id = big_endian(s.p + s.len - 8);
}

static uint64_t read_id(struct span__zipkin_reader *r, struct span_str s)
{
	if (s.len == 8)
		return big_endian(s.p);
	if (s.len)
		span__zipkin_bad(r, (const unsigned char *)s.p,
				 "an id is not 8 bytes");
	return 0;
}

/* LEN bytes; another number of them is kept, but is no address. */
static bool is_address(struct span__zipkin_reader *r, struct span_str s,
		       size_t len, struct span__zipkin_endpoint *e)
{
	if (s.len == len || !s.len)
		return s.len;
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(r->m, &s, false);
	e->odd_address = (struct span_value){.type = SPAN_BYTES, .str = s};
	return false;
}

static void read_endpoint(struct span__zipkin_reader *r,
			  const struct span__proto_field *in_span,
			  struct span__zipkin_endpoint *e)
{
	struct span__cursor *in = &r->m->in;
	const unsigned char *end = proto_enter(in, in_span);
	struct span__proto_field f;
	uint32_t ipv4;

	if (!e->set)
		*e = (struct span__zipkin_endpoint){.set = true,
						    .service = {"", 0}};
	while (span__proto_next(in, &f)) {
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			e->service = span__zipkin_text(r->m, f.bytes);
			break;
		case PROTO(2, PROTO_LEN):
			if (!is_address(r, f.bytes, sizeof(ipv4), e))
				break;
			memcpy(&ipv4, f.bytes.p, sizeof(ipv4));
			e->ipv4 = (int32_t)be32toh(ipv4);
			break;
		case PROTO(3, PROTO_LEN):
			if (!is_address(r, f.bytes, 16, e))
				break;
			e->ipv6 = f.bytes;
			e->has_ipv6 = true;
			break;
		case PROTO(4, PROTO_VARINT):
			e->port = (int32_t)(uint32_t)f.number;
			break;
		}
	}
	proto_leave(in, end);
}

static void read_annotation(struct span__zipkin_reader *r,
			    const struct span__proto_field *in_span)
{
	struct span__zipkin_annotation a = {.value = {"", 0}};
	struct span__cursor *in = &r->m->in;
	const unsigned char *end = proto_enter(in, in_span);
	struct span__proto_field f;

	while (span__proto_next(in, &f)) {
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_I64):
			a.us = (int64_t)f.number;
			break;
		case PROTO(2, PROTO_LEN):
			a.value = span__zipkin_text(r->m, f.bytes);
			break;
		}
	}
	proto_leave(in, end);
	if (a.value.len || a.us)
		span__zipkin_annotate(r, &a);
}

static void read_tag(struct span__zipkin_reader *r,
		     const struct span__proto_field *in_span)
{
	struct span__zipkin_binary b = {
		.key = {"", 0},
		.made = {.type = SPAN_STRING, .str = {"", 0}},
		.is_made = true,
	};
	struct span__cursor *in = &r->m->in;
	const unsigned char *end = proto_enter(in, in_span);
	struct span__proto_field f;

	while (span__proto_next(in, &f)) {
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			b.key = span__zipkin_text(r->m, f.bytes);
			break;
		case PROTO(2, PROTO_LEN):
			b.made.str = span__zipkin_text(r->m, f.bytes);
			break;
		}
	}
	proto_leave(in, end);
	span__zipkin_add(r, &b);
}

/* A number that a later version may give a meaning is no kind. */
static uint8_t kind_of(uint64_t number)
{
	static const uint8_t kinds[] = {
		SPAN_KIND_UNSPECIFIED, SPAN_KIND_CLIENT,   SPAN_KIND_SERVER,
		SPAN_KIND_PRODUCER,    SPAN_KIND_CONSUMER,
	};

	return number < sizeof(kinds) ? kinds[number] : 0;
}

static void read_field(struct span__zipkin_reader *r,
		       const struct span__proto_field *f)
{
	struct span__zipkin_span *z = &r->span;

	switch (PROTO(f->id, f->wire)) {
	case PROTO(1, PROTO_LEN):
		read_trace_id(r, f->bytes);
		break;
	case PROTO(2, PROTO_LEN):
		z->parent_id = read_id(r, f->bytes);
		break;
	case PROTO(3, PROTO_LEN):
		z->id = read_id(r, f->bytes);
		break;
	case PROTO(4, PROTO_VARINT):
		z->kind = kind_of(f->number);
		break;
	case PROTO(5, PROTO_LEN):
		z->name = span__zipkin_text(r->m, f->bytes);
		break;
	case PROTO(6, PROTO_I64):
		z->start_us = (int64_t)f->number;
		z->has_start = true;
		break;
	case PROTO(7, PROTO_VARINT):
		z->duration_us = (int64_t)f->number;
		z->has_duration = true;
		break;
	case PROTO(8, PROTO_LEN):
		read_endpoint(r, f, &z->local);
		break;
	case PROTO(9, PROTO_LEN):
		read_endpoint(r, f, &z->remote);
		break;
	case PROTO(10, PROTO_LEN):
		read_annotation(r, f);
		break;
	case PROTO(11, PROTO_LEN):
		read_tag(r, f);
		break;
	case PROTO(12, PROTO_VARINT):
		z->debug = f->number;
		break;
	case PROTO(13, PROTO_VARINT):
		z->shared = f->number;
		break;
	}
}

void span__zipkin_read_proto(struct span__message *m)
{
	struct span__zipkin_reader r = {.m = m};
	struct span__proto_field f, in_span;

	while (span__proto_next(&m->in, &f)) {
		const unsigned char *end;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(&m->in, &f);
		span__zipkin_begin(&r);
		while (span__proto_next(&m->in, &in_span))
			read_field(&r, &in_span);
		proto_leave(&m->in, end);
		span__zipkin_end(&r, (const unsigned char *)f.bytes.p);
	}
	span__zipkin_release(&r);
}
