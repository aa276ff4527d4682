/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span is left out when any of it is damaged: its values, its start, which
 * counts from its parent's, its parent's id or process. All others are whole.
 */
#include "store/seg_spans.h"

#include <string.h>

#include "base/id.h"
#include "model/model.h"
#include "store/seg_pack.h"
#include "store/seg_watch.h"

#include "base/banned.h"

/* What the spans of one call have in common. */
struct work {
	struct span__seg *s;
	const struct span__seg_place *p;
	const struct span__seg_tree *tree;
	const uint64_t *ids; /* of the trace, or NULL: one by one */
	struct span_arena *arena;
	bool whole, no_memory;
	uint8_t trace_id[16];
	/* what the trace has in SEG_EXPLICIT_*: from, to; unknown: to 0 */
	uint64_t explicit_from, explicit_to;
};

static bool bad(struct work *w)
{
	return span__area_bad(&w->s->columns);
}

static bool no_memory(struct work *w)
{
	w->no_memory = true;
	return false;
}

static void *array(struct work *w, size_t n, size_t size)
{
	void *p = span_arena_array(w->arena, n, size);

	if (!p)
		w->no_memory = true;
	return p;
}

/* The id of a parent that is not in the trace, of node I. */
static bool explicit_parent(struct work *w, size_t i, uint64_t *id)
{
	struct span__seg *s = w->s;
	uint64_t low, high;

	if (!w->explicit_to) {
		if (w->p->trace)
			w->explicit_from = span__ints_upper(&s->explicit_trace,
							    w->p->trace - 1);
		w->explicit_to =
			span__ints_upper(&s->explicit_trace, w->p->trace);
	}
	low = w->explicit_from;
	high = w->explicit_to;
	while (low < high) {
		uint64_t mid = low + (high - low) / 2;
		uint64_t node = span__ints_get(&s->explicit_node, mid);

		if (node == i) {
			*id = span__ints_get(&s->explicit_id, mid);
			return true;
		}
		if (node < i)
			low = mid + 1;
		else
			high = mid;
	}
	return bad(w);
}

static uint64_t id_of(const struct work *w, size_t i)
{
	return w->ids ? w->ids[i]
		      : span__ints_get(&w->s->span_ids, w->p->first_span + i);
}

static bool put_ids(struct work *w, size_t i, struct span *out)
{
	uint64_t parent = 0;

	memcpy(out->trace_id, w->trace_id, 16);
	span__id_put(out->span_id, id_of(w, i));
	if (w->tree->parents[i] != SEG_NO_PARENT)
		parent = id_of(w, w->tree->parents[i]);
	else if (w->p->nodes[i].link == SEG_LINK_EXPLICIT &&
		 !explicit_parent(w, i, &parent))
		return false;
	span__id_put(out->parent_id, parent);
	return true;
}

static bool put_head(struct work *w, size_t i,
		     const struct span__seg_plan *plan, struct span *out)
{
	const struct span__seg_tree *tree = w->tree;

	if (tree->bad_start[i] || tree->processes[i] == SEG_NO_PROCESS)
		return bad(w);
	*out = plan->head;
	out->start_ns = tree->starts[i];
	out->duration_ns = span__ints_get(plan->duration, w->p->ranks[i]);
	out->process = span__seg_process(w->s, tree->processes[i], w->arena);
	if (!out->process)
		return w->s->file.bad ? false : no_memory(w);
	return put_ids(w, i, out);
}

static bool get_text(struct work *w, const struct span__texts *c, uint64_t rank,
		     struct span_str *out)
{
	if (span__texts_get(c, rank, w->arena, out))
		return true;
	return w->s->file.bad ? false : no_memory(w);
}

/* What was unpacked with RC. */
static bool unpacked(struct work *w, int rc)
{
	if (rc == SPAN_E_NOMEM)
		return no_memory(w);
	return rc == 0 || bad(w);
}

static bool get_value(struct work *w, const struct span__seg_field *f,
		      const struct span__seg_column *c, uint64_t rank,
		      struct span_value *v)
{
	struct span_str packed;
	uint64_t bits;

	switch (f->value) {
	case SPAN_STRING:
	case SPAN_BYTES:
		return get_text(w, c->texts, rank, &v->str) &&
		       (v->str.len <= SPAN_MAX_STRING || bad(w));
	case SPAN_BOOL:
		v->b = span__ints_get(c->ints, rank) != 0;
		return true;
	case SPAN_INT:
		v->i = (int64_t)span__ints_get(c->ints, rank);
		return true;
	case SPAN_DOUBLE:
		bits = span__ints_get(c->ints, rank);
		memcpy(&v->d, &bits, sizeof(bits));
		return true;
	default:
		return get_text(w, c->texts, rank, &packed) &&
		       unpacked(w, span__unpack_value(v, packed, w->arena,
						      NULL)) &&
		       (v->type == (enum span_type)f->value || bad(w));
	}
}

/* A text that is not among the attributes. */
static bool get_own(struct work *w, const struct span__seg_column *c,
		    uint64_t rank, struct span_str *out)
{
	return get_text(w, c->texts, rank, out) &&
	       (out->len <= SPAN_MAX_STRING || bad(w));
}

static bool get_refs(struct work *w, const struct span__seg_column *c,
		     uint64_t rank, struct span *out)
{
	struct span_str packed;

	return get_text(w, c->texts, rank, &packed) &&
	       unpacked(w, span__unpack_refs(&out->refs, &out->n_refs, packed,
					     w->arena, NULL));
}

static bool get_rest(struct work *w, const struct span__seg_column *c,
		     uint64_t rank, struct span *out)
{
	struct span_str packed;
	uint32_t scope;

	if (!get_text(w, c->texts, rank, &packed) ||
	    !unpacked(w,
		      span__unpack_rest(out, &scope, packed, w->arena, NULL)))
		return false;
	if (!scope)
		return true;
	out->scope = span__seg_scope(w->s, scope - 1, w->arena);
	return out->scope || w->s->file.bad ? out->scope != NULL : no_memory(w);
}

/* One value; ATTRS and EVENTS are the span's own. */
static bool put_field(struct work *w, const struct span__seg_field *f,
		      const struct span__seg_column *c, uint64_t rank,
		      struct span *out, struct span_attr *attrs,
		      struct span_event *events)
{
	switch (f->role) {
	case SLOT_TAG:
	case SLOT_EVENT_TAG:
		return get_value(w, f, c, rank, &attrs[f->attr].value);
	case SLOT_EVENT_TIME:
		events[f->event].time_ns =
			out->start_ns + span__ints_get(c->ints, rank);
		return true;
	case SLOT_MESSAGE:
		return get_own(w, c, rank, &out->status_message);
	case SLOT_STATE:
		return get_own(w, c, rank, &out->trace_state);
	case SLOT_NAME:
		return get_own(w, c, rank, &out->name);
	case SLOT_REFS:
		return get_refs(w, c, rank, out);
	case SLOT_REST:
		return get_rest(w, c, rank, out);
	default:
		return true;
	}
}

static bool put_parent_ref(struct work *w, int32_t type, struct span *out)
{
	struct span_ref *r = array(w, 1, sizeof(*r));

	if (!r)
		return false;
	*r = (struct span_ref){.type = type};
	memcpy(r->trace_id, out->trace_id, 16);
	memcpy(r->span_id, out->parent_id, 8);
	out->refs = r;
	out->n_refs = 1;
	return true;
}

/* Copies of the plan's attributes and events, in which values are put. */
static bool copy_lists(struct work *w, const struct span__seg_plan *plan,
		       struct span *out, struct span_attr **attrs,
		       struct span_event **events)
{
	*attrs = array(w, plan->n_attrs, sizeof(**attrs));
	if (!*attrs)
		return false;
	memcpy(*attrs, plan->attrs, plan->n_attrs * sizeof(**attrs));
	out->attrs.v = *attrs;
	*events = NULL;
	if (!out->n_events)
		return true;
	*events = array(w, out->n_events, sizeof(**events));
	if (!*events)
		return false;
	memcpy(*events, plan->events, out->n_events * sizeof(**events));
	for (size_t i = 0; i < out->n_events; i++)
		(*events)[i].attrs.v =
			*attrs + (plan->events[i].attrs.v - plan->attrs);
	out->events = *events;
	return true;
}

static bool put_values(struct work *w, size_t i,
		       const struct span__seg_type_reader *t, struct span *out)
{
	const struct span__seg_plan *plan = t->plan;
	uint64_t rank = w->p->ranks[i];
	struct span_event *events;
	struct span_attr *attrs;

	if (!copy_lists(w, plan, out, &attrs, &events))
		return false;
	for (size_t k = 0; k < plan->n_fields; k++) {
		const struct span__seg_field *f = &plan->fields[k];

		if (!put_field(w, f, &t->columns[f->slot], rank, out, attrs,
			       events))
			return false;
	}
	return t->type.refs != SEG_REFS_PARENT ||
	       put_parent_ref(w, t->type.ref_type, out);
}

/* Of a head's attributes there is what makes the span one with an error. */
static void put_error(const struct span__seg_type *type, struct span *out)
{
	bool told = !type->error || out->status == SPAN_STATUS_ERROR;

	out->attrs.v = told ? NULL : &span__error_attr;
	out->attrs.n = !told;
}

/* Node I into *OUT. False when it is damaged or memory is out. */
static bool put_span(struct work *w, size_t i, struct span *out)
{
	struct span__seg_type_reader *t =
		span__seg_type(w->s, w->p->nodes[i].type);
	const struct span__seg_plan *plan;
	bool whole;

	if (!t)
		return w->s->file.bad ? false : no_memory(w);
	whole = w->whole || t->type.loose;
	plan = span__seg_plan(w->s, t, whole);
	if (!plan)
		return no_memory(w);
	if (plan->bad || (whole && plan->bad_values))
		return bad(w);
	if (!put_head(w, i, plan, out))
		return false;
	if (whole)
		return put_values(w, i, t, out);
	put_error(&t->type, out);
	out->n_events = 0;
	return true;
}

int span__seg_spans(struct span__seg *s, const struct span__seg_place *p,
		    size_t from, size_t to, const uint64_t *keep, int want,
		    struct span_arena *arena, struct span *out, uint64_t *read,
		    struct span_error *err)
{
	struct work w = {.s = s, .p = p, .arena = arena};
	struct span__watch watch;
	bool lost;

	memset(read, 0, (to - from + 63) / 64 * sizeof(*read));
	w.whole = want == SEG_WANT_ALL;
	w.tree = span__seg_tree(s, p, true, true);
	if (!w.tree)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w.ids = span__seg_ids(s, p);
	watch = span__watch(&s->file);
	span__seg_trace_id(s, p->trace, w.trace_id);
	lost = span__watch_damage(&watch);
	for (size_t i = 0; i < to - from && !w.no_memory && !lost; i++) {
		uint64_t bit = UINT64_C(1) << i % 64;

		if (keep && !(keep[i / 64] & bit))
			continue;
		if (put_span(&w, from + i, &out[i]) && !s->file.bad)
			read[i / 64] |= bit;
		(void)span__watch_damage(&watch);
	}
	(void)span__watch_end(&watch);
	if (w.no_memory)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	return 0;
}
