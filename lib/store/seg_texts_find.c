/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is looked for is brought into the form in which the column is stored:
 * a code, the numbers of a template, or a length; then numbers are compared.
 */
#include "store/seg_texts.h"

#include <string.h>

#include "store/seg_bits.h"
#include "store/seg_filter.h"
#include "store/seg_template.h"

#include "base/banned.h"

#define PIECE 4096u /* values that are looked at together */
#define WORDS (PIECE / 64)

static uint64_t find_all(size_t n, uint64_t *bits)
{
	for (size_t k = 0; k < n / 64; k++)
		bits[k] = UINT64_MAX;
	if (n % 64)
		bits[n / 64] = (1ull << n % 64) - 1;
	return n;
}

/* Where STRING is in the list of a column; false: nowhere. */
static bool list_find(const struct span__texts *c, uint32_t string,
		      uint64_t *at)
{
	uint64_t k = span__ints_upper(&c->list, string);

	*at = k - 1;
	return k && span__ints_get(&c->list, k - 1) == string;
}

static uint64_t find_code(const struct span__texts *c, uint64_t from, size_t n,
			  uint32_t string, uint64_t *bits)
{
	uint64_t code;

	if (string == SEG_NO_STRING || !list_find(c, string, &code))
		return 0;
	return span__ints_find(&c->codes, from, n, (int64_t)code, (int64_t)code,
			       bits);
}

/* What the rows of one template with the same text have in common. */
struct wanted {
	uint64_t template;
	unsigned slots;
	uint64_t v[SEG_TEMPLATE_VARS];
};

/* Keep of BITS those whose number in C is V. */
static uint64_t narrow(const struct span__ints *c, uint64_t from, size_t n,
		       uint64_t v, uint64_t *bits)
{
	uint64_t found[WORDS], count = 0;

	span__ints_find(c, from, n, (int64_t)v, (int64_t)v, found);
	for (size_t k = 0; k < (n + 63) / 64; k++) {
		bits[k] &= found[k];
		count += span__bits_count(bits[k]);
	}
	return count;
}

static uint64_t find_wanted(const struct span__texts *c, const struct wanted *w,
			    uint64_t from, size_t n, uint64_t *bits)
{
	uint64_t count = find_all(n, bits);

	if (c->n_templates > 1)
		count = span__ints_find(&c->codes, from, n,
					(int64_t)w->template,
					(int64_t)w->template, bits);
	for (unsigned s = 0; count && s < c->n_vars; s++)
		if (w->slots >> s & 1)
			count = narrow(&c->vars[s], from, n, w->v[s], bits);
	return count;
}

/* Whether texts of template K can be TEXT, and what they are then. */
static bool want(const struct span__texts *c, uint64_t k, struct span_str text,
		 uint32_t string, struct wanted *w)
{
	const uint8_t *p;
	struct span__tokens tokens;
	struct span__token t;
	struct span_str body;

	*w = (struct wanted){.template = k};
	if (!span__texts_template(c, k, &body))
		return false;
	p = (const uint8_t *)body.p;
	tokens = (struct span__tokens){p, p + body.len};
	if (span__token_next(&tokens, &t) <= 0 || t.kind != TOKEN_STRING)
		return span__template_match(body, text, w->v, &w->slots);
	w->slots = 1u << t.slot;
	return string != SEG_NO_STRING && list_find(c, string, &w->v[t.slot]);
}

static uint64_t find_templates(const struct span__texts *c, uint64_t from,
			       size_t n, struct span_str text, uint32_t string,
			       uint64_t *bits)
{
	uint64_t found[WORDS], count = 0;
	struct wanted w;
	size_t step;

	for (uint64_t k = 0; k < c->n_templates; k++) {
		if (!want(c, k, text, string, &w) || w.slots >> c->n_vars)
			continue;
		for (size_t i = 0; i < n; i += step) {
			step = n - i < PIECE ? n - i : PIECE;
			if (!find_wanted(c, &w, from + i, step, found))
				continue;
			for (size_t j = 0; j < (step + 63) / 64; j++)
				bits[i / 64 + j] |= found[j];
		}
	}
	for (size_t j = 0; j < (n + 63) / 64; j++)
		count += span__bits_count(bits[j]);
	return count;
}

static bool heap_equal(const struct span__texts *c, uint64_t pos, uint64_t end,
		       struct span_str text)
{
	struct span_str got;

	if (!text.len)
		return true;
	if (text.len > end - pos)
		return span__area_bad(&c->area);
	return span__chunks_get(c->heap, pos, text.len, &got) &&
	       got.len == text.len && !memcmp(got.p, text.p, text.len);
}

/* Values I to I + N - 1, all of one group; found[] has those of its length. */
static uint64_t compare_group(const struct span__texts *c, uint64_t i, size_t n,
			      struct span_str text, uint64_t *found)
{
	uint64_t first = i / SEG_GROUP * SEG_GROUP, lengths[SEG_GROUP];
	size_t skip = (size_t)(i - first);
	uint64_t pos, end, count = 0;

	if (!span__texts_heap_group(c, i / SEG_GROUP, &pos, &end)) {
		memset(found, 0, SEG_GROUP / 8);
		return 0;
	}
	span__ints_range(&c->lengths, first, skip + n, lengths);
	for (size_t k = 0; k < skip + n; k++) {
		uint64_t bit = k < skip ? 0 : 1ull << (k - skip) % 64;
		uint64_t *word = &found[k < skip ? 0 : (k - skip) / 64];

		if (*word & bit) {
			if (heap_equal(c, pos, end, text))
				count++;
			else
				*word &= ~bit;
		}
		if (lengths[k] > end - pos) {
			span__area_bad(&c->area);
			pos = end;
		} else {
			pos += lengths[k];
		}
	}
	return count;
}

static void or_bits(uint64_t *bits, size_t at, const uint64_t *found, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (found[k / 64] >> k % 64 & 1)
			bits[(at + k) / 64] |= 1ull << (at + k) % 64;
}

static uint64_t find_heap(const struct span__texts *c, uint64_t from, size_t n,
			  struct span_str text, uint64_t *bits)
{
	uint64_t found[SEG_GROUP / 64], count = 0, some;
	size_t step;

	if (text.len > INT64_MAX || !span__filter_may_have(&c->filter, text))
		return 0;
	for (size_t i = 0; i < n; i += step) {
		uint64_t at = from + i;

		step = SEG_GROUP - (size_t)(at % SEG_GROUP);
		if (step > n - i)
			step = n - i;
		if (!span__ints_find(&c->lengths, at, step, (int64_t)text.len,
				     (int64_t)text.len, found))
			continue;
		some = compare_group(c, at, step, text, found);
		if (some)
			or_bits(bits, i, found, step);
		count += some;
	}
	return count;
}

uint64_t span__texts_find(const struct span__texts *c, uint64_t from, size_t n,
			  struct span_str text, uint64_t *bits)
{
	uint32_t string = SEG_NO_STRING;

	memset(bits, 0, (n + 63) / 64 * sizeof(*bits));
	if (from > c->n || n > c->n - from) {
		span__area_bad(&c->area);
		return 0;
	}
	if (!n)
		return 0;
	if (c->way == TEXTS_HEAP)
		return find_heap(c, from, n, text, bits);
	if (c->way != TEXTS_TEMPLATES || c->list.n)
		string = span__strings_find(c->strings, text);
	if (c->way == TEXTS_TEMPLATES)
		return find_templates(c, from, n, text, string, bits);
	if (c->way == TEXTS_CODES)
		return find_code(c, from, n, string, bits);
	return string == c->string ? find_all(n, bits) : 0;
}
