/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of attributes in the columns of a type. Numbers are compared as they
 * are packed; a column of codes is asked once for each text in its list; only
 * of templates, the heap and what is packed is each value looked at.
 */
#include "store/attr_test.h"
#include "store/seg_match.h"
#include "store/seg_pack.h"

#include <string.h>

#include "base/banned.h"

/* One search: for a test, in a type. */
struct search {
	struct span__seg_match *m;
	struct span__seg_type_reader *t;
	const struct span_attr_test *test;
	uint64_t *out;
	bool all, some;
};

static uint64_t n_spans(const struct search *s)
{
	return s->t->type.n_spans;
}

/* Working memory for a bit of each span. */
static uint64_t *bits_of(struct search *s)
{
	size_t words = span__bit_words(n_spans(s));
	uint64_t *bits;

	span_arena_reset(&s->m->temp);
	bits = span_arena_array(&s->m->temp, words, sizeof(uint64_t));
	if (bits)
		memset(bits, 0, words * sizeof(*bits));
	return bits;
}

/* Add those that were found in a column, N of them. */
static void add(struct search *s, const uint64_t *bits, uint64_t n)
{
	s->some |= n != 0;
	s->all |= n == n_spans(s);
	for (size_t i = 0; n && i < span__bit_words(n_spans(s)); i++)
		s->out[i] |= bits[i];
}

static void set(struct search *s, uint64_t i)
{
	s->some = true;
	s->out[i / 64] |= UINT64_C(1) << i % 64;
}

static int ask(struct search *s, const struct span_value *v)
{
	return span__attr_test_value(s->test, v, s->m->err);
}

/* All spans but the N in BITS. */
static uint64_t turn(const struct search *s, uint64_t *bits, uint64_t n)
{
	uint64_t last = n_spans(s) % 64;
	size_t words = span__bit_words(n_spans(s));

	for (size_t i = 0; i < words; i++)
		bits[i] = ~bits[i];
	if (last)
		bits[words - 1] &= (UINT64_C(1) << last) - 1;
	return n_spans(s) - n;
}

static int find_numbers(struct search *s, const struct span__ints *c,
			bool doubles)
{
	const struct span_attr_test *t = s->test;
	uint64_t *bits = bits_of(s), n = 0;

	if (!bits)
		return SPAN_E_NOMEM;
	if (doubles && t->double_min <= t->double_max)
		n = span__doubles_find(c, 0, c->n, t->double_min, t->double_max,
				       bits);
	if (!doubles && t->min <= t->max)
		n = span__ints_find(c, 0, c->n, t->min, t->max, bits);
	if (t->outside)
		n = turn(s, bits, n);
	add(s, bits, n);
	return 0;
}

/* Ask each number; that which came before is not asked again. */
static int ask_numbers(struct search *s, const struct span__ints *c,
		       enum span_type type)
{
	struct span_value v = {.type = type};
	uint64_t numbers[SEG_GROUP], last = 0;
	int rc = -1;

	for (uint64_t at = 0; at < c->n; at += SEG_GROUP) {
		size_t n =
			c->n - at < SEG_GROUP ? (size_t)(c->n - at) : SEG_GROUP;

		span__ints_range(c, at, n, numbers);
		for (size_t i = 0; i < n; i++) {
			if (rc < 0 || numbers[i] != last) {
				last = numbers[i];
				memcpy(&v.i, &last, sizeof(v.i));
				rc = ask(s, &v);
			}
			if (rc < 0)
				return rc;
			if (rc)
				set(s, at + i);
		}
	}
	return 0;
}

static int find_bools(struct search *s, const struct span__ints *c)
{
	for (unsigned b = 0; b < 2; b++) {
		struct span_value v = {.type = SPAN_BOOL, .b = b};
		int rc = ask(s, &v);
		uint64_t *bits = rc > 0 ? bits_of(s) : NULL;

		if (rc < 0)
			return rc;
		if (rc && !bits)
			return SPAN_E_NOMEM;
		if (rc)
			add(s, bits,
			    span__ints_find(c, 0, c->n, b, b ? INT64_MAX : 0,
					    bits));
	}
	return 0;
}

static int ask_string(struct search *s, uint32_t string, enum span_type type)
{
	struct span_value v = {.type = type};

	v.str = span__strings_get(&s->m->s->strings, string);
	return v.str.p ? ask(s, &v) : 0;
}

/* Set the spans whose code is marked in YES. */
static void find_codes(struct search *s, const struct span__ints *c,
		       const uint8_t *yes, uint64_t n_yes)
{
	uint64_t codes[SEG_GROUP];

	for (uint64_t at = 0; at < c->n; at += SEG_GROUP) {
		size_t n =
			c->n - at < SEG_GROUP ? (size_t)(c->n - at) : SEG_GROUP;

		span__ints_range(c, at, n, codes);
		for (size_t i = 0; i < n; i++) {
			if (codes[i] < n_yes && yes[codes[i]])
				set(s, at + i);
		}
	}
}

static int ask_codes(struct search *s, const struct span__texts *c,
		     enum span_type type)
{
	uint64_t n = c->list.n, some = 0;
	uint8_t *yes;

	span_arena_reset(&s->m->temp);
	yes = span_arena_alloc(&s->m->temp, (size_t)n + 1);
	if (!yes)
		return SPAN_E_NOMEM;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t string = span__ints_get(&c->list, i);
		int rc = string < s->m->s->strings.n
				 ? ask_string(s, (uint32_t)string, type)
				 : 0;

		if (rc < 0)
			return rc;
		yes[i] = rc > 0;
		some += rc > 0;
	}
	if (some == n && n)
		s->all = true;
	else if (some)
		find_codes(s, &c->codes, yes, n);
	return 0;
}

struct each {
	struct search *s;
	enum span_type type;
	struct span_arena unpacked;
};

/* One value, which is unpacked when it is not a text or bytes. */
static int ask_text(void *arg, struct span_str text)
{
	struct each *e = arg;
	struct span_value v = {.type = e->type};
	int rc = 0;

	if (e->type == SPAN_STRING || e->type == SPAN_BYTES) {
		v.str = text;
	} else {
		span_arena_reset(&e->unpacked);
		rc = span__unpack_value(&v, text, &e->unpacked, NULL);
	}
	if (rc < 0)
		return rc == SPAN_E_NOMEM ? rc : 0;
	return ask(e->s, &v);
}

static enum span__texts_alike alike_of(const struct span_attr_test *t,
				       enum span_type type)
{
	if (type != SPAN_STRING || !t->digits_alike)
		return TEXTS_UNLIKE;
	return t->hex_alike ? TEXTS_HEX : TEXTS_DIGITS;
}

static int ask_each(struct search *s, const struct span__texts *c,
		    enum span_type type)
{
	struct each e = {s, type, {0}};
	uint64_t n, *bits = bits_of(s);
	struct span_arena temp = {0};
	int rc = SPAN_E_NOMEM;

	if (bits)
		rc = span__texts_ask(c, ask_text, &e, alike_of(s->test, type),
				     &temp, bits, &n);
	if (!rc)
		add(s, bits, n);
	span_arena_release(&temp);
	span_arena_release(&e.unpacked);
	return rc;
}

static int find_texts(struct search *s, const struct span__texts *c,
		      enum span_type type)
{
	uint64_t *bits;

	if (c->way == TEXTS_CONSTANT && type <= SPAN_BYTES) {
		int rc = ask_string(s, c->string, type);

		s->all |= rc > 0;
		return rc < 0 ? rc : 0;
	}
	if (type == SPAN_STRING && s->test->text) {
		bits = bits_of(s);
		if (!bits)
			return SPAN_E_NOMEM;
		add(s, bits,
		    span__texts_find(c, 0, c->n, *s->test->text, bits));
		return 0;
	}
	if (c->way == TEXTS_CODES &&
	    (type == SPAN_STRING || type == SPAN_BYTES))
		return ask_codes(s, c, type);
	return ask_each(s, c, type);
}

static int find_value(struct search *s, const struct span__seg_slot *slot,
		      const struct span__seg_column *c)
{
	switch (slot->value) {
	case SPAN_BOOL:
		return find_bools(s, c->ints);
	case SPAN_INT:
		return s->test->numbers ? find_numbers(s, c->ints, false)
					: ask_numbers(s, c->ints, SPAN_INT);
	case SPAN_DOUBLE:
		return s->test->numbers ? find_numbers(s, c->ints, true)
					: ask_numbers(s, c->ints, SPAN_DOUBLE);
	default:
		return find_texts(s, c->texts, slot->value);
	}
}

/* The attributes of references, which are packed. */
static int ask_refs(struct search *s, const struct span__texts *c)
{
	static const struct span_process none;
	struct span_arena *temp = &s->m->temp;
	struct span ref = {.process = &none};

	for (uint64_t i = 0; i < c->n; i++) {
		const struct span_ref *v = NULL;
		struct span_str packed;
		size_t n = 0;
		int rc = 0;

		span_arena_reset(temp);
		if (span__texts_get(c, i, temp, &packed))
			rc = span__unpack_refs(&v, &n, packed, temp, NULL);
		else if (!s->m->s->file.bad)
			return SPAN_E_NOMEM;
		if (rc == SPAN_E_NOMEM)
			return rc;
		ref.refs = v;
		ref.n_refs = n;
		rc = span__attr_test_span(s->test, &ref, s->m->err);
		if (rc < 0)
			return rc;
		if (rc)
			set(s, i);
	}
	return 0;
}

static bool concerns(const struct search *s, const struct span__seg_tag *tag,
		     const struct span__seg_slot *slot)
{
	switch (slot->role) {
	case SLOT_TAG:
		return s->test->of & SPAN_ATTRS_SPAN && slot->key == tag->key;
	case SLOT_EVENT_TAG:
		return s->test->of & SPAN_ATTRS_EVENTS && slot->key == tag->key;
	case SLOT_REFS:
		return s->test->of & SPAN_ATTRS_REFS;
	default:
		return false;
	}
}

static int find_in_slot(struct search *s, unsigned k)
{
	const struct span__seg_slot *slot = &s->t->type.slots[k];
	struct span__seg_column *c;

	if (slot->value == SPAN_NULL && slot->role != SLOT_REFS) {
		struct span_value v = {.type = SPAN_NULL};
		int rc = ask(s, &v);

		s->all |= rc > 0;
		return rc < 0 ? rc : 0;
	}
	c = span__seg_column(s->m->s, s->t, k);
	if (!c)
		return s->m->s->file.bad ? 0 : SPAN_E_NOMEM;
	return slot->role == SLOT_REFS ? ask_refs(s, c->texts)
				       : find_value(s, slot, c);
}

static int find_scope(struct search *s)
{
	const struct span__seg_type *t = &s->t->type;
	const struct span_scope *scope;
	int rc;

	if (!t->scope || !(s->test->of & SPAN_ATTRS_SCOPE))
		return 0;
	span_arena_reset(&s->m->temp);
	scope = span__seg_scope(s->m->s, t->scope - 1, &s->m->temp);
	if (!scope)
		return s->m->s->file.bad ? 0 : SPAN_E_NOMEM;
	rc = span__attr_test_attrs(s->test, &scope->attrs, s->m->err);
	s->all |= rc > 0;
	return rc < 0 ? rc : 0;
}

static int find_in_slots(struct search *s, const struct span__seg_tag *tag)
{
	int rc = 0;

	for (unsigned i = 2; i < s->t->type.n_slots && !rc && !s->all; i++) {
		if (concerns(s, tag, &s->t->type.slots[i]))
			rc = find_in_slot(s, i);
	}
	return rc;
}

/*
 * Each span of the type has a value in each slot: those are left that were
 * found in all of them. The packed ones of references are asked together.
 */
static int find_in_every_slot(struct search *s, const struct span__seg_tag *tag)
{
	size_t words = span__bit_words(n_spans(s));
	struct search one = *s;
	bool first = true;
	int rc = 0;

	one.out = span_arena_array(&s->m->arena, words, sizeof(uint64_t));
	if (!one.out)
		return SPAN_E_NOMEM;
	for (unsigned i = 2; i < s->t->type.n_slots && !rc; i++) {
		const struct span__seg_slot *slot = &s->t->type.slots[i];

		if (!concerns(s, tag, slot) ||
		    (slot->value == SPAN_NULL && slot->role != SLOT_REFS))
			continue;
		memset(one.out, 0, words * sizeof(uint64_t));
		one.all = one.some = false;
		rc = find_in_slot(&one, i);
		if (one.all)
			memset(one.out, 0xff, words * sizeof(uint64_t));
		for (size_t w = 0; w < words; w++)
			s->out[w] = first ? one.out[w] : s->out[w] & one.out[w];
		first = false;
	}
	for (size_t w = 0; w < words && !first; w++)
		s->some |= s->out[w] != 0;
	return rc;
}

static bool asks_processes(const struct search *s,
			   const struct span__seg_tag *tag)
{
	const struct span__seg_type *t = &s->t->type;

	if (s->test->of & SPAN_ATTRS_PROCESS)
		return true;
	for (unsigned i = 2; i < t->n_slots; i++) {
		if (t->slots[i].role == SLOT_TAG &&
		    t->slots[i].key == tag->key &&
		    t->slots[i].value != SPAN_NULL)
			return false;
	}
	return s->test->of & SPAN_ATTRS_PROCESS_ELSE;
}

int span__seg_match_test(struct span__seg_match *m,
			 struct span__seg_type_reader *t, unsigned k,
			 uint64_t *out, bool *open)
{
	const struct span__seg_tag *tag = &m->tags[k];
	struct search s = {.m = m, .t = t, .test = tag->test, .out = out};
	int rc = find_scope(&s);

	if (!rc && !s.all)
		rc = s.test->every ? find_in_every_slot(&s, tag)
				   : find_in_slots(&s, tag);
	if (!rc && !s.all && asks_processes(&s, tag))
		rc = span__seg_match_by_process(m, t, k, out, open);
	if (rc < 0)
		return rc;
	return s.all || rc == SEG_FOUND_ALL	? SEG_FOUND_ALL
	       : s.some || rc == SEG_FOUND_SOME ? SEG_FOUND_SOME
						: SEG_FOUND_NONE;
}
