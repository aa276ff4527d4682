/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The type of a span is found by a signature: numbers for all that spans of
 * one type have in common, in a fixed order, so that two spans are of one type
 * when their signatures are equal word by word.
 */
#include "store/seg_build_state.h"

#include <string.h>

#include "base/scratch.h"
#include "model/model.h"
#include "store/seg_pack.h"

#include "base/banned.h"

/* The words of a signature that stand before the tags. */
enum {
	W_LOOSE, /* or how it has references, and marks */
	W_KIND,	 /* kind, status, error; has a message, a state */
	W_WEIGHT,
	W_SERVICE,
	W_NAME,
	W_FLAGS,
	W_SCOPE,
	W_REF_TYPE,
	W_DROPPED,
	W_DROPPED_EVENTS,
	W_DROPPED_REFS,
	W_TAGS,
	W_EVENTS,
	W_FIRST,
};

#define LOOSE_WORDS (W_WEIGHT + 1)
/* Loose types of different weights; beyond, all weigh 1. */
#define LOOSE_MAX 1024u

struct signature {
	uint32_t n;
	uint32_t v[SEG_SIGNATURE];
};

/* The number + 1 of a weight that is not 1; 0 stands for 1. */
static uint32_t weight_number(struct span__seg_builder *b, const struct span *s)
{
	double w = span__weight(s->trace_state);
	uint32_t i;

	if (w == 1)
		return 0;
	for (i = 0; i < b->n_weights; i++)
		if (b->weights[i] == w)
			return i + 1;
	if (i == SEG_WEIGHTS_MAX) {
		b->mixed_weights = true;
		return 0;
	}
	b->weights[b->n_weights++] = w;
	return b->n_weights;
}

static enum span__seg_refs refs_mode(const struct span *s)
{
	if (!s->n_refs)
		return SEG_REFS_NONE;
	return span__plain_parent(s) ? SEG_REFS_PARENT : SEG_REFS_PACKED;
}

/* True when S fits a type of its own. */
static bool fits(const struct span *s)
{
	size_t n = s->attrs.n;

	if (n > SEG_TYPE_SLOTS || s->n_events > SEG_TYPE_EVENTS)
		return false;
	for (size_t i = 0; i < s->n_events; i++) {
		n += 1 + s->events[i].attrs.n;
		if (n > SEG_TYPE_SLOTS)
			return false;
	}
	return true;
}

static bool sign_attrs(struct span__seg_builder *b, struct signature *sig,
		       const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		uint32_t key = span__build_string(b, a->v[i].key);

		if (key == SEG_NO_MEMORY)
			return false;
		sig->v[sig->n++] = key;
		sig->v[sig->n++] = a->v[i].value.type;
	}
	return true;
}

static uint32_t kind_word(const struct span *s)
{
	return s->kind | (uint32_t)s->status << 8 |
	       (uint32_t)span_is_error(s) << 16 |
	       (uint32_t)(s->status_message.len != 0) << 17 |
	       (uint32_t)(s->trace_state.len != 0) << 18;
}

static bool sign_exact(struct span__seg_builder *b, struct signature *sig,
		       const struct span *s, uint32_t weight)
{
	enum span__seg_refs refs = refs_mode(s);
	uint32_t *v = sig->v;

	v[W_LOOSE] = (uint32_t)refs << 1 | (uint32_t)s->marks << 16;
	v[W_KIND] = kind_word(s);
	v[W_WEIGHT] = weight;
	v[W_SERVICE] = span__build_string(b, s->process->service);
	v[W_NAME] = span__build_string(b, s->name);
	v[W_FLAGS] = s->flags;
	v[W_SCOPE] = span__build_scope(b, s->scope);
	v[W_REF_TYPE] = refs == SEG_REFS_PARENT ? (uint32_t)s->refs->type : 0u;
	v[W_DROPPED] = s->attrs.dropped;
	v[W_DROPPED_EVENTS] = s->dropped_events;
	v[W_DROPPED_REFS] = s->dropped_refs;
	v[W_TAGS] = (uint32_t)s->attrs.n;
	v[W_EVENTS] = (uint32_t)s->n_events;
	sig->n = W_FIRST;
	if (v[W_SERVICE] == SEG_NO_MEMORY || v[W_NAME] == SEG_NO_MEMORY ||
	    v[W_SCOPE] == SEG_NO_MEMORY || !sign_attrs(b, sig, &s->attrs))
		return false;
	for (size_t i = 0; i < s->n_events; i++) {
		const struct span_event *e = &s->events[i];
		uint32_t name = span__build_string(b, e->name);

		if (name == SEG_NO_MEMORY)
			return false;
		sig->v[sig->n++] = name;
		sig->v[sig->n++] = e->attrs.dropped;
		sig->v[sig->n++] = (uint32_t)e->attrs.n;
		if (!sign_attrs(b, sig, &e->attrs))
			return false;
	}
	return true;
}

static void sign_loose(struct signature *sig, const struct span *s,
		       uint32_t weight)
{
	sig->v[W_LOOSE] = 1;
	sig->v[W_KIND] = s->kind | (uint32_t)s->status << 8 |
			 (uint32_t)span_is_error(s) << 16;
	sig->v[W_WEIGHT] = weight;
	sig->n = LOOSE_WORDS;
}

/* The type with the signature; NULL with its place in *AT. */
static struct span__build_type *find_type(const struct span__seg_builder *b,
					  const struct signature *sig,
					  uint64_t hash, size_t *at)
{
	const struct span__build_index *x = &b->by_signature;
	size_t len = sig->n * sizeof(*sig->v);

	for (*at = hash & x->mask; x->slots[*at]; *at = (*at + 1) & x->mask) {
		struct span__build_type *t =
			&span__build_types(b)[(uint32_t)x->slots[*at] - 1];

		if (x->slots[*at] >> 32 == hash && t->n_words == sig->n &&
		    !memcmp(t->signature, sig->v, len))
			return t;
	}
	return NULL;
}

static struct span__seg_slot *add_slot(struct span__seg_type *t, uint8_t role)
{
	struct span__seg_slot *s = &t->slots[t->n_slots++];

	*s = (struct span__seg_slot){.role = role, .key = SEG_NO_STRING};
	return s;
}

/* Slots for the N tags whose keys and types are at V. */
static void add_tags(struct span__seg_type *t, uint8_t role, unsigned event,
		     const uint32_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct span__seg_slot *s = add_slot(t, role);

		s->key = v[2 * i];
		s->value = (uint8_t)v[2 * i + 1];
		s->event = (uint16_t)event;
	}
}

static void add_slots(struct span__seg_type *t, const struct span *s,
		      const uint32_t *v)
{
	if (t->loose) {
		add_slot(t, SLOT_NAME);
		add_slot(t, SLOT_REST);
		return;
	}
	if (s->status_message.len)
		add_slot(t, SLOT_MESSAGE);
	if (s->trace_state.len)
		add_slot(t, SLOT_STATE);
	v += W_FIRST;
	add_tags(t, SLOT_TAG, 0, v, t->n_tags);
	v += 2u * t->n_tags;
	for (unsigned i = 0; i < t->n_events; i++) {
		t->events[i] = (struct span__seg_event_type){v[0], v[1],
							     (uint16_t)v[2]};
		add_slot(t, SLOT_EVENT_TIME)->event = (uint16_t)i;
		add_tags(t, SLOT_EVENT_TAG, i, v + 3, v[2]);
		v += 3 + 2 * v[2];
	}
	if (t->refs == SEG_REFS_PACKED)
		add_slot(t, SLOT_REFS);
}

static struct span__seg_type describe(const struct span__seg_builder *b,
				      const struct span *s,
				      const struct signature *sig)
{
	const uint32_t *v = sig->v;
	struct span__seg_type t = {
		.loose = v[W_LOOSE] & 1,
		.error = span_is_error(s),
		.kind = s->kind,
		.status = s->status,
		.service = SEG_NO_STRING,
		.name = SEG_NO_STRING,
		.weight = v[W_WEIGHT] ? b->weights[v[W_WEIGHT] - 1] : 1,
	};

	if (t.loose)
		return t;
	t.refs = (uint8_t)(v[W_LOOSE] >> 1 & 3);
	t.ref_type = (int32_t)v[W_REF_TYPE];
	t.marks = s->marks;
	t.flags = s->flags;
	t.service = v[W_SERVICE];
	t.name = v[W_NAME];
	t.scope = v[W_SCOPE];
	t.dropped_attrs = s->attrs.dropped;
	t.dropped_events = s->dropped_events;
	t.dropped_refs = s->dropped_refs;
	t.n_tags = (uint16_t)s->attrs.n;
	t.n_events = (uint16_t)s->n_events;
	return t;
}

static struct span__build_type *add_type(struct span__seg_builder *b,
					 const struct span *s,
					 const struct signature *sig)
{
	struct span__build_type t = {.type = describe(b, s, sig),
				     .n_words = sig->n};
	struct span__seg_type *type = &t.type;
	/* room in front for start, duration and process, as they come later */
	size_t max = 8 + sig->n / 2;

	t.signature = span__pool_alloc(&b->pool, sig->n * 4u, 8);
	type->slots = span__pool_alloc(&b->pool, max * sizeof(*type->slots), 8);
	type->events = span__pool_alloc(
		&b->pool, type->n_events * sizeof(*type->events), 8);
	if (!t.signature || !type->slots || !type->events)
		return NULL;
	type->slots += 3;
	memcpy(t.signature, sig->v, sig->n * 4u);
	add_slots(type, s, sig->v);
	t.n_columns = type->n_slots;
	t.columns =
		span__pool_alloc(&b->pool, t.n_columns * sizeof(*t.columns), 8);
	if (!t.columns)
		return NULL;
	for (uint32_t i = 0; i < t.n_columns; i++)
		t.columns[i] = (struct span__raw){
			.wide = !span__slot_is_text(&type->slots[i])};
	span_buf_put(&b->types, &t, sizeof(t));
	return b->types.failed
		       ? NULL
		       : &span__build_types(b)[span__build_n_types(b) - 1];
}

/* Find or make the type; NULL when memory is out, or there are too many. */
static struct span__build_type *get_type(struct span__seg_builder *b,
					 const struct span *s,
					 const struct signature *sig,
					 bool *full)
{
	struct span__build_index *x = &b->by_signature;
	uint64_t hash = span__hash(&b->strings.key, sig->v, sig->n * 4u) >> 32;
	bool loose = sig->v[W_LOOSE] & 1;
	struct span__build_type *t;
	size_t at;

	*full = false;
	if (!span__build_index_grow(x))
		return NULL;
	t = find_type(b, sig, hash, &at);
	if (t)
		return t;
	*full = loose ? sig->v[W_WEIGHT] &&
				span__build_n_types(b) - b->n_exact >= LOOSE_MAX
		      : span__build_full(b);
	if (*full)
		return NULL;
	t = add_type(b, s, sig);
	if (!t)
		return NULL;
	b->n_exact += !loose;
	b->n_columns += t->n_columns;
	x->slots[at] = hash << 32 | ++x->n;
	return t;
}

static struct span__build_type *type_of(struct span__seg_builder *b,
					const struct span *s)
{
	struct span__build_type *t = NULL;
	uint32_t weight = s->trace_state.len ? weight_number(b, s) : 0;
	SPAN__SCRATCH struct signature sig;
	bool full = true;

	if (fits(s)) {
		/* what has a text of its own is of no type that is there */
		bool known = b->only_known = span__build_full(b);
		bool good = sign_exact(b, &sig, s, weight);

		b->only_known = false;
		if (good)
			t = get_type(b, s, &sig, &full);
		else if (!known)
			return NULL;
	}
	if (!t && full) {
		sign_loose(&sig, s, weight);
		t = get_type(b, s, &sig, &full);
	}
	if (!t && full) {
		b->mixed_weights = true;
		sign_loose(&sig, s, 0);
		t = get_type(b, s, &sig, &full);
	}
	return t;
}

/* The number of what was packed. */
static uint32_t packed(struct span__seg_builder *b)
{
	if (b->pack.failed)
		return SEG_NO_MEMORY;
	return span__intern_put(&b->strings,
				(struct span_str){b->pack.p, b->pack.len});
}

/* The value of a tag as its column has it; false when memory is out. */
static bool value_of(struct span__seg_builder *b, const struct span_value *v,
		     uint64_t *out)
{
	switch (v->type) {
	case SPAN_STRING:
	case SPAN_BYTES:
		*out = span__build_string(b, v->str);
		return *out != SEG_NO_MEMORY;
	case SPAN_BOOL:
		*out = v->b;
		return true;
	case SPAN_INT:
		*out = (uint64_t)v->i;
		return true;
	case SPAN_DOUBLE:
		memcpy(out, &v->d, sizeof(*out));
		return true;
	case SPAN_ARRAY:
	case SPAN_MAP:
		b->pack.len = 0;
		span__pack_value(&b->pack, v);
		*out = packed(b);
		return *out != SEG_NO_MEMORY;
	default:
		*out = 0;
		return true;
	}
}

/* Where the next value of a row goes. */
struct row {
	struct span__seg_builder *b;
	struct span__raw *next;
	uint32_t row;
	bool failed;
};

static void put_value(struct row *r, uint64_t v)
{
	if (!span__raw_put(r->next++, &r->b->columns, r->row, v))
		r->failed = true;
}

static void put_text(struct row *r, uint32_t string)
{
	if (string == SEG_NO_MEMORY)
		r->failed = true;
	else
		put_value(r, string);
}

static void put_attrs(struct row *r, const struct span_attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		uint64_t v;

		if (value_of(r->b, &a->v[i].value, &v))
			put_value(r, v);
		else
			r->failed = true;
	}
}

static void put_exact(struct row *r, const struct span *s, uint8_t refs)
{
	if (s->status_message.len)
		put_text(r, span__build_string(r->b, s->status_message));
	if (s->trace_state.len)
		put_text(r, span__build_string(r->b, s->trace_state));
	put_attrs(r, &s->attrs);
	for (size_t i = 0; i < s->n_events; i++) {
		put_value(r, s->events[i].time_ns - s->start_ns);
		put_attrs(r, &s->events[i].attrs);
	}
	if (refs != SEG_REFS_PACKED)
		return;
	r->b->pack.len = 0;
	span__pack_refs(&r->b->pack, s->refs, s->n_refs);
	put_text(r, packed(r->b));
}

static void put_loose(struct row *r, const struct span *s)
{
	uint32_t scope = span__build_scope(r->b, s->scope);

	put_text(r, span__build_string(r->b, s->name));
	r->b->pack.len = 0;
	span__pack_rest(&r->b->pack, s, scope);
	put_text(r, scope == SEG_NO_MEMORY ? scope : packed(r->b));
}

bool span__build_typed(struct span__seg_builder *b, const struct span *s,
		       uint32_t *type, uint32_t *row)
{
	struct span__build_type *t = type_of(b, s);
	struct row r;

	if (!t)
		return false;
	r = (struct row){b, t->columns, t->n_rows, false};
	*type = (uint32_t)(t - span__build_types(b));
	*row = t->n_rows++;
	if (t->n_rows > b->longest_type)
		b->longest_type = t->n_rows;
	if (t->type.loose)
		put_loose(&r, s);
	else
		put_exact(&r, s, t->type.refs);
	return !r.failed;
}
