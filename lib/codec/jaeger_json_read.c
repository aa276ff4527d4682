/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of Jaeger's query API and UI: {"data":[trace...]}, an array of
 * traces, or one trace. A span names its process, and the processes may stand
 * behind the spans: a trace is walked once to find both, then its spans are
 * read. Spans that hold their process, as they are in Jaeger's indices of
 * Elasticsearch, may also stand alone.
 *
 * Source: jaeger model/json.
 */
#include "codec/jaeger_json.h"
#include "codec/jaeger_proto.h"
#include "codec/json_scan.h"

#include <stdlib.h>

#include "base/banned.h"

struct reader {
	struct span__message *m;
	struct span__json j;
	struct span__list processes; /* of the trace, sorted by id */
	const struct span__jaeger_process *none;
	struct span_str trace_id; /* of the trace, where a span has none */
};

/* The same input, and another arena for its text. */
static struct span__json with_arena(const struct reader *r,
				    struct span_arena *arena)
{
	struct span__json j = r->j;

	j.arena = arena;
	return j;
}

static void read_process(struct reader *r, struct span_arena *arena,
			 struct span__jaeger_process *p)
{
	struct span__json j = with_arena(r, arena);
	struct span__list attrs = {0};
	uint16_t before = span__jaeger_process_begin(r->m);
	struct span_str key;

	if (!span__json_null(&j) && span__json_object(&j)) {
		while (span__json_member(&j, &key)) {
			if (named(key, "serviceName"))
				p->p.service = span__jaeger_json_text(r->m, &j);
			else if (named(key, "tags"))
				span__jaeger_json_tags(r->m, &j, &attrs);
			else
				span__json_skip(&j);
		}
	}
	p->p.attrs = (struct span_attrs){.v = attrs.v, .n = attrs.n};
	span__jaeger_process_end(r->m, before, p, arena);
}

/* Of processes with one id the last one counts: it sorts behind. */
static int compare(const void *a, const void *b)
{
	const struct span__jaeger_process *x = a, *y = b;
	int order = span_str_compare(x->id, y->id);

	if (order)
		return order;
	return x->p.serial < y->p.serial ? -1 : x->p.serial > y->p.serial;
}

/* Room for all of them: a list that doubled would take much more. */
static void reserve_processes(struct reader *r, struct span__list *list)
{
	struct span__cursor in = *r->j.in;
	struct span__json j = r->j;
	struct span_str id;
	size_t n = 0;

	j.in = &in;
	j.arena = NULL;
	if (span__json_object(&j))
		while (span__json_member(&j, &id) && span__json_pass(&j))
			n++;
	span__jaeger_reserve(r->m, &r->m->d->keep, list, n, SIZE_MAX,
			     sizeof(struct span__jaeger_process));
}

static void read_processes(struct reader *r)
{
	struct span_arena *keep = &r->m->d->keep;
	struct span__json j = with_arena(r, keep);
	struct span__list *list = &r->processes;
	struct span__jaeger_process *p;
	struct span_str id;

	if (span__json_null(&j))
		return;
	if (span__json_peek(&j) == JSON_OBJECT)
		reserve_processes(r, list);
	if (!span__json_object(&j))
		return;
	while (span__json_member(&j, &id)) {
		p = span__message_push(r->m, keep, list, sizeof(*p));
		if (!p)
			return;
		p->id = id;
		read_process(r, keep, p);
	}
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*p), compare);
}

static const struct span__jaeger_process *no_process(struct reader *r)
{
	struct span_arena *keep = &r->m->d->keep;
	struct span__jaeger_process *p;
	uint16_t before;

	if (r->none)
		return r->none;
	p = span__message_array(r->m, keep, 1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct span__jaeger_process){0};
	before = span__jaeger_process_begin(r->m);
	span__jaeger_process_end(r->m, before, p, keep);
	r->none = p;
	return p;
}

static const struct span__jaeger_process *find_process(struct reader *r,
						       struct span_str id)
{
	const struct span__jaeger_process *v = r->processes.v;
	size_t low = 0, high = r->processes.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_str_compare(v[middle].id, id) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	if (low && span_str_equal(v[low - 1].id, id))
		return &v[low - 1];
	return no_process(r);
}

static bool read_us(struct span__json *j, int64_t *us)
{
	*us = 0;
	return span__json_null(j) || span__json_int(j, us);
}

/* False for a log that says nothing. */
static bool read_log(struct reader *r, struct span__jaeger_span *s,
		     struct span_event *e)
{
	struct span__json *j = &r->j;
	struct span__list fields = {0};
	struct span_str key;
	int64_t us = 0;
	bool any = false;

	*e = (struct span_event){0};
	if (!span__json_object(j))
		return false;
	while (span__json_member(j, &key)) {
		const unsigned char *at = j->in->p;

		any |= named(key, "fields") || named(key, "timestamp");
		if (named(key, "fields"))
			span__jaeger_json_tags(r->m, j, &fields);
		else if (!named(key, "timestamp"))
			span__json_skip(j);
		else if (!read_us(j, &us))
			span__jaeger_bad(s, at, "a log has no valid time");
	}
	e->attrs = (struct span_attrs){.v = fields.v, .n = fields.n};
	span__jaeger_event_time(r->m, e, us, 0);
	return any;
}

static void read_logs(struct reader *r, struct span__jaeger_span *s)
{
	struct span_event log, *e;

	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		if (!read_log(r, s, &log)) {
			r->m->marks |= SPAN_MARK_CUT;
			continue;
		}
		e = span__jaeger_push(r->m, &r->m->d->arena, &s->events,
				      SPAN_MAX_EVENTS, sizeof(*e));
		if (e)
			*e = log;
	}
}

static void read_ref(struct reader *r, struct span__jaeger_span *s,
		     struct span_ref *ref)
{
	struct span__json *j = &r->j;
	const unsigned char *at = j->in->p;
	struct span_str key, trace = {0}, id = {0};

	*ref = (struct span_ref){.type = SPAN_REF_CHILD_OF};
	if (!span__json_object(j))
		return;
	while (span__json_member(j, &key)) {
		if (named(key, "traceID"))
			trace = span__jaeger_json_text(r->m, j);
		else if (named(key, "spanID"))
			id = span__jaeger_json_text(r->m, j);
		else if (!named(key, "refType"))
			span__json_skip(j);
		else if (named(span__jaeger_json_text(r->m, j), "FOLLOWS_FROM"))
			ref->type = SPAN_REF_FOLLOWS_FROM;
	}
	if (span_trace_id_parse(trace, ref->trace_id) < 0 ||
	    span_id_parse(id, ref->span_id) < 0)
		span__jaeger_bad(s, at, "a reference has no valid ids");
}

static void read_refs(struct reader *r, struct span__jaeger_span *s)
{
	struct span_ref ref, *to;

	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j)) {
		read_ref(r, s, &ref);
		if (s->bad)
			continue;
		to = span__jaeger_push(r->m, &r->m->d->arena, &s->refs,
				       SPAN_MAX_REFS, sizeof(*to));
		if (to)
			*to = ref;
	}
}

static void read_warnings(struct reader *r, struct span__jaeger_span *s)
{
	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j))
		span__jaeger_warning(r->m, s,
				     span__jaeger_json_text(r->m, &r->j));
}

static void read_flags(struct reader *r, struct span__jaeger_span *s)
{
	const unsigned char *at = r->j.in->p;
	uint64_t flags = 0;

	if (!span__json_null(&r->j) &&
	    (!span__json_uint(&r->j, &flags) || flags > UINT32_MAX))
		span__jaeger_bad(s, at, "the flags are no number of 32 bits");
	s->s.flags = (uint32_t)flags;
}

static void read_own_process(struct reader *r, struct span__jaeger_span *s)
{
	struct span_arena *arena = &r->m->d->arena;
	struct span__jaeger_process *p;

	if (span__json_null(&r->j))
		return;
	p = span__message_array(r->m, arena, 1, sizeof(*p));
	if (!p)
		return;
	*p = (struct span__jaeger_process){0};
	read_process(r, arena, p);
	s->process = p;
}

/* What a span has of texts; AT is where it begins. */
struct plain {
	struct span_str trace, id, parent, process;
	const unsigned char *at;
};

static void read_member(struct reader *r, struct span__jaeger_span *s,
			struct plain *p, struct span_str key)
{
	struct span__json *j = &r->j;
	const unsigned char *at = j->in->p;

	if (named(key, "traceID"))
		p->trace = span__jaeger_json_text(r->m, j);
	else if (named(key, "spanID"))
		p->id = span__jaeger_json_text(r->m, j);
	else if (named(key, "parentSpanID"))
		p->parent = span__jaeger_json_text(r->m, j);
	else if (named(key, "operationName"))
		s->s.name = span__jaeger_json_text(r->m, j);
	else if (named(key, "processID"))
		p->process = span__jaeger_json_text(r->m, j);
	else if (named(key, "flags"))
		read_flags(r, s);
	else if (named(key, "tags"))
		span__jaeger_json_tags(r->m, j, &s->attrs);
	else if (named(key, "logs"))
		read_logs(r, s);
	else if (named(key, "references"))
		read_refs(r, s);
	else if (named(key, "process"))
		read_own_process(r, s);
	else if (named(key, "warnings"))
		read_warnings(r, s);
	else if (named(key, "startTime")  ? !read_us(j, &s->start_us)
		 : named(key, "duration") ? !read_us(j, &s->duration_us)
					  : (span__json_skip(j), false))
		span__jaeger_bad(s, at, "a time is no number of microseconds");
}

static void read_ids(struct reader *r, struct span__jaeger_span *s,
		     const struct plain *p)
{
	if (span_trace_id_parse(p->trace.len ? p->trace : r->trace_id,
				s->s.trace_id) < 0)
		span__jaeger_bad(s, p->at, "a span has no valid traceID");
	else if (span_id_parse(p->id, s->s.span_id) < 0)
		span__jaeger_bad(s, p->at, "a span has no valid spanID");
	else if (p->parent.len && span_id_parse(p->parent, s->s.parent_id) < 0)
		span__jaeger_bad(s, p->at, "the parentSpanID is no id");
}

static void read_span(struct reader *r)
{
	struct span__message *m = r->m;
	struct span__jaeger_span s = {0};
	struct plain p = {.at = m->in.p};
	struct span_str key;

	if (span__json_null(&r->j) || !span__json_object(&r->j))
		return;
	m->marks = 0;
	while (span__json_member(&r->j, &key))
		read_member(r, &s, &p, key);
	if (m->in.failed)
		return;
	read_ids(r, &s, &p);
	if (!s.process)
		s.process = find_process(r, p.process);
	span__jaeger_span(m, &s);
}

static void read_spans(struct reader *r)
{
	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j))
		read_span(r);
}

/* What a trace is made of, and where. */
struct trace {
	const unsigned char *begin, *data, *spans;
	bool is_span;
};

static void find_parts(struct reader *r, struct trace *t)
{
	struct span__json *j = &r->j;
	struct span_str key;

	while (span__json_member(j, &key)) {
		if (named(key, "spans") || named(key, "data")) {
			*(named(key, "data") ? &t->data : &t->spans) = j->in->p;
			if (!span__json_pass(j))
				return;
		} else if (named(key, "processes")) {
			r->processes = (struct span__list){0};
			read_processes(r);
		} else if (named(key, "traceID")) {
			struct span__json kept = with_arena(r, &r->m->d->keep);

			r->trace_id = span__jaeger_json_text(r->m, &kept);
		} else {
			t->is_span |= named(key, "spanID");
			span__json_skip(j);
		}
	}
}

/* One trace, span, or null; TOP: or an object with a list of traces. */
static void read_trace(struct reader *r, bool top);

static void read_list(struct reader *r)
{
	if (span__json_peek(&r->j) == JSON_OBJECT) {
		read_trace(r, false);
		return;
	}
	if (!span__jaeger_json_array(&r->j))
		return;
	while (span__json_item(&r->j))
		read_trace(r, false);
}

static void read_parts(struct reader *r, const struct trace *t, bool top)
{
	struct span__cursor *in = r->j.in;

	if (t->spans) {
		in->p = t->spans;
		read_spans(r);
	} else if (top && t->data) {
		in->p = t->data;
		read_list(r);
	} else if (t->is_span) {
		in->p = t->begin;
		read_span(r);
	} else if (top) {
		span__cursor_fail(in, t->begin, SPAN_E_CORRUPT,
				  "neither spans nor traces of Jaeger");
	} else {
		span__message_bad_span(r->m, t->begin,
				       "neither a span nor a trace");
	}
}

static void read_trace(struct reader *r, bool top)
{
	struct span__cursor *in = r->j.in;
	struct trace t = {0};
	const unsigned char *end;

	if (span__json_null(&r->j))
		return;
	t.begin = in->p;
	r->processes = (struct span__list){0};
	r->trace_id = SPAN_STR("");
	if (r->m->pass != SPAN__COLLECT) {
		span_arena_reset(&r->m->d->keep);
		span_arena_reset(&r->m->d->arena);
		r->none = NULL;
	}
	if (!span__json_object(&r->j))
		return;
	find_parts(r, &t);
	end = in->p;
	if (in->failed)
		return;
	read_parts(r, &t, top);
	if (!in->failed)
		in->p = end;
}

void span__jaeger_json_read(struct span__message *m)
{
	struct reader r = {.m = m};

	span__json_init(&r.j, &m->in, &m->d->arena);
	if (span__json_peek(&r.j) == JSON_OBJECT)
		read_trace(&r, true);
	else
		read_list(&r);
	span__json_end(&r.j);
}
