/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/cut.h"

#include <stdio.h>
#include <string.h>

#include <span/adjust.h>

#include "base/banned.h"

/* The warnings that S has, or NULL. */
static const struct span_attr *find_warnings(const struct span *s)
{
	for (size_t i = 0; i < s->attrs.n; i++)
		if (s->attrs.v[i].value.type == SPAN_ARRAY &&
		    span_str_equal(s->attrs.v[i].key, SPAN_STR(SPAN_WARNINGS)))
			return &s->attrs.v[i];
	return NULL;
}

/* S with one more warning: behind those that it has, else its attributes. */
static bool warn(struct span_arena *a, struct span *s, struct span_str text)
{
	const struct span_attr *found = find_warnings(s);
	size_t n = found ? found->value.array.n : 0;
	size_t at = found ? (size_t)(found - s->attrs.v) : s->attrs.n;
	struct span_value *list = span_arena_array(a, n + 1, sizeof(*list));
	struct span_attr *attrs =
		span_arena_array(a, s->attrs.n + 1, sizeof(*attrs));

	if (!list || !attrs)
		return false;
	if (n)
		memcpy(list, found->value.array.v, n * sizeof(*list));
	list[n] = (struct span_value){.type = SPAN_STRING, .str = text};
	if (s->attrs.n)
		memcpy(attrs, s->attrs.v, s->attrs.n * sizeof(*attrs));
	attrs[at] = (struct span_attr){SPAN_STR(SPAN_WARNINGS),
				       {SPAN_ARRAY, {.array = {list, n + 1}}}};
	s->attrs.v = attrs;
	s->attrs.n += !found;
	return true;
}

/* The first N of V, with the warning, or NULL. */
static const struct span *copy(struct span__serve_cut *c, const struct span *v,
			       size_t n)
{
	struct span *spans;
	int len = snprintf(c->warning, sizeof(c->warning),
			   "trace has more than %zu spans, showing first %zu "
			   "spans only",
			   n, n);

	span_arena_reset(&c->arena);
	spans = span_arena_array(&c->arena, n, sizeof(*spans));
	if (!spans)
		return NULL;
	memcpy(spans, v, n * sizeof(*spans));
	if (!warn(&c->arena, spans, (struct span_str){c->warning, (size_t)len}))
		return NULL;
	return spans;
}

const struct span *span__serve_cut(struct span__serve_cut *c,
				   const struct span *v, size_t *n,
				   struct span_error *err)
{
	uint64_t parts = c->search ? span_search_cut(c->search) : 0;
	bool part = parts > c->parts;

	c->parts = parts;
	if (c->max && *n > c->max)
		*n = c->max;
	else if (!part)
		return v;
	v = copy(c, v, *n);
	if (!v)
		span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return v;
}

void span__serve_cut_release(struct span__serve_cut *c)
{
	span_arena_release(&c->arena);
	*c = (struct span__serve_cut){0};
}
