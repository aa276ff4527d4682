/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seg-spans.h - spans that make segments: the same seed gives the same ones
 *
 * Like those of services: a few types, each with its keys, in trees, with here
 * and there what is rare: orphans, circles, ids twice, values of every kind.
 */
#ifndef SEG_SPANS_H
#define SEG_SPANS_H

#include <endian.h>
#include <stdio.h>

#include "random-span.h"

#define SEG_SPANS_TIME 1795341600000000000u

static inline struct span_str rnd_text(struct rnd *r, const char *fmt,
				       unsigned value)
{
	char *p = rnd_alloc(r, 80);
	int n = snprintf(p, 80, "%s%u", fmt, value);

	return (struct span_str){p, (size_t)n};
}

static inline struct span_attr rnd_tag(struct span_str key, enum span_type type)
{
	return (struct span_attr){key, {.type = type}};
}

/* Tags of operation OP: the same keys each time. */
static inline void rnd_op_tags(struct rnd *r, unsigned op, struct span *s)
{
	struct span_attr *v = rnd_alloc(r, 6 * sizeof(*v));

	v[0] = rnd_tag(span_str("http.method"), SPAN_STRING);
	v[0].value.str = span_str(op % 2 ? "GET" : "POST");
	v[1] = rnd_tag(span_str("http.status_code"), SPAN_INT);
	v[1].value.i = rnd_below(r, 20) ? 200 : 500;
	v[2] = rnd_tag(span_str("http.url"), SPAN_STRING);
	v[2].value.str = rnd_text(r, "http://host/item/",
				  (unsigned)rnd_below(r, 100000));
	v[3] = rnd_tag(span_str("cached"), SPAN_BOOL);
	v[3].value.b = rnd_below(r, 2);
	v[4] = rnd_tag(span_str("load"), SPAN_DOUBLE);
	v[4].value.d = (double)rnd_below(r, 1000) / 100;
	v[5].key = span_str("other");
	v[5].value = rnd_value(r, 0);
	s->attrs.v = v;
	s->attrs.n = 3 + op % 4;
}

static inline void rnd_op_events(struct rnd *r, struct span *s)
{
	struct span_event *e = rnd_alloc(r, sizeof(*e));
	struct span_attr *v = rnd_alloc(r, 2 * sizeof(*v));

	v[0] = rnd_tag(span_str("event"), SPAN_STRING);
	v[0].value.str = span_str("retry");
	v[1] = rnd_tag(span_str("message"), SPAN_STRING);
	v[1].value.str =
		rnd_text(r, "attempt number ", (unsigned)rnd_below(r, 50));
	*e = (struct span_event){
		.time_ns = s->start_ns + rnd_below(r, 5000),
		.attrs = {v, 2, 0},
	};
	s->events = e;
	s->n_events = 1;
}

static inline void rnd_op_rare(struct rnd *r, struct span *s)
{
	static const struct span_scope scope = {.name = {"lib", 3},
						.version = {"1.2", 3}};

	if (!rnd_below(r, 3))
		s->scope = &scope;
	if (!rnd_below(r, 20)) {
		s->status = SPAN_STATUS_ERROR;
		s->status_message = rnd_text(r, "failed with code ",
					     (unsigned)rnd_below(r, 9));
	}
	if (!rnd_below(r, 50))
		s->trace_state = span_str("vendor=1,ot=th:8");
	if (!rnd_below(r, 100))
		s->dropped_refs = 3;
	if (!rnd_below(r, 100))
		s->start_ns = rnd_number(r);
	if (!rnd_below(r, 100))
		s->duration_ns = rnd_number(r);
}

/* Span I of a trace whose spans before it are at V. */
static inline struct span rnd_op_span(struct rnd *r, const struct span *v,
				      size_t i, const struct span_process *p,
				      size_t n_processes)
{
	const struct span *parent = i ? &v[rnd_below(r, i)] : NULL;
	unsigned op = (unsigned)rnd_below(r, 8);
	uint64_t id = rnd_next(r);
	struct span_ref *ref;
	struct span s = {
		.start_ns = SEG_SPANS_TIME + rnd_below(r, 1u << 30) * 1000,
		.duration_ns = rnd_below(r, 1u << 20) * 1000,
		.name = rnd_text(r, "operation ", op),
		.process = &p[op % n_processes],
		.kind = (uint8_t)(op % 6),
		.flags = 1,
	};

	memcpy(s.span_id, &id, 8);
	if (parent) {
		memcpy(s.trace_id, parent->trace_id, 16);
		memcpy(s.parent_id, parent->span_id, 8);
		s.start_ns = parent->start_ns + rnd_below(r, 1000) * 1000;
	}
	if (rnd_below(r, 2) && parent) {
		ref = rnd_alloc(r, sizeof(*ref));
		*ref = (struct span_ref){.type = SPAN_REF_CHILD_OF};
		memcpy(ref->trace_id, s.trace_id, 16);
		memcpy(ref->span_id, s.parent_id, 8);
		s.refs = ref;
		s.n_refs = 1;
	}
	rnd_op_tags(r, op, &s);
	if (op == 3)
		rnd_op_events(r, &s);
	rnd_op_rare(r, &s);
	return s;
}

/* What is wrong with some traces: orphans, circles, self-parents, ids twice. */
static inline void rnd_twist(struct rnd *r, struct span *v, size_t n)
{
	struct span *a = &v[rnd_below(r, n)], *b = &v[rnd_below(r, n)];

	switch (rnd_below(r, 6)) {
	case 0:
		rnd_id(r, a->parent_id, 8);
		break;
	case 1:
		memcpy(a->parent_id, b->span_id, 8);
		memcpy(b->parent_id, a->span_id, 8);
		break;
	case 2:
		memcpy(a->parent_id, a->span_id, 8);
		break;
	case 3:
		memcpy(a->span_id, b->span_id, 8);
		break;
	case 4:
		*a = *b;
		break;
	default:
		memset(a->parent_id, 0, 8);
	}
}

/*
 * N spans in traces of about EACH, the spans of all mixed. WILD: one in so
 * many spans has any content at all (0: none).
 */
static inline struct span *rnd_spans(struct rnd *r, size_t n, size_t each,
				     unsigned wild)
{
	struct span *v = rnd_alloc(r, n * sizeof(*v));
	struct span_process *p = rnd_alloc(r, 5 * sizeof(*p));

	for (unsigned i = 0; i < 5; i++) {
		p[i] = *rnd_process(r);
		p[i].service = rnd_text(r, "service-", i);
	}
	for (size_t i = 0, len; i < n; i += len) {
		len = 1 + rnd_below(r, 2 * each);
		len = len < n - i ? len : n - i;
		v[i] = rnd_op_span(r, NULL, 0, p, 5);
		rnd_id(r, v[i].trace_id, 16);
		for (size_t k = 1; k < len; k++)
			v[i + k] = rnd_op_span(r, v + i, k, p, 5);
		if (!rnd_below(r, 10))
			rnd_twist(r, v + i, len);
		for (size_t k = 0; wild && k < len; k++) {
			struct span s = rnd_span(r, &p[k % 5]);

			if (rnd_below(r, wild))
				continue;
			memcpy(s.trace_id, v[i].trace_id, 16);
			v[i + k] = s;
		}
	}
	for (size_t i = n; i > 1; i--) {
		size_t k = rnd_below(r, i);
		struct span s = v[k];

		v[k] = v[i - 1];
		v[i - 1] = s;
	}
	return v;
}

#endif
