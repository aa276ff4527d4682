/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans as JSON objects, the inverse of jsonl.c: see <span/codec.h>. What is
 * left out is empty; start may stand for start_ns, as time for time_ns.
 */
#include "codec/jsonl.h"
#include "codec/lines.h"

#include "base/banned.h"

static bool read_u32(struct span__jsonl *r, struct span_str key,
		     const char *name, uint32_t *n)
{
	const unsigned char *at = r->j.in->p;
	uint64_t v = 0;

	if (!named(key, name))
		return false;
	if (!span__json_null(&r->j) &&
	    (!span__json_uint(&r->j, &v) || v > UINT32_MAX))
		span__jsonl_bad(r, at, "a count is no number of 32 bits");
	*n = (uint32_t)v;
	return true;
}

/* NAME_ns is exact; where it is not there, NAME is a text of RFC 3339. */
static bool read_ns(struct span__jsonl *r, struct span_str key,
		    const char *name, bool *exact, uint64_t *ns)
{
	const unsigned char *at = r->j.in->p;
	size_t len = strlen(name);
	uint64_t v;

	if (key.len == len + 3 && !memcmp(key.p, name, len) &&
	    !memcmp(key.p + len, "_ns", 3)) {
		if (!span__json_uint(&r->j, ns))
			span__jsonl_bad(r, at,
					"a time is no number of nanoseconds");
		*exact = true;
		return true;
	}
	if (!named(key, name))
		return false;
	if (span__time_read(span__jsonl_text(r), &v)) {
		if (!*exact)
			*ns = v;
	} else if (!*exact) {
		span__jsonl_bad(r, at, "a time is not of RFC 3339");
	}
	return true;
}

static bool read_trace_id(struct span__jsonl *r, struct span_str key,
			  uint8_t id[16])
{
	const unsigned char *at = r->j.in->p;

	if (!named(key, "trace_id"))
		return false;
	if (span_trace_id_parse(span__jsonl_text(r), id) < 0)
		span__jsonl_bad(r, at, "a trace id that is none");
	return true;
}

static bool read_span_id(struct span__jsonl *r, struct span_str key,
			 const char *name, uint8_t id[8])
{
	const unsigned char *at = r->j.in->p;

	if (!named(key, name))
		return false;
	if (!span__json_null(&r->j) &&
	    span_id_parse(span__jsonl_text(r), id) < 0)
		span__jsonl_bad(r, at, "a span id that is none");
	return true;
}

static bool read_str(struct span__jsonl *r, struct span_str key,
		     const char *name, struct span_str *s)
{
	if (!named(key, name))
		return false;
	*s = span__jsonl_text(r);
	return true;
}

static void read_event(struct span__jsonl *r, struct span_event *e)
{
	struct span_str key;
	bool exact = false;

	*e = (struct span_event){.name = {"", 0}};
	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key))
		if (!read_ns(r, key, "time", &exact, &e->time_ns) &&
		    !read_str(r, key, "name", &e->name) &&
		    !span__jsonl_attrs(r, key, "fields", &e->attrs) &&
		    !read_u32(r, key, "dropped_fields", &e->attrs.dropped))
			span__json_skip(&r->j);
}

static int32_t read_ref_type(struct span__jsonl *r)
{
	const unsigned char *at = r->j.in->p;
	int64_t n = SPAN_REF_LINK;
	struct span_str s;

	if (span__json_peek(&r->j) == JSON_NUMBER) {
		if (!span__json_int(&r->j, &n) || n < INT32_MIN ||
		    n > INT32_MAX)
			span__jsonl_bad(
				r, at,
				"the type of a reference is no such number");
		return (int32_t)n;
	}
	s = span__jsonl_text(r);
	if (named(s, "child_of"))
		return SPAN_REF_CHILD_OF;
	if (named(s, "follows_from"))
		return SPAN_REF_FOLLOWS_FROM;
	if (!named(s, "link"))
		span__jsonl_bad(r, at, "the type of a reference is not known");
	return SPAN_REF_LINK;
}

static void read_ref(struct span__jsonl *r, struct span_ref *ref)
{
	struct span_str key;

	*ref = (struct span_ref){.type = SPAN_REF_LINK};
	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		if (named(key, "type"))
			ref->type = read_ref_type(r);
		else if (!read_trace_id(r, key, ref->trace_id) &&
			 !read_span_id(r, key, "span_id", ref->span_id) &&
			 !read_u32(r, key, "flags", &ref->flags) &&
			 !read_str(r, key, "trace_state", &ref->trace_state) &&
			 !span__jsonl_attrs(r, key, "tags", &ref->attrs) &&
			 !read_u32(r, key, "dropped_tags", &ref->attrs.dropped))
			span__json_skip(&r->j);
	}
}

static void read_scope(struct span__jsonl *r, struct span *s)
{
	struct span_scope *c;
	struct span_str key;

	if (span__json_null(&r->j) || !span__json_object(&r->j))
		return;
	c = span__message_array(r->m, r->j.arena, 1, sizeof(*c));
	if (!c)
		return;
	*c = (struct span_scope){.name = {"", 0}};
	while (span__json_member(&r->j, &key))
		if (!read_str(r, key, "name", &c->name) &&
		    !read_str(r, key, "version", &c->version) &&
		    !read_str(r, key, "schema_url", &c->schema_url) &&
		    !span__jsonl_attrs(r, key, "tags", &c->attrs) &&
		    !read_u32(r, key, "dropped_tags", &c->attrs.dropped))
			span__json_skip(&r->j);
	s->scope = c;
}

static void read_events(struct span__jsonl *r, struct span *s)
{
	struct span__list list = {0};
	struct span_event e, *to;

	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_event(r, &e);
		to = span__jaeger_push(r->m, r->j.arena, &list, SPAN_MAX_EVENTS,
				       sizeof(*to));
		if (to)
			*to = e;
	}
	s->events = list.v;
	s->n_events = list.n;
}

static void read_refs(struct span__jsonl *r, struct span *s)
{
	struct span__list list = {0};
	struct span_ref ref, *to;

	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_ref(r, &ref);
		to = span__jaeger_push(r->m, r->j.arena, &list, SPAN_MAX_REFS,
				       sizeof(*to));
		if (to)
			*to = ref;
	}
	s->refs = list.v;
	s->n_refs = list.n;
}

/* The number or the name of a kind or status, null for 0. */
static uint8_t read_enum(struct span__jsonl *r, int (*parse)(struct span_str))
{
	const unsigned char *at = r->j.in->p;
	uint64_t n = 0;
	int found;

	if (span__json_null(&r->j))
		return 0;
	if (span__json_peek(&r->j) == JSON_NUMBER) {
		if (!span__json_uint(&r->j, &n) || n > UINT8_MAX)
			span__jsonl_bad(r, at,
					"a kind or status is no such number");
		return (uint8_t)n;
	}
	found = parse(span__jsonl_text(r));
	if (found < 0)
		span__jsonl_bad(r, at, "a kind or status is not known");
	return found < 0 ? 0 : (uint8_t)found;
}

static void read_marks(struct span__jsonl *r)
{
	struct span_str s;

	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		s = span__jsonl_text(r);
		if (named(s, "cut"))
			r->m->marks |= SPAN_MARK_CUT;
		else if (named(s, "clamped"))
			r->m->marks |= SPAN_MARK_CLAMPED;
		else if (named(s, "renamed"))
			r->m->marks |= SPAN_MARK_RENAMED;
	}
}

static bool read_list(struct span__jsonl *r, struct span *s,
		      struct span_str key)
{
	if (named(key, "events"))
		read_events(r, s);
	else if (named(key, "refs"))
		read_refs(r, s);
	else if (named(key, "scope"))
		read_scope(r, s);
	else if (named(key, "kind"))
		s->kind = read_enum(r, span_kind_parse);
	else if (named(key, "status"))
		s->status = read_enum(r, span_status_parse);
	else if (named(key, "marks"))
		read_marks(r);
	else
		return false;
	return true;
}

static bool read_duration(struct span__jsonl *r, struct span *s,
			  struct span_str key)
{
	const unsigned char *at = r->j.in->p;

	if (!named(key, "duration_ns"))
		return false;
	if (!span__json_uint(&r->j, &s->duration_ns))
		span__jsonl_bad(r, at, "a time is no number of nanoseconds");
	return true;
}

static void read_member(struct span__jsonl *r, struct span *s,
			struct span_process *p, struct span_str key,
			bool *exact)
{
	if (!read_trace_id(r, key, s->trace_id) &&
	    !read_span_id(r, key, "span_id", s->span_id) &&
	    !read_span_id(r, key, "parent_id", s->parent_id) &&
	    !read_str(r, key, "service", &p->service) &&
	    !read_str(r, key, "name", &s->name) &&
	    !read_ns(r, key, "start", exact, &s->start_ns) &&
	    !read_duration(r, s, key) &&
	    !read_str(r, key, "status_message", &s->status_message) &&
	    !read_u32(r, key, "flags", &s->flags) &&
	    !read_str(r, key, "trace_state", &s->trace_state) &&
	    !span__jsonl_attrs(r, key, "tags", &s->attrs) &&
	    !span__jsonl_attrs(r, key, "process", &p->attrs) &&
	    !read_str(r, key, "schema_url", &p->schema_url) &&
	    !read_u32(r, key, "dropped_tags", &s->attrs.dropped) &&
	    !read_u32(r, key, "dropped_process", &p->attrs.dropped) &&
	    !read_u32(r, key, "dropped_events", &s->dropped_events) &&
	    !read_u32(r, key, "dropped_refs", &s->dropped_refs) &&
	    !read_list(r, s, key))
		span__json_skip(&r->j);
}

static void read_span(struct span__jsonl *r)
{
	struct span__message *m = r->m;
	const unsigned char *at = m->in.p;
	struct span s = {.name = {"", 0}};
	struct span_process *p;
	struct span_str key;
	bool exact = false, ids[2] = {false, false};

	r->bad = NULL;
	m->marks = m->process_marks = 0;
	p = span__message_array(m, r->j.arena, 1, sizeof(*p));
	if (!p || !span__json_object(&r->j))
		return;
	*p = (struct span_process){.service = {"", 0}};
	while (span__json_member(&r->j, &key)) {
		ids[0] |= named(key, "trace_id");
		ids[1] |= named(key, "span_id");
		read_member(r, &s, p, key, &exact);
	}
	if (m->in.failed)
		return;
	if (!ids[0] || !ids[1])
		span__jsonl_bad(r, at, "a span has no trace_id or span_id");
	if (r->bad) {
		span__message_bad_span(m, r->bad_at, r->bad);
		if (m->pass != SPAN__COLLECT)
			span_arena_reset(&m->d->arena);
		return;
	}
	span__message_process(m, p, r->j.arena);
	s.marks = m->marks | m->process_marks;
	m->process_marks = 0;
	span__message_span(m, &s, p);
}

void span__jsonl_read(struct span__message *m)
{
	struct span__jsonl r = {.m = m};

	span__json_init(&r.j, &m->in, &m->d->arena);
	while (!m->in.failed && span__json_peek(&r.j) == JSON_OBJECT)
		read_span(&r);
	span__json_end(&r.j);
	span_buf_release(&r.stack);
}
