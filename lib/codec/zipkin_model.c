/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zipkin's span to ours, by the rules of Jaeger's own collector (v1), and
 * with what it drops: a producer's or consumer's kind, the shared flag, all
 * of the local endpoint.
 *
 * A span may lack its times: the annotations of its side (cs to cr, else sr
 * to ss) have them, else the first and the last annotation. A value of the
 * wrong length or of an unknown type is kept as bytes.
 */
#include "codec/zipkin.h"

#include "base/banned.h"

int span__zipkin_core(struct span_str value)
{
	static const struct {
		char name[3];
		uint8_t kind;
	} core[] = {
		{"cs", SPAN_KIND_CLIENT},   {"cr", SPAN_KIND_CLIENT},
		{"ss", SPAN_KIND_SERVER},   {"sr", SPAN_KIND_SERVER},
		{"ms", SPAN_KIND_PRODUCER}, {"mr", SPAN_KIND_CONSUMER},
	};

	if (value.len != 2)
		return 0;
	for (size_t i = 0; i < sizeof(core) / sizeof(*core); i++)
		if (!memcmp(core[i].name, value.p, 2))
			return core[i].kind;
	return 0;
}

bool span__zipkin_side(struct span_str value)
{
	int kind = span__zipkin_core(value);

	return kind == SPAN_KIND_CLIENT || kind == SPAN_KIND_SERVER;
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

struct times {
	int64_t start, duration;
	bool has_start, has_duration;
};

/* From one annotation to another: start, and the duration when both exist. */
static void interval(const struct span__zipkin_annotation *from,
		     const struct span__zipkin_annotation *to, struct times *t)
{
	if (from && !t->start && !t->has_start)
		t->start = from->us;
	if (from && to && !t->duration && !t->has_duration)
		t->duration = difference(to->us, from->us);
}

static struct times find_times(const struct span__zipkin_span *z)
{
	const struct span__zipkin_annotation *first = z->annotations, *last;
	struct times t = {z->start_us, z->duration_us, z->has_start,
			  z->has_duration};

	/* The tag errNegativeDuration has it. */
	if (t.duration < 0)
		t.duration = 1;
	if (!z->n_annotations)
		return t;
	if (z->kind)
		;
	else if (find(z, SPAN_STR("cs")))
		interval(find(z, SPAN_STR("cs")), find(z, SPAN_STR("cr")), &t);
	else
		interval(find(z, SPAN_STR("sr")), find(z, SPAN_STR("ss")), &t);
	last = &first[z->n_annotations - 1];
	interval(first, first->us < last->us ? last : NULL, &t);
	return t;
}

/* The kind that the span gives, else that of its first core annotation. */
static uint8_t find_kind(const struct span__zipkin_span *z)
{
	int first = z->kind;

	for (size_t i = 0; i < z->n_annotations && !z->kind; i++) {
		int kind = span__zipkin_core(z->annotations[i].value);

		if (span__zipkin_side(z->annotations[i].value))
			return (uint8_t)kind;
		if (!first)
			first = kind;
	}
	return (uint8_t)first;
}

static bool one_text(struct span__message *m, struct span_attrs *out,
		     struct span_str key, struct span_str text)
{
	struct span_attr *v =
		span__message_array(m, &m->d->arena, 1, sizeof(*v));

	if (!v)
		return false;
	*v = (struct span_attr){key, {.type = SPAN_STRING, .str = text}};
	*out = (struct span_attrs){.v = v, .n = 1};
	return true;
}

/*
 * A side's annotations are said by the kind; "ms" and "mr", for which Jaeger
 * has no kind, are too where they stand at the span's start.
 */
static bool is_event(const struct span__zipkin_annotation *a,
		     const struct span__zipkin_span *z, int kind, int64_t start)
{
	if (!a->value.len || z->kind)
		return a->value.len;
	if (span__zipkin_side(a->value))
		return false;
	return a->us != start || !kind || span__zipkin_core(a->value) != kind;
}

static void make_events(struct span__message *m,
			const struct span__zipkin_span *z, int kind,
			int64_t start, struct span *s)
{
	struct span_event *events = span__message_array(
		m, &m->d->arena, z->n_annotations, sizeof(*events));

	if (!events)
		return;
	s->events = events;
	for (size_t i = 0; i < z->n_annotations; i++) {
		const struct span__zipkin_annotation *a = &z->annotations[i];
		struct span_event *e = &events[s->n_events];

		if (!is_event(a, z, kind, start))
			continue;
		*e = (struct span_event){0};
		if (!span__zipkin_log_fields(m, a->value, &e->attrs) &&
		    !one_text(m, &e->attrs, SPAN_STR("event"), a->value))
			return;
		span__message_event_time(m, e, a->us);
		s->n_events++;
	}
}

/*
 * In Zipkin any tag "error" means one, and its text says which; OpenTelemetry's
 * "OK" beside it overrules it.
 */
static void find_error(struct span *s)
{
	const struct span_value *v =
		span_attr_get(&s->attrs, SPAN_STR("error"));
	const struct span_value *code =
		span_attr_get(&s->attrs, SPAN_STR("otel.status_code"));

	if (!v || v->type != SPAN_STRING ||
	    span_str_equal(v->str, SPAN_STR("false")))
		return;
	if (code && code->type == SPAN_STRING &&
	    span_status_parse(code->str) == SPAN_STATUS_OK)
		return;
	s->status = SPAN_STATUS_ERROR;
	if (!span_str_equal(v->str, SPAN_STR("true")))
		s->status_message = v->str;
}

/* The part of a span that was both: ids and name, its own side's times. */
static void make_other_side(struct span__message *m,
			    const struct span__zipkin_span *z, bool client,
			    const struct span *first, struct span *s)
{
	struct times t = {0};

	*s = *first;
	s->attrs = (struct span_attrs){0};
	s->events = NULL;
	s->n_events = 0;
	s->status = SPAN_STATUS_UNSET;
	s->status_message = (struct span_str){0};
	s->marks &= (uint16_t)~SPAN_MARK_CLAMPED;
	m->marks = s->marks;
	if (client)
		interval(find(z, SPAN_STR("cs")), find(z, SPAN_STR("cr")), &t);
	else
		interval(find(z, SPAN_STR("sr")), find(z, SPAN_STR("ss")), &t);
	if (!one_text(m, &s->attrs, SPAN_STR("span.kind"),
		      client ? SPAN_STR("client") : SPAN_STR("server")))
		return;
	span__message_times(m, s, t.start, t.duration);
	s->marks = m->marks;
}

static void make_span(struct span__message *m,
		      const struct span__zipkin_span *z, int kind,
		      struct span *s)
{
	const uint64_t ids[] = {htobe64(z->trace_id_high), htobe64(z->trace_id),
				htobe64(z->id), htobe64(z->parent_id)};
	struct times t = find_times(z);

	*s = (struct span){
		.name = z->name,
		.kind = z->kind,
		.flags = z->debug ? SPAN__FLAG_SAMPLED | SPAN__FLAG_DEBUG : 0};
	memcpy(s->trace_id, &ids[0], 16);
	memcpy(s->span_id, &ids[2], 8);
	memcpy(s->parent_id, &ids[3], 8);
	span__zipkin_tags(m, z, kind, &s->attrs);
	make_events(m, z, kind, t.start, s);
	find_error(s);
	span__message_times(m, s, t.start, t.duration);
	s->marks = m->marks;
}

static bool has_both_sides(const struct span__zipkin_span *z)
{
	return !z->kind && find(z, SPAN_STR("cs")) && find(z, SPAN_STR("sr"));
}

static void give(struct span__message *m, const struct span *s,
		 const struct span_process *p)
{
	struct span copy = *s;

	if (m->pass == SPAN__COLLECT)
		span__message_span(m, s, p);
	else if (!m->in.failed)
		span__message_hand_out(m, &copy, p);
}

void span__zipkin_span(struct span__message *m,
		       const struct span__zipkin_span *z)
{
	bool client = find_kind(z) == SPAN_KIND_CLIENT;
	struct span_process *p;
	struct span s, other;

	if (m->pass == SPAN__CHECK)
		return;
	p = span__message_array(m, &m->d->arena, 1, sizeof(*p));
	if (!p)
		return;
	m->process_marks = 0;
	span__zipkin_process(m, z, p);
	m->marks |= m->process_marks;
	m->process_marks = 0;
	make_span(m, z, find_kind(z), &s);
	if (!has_both_sides(z)) {
		give(m, &s, p);
		return;
	}
	make_other_side(m, z, !client, &s, &other);
	give(m, client ? &s : &other, p);
	give(m, client ? &other : &s, p);
}
