/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many different texts a column has decides its way: few are strings of
 * the segment, and many are templates if they can be, else texts in the heap.
 * Templates are made to see how long they get; what codes and heap would take
 * is estimated, as strings and heap are compressed later.
 */
#include "store/seg_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "store/seg_bits.h"
#include "store/seg_filter.h"
#include "store/seg_template.h"
#include "store/seg_varint.h"

#include "base/banned.h"

#define CODES_MAX 65536u /* strings of one column */
#define CODES_FREE 1024u /* so many whatever share they are */
#define FILTER_MIN 64u	 /* values */
#define TEXTS_FEW 3u	 /* values that may be alike by chance */
#define TEXT_LONG 256u
#define SIZE_WORST UINT64_MAX

struct planner {
	struct span__texts_plan *plan;
	struct span__texts_scratch *scratch;
	const struct span_str *strings;
	const uint32_t *v;
	size_t n;
	/* The different ones, unless there are more than CODES_MAX. */
	size_t n_different;
	uint64_t different_len, len; /* of their bytes, and of all bytes */
	bool few;
};

static const uint32_t *different(const struct planner *p)
{
	return (const void *)p->scratch->c.p;
}

static bool make_codes(struct span__texts_scratch *s, size_t n)
{
	uint32_t *p;

	if (n <= s->n_code)
		return true;
	if (n > SIZE_MAX / sizeof(*p))
		return false;
	p = realloc(s->code, n * sizeof(*p));
	if (!p)
		return false;
	memset(p + s->n_code, 0xff, (n - s->n_code) * sizeof(*p));
	s->code = p;
	s->n_code = n;
	return true;
}

static void forget(struct planner *p)
{
	for (size_t i = 0; i < p->scratch->c.len / sizeof(uint32_t); i++)
		p->scratch->code[different(p)[i]] = UINT32_MAX;
	p->scratch->c.len = 0;
}

/* List the different ones in scratch->c; their codes are not UINT32_MAX. */
static bool list_different(struct planner *p)
{
	struct span__texts_scratch *s = p->scratch;
	size_t i;

	s->c.len = 0;
	p->n_different = 0;
	p->different_len = 0;
	for (i = 0; i < p->n && p->n_different <= CODES_MAX; i++) {
		uint32_t string = p->v[i];

		if (s->code[string] != UINT32_MAX)
			continue;
		s->code[string] = 0;
		span_buf_put(&s->c, &string, sizeof(string));
		if (s->c.failed) {
			s->code[string] = UINT32_MAX;
			return false;
		}
		p->n_different++;
		p->different_len += p->strings[string].len;
	}
	p->few = p->n_different <= CODES_MAX;
	return true;
}

static uint64_t prefix(struct span_str s)
{
	uint64_t v = 0;

	for (size_t k = 0; k < 8; k++)
		v = v << 8 | (k < s.len ? (uint8_t)s.p[k] : 0);
	return v;
}

static int compare(const void *arg, uint32_t a, uint32_t b)
{
	const struct span_str *strings = arg;

	return span_str_compare(strings[a], strings[b]);
}

bool span__texts_rank(struct span__texts_plan *plan,
		      struct span__texts_scratch *scratch,
		      const struct span_str *strings)
{
	size_t n = scratch->c.len / sizeof(uint32_t);
	uint32_t *list = (void *)scratch->c.p;
	struct span__item *items = NULL;

	if (!scratch->c.failed && n)
		items = calloc(2 * n, sizeof(*items));
	if (items)
		plan->strings = calloc(n, sizeof(*plan->strings));
	if (!items || !plan->strings) {
		free(items);
		plan->data.failed = true;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		items[i] =
			(struct span__item){prefix(strings[list[i]]), list[i]};
	span__sort(items, items + n, n, compare, strings);
	for (size_t i = 0; i < n; i++) {
		plan->strings[i] = items[i].i;
		scratch->code[items[i].i] = (uint32_t)i;
	}
	plan->n_strings = n;
	free(items);
	return true;
}

static void drop(struct span__texts_plan *plan)
{
	free(plan->strings);
	plan->strings = NULL;
	plan->n_strings = 0;
	plan->data.len = 0;
}

/* ---- What each way costs, about, in bytes ---- */

/* Long texts are in the table only when they come again. */
static bool is_constant(const struct planner *p)
{
	return p->n_different == 1 &&
	       (p->n > TEXTS_FEW || p->different_len < TEXT_LONG);
}

static uint64_t strings_size(uint64_t n, uint64_t len)
{
	return len / 2 + 3 * n;
}

static uint64_t codes_size(const struct planner *p)
{
	size_t n = p->n_different;

	if (!p->few || (n > CODES_FREE && n > p->n / 4))
		return SIZE_WORST;
	return 4 + strings_size(n, p->different_len) +
	       p->n * span__bits_of(n - 1) / 8;
}

/* Texts that come again cost some bytes in a compressed heap. */
static uint64_t heap_size(const struct planner *p)
{
	uint64_t len = p->different_len, again = p->n - p->n_different;

	if (!p->few)
		return p->len / 2 + 2 * p->n;
	return 10 + len / 2 + p->n / 2 + again * 3 +
	       (p->n > FILTER_MIN ? p->n_different : 0);
}

/* Templates take time to try: only where strings are much of the cost. */
static bool try_templates(const struct planner *p)
{
	uint64_t codes = p->n * span__bits_of(p->n_different) / 8;

	return p->n_different > 3 &&
	       (!p->few ||
		strings_size(p->n_different, p->different_len) > codes / 5);
}

/* ---- The ways ---- */

static bool plan_codes(struct planner *p)
{
	struct span__texts_scratch *s = p->scratch;
	uint64_t *codes;

	s->a.len = 0;
	codes = (void *)span_buf_reserve(&s->a, p->n * sizeof(*codes));
	if (!codes || !list_different(p) ||
	    !span__texts_rank(p->plan, s, p->strings))
		return false;
	for (size_t i = 0; i < p->n; i++)
		codes[i] = s->code[p->v[i]];
	span__ints_put(&p->plan->data, codes, p->n);
	return true;
}

static bool plan_constant(struct planner *p)
{
	p->plan->strings = calloc(1, sizeof(*p->plan->strings));
	if (!p->plan->strings)
		return false;
	p->plan->strings[0] = p->v[0];
	p->plan->n_strings = 1;
	return true;
}

static void put_filter(struct planner *p)
{
	struct span_buf *out = &p->plan->data;
	size_t len = span__filter_len(p->few ? p->n_different : p->n);
	char *to;

	if (p->n <= FILTER_MIN || len > p->len / 8) {
		span__varint_put(out, 0);
		return;
	}
	span__varint_put(out, len / FILTER_BLOCK);
	to = span_buf_reserve(out, len);
	if (!to)
		return;
	memset(to, 0, len);
	for (size_t i = 0; i < p->n; i++)
		span__filter_put((uint8_t *)to, len, p->strings[p->v[i]]);
	out->len += len;
}

static bool plan_heap(struct planner *p)
{
	struct span_buf *a = &p->scratch->a, *out = &p->plan->data;
	uint64_t *lengths, *starts, at = 0;
	size_t n_starts = 0;

	p->plan->heap_strings = malloc(p->n * sizeof(*p->v));
	if (!p->plan->heap_strings)
		return false;
	memcpy(p->plan->heap_strings, p->v, p->n * sizeof(*p->v));
	a->len = 0;
	lengths = (void *)span_buf_reserve(a, (p->n + p->n / SEG_GROUP + 1) *
						      sizeof(*lengths));
	if (!lengths)
		return false;
	starts = lengths + p->n;
	for (size_t i = 0; i < p->n; i++) {
		struct span_str text = p->strings[p->v[i]];

		if (i && i % SEG_GROUP == 0)
			starts[n_starts++] = at;
		lengths[i] = text.len;
		at += text.len;
	}
	span__ints_put(out, lengths, p->n);
	span__ints_put(out, starts, n_starts);
	put_filter(p);
	return true;
}

static bool plan_way(struct planner *p)
{
	struct span__texts_plan *plan = p->plan;
	uint64_t best, heap = heap_size(p), codes = codes_size(p);

	if (is_constant(p)) {
		plan->way = TEXTS_CONSTANT;
		return plan_constant(p);
	}
	best = codes < heap ? codes : heap;
	if (try_templates(p)) {
		plan->way = TEXTS_TEMPLATES;
		if (span__templates_plan(plan, p->scratch, p->strings, p->v,
					 p->n)) {
			uint64_t len = plan->data.len;

			for (size_t i = 0; i < plan->n_strings; i++)
				len += p->strings[plan->strings[i]].len;
			if (len < best)
				return true;
		}
		drop(plan);
		if (plan->data.failed || p->scratch->b.failed)
			return false;
	}
	plan->way = codes <= heap ? TEXTS_CODES : TEXTS_HEAP;
	return codes <= heap ? plan_codes(p) : plan_heap(p);
}

static void clear_failures(struct span__texts_scratch *s)
{
	s->a.failed = s->b.failed = s->c.failed = false;
}

int span__texts_plan(struct span__texts_plan *plan,
		     struct span__texts_scratch *scratch,
		     const struct span_str *strings, size_t n_strings,
		     const uint32_t *v, size_t n, struct span_error *err)
{
	struct planner p = {.plan = plan,
			    .scratch = scratch,
			    .strings = strings,
			    .v = v,
			    .n = n};
	bool good;

	*plan = (struct span__texts_plan){.n = n};
	if (!n)
		return 0;
	good = make_codes(scratch, n_strings) && list_different(&p);
	forget(&p);
	for (size_t i = 0; i < n; i++)
		p.len += strings[v[i]].len;
	good = good && plan_way(&p);
	forget(&p);
	clear_failures(scratch);
	if (good && !plan->data.failed)
		return 0;
	span__texts_plan_release(plan);
	return span_error_set(err, SPAN_E_NOMEM, "out of memory");
}

void span__texts_put_heap(struct span__texts_plan *plan,
			  const struct span_str *strings,
			  struct span__chunks_writer *heap)
{
	if (!plan->heap_strings)
		return;
	plan->heap_pos = span__chunks_writer_len(heap);
	for (size_t i = 0; i < plan->n; i++) {
		struct span_str text = strings[plan->heap_strings[i]];

		span__chunks_writer_put(heap, text.p, text.len);
	}
	free(plan->heap_strings);
	plan->heap_strings = NULL;
}

size_t span__texts_plan_memory(const struct span__texts_plan *plan)
{
	return plan->data.cap + plan->n_strings * sizeof(*plan->strings) +
	       (plan->heap_strings ? plan->n * sizeof(*plan->heap_strings) : 0);
}

size_t span__texts_scratch_memory(const struct span__texts_scratch *s)
{
	return s->n_code * sizeof(*s->code) + s->a.cap + s->b.cap + s->c.cap;
}

void span__texts_put(struct span_buf *out, const struct span__texts_plan *plan,
		     const uint32_t *final)
{
	struct span_buf list = {0};

	if (!plan->n)
		return;
	span_buf_putc(out, (char)plan->way);
	if (plan->way == TEXTS_CONSTANT) {
		span__varint_put(out, final[plan->strings[0]]);
		return;
	}
	for (size_t i = 0; i < plan->n_strings; i++) {
		uint64_t number = final[plan->strings[i]];

		span_buf_put(&list, &number, sizeof(number));
	}
	if (plan->way == TEXTS_HEAP) {
		span__varint_put(out, plan->heap_pos);
	} else {
		span__varint_put(out, plan->n_strings);
		span__ints_put(out, (const void *)list.p, plan->n_strings);
	}
	out->failed |= list.failed;
	span_buf_release(&list);
	span_buf_put(out, plan->data.p, plan->data.len);
}

void span__texts_plan_release(struct span__texts_plan *plan)
{
	free(plan->strings);
	free(plan->heap_strings);
	span_buf_release(&plan->data);
	*plan = (struct span__texts_plan){0};
}

void span__texts_scratch_release(struct span__texts_scratch *s)
{
	free(s->code);
	span_buf_release(&s->a);
	span_buf_release(&s->b);
	span_buf_release(&s->c);
	*s = (struct span__texts_scratch){0};
}
