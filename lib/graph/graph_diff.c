/* SPDX-License-Identifier: Apache-2.0 */
/* Both graphs are sorted by names: one walk along both compares them. */
#include "graph/graph_tables.h"

#include "base/banned.h"

static int compare_names(const struct span_graph_node *a,
			 const struct span_graph_node *b)
{
	int order = span_str_compare(a->service, b->service);

	if (!order)
		order = span_str_compare(a->operation, b->operation);
	return order ? order : a->kind - b->kind;
}

static int compare(const struct span_graph_view *v,
		   const struct span_graph_edge *a,
		   const struct span_graph_view *w,
		   const struct span_graph_edge *b)
{
	int order = compare_names(&v->nodes[a->from], &w->nodes[b->from]);

	if (!order)
		order = compare_names(&v->nodes[a->to], &w->nodes[b->to]);
	return order ? order : a->kind - b->kind;
}

static double share(const struct span_graph_edge *e)
{
	return e->calls ? (double)e->errors / (double)e->calls : 0;
}

/* MORE or FEWER when B differs from A by more than a part of A. */
static unsigned by_part(double a, double b, double part, unsigned more,
			unsigned fewer)
{
	if (part < 0)
		return 0;
	if (b > a * (1 + part))
		return more;
	return b * (1 + part) < a ? fewer : 0;
}

static unsigned judge(const struct span_graph_edge *a,
		      const struct span_graph_edge *b,
		      const struct span_graph_tolerance *t)
{
	unsigned what = 0;

	if (!a || !b)
		return a ? SPAN_GRAPH_REMOVED : SPAN_GRAPH_ADDED;
	if (share(b) - share(a) > t->errors)
		what |= SPAN_GRAPH_MORE_ERRORS;
	if (share(a) - share(b) > t->errors)
		what |= SPAN_GRAPH_FEWER_ERRORS;
	what |= by_part((double)span_sketch_quantile(&a->durations, 0.95),
			(double)span_sketch_quantile(&b->durations, 0.95),
			t->latency, SPAN_GRAPH_SLOWER, SPAN_GRAPH_FASTER);
	return what | by_part((double)a->calls, (double)b->calls, t->calls,
			      SPAN_GRAPH_MORE_CALLS, SPAN_GRAPH_FEWER_CALLS);
}

static bool has_calls(const struct span_graph_edge *e, uint64_t min)
{
	return e && e->calls >= min;
}

int64_t span_graph_diff(const struct span_graph_view *before,
			const struct span_graph_view *after,
			const struct span_graph_tolerance *t,
			struct span_buf *out, struct span_error *err)
{
	const struct span_graph_edge *a = before->edges, *b = after->edges;
	const struct span_graph_edge *a_end = a + before->n_edges;
	const struct span_graph_edge *b_end = b + after->n_edges;
	int64_t n = 0;

	while (a < a_end || b < b_end) {
		int order = a == a_end	 ? 1
			    : b == b_end ? -1
					 : compare(before, a, after, b);
		struct span_graph_change c = {
			.before = order <= 0 ? a : NULL,
			.after = order >= 0 ? b : NULL,
		};
		const struct span_graph_view *v = c.after ? after : before;
		const struct span_graph_edge *e = c.after ? b : a;

		a += order <= 0;
		b += order >= 0;
		if (!has_calls(c.before, t->min_calls) &&
		    !has_calls(c.after, t->min_calls))
			continue;
		c.from = &v->nodes[e->from];
		c.to = &v->nodes[e->to];
		c.what = judge(c.before, c.after, t);
		n += c.what != 0;
		span_buf_put(out, &c, sizeof(c));
	}
	if (out->failed)
		return span_error_set(err, SPAN_E_NOMEM, "memory is out");
	return n;
}
