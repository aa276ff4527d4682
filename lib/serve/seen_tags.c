/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/seen_tags.h"

#include <stdlib.h>
#include <string.h>

#include <span/text.h>

#include "base/banned.h"

/*
 * Of a query that depends on the trace: traces are looked at as they come, for
 * to put them in order would take all of them.
 */
static int look_at_traces(struct span__found *f, span__seen_fn *fn, void *arg,
			  struct span_error *err)
{
	const struct span_search_opts o = {0};
	struct span s;
	int rc = span_search_store(&f->search, f->store, f->query, &o, err);

	for (unsigned n = 0; n < SPAN__SEEN_SPANS && rc >= 0; n++) {
		rc = span_search_next_span(f->search, &s, err);
		if (!rc)
			return 0;
		if (rc > 0)
			fn(arg, &s);
	}
	return rc < 0 ? rc : 0;
}

static int look_at_spans(const struct span__found *f, struct span_cursor *c,
			 span__seen_fn *fn, void *arg, struct span_error *err)
{
	unsigned n = 0;
	struct span s;
	int rc;

	for (unsigned i = 0; i < SPAN__SEEN_LOOKED && n < SPAN__SEEN_SPANS;
	     i++) {
		rc = span_cursor_next(c, &s, err);
		if (rc > 0)
			rc = span_query_match(f->query, &s, err);
		else if (!rc)
			return 0;
		if (rc < 0)
			return rc;
		if (rc > 0)
			fn(arg, &s);
		n += rc > 0;
	}
	return 0;
}

int span__seen_spans(const struct span__serve *serve, struct span__select *s,
		     const struct span_str *service, span__seen_fn *fn,
		     void *arg, struct span_error *err)
{
	const uint64_t newest_first = 0;
	const struct span_range range = {
		.since_ns = s->sel.since_ns,
		.until_ns = s->sel.until_ns,
		.services = service,
		.n_services = service ? 1 : 0,
		.floor_ns = &newest_first,
	};
	struct span__found f = {.pool = serve->store};
	struct span_cursor *c = NULL;
	int rc = span__select_compile(s, &f.query, err);

	if (!rc)
		rc = span__serve_take(serve->store, &f.store, err);
	if (rc < 0) {
		span_query_close(&f.query);
		return rc;
	}
	if (span_query_needs_trace(f.query)) {
		rc = look_at_traces(&f, fn, arg, err);
	} else {
		rc = span_store_scan(f.store, &range, &c, err);
		if (!rc)
			rc = look_at_spans(&f, c, fn, arg, err);
	}
	span_cursor_close(&c);
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
