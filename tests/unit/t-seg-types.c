/* SPDX-License-Identifier: Apache-2.0 */
/* Span types and ranks: what is put comes back, and damage is seen. */
#include "store/seg_types.h"

#include "tap.h"

#include "base/banned.h"

static struct span_arena arena;

static struct span__seg_slot *slot(struct span__seg_type *t, uint8_t role,
				   uint64_t len)
{
	struct span__seg_slot *s = &t->slots[t->n_slots];

	*s = (struct span__seg_slot){.role = role, .key = SEG_NO_STRING};
	s->pos = t->n_slots ? s[-1].pos + s[-1].len : 1000;
	s->len = len;
	t->n_slots++;
	return s;
}

static void tags(struct span__seg_type *t, uint8_t role, unsigned event,
		 unsigned n, unsigned seed)
{
	for (unsigned i = 0; i < n; i++) {
		struct span__seg_slot *s = slot(t, role, (seed + i) * 37);

		s->value = (uint8_t)((seed + i) % 8);
		s->key = seed * 1000 + i;
		s->event = (uint16_t)event;
	}
}

static struct span__seg_type exact_type(unsigned seed, unsigned n_tags,
					unsigned n_events)
{
	struct span__seg_type t = {
		.error = seed & 1,
		.same_process = seed & 2,
		.centred = seed & 4,
		.kind = (uint8_t)(seed % 6),
		.status = (uint8_t)(seed % 3),
		.refs = (uint8_t)(seed % 3),
		.ref_type = (int32_t)seed - 3,
		.marks = (uint16_t)(seed * 7919),
		.flags = seed * 2654435761u,
		.service = seed,
		.name = seed ? seed * 3 : SEG_NO_STRING,
		.scope = seed % 4,
		.dropped_attrs = seed * 1001,
		.dropped_events = seed & 4 ? UINT32_MAX : 0,
		.dropped_refs = seed & 8,
		.weight = seed & 1 ? 1.0 : 1.0 / 3 * 16,
		.n_spans = seed ? UINT64_MAX / seed : 1,
		.n_events = (uint16_t)n_events,
		.n_tags = (uint16_t)n_tags,
	};

	t.events = span_arena_array(&arena, n_events, sizeof(*t.events));
	t.slots = span_arena_array(&arena, 256, sizeof(*t.slots));
	slot(&t, SLOT_START, 5);
	slot(&t, SLOT_DURATION, 1u << 20);
	if (!t.same_process)
		slot(&t, SLOT_PROCESS, 3);
	if (seed & 1)
		slot(&t, SLOT_MESSAGE, 300);
	if (seed & 4)
		slot(&t, SLOT_STATE, 70000);
	tags(&t, SLOT_TAG, 0, n_tags, seed);
	for (unsigned i = 0; i < n_events; i++) {
		t.events[i] = (struct span__seg_event_type){i, seed, 1};
		slot(&t, SLOT_EVENT_TIME, 9)->event = (uint16_t)i;
		tags(&t, SLOT_EVENT_TAG, i, 1, seed + i);
	}
	if (t.refs == SEG_REFS_PACKED)
		slot(&t, SLOT_REFS, 1);
	return t;
}

static struct span__seg_type loose_type(void)
{
	struct span__seg_type t = {
		.loose = true,
		.kind = 255,
		.status = 9,
		.service = SEG_NO_STRING,
		.name = SEG_NO_STRING,
		.weight = 1,
		.n_spans = 12,
	};

	t.slots = span_arena_array(&arena, 8, sizeof(*t.slots));
	slot(&t, SLOT_START, 5);
	slot(&t, SLOT_DURATION, 6);
	slot(&t, SLOT_PROCESS, 7);
	slot(&t, SLOT_NAME, 8);
	slot(&t, SLOT_REST, 9);
	return t;
}

static bool same_slots(const struct span__seg_type *a,
		       const struct span__seg_type *b)
{
	if (a->n_slots != b->n_slots)
		return false;
	for (unsigned i = 0; i < a->n_slots; i++) {
		const struct span__seg_slot *x = &a->slots[i];
		const struct span__seg_slot *y = &b->slots[i];

		if (x->role != y->role || x->value != y->value ||
		    x->event != y->event || x->key != y->key ||
		    x->pos != y->pos || x->len != y->len)
			return false;
	}
	return true;
}

static bool same_type(const struct span__seg_type *a,
		      const struct span__seg_type *b)
{
	if (a->n_events != b->n_events || a->n_tags != b->n_tags)
		return false;
	for (unsigned i = 0; i < a->n_events; i++)
		if (a->events[i].name != b->events[i].name ||
		    a->events[i].dropped != b->events[i].dropped ||
		    a->events[i].n_attrs != b->events[i].n_attrs)
			return false;
	return a->loose == b->loose && a->error == b->error &&
	       a->same_process == b->same_process && a->centred == b->centred &&
	       a->kind == b->kind && a->status == b->status &&
	       a->refs == b->refs && a->ref_type == b->ref_type &&
	       a->marks == b->marks && a->flags == b->flags &&
	       a->service == b->service && a->name == b->name &&
	       a->scope == b->scope && a->dropped_attrs == b->dropped_attrs &&
	       a->dropped_events == b->dropped_events &&
	       a->dropped_refs == b->dropped_refs && a->weight == b->weight &&
	       a->n_spans == b->n_spans && same_slots(a, b);
}

#define N 40u

static void fill(struct span__seg_type v[N])
{
	for (unsigned i = 0; i < N - 2; i++)
		v[i] = exact_type(i, i % 5, i % 3);
	v[N - 2] = exact_type(1, SEG_TYPE_SLOTS - 2 * SEG_TYPE_EVENTS,
			      SEG_TYPE_EVENTS);
	v[N - 1] = loose_type();
}

static struct span__area area_of(const struct span_buf *b)
{
	return (struct span__area){(const uint8_t *)b->p, b->len, NULL};
}

static void test_types(void)
{
	struct span__seg_type v[N], got;
	struct span_buf out = {0};
	struct span__types types;
	struct span__area area;
	unsigned good = 0;

	fill(v);
	is_int(span__types_put_section(&out, v, N, NULL), 0, "types are put");
	area = area_of(&out);
	ok(span__types_open(&types, &area, N), "and opened");
	for (unsigned i = 0; i < N; i++)
		good += span__types_get(&types, i, &arena, &got) &&
			same_type(&got, &v[i]);
	is_uint(good, N, "all come back as they were");
	ok(!span__types_get(&types, N, &arena, &got), "there is no other one");
	types.columns = 1000;
	ok(!span__types_get(&types, 3, &arena, &got),
	   "a slot outside of the columns is damage");
	ok(!span__types_open(&types, &area, area.len + 1),
	   "there are not more types than bytes");
	span_buf_release(&out);

	ok(span__types_put_section(&out, NULL, 0, NULL) == 0, "no types");
	area = area_of(&out);
	ok(span__types_open(&types, &area, 0), "no types are opened");
	span_buf_release(&out);
}

/* Any byte changed, or the end cut off: no crash, and limits hold. */
static void test_damage(void)
{
	struct span__seg_type v[N], got;
	struct span_buf out = {0};
	struct span__types types;
	struct span__area area;
	bool held = true;

	fill(v);
	ok(span__types_put_section(&out, v, N, NULL) == 0, "types to damage");
	for (size_t at = 0; at < out.len; at++) {
		char was = out.p[at];

		out.p[at] = (char)(was ^ (1 + at % 255));
		area = area_of(&out);
		area.len -= at % 3 ? 0 : at;
		for (unsigned i = 0;
		     span__types_open(&types, &area, N) && i < N; i++)
			if (span__types_get(&types, i, &arena, &got))
				held &= got.n_events <= SEG_TYPE_EVENTS &&
					got.n_slots <= SEG_TYPE_SLOTS + 8;
		out.p[at] = was;
		span_arena_reset(&arena);
	}
	ok(held, "limits hold in damaged types");
	span_buf_release(&out);
}

static void test_ranks(void)
{
	enum { TYPES = 7, BLOCKS = 30 };
	uint64_t v[TYPES * BLOCKS];
	struct span_buf out = {0};
	struct span__ranks r;
	struct span__area area;
	struct span__ints c;
	bool good = true;

	for (unsigned i = 0; i < TYPES * BLOCKS; i++)
		v[i] = (uint64_t)(i / BLOCKS) * (i % BLOCKS) * 1000;
	is_int(span__ranks_put_section(&out, v, TYPES, BLOCKS, NULL), 0,
	       "ranks are put");
	area = area_of(&out);
	ok(span__ranks_open(&r, &area, TYPES, BLOCKS), "and opened");
	for (unsigned t = 0; t < TYPES; t++) {
		good &= span__ranks_type(&r, t, &c);
		for (unsigned b = 0; b < BLOCKS; b++)
			good &= span__ints_get(&c, b) == v[t * BLOCKS + b];
	}
	ok(good, "all ranks come back");
	ok(!span__ranks_type(&r, TYPES, &c), "there is no other type");
	span_buf_release(&out);
}

int main(void)
{
	test_types();
	test_damage();
	test_ranks();
	span_arena_release(&arena);
	return done_testing();
}
