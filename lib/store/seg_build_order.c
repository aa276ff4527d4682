/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types in order of service and name, so that those of one service lie
 * together; traces in order of their start; the spans of each as their tree
 * has them.
 */
#include "store/seg_build_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/sort.h"

#include "base/banned.h"

static int no_memory(struct span_error *err)
{
	return span_error_set(err, SPAN_E_NOMEM, "no memory to sort a segment");
}

static int compare_types(const void *arg, uint32_t x, uint32_t y)
{
	const struct span__seg_builder *b = arg;
	const struct span__seg_type *s = &span__build_types(b)[x].type;
	const struct span__seg_type *t = &span__build_types(b)[y].type;
	const struct span_str *v = b->strings.v;
	int order;

	if (s->loose)
		return 0;
	order = span_str_compare(v[s->service], v[t->service]);
	return order ? order : span_str_compare(v[s->name], v[t->name]);
}

static int sort_types(struct span__seg_builder *b, struct span__build_order *o,
		      struct span_error *err)
{
	struct span__build_type *types = span__build_types(b);
	size_t n = span__build_n_types(b);
	struct span__item *items = calloc(2 * n + 1, sizeof(*items));

	o->types = calloc(n + 1, sizeof(*o->types));
	o->counts = calloc(n + 1, sizeof(*o->counts));
	if (!items || !o->types || !o->counts) {
		free(items);
		return no_memory(err);
	}
	for (uint32_t i = 0; i < n; i++)
		items[i] = (struct span__item){types[i].type.loose, i};
	span__sort(items, items + n, n, compare_types, b);
	for (uint32_t i = 0; i < n; i++) {
		o->types[i] = items[i].i;
		types[items[i].i].final = i;
		types[items[i].i].type.same_process = true;
	}
	free(items);
	return 0;
}

static int compare_traces(const void *arg, uint32_t x, uint32_t y)
{
	const struct span__seg_builder *b = arg;

	return memcmp(span__build_traces(b)[x].id, span__build_traces(b)[y].id,
		      16);
}

static int sort_traces(struct span__seg_builder *b, struct span__build_order *o,
		       struct span_error *err)
{
	const struct span__build_trace *traces = span__build_traces(b);
	size_t n = span__build_n_traces(b);
	struct span__item *items = malloc((2 * n + 1) * sizeof(*items));

	o->traces = calloc(n + 1, sizeof(*o->traces));
	o->shapes = calloc(n + 1, sizeof(*o->shapes));
	if (!items || !o->traces || !o->shapes) {
		free(items);
		return no_memory(err);
	}
	for (uint32_t i = 0; i < n; i++)
		items[i] = (struct span__item){traces[i].min_start, i};
	span__sort(items, items + n, n, compare_traces, b);
	for (size_t i = 0; i < n; i++)
		o->traces[i] = items[i].i;
	free(items);
	return 0;
}

/* List the spans trace by trace, as they came. */
static int group_spans(struct span__seg_builder *b, struct span__build_order *o,
		       struct span_error *err)
{
	const struct span__build_span *spans = span__build_spans(b);
	const struct span__build_trace *traces = span__build_traces(b);
	size_t n = span__seg_builder_spans(b);
	size_t n_traces = span__build_n_traces(b);
	uint32_t *next = calloc(n_traces + 1, sizeof(*next)), at = 0;

	o->spans = malloc((n + 1) * sizeof(*o->spans));
	if (!next || !o->spans) {
		free(next);
		return no_memory(err);
	}
	span__huge_hint(o->spans, (n + 1) * sizeof(*o->spans));
	for (size_t i = 0; i < n_traces; i++) {
		next[o->traces[i]] = at;
		at += traces[o->traces[i]].n;
	}
	for (uint32_t i = 0; i < n; i++)
		o->spans[next[spans[i].trace]++] = i;
	free(next);
	return 0;
}

static struct span__build_block *last_block(const struct span__build_order *o)
{
	return (struct span__build_block *)(void *)(o->blocks.p +
						    o->blocks.len) -
	       1;
}

/* Begin a block with TRACE, when the last one has enough. */
static void begin_block(const struct span__seg_builder *b,
			struct span__build_order *o, uint64_t trace,
			uint64_t span)
{
	struct span__build_block block = {trace, span, UINT64_MAX, 0};

	if (o->blocks.len && span - last_block(o)->span < SEG_BLOCK_SPANS)
		return;
	span_buf_put(&o->blocks, &block, sizeof(block));
	span_buf_put(&o->ranks, o->counts,
		     span__build_n_types(b) * sizeof(*o->counts));
}

/* Take over one span of the tree, NODE, which is at place K. */
static void take_node(struct span__seg_builder *b, struct span__build_order *o,
		      const struct span__tree_node *node, uint64_t trace,
		      uint32_t k)
{
	struct span__build_block *block = last_block(o);
	struct span__build_span *s = &span__build_spans(b)[node->span];
	struct span__seg_type *type = &span__build_types(b)[s->type].type;

	if (node->start < block->min_start)
		block->min_start = node->start;
	if (node->start > block->max_start)
		block->max_start = node->start;
	o->counts[node->type]++;
	if (node->parent != UINT32_MAX) {
		const struct span__tree_node *p = &o->tree.nodes[node->parent];

		s->start -= p->start;
		s->parent = s->start -
			    span__centre(span__build_spans(b)[p->span].duration,
					 s->duration);
		type->same_process &= p->process == node->process;
		return;
	}
	s->start -= span__build_traces(b)[s->trace].min_start;
	s->parent = s->start;
	type->same_process = false;
	if (node->link == SEG_LINK_EXPLICIT) {
		struct span__build_explicit e = {trace, k, node->parent_id};

		span_buf_put(&o->explicit, &e, sizeof(e));
	}
}

static int order_trace(struct span__seg_builder *b, struct span__build_order *o,
		       size_t trace, uint64_t first, struct span_error *err)
{
	uint32_t n = span__build_traces(b)[o->traces[trace]].n;
	uint32_t *spans = o->spans + first;
	int64_t shape;
	int rc;

	begin_block(b, o, trace, first);
	if (o->blocks.failed || o->ranks.failed ||
	    !span__build_tree(b, &o->tree, spans, n))
		return no_memory(err);
	shape = span__shapes_writer_put(o->writer, o->tree.shape, n, err);
	if (shape < 0)
		return (int)shape;
	o->shapes[trace] = (uint32_t)shape;
	rc = span__build_calls(b, o, n, err);
	if (rc < 0)
		return rc;
	for (uint32_t k = 0; k < n; k++) {
		const struct span__tree_node *node =
			&o->tree.nodes[o->tree.order[k]];

		spans[k] = node->span;
		take_node(b, o, node, trace, k);
	}
	return o->explicit.failed ? no_memory(err) : 0;
}

static void take_bounds(const struct span__seg_builder *b,
			struct span__build_order *o)
{
	const struct span__build_trace *traces = span__build_traces(b);
	const struct span__build_block *blocks =
		(const struct span__build_block *)(void *)o->blocks.p;

	for (size_t i = 0; i < span__build_n_traces(b); i++) {
		if (!i || traces[i].min_start < o->min_start)
			o->min_start = traces[i].min_start;
		if (traces[i].max_end > o->max_end)
			o->max_end = traces[i].max_end;
	}
	for (size_t i = 0; i < o->blocks.len / sizeof(*blocks); i++)
		if (blocks[i].max_start > o->max_start)
			o->max_start = blocks[i].max_start;
}

int span__build_order(struct span__seg_builder *b, struct span__build_order *o,
		      struct span_error *err)
{
	uint64_t first = 0;
	int rc;

	memcpy(o->tree.secret, b->strings.key.secret, sizeof(o->tree.secret));
	o->tree.secret[1] |= 1;
	if ((rc = span__shapes_writer_open(&o->writer, b->codec, err)) < 0 ||
	    (rc = span__agg_writer_open(&o->calls, err)) < 0 ||
	    (rc = sort_types(b, o, err)) < 0 ||
	    (rc = sort_traces(b, o, err)) < 0 ||
	    (rc = group_spans(b, o, err)) < 0)
		return rc;
	for (size_t i = 0; i < span__build_n_traces(b); i++) {
		rc = order_trace(b, o, i, first, err);
		if (rc < 0)
			return rc;
		first += span__build_traces(b)[o->traces[i]].n;
	}
	take_bounds(b, o);
	free(o->tree.memory);
	o->tree.memory = NULL;
	return 0;
}

void span__build_order_release(struct span__build_order *o)
{
	free(o->traces);
	free(o->spans);
	free(o->types);
	free(o->shapes);
	free(o->counts);
	free(o->tree.memory);
	span_buf_release(&o->blocks);
	span_buf_release(&o->ranks);
	span_buf_release(&o->explicit);
	span__shapes_writer_close(&o->writer);
	span__agg_writer_close(&o->calls);
	span_buf_release(&o->members);
	span__parents_release(&o->parents);
	*o = (struct span__build_order){0};
}
