/* SPDX-License-Identifier: Apache-2.0 */
#include <span/trace.h>

#include <string.h>

#include "base/sort.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* A span cut to its ancestors; empty when it is outside, or blocks nothing. */
struct window {
	uint64_t start, end;
};

struct work {
	const struct span_trace *t;
	struct window *windows;
	/* The children of a span that have a window, the last to end first. */
	uint32_t *first, *next;
	struct span__item *items, *tmp;
	struct span_buf memory;
};

/* A span on the way; what of it ends at AT is not on the path yet. */
struct open {
	uint32_t span, child;
	uint64_t at;
};

bool span_trace_blocks(const struct span_trace *t, uint32_t child)
{
	const struct span_trace_node *node = &t->nodes[child];

	if (node->parent == NONE || node->flags & SPAN_TRACE_FOLLOWS)
		return false;
	return t->spans[child].kind != SPAN_KIND_CONSUMER ||
	       t->spans[node->parent].kind != SPAN_KIND_PRODUCER;
}

static int allocate(struct work *w, struct span_error *err)
{
	size_t each = sizeof(*w->windows) + 2 * sizeof(*w->items) +
		      2 * sizeof(*w->first);
	char *p = w->t->n < SIZE_MAX / 2 / each
			  ? span_buf_reserve(&w->memory, w->t->n * each)
			  : NULL;

	if (!p)
		return span_error_set(err, SPAN_E_NOMEM, "out of memory");
	w->windows = (struct window *)(void *)p;
	w->items = (struct span__item *)(w->windows + w->t->n);
	w->tmp = w->items + w->t->n;
	w->first = (uint32_t *)(w->tmp + w->t->n);
	w->next = w->first + w->t->n;
	return 0;
}

/* Parents come before their children. */
static void cut_windows(struct work *w)
{
	const struct span_trace *t = w->t;

	for (size_t k = 0; k < t->n; k++) {
		uint32_t i = t->order[k], parent = t->nodes[i].parent;
		struct window *win = &w->windows[i];

		*win = (struct window){t->spans[i].start_ns,
				       span_end_ns(&t->spans[i])};
		if (parent == NONE)
			continue;
		if (!span_trace_blocks(t, i))
			win->end = win->start;
		if (win->start < w->windows[parent].start)
			win->start = w->windows[parent].start;
		if (win->end > w->windows[parent].end)
			win->end = w->windows[parent].end;
	}
}

/* The higher id goes first: it is taken last. */
static int compare_ids(const void *arg, uint32_t a, uint32_t b)
{
	const struct span *spans = arg;

	return memcmp(spans[b].span_id, spans[a].span_id, 8);
}

static void sort_children(struct work *w)
{
	const struct span_trace *t = w->t;
	size_t n = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		w->first[i] = NONE;
		if (t->nodes[i].parent != NONE &&
		    w->windows[i].start < w->windows[i].end)
			w->items[n++] =
				(struct span__item){w->windows[i].end, i};
	}
	span__sort(w->items, w->tmp, n, compare_ids, t->spans);
	for (size_t k = 0; k < n; k++) {
		uint32_t i = w->items[k].i, parent = t->nodes[i].parent;

		w->next[i] = w->first[parent];
		w->first[parent] = i;
	}
}

static void put(struct span_buf *out, uint32_t span, uint64_t start,
		uint64_t end)
{
	const struct span_trace_section s = {span, start, end};

	if (start < end)
		span_buf_put(out, &s, sizeof(s));
}

static void open_span(const struct work *w, struct span_buf *stack,
		      uint32_t span)
{
	const struct open o = {span, w->first[span], w->windows[span].end};

	span_buf_put(stack, &o, sizeof(o));
}

/* From the end backwards. */
static void walk(const struct work *w, struct span_buf *stack,
		 struct span_buf *out)
{
	open_span(w, stack, w->t->root);
	while (stack->len && !stack->failed) {
		struct open *o =
			(struct open *)(void *)(stack->p + stack->len) - 1;
		uint32_t child = o->child;

		while (child != NONE && w->windows[child].end > o->at)
			child = w->next[child];
		if (child == NONE) {
			put(out, o->span, w->windows[o->span].start, o->at);
			stack->len -= sizeof(*o);
			continue;
		}
		put(out, o->span, w->windows[child].end, o->at);
		o->at = w->windows[child].start;
		o->child = w->next[child];
		open_span(w, stack, child);
	}
}

static void reverse(struct span_buf *out)
{
	struct span_trace_section *v =
		(struct span_trace_section *)(void *)out->p;
	size_t n = out->len / sizeof(*v);

	for (size_t i = 0; i < n / 2; i++) {
		struct span_trace_section s = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = s;
	}
}

int span_trace_critical_path(const struct span_trace *t, struct span_buf *out,
			     struct span_error *err)
{
	struct work w = {.t = t};
	struct span_buf stack = {0};
	int rc = allocate(&w, err);

	out->len = 0;
	if (rc < 0)
		goto done;
	cut_windows(&w);
	sort_children(&w);
	walk(&w, &stack, out);
	if (stack.failed || out->failed)
		rc = span_error_set(err, SPAN_E_NOMEM, "out of memory");
	else if (out->len)
		reverse(out);
done:
	span_buf_release(&stack);
	span_buf_release(&w.memory);
	return rc;
}

uint64_t span_trace_self_ns(const struct span_trace *t, uint32_t span)
{
	const struct span *s = &t->spans[span];
	uint64_t end = span_end_ns(s), at = s->start_ns, self = 0;

	for (uint32_t i = t->nodes[span].first_child; i != NONE && at < end;
	     i = t->nodes[i].next_sibling) {
		uint64_t from = t->spans[i].start_ns;
		uint64_t to = span_end_ns(&t->spans[i]);

		if (to <= at || from >= end || !span_trace_blocks(t, i))
			continue;
		if (from > at)
			self += from - at;
		at = to;
	}
	return at < end ? self + (end - at) : self;
}
