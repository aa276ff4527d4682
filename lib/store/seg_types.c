/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type section is a column with the end of each type's body, then the
 * bodies: msgpack numbers in a fixed order. Roles and events of slots are not
 * stored, as the lists of tags and events give them; so no bytes can make
 * slots that contradict the type.
 */
#include "store/seg_types.h"

#include <string.h>

#include "base/dec.h"
#include "base/pack.h"

#include "base/banned.h"

enum {
	TYPE_LOOSE = 1 << 0,
	TYPE_ERROR = 1 << 1,
	TYPE_SAME_PROCESS = 1 << 2,
	TYPE_MESSAGE = 1 << 3,
	TYPE_STATE = 1 << 4,
	TYPE_WEIGHT = 1 << 5, /* one that is not 1 follows */
	TYPE_CENTRED = 1 << 6,
	TYPE_BITS = (1 << 7) - 1,
};

/* A head of numbers, at most 9 bytes each. */
#define HEAD_MAX (PACK_MAX * 24)

static bool has_role(const struct span__seg_type *t, uint8_t role)
{
	for (unsigned i = 0; i < t->n_slots; i++)
		if (t->slots[i].role == role)
			return true;
	return false;
}

static unsigned type_bits(const struct span__seg_type *t)
{
	unsigned bits = 0;

	bits |= t->loose ? TYPE_LOOSE : 0;
	bits |= t->error ? TYPE_ERROR : 0;
	bits |= t->same_process ? TYPE_SAME_PROCESS : 0;
	bits |= t->centred ? TYPE_CENTRED : 0;
	bits |= has_role(t, SLOT_MESSAGE) ? TYPE_MESSAGE : 0;
	bits |= has_role(t, SLOT_STATE) ? TYPE_STATE : 0;
	bits |= t->weight != 1 ? TYPE_WEIGHT : 0;
	return bits;
}

static void put_head(struct pack *x, const struct span__seg_type *t)
{
	uint64_t weight;

	pack_uint64(x, type_bits(t));
	pack_uint64(x, t->kind);
	pack_uint64(x, t->status);
	pack_uint64(x, t->n_spans);
	if (t->weight != 1) {
		memcpy(&weight, &t->weight, sizeof(weight));
		pack_uint64(x, weight);
	}
	if (t->loose)
		return;
	pack_uint64(x, t->refs);
	pack_int64(x, t->ref_type);
	pack_uint64(x, t->marks);
	pack_uint64(x, t->flags);
	pack_uint64(x, t->service);
	pack_uint64(x, t->name);
	pack_uint64(x, t->scope);
	pack_uint64(x, t->dropped_attrs);
	pack_uint64(x, t->dropped_events);
	pack_uint64(x, t->dropped_refs);
	pack_uint64(x, t->n_tags);
	pack_uint64(x, t->n_events);
	for (unsigned i = 0; i < t->n_events; i++) {
		pack_uint64(x, t->events[i].name);
		pack_uint64(x, t->events[i].dropped);
		pack_uint64(x, t->events[i].n_attrs);
	}
}

/* Keys and value types of tags, then where the columns begin, and lengths. */
static void put_slots(struct pack *x, const struct span__seg_type *t)
{
	for (unsigned i = 0; i < t->n_slots; i++) {
		const struct span__seg_slot *s = &t->slots[i];

		if (s->role != SLOT_TAG && s->role != SLOT_EVENT_TAG)
			continue;
		pack_uint64(x, s->value);
		pack_uint64(x, s->key);
	}
	pack_uint64(x, t->slots[0].pos);
	for (unsigned i = 0; i < t->n_slots; i++)
		pack_uint64(x, t->slots[i].len);
}

static void put_type(struct span_buf *out, const struct span__seg_type *t)
{
	struct pack x;

	x.p = span_buf_reserve(out, HEAD_MAX + PACK_MAX * 3 * t->n_events +
					    PACK_MAX * 3 * t->n_slots);
	if (!x.p)
		return;
	put_head(&x, t);
	put_slots(&x, t);
	out->len = (size_t)(x.p - out->p);
}

int span__types_put_section(struct span_buf *out,
			    const struct span__seg_type *types, size_t n,
			    struct span_error *err)
{
	struct span_buf bodies = {0}, ends = {0};

	for (size_t i = 0; i < n; i++) {
		uint64_t end;

		put_type(&bodies, &types[i]);
		end = bodies.len;
		span_buf_put(&ends, &end, sizeof(end));
	}
	if (!ends.failed)
		span__ints_put(out, (const uint64_t *)(const void *)ends.p, n);
	span_buf_put(out, bodies.p, bodies.len);
	if (bodies.failed || ends.failed)
		out->failed = true;
	span_buf_release(&bodies);
	span_buf_release(&ends);
	return out->failed ? span_error_set(err, SPAN_E_NOMEM,
					    "no memory for a segment's types")
			   : 0;
}

bool span__types_open(struct span__types *t, const struct span__area *area,
		      uint64_t n)
{
	uint64_t used = 0;

	*t = (struct span__types){.area = *area, .columns = UINT64_MAX};
	if (area->file)
		t->columns = span__seg_area(area->file, SEG_COLUMNS).len;
	/* a body is longer than a byte: more types than bytes is damage */
	if (n > area->len || !span__ints_open(&t->ends, area, n, &used))
		return span__area_bad(area);
	t->bodies = span__area_sub(area, used, area->len - used);
	t->n = n;
	return true;
}

static uint32_t get32(struct dec *d)
{
	return (uint32_t)dec_uint_max(d, UINT32_MAX, "a number above 2^32-1");
}

/* The parts that only a type which is not loose has. */
static void get_exact(struct dec *d, struct span__seg_type *t)
{
	int64_t type;

	t->refs = (uint8_t)dec_uint_max(d, SEG_REFS_PACKED, "unknown refs");
	type = dec_int(d);
	if (type < INT32_MIN || type > INT32_MAX)
		dec_fail(d, SPAN_E_CORRUPT, "a reference type out of range");
	t->ref_type = (int32_t)type;
	t->marks = (uint16_t)dec_uint_max(d, UINT16_MAX, "unknown marks");
	t->flags = get32(d);
	t->service = get32(d);
	t->name = get32(d);
	t->scope = get32(d);
	t->dropped_attrs = get32(d);
	t->dropped_events = get32(d);
	t->dropped_refs = get32(d);
	t->n_tags = (uint16_t)dec_uint_max(d, SEG_TYPE_SLOTS, "too many tags");
	t->n_events =
		(uint16_t)dec_uint_max(d, SEG_TYPE_EVENTS, "too many events");
}

static unsigned get_head(struct dec *d, struct span__seg_type *t)
{
	unsigned bits = (unsigned)dec_uint_max(d, TYPE_BITS, "unknown bits");
	uint64_t weight;

	*t = (struct span__seg_type){
		.loose = bits & TYPE_LOOSE,
		.error = bits & TYPE_ERROR,
		.same_process = bits & TYPE_SAME_PROCESS,
		.centred = bits & TYPE_CENTRED,
		.service = SEG_NO_STRING,
		.name = SEG_NO_STRING,
		.weight = 1,
	};
	t->kind = (uint8_t)dec_uint_max(d, UINT8_MAX, "unknown kind");
	t->status = (uint8_t)dec_uint_max(d, UINT8_MAX, "unknown status");
	t->n_spans = dec_uint(d);
	if (bits & TYPE_WEIGHT) {
		weight = dec_uint(d);
		memcpy(&t->weight, &weight, sizeof(weight));
		/* a NaN or a negative count would spoil every sum */
		if (!(t->weight >= 1 && t->weight <= 0x1p56))
			dec_fail(d, SPAN_E_CORRUPT, "a weight out of range");
	}
	if (!t->loose)
		get_exact(d, t);
	return bits;
}

/* The events; returns how many slots they take. */
static unsigned get_events(struct dec *d, struct span__seg_type *t,
			   struct span_arena *arena)
{
	unsigned n = 0;

	t->events = span_arena_array(arena, t->n_events, sizeof(*t->events));
	if (!t->events) {
		dec_fail(d, SPAN_E_NOMEM, "no memory for a type");
		t->n_events = 0;
	}
	for (unsigned i = 0; i < t->n_events; i++) {
		struct span__seg_event_type *e = &t->events[i];

		e->name = get32(d);
		e->dropped = get32(d);
		e->n_attrs = (uint16_t)dec_uint_max(d, SEG_TYPE_SLOTS,
						    "too many fields");
		n += 1u + e->n_attrs;
	}
	return n;
}

static struct span__seg_slot *add(struct span__seg_type *t, uint8_t role)
{
	struct span__seg_slot *s = &t->slots[t->n_slots++];

	*s = (struct span__seg_slot){.role = role, .key = SEG_NO_STRING};
	return s;
}

static void add_tags(struct dec *d, struct span__seg_type *t, uint8_t role,
		     unsigned event, unsigned n)
{
	while (n--) {
		struct span__seg_slot *s = add(t, role);

		s->event = (uint16_t)event;
		s->value = (uint8_t)dec_uint_max(d, SPAN_MAP, "unknown value");
		s->key = get32(d);
	}
}

static void get_slots(struct dec *d, struct span__seg_type *t, unsigned bits,
		      unsigned n_event_slots, struct span_arena *arena)
{
	unsigned max = 8u + t->n_tags + n_event_slots;

	if (t->n_tags + n_event_slots > SEG_TYPE_SLOTS) {
		dec_fail(d, SPAN_E_CORRUPT, "too many slots");
		return;
	}
	t->slots = span_arena_array(arena, max, sizeof(*t->slots));
	if (!t->slots) {
		dec_fail(d, SPAN_E_NOMEM, "no memory for a type");
		return;
	}
	add(t, SLOT_START);
	add(t, SLOT_DURATION);
	if (!t->same_process)
		add(t, SLOT_PROCESS);
	if (bits & TYPE_MESSAGE)
		add(t, SLOT_MESSAGE);
	if (bits & TYPE_STATE)
		add(t, SLOT_STATE);
	add_tags(d, t, SLOT_TAG, 0, t->n_tags);
	for (unsigned i = 0; i < t->n_events; i++) {
		add(t, SLOT_EVENT_TIME)->event = (uint16_t)i;
		add_tags(d, t, SLOT_EVENT_TAG, i, t->events[i].n_attrs);
	}
	if (t->refs == SEG_REFS_PACKED)
		add(t, SLOT_REFS);
	if (t->loose) {
		add(t, SLOT_NAME);
		add(t, SLOT_REST);
	}
}

static void get_columns(struct dec *d, struct span__seg_type *t,
			uint64_t columns)
{
	uint64_t pos = dec_uint(d);

	for (unsigned i = 0; i < t->n_slots; i++) {
		struct span__seg_slot *s = &t->slots[i];

		s->pos = pos;
		s->len = dec_uint(d);
		if (pos > columns || s->len > columns - pos)
			dec_fail(d, SPAN_E_CORRUPT,
				 "a slot outside of the columns");
		if (d->err)
			return;
		pos += s->len;
	}
}

bool span__types_get(const struct span__types *t, uint64_t i,
		     struct span_arena *arena, struct span__seg_type *out)
{
	struct span__area body;
	unsigned bits, n;
	uint64_t begin, end;
	struct dec d;

	*out = (struct span__seg_type){.weight = 1};
	if (i >= t->n)
		return span__area_bad(&t->area);
	begin = i ? span__ints_get(&t->ends, i - 1) : 0;
	end = span__ints_get(&t->ends, i);
	if (begin >= end || !span__area_ok(&t->bodies, begin, end - begin))
		return span__area_bad(&t->area);
	body = span__area_sub(&t->bodies, begin, end - begin);
	d = dec_init(body.p, body.len);
	bits = get_head(&d, out);
	n = get_events(&d, out, arena);
	if (!d.err)
		get_slots(&d, out, bits, n, arena);
	if (!d.err)
		get_columns(&d, out, t->columns);
	if (!d.err && !dec_left(&d))
		return true;
	*out = (struct span__seg_type){.weight = 1};
	return d.err == SPAN_E_NOMEM ? false : span__area_bad(&t->area);
}
