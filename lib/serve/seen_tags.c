/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/seen_tags.h"

#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "base/banned.h"

#define MEMORY (256u << 20)

int span__seen_spans(const struct span__serve *serve, struct span__select *s,
		     span__seen_fn *fn, void *arg, struct span_error *err)
{
	const struct span_search_opts o = {
		.limit = SPAN__SEEN_SPANS,
		.sort = SPAN_SORT_NEWEST,
		.memory = MEMORY,
	};
	struct span__found f = {0};
	struct span span;
	int rc = span__found_open(&f, serve->store, s, &o, err);

	while (rc >= 0 &&
	       (rc = span_search_next_span(f.search, &span, err)) > 0)
		fn(arg, &span);
	span__found_close(&f);
	return rc;
}

static int compare(const struct span__seen_text *e, unsigned group,
		   struct span_str text)
{
	if (e->group != group)
		return e->group < group ? -1 : 1;
	return span_str_compare(e->text, text);
}

/* Where TEXT is, or has to be; true when it is there. */
static bool find(const struct span__seen *s, unsigned group,
		 struct span_str text, size_t *at)
{
	size_t from = 0, to = s->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int c = compare(&s->v[middle], group, text);

		if (!c) {
			*at = middle;
			return true;
		}
		if (c < 0)
			from = middle + 1;
		else
			to = middle;
	}
	*at = from;
	return false;
}

static size_t count_group(const struct span__seen *s, unsigned group)
{
	size_t from, to;

	(void)find(s, group, (struct span_str){0}, &from);
	(void)find(s, group + 1, (struct span_str){0}, &to);
	return to - from;
}

static bool has_room(struct span__seen *s)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	void *v;

	if (s->n < s->cap)
		return true;
	v = reallocarray(s->v, cap, sizeof(*s->v));
	if (!v)
		return false;
	s->v = v;
	s->cap = cap;
	return true;
}

void span__seen_add(struct span__seen *s, unsigned group, struct span_str text)
{
	struct span__seen_text new = {.group = group};
	size_t at;

	if (s->failed || find(s, group, text, &at))
		return;
	if (s->n == SPAN__SEEN_MAX || s->bytes + text.len > SPAN__SEEN_BYTES ||
	    (s->limit && count_group(s, group) >= s->limit))
		return;
	if (!has_room(s) || !span_arena_str(&s->arena, text, &new.text)) {
		s->failed = true;
		return;
	}
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(*s->v));
	s->v[at] = new;
	s->n++;
	s->bytes += text.len;
}

void span__seen_release(struct span__seen *s)
{
	span_arena_release(&s->arena);
	free(s->v);
	*s = (struct span__seen){0};
}

struct span_str span__seen_value(struct span_buf *b, const struct span_value *v)
{
	if (v->type == SPAN_STRING)
		return v->str;
	b->len = 0;
	span_text_value(b, v);
	return (struct span_str){b->p, b->len};
}
