/* SPDX-License-Identifier: Apache-2.0 */
/* The section of edges, as span-store(5) draws it. */
#include "store/seg_edges.h"

#include <string.h>

#include "base/sort.h"
#include "store/seg_varint.h"

#include "base/banned.h"

/* Who the other segment of a pair is. */
static void put_identity(struct span_buf *out, const struct span__seg *s)
{
	const struct span__seg_header *h = &s->file.header;

	span_buf_put(out, h->id.uuid, 16);
	span__varint_put(out, h->id.number);
	span__varint_put(out, h->first_number);
	span__varint_put(out, h->created_ns);
	span__varint_put(out, h->sum.n_spans);
}

static bool take_identity(struct span__take *t, const struct span__seg *s)
{
	const struct span__seg_header *h = &s->file.header;
	bool same = true;

	for (int i = 0; i < 16; i++)
		same &= span__take_byte(t) == h->id.uuid[i];
	same &= span__take_varint(t) == h->id.number;
	same &= span__take_varint(t) == h->first_number;
	same &= span__take_varint(t) == h->created_ns;
	same &= span__take_varint(t) == h->sum.n_spans;
	return same;
}

static uint64_t field(const struct span__edge *e, int column)
{
	switch (column) {
	case EDGE_ORPHAN:
		return e->orphan;
	case EDGE_START:
		return e->start_ns;
	case EDGE_DURATION:
		return e->duration_ns;
	case EDGE_TYPE:
		return e->type;
	default:
		return e->parent_type;
	}
}

static void put_list(struct span_buf *out, const struct span__edge *v, size_t n)
{
	struct span_buf values = {0}, columns = {0};
	uint64_t *p = (uint64_t *)(void *)span_buf_reserve(
		&values, (n + 1) * sizeof(*p));

	for (int c = 0; c < EDGE_COLUMNS && p; c++) {
		for (size_t i = 0; i < n; i++)
			p[i] = field(&v[i], c);
		if (n)
			span__ints_put(&columns, p, n);
	}
	out->failed |= columns.failed || !p;
	span__varint_put(out, n);
	span__varint_put(out, columns.len);
	span_buf_put(out, columns.p, columns.len);
	span_buf_release(&values);
	span_buf_release(&columns);
}

void span__edges_put(struct span_buf *out, const struct span__seg *other,
		     const struct span__edge *own, size_t n_own,
		     const struct span__edge *others, size_t n_others)
{
	put_identity(out, other);
	put_list(out, own, n_own);
	put_list(out, others, n_others);
}

/* Pass over a list, or open it. */
static bool take_list(struct span__take *t, struct span__edges *out)
{
	uint64_t n = span__take_varint(t), len = span__take_varint(t);
	struct span__area area;

	if (t->failed || len > t->area->len - t->pos)
		return false;
	area = span__area_sub(t->area, t->pos, len);
	t->pos += len;
	if (!out)
		return true;
	for (int c = 0; c < EDGE_COLUMNS && n; c++) {
		uint64_t used;

		if (!span__ints_open(&out->columns[c], &area, n, &used))
			return false;
		area = span__area_sub(&area, used, area.len - used);
	}
	out->n = n;
	return true;
}

bool span__edges_open(struct span__edges *out, struct span__seg *s,
		      const struct span__seg *other,
		      enum span__edges_children children)
{
	struct span__area section = span__seg_area(&s->file, SEG_EDGES);
	struct span__take t = {.area = &section};

	out->n = 0;
	while (t.pos < section.len) {
		bool same = take_identity(&t, other);

		if (!take_list(&t, same && children == EDGES_OWN ? out : NULL))
			return span__area_bad(&section);
		if (same && children == EDGES_OWN)
			return true;
		if (!take_list(&t, same ? out : NULL))
			return span__area_bad(&section);
		if (same)
			return true;
	}
	return false;
}

bool span__edges_get(const struct span__edges *e, uint64_t i,
		     const struct span__seg *child,
		     const struct span__seg *parent, struct span__edge *out)
{
	uint64_t v[EDGE_COLUMNS];

	for (int c = 0; c < EDGE_COLUMNS; c++)
		v[c] = span__ints_get(&e->columns[c], i);
	*out = (struct span__edge){
		.orphan = v[EDGE_ORPHAN],
		.start_ns = v[EDGE_START],
		.duration_ns = v[EDGE_DURATION],
		.type = (uint32_t)v[EDGE_TYPE],
		.parent_type = (uint32_t)v[EDGE_PARENT_TYPE],
	};
	if (v[EDGE_ORPHAN] < child->explicit_trace.n &&
	    v[EDGE_TYPE] < child->types.n &&
	    v[EDGE_PARENT_TYPE] < parent->types.n)
		return true;
	return span__area_bad(&e->columns[EDGE_ORPHAN].area);
}
