/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP in JSON: a request, the answer of a query that holds one, or one
 * ResourceSpans alone.
 *
 * Only a pass that hands out spans has to know their resource and scope
 * before, and looks for them first; the others read everything once.
 * ScopeSpans were called instrumentation library spans before version 1.0.
 */
#include "codec/otlp_json.h"

#include "base/banned.h"

/* A place to come back to. */
struct place {
	const unsigned char *p;
	unsigned depth;
	bool first;
};

static struct place here(const struct span__otlp_json *r)
{
	return (struct place){r->j.in->p, r->j.depth, r->j.first};
}

static void back(struct span__otlp_json *r, struct place to)
{
	if (r->j.in->failed)
		return;
	r->j.in->p = to.p;
	r->j.depth = to.depth;
	r->j.first = to.first;
}

typedef void read_fn(struct span__otlp_json *r);

/* What is no array of objects is no OTLP at all. */
static void read_each(struct span__otlp_json *r, read_fn *read)
{
	if (span__json_array(&r->j))
		while (span__json_item(&r->j))
			if (!span__json_null(&r->j))
				read(r);
}

static void begin_owner(struct span__otlp_json *r)
{
	r->o.m->marks = 0;
	r->o.bad = NULL;
}

/* Spans without their true owner would be others: the message is bad. */
static void end_owner(struct span__otlp_json *r, uint16_t *marks)
{
	*marks |= r->o.m->marks;
	if (r->o.bad)
		span__cursor_fail(r->j.in, r->o.bad_at, SPAN_E_CORRUPT,
				  r->o.bad);
}

static struct span_str read_schema_url(struct span__otlp_json *r,
				       uint16_t *marks)
{
	struct span_str s;

	begin_owner(r);
	s = span__otlp_json_text(r);
	end_owner(r, marks);
	return s;
}

static void read_scope(struct span__otlp_json *r)
{
	enum { SCOPE_NAME, VERSION, ATTRS, DROPPED };
	static const struct span_str known[] = {
		OTLP_NAME("name"),
		OTLP_NAME("version"),
		OTLP_NAME("attributes"),
		OTLP_NAME("droppedAttributesCount"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_scope *scope = &r->o.scope;
	struct span__otlp_attrs list = {0};
	struct span_str key;

	begin_owner(r);
	if (span__otlp_object(r))
		while (span__json_member(&r->j, &key)) {
			size_t name = span__otlp_name(&names, key);

			if (span__json_null(&r->j))
				continue;
			if (name == SCOPE_NAME)
				scope->name = span__otlp_json_text(r);
			else if (name == VERSION)
				scope->version = span__otlp_json_text(r);
			else if (name == ATTRS)
				span__otlp_json_attrs(r, &list, 0);
			else if (name == DROPPED)
				scope->attrs.dropped = span__otlp_json_count(r);
			else
				span__json_skip(&r->j);
		}
	scope->attrs.v = list.v;
	scope->attrs.n = list.n;
	end_owner(r, &r->o.scope_marks);
}

static void read_resource(struct span__otlp_json *r)
{
	enum { ATTRS, DROPPED };
	static const struct span_str known[] = {
		OTLP_NAME("attributes"),
		OTLP_NAME("droppedAttributesCount"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	begin_owner(r);
	if (span__otlp_object(r))
		while (span__json_member(&r->j, &key)) {
			size_t name = span__otlp_name(&names, key);

			if (span__json_null(&r->j))
				continue;
			if (name == ATTRS)
				span__otlp_json_attrs(r, &r->o.attrs, 0);
			else if (name == DROPPED)
				r->o.resource.attrs.dropped =
					span__otlp_json_count(r);
			else
				span__json_skip(&r->j);
		}
	end_owner(r, &r->o.resource_marks);
}

static void scope_members(struct span__otlp_json *r, bool owner, bool spans)
{
	enum { SCOPE, SPANS, SCHEMA, LIBRARY };
	static const struct span_str known[] = {
		OTLP_NAME("scope"),
		OTLP_NAME("spans"),
		OTLP_NAME("schemaUrl"),
		OTLP_NAME("instrumentationLibrary"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		if (owner && (name == SCOPE || name == LIBRARY))
			read_scope(r);
		else if (owner && name == SCHEMA)
			r->o.scope.schema_url =
				read_schema_url(r, &r->o.scope_marks);
		else if (spans && name == SPANS)
			read_each(r, span__otlp_json_span);
		else
			span__json_skip(&r->j);
	}
}

static void read_scope_spans(struct span__otlp_json *r)
{
	bool ahead = r->o.ahead;
	struct place start = here(r);

	span__otlp_scope_begin(&r->o);
	if (ahead) {
		scope_members(r, true, false);
		back(r, start);
	}
	scope_members(r, !ahead, true);
	span__otlp_scope_end(&r->o);
}

static void resource_members(struct span__otlp_json *r, bool owner, bool spans)
{
	enum { RESOURCE, SCOPE_SPANS, SCHEMA, LIBRARY_SPANS };
	static const struct span_str known[] = {
		OTLP_NAME("resource"),
		OTLP_NAME("scopeSpans"),
		OTLP_NAME("schemaUrl"),
		OTLP_NAME("instrumentationLibrarySpans"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct span_str key;

	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (span__json_null(&r->j))
			continue;
		if (owner && name == RESOURCE)
			read_resource(r);
		else if (owner && name == SCHEMA)
			r->o.resource.schema_url =
				read_schema_url(r, &r->o.resource_marks);
		else if (spans &&
			 (name == SCOPE_SPANS || name == LIBRARY_SPANS))
			read_each(r, read_scope_spans);
		else
			span__json_skip(&r->j);
	}
}

static void read_resource_spans(struct span__otlp_json *r)
{
	bool ahead = r->o.ahead;
	struct place start = here(r);

	span__otlp_resource_begin(&r->o);
	if (ahead) {
		resource_members(r, true, false);
		back(r, start);
	}
	resource_members(r, !ahead, true);
	span__otlp_resource_end(&r->o);
}

/* The first member that is known says what the object is. */
static void read_request(struct span__otlp_json *r)
{
	enum { REQUEST, RESULT };
	static const struct span_str known[] = {
		OTLP_NAME("resourceSpans"),
		OTLP_NAME("result"),
		OTLP_NAME("resource"),
		OTLP_NAME("scopeSpans"),
		OTLP_NAME("schemaUrl"),
		OTLP_NAME("instrumentationLibrarySpans"),
	};
	struct span__otlp_names names = OTLP_NAMES(known);
	struct place start = here(r);
	struct span_str key;

	if (!span__json_object(&r->j))
		return;
	while (span__json_member(&r->j, &key)) {
		size_t name = span__otlp_name(&names, key);

		if (name > RESULT && name < names.n) {
			back(r, start);
			read_resource_spans(r);
			return;
		}
		if (span__json_null(&r->j))
			continue;
		if (name == REQUEST)
			read_each(r, read_resource_spans);
		else if (name == RESULT &&
			 span__json_peek(&r->j) == JSON_OBJECT)
			read_request(r);
		else
			span__json_skip(&r->j);
	}
}

void span__otlp_json_read(struct span__message *m)
{
	struct span__otlp_json r = {
		.o = {.m = m, .ahead = m->pass == SPAN__HAND_OUT}};

	span__json_init(&r.j, &m->in, &m->d->keep);
	read_request(&r);
	span__json_end(&r.j);
	span_buf_release(&r.stack);
}
