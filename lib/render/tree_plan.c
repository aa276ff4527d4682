/* SPDX-License-Identifier: Apache-2.0 */
/* Spans come in preorder: what is hidden belongs to the line before it. */
#include "render/tree_plan.h"

#include "base/banned.h"

#define NONE SPAN_TRACE_NONE

/* Flags with a mark of their own in a line. */
#define MARKED (SPAN_TRACE_ORPHAN | SPAN_TRACE_CYCLE | SPAN_TRACE_FOLLOWS)

uint64_t span__add_ns(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static bool is_plain(const struct span_trace *t, uint32_t i)
{
	return t->nodes[i].first_child == NONE &&
	       !(t->nodes[i].flags & MARKED) && !span_is_error(&t->spans[i]);
}

static bool is_alike(const struct span_trace *t, const uint8_t *matched,
		     uint32_t a, uint32_t b)
{
	const struct span *x = &t->spans[a], *y = &t->spans[b];

	return (!matched || !matched[a] == !matched[b]) &&
	       span_str_equal(x->name, y->name) &&
	       span_str_equal(x->process->service, y->process->service);
}

/* The siblings from I on that one line can stand for. */
static struct span__tree_line fold(const struct span_trace *t,
				   const uint8_t *matched, uint32_t i)
{
	struct span__tree_line line = {.span = i};

	for (uint32_t k = i;
	     k != NONE && is_plain(t, k) && is_alike(t, matched, i, k);
	     k = t->nodes[k].next_sibling) {
		uint64_t end = span_end_ns(&t->spans[k]);

		line.n++;
		line.sum_ns =
			span__add_ns(line.sum_ns, t->spans[k].duration_ns);
		line.end_ns = end > line.end_ns ? end : line.end_ns;
	}
	return line;
}

static struct span__tree_line single(const struct span_trace *t, uint32_t i)
{
	return (struct span__tree_line){
		.span = i,
		.n = 1,
		.end_ns = span_end_ns(&t->spans[i]),
		.sum_ns = t->spans[i].duration_ns,
	};
}

bool span__tree_plan(const struct span_render_opts *o,
		     const struct span_trace *t, const uint8_t *matched,
		     struct span_buf *lines)
{
	struct span__tree_line *last = NULL;

	for (size_t k = 0; k < t->n;) {
		uint32_t i = t->order[k];
		struct span__tree_line line = {0};

		if (last && o->depth && t->nodes[i].depth >= o->depth) {
			last->hidden++;
			k++;
			continue;
		}
		if (o->fold && t->nodes[i].parent != NONE)
			line = fold(t, matched, i);
		if (line.n < SPAN__FOLD_MIN)
			line = single(t, i);
		span_buf_put(lines, &line, sizeof(line));
		if (lines->failed)
			return false;
		last = (struct span__tree_line *)(void *)(lines->p +
							  lines->len) -
		       1;
		k += line.n;
	}
	return true;
}

bool span__tree_more(const struct span_trace *t,
		     const struct span__tree_line *line)
{
	uint32_t i = line->span;

	for (uint32_t k = 1; k < line->n; k++)
		i = t->nodes[i].next_sibling;
	return t->nodes[i].next_sibling != NONE;
}
