/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's old Thrift model: a list of spans, as emitZipkinBatch carries it
 * or alone. Read here, made to our spans in zipkin_model.c.
 *
 * No field is required, so a span may be one byte long: messages are read
 * twice, and memory is that of one span.
 */
#include "codec/zipkin.h"

#include "base/banned.h"

#define TYPED(id, type) THRIFT_FIELD(id, THRIFT_##type)

static struct span_str read_text(struct span__message *m, bool compact)
{
	struct span_str s = thrift_string(&m->in, compact);

	if (s.len > SPAN_MAX_STRING)
		span__message_cut(m, &s, true);
	return s;
}

static void read_endpoint(struct span__message *m, bool compact,
			  struct span__zipkin_endpoint *e)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};

	*e = (struct span__zipkin_endpoint){.set = true};
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I32):
			e->ipv4 = thrift_i32(in, compact);
			break;
		case TYPED(2, I16):
			e->port = (uint16_t)thrift_i16(in, compact);
			break;
		case TYPED(3, STRING):
			e->service = read_text(m, compact);
			break;
		case TYPED(4, STRING):
			e->ipv6 = thrift_string(in, compact);
			e->has_ipv6 = true;
			if (e->ipv6.len > SPAN_MAX_STRING)
				span__message_cut(m, &e->ipv6, false);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
}

static void read_annotation(struct span__message *m, bool compact,
			    struct span__zipkin_annotation *a)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};

	*a = (struct span__zipkin_annotation){.value = {"", 0}};
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I64):
			a->us = thrift_i64(in, compact);
			break;
		case TYPED(2, STRING):
			a->value = read_text(m, compact);
			break;
		case TYPED(3, STRUCT):
			read_endpoint(m, compact, &a->host);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
}

static void read_binary(struct span__message *m, bool compact,
			struct span__zipkin_binary *b)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};

	*b = (struct span__zipkin_binary){.key = {"", 0}, .value = {"", 0}};
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, STRING):
			b->key = read_text(m, compact);
			break;
		case TYPED(2, STRING):
			b->value = thrift_string(in, compact);
			break;
		case TYPED(3, I32):
			b->type = thrift_i32(in, compact);
			break;
		case TYPED(4, STRUCT):
			read_endpoint(m, compact, &b->host);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
}

static void read_annotations(struct span__message *m, bool compact,
			     struct span__zipkin_span *s)
{
	size_t n = thrift_list(&m->in, compact, THRIFT_STRUCT, 1);
	size_t kept = n < SPAN_MAX_EVENTS ? n : SPAN_MAX_EVENTS;
	struct span__zipkin_annotation left_out, *v;

	v = span__message_array(m, &m->d->arena, kept, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		read_annotation(m, compact, i < kept ? &v[i] : &left_out);
	if (kept < n)
		m->marks |= SPAN_MARK_CUT;
	s->annotations = v;
	s->n_annotations = kept;
}

static void read_binaries(struct span__message *m, bool compact,
			  struct span__zipkin_span *s)
{
	size_t n = thrift_list(&m->in, compact, THRIFT_STRUCT, 1);
	size_t kept = n < SPAN_MAX_ATTRS ? n : SPAN_MAX_ATTRS;
	struct span__zipkin_binary left_out, *v;

	v = span__message_array(m, &m->d->arena, kept, sizeof(*v));
	if (!v)
		return;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		read_binary(m, compact, i < kept ? &v[i] : &left_out);
	if (kept < n)
		m->marks |= SPAN_MARK_CUT;
	s->binaries = v;
	s->n_binaries = kept;
}

static void read_span(struct span__message *m, bool compact,
		      struct span__zipkin_span *s)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};

	*s = (struct span__zipkin_span){.name = {"", 0}};
	m->marks = 0;
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I64):
			s->trace_id = (uint64_t)thrift_i64(in, compact);
			break;
		case TYPED(3, STRING):
			s->name = read_text(m, compact);
			break;
		case TYPED(4, I64):
			s->id = (uint64_t)thrift_i64(in, compact);
			break;
		case TYPED(5, I64):
			s->parent_id = (uint64_t)thrift_i64(in, compact);
			s->zero_parent = !s->parent_id;
			break;
		case TYPED(6, LIST):
			read_annotations(m, compact, s);
			break;
		case TYPED(8, LIST):
			read_binaries(m, compact, s);
			break;
		case TYPED(9, BOOL):
			s->debug = thrift_bool(in, compact);
			break;
		case TYPED(10, I64):
			s->start_us = thrift_i64(in, compact);
			break;
		case TYPED(11, I64):
			s->duration_us = thrift_i64(in, compact);
			break;
		case TYPED(12, I64):
			s->trace_id_high = (uint64_t)thrift_i64(in, compact);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
}

static void read_list(struct span__message *m, bool compact)
{
	struct span__zipkin_span s;
	size_t n;

	m->list = m->in.p;
	n = thrift_list(&m->in, compact, THRIFT_STRUCT, 1);
	for (; n && !m->in.failed; n--) {
		read_span(m, compact, &s);
		if (m->pass == SPAN__HAND_OUT && !m->in.failed)
			span__zipkin_span(m, &s);
		span_arena_reset(&m->d->arena);
	}
}

/*
 * A list without a head and without a span is a byte or five, and what comes
 * behind it says that these were something else.
 */
static void check_empty(struct span__message *m, bool compact)
{
	if (cursor_left(&m->in) && m->in.p - m->list <= (compact ? 1 : 5))
		span__cursor_fail(&m->in, m->in.p, SPAN_E_CORRUPT,
				  "there is more behind an empty list");
}

/* The arguments of emitZipkinBatch: the list is field 1. */
void span__zipkin_read(struct span__message *m, bool compact)
{
	struct span__thrift_field f = {0};
	bool found = false;

	if (!m->enveloped) {
		read_list(m, compact);
		check_empty(m, compact);
		return;
	}
	while (thrift_field(&m->in, compact, &f)) {
		if (thrift_key(&f) == TYPED(1, LIST)) {
			read_list(m, compact);
			found = true;
		} else {
			thrift_skip(&m->in, compact, &f);
		}
	}
	if (!found)
		span__cursor_fail(&m->in, m->in.p, SPAN_E_CORRUPT,
				  "the message has no list of spans");
}

void span__zipkin_again(struct span__message *m, bool compact)
{
	m->in.p = m->list;
	read_list(m, compact);
}
