/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's protobuf model: PostSpansRequest as its collector's gRPC service
 * takes it, or a Batch alone, as the query service's chunks of spans are too.
 *
 * The two begin alike. The first field of a span is an id of 16 bytes (or 8),
 * and no span is that short: so it is told whether field 1 is a span or a
 * batch of them.
 *
 * Source: jaeger-idl proto/api_v2/model.proto, collector.proto.
 */
#include "codec/jaeger_proto.h"
#include "codec/jaeger_model.h"

#include <stdio.h>

#include "base/banned.h"

/*
 * How many fields of a length there are of each number below 16, in the rest
 * of what is being read. Fields may be as short as two bytes: lists that
 * doubled would take a hundred times that.
 */
static void count(const struct span__message *m, size_t n[16])
{
	struct span__cursor in = m->in;
	struct span__proto_field f;

	memset(n, 0, 16 * sizeof(*n));
	while (span__proto_next(&in, &f))
		if (f.wire == PROTO_LEN && f.id < 16)
			n[f.id]++;
}

static struct span_str text_of(struct span__message *m, struct span_str s)
{
	if (s.len > SPAN_MAX_STRING)
		span__message_cut(m, &s, true);
	return s;
}

static struct span_str unknown_type(struct span__message *m,
				    struct span_arena *arena, uint64_t type)
{
	size_t size = sizeof("Unknown VType: -2147483648");
	char *text = span__message_array(m, arena, size, 1);

	if (!text)
		return SPAN_STR("");
	snprintf(text, size, "Unknown VType: %d", (int)(int32_t)type);
	return span_str(text);
}

/* All a KeyValue may hold; its type says which of them it is. */
struct pair {
	struct span_str text, bytes;
	bool b;
	int64_t i;
	double d;
	uint64_t type;
};

static void set_value(struct span__message *m, struct span_arena *arena,
		      const struct pair *p, struct span_value *v)
{
	switch (p->type) {
	case JAEGER_STRING:
		v->type = SPAN_STRING;
		v->str = text_of(m, p->text);
		break;
	case JAEGER_BOOL:
		v->type = SPAN_BOOL;
		v->b = p->b;
		break;
	case JAEGER_INT64:
		v->type = SPAN_INT;
		v->i = p->i;
		break;
	case JAEGER_FLOAT64:
		v->type = SPAN_DOUBLE;
		v->d = p->d;
		break;
	case JAEGER_BINARY:
		v->type = SPAN_BYTES;
		v->str = p->bytes;
		if (v->str.len > SPAN_MAX_STRING)
			span__message_cut(m, &v->str, false);
		break;
	default:
		v->type = SPAN_STRING;
		v->str = unknown_type(m, arena, p->type);
	}
}

static void read_tag(struct span__message *m, struct span_arena *arena,
		     struct span_attr *a)
{
	struct span__proto_field f;
	struct pair p = {.text = {"", 0}, .bytes = {"", 0}};

	*a = (struct span_attr){.key = {"", 0}};
	while (span__proto_next(&m->in, &f)) {
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			a->key = text_of(m, f.bytes);
			break;
		case PROTO(2, PROTO_VARINT):
			p.type = f.number;
			break;
		case PROTO(3, PROTO_LEN):
			p.text = f.bytes;
			break;
		case PROTO(4, PROTO_VARINT):
			p.b = f.number;
			break;
		case PROTO(5, PROTO_VARINT):
			p.i = (int64_t)f.number;
			break;
		case PROTO(6, PROTO_I64):
			p.d = proto_double(&f);
			break;
		case PROTO(7, PROTO_LEN):
			p.bytes = f.bytes;
			break;
		default:
			break;
		}
	}
	set_value(m, arena, &p, &a->value);
}

static void add_tag(struct span__message *m, struct span_arena *arena,
		    const struct span__proto_field *f, struct span__list *list)
{
	const unsigned char *end = proto_enter(&m->in, f);
	struct span_attr left_out, *a;

	a = span__jaeger_push(m, arena, list, SPAN_MAX_ATTRS, sizeof(*a));
	read_tag(m, arena, a ? a : &left_out);
	proto_leave(&m->in, end);
}

/*
 * A Timestamp or Duration as microseconds and the nanoseconds that follow; the
 * nearest where 64 bits do not hold it.
 */
static int64_t read_time(struct span__message *m,
			 const struct span__proto_field *time, unsigned *rest)
{
	const unsigned char *end = proto_enter(&m->in, time);
	struct span__proto_field f;
	int64_t seconds = 0, nanos = 0, us;

	while (span__proto_next(&m->in, &f)) {
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_VARINT))
			seconds = (int64_t)f.number;
		else if (PROTO(f.id, f.wire) == PROTO(2, PROTO_VARINT))
			nanos = (int32_t)f.number;
	}
	proto_leave(&m->in, end);
	if (nanos < 0) { /* of a negative time */
		nanos += 1000000000;
		if (__builtin_sub_overflow(seconds, 1, &seconds))
			return INT64_MIN;
	}
	*rest = (unsigned)(nanos % 1000);
	if (__builtin_mul_overflow(seconds, 1000000, &us) ||
	    __builtin_add_overflow(us, nanos / 1000, &us))
		us = seconds < 0 ? INT64_MIN : INT64_MAX;
	return us;
}

static void read_log(struct span__message *m, struct span_event *e)
{
	struct span__list fields = {0};
	struct span__proto_field f;
	unsigned rest = 0;
	int64_t us = 0;
	size_t n[16];

	*e = (struct span_event){0};
	count(m, n);
	span__jaeger_reserve(m, &m->d->arena, &fields, n[2], SPAN_MAX_ATTRS,
			     sizeof(struct span_attr));
	while (span__proto_next(&m->in, &f)) {
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN))
			us = read_time(m, &f, &rest);
		else if (PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN))
			add_tag(m, &m->d->arena, &f, &fields);
	}
	e->attrs = (struct span_attrs){.v = fields.v, .n = fields.n};
	span__jaeger_event_time(m, e, us, rest);
}

/* Ids are big-endian; of a trace there are ones of 64 bits. */
static bool is_trace_id(struct span_str s, uint8_t id[16])
{
	if (s.len != 16 && s.len != 8)
		return false;
	memset(id, 0, 16);
	memcpy(id + 16 - s.len, s.p, s.len);
	return true;
}

static bool is_span_id(struct span_str s, uint8_t id[8])
{
	if (s.len != 8)
		return false;
	memcpy(id, s.p, 8);
	return true;
}

static void read_ref(struct span__message *m, struct span__jaeger_span *s,
		     struct span_ref *ref)
{
	const unsigned char *at = m->in.p;
	struct span_str trace = {0}, id = {0};
	struct span__proto_field f;

	*ref = (struct span_ref){0};
	while (span__proto_next(&m->in, &f)) {
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN))
			trace = f.bytes;
		else if (PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN))
			id = f.bytes;
		else if (PROTO(f.id, f.wire) == PROTO(3, PROTO_VARINT))
			ref->type = (int32_t)f.number;
	}
	/* No link: Jaeger has none, and numbers below 0 neither. */
	if (ref->type < 0)
		ref->type = SPAN_REF_CHILD_OF;
	if (!is_trace_id(trace, ref->trace_id) || !is_span_id(id, ref->span_id))
		span__jaeger_bad(s, at, "a reference has no valid ids");
}

static void read_process(struct span__message *m, struct span_arena *arena,
			 struct span__jaeger_process *p)
{
	struct span__list tags = {0};
	struct span__proto_field f;
	uint16_t before = span__jaeger_process_begin(m);
	size_t n[16];

	*p = (struct span__jaeger_process){0};
	count(m, n);
	span__jaeger_reserve(m, arena, &tags, n[2], SPAN_MAX_ATTRS,
			     sizeof(struct span_attr));
	while (span__proto_next(&m->in, &f)) {
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN))
			p->p.service = text_of(m, f.bytes);
		else if (PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN))
			add_tag(m, arena, &f, &tags);
	}
	p->p.attrs = (struct span_attrs){.v = tags.v, .n = tags.n};
	span__jaeger_process_end(m, before, p, arena);
}

static void read_own_process(struct span__message *m,
			     struct span__jaeger_span *s)
{
	struct span__jaeger_process *p =
		span__message_array(m, &m->d->arena, 1, sizeof(*p));

	if (!p)
		return;
	read_process(m, &m->d->arena, p);
	s->process = p;
}

/* What stands inside a field of a span. */
static void read_inner(struct span__message *m, struct span__jaeger_span *s,
		       uint32_t id)
{
	struct span_arena *arena = &m->d->arena;
	struct span_event *e, left_out;
	struct span_ref *ref, no_ref;

	switch (id) {
	case 4:
		ref = span__jaeger_push(m, arena, &s->refs, SPAN_MAX_REFS,
					sizeof(*ref));
		read_ref(m, s, ref ? ref : &no_ref);
		break;
	case 9:
		e = span__jaeger_push(m, arena, &s->events, SPAN_MAX_EVENTS,
				      sizeof(*e));
		read_log(m, e ? e : &left_out);
		break;
	default:
		read_own_process(m, s);
	}
}

struct ids {
	struct span_str trace, span;
};

static void read_field(struct span__message *m, struct span__jaeger_span *s,
		       struct ids *ids, const struct span__proto_field *f)
{
	const unsigned char *end;

	switch (PROTO(f->id, f->wire)) {
	case PROTO(1, PROTO_LEN):
		ids->trace = f->bytes;
		break;
	case PROTO(2, PROTO_LEN):
		ids->span = f->bytes;
		break;
	case PROTO(3, PROTO_LEN):
		s->s.name = text_of(m, f->bytes);
		break;
	case PROTO(5, PROTO_VARINT):
		s->s.flags = (uint32_t)f->number;
		break;
	case PROTO(6, PROTO_LEN):
		s->start_us = read_time(m, f, &s->start_rest);
		break;
	case PROTO(7, PROTO_LEN):
		s->duration_us = read_time(m, f, &s->duration_rest);
		break;
	case PROTO(8, PROTO_LEN):
		add_tag(m, &m->d->arena, f, &s->attrs);
		break;
	case PROTO(4, PROTO_LEN):
	case PROTO(9, PROTO_LEN):
	case PROTO(10, PROTO_LEN):
		end = proto_enter(&m->in, f);
		read_inner(m, s, f->id);
		proto_leave(&m->in, end);
		break;
	case PROTO(12, PROTO_LEN):
		span__jaeger_warning(m, s, text_of(m, f->bytes));
		break;
	default:
		break;
	}
}

static void reserve(struct span__message *m, struct span__jaeger_span *s)
{
	struct span_arena *arena = &m->d->arena;
	size_t n[16];

	count(m, n);
	span__jaeger_reserve(m, arena, &s->refs, n[4], SPAN_MAX_REFS,
			     sizeof(struct span_ref));
	/* One more, for the warnings. */
	span__jaeger_reserve(m, arena, &s->attrs, n[8] + !!n[12],
			     SPAN_MAX_ATTRS, sizeof(struct span_attr));
	span__jaeger_reserve(m, arena, &s->warnings, n[12], SPAN_MAX_ATTRS,
			     sizeof(struct span_value));
	span__jaeger_reserve(m, arena, &s->events, n[9], SPAN_MAX_EVENTS,
			     sizeof(struct span_event));
}

static void read_span(struct span__message *m,
		      const struct span__jaeger_process *process)
{
	struct span__jaeger_span s = {.process = process};
	const unsigned char *at = m->in.p;
	struct span__proto_field f;
	struct ids ids = {0};

	m->marks = 0;
	reserve(m, &s);
	while (span__proto_next(&m->in, &f))
		read_field(m, &s, &ids, &f);
	if (!is_trace_id(ids.trace, s.s.trace_id))
		span__jaeger_bad(&s, at, "a trace id is not of 16 or 8 bytes");
	else if (!is_span_id(ids.span, s.s.span_id))
		span__jaeger_bad(&s, at, "a span id is not of 8 bytes");
	span__jaeger_span(m, &s);
}

/* The process stands behind the spans; the last one counts. */
static struct span__jaeger_process *find_process(struct span__message *m)
{
	const struct span__cursor start = m->in;
	struct span_arena *keep = &m->d->keep;
	struct span__proto_field f, last = {.bytes = {"", 0}};
	struct span__jaeger_process *p;
	const unsigned char *end;

	if (m->pass != SPAN__COLLECT)
		span_arena_reset(keep);
	p = span__message_array(m, keep, 1, sizeof(*p));
	while (p && span__proto_next(&m->in, &f))
		if (PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN))
			last = f;
	if (!p || m->in.failed)
		return NULL;
	end = proto_enter(&m->in, &last);
	read_process(m, keep, p);
	proto_leave(&m->in, end);
	if (m->in.failed)
		return NULL;
	m->in = start;
	return p;
}

static void read_batch(struct span__message *m)
{
	struct span__jaeger_process *p = find_process(m);
	struct span__proto_field f;

	while (p && span__proto_next(&m->in, &f)) {
		const unsigned char *end;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(&m->in, &f);
		read_span(m, p);
		proto_leave(&m->in, end);
	}
}

/* Is the first field 1 of the message a span, not a batch of them? */
static bool is_batch(const struct span__message *m)
{
	struct span__cursor in = m->in;
	struct span__proto_field f;

	while (span__proto_next(&in, &f)) {
		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		(void)proto_enter(&in, &f);
		return span__proto_next(&in, &f) &&
		       PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN) &&
		       (f.bytes.len == 16 || f.bytes.len == 8);
	}
	return false;
}

void span__jaeger_proto_read(struct span__message *m)
{
	struct span__proto_field f;

	if (is_batch(m)) {
		read_batch(m);
		return;
	}
	while (span__proto_next(&m->in, &f)) {
		const unsigned char *end;

		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(&m->in, &f);
		read_batch(m);
		proto_leave(&m->in, end);
	}
}
