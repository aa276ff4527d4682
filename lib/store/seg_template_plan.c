/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each text is taken apart, and its template looked up among those that the
 * column has. Numbers of the same kind share a slot, since a slot is packed as
 * one column of numbers. A few texts that are like no other may be strings of
 * the segment instead; more than a few, and templates are not the way.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/scratch.h"
#include "store/seg_template.h"

#include "base/banned.h"

#define TABLE (4 * SEG_TEMPLATES_MAX)
#define STRAY_SHARE 16u /* one in so many may be like no other */
#define SAMPLE 64u
#define RECENT 2u /* templates that are tried before a text is taken apart */

struct template
{
	uint64_t hash;
	size_t pos, len;		 /* of the body in planner.bodies */
	uint8_t slot[SEG_TEMPLATE_VARS]; /* of its numbers, N of them */
	unsigned n;
};

struct planner {
	struct span__texts_scratch *scratch;
	const struct span_str *strings;
	const uint32_t *v;
	size_t n;
	struct span_buf bodies; /* as they were taken apart */
	struct template templates[SEG_TEMPLATES_MAX];
	unsigned n_templates;
	unsigned recent[RECENT]; /* templates */
	uint16_t table[TABLE];	 /* number + 1 */
	uint8_t slot_kind[SEG_TEMPLATE_VARS];
	unsigned n_slots;
	unsigned stray; /* template of a string; SEG_TEMPLATES_MAX: none */
	size_t n_strays;
};

/* The slot for a number of KIND that a template, which uses USED, has. */
static uint8_t choose_slot(struct planner *p, unsigned used, uint8_t kind)
{
	unsigned k;

	for (k = 0; k < p->n_slots; k++)
		if (!(used >> k & 1) && p->slot_kind[k] == kind)
			return (uint8_t)k;
	if (p->n_slots < SEG_TEMPLATE_VARS) {
		p->slot_kind[p->n_slots] = kind;
		return (uint8_t)p->n_slots++;
	}
	for (k = 0; used >> k & 1; k++)
		;
	return (uint8_t)k;
}

/* A template of its own; what is not in the table is not found again. */
static unsigned add_template(struct planner *p, const struct span__split *s,
			     uint64_t hash)
{
	struct template *t = &p->templates[p->n_templates];
	unsigned used = 0;

	*t = (struct template){hash, p->bodies.len, s->len, {0}, s->n};
	span_buf_put(&p->bodies, s->body, s->len);
	for (unsigned k = 0; k < s->n; k++) {
		t->slot[k] = choose_slot(p, used, s->kind[k]);
		used |= 1u << t->slot[k];
	}
	return p->n_templates++;
}

/* The number of a text's template; SEG_TEMPLATES_MAX: there is no room. */
static unsigned find_template(struct planner *p, const struct span__split *s)
{
	uint64_t hash = XXH3_64bits(s->body, s->len);
	unsigned i = hash % TABLE;

	for (; p->table[i]; i = (i + 1) % TABLE) {
		const struct template *t = &p->templates[p->table[i] - 1];

		if (t->hash == hash && t->len == s->len && p->bodies.p &&
		    !memcmp(p->bodies.p + t->pos, s->body, s->len))
			return p->table[i] - 1u;
	}
	/* The last one is kept for strays. */
	if (p->n_templates + 1 >= SEG_TEMPLATES_MAX || p->bodies.failed)
		return SEG_TEMPLATES_MAX;
	p->table[i] = (uint16_t)(p->n_templates + 1);
	return add_template(p, s, hash);
}

/* The slots' numbers, one slot after another, N each. */
static uint64_t *column_of(struct planner *p, unsigned slot)
{
	struct span_buf *b = &p->scratch->b;
	size_t len = p->n * sizeof(uint64_t);

	while (b->len < (slot + 1) * len) {
		char *to = span_buf_reserve(b, len);

		if (!to)
			return NULL;
		memset(to, 0, len);
		b->len += len;
	}
	return (uint64_t *)(void *)b->p + slot * p->n;
}

static bool put_stray(struct planner *p, size_t i)
{
	struct span__split s = {.body = {0x80 | TOKEN_STRING << 3},
				.len = 1,
				.kind = {TOKEN_STRING << 5},
				.n = 1};
	uint64_t *column;

	if (++p->n_strays > p->n / STRAY_SHARE)
		return false;
	if (p->stray == SEG_TEMPLATES_MAX)
		p->stray = add_template(p, &s, 0);
	column = column_of(p, p->templates[p->stray].slot[0]);
	if (!column)
		return false;
	column[i] = p->v[i];
	((uint64_t *)(void *)p->scratch->a.p)[i] = p->stray;
	return true;
}

/* The numbers of a text of template T, which has them in order. */
static bool put_numbers(struct planner *p, size_t i, unsigned t,
			const uint64_t *v, unsigned n)
{
	((uint64_t *)(void *)p->scratch->a.p)[i] = t;
	for (unsigned k = 0; k < n; k++) {
		uint64_t *column = column_of(p, p->templates[t].slot[k]);

		if (!column)
			return false;
		column[i] = v[k];
	}
	return true;
}

/* Most texts are of the template that another one was of just before. */
static bool match_recent(struct planner *p, struct span_str text, uint64_t *v)
{
	for (unsigned k = 0; k < RECENT && k < p->n_templates; k++) {
		const struct template *t = &p->templates[p->recent[k]];
		struct span_str body = {p->bodies.p + t->pos, t->len};
		unsigned slots, number = p->recent[k];

		if (p->recent[k] == p->stray ||
		    !span__template_match(body, text, v, &slots))
			continue;
		p->recent[k] = p->recent[0];
		p->recent[0] = number;
		return true;
	}
	return false;
}

static bool put_text(struct planner *p, size_t i)
{
	struct span_str text = p->strings[p->v[i]];
	unsigned t = SEG_TEMPLATES_MAX;
	uint64_t v[SEG_TEMPLATE_VARS];
	SPAN__SCRATCH struct span__split s;

	if (match_recent(p, text, v))
		return put_numbers(p, i, p->recent[0], v,
				   p->templates[p->recent[0]].n);
	if (text.len <= TEMPLATE_TEXT_MAX) {
		span__template_split(&s, text);
		t = find_template(p, &s);
	}
	if (t == SEG_TEMPLATES_MAX)
		return put_stray(p, i);
	p->recent[RECENT - 1] = p->recent[0];
	p->recent[0] = t;
	return put_numbers(p, i, t, s.v, s.n);
}

/* Whether a look at some of the texts finds few templates. */
static bool promising(struct planner *p)
{
	size_t step = p->n / SAMPLE + 1, looked = 0;
	struct span__split s;
	bool good = true;

	for (size_t i = 0; i < p->n && good; i += step, looked++) {
		struct span_str text = p->strings[p->v[i]];

		if (text.len > TEMPLATE_TEXT_MAX)
			continue;
		span__template_split(&s, text);
		good = find_template(p, &s) < SEG_TEMPLATES_MAX;
	}
	good = good && p->n_slots && p->n_templates <= 2 + looked / 4;
	p->bodies.len = 0;
	p->n_templates = p->n_slots = 0;
	memset(p->table, 0, sizeof(p->table));
	return good;
}

/* Strings that are like no other: their ranks in the list take their place. */
static bool rank_strays(struct planner *p, struct span__texts_plan *plan)
{
	struct span__texts_scratch *x = p->scratch;
	const uint64_t *templates = (const void *)x->a.p;
	uint64_t *column;
	bool good;

	if (!p->n_strays)
		return true;
	column = column_of(p, p->templates[p->stray].slot[0]);
	x->c.len = 0;
	for (size_t i = 0; i < p->n; i++) {
		uint32_t string = p->v[i];

		if (templates[i] != p->stray || x->code[string] != UINT32_MAX)
			continue;
		x->code[string] = 0;
		span_buf_put(&x->c, &string, sizeof(string));
	}
	good = span__texts_rank(plan, x, p->strings);
	for (size_t i = 0; good && i < p->n; i++)
		if (templates[i] == p->stray)
			column[i] = x->code[p->v[i]];
	for (size_t i = 0; i < x->c.len / sizeof(uint32_t); i++)
		x->code[((const uint32_t *)(const void *)x->c.p)[i]] =
			UINT32_MAX;
	return good;
}

/* A body with the slots that its numbers have got. */
static void put_body(const struct planner *p, const struct template *t,
		     struct span_buf *out)
{
	uint8_t *body = (uint8_t *)p->bodies.p + t->pos;
	struct span__tokens tokens = {body, body + t->len};
	struct span__token token;
	const uint8_t *at = body;

	for (; span__token_next(&tokens, &token) > 0; at = tokens.p) {
		size_t begin = out->len, len = (size_t)(tokens.p - at);

		span_buf_put(out, at, len);
		if (out->failed || token.kind == TOKEN_LITERAL)
			continue;
		out->p[begin] = (char)(0x80 | (unsigned)token.kind << 3 |
				       t->slot[token.slot]);
		if (span__token_long(token.kind))
			out->p[out->len - 1] = (char)t->slot[token.low_slot];
	}
}

static void put_plan(struct planner *p, struct span_buf *out)
{
	uint64_t ends[SEG_TEMPLATES_MAX], end = 0;

	for (unsigned k = 0; k < p->n_templates; k++)
		ends[k] = end += p->templates[k].len;
	span_buf_putc(out, (char)(p->n_templates - 1));
	span_buf_putc(out, (char)p->n_slots);
	span__ints_put(out, ends, p->n_templates);
	for (unsigned k = 0; k < p->n_templates; k++)
		put_body(p, &p->templates[k], out);
	if (p->n_templates > 1)
		span__ints_put(out, (const void *)p->scratch->a.p, p->n);
	for (unsigned k = 0; k < p->n_slots; k++)
		span__ints_put(out, column_of(p, k), p->n);
}

static bool plan_templates(struct planner *p, struct span__texts_plan *plan)
{
	size_t len = p->n * sizeof(uint64_t);

	p->scratch->a.len = p->scratch->b.len = 0;
	if (!promising(p) || !span_buf_reserve(&p->scratch->a, len))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!put_text(p, i))
			return false;
	if (!column_of(p, p->n_slots - 1) || !rank_strays(p, plan))
		return false;
	put_plan(p, &plan->data);
	return !plan->data.failed;
}

bool span__templates_plan(struct span__texts_plan *plan,
			  struct span__texts_scratch *scratch,
			  const struct span_str *strings, const uint32_t *v,
			  size_t n)
{
	struct planner p = {.scratch = scratch,
			    .strings = strings,
			    .v = v,
			    .n = n,
			    .stray = SEG_TEMPLATES_MAX};
	bool good = plan_templates(&p, plan);

	scratch->b.failed |= p.bodies.failed;
	span_buf_release(&p.bodies);
	return good;
}
