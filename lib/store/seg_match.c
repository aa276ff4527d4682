/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions that a type decides are asked first: most types are ruled out
 * before a column is opened. Of the columns that are left the short ones with
 * bounds come before those of tags.
 */
#include "store/seg_match.h"

#include <string.h>

#include "base/huge.h"

#include "base/banned.h"

#define MANY_COLUMNS 32u

enum { VERDICT_SERVICE = 1, VERDICT_NOT = 2, VERDICT_NAME = 4, VERDICT_NO = 8 };

static int out_of_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

uint64_t span__bits_count(const uint64_t *bits, uint64_t from, uint64_t to)
{
	uint64_t n = 0;

	for (; from < to && from % 64; from++)
		n += span__bit(bits, from);
	for (; to - from >= 64 && from < to; from += 64)
		n += (uint64_t)__builtin_popcountll(bits[from / 64]);
	for (; from < to; from++)
		n += span__bit(bits, from);
	return n;
}

/* The numbers of those names that the segment has. */
static bool find_names(struct span__seg_match *m, const struct span_str *v,
		       size_t n, uint32_t **out, size_t *n_out)
{
	*out = span_arena_array(&m->arena, n, sizeof(**out));
	if (!*out)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t number = span__strings_find(&m->s->strings, v[i]);

		if (number != SEG_NO_STRING)
			(*out)[(*n_out)++] = number;
	}
	return true;
}

static bool is_one(uint32_t number, const uint32_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i] == number)
			return true;
	}
	return false;
}

/* What FN says of a string: 1, 0 or a negative code. It is asked once. */
static int ask(struct span__seg_match *m, uint32_t number, uint8_t yes,
	       int (*fn)(void *arg, struct span_str name,
			 struct span_error *err),
	       struct span_error *err)
{
	struct span__strings *strings = &m->s->strings;
	uint8_t no = (uint8_t)(yes << 1);
	int rc;

	if (number >= strings->n)
		return 0;
	if (!m->verdicts) {
		m->verdicts = span_arena_alloc(&m->arena, strings->n);
		if (!m->verdicts)
			return out_of_memory(err);
		memset(m->verdicts, 0, strings->n);
	}
	if (!(m->verdicts[number] & (yes | no))) {
		rc = fn(m->filter->scan.range->fn_arg,
			span__strings_get(strings, number), err);
		if (rc < 0)
			return rc;
		m->verdicts[number] |= rc ? yes : no;
	}
	return (m->verdicts[number] & yes) != 0;
}

/* 1, 0, or what a function of the range returned. */
static int names_fit(struct span__seg_match *m, const struct span__seg_type *t,
		     struct span_error *err)
{
	const struct span_range *r = m->filter->scan.range;
	int rc = 1;

	if (r->n_services && !is_one(t->service, m->services, m->n_services))
		return 0;
	if (r->n_operations && !is_one(t->name, m->operations, m->n_operations))
		return 0;
	if (r->service_fn)
		rc = ask(m, t->service, VERDICT_SERVICE, r->service_fn, err);
	if (rc > 0 && r->operation_fn)
		rc = ask(m, t->name, VERDICT_NAME, r->operation_fn, err);
	return rc;
}

/* Keep those spans of H whose bit is set in BITS. */
static int keep(struct span__seg_match *m, struct span__seg_hits *h,
		uint64_t n_spans, const uint64_t *bits)
{
	size_t words = span__bit_words(n_spans);
	uint64_t *own = span_arena_array(&m->arena, words, sizeof(*own));

	if (!own)
		return SPAN_E_NOMEM;
	memcpy(own, bits, words * sizeof(*own));
	for (size_t i = 0; i < words && h->found == SEG_FOUND_SOME; i++)
		own[i] &= h->bits[i];
	h->n = span__bits_count(own, 0, n_spans);
	h->found = !h->n	    ? SEG_FOUND_NONE
		   : h->n < n_spans ? SEG_FOUND_SOME
				    : SEG_FOUND_ALL;
	h->bits = own;
	return 0;
}

/* Working memory for a bit of each span, cleared. */
static uint64_t *room(struct span__seg_match *m, uint64_t n_spans)
{
	size_t len = span__bit_words(n_spans) * sizeof(uint64_t);
	uint64_t *p;

	m->bits.len = 0;
	p = (uint64_t *)(void *)span_buf_reserve(&m->bits, len);
	if (p)
		memset(p, 0, len);
	return p;
}

/* Numbers from MIN to MAX, unsigned, in a column that is ordered as signed. */
static bool find_range(struct span__seg_match *m, const struct span__ints *c,
		       uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t *high;
	size_t len = span__bit_words(c->n) * sizeof(*high);

	if (min > max)
		return true;
	if (min > INT64_MAX || max <= INT64_MAX) {
		span__ints_find(c, 0, c->n, (int64_t)min, (int64_t)max, out);
		return true;
	}
	span__ints_find(c, 0, c->n, (int64_t)min, INT64_MAX, out);
	span_arena_reset(&m->temp);
	high = span_arena_alloc(&m->temp, len);
	if (!high)
		return false;
	if (span__ints_find(c, 0, c->n, INT64_MIN, (int64_t)max, high)) {
		for (size_t i = 0; i < span__bit_words(c->n); i++)
			out[i] |= high[i];
	}
	return true;
}

static int match_duration(struct span__seg_match *m,
			  struct span__seg_type_reader *t,
			  struct span__seg_hits *h)
{
	const struct span_range *r = m->filter->scan.range;
	uint64_t max = r->max_duration_ns ? r->max_duration_ns : UINT64_MAX;
	struct span__seg_column *c;
	uint64_t *bits;

	if (!r->min_duration_ns && !r->max_duration_ns)
		return 0;
	c = span__seg_column(m->s, t, 1);
	if (!c || !c->ints) {
		h->found = SEG_FOUND_NONE;
		return 0;
	}
	bits = room(m, t->type.n_spans);
	if (!bits || !find_range(m, c->ints, r->min_duration_ns, max, bits))
		return SPAN_E_NOMEM;
	return keep(m, h, t->type.n_spans, bits);
}

static int add_open(struct span__seg_match *m, struct span__seg_hits *h,
		    struct span__open_tag *open, unsigned k, uint64_t n_spans,
		    const uint64_t *bits, bool some)
{
	size_t words = span__bit_words(n_spans);
	uint64_t *own = NULL;

	if (some) {
		own = span_arena_array(&m->arena, words, sizeof(*own));
		if (!own)
			return SPAN_E_NOMEM;
		memcpy(own, bits, words * sizeof(*own));
	}
	open[h->n_open++] = (struct span__open_tag){k, own};
	h->open = open;
	return 0;
}

static int match_tags(struct span__seg_match *m,
		      struct span__seg_type_reader *t, struct span__seg_hits *h)
{
	uint64_t n = t->type.n_spans;
	struct span__open_tag *tags =
		span_arena_array(&m->arena, m->filter->n_tags, sizeof(*tags));

	if (!tags)
		return SPAN_E_NOMEM;
	for (unsigned k = 0; k < m->filter->n_tags && h->found; k++) {
		uint64_t *bits = room(m, n);
		bool open = false;
		int rc;

		if (!bits)
			return SPAN_E_NOMEM;
		rc = m->tags[k].test
			     ? span__seg_match_test(m, t, k, bits, &open)
			     : span__seg_match_tag(m, t, k, bits, &open);
		if (rc < 0)
			return rc;
		if (rc == SEG_FOUND_ALL)
			continue;
		if (open)
			rc = add_open(m, h, tags, k, n, bits,
				      rc == SEG_FOUND_SOME);
		else if (rc == SEG_FOUND_SOME)
			rc = keep(m, h, n, bits);
		else
			h->found = SEG_FOUND_NONE;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* More than a loose type states. */
static bool asks_more_than_numbers(const struct span_range *r)
{
	return r->n_services || r->n_operations || r->service_fn ||
	       r->operation_fn || r->n_tags || r->n_tests;
}

static int match_type(struct span__seg_match *m, uint64_t i,
		      struct span__seg_hits *h, struct span_error *err)
{
	const struct span_range *r = m->filter->scan.range;
	struct span__seg_type_reader *t = span__seg_type(m->s, i);
	int rc;

	*h = (struct span__seg_hits){0};
	if (!t)
		return m->s->file.bad ? 0 : out_of_memory(err);
	h->found = t->type.n_spans ? SEG_FOUND_ALL : SEG_FOUND_NONE;
	h->n = t->type.n_spans;
	if (!h->n || !r)
		return 0;
	h->check =
		m->filter->more || (t->type.loose && asks_more_than_numbers(r));
	rc = t->type.loose ? 1 : names_fit(m, &t->type, err);
	if (rc <= 0 || (r->error && !t->type.error))
		h->found = SEG_FOUND_NONE;
	if (rc <= 0 || !h->found)
		return rc < 0 ? rc : 0;
	if (match_duration(m, t, h) < 0)
		return out_of_memory(err);
	if (!h->found || t->type.loose)
		return 0;
	rc = match_tags(m, t, h);
	return rc == SPAN_E_NOMEM ? out_of_memory(err) : rc;
}

/* How many columns of a type are searched, whatever its names are. */
static size_t count_columns(const struct span__seg_match *m,
			    const struct span__seg_type *type)
{
	const struct span_range *r = m->filter->scan.range;
	size_t n = r->min_duration_ns || r->max_duration_ns;

	for (unsigned i = 0; i < type->n_slots; i++)
		for (unsigned k = 0; k < m->filter->n_tags; k++)
			n += type->slots[i].role == SLOT_TAG &&
			     type->slots[i].key == m->tags[k].key;
	return n;
}

/*
 * A search of many columns reads nearly all of them from the disk: then in
 * large pages, which are mapped for the price of small ones as long as they
 * stay in memory. Names are not asked here: where they count, it is few.
 */
static void expect_columns(const struct span__seg_match *m)
{
	const struct span_range *r = m->filter->scan.range;
	size_t n = 0;

	if (!r || r->n_services || r->n_operations || r->service_fn ||
	    r->operation_fn)
		return;
	for (uint64_t i = 0; i < m->s->types.n && n < MANY_COLUMNS; i++) {
		const struct span__seg_type_reader *t = span__seg_type(m->s, i);

		if (t && !t->bad)
			n += count_columns(m, &t->type);
	}
	if (n >= MANY_COLUMNS)
		span__huge_hint((void *)(uintptr_t)m->s->columns.p,
				(size_t)m->s->columns.len);
}

static int match_types(struct span__seg_match *m, struct span_error *err)
{
	uint64_t n = m->s->types.n;

	m->types = span_arena_array(&m->arena, n, sizeof(*m->types));
	if (!m->types)
		return out_of_memory(err);
	expect_columns(m);
	for (uint64_t i = 0; i < n; i++) {
		int rc = match_type(m, i, &m->types[i], err);

		if (rc < 0)
			return rc;
		if (!m->types[i].found)
			m->types[i].n = 0;
		m->n += m->types[i].n;
	}
	if (m->n)
		m->n_types = n;
	return 0;
}

/* Find the strings of the conditions in the segment. */
static bool look_up(struct span__seg_match *m)
{
	const struct span_range *r = m->filter->scan.range;

	for (unsigned k = 0; k < m->filter->n_tags; k++) {
		m->tags[k].eq = &m->filter->tags[k];
		m->tags[k].test = m->filter->tests[k];
		m->tags[k].key =
			span__strings_find(&m->s->strings, m->tags[k].eq->key);
	}
	if (!r)
		return true;
	return find_names(m, r->services, r->n_services, &m->services,
			  &m->n_services) &&
	       find_names(m, r->operations, r->n_operations, &m->operations,
			  &m->n_operations);
}

int span__seg_match_open(struct span__seg_match *m, struct span__seg *s,
			 const struct span__filter *filter,
			 struct span_error *err)
{
	int rc = span__seg_load(s, err);

	*m = (struct span__seg_match){.s = s, .filter = filter, .err = err};
	if (rc < 0 || !s->n_spans)
		return rc;
	rc = look_up(m) ? match_types(m, err) : out_of_memory(err);
	if (rc < 0)
		span__seg_match_close(m);
	return rc;
}

void span__seg_match_close(struct span__seg_match *m)
{
	span_arena_release(&m->arena);
	span_arena_release(&m->temp);
	span_buf_release(&m->bits);
	span_buf_release(&m->text);
	*m = (struct span__seg_match){0};
}
