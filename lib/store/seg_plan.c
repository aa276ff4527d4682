/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A type's spans begin as a copy of what they share: names, keys, and the
 * values of columns that are constant. Only the other columns are read for
 * each span.
 */
#include <string.h>

#include "store/seg_spans.h"
#include "store/seg_watch.h"

#include "base/banned.h"

#define MAX_CODE 15u /* of kind and status, which a frame has 4 bits for */

/* String I of the segment; the file is marked bad when there is none. */
static struct span_str string(struct span__seg *s, uint32_t i)
{
	if (i >= s->strings.n)
		(void)span__area_bad(&s->types.area);
	return span__strings_get(&s->strings, i);
}

static bool make_head(struct span__seg *s, struct span__seg_type_reader *t,
		      struct span__seg_plan *plan)
{
	const struct span__seg_type *type = &t->type;
	struct span__seg_column *c = span__seg_column(s, t, 1);
	struct span *h = &plan->head;

	h->kind = type->kind;
	h->status = type->status;
	h->marks = type->marks;
	h->flags = type->flags;
	h->attrs.dropped = type->dropped_attrs;
	h->dropped_events = type->dropped_events;
	h->dropped_refs = type->dropped_refs;
	if (!type->loose)
		h->name = string(s, type->name);
	if (type->scope)
		h->scope = span__seg_scope(s, type->scope - 1, &s->arena);
	plan->duration = c ? c->ints : NULL;
	return c && h->kind <= MAX_CODE && h->status <= MAX_CODE &&
	       (!type->scope || h->scope);
}

/* The value of a column that is constant. */
static bool constant(struct span__seg *s, const struct span__seg_slot *slot,
		     const struct span__seg_column *c, struct span_value *v)
{
	uint32_t number;
	uint64_t bits;

	if (slot->value == SPAN_STRING || slot->value == SPAN_BYTES) {
		if (!span__texts_constant(c->texts, &number))
			return false;
		v->str = string(s, number);
		return true;
	}
	if (!c->ints || !span__ints_constant(c->ints, &bits))
		return false;
	if (slot->value == SPAN_BOOL)
		v->b = bits != 0;
	else if (slot->value == SPAN_INT)
		v->i = (int64_t)bits;
	else
		memcpy(&v->d, &bits, sizeof(bits));
	return true;
}

static void add_field(struct span__seg_plan *plan,
		      const struct span__seg_slot *slot, unsigned k,
		      size_t attr)
{
	plan->fields[plan->n_fields++] = (struct span__seg_field){
		.role = slot->role,
		.value = slot->value,
		.slot = (uint16_t)k,
		.event = slot->event,
		.attr = (uint32_t)attr,
	};
}

/* Slot K, whose column is open when it has one. */
static void add_slot(struct span__seg *s, struct span__seg_type_reader *t,
		     struct span__seg_plan *plan, unsigned k)
{
	const struct span__seg_slot *slot = &t->type.slots[k];
	bool is_attr = slot->role == SLOT_TAG || slot->role == SLOT_EVENT_TAG;
	struct span__seg_column *c = NULL;
	size_t attr = plan->n_attrs;

	if (is_attr) {
		plan->n_attrs++;
		plan->attrs[attr].key = string(s, slot->key);
		plan->attrs[attr].value =
			(struct span_value){.type = slot->value};
		if (slot->value == SPAN_NULL)
			return;
	}
	c = span__seg_column(s, t, k);
	if (!c) {
		plan->bad_values = true;
		return;
	}
	if (!is_attr || !constant(s, slot, c, &plan->attrs[attr].value))
		add_field(plan, slot, k, attr);
}

static bool make_events(struct span__seg *s, const struct span__seg_type *type,
			struct span__seg_plan *plan)
{
	size_t attr = type->n_tags;

	plan->events = span_arena_array(&s->opened, type->n_events,
					sizeof(*plan->events));
	if (!plan->events)
		return false;
	for (unsigned i = 0; i < type->n_events; i++) {
		const struct span__seg_event_type *e = &type->events[i];

		plan->events[i] = (struct span_event){
			.name = string(s, e->name),
			.attrs = {plan->attrs + attr, e->n_attrs, e->dropped},
		};
		attr += e->n_attrs;
	}
	plan->head.n_events = type->n_events;
	return true;
}

static bool make_values(struct span__seg *s, struct span__seg_type_reader *t,
			struct span__seg_plan *plan)
{
	const struct span__seg_type *type = &t->type;

	plan->attrs = span_arena_array(&s->opened, type->n_slots,
				       sizeof(*plan->attrs));
	plan->fields = span_arena_array(&s->opened, type->n_slots,
					sizeof(*plan->fields));
	if (!plan->attrs || !plan->fields)
		return false;
	/* start, duration and process are in the head */
	for (unsigned k = type->same_process ? 2 : 3; k < type->n_slots; k++)
		add_slot(s, t, plan, k);
	plan->head.attrs.n = type->n_tags;
	return make_events(s, type, plan);
}

struct span__seg_plan *
span__seg_plan(struct span__seg *s, struct span__seg_type_reader *t, bool whole)
{
	struct span__seg_plan *plan = t->plan;
	struct span__watch w;
	bool memory = true;

	if (plan && (plan->whole || !whole))
		return plan;
	if (!plan) {
		plan = span_arena_alloc(&s->opened, sizeof(*plan));
		if (!plan)
			return NULL;
		*plan = (struct span__seg_plan){0};
		w = span__watch(&s->file);
		plan->bad = !make_head(s, t, plan);
		plan->bad |= span__watch_end(&w);
		t->plan = plan;
	}
	if (whole && !plan->bad) {
		w = span__watch(&s->file);
		memory = make_values(s, t, plan);
		plan->bad_values |= span__watch_end(&w);
		plan->whole = memory;
	}
	return memory ? plan : NULL;
}
