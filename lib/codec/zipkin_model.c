/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's span to ours, by the rules of Jaeger's own collector (v1).
 *
 * A span may lack its times: the annotations of its side (cs to cr, else sr
 * to ss) have them, else the first and the last annotation. A value of the
 * wrong length or of an unknown type is kept as bytes.
 */
#include "codec/zipkin.h"

#include "base/banned.h"

enum side { SIDE_NONE, SIDE_CLIENT, SIDE_SERVER };

struct attr_list {
	struct span_attr *v;
	size_t n, max;
};

static enum side side_of(struct span_str value)
{
	if (value.len != 2 || (value.p[1] != 's' && value.p[1] != 'r'))
		return SIDE_NONE;
	if (value.p[0] == 'c')
		return SIDE_CLIENT;
	return value.p[0] == 's' ? SIDE_SERVER : SIDE_NONE;
}

/* The first annotation with this value, or NULL. */
static const struct span__zipkin_annotation *
find(const struct span__zipkin_span *z, struct span_str value)
{
	for (size_t i = 0; i < z->n_annotations; i++) {
		if (span_str_equal(z->annotations[i].value, value))
			return &z->annotations[i];
	}
	return NULL;
}

static int64_t difference(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* From one annotation to another: start, and the duration when both exist. */
static void interval(const struct span__zipkin_annotation *from,
		     const struct span__zipkin_annotation *to, int64_t *start,
		     int64_t *duration)
{
	if (from && !*start)
		*start = from->us;
	if (from && to && !*duration)
		*duration = difference(to->us, from->us);
}

static void find_times(const struct span__zipkin_span *z, int64_t *start,
		       int64_t *duration)
{
	const struct span__zipkin_annotation *first = z->annotations, *last;

	*start = z->start_us;
	*duration = z->duration_us;
	if (!z->n_annotations || (*start && *duration))
		return;
	if (find(z, SPAN_STR("cs")))
		interval(find(z, SPAN_STR("cs")), find(z, SPAN_STR("cr")),
			 start, duration);
	else
		interval(find(z, SPAN_STR("sr")), find(z, SPAN_STR("ss")),
			 start, duration);
	last = &first[z->n_annotations - 1];
	interval(first, first->us < last->us ? last : NULL, start, duration);
}

static bool has_service(const struct span__zipkin_endpoint *e)
{
	return e->set && e->service.len;
}

/*
 * Who sent the span: the host of its first core annotation, of "lc", of any
 * annotation, of any binary annotation; NULL when nobody says.
 */
static const struct span__zipkin_endpoint *
local_endpoint(const struct span__zipkin_span *z)
{
	for (size_t i = 0; i < z->n_annotations; i++) {
		if (side_of(z->annotations[i].value) != SIDE_NONE &&
		    has_service(&z->annotations[i].host))
			return &z->annotations[i].host;
	}
	for (size_t i = 0; i < z->n_binaries; i++) {
		if (span_str_equal(z->binaries[i].key, SPAN_STR("lc")) &&
		    has_service(&z->binaries[i].host))
			return &z->binaries[i].host;
	}
	for (size_t i = 0; i < z->n_annotations; i++) {
		if (has_service(&z->annotations[i].host))
			return &z->annotations[i].host;
	}
	for (size_t i = 0; i < z->n_binaries; i++) {
		if (has_service(&z->binaries[i].host))
			return &z->binaries[i].host;
	}
	return NULL;
}

/* Memory is there for MAX at least, or for SPAN_MAX_ATTRS. */
static void push(struct span__message *m, struct attr_list *list,
		 struct span_str key, struct span_value value)
{
	if (list->n == list->max)
		m->marks |= SPAN_MARK_CUT;
	else
		list->v[list->n++] = (struct span_attr){key, value};
}

static bool list_open(struct span__message *m, struct attr_list *list,
		      size_t max)
{
	if (max > SPAN_MAX_ATTRS)
		max = SPAN_MAX_ATTRS;
	*list = (struct attr_list){.max = max};
	list->v = span__message_array(m, &m->d->arena, max, sizeof(*list->v));
	return list->v;
}

static struct span_value text_value(struct span_str s)
{
	return (struct span_value){.type = SPAN_STRING, .str = s};
}

static struct span_value int_value(int64_t i)
{
	return (struct span_value){.type = SPAN_INT, .i = i};
}

static uint64_t big_endian(struct span_str s, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

static struct span_value number_value(int type, struct span_str s)
{
	struct span_value v = {.type = SPAN_DOUBLE};
	uint64_t bits;

	switch (type) {
	case ZIPKIN_I16:
		return int_value((int16_t)big_endian(s, 2));
	case ZIPKIN_I32:
		return int_value((int32_t)big_endian(s, 4));
	case ZIPKIN_I64:
		return int_value((int64_t)big_endian(s, 8));
	default:
		bits = big_endian(s, 8);
		memcpy(&v.d, &bits, sizeof(v.d));
		return v;
	}
}

static struct span_value value_of(struct span__message *m,
				  const struct span__zipkin_binary *b)
{
	static const size_t sizes[] = {
		[ZIPKIN_I16] = 2,
		[ZIPKIN_I32] = 4,
		[ZIPKIN_I64] = 8,
		[ZIPKIN_DOUBLE] = 8,
	};
	struct span_value v = {.type = SPAN_BYTES, .str = b->value};

	switch (b->type) {
	case ZIPKIN_BOOL:
		v.type = SPAN_BOOL;
		v.b = b->value.len == 1 && b->value.p[0] == 1;
		return v;
	case ZIPKIN_I16:
	case ZIPKIN_I32:
	case ZIPKIN_I64:
	case ZIPKIN_DOUBLE:
		if (b->value.len >= sizes[b->type])
			return number_value(b->type, b->value);
		break;
	case ZIPKIN_STRING:
		v.type = SPAN_STRING;
		break;
	}
	if (v.str.len > SPAN_MAX_STRING)
		span__message_cut(m, &v.str, v.type == SPAN_STRING);
	return v;
}

/* The other side, of "sa", "ca" and "ma". */
static void push_peer(struct span__message *m, struct attr_list *list,
		      const struct span__zipkin_endpoint *e)
{
	if (!e->set)
		return;
	push(m, list, SPAN_STR("peer.service"), text_value(e->service));
	if (e->ipv4)
		push(m, list, SPAN_STR("peer.ipv4"),
		     int_value((uint32_t)e->ipv4));
	if (e->has_ipv6)
		push(m, list, SPAN_STR("peer.ipv6"),
		     (struct span_value){.type = SPAN_BYTES, .str = e->ipv6});
	if (e->port)
		push(m, list, SPAN_STR("peer.port"), int_value(e->port));
}

/* What says something of the process; its key there, or an empty string. */
static struct span_str process_key(struct span_str key)
{
	if (span_str_equal(key, SPAN_STR("jaegerClient")) ||
	    span_str_equal(key, SPAN_STR("jaeger.version")))
		return SPAN_STR("jaeger.version");
	if (span_str_equal(key, SPAN_STR("jaeger.hostname")))
		return SPAN_STR("hostname");
	return SPAN_STR("");
}

static bool is_address(struct span_str key)
{
	return key.len == 2 && key.p[1] == 'a' &&
	       (key.p[0] == 's' || key.p[0] == 'c' || key.p[0] == 'm');
}

static const char *kind_text(enum side side)
{
	return side == SIDE_CLIENT ? "client" : "server";
}

static enum side first_side(const struct span__zipkin_span *z)
{
	enum side side = SIDE_NONE;

	for (size_t i = 0; i < z->n_annotations && side == SIDE_NONE; i++)
		side = side_of(z->annotations[i].value);
	return side;
}

static void make_tags(struct span__message *m,
		      const struct span__zipkin_span *z, struct span *s)
{
	enum side side = first_side(z);
	struct attr_list list;

	/* An address makes four tags; times that do not fit add two. */
	if (!list_open(m, &list, z->n_binaries * 4 + 1))
		return;
	for (size_t i = 0; i < z->n_binaries; i++) {
		const struct span__zipkin_binary *b = &z->binaries[i];

		if (process_key(b->key).len)
			continue;
		if (is_address(b->key))
			push_peer(m, &list, &b->host);
		else if (span_str_equal(b->key, SPAN_STR("lc")))
			push(m, &list, SPAN_STR("component"),
			     text_value(b->value));
		else
			push(m, &list, b->key, value_of(m, b));
	}
	if (side != SIDE_NONE)
		push(m, &list, SPAN_STR("span.kind"),
		     text_value(span_str(kind_text(side))));
	s->attrs = (struct span_attrs){.v = list.v, .n = list.n};
}

static void make_process(struct span__message *m,
			 const struct span__zipkin_span *z,
			 struct span_process *p)
{
	const struct span__zipkin_endpoint *local = local_endpoint(z);
	struct attr_list list;

	*p = (struct span_process){.service = SPAN_STR("unknown-service-name")};
	if (local)
		p->service = local->service;
	else
		m->marks |= SPAN_MARK_RENAMED;
	if (!list_open(m, &list, z->n_binaries + 1))
		return;
	for (size_t i = 0; i < z->n_binaries; i++) {
		struct span_str key = process_key(z->binaries[i].key);

		if (key.len)
			push(m, &list, key, value_of(m, &z->binaries[i]));
	}
	if (local && local->ipv4)
		push(m, &list, SPAN_STR("ip"), int_value(local->ipv4));
	p->attrs = (struct span_attrs){.v = list.v, .n = list.n};
	span__message_process(m, p, &m->d->arena);
}

static void make_events(struct span__message *m,
			const struct span__zipkin_span *z, struct span *s)
{
	struct span_event *events = span__message_array(
		m, &m->d->arena, z->n_annotations, sizeof(*events));

	if (!events)
		return;
	s->events = events;
	for (size_t i = 0; i < z->n_annotations; i++) {
		const struct span__zipkin_annotation *a = &z->annotations[i];
		struct span_event *e = &events[s->n_events];
		struct attr_list list;

		if (!a->value.len || side_of(a->value) != SIDE_NONE)
			continue;
		*e = (struct span_event){0};
		if (!span__zipkin_log_fields(m, a->value, &e->attrs)) {
			if (!list_open(m, &list, 1))
				return;
			push(m, &list, SPAN_STR("event"), text_value(a->value));
			e->attrs = (struct span_attrs){.v = list.v, .n = 1};
		}
		span__message_event_time(m, e, a->us);
		s->n_events++;
	}
}

/* In Zipkin any tag "error" means one, and its text says which. */
static void find_error(struct span *s)
{
	const struct span_value *v =
		span_attr_get(&s->attrs, SPAN_STR("error"));

	if (!v || v->type != SPAN_STRING ||
	    span_str_equal(v->str, SPAN_STR("false")))
		return;
	s->status = SPAN_STATUS_ERROR;
	if (!span_str_equal(v->str, SPAN_STR("true")))
		s->status_message = v->str;
}

/* The part of a span that was both: ids and name, its own side's times. */
static void make_other_side(struct span__message *m,
			    const struct span__zipkin_span *z, enum side side,
			    const struct span *first, struct span *s)
{
	int64_t start = 0, duration = 0;
	struct attr_list list;

	*s = *first;
	s->attrs = (struct span_attrs){0};
	s->events = NULL;
	s->n_events = 0;
	s->status = SPAN_STATUS_UNSET;
	s->status_message = (struct span_str){0};
	s->marks &= (uint16_t)~SPAN_MARK_CLAMPED;
	m->marks = s->marks;
	if (side == SIDE_CLIENT)
		interval(find(z, SPAN_STR("cs")), find(z, SPAN_STR("cr")),
			 &start, &duration);
	else
		interval(find(z, SPAN_STR("sr")), find(z, SPAN_STR("ss")),
			 &start, &duration);
	if (!list_open(m, &list, 1))
		return;
	push(m, &list, SPAN_STR("span.kind"),
	     text_value(span_str(kind_text(side))));
	s->attrs = (struct span_attrs){.v = list.v, .n = 1};
	span__message_times(m, s, start, duration);
	s->marks = m->marks;
}

static void make_span(struct span__message *m,
		      const struct span__zipkin_span *z, struct span *s)
{
	const uint64_t ids[] = {htobe64(z->trace_id_high), htobe64(z->trace_id),
				htobe64(z->id), htobe64(z->parent_id)};
	int64_t start, duration;

	*s = (struct span){.name = z->name, .flags = z->debug ? 3 : 0};
	memcpy(s->trace_id, &ids[0], 16);
	memcpy(s->span_id, &ids[2], 8);
	memcpy(s->parent_id, &ids[3], 8);
	make_tags(m, z, s);
	make_events(m, z, s);
	find_error(s);
	find_times(z, &start, &duration);
	span__message_times(m, s, start, duration);
	s->marks = m->marks;
}

void span__zipkin_hand_out(struct span__message *m,
			   const struct span__zipkin_span *z)
{
	struct span_process process;
	struct span s, other;
	const struct span_value *kind;
	bool client;

	m->process_marks = 0;
	make_process(m, z, &process);
	make_span(m, z, &s);
	if (!find(z, SPAN_STR("cs")) || !find(z, SPAN_STR("sr"))) {
		span__message_hand_out(m, &s, &process);
		return;
	}
	kind = span_attr_get(&s.attrs, SPAN_STR("span.kind"));
	client = kind && kind->type == SPAN_STRING &&
		 span_str_equal(kind->str, SPAN_STR("client"));
	make_other_side(m, z, client ? SIDE_SERVER : SIDE_CLIENT, &s, &other);
	span__message_hand_out(m, client ? &s : &other, &process);
	span__message_hand_out(m, client ? &other : &s, &process);
}
