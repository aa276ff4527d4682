/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP in protobuf: ExportTraceServiceRequest, and TracesData, which is the
 * same on the wire.
 *
 * Repeated fields may stand anywhere in their message. They are counted first,
 * which costs a look at each field's head, so that a list is taken from the
 * arena once and has no more room than it needs. ScopeSpans were called
 * instrumentation library spans before, and had the number 1000 for a while.
 */
#include "codec/otlp_proto.h"

#include "base/banned.h"

/* The fields that the message repeats as KEY are attributes. */
static void open_counted(struct span__otlp_proto *r,
			 struct span__otlp_attrs *list, uint32_t key)
{
	span__otlp_attrs_open(r, list, span__otlp_count(r->in, key), 0);
}

static void take_id(const struct span__proto_field *f, uint8_t *id, size_t len)
{
	if (f->bytes.len == len)
		memcpy(id, f->bytes.p, len);
	else
		memset(id, 0, len);
}

static void read_event(struct span__otlp_proto *r,
		       const struct span__proto_field *field,
		       struct span_event *e)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__otlp_attrs list;
	struct span__proto_field f;

	*e = (struct span_event){0};
	open_counted(r, &list, PROTO(3, PROTO_LEN));
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_I64):
			e->time_ns = f.number;
			break;
		case PROTO(2, PROTO_LEN):
			e->name = otlp_text(r, &f);
			break;
		case PROTO(3, PROTO_LEN):
			span__otlp_attr(r, &f, &list);
			break;
		case PROTO(4, PROTO_VARINT):
			e->attrs.dropped = (uint32_t)f.number;
			break;
		}
	e->attrs.v = list.v;
	e->attrs.n = list.n;
	proto_leave(r->in, end);
}

/* False when an id has another length. */
static bool read_link(struct span__otlp_proto *r,
		      const struct span__proto_field *field,
		      struct span_ref *link)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__otlp_attrs list;
	struct span__proto_field f;
	size_t trace_len = 0, id_len = 0;

	*link = (struct span_ref){.type = SPAN_REF_LINK};
	open_counted(r, &list, PROTO(4, PROTO_LEN));
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			take_id(&f, link->trace_id, 16);
			trace_len = f.bytes.len;
			break;
		case PROTO(2, PROTO_LEN):
			take_id(&f, link->span_id, 8);
			id_len = f.bytes.len;
			break;
		case PROTO(3, PROTO_LEN):
			link->trace_state = otlp_text(r, &f);
			break;
		case PROTO(4, PROTO_LEN):
			span__otlp_attr(r, &f, &list);
			break;
		case PROTO(5, PROTO_VARINT):
			link->attrs.dropped = (uint32_t)f.number;
			break;
		case PROTO(6, PROTO_I32):
			link->flags = (uint32_t)f.number;
			break;
		}
	link->attrs.v = list.v;
	link->attrs.n = list.n;
	proto_leave(r->in, end);
	return trace_len == 16 && id_len == 8;
}

static void read_status(struct span__otlp_proto *r,
			const struct span__proto_field *field, struct span *s)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__proto_field f;

	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(2, PROTO_LEN):
			s->status_message = otlp_text(r, &f);
			break;
		case PROTO(3, PROTO_VARINT):
			s->status = otlp_enum(f.number);
			break;
		}
	proto_leave(r->in, end);
}

/* A span's lists, as far as there is room for them. */
struct lists {
	struct span__otlp_attrs attrs;
	struct span_event *events;
	struct span_ref *links;
	size_t max_events, max_links;
};

/* Both ids of a link with their heads; less is no link. */
#define MIN_LINK 28u

static void open_lists(struct span__otlp_proto *r, struct lists *l)
{
	struct span__cursor copy = *r->in;
	struct span__message *m = r->o.m;
	struct span__proto_field f;
	size_t n_attrs = 0;

	*l = (struct lists){0};
	while (span__proto_next(&copy, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(9, PROTO_LEN):
			n_attrs++;
			break;
		case PROTO(11, PROTO_LEN):
			l->max_events += l->max_events < SPAN_MAX_EVENTS;
			break;
		case PROTO(13, PROTO_LEN):
			l->max_links += f.bytes.len >= MIN_LINK &&
					l->max_links < SPAN_MAX_REFS;
			break;
		}
	span__otlp_attrs_open(r, &l->attrs, n_attrs, 1);
	l->events = span__message_array(m, r->arena, l->max_events,
					sizeof(*l->events));
	l->links = span__message_array(m, r->arena, l->max_links,
				       sizeof(*l->links));
}

/* What is left out is read all the same: damage in it is the message's. */
static void add_event(struct span__otlp_proto *r,
		      const struct span__proto_field *f, struct lists *l,
		      struct span *s)
{
	struct span_event left_out;

	if (s->n_events < l->max_events) {
		read_event(r, f, &l->events[s->n_events++]);
		return;
	}
	read_event(r, f, &left_out);
	r->o.m->marks |= SPAN_MARK_CUT;
}

static void add_link(struct span__otlp_proto *r,
		     const struct span__proto_field *f, struct lists *l,
		     struct span *s)
{
	struct span_ref left_out;
	bool room = f->bytes.len >= MIN_LINK && s->n_refs < l->max_links;

	if (read_link(r, f, room ? &l->links[s->n_refs] : &left_out) && room)
		s->n_refs++;
	else
		r->o.m->marks |= SPAN_MARK_CUT;
}

/* Ids as they stand there: of several the last one counts. */
struct ids {
	struct span_str trace, span, parent;
};

/* An id of no bytes is none. */
static void take_span_id(struct span__otlp_proto *r, struct span_str from,
			 uint8_t *id, size_t len, const char *what)
{
	if (from.len == len)
		memcpy(id, from.p, len);
	else if (from.len)
		otlp_bad(&r->o, from.p, what);
}

static void take_ids(struct span__otlp_proto *r, const struct ids *ids,
		     struct span *s)
{
	take_span_id(r, ids->trace, s->trace_id, 16,
		     "a trace id is not 16 bytes long");
	take_span_id(r, ids->span, s->span_id, 8,
		     "a span id is not 8 bytes long");
	take_span_id(r, ids->parent, s->parent_id, 8,
		     "a parent id is not 8 bytes long");
}

static void read_list_field(struct span__otlp_proto *r,
			    const struct span__proto_field *f, struct lists *l,
			    struct span *s)
{
	switch (PROTO(f->id, f->wire)) {
	case PROTO(9, PROTO_LEN):
		span__otlp_attr(r, f, &l->attrs);
		break;
	case PROTO(10, PROTO_VARINT):
		s->attrs.dropped = (uint32_t)f->number;
		break;
	case PROTO(11, PROTO_LEN):
		add_event(r, f, l, s);
		break;
	case PROTO(12, PROTO_VARINT):
		s->dropped_events = (uint32_t)f->number;
		break;
	case PROTO(13, PROTO_LEN):
		add_link(r, f, l, s);
		break;
	case PROTO(14, PROTO_VARINT):
		s->dropped_refs = (uint32_t)f->number;
		break;
	case PROTO(15, PROTO_LEN):
		read_status(r, f, s);
		break;
	}
}

static void read_span_fields(struct span__otlp_proto *r, struct lists *l,
			     struct span *s, uint64_t *end_ns)
{
	struct span__proto_field f;
	struct ids ids = {0};

	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			ids.trace = f.bytes;
			break;
		case PROTO(2, PROTO_LEN):
			ids.span = f.bytes;
			break;
		case PROTO(3, PROTO_LEN):
			s->trace_state = otlp_text(r, &f);
			break;
		case PROTO(4, PROTO_LEN):
			ids.parent = f.bytes;
			break;
		case PROTO(5, PROTO_LEN):
			s->name = otlp_text(r, &f);
			break;
		case PROTO(6, PROTO_VARINT):
			s->kind = otlp_enum(f.number);
			break;
		case PROTO(7, PROTO_I64):
			s->start_ns = f.number;
			break;
		case PROTO(8, PROTO_I64):
			*end_ns = f.number;
			break;
		case PROTO(16, PROTO_I32):
			s->flags = (uint32_t)f.number;
			break;
		default:
			read_list_field(r, &f, l, s);
		}
	take_ids(r, &ids, s);
}

static void read_span(struct span__otlp_proto *r,
		      const struct span__proto_field *field)
{
	const unsigned char *end = proto_enter(r->in, field), *at = r->in->p;
	struct lists l;
	struct span s = {0};
	uint64_t end_ns = 0;

	r->o.m->marks = 0;
	r->o.bad = NULL;
	r->arena = &r->o.m->d->arena;
	open_lists(r, &l);
	if (!r->in->failed)
		read_span_fields(r, &l, &s, &end_ns);
	s.events = l.events;
	s.refs = l.links;
	proto_leave(r->in, end);
	span__otlp_span(&r->o, &s, &l.attrs, end_ns, at);
}

/*
 * A resource or scope that comes twice is one with all the attributes: they
 * are counted in every field 1 that is ahead.
 */
static void open_owner(struct span__otlp_proto *r,
		       struct span__otlp_attrs *list, uint32_t key)
{
	struct span__cursor copy = *r->in;
	struct span__proto_field f;
	const unsigned char *end;
	size_t n = 0;

	while (span__proto_next(&copy, &f)) {
		if (PROTO(f.id, f.wire) != PROTO(1, PROTO_LEN))
			continue;
		end = proto_enter(&copy, &f);
		n += span__otlp_count(&copy, key);
		copy.p = copy.end;
		proto_leave(&copy, end);
	}
	r->arena = &r->o.m->d->keep;
	r->o.m->marks = 0;
	span__otlp_attrs_open(r, list, n, 0);
}

static void read_resource(struct span__otlp_proto *r,
			  const struct span__proto_field *field)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__proto_field f;

	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			span__otlp_attr(r, &f, &r->o.attrs);
			break;
		case PROTO(2, PROTO_VARINT):
			r->o.resource.attrs.dropped = (uint32_t)f.number;
			break;
		}
	proto_leave(r->in, end);
}

static void read_scope(struct span__otlp_proto *r,
		       const struct span__proto_field *field,
		       struct span__otlp_attrs *list)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span_scope *scope = &r->o.scope;
	struct span__proto_field f;

	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			scope->name = otlp_text(r, &f);
			break;
		case PROTO(2, PROTO_LEN):
			scope->version = otlp_text(r, &f);
			break;
		case PROTO(3, PROTO_LEN):
			span__otlp_attr(r, &f, list);
			break;
		case PROTO(4, PROTO_VARINT):
			scope->attrs.dropped = (uint32_t)f.number;
			break;
		}
	proto_leave(r->in, end);
}

/* What belongs to the spans, and may stand behind them; then back. */
static void look_ahead_scope(struct span__otlp_proto *r)
{
	const unsigned char *start = r->in->p;
	struct span__otlp_attrs list;
	struct span__proto_field f;

	open_owner(r, &list, PROTO(3, PROTO_LEN));
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			read_scope(r, &f, &list);
			break;
		case PROTO(3, PROTO_LEN):
			r->o.scope.schema_url = otlp_text(r, &f);
			break;
		}
	r->o.scope.attrs.v = list.v;
	r->o.scope.attrs.n = list.n;
	r->o.scope_marks = r->o.m->marks;
	if (!r->in->failed)
		r->in->p = start;
}

static void read_scope_spans(struct span__otlp_proto *r,
			     const struct span__proto_field *field)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__proto_field f;

	span__otlp_scope_begin(&r->o);
	look_ahead_scope(r);
	while (span__proto_next(r->in, &f))
		if (PROTO(f.id, f.wire) == PROTO(2, PROTO_LEN))
			read_span(r, &f);
	span__otlp_scope_end(&r->o);
	proto_leave(r->in, end);
}

static void look_ahead_resource(struct span__otlp_proto *r)
{
	const unsigned char *start = r->in->p;
	struct span__proto_field f;

	open_owner(r, &r->o.attrs, PROTO(1, PROTO_LEN));
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(1, PROTO_LEN):
			read_resource(r, &f);
			break;
		case PROTO(3, PROTO_LEN):
			r->o.resource.schema_url = otlp_text(r, &f);
			break;
		}
	r->o.resource_marks = r->o.m->marks;
	if (!r->in->failed)
		r->in->p = start;
}

static void read_resource_spans(struct span__otlp_proto *r,
				const struct span__proto_field *field)
{
	const unsigned char *end = proto_enter(r->in, field);
	struct span__proto_field f;

	span__otlp_resource_begin(&r->o);
	look_ahead_resource(r);
	while (span__proto_next(r->in, &f))
		switch (PROTO(f.id, f.wire)) {
		case PROTO(2, PROTO_LEN):
		case PROTO(1000, PROTO_LEN):
			read_scope_spans(r, &f);
			break;
		}
	span__otlp_resource_end(&r->o);
	proto_leave(r->in, end);
}

void span__otlp_proto_read(struct span__message *m)
{
	struct span__otlp_proto r = {.o = {.m = m, .ahead = true},
				     .in = &m->in};
	struct span__proto_field f;

	while (span__proto_next(r.in, &f))
		if (PROTO(f.id, f.wire) == PROTO(1, PROTO_LEN))
			read_resource_spans(&r, &f);
}
