/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shapes_part.h"

#include "base/banned.h"

#define PIECE 64u /* ids that are read at once */

/* Begin to count at the block of TRACE. */
static void begin_block(struct span__shapes_parts *p, uint64_t trace)
{
	struct span__seg *s = p->seg;
	uint64_t block = span__seg_block_of(s, trace);

	p->trace = span__ints_get(&s->block_trace, block);
	p->span = span__ints_get(&s->block_span, block);
	p->end = s->n_traces;
	if (block + 1 < s->n_blocks)
		p->end = span__ints_get(&s->block_trace, block + 1);
}

/* P->span becomes the first span of TRACE, which has N. False for damage. */
static bool find_first(struct span__shapes_parts *p, uint64_t trace, size_t n)
{
	struct span__seg *s = p->seg;

	if (trace < p->trace || trace >= p->end)
		begin_block(p, trace);
	for (; p->trace < trace && !s->file.bad; p->trace++) {
		uint64_t shape = span__ints_get(&s->trace_shape, p->trace);

		p->span += span__shapes_size(s->shapes, shape);
	}
	if (!s->file.bad && p->trace == trace && p->span <= s->n_spans &&
	    n <= s->n_spans - p->span)
		return true;
	return span__area_bad(&s->block_span.area);
}

static void put_ids(const struct span__shapes_parts *p, struct span__asked *v,
		    size_t n)
{
	uint64_t ids[PIECE];
	size_t step;

	for (size_t at = 0; at < n; at += step) {
		step = n - at < PIECE ? n - at : PIECE;
		span__ints_range(&p->seg->span_ids, p->span + at, step, ids);
		for (size_t i = 0; i < step; i++)
			v[at + i].id = ids[i];
	}
}

/* Parents that are elsewhere, of the trace that was counted up to. */
static void put_explicit(const struct span__shapes_parts *p,
			 struct span__asked *v, size_t n)
{
	struct span__seg *s = p->seg;
	uint64_t end = span__ints_upper(&s->explicit_trace, p->trace);
	uint64_t i = 0;

	if (p->trace)
		i = span__ints_upper(&s->explicit_trace, p->trace - 1);
	for (; i < end; i++) {
		uint64_t node = span__ints_get(&s->explicit_node, i);

		if (node >= n)
			(void)span__area_bad(&s->explicit_node.area);
		else
			v[node].parent_id = span__ints_get(&s->explicit_id, i);
	}
}

/*
 * Parents in the trace are before their children, the last one of a depth. The
 * trace of a span is unused here: its depth's last span is kept in it.
 */
static void put_parents(const struct span__seg_node *nodes,
			struct span__asked *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t link = nodes[i].link, depth = 0;

		/* until it is found an explicit one is its own: not told */
		v[i].parent_id = link == SEG_LINK_EXPLICIT ? v[i].id : 0;
		if (link > SEG_LINK_EXPLICIT) {
			depth = link - 1;
			v[i].parent_id = v[v[depth - 1].trace].id;
		}
		v[depth].trace = (uint32_t)i;
	}
}

int span__shapes_part(struct span__shapes_parts *p, uint64_t trace,
		      const uint8_t *told, const uint64_t *chosen,
		      const struct span__asked **out, size_t *n)
{
	struct span__seg *s = p->seg;
	const struct span__seg_node *nodes;
	struct span__asked *v;

	if (!span__shapes_get(s->shapes, span__ints_get(&s->trace_shape, trace),
			      &nodes, n))
		return s->file.bad ? 0 : SPAN_E_NOMEM;
	p->nodes.len = 0;
	v = (struct span__asked *)(void *)span_buf_reserve(
		&p->nodes, (*n + 1) * sizeof(*v));
	if (!v)
		return SPAN_E_NOMEM;
	for (size_t i = 0; i < *n; i++) {
		if (!told[nodes[i].type])
			return 0;
		v[i] = (struct span__asked){.chosen = chosen[nodes[i].type]};
	}
	if (!find_first(p, trace, *n))
		return 0;
	put_ids(p, v, *n);
	put_parents(nodes, v, *n);
	put_explicit(p, v, *n);
	*out = v;
	return s->file.bad ? 0 : 1;
}

void span__shapes_parts_release(struct span__shapes_parts *p)
{
	span_buf_release(&p->nodes);
}
