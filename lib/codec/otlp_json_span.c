/* SPDX-License-Identifier: Apache-2.0 */
/* A span of OTLP in JSON. */
#include "codec/otlp_json.h"

#include "base/banned.h"

/* A name that begins with PREFIX, or a number, with quotes or without. */
static uint8_t read_enum(struct span__otlp_json *r, struct span_str prefix,
			 int (*parse)(struct span_str name))
{
	enum json_type type = span__json_peek(&r->j);
	const unsigned char *at = r->j.in->p;
	struct span_str s;
	int64_t v = 0;
	int n = -1;

	if (type == JSON_STRING) {
		s = span__json_string(&r->j);
		if (s.len > prefix.len && !memcmp(s.p, prefix.p, prefix.len))
			n = parse((struct span_str){s.p + prefix.len,
						    s.len - prefix.len});
		if (n >= 0 || r->j.in->failed)
			return n < 0 ? 0 : (uint8_t)n;
		r->j.in->p = at;
	}
	if (!span__json_int(&r->j, &v))
		otlp_bad(&r->o, at, "an enumeration has no such value");
	return otlp_enum((uint64_t)v);
}

/* The exact number of hex digits, or nothing. */
static size_t read_id(struct span__otlp_json *r, uint8_t *id, size_t len)
{
	struct span_str s = span__otlp_json_text(r);
	int rc = SPAN_E_INVALID;

	if (s.len == 2 * len)
		rc = len == 16 ? span_trace_id_parse(s, id)
			       : span_id_parse(s, id);
	if (rc < 0)
		memset(id, 0, len);
	return rc < 0 && s.len ? SIZE_MAX : s.len;
}

static void read_span_id(struct span__otlp_json *r, uint8_t *id, size_t len,
			 const char *what)
{
	const unsigned char *at;

	(void)span__json_peek(&r->j);
	at = r->j.in->p;
	if (read_id(r, id, len) == SIZE_MAX)
		otlp_bad(&r->o, at, what);
}

static bool read_event(struct span__otlp_json *r, struct span_event *e)
{
	enum { TIME, EVENT_NAME, ATTRS, DROPPED };
	static const struct span_str known[] = {
		OTLP_NAME("timeUnixNano"),
		OTLP_NAME("name"),
		OTLP_NAME("attributes"),
		OTLP_NAME("droppedAttributesCount"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span__otlp_attrs list = {0};
	struct span_str key;

	*e = (struct span_event){0};
	if (!span__otlp_object(r))
		return false;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		switch (name) {
		case TIME:
			e->time_ns = span__otlp_json_uint(r);
			break;
		case EVENT_NAME:
			e->name = span__otlp_json_text(r);
			break;
		case ATTRS:
			span__otlp_json_attrs(r, &list, 0);
			break;
		case DROPPED:
			e->attrs.dropped = span__otlp_json_count(r);
			break;
		default:
			span__json_skip(&r->j);
		}
	}
	e->attrs.v = list.v;
	e->attrs.n = list.n;
	return true;
}

/* False for null, and when an id has another length. */
static bool read_link(struct span__otlp_json *r, struct span_ref *link)
{
	enum { TRACE_ID, SPAN_ID, STATE, ATTRS, DROPPED, FLAGS };
	static const struct span_str known[] = {
		OTLP_NAME("traceId"),
		OTLP_NAME("spanId"),
		OTLP_NAME("traceState"),
		OTLP_NAME("attributes"),
		OTLP_NAME("droppedAttributesCount"),
		OTLP_NAME("flags"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span__otlp_attrs list = {0};
	size_t trace_len = 0, id_len = 0;
	struct span_str key;

	*link = (struct span_ref){.type = SPAN_REF_LINK};
	if (!span__otlp_object(r))
		return false;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		switch (name) {
		case TRACE_ID:
			trace_len = read_id(r, link->trace_id, 16);
			break;
		case SPAN_ID:
			id_len = read_id(r, link->span_id, 8);
			break;
		case STATE:
			link->trace_state = span__otlp_json_text(r);
			break;
		case ATTRS:
			span__otlp_json_attrs(r, &list, 0);
			break;
		case DROPPED:
			link->attrs.dropped = span__otlp_json_count(r);
			break;
		case FLAGS:
			link->flags = span__otlp_json_count(r);
			break;
		default:
			span__json_skip(&r->j);
		}
	}
	link->attrs.v = list.v;
	link->attrs.n = list.n;
	if (trace_len == 32 && id_len == 16)
		return true;
	r->o.m->marks |= SPAN_MARK_CUT;
	return false;
}

union item {
	struct span_event event;
	struct span_ref link;
};

static bool read_event_item(struct span__otlp_json *r, union item *to)
{
	return read_event(r, &to->event);
}

static bool read_link_item(struct span__otlp_json *r, union item *to)
{
	return read_link(r, &to->link);
}

/* The items that READ takes, each of SIZE bytes; those above MOST are cut. */
static void *read_items(struct span__otlp_json *r,
			bool (*read)(struct span__otlp_json *, union item *),
			size_t size, size_t most, size_t *n)
{
	size_t from = r->stack.len;
	union item item;

	*n = 0;
	if (span__otlp_list(r))
		while (span__json_item(&r->j)) {
			if (*n == most) {
				span__json_skip(&r->j);
				r->o.m->marks |= SPAN_MARK_CUT;
			} else if (read(r, &item)) {
				span_buf_put(&r->stack, &item, size);
				++*n;
			}
		}
	return span__otlp_unstack(r, from, size, 0, n);
}

static void read_status(struct span__otlp_json *r, struct span *s)
{
	enum { MESSAGE, CODE };
	static const struct span_str known[] = {OTLP_NAME("message"),
						OTLP_NAME("code")};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	if (!span__otlp_object(r))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		if (name == MESSAGE)
			s->status_message = span__otlp_json_text(r);
		else if (name == CODE)
			s->status = read_enum(r, SPAN_STR("STATUS_CODE_"),
					      span_status_parse);
		else
			span__json_skip(&r->j);
	}
}

enum span_name {
	TRACE_ID,
	SPAN_ID,
	STATE,
	PARENT_ID,
	FLAGS,
	SPAN_NAME,
	KIND,
	START,
	END,
	ATTRS,
	DROPPED_ATTRS,
	EVENTS,
	DROPPED_EVENTS,
	LINKS,
	DROPPED_LINKS,
	STATUS,
};

static const struct span_str span_names[] = {
	[TRACE_ID] = OTLP_NAME("traceId"),
	[SPAN_ID] = OTLP_NAME("spanId"),
	[STATE] = OTLP_NAME("traceState"),
	[PARENT_ID] = OTLP_NAME("parentSpanId"),
	[FLAGS] = OTLP_NAME("flags"),
	[SPAN_NAME] = OTLP_NAME("name"),
	[KIND] = OTLP_NAME("kind"),
	[START] = OTLP_NAME("startTimeUnixNano"),
	[END] = OTLP_NAME("endTimeUnixNano"),
	[ATTRS] = OTLP_NAME("attributes"),
	[DROPPED_ATTRS] = OTLP_NAME("droppedAttributesCount"),
	[EVENTS] = OTLP_NAME("events"),
	[DROPPED_EVENTS] = OTLP_NAME("droppedEventsCount"),
	[LINKS] = OTLP_NAME("links"),
	[DROPPED_LINKS] = OTLP_NAME("droppedLinksCount"),
	[STATUS] = OTLP_NAME("status"),
};

/* A span that is being read. */
struct reading {
	struct span s;
	struct span__otlp_attrs attrs;
	uint64_t end_ns;
};

static int parse_kind(struct span_str name)
{
	if (span_str_equal(name, SPAN_STR("UNSPECIFIED")))
		return SPAN_KIND_UNSPECIFIED;
	return span_kind_parse(name);
}

static void read_list_member(struct span__otlp_json *r, size_t name,
			     struct reading *to)
{
	struct span *s = &to->s;

	switch (name) {
	case ATTRS:
		span__otlp_json_attrs(r, &to->attrs, 1);
		break;
	case EVENTS:
		s->events = read_items(r, read_event_item, sizeof(*s->events),
				       SPAN_MAX_EVENTS, &s->n_events);
		break;
	case LINKS:
		s->refs = read_items(r, read_link_item, sizeof(*s->refs),
				     SPAN_MAX_REFS, &s->n_refs);
		break;
	case STATUS:
		read_status(r, s);
		break;
	default:
		span__json_skip(&r->j);
	}
}

static void read_span_member(struct span__otlp_json *r, size_t name,
			     struct reading *to)
{
	struct span *s = &to->s;

	switch (name) {
	case TRACE_ID:
		read_span_id(r, s->trace_id, 16,
			     "a trace id is not 32 hex digits");
		break;
	case SPAN_ID:
		read_span_id(r, s->span_id, 8,
			     "a span id is not 16 hex digits");
		break;
	case PARENT_ID:
		read_span_id(r, s->parent_id, 8,
			     "a parent id is not 16 hex digits");
		break;
	case STATE:
		s->trace_state = span__otlp_json_text(r);
		break;
	case FLAGS:
		s->flags = span__otlp_json_count(r);
		break;
	case SPAN_NAME:
		s->name = span__otlp_json_text(r);
		break;
	case KIND:
		s->kind = read_enum(r, SPAN_STR("SPAN_KIND_"), parse_kind);
		break;
	case START:
		s->start_ns = span__otlp_json_uint(r);
		break;
	case END:
		to->end_ns = span__otlp_json_uint(r);
		break;
	case DROPPED_ATTRS:
		s->attrs.dropped = span__otlp_json_count(r);
		break;
	case DROPPED_EVENTS:
		s->dropped_events = span__otlp_json_count(r);
		break;
	case DROPPED_LINKS:
		s->dropped_refs = span__otlp_json_count(r);
		break;
	default:
		read_list_member(r, name, to);
	}
}

void span__otlp_json_span(struct span__otlp_json *r)
{
	struct span__otlp_names names = OTLP_NAMES(span_names);
	struct span_arena *arena = r->j.arena;
	struct reading to = {0};
	const unsigned char *at;
	struct span_str key;

	if (span__json_peek(&r->j) == JSON_NULL && span__json_null(&r->j))
		return;
	at = r->j.in->p;
	r->o.m->marks = 0;
	r->o.bad = NULL;
	r->j.arena = &r->o.m->d->arena;
	if (span__otlp_object(r))
		while (span__json_member(&r->j, &key)) {
			size_t name = span__otlp_name(&names, key);

			if (!span__json_null(&r->j))
				read_span_member(r, name, &to);
		}
	if (!to.attrs.v)
		to.attrs.v = span__message_array(r->o.m, r->j.arena, 1,
						 sizeof(*to.attrs.v));
	r->j.arena = arena;
	span__otlp_span(&r->o, &to.s, &to.attrs, to.end_ns, at);
}
