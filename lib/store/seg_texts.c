/* SPDX-License-Identifier: Apache-2.0 */
#include "store/seg_texts.h"

#include <stddef.h>
#include <string.h>

#include "base/scratch.h"
#include "store/seg_filter.h"
#include "store/seg_template.h"
#include "store/seg_varint.h"

#include "base/banned.h"

/* Open the numbers that come next in the column. */
static bool take_ints(struct span__take *t, struct span__ints *c, uint64_t n)
{
	struct span__area rest =
		span__area_sub(t->area, t->pos, t->area->len - t->pos);
	uint64_t used;

	if (t->failed || !span__ints_open(c, &rest, n, &used))
		return false;
	t->pos += used;
	return true;
}

static bool take_area(struct span__take *t, struct span__area *out,
		      uint64_t len)
{
	if (t->failed || len > t->area->len - t->pos)
		return false;
	*out = span__area_sub(t->area, t->pos, len);
	t->pos += len;
	return true;
}

static bool open_list(struct span__texts *c, struct span__take *t)
{
	uint64_t n = span__take_varint(t);

	return n <= c->n && n <= c->strings->n && take_ints(t, &c->list, n);
}

static bool open_templates(struct span__texts *c, struct span__take *t)
{
	uint64_t len;

	c->n_templates = span__take_byte(t) + 1u;
	c->n_vars = span__take_byte(t);
	if (c->n_vars > SEG_TEMPLATE_VARS ||
	    !take_ints(t, &c->template_ends, c->n_templates))
		return false;
	len = span__ints_get(&c->template_ends, c->n_templates - 1);
	if (!take_area(t, &c->templates, len) ||
	    (c->n_templates > 1 && !take_ints(t, &c->codes, c->n)))
		return false;
	for (unsigned k = 0; k < c->n_vars; k++)
		if (!take_ints(t, &c->vars[k], c->n))
			return false;
	return true;
}

static bool open_heap(struct span__texts *c, struct span__take *t)
{
	uint64_t blocks;

	c->heap_pos = span__take_varint(t);
	if (!c->heap || !take_ints(t, &c->lengths, c->n) ||
	    !take_ints(t, &c->starts, (c->n - 1) / SEG_GROUP))
		return false;
	blocks = span__take_varint(t);
	return blocks <= t->area->len / FILTER_BLOCK &&
	       take_area(t, &c->filter, blocks * FILTER_BLOCK);
}

static bool open_way(struct span__texts *c, struct span__take *t)
{
	uint64_t string;

	c->way = span__take_byte(t);
	switch (c->way) {
	case TEXTS_CONSTANT:
		string = span__take_varint(t);
		c->string = (uint32_t)string;
		return string < c->strings->n;
	case TEXTS_CODES:
		return open_list(c, t) && take_ints(t, &c->codes, c->n);
	case TEXTS_TEMPLATES:
		return open_list(c, t) && open_templates(c, t);
	case TEXTS_HEAP:
		return open_heap(c, t);
	default:
		return false;
	}
}

bool span__texts_open(struct span__texts *c, const struct span__area *area,
		      uint64_t n, struct span__strings *strings,
		      struct span__chunks *heap, uint64_t *used)
{
	struct span__take t = {.area = area};

	*c = (struct span__texts){
		.area = *area, .n = n, .strings = strings, .heap = heap};
	if (used)
		*used = 0;
	if (!n)
		return true;
	if (!open_way(c, &t) || t.failed) {
		*c = (struct span__texts){.area = {NULL, 0, area->file},
					  .strings = strings,
					  .heap = heap};
		return span__area_bad(area);
	}
	if (used)
		*used = t.pos;
	return true;
}

/* How much of it is used. */
static size_t used_size(const struct span__texts *c)
{
	switch (c->way) {
	case TEXTS_CONSTANT:
		return offsetof(struct span__texts, filter);
	case TEXTS_HEAP:
		return offsetof(struct span__texts, list);
	case TEXTS_CODES:
		return offsetof(struct span__texts, template_ends);
	default:
		return offsetof(struct span__texts, vars) +
		       c->n_vars * sizeof(*c->vars);
	}
}

struct span__texts *span__texts_keep(const struct span__texts *c,
				     struct span_arena *arena)
{
	size_t size = used_size(c);
	void *p = span_arena_alloc(arena, size);

	return p ? memcpy(p, c, size) : NULL;
}

/* String K of the list. */
static bool list_get(const struct span__texts *c, uint64_t k,
		     struct span_str *out)
{
	uint64_t string;

	if (k >= c->list.n)
		return span__area_bad(&c->area);
	string = span__ints_get(&c->list, k);
	if (string >= c->strings->n)
		return span__area_bad(&c->area);
	*out = span__strings_get(c->strings, (uint32_t)string);
	return true;
}

bool span__texts_template(const struct span__texts *c, uint64_t k,
			  struct span_str *body)
{
	uint64_t begin = 0, end;

	if (k >= c->n_templates)
		return span__area_bad(&c->area);
	if (k)
		begin = span__ints_get(&c->template_ends, k - 1);
	end = span__ints_get(&c->template_ends, k);
	if (begin > end || end > c->templates.len ||
	    end - begin > TEMPLATE_BODY_MAX)
		return span__area_bad(&c->area);
	if (!span__area_ok(&c->templates, begin, end - begin))
		return false;
	*body = (struct span_str){(const char *)c->templates.p + begin,
				  (size_t)(end - begin)};
	return true;
}

bool span__texts_slots(const struct span__texts *c, struct span_str body,
		       unsigned *slots, bool *string)
{
	const uint8_t *p = (const uint8_t *)body.p;
	struct span__tokens tokens = {p, p + body.len};
	struct span__token t;
	int rc;

	*slots = 0;
	*string = false;
	while ((rc = span__token_next(&tokens, &t)) > 0) {
		if (t.kind == TOKEN_LITERAL)
			continue;
		*slots |=
			1u << t.slot |
			1u << (span__token_long(t.kind) ? t.low_slot : t.slot);
		*string |= t.kind == TOKEN_STRING;
	}
	if (rc < 0 || *slots >> c->n_vars)
		return span__area_bad(&c->area);
	return true;
}

static bool template_get(const struct span__texts *c, uint64_t i,
			 struct span_arena *arena, struct span_str *out)
{
	uint64_t v[SEG_TEMPLATE_VARS] = {0}, k = 0;
	SPAN__SCRATCH char text[TEMPLATE_RENDER_MAX];
	struct span_str body;
	unsigned slots;
	bool string;
	size_t len;

	if (c->n_templates > 1)
		k = span__ints_get(&c->codes, i);
	if (!span__texts_template(c, k, &body) ||
	    !span__texts_slots(c, body, &slots, &string))
		return false;
	for (unsigned s = 0; s < c->n_vars; s++)
		if (slots >> s & 1)
			v[s] = span__ints_get(&c->vars[s], i);
	if (string)
		return list_get(c, v[__builtin_ctz(slots)], out);
	if (!span__template_render(body, v, text, &len))
		return span__area_bad(&c->area);
	return span_arena_str(arena, (struct span_str){text, len}, out);
}

bool span__texts_heap_group(const struct span__texts *c, uint64_t group,
			    uint64_t *pos, uint64_t *end)
{
	uint64_t last = (c->n - 1) / SEG_GROUP, begin = 0;

	*end = span__chunks_len(c->heap);
	if (group)
		begin = span__ints_get(&c->starts, group - 1);
	if (group < last) {
		uint64_t next = span__ints_get(&c->starts, group);

		if (__builtin_add_overflow(c->heap_pos, next, &next) ||
		    next > *end)
			return span__area_bad(&c->area);
		*end = next;
	}
	if (__builtin_add_overflow(c->heap_pos, begin, pos) || *pos > *end)
		return span__area_bad(&c->area);
	return true;
}

static bool heap_get(const struct span__texts *c, uint64_t i,
		     struct span_arena *arena, struct span_str *out)
{
	uint64_t first = i / SEG_GROUP * SEG_GROUP, lengths[SEG_GROUP];
	size_t n = (size_t)(i - first);
	uint64_t pos, end;
	struct span_str text;

	if (!span__texts_heap_group(c, i / SEG_GROUP, &pos, &end))
		return false;
	span__ints_range(&c->lengths, first, n + 1, lengths);
	for (size_t k = 0; k < n; k++) {
		if (lengths[k] > end - pos)
			return span__area_bad(&c->area);
		pos += lengths[k];
	}
	if (lengths[n] > end - pos)
		return span__area_bad(&c->area);
	if (!span__chunks_get(c->heap, pos, (size_t)lengths[n], &text))
		return false;
	return span_arena_str(arena, text, out);
}

static bool get_text(const struct span__texts *c, uint64_t i,
		     struct span_arena *arena, struct span_str *out)
{
	switch (c->way) {
	case TEXTS_CONSTANT:
		*out = span__strings_get(c->strings, c->string);
		return true;
	case TEXTS_CODES:
		return list_get(c, span__ints_get(&c->codes, i), out);
	case TEXTS_TEMPLATES:
		return template_get(c, i, arena, out);
	default:
		return heap_get(c, i, arena, out);
	}
}

/* A damaged number reads as 0, so it is the mark of the file that tells. */
bool span__texts_get(const struct span__texts *c, uint64_t i,
		     struct span_arena *arena, struct span_str *out)
{
	struct span__seg_file *file = c->area.file;
	bool was_bad = file && file->bad, good;
	uint64_t bad_pos = was_bad ? file->bad_pos : 0;

	*out = (struct span_str){0};
	if (i >= c->n)
		return span__area_bad(&c->area);
	if (was_bad)
		file->bad = false;
	good = get_text(c, i, arena, out) && !(file && file->bad);
	if (was_bad) {
		file->bad = true;
		file->bad_pos = bad_pos;
	}
	if (!good)
		*out = (struct span_str){0};
	return good;
}

bool span__texts_distinct(const struct span__texts *c,
			  void (*fn)(void *arg, uint32_t string), void *arg)
{
	if (!c->n || c->way > TEXTS_CODES)
		return !c->n;
	if (c->way == TEXTS_CONSTANT)
		fn(arg, c->string);
	for (uint64_t k = 0; k < c->list.n; k++) {
		uint64_t string = span__ints_get(&c->list, k);

		if (string < c->strings->n)
			fn(arg, (uint32_t)string);
	}
	return true;
}

bool span__texts_constant(const struct span__texts *c, uint32_t *string)
{
	if (!c->n || c->way != TEXTS_CONSTANT)
		return false;
	*string = c->string;
	return true;
}
