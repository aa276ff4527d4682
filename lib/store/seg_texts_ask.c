/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A question about texts is asked of each text of a column, but the same one
 * comes again and again: of templates what was asked is remembered by the
 * numbers, so that most texts need not be put together at all. Where a group
 * has damage its values are read one by one.
 */
#include "store/seg_texts.h"

#include <stdlib.h>

#include "base/scratch.h"
#include "store/seg_template.h"
#include "store/seg_watch.h"

#include "base/banned.h"

#define REMEMBERED 1024u /* answers; a power of two */

struct answer {
	uint64_t template; /* its number and 1; 0: none */
	uint64_t v[SEG_TEMPLATE_VARS];
	int answer;
};

/* A template that was met. */
struct form {
	bool met, damaged, string;
	bool told;		      /* ANSWER is that of all its texts */
	enum span__texts_alike alike; /* but for numbers up to MOST */
	int answer;
	unsigned slots;
	uint64_t most[SEG_TEMPLATE_VARS];
	struct span_str body;
};

struct asking {
	const struct span__texts *c;
	span__texts_ask_fn *fn;
	void *arg;
	enum span__texts_alike alike;
	uint64_t *bits, n;
	struct span_arena *temp;
	struct answer *answers;
	struct form *forms; /* n_templates */
	/* the group at hand */
	uint64_t codes[SEG_GROUP];
	uint64_t v[SEG_TEMPLATE_VARS][SEG_GROUP];
	char text[TEMPLATE_RENDER_MAX];
};

/* Note the answer RC about value I; returns it when it is an error. */
static int note(struct asking *a, uint64_t i, int rc)
{
	if (rc <= 0)
		return rc;
	a->bits[i / 64] |= UINT64_C(1) << i % 64;
	a->n++;
	return 0;
}

static int ask_one(struct asking *a, uint64_t i)
{
	struct span_str text;

	span_arena_reset(a->temp);
	if (span__texts_get(a->c, i, a->temp, &text))
		return note(a, i, a->fn(a->arg, text));
	return a->c->area.file && a->c->area.file->bad ? 0 : SPAN_E_NOMEM;
}

static int ask_some(struct asking *a, uint64_t from, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = ask_one(a, from + i);
	return rc;
}

/* ---- Templates ---- */

/* The greatest number of so many digits. */
static uint64_t most_of(unsigned digits)
{
	uint64_t most = 1;

	for (; digits; digits--)
		most *= 10;
	return most - 1;
}

/* Shorter numbers in hex may be part of what is looked for. */
#define HEX_LEAST 8u

static uint64_t most_of_hex(unsigned digits)
{
	return digits < 16 ? (UINT64_C(1) << 4 * digits) - 1 : UINT64_MAX;
}

/*
 * A number in a template: the greatest in its first slot, of the second one any
 * is. What differs when it does, which is TEXTS_UNLIKE when nobody asks.
 */
static enum span__texts_alike number_of(const struct span__token *t,
					uint64_t *most)
{
	switch (t->kind) {
	case TOKEN_DECIMAL:
		*most = most_of(19);
		return TEXTS_DIGITS;
	case TOKEN_DIGITS:
		*most = most_of(t->width);
		return TEXTS_DIGITS;
	case TOKEN_HEX:
		*most = most_of_hex(t->width);
		return t->width < HEX_LEAST ? TEXTS_UNLIKE : TEXTS_HEX;
	case TOKEN_HEX_LONG:
		*most = most_of_hex(t->width - 16);
		return TEXTS_HEX;
	case TOKEN_UUID:
		*most = UINT64_MAX;
		return TEXTS_HEX;
	default:
		return TEXTS_UNLIKE;
	}
}

/* What its texts differ in. */
static enum span__texts_alike alike_of(struct form *f)
{
	enum span__texts_alike alike = TEXTS_DIGITS;
	const uint8_t *p = (const uint8_t *)f->body.p;
	struct span__tokens tokens = {p, p + f->body.len};
	struct span__token t;

	for (unsigned s = 0; s < SEG_TEMPLATE_VARS; s++)
		f->most[s] = UINT64_MAX;
	while (span__token_next(&tokens, &t) > 0) {
		enum span__texts_alike one;
		uint64_t most;

		if (t.kind == TOKEN_LITERAL)
			continue;
		one = number_of(&t, &most);
		if (one == TEXTS_UNLIKE)
			return one;
		if (one > alike)
			alike = one;
		if (most < f->most[t.slot])
			f->most[t.slot] = most;
	}
	return alike;
}

/* Are the numbers of text I of the group such as the template has? */
static bool fits(const struct asking *a, const struct form *f, size_t i)
{
	for (unsigned m = f->slots; m; m &= m - 1) {
		unsigned s = (unsigned)__builtin_ctz(m);

		if (a->v[s][i] > f->most[s])
			return false;
	}
	return true;
}

static struct form *form_of(struct asking *a, uint64_t k)
{
	struct form *f;

	if (k >= a->c->n_templates)
		return NULL;
	f = &a->forms[k];
	if (!f->met)
		f->damaged = !span__texts_template(a->c, k, &f->body) ||
			     !span__texts_slots(a->c, f->body, &f->slots,
						&f->string);
	if (!f->met && !f->damaged)
		f->alike = alike_of(f);
	f->met = true;
	return f->damaged ? NULL : f;
}

/* Where the answer about such a text is, or goes. */
static struct answer *place_of(struct asking *a, uint64_t k,
			       const struct form *f, size_t i, bool *known)
{
	uint64_t hash = k * 0x9e3779b97f4a7c15u;
	struct answer *at;

	for (unsigned m = f->slots; m; m &= m - 1)
		hash = (hash ^ a->v[__builtin_ctz(m)][i]) * 0x9e3779b97f4a7c15u;
	at = &a->answers[hash >> 32 & (REMEMBERED - 1)];
	*known = at->template == k + 1;
	for (unsigned m = f->slots; m && *known; m &= m - 1) {
		unsigned s = (unsigned)__builtin_ctz(m);

		*known = at->v[s] == a->v[s][i];
	}
	return at;
}

/* Value FROM + I, number I of the group. */
static int ask_template(struct asking *a, uint64_t from, size_t i)
{
	uint64_t k = a->c->n_templates > 1 ? a->codes[i] : 0;
	struct form *f = form_of(a, k);
	struct answer *at;
	bool known;
	size_t len;

	/* one in the list is asked about like any other */
	if (!f || f->string)
		return ask_one(a, from + i);
	if (f->told && fits(a, f, i))
		return note(a, from + i, f->answer);
	at = place_of(a, k, f, i, &known);
	if (known)
		return note(a, from + i, at->answer);
	at->template = 0;
	for (unsigned s = 0; s < a->c->n_vars; s++)
		at->v[s] = a->v[s][i];
	if (!span__template_render(f->body, at->v, a->text, &len))
		return ask_one(a, from + i);
	at->answer = a->fn(a->arg, (struct span_str){a->text, len});
	if (at->answer >= 0)
		at->template = k + 1;
	f->told = f->alike && f->alike <= a->alike && at->answer >= 0;
	f->answer = at->answer;
	return note(a, from + i, at->answer);
}

static int ask_templates(struct asking *a, uint64_t from, size_t n)
{
	struct span__seg_file *file = a->c->area.file;
	struct span__watch w;
	int rc = 0;

	if (file)
		w = span__watch(file);
	if (a->c->n_templates > 1)
		span__ints_range(&a->c->codes, from, n, a->codes);
	for (unsigned s = 0; s < a->c->n_vars; s++)
		span__ints_range(&a->c->vars[s], from, n, a->v[s]);
	if (file && span__watch_end(&w))
		return ask_some(a, from, n);
	for (size_t i = 0; i < n && !rc; i++)
		rc = ask_template(a, from, i);
	return rc;
}

/* ---- The heap ---- */

/* A group, from its begin. */
static int ask_heap(struct asking *a, uint64_t from, size_t n)
{
	const struct span__texts *c = a->c;
	struct span__seg_file *file = c->area.file;
	uint64_t pos, end, *lengths = a->codes;
	struct span__watch w;
	bool good;
	int rc = 0;

	if (file)
		w = span__watch(file);
	good = span__texts_heap_group(c, from / SEG_GROUP, &pos, &end);
	span__ints_range(&c->lengths, from, n, lengths);
	good = !(file && span__watch_end(&w)) && good;
	for (size_t i = 0; i < n && !rc; i++) {
		struct span_str text = {0};

		good = good && lengths[i] <= end - pos;
		if (!good || (lengths[i] &&
			      !span__chunks_get(c->heap, pos,
						(size_t)lengths[i], &text)))
			rc = ask_one(a, from + i);
		else
			rc = note(a, from + i, a->fn(a->arg, text));
		pos += lengths[i];
	}
	return rc;
}

static int prepare(struct asking *a)
{
	const struct span__texts *c = a->c;

	span_arena_reset(a->temp);
	if (c->way != TEXTS_TEMPLATES)
		return 0;
	a->answers = calloc(REMEMBERED, sizeof(*a->answers));
	a->forms = calloc(c->n_templates, sizeof(*a->forms));
	return a->answers && a->forms ? 0 : SPAN_E_NOMEM;
}

int span__texts_ask(const struct span__texts *c, span__texts_ask_fn *fn,
		    void *arg, enum span__texts_alike alike,
		    struct span_arena *temp, uint64_t *bits, uint64_t *n)
{
	SPAN__SCRATCH struct asking a;
	int rc;

	a.c = c;
	a.fn = fn;
	a.arg = arg;
	a.alike = alike;
	a.bits = bits;
	a.n = 0;
	a.temp = temp;
	a.answers = NULL;
	a.forms = NULL;
	rc = prepare(&a);
	for (uint64_t from = 0; from < c->n && !rc; from += SEG_GROUP) {
		size_t some = c->n - from < SEG_GROUP ? (size_t)(c->n - from)
						      : SEG_GROUP;

		rc = c->way == TEXTS_TEMPLATES ? ask_templates(&a, from, some)
		     : c->way == TEXTS_HEAP    ? ask_heap(&a, from, some)
					       : ask_some(&a, from, some);
	}
	free(a.answers);
	free(a.forms);
	*n = a.n;
	return rc;
}
