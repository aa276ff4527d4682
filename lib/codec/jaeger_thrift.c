/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jaeger's Thrift model: Batch, as emitBatch carries it or alone.
 *
 * A field that is unknown, or of another type than ours, is skipped; a
 * missing required one fails the message, as in every Thrift library. A list
 * is longer than its message when even its shortest elements do not fit, so
 * its length times the size of ours is a small multiple of the bytes there.
 */
#include "codec/decoder.h"
#include "codec/usual_tag.h"

#include <stdio.h>

#include "base/id.h"

#include "base/banned.h"

#define TYPED(id, type) THRIFT_FIELD(id, THRIFT_##type)

/* Bytes of the shortest valid struct: all required fields, nothing else. */
#define MIN_TAG(compact) ((compact) ? 5u : 15u)
#define MIN_LOG(compact) ((compact) ? 5u : 20u)
#define MIN_REF(compact) ((compact) ? 9u : 41u)
#define MIN_SPAN(compact) ((compact) ? 17u : 81u)

static void missing(struct span__message *m, const char *what)
{
	span__cursor_fail(&m->in, m->in.p, SPAN_E_CORRUPT, what);
}

THRIFT_INLINE struct span_str read_text(struct span__message *m, bool compact)
{
	struct span_str s = thrift_string(&m->in, compact);

	if (__builtin_expect(s.len > SPAN_MAX_STRING, 0))
		span__message_cut(m, &s, true);
	return s;
}

static void unknown_type(struct span__message *m, int32_t type,
			 struct span_value *v)
{
	size_t size = sizeof("Unknown VType: -2147483648");
	char *text = span__message_array(m, &m->d->arena, size, 1);

	v->type = SPAN_STRING;
	v->str = SPAN_STR("");
	if (!text)
		return;
	snprintf(text, size, "Unknown VType: %d", (int)type);
	v->str = span_str(text);
}

THRIFT_INLINE void read_tag(struct span__message *m, bool compact,
			    struct span_attr *a)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	struct span_str text = {"", 0}, bytes = {"", 0};
	unsigned seen = 0;
	int32_t type = 0;
	int64_t i = 0;
	double d = 0;
	bool b = false;

	if (compact ? usual_tag_compact(in, a) : usual_tag_binary(in, a))
		return;
	a->key = SPAN_STR("");
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, STRING):
			a->key = read_text(m, compact);
			seen |= 1;
			break;
		case TYPED(2, I32):
			type = thrift_i32(in, compact);
			seen |= 2;
			break;
		case TYPED(3, STRING):
			text = read_text(m, compact);
			break;
		case TYPED(4, DOUBLE):
			d = thrift_double(in, compact);
			break;
		case TYPED(5, BOOL):
			b = thrift_bool(in, compact);
			break;
		case TYPED(6, I64):
			i = thrift_i64(in, compact);
			break;
		case TYPED(7, STRING):
			bytes = thrift_string(in, compact);
			if (bytes.len > SPAN_MAX_STRING)
				span__message_cut(m, &bytes, false);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
	if (seen != 3)
		missing(m, seen & 1 ? "a tag has no type" : "a tag has no key");
	switch (type) {
	case TAG_STRING:
		a->value.type = SPAN_STRING;
		a->value.str = text;
		break;
	case TAG_DOUBLE:
		a->value.type = SPAN_DOUBLE;
		a->value.d = d;
		break;
	case TAG_BOOL:
		a->value.type = SPAN_BOOL;
		a->value.b = b;
		break;
	case TAG_LONG:
		a->value.type = SPAN_INT;
		a->value.i = i;
		break;
	case TAG_BINARY:
		a->value.type = SPAN_BYTES;
		a->value.str = bytes;
		break;
	default:
		unknown_type(m, type, &a->value);
	}
}

THRIFT_INLINE void read_tag_list(struct span__message *m, bool compact,
				 struct span_arena *arena,
				 struct span_attrs *out)
{
	size_t n =
		thrift_list(&m->in, compact, THRIFT_STRUCT, MIN_TAG(compact));
	size_t kept = n < SPAN_MAX_ATTRS ? n : SPAN_MAX_ATTRS;
	struct span_attr *v = span__message_array(m, arena, kept, sizeof(*v));
	struct span_attr left_out;

	if (!v)
		return;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		read_tag(m, compact, i < kept ? &v[i] : &left_out);
	if (kept < n)
		m->marks |= SPAN_MARK_CUT;
	*out = (struct span_attrs){.v = v, .n = kept};
}

static void read_tags_compact(struct span__message *m, struct span_arena *arena,
			      struct span_attrs *out)
{
	read_tag_list(m, true, arena, out);
}

static void read_tags_binary(struct span__message *m, struct span_arena *arena,
			     struct span_attrs *out)
{
	read_tag_list(m, false, arena, out);
}

THRIFT_INLINE void read_tags(struct span__message *m, bool compact,
			     struct span_arena *arena, struct span_attrs *out)
{
	if (compact)
		read_tags_compact(m, arena, out);
	else
		read_tags_binary(m, arena, out);
}

THRIFT_INLINE void read_log(struct span__message *m, bool compact,
			    struct span_event *e)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	unsigned seen = 0;
	int64_t us = 0;

	*e = (struct span_event){0};
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I64):
			us = thrift_i64(in, compact);
			seen |= 1;
			break;
		case TYPED(2, LIST):
			read_tags(m, compact, &m->d->arena, &e->attrs);
			seen |= 2;
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
	if (seen != 3)
		missing(m, seen & 1 ? "a log has no fields"
				    : "a log has no timestamp");
	if (!span__ns(us, &e->time_ns))
		span__message_event_time(m, e, us);
}

THRIFT_INLINE void read_logs(struct span__message *m, bool compact,
			     struct span *s)
{
	size_t n =
		thrift_list(&m->in, compact, THRIFT_STRUCT, MIN_LOG(compact));
	size_t kept = n < SPAN_MAX_EVENTS ? n : SPAN_MAX_EVENTS;
	struct span_event *v =
		span__message_array(m, &m->d->arena, kept, sizeof(*v));
	struct span_event left_out;

	if (!v)
		return;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		read_log(m, compact, i < kept ? &v[i] : &left_out);
	if (kept < n)
		m->marks |= SPAN_MARK_CUT;
	s->events = v;
	s->n_events = kept;
}

THRIFT_INLINE void read_ref(struct span__message *m, bool compact,
			    struct span_ref *r)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	unsigned seen = 0;

	*r = (struct span_ref){0};
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I32):
			r->type = thrift_i32(in, compact);
			break;
		case TYPED(2, I64):
			span__id_put(r->trace_id + 8, thrift_i64(in, compact));
			break;
		case TYPED(3, I64):
			span__id_put(r->trace_id, thrift_i64(in, compact));
			break;
		case TYPED(4, I64):
			span__id_put(r->span_id, thrift_i64(in, compact));
			break;
		default:
			thrift_skip(in, compact, &f);
			continue;
		}
		seen |= 1u << f.id;
	}
	if (seen != 0x1e)
		missing(m, "a reference has no type, trace id or span id");
}

THRIFT_INLINE void read_refs(struct span__message *m, bool compact,
			     struct span *s)
{
	size_t n =
		thrift_list(&m->in, compact, THRIFT_STRUCT, MIN_REF(compact));
	size_t kept = n < SPAN_MAX_REFS ? n : SPAN_MAX_REFS;
	struct span_ref *v =
		span__message_array(m, &m->d->arena, kept, sizeof(*v));
	struct span_ref left_out;

	if (!v)
		return;
	for (size_t i = 0; i < n && !m->in.failed; i++)
		read_ref(m, compact, i < kept ? &v[i] : &left_out);
	if (kept < n)
		m->marks |= SPAN_MARK_CUT;
	s->refs = v;
	s->n_refs = kept;
}

static void missing_of_span(struct span__message *m, unsigned seen)
{
	static const char *const text[] = {
		[1] = "a span has no traceIdLow",
		[2] = "a span has no traceIdHigh",
		[3] = "a span has no spanId",
		[4] = "a span has no parentSpanId",
		[5] = "a span has no operationName",
		[7] = "a span has no flags",
		[8] = "a span has no startTime",
		[9] = "a span has no duration",
	};

	for (unsigned i = 1; i < sizeof(text) / sizeof(*text); i++) {
		if (text[i] && !(seen & 1u << i)) {
			missing(m, text[i]);
			return;
		}
	}
}

THRIFT_INLINE void read_span(struct span__message *m, bool compact,
			     struct span *s)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	int64_t start = 0, duration = 0;
	const unsigned required = 0x3be;
	unsigned seen = 0;

	*s = (struct span){0};
	m->marks = 0;
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, I64):
			span__id_put(s->trace_id + 8, thrift_i64(in, compact));
			break;
		case TYPED(2, I64):
			span__id_put(s->trace_id, thrift_i64(in, compact));
			break;
		case TYPED(3, I64):
			span__id_put(s->span_id, thrift_i64(in, compact));
			break;
		case TYPED(4, I64):
			span__id_put(s->parent_id, thrift_i64(in, compact));
			break;
		case TYPED(5, STRING):
			s->name = read_text(m, compact);
			break;
		case TYPED(6, LIST):
			read_refs(m, compact, s);
			break;
		case TYPED(7, I32):
			s->flags = (uint32_t)thrift_i32(in, compact);
			break;
		case TYPED(8, I64):
			start = thrift_i64(in, compact);
			break;
		case TYPED(9, I64):
			duration = thrift_i64(in, compact);
			break;
		case TYPED(10, LIST):
			read_tags(m, compact, &m->d->arena, &s->attrs);
			break;
		case TYPED(11, LIST):
			read_logs(m, compact, s);
			break;
		default:
			thrift_skip(in, compact, &f);
			continue;
		}
		seen |= 1u << f.id;
	}
	if ((seen & required) != required)
		missing_of_span(m, seen);
	if (!span__ns(start, &s->start_ns) ||
	    !span__ns(duration, &s->duration_ns))
		span__message_times(m, s, start, duration);
	s->marks = m->marks;
}

THRIFT_INLINE void read_spans(struct span__message *m, bool compact)
{
	size_t n;
	struct span one;

	m->list = m->in.p;
	n = thrift_list(&m->in, compact, THRIFT_STRUCT, MIN_SPAN(compact));
	if (m->pass == SPAN__COLLECT) {
		m->spans = span__message_array(m, &m->d->arena, n,
					       sizeof(*m->spans));
		if (!m->spans)
			return;
	}
	for (size_t i = 0; i < n && !m->in.failed; i++) {
		if (m->pass == SPAN__COLLECT) {
			read_span(m, compact, &m->spans[i]);
			continue;
		}
		read_span(m, compact, &one);
		if (m->pass == SPAN__HAND_OUT && !m->in.failed)
			span__message_hand_out(m, &one, &m->process);
		span_arena_reset(&m->d->arena);
	}
	m->n_spans = n;
}

static void read_process(struct span__message *m, bool compact)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	struct span_process *p = &m->process;
	bool named = false;

	*p = (struct span_process){0};
	m->marks = 0;
	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, STRING):
			p->service = read_text(m, compact);
			named = true;
			break;
		case TYPED(2, LIST):
			read_tags(m, compact, &m->d->keep, &p->attrs);
			break;
		default:
			thrift_skip(in, compact, &f);
		}
	}
	if (!named)
		missing(m, "a process has no serviceName");
	m->process_marks = m->marks;
}

static void read_stats(struct span__message *m, bool compact)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	unsigned seen = 0;

	while (thrift_field(in, compact, &f)) {
		if (f.id < 1 || f.id > 3 || f.type != THRIFT_I64) {
			thrift_skip(in, compact, &f);
			continue;
		}
		m->loss.counts[f.id - 1] = thrift_i64(in, compact);
		seen |= 1u << f.id;
	}
	if (seen != 0xe)
		missing(m, "the client's statistics lack a count");
	m->loss.known = true;
}

THRIFT_INLINE void read_batch(struct span__message *m, bool compact)
{
	struct span__cursor *in = &m->in;
	struct span__thrift_field f = {0};
	unsigned seen = 0;

	while (thrift_field(in, compact, &f)) {
		switch (thrift_key(&f)) {
		case TYPED(1, STRUCT):
			read_process(m, compact);
			break;
		case TYPED(2, LIST):
			read_spans(m, compact);
			break;
		case TYPED(3, I64):
			m->loss.seqno = thrift_i64(in, compact);
			m->loss.has_seqno = true;
			break;
		case TYPED(4, STRUCT):
			read_stats(m, compact);
			break;
		default:
			thrift_skip(in, compact, &f);
			continue;
		}
		seen |= 1u << f.id;
	}
	if ((seen & 6) != 6)
		missing(m, seen & 2 ? "the batch has no spans"
				    : "the batch has no process");
}

/* The arguments of emitBatch: the batch is field 1. */
THRIFT_INLINE void read_call(struct span__message *m, bool compact)
{
	struct span__thrift_field f = {0};
	bool found = false;

	if (!m->enveloped) {
		read_batch(m, compact);
		return;
	}
	while (thrift_field(&m->in, compact, &f)) {
		if (thrift_key(&f) == TYPED(1, STRUCT)) {
			read_batch(m, compact);
			found = true;
		} else {
			thrift_skip(&m->in, compact, &f);
		}
	}
	if (!found)
		missing(m, "the message has no batch");
}

void span__jaeger_read(struct span__message *m, bool compact)
{
	if (compact)
		read_call(m, true);
	else
		read_call(m, false);
}

void span__jaeger_again(struct span__message *m, bool compact)
{
	m->in.p = m->list;
	if (compact)
		read_spans(m, true);
	else
		read_spans(m, false);
}
