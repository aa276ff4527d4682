/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random-span.h - spans of every kind for property tests
 *
 * The same seed gives the same spans. Everything is allocated from the
 * caller's arena.
 */
#ifndef RANDOM_SPAN_H
#define RANDOM_SPAN_H

#include <span/model.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

struct rnd {
	uint64_t state;
	struct span_arena *arena;
};

/* splitmix64 */
static inline uint64_t rnd_next(struct rnd *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t rnd_below(struct rnd *r, uint64_t n)
{
	return rnd_next(r) % n;
}

static inline void *rnd_alloc(struct rnd *r, size_t len)
{
	void *p = span_arena_alloc(r->arena, len);

	if (!p)
		abort();
	return p;
}

/* Often one of a few, sometimes empty, huge, with NUL or not UTF-8. */
static inline struct span_str rnd_str(struct rnd *r)
{
	static const char *const words[] = {
		"error", "span.kind", "server",	      "http.method",
		"GET",	 "a\xc3\xa9", "\xff\xfe\x80", "caf\xc3",
		"=1+1",	 "x\ny",      "\x1b[31m",     "true",
	};
	size_t len;
	char *p;

	switch (rnd_below(r, 12)) {
	case 0:
		return (struct span_str){0};
	case 1:
		len = rnd_below(r, 60) ? 40 : SPAN_MAX_STRING;
		break;
	case 2:
	case 3:
		len = rnd_below(r, 32);
		break;
	default:
		return span_str(
			words[rnd_below(r, sizeof(words) / sizeof(*words))]);
	}
	p = rnd_alloc(r, len);
	for (size_t i = 0; i < len; i++)
		p[i] = (char)rnd_next(r);
	return (struct span_str){p, len};
}

static inline uint64_t rnd_number(struct rnd *r)
{
	static const uint64_t edges[] = {
		0,	    1,
		127,	    128,
		255,	    256,
		65535,	    65536,
		INT32_MAX,  UINT32_MAX,
		INT64_MAX,  (uint64_t)INT64_MIN,
		UINT64_MAX, 1700000000000000000,
		1000,
	};

	if (rnd_below(r, 2))
		return edges[rnd_below(r, sizeof(edges) / sizeof(*edges))];
	return rnd_next(r) >> rnd_below(r, 64);
}

static inline const struct span_attr *rnd_pairs(struct rnd *r, size_t n,
						unsigned depth);

static inline struct span_value rnd_value(struct rnd *r, unsigned depth)
{
	static const double doubles[] = {0.0, -0.0, 72.5, 1e300, NAN, INFINITY};
	struct span_value v = {.type = (enum span_type)rnd_below(r, 8)};
	struct span_value *items;

	if (depth >= SPAN_MAX_DEPTH && v.type >= SPAN_ARRAY)
		v.type = SPAN_NULL;
	switch (v.type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		v.str = rnd_str(r);
		break;
	case SPAN_BOOL:
		v.b = rnd_below(r, 2);
		break;
	case SPAN_INT:
		v.i = (int64_t)rnd_number(r);
		break;
	case SPAN_DOUBLE:
		v.d = doubles[rnd_below(r, 6)];
		break;
	case SPAN_ARRAY:
		v.array.n = rnd_below(r, 3);
		items = rnd_alloc(r, v.array.n * sizeof(*items));
		for (size_t i = 0; i < v.array.n; i++)
			items[i] = rnd_value(r, depth + 1);
		v.array.v = items;
		break;
	case SPAN_MAP:
		v.map.n = rnd_below(r, 3);
		v.map.v = rnd_pairs(r, v.map.n, depth + 1);
		break;
	case SPAN_NULL:
		break;
	}
	return v;
}

static inline const struct span_attr *rnd_pairs(struct rnd *r, size_t n,
						unsigned depth)
{
	struct span_attr *v = rnd_alloc(r, n * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		v[i].key = rnd_str(r);
		v[i].value = rnd_value(r, depth);
	}
	return v;
}

static inline struct span_attrs rnd_attrs(struct rnd *r)
{
	struct span_attrs a = {.n = rnd_below(r, 8)};

	if (!rnd_below(r, 5000))
		a.n = SPAN_MAX_ATTRS;
	a.v = rnd_pairs(r, a.n, 0);
	if (!rnd_below(r, 4))
		a.dropped = (uint32_t)rnd_number(r);
	return a;
}

static inline void rnd_id(struct rnd *r, uint8_t *id, size_t len)
{
	if (!rnd_below(r, 4)) {
		memset(id, 0, len);
		id[len - 1] = (uint8_t)rnd_below(r, 3);
		return;
	}
	for (size_t i = 0; i < len; i++)
		id[i] = (uint8_t)rnd_next(r);
}

static inline const struct span_process *rnd_process(struct rnd *r)
{
	struct span_process *p = rnd_alloc(r, sizeof(*p));

	*p = (struct span_process){.service = rnd_str(r)};
	p->attrs = rnd_attrs(r);
	if (!rnd_below(r, 4))
		p->schema_url = rnd_str(r);
	return p;
}

static inline const struct span_scope *rnd_scope(struct rnd *r)
{
	struct span_scope *s = rnd_alloc(r, sizeof(*s));

	if (rnd_below(r, 2))
		return NULL;
	*s = (struct span_scope){.name = rnd_str(r), .version = rnd_str(r)};
	s->attrs = rnd_attrs(r);
	if (!rnd_below(r, 4))
		s->schema_url = rnd_str(r);
	return s;
}

static inline void rnd_lists(struct rnd *r, struct span *s)
{
	struct span_event *events;
	struct span_ref *refs;

	s->n_events = rnd_below(r, 3);
	events = rnd_alloc(r, s->n_events * sizeof(*events));
	for (size_t i = 0; i < s->n_events; i++)
		events[i] = (struct span_event){rnd_number(r), rnd_str(r),
						rnd_attrs(r)};
	s->events = events;
	s->n_refs = rnd_below(r, 3);
	refs = rnd_alloc(r, s->n_refs * sizeof(*refs));
	for (size_t i = 0; i < s->n_refs; i++) {
		refs[i] = (struct span_ref){
			.type = (int32_t)rnd_below(r, 5) - 1,
			.flags = (uint32_t)rnd_number(r),
			.trace_state = rnd_str(r),
			.attrs = rnd_attrs(r),
		};
		rnd_id(r, refs[i].trace_id, 16);
		if (rnd_below(r, 2))
			memcpy(refs[i].trace_id, s->trace_id, 16);
		rnd_id(r, refs[i].span_id, 8);
	}
	s->refs = refs;
}

/* A span with something in every field; processes repeat now and then. */
static inline struct span rnd_span(struct rnd *r,
				   const struct span_process *process)
{
	struct span s = {
		.start_ns = rnd_number(r),
		.duration_ns = rnd_number(r),
		.name = rnd_str(r),
		.process = process,
		.scope = rnd_scope(r),
		.kind = (uint8_t)rnd_below(r, 6),
		.status = (uint8_t)rnd_below(r, 3),
		.marks = (uint16_t)rnd_below(r, 8),
		.flags = (uint32_t)rnd_number(r),
	};

	rnd_id(r, s.trace_id, 16);
	if (!rnd_below(r, 3))
		memset(s.trace_id, 0, 8);
	rnd_id(r, s.span_id, 8);
	rnd_id(r, s.parent_id, 8);
	s.attrs = rnd_attrs(r);
	if (rnd_below(r, 2)) {
		s.status_message = rnd_str(r);
		s.trace_state = rnd_str(r);
		s.dropped_events = (uint32_t)rnd_number(r);
		s.dropped_refs = (uint32_t)rnd_number(r);
	}
	rnd_lists(r, &s);
	return s;
}

/*
 * For what is sent: names that are not UTF-8 do not come back as they are, but
 * as t-rename.c has it.
 */
static inline void rnd_valid_names(struct span *s)
{
	struct span_process *p = (struct span_process *)(uintptr_t)s->process;

	if (!span__utf8_valid(s->name))
		s->name = SPAN_STR("name");
	if (!span__utf8_valid(p->service))
		p->service = SPAN_STR("service");
}

#endif
