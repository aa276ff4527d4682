/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tag is looked for in the bytes of all spans at once, before they are judged
 * one by one: most have none, and to walk over their attributes takes longest.
 *
 * An attribute begins with twice the number of its key, plus one when the value
 * is a reference too. However wide such a number is written, its last byte is
 * the same, and the value follows: where no such byte is followed by the value
 * there is no such attribute. What else looks like it costs a closer look.
 */
#include "store/frame_judge.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/bytes.h"
#include "stream/frame.h"

#include "base/banned.h"

struct search {
	const struct span__judge *j;
	const struct span__tag_eq *eq;
	uint8_t value; /* the mark of strings that are the value */
	uint8_t last;  /* byte of the key, with the lowest bit set */
	uint64_t *maybe;
	/* the span at hand, and what is behind it */
	struct dec rest;
	const unsigned char *span, *span_end;
	size_t i; /* its number plus one */
};

/*
 * References to the key of S, which is marked as MARK; *KEY is the last one.
 * Strings that are the value are marked, too.
 */
static size_t find_key(const struct search *s, uint8_t mark, size_t *key)
{
	uint8_t *marks = (uint8_t *)s->j->marks.p;
	const struct span_frame_info *info = &s->j->f->info;
	size_t n = 0;

	for (size_t i = 0; i < info->n_strings; i++) {
		if (marks[i] & mark &&
		    span__str_equal(info->strings[i], s->eq->key)) {
			*key = i;
			n++;
		}
		if (span__str_equal(info->strings[i], s->eq->value))
			marks[i] |= s->value;
	}
	return n;
}

/* Is tag K one that a span can only have in its attributes? */
static bool is_own(const struct span__judge *j, size_t k)
{
	const struct span__verdict *p =
		(const struct span__verdict *)(const void *)j->processes.p;
	const struct span__verdict *s =
		(const struct span__verdict *)(const void *)j->scopes.p;
	uint64_t bit = UINT64_C(1) << k, any = 0;

	if (j->filter->tags[k].derived)
		return false;
	for (size_t i = 0; i < j->f->info.n_processes; i++)
		any |= p[i].tags;
	for (size_t i = 0; i <= j->f->n_scopes; i++)
		any |= s[i].tags;
	return !(any & bit);
}

/* May the bytes at P be the tag's value, in place? */
static bool is_value(const struct search *s, struct dec d)
{
	const struct span__tag_eq *eq = s->eq;
	unsigned head = dec_peek(&d);
	uint64_t v;
	double f;
	bool neg;

	if (head < 0x80 || head >= 0xe0 || (head >= 0xcc && head <= 0xd3))
		return eq->is_int && dec_integer(&d, &neg, &v) &&
		       v == (uint64_t)eq->i;
	if (head < 0xa0 || (head >= 0xdc && head <= 0xdf)) /* lists */
		return eq->value.len && strchr("[{", eq->value.p[0]);
	if ((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb))
		return span__str_equal(dec_str(&d, SPAN_MAX_STRING), eq->value);
	switch (head) {
	case 0xc0:
		return !eq->value.len;
	case 0xc1:
		return false;
	case 0xc2:
		return eq->is_false;
	case 0xc3:
		return eq->is_true;
	case 0xca:
	case 0xcb:
		f = dec_double(&d);
		return eq->is_double && (f == eq->d || f != f);
	default:
		return true;
	}
}

static bool is_attr(const struct search *s, const unsigned char *at)
{
	const uint8_t *marks = (const uint8_t *)s->j->marks.p;
	struct dec d = {at + 1, s->rest.end, 0, NULL};
	uint64_t ref;

	if (!(*at & 1))
		return is_value(s, d);
	ref = dec_uint(&d);
	return !d.err && ref < s->j->f->info.n_strings && marks[ref] & s->value;
}

/* Go on to the span that holds AT. False when there is none. */
static bool go_to(struct search *s, const unsigned char *at)
{
	while (at >= s->span_end) {
		uint64_t len = dec_uint(&s->rest);

		s->span = dec_take(&s->rest, len);
		if (!s->span || s->i == s->j->f->info.n_spans)
			return false;
		s->span_end = s->span + len;
		s->i++;
	}
	return true;
}

/* A byte that may end a key. False when the spans are damaged. */
static bool see(struct search *s, const unsigned char *at)
{
	if (!is_attr(s, at))
		return true;
	if (!go_to(s, at))
		return false;
	if (at >= s->span)
		s->maybe[(s->i - 1) / 64] |= UINT64_C(1) << (s->i - 1) % 64;
	return true;
}

static bool search(struct search *s)
{
	const unsigned char *p = s->rest.p, *end = s->rest.end;

#ifdef __SSE2__
	const __m128i one = _mm_set1_epi8(1);
	const __m128i last = _mm_set1_epi8((char)s->last);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		unsigned hits = (unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(_mm_or_si128(v, one), last));

		for (; hits; hits &= hits - 1) {
			if (!see(s, p + __builtin_ctz(hits)))
				return false;
		}
	}
#endif
	for (; p < end; p++) {
		if ((*p | 1) == s->last && !see(s, p))
			return false;
	}
	return true;
}

/* Search for EQ. All spans may have it when that cannot be done. */
static void search_for(const struct span__judge *j,
		       const struct span__tag_eq *eq, uint8_t mark,
		       uint8_t value, uint64_t *maybe, size_t words)
{
	struct search s = {
		.j = j,
		.eq = eq,
		.value = value,
		.maybe = maybe,
		.rest = j->f->next,
	};
	size_t key = 0, n = find_key(&s, mark, &key);

	memset(maybe, 0, words * sizeof(*maybe));
	if (!n)
		return;
	s.last = (uint8_t)(2 * key + 1);
	s.span = s.span_end = s.rest.p;
	if (n > 1 || !search(&s))
		memset(maybe, 0xff, words * sizeof(*maybe));
}

/* Does the field that is KEY, too, take no more than the head of a span? */
static bool is_of_head(enum span__derived derived)
{
	return derived == SPAN__DERIVED_ERROR ||
	       derived == SPAN__DERIVED_KIND ||
	       derived == SPAN__DERIVED_STATUS ||
	       derived == SPAN__DERIVED_STATUS_CODE;
}

/* The tag to search for: one that rules spans out, if there is one. */
static void choose(struct span__judge *j)
{
	j->searched = 0;
	j->skips = false;
	for (size_t k = 0; k < j->filter->n_tags && !j->skips; k++) {
		if (j->filter->tests[k])
			continue;
		j->skips = is_own(j, k);
		if (j->skips || is_of_head(j->filter->tags[k].derived))
			j->searched = UINT64_C(1) << k;
	}
}

bool span__judge_rules_out(const struct span__judge *j)
{
	size_t words = (j->f->info.n_spans + 63) / 64;
	uint64_t any = 0;

	if (!j->searched || !j->skips)
		return false;
	for (size_t i = 0; i < words; i++)
		any |= j->has_tag[i];
	return !any;
}

bool span__judge_search(struct span__judge *j, bool errors)
{
	static const struct span__tag_eq error = {
		.key = {"error", 5},
		.value = {"true", 4},
		.is_true = true,
	};
	size_t words = (j->f->info.n_spans + 63) / 64;
	uint64_t *p;

	j->maybe.len = 0;
	p = (uint64_t *)(void *)span_buf_reserve(&j->maybe,
						 2 * words * sizeof(*p));
	if (!p)
		return false;
	j->has_tag = p;
	choose(j);
	if (j->searched)
		search_for(j, &j->filter->tags[__builtin_ctzll(j->searched)],
			   JUDGE_KEY, JUDGE_VALUE, p, words);
	if (errors && j->has_error_key) {
		search_for(j, &error, JUDGE_ERROR, JUDGE_TRUE, p + words,
			   words);
		j->has_error = p + words;
	}
	return true;
}
