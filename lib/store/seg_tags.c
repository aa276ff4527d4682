/* SPDX-License-Identifier: Apache-2.0 */
/* Tags in the columns of a type. */
#include "store/seg_match.h"
#include "store/seg_pack.h"

#include <math.h>
#include <string.h>

#include "base/banned.h"

/* One search: for a tag, in a type. */
struct search {
	struct span__seg_match *m;
	struct span__seg_type_reader *t;
	struct span__seg_tag *tag;
	const struct span__tag_eq *eq;
	uint64_t *out;
	bool all, some;
};

static bool is_text(const struct search *s, struct span_str text)
{
	return text.len && span_str_equal(text, s->eq->value);
}

/* Does a value have the text? 1, 0 or SPAN_E_NOMEM. */
static int fits(const struct search *s, const struct span_value *v)
{
	return span__tag_eq_value(s->eq, v, &s->m->text);
}

/* Fields that are the same for all spans of the type. */
static int find_field(struct search *s)
{
	const struct span__seg_type *t = &s->t->type;
	struct span__seg *seg = s->m->s;
	struct span_process p = {
		.service = span__strings_get(&seg->strings, t->service)};
	struct span span = {
		.kind = t->kind,
		.status = t->status,
		.process = &p,
	};

	if (t->scope) {
		span.scope = span__seg_scope(seg, t->scope - 1, &s->m->temp);
		if (!span.scope)
			return seg->file.bad ? 0 : SPAN_E_NOMEM;
	}
	if (s->eq->derived == SPAN__DERIVED_ERROR)
		s->all |= is_text(s, t->error ? SPAN_STR("true")
					      : SPAN_STR("false"));
	else
		s->all |= is_text(s, span__derived_text(s->eq->derived, &span));
	if (s->eq->derived == SPAN__DERIVED_EVENT) {
		for (unsigned i = 0; i < t->n_events; i++)
			s->all |= is_text(s,
					  span__strings_get(&seg->strings,
							    t->events[i].name));
	}
	if (span.scope) {
		int rc = span__tag_eq_attrs(s->eq, &span.scope->attrs,
					    &s->m->text);

		if (rc < 0)
			return rc;
		s->all |= rc > 0;
	}
	return 0;
}

/* Working memory for a bit of each span; find functions clear it. */
static uint64_t *bits_of(struct search *s)
{
	span_arena_reset(&s->m->temp);
	return span_arena_array(&s->m->temp,
				span__bit_words(s->t->type.n_spans),
				sizeof(uint64_t));
}

/* Add N spans that were found in a column. */
static void add(struct search *s, const uint64_t *bits, uint64_t n)
{
	if (!n)
		return;
	s->some = true;
	s->all |= n == s->t->type.n_spans;
	for (size_t i = 0; i < span__bit_words(s->t->type.n_spans); i++)
		s->out[i] |= bits[i];
}

static int find_number(struct search *s, const struct span__ints *c, int64_t v)
{
	uint64_t *bits = bits_of(s);

	if (!bits)
		return SPAN_E_NOMEM;
	add(s, bits, span__ints_find(c, 0, c->n, v, v, bits));
	return 0;
}

static int find_text(struct search *s, const struct span__texts *c,
		     struct span_str text)
{
	uint64_t *bits = bits_of(s);

	if (!bits)
		return SPAN_E_NOMEM;
	add(s, bits, span__texts_find(c, 0, c->n, text, bits));
	return 0;
}

/* Ask each double: of those that a range does not tell apart. */
static int ask_doubles(struct search *s, const struct span__ints *c)
{
	struct span_value v = {.type = SPAN_DOUBLE};

	for (uint64_t i = 0; i < c->n; i++) {
		uint64_t number = span__ints_get(c, i);
		int rc;

		memcpy(&v.d, &number, sizeof(v.d));
		rc = fits(s, &v);
		if (rc < 0)
			return rc;
		s->some |= rc;
		s->out[i / 64] |= (uint64_t)rc << i % 64;
	}
	return 0;
}

/*
 * Two doubles print the same only when they are the same, but for NaN, of
 * which there are many, and for the zeros, which print apart.
 */
static int find_double(struct search *s, const struct span__ints *c)
{
	struct span_value v = {.type = SPAN_DOUBLE, .d = s->eq->d};
	uint64_t *bits;
	int rc;

	if (!s->eq->is_double)
		return 0;
	rc = fits(s, &v);
	if (rc <= 0)
		return rc;
	if (isnan(v.d) || v.d == 0)
		return ask_doubles(s, c);
	bits = bits_of(s);
	if (!bits)
		return SPAN_E_NOMEM;
	add(s, bits, span__doubles_find(c, 0, c->n, v.d, v.d, bits));
	return 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes print in hex. */
static int find_bytes(struct search *s, const struct span__texts *c)
{
	struct span_str hex = s->eq->value;
	uint64_t *bits = bits_of(s);
	char *p = span_arena_alloc(&s->m->temp, hex.len / 2 + 1);

	if (!bits || !p)
		return SPAN_E_NOMEM;
	if (hex.len % 2)
		return 0;
	for (size_t i = 0; i < hex.len; i += 2) {
		int high = nibble(hex.p[i]), low = nibble(hex.p[i + 1]);

		if (high < 0 || low < 0)
			return 0;
		p[i / 2] = (char)(high << 4 | low);
	}
	add(s, bits,
	    span__texts_find(c, 0, c->n, (struct span_str){p, hex.len / 2},
			     bits));
	return 0;
}

/* Has value I, which is packed, the text? REFS: it is a list of references. */
static int ask_packed(struct search *s, const struct span__texts *c, uint64_t i,
		      bool refs)
{
	struct span_arena *temp = &s->m->temp;
	const struct span_ref *v;
	struct span_value value;
	struct span_str packed;
	size_t n;
	int rc;

	span_arena_reset(temp);
	if (!span__texts_get(c, i, temp, &packed))
		return s->m->s->file.bad ? 0 : SPAN_E_NOMEM;
	rc = refs ? span__unpack_refs(&v, &n, packed, temp, NULL)
		  : span__unpack_value(&value, packed, temp, NULL);
	if (rc < 0)
		return rc == SPAN_E_NOMEM ? rc : 0;
	if (!refs)
		return fits(s, &value);
	for (size_t k = 0; k < n && !rc; k++)
		rc = span__tag_eq_attrs(s->eq, &v[k].attrs, &s->m->text);
	return rc;
}

static int find_packed(struct search *s, const struct span__texts *c, bool refs)
{
	for (uint64_t i = 0; i < c->n; i++) {
		int rc = ask_packed(s, c, i, refs);

		if (rc < 0)
			return rc;
		s->some |= rc;
		s->out[i / 64] |= (uint64_t)rc << i % 64;
	}
	return 0;
}

static bool begins(const struct search *s, char c)
{
	return s->eq->value.len && s->eq->value.p[0] == c;
}

static int find_value(struct search *s, const struct span__seg_slot *slot,
		      const struct span__seg_column *c)
{
	switch (slot->value) {
	case SPAN_STRING:
		return find_text(s, c->texts, s->eq->value);
	case SPAN_BYTES:
		return find_bytes(s, c->texts);
	case SPAN_INT:
		return s->eq->is_int ? find_number(s, c->ints, s->eq->i) : 0;
	case SPAN_BOOL:
		if (!s->eq->is_true && !s->eq->is_false)
			return 0;
		return find_number(s, c->ints, s->eq->is_true);
	case SPAN_DOUBLE:
		return find_double(s, c->ints);
	case SPAN_ARRAY:
		return begins(s, '[') ? find_packed(s, c->texts, false) : 0;
	case SPAN_MAP:
		return begins(s, '{') ? find_packed(s, c->texts, false) : 0;
	default:
		return 0;
	}
}

/* Which slots may have a value of the tag? */
static bool concerns(const struct search *s, const struct span__seg_slot *slot)
{
	switch (slot->role) {
	case SLOT_TAG:
	case SLOT_EVENT_TAG:
		return slot->key == s->tag->key;
	case SLOT_MESSAGE:
		return s->eq->derived == SPAN__DERIVED_STATUS_MESSAGE &&
		       s->eq->value.len;
	case SLOT_STATE:
		return s->eq->derived == SPAN__DERIVED_TRACE_STATE &&
		       s->eq->value.len;
	case SLOT_REFS:
		return true;
	default:
		return false;
	}
}

static int find_in_slot(struct search *s, unsigned k)
{
	const struct span__seg_slot *slot = &s->t->type.slots[k];
	struct span__seg_column *c;

	if (!concerns(s, slot))
		return 0;
	if (slot->value == SPAN_NULL &&
	    (slot->role == SLOT_TAG || slot->role == SLOT_EVENT_TAG)) {
		s->all |= !s->eq->value.len;
		return 0;
	}
	c = span__seg_column(s->m->s, s->t, k);
	if (!c)
		return s->m->s->file.bad ? 0 : SPAN_E_NOMEM;
	if (slot->role == SLOT_REFS)
		return find_packed(s, c->texts, true);
	if (slot->role == SLOT_MESSAGE || slot->role == SLOT_STATE)
		return find_text(s, c->texts, s->eq->value);
	return find_value(s, slot, c);
}

int span__seg_match_tag(struct span__seg_match *m,
			struct span__seg_type_reader *t, unsigned k,
			uint64_t *out, bool *open)
{
	struct search s = {
		.m = m,
		.t = t,
		.tag = &m->tags[k],
		.eq = m->tags[k].eq,
		.out = out,
	};
	int rc;

	span_arena_reset(&m->temp);
	rc = find_field(&s);
	for (unsigned i = 2; i < t->type.n_slots && !rc && !s.all; i++)
		rc = find_in_slot(&s, i);
	if (!rc && !s.all)
		rc = span__seg_match_by_process(m, t, k, out, open);
	if (rc < 0)
		return rc;
	return s.all || rc == SEG_FOUND_ALL	? SEG_FOUND_ALL
	       : s.some || rc == SEG_FOUND_SOME ? SEG_FOUND_SOME
						: SEG_FOUND_NONE;
}
