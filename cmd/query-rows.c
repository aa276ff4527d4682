/* SPDX-License-Identifier: Apache-2.0 */
#include "query-rows.h"

#include "base/banned.h"

/* What a row shows of the root: its names. */
static const struct span *keep_root(struct query_rows *r, const struct span *s)
{
	const struct span_process process = {.service = s->process->service};
	const struct span names = {.name = s->name, .process = &process};
	struct span *copy = span_arena_alloc(&r->arena, sizeof(*copy));

	return copy && span_copy(copy, &names, &r->arena) == 0 ? copy : NULL;
}

void query_rows_put(struct query_rows *r, const struct span_trace *t)
{
	uint64_t ns = t->end_ns - t->start_ns;
	struct span_trace row = *t;

	row.spans = keep_root(r, &t->spans[t->root]);
	row.root = 0;
	span_buf_put(&r->v, &row, sizeof(row));
	r->failed |= !row.spans || r->v.failed;
	if (ns > r->longest_ns)
		r->longest_ns = ns;
}

void query_rows_render(const struct query_rows *r, struct span_buf *b,
		       const struct span_render_opts *look)
{
	const struct span_trace *v = (const void *)r->v.p;
	struct span_render_opts o = *look;

	if (!r->v.len || r->failed)
		return;
	o.full_ns = r->longest_ns ? r->longest_ns : 1;
	span_render_traces_head(b, &o);
	for (size_t i = 0; i < r->v.len / sizeof(*v); i++)
		span_render_traces_row(b, &o, &v[i]);
}

void query_rows_release(struct query_rows *r)
{
	span_arena_release(&r->arena);
	span_buf_release(&r->v);
	*r = (struct query_rows){0};
}
