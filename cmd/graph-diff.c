/* SPDX-License-Identifier: Apache-2.0 */
#include "graph-diff.h"

#include <stdlib.h>

#include "base/banned.h"

#define BETTER (SPAN_GRAPH_FEWER_ERRORS | SPAN_GRAPH_FASTER)

static const struct {
	unsigned what;
	const char *name;
} changes[] = {
	{SPAN_GRAPH_ADDED, "added"},
	{SPAN_GRAPH_REMOVED, "removed"},
	{SPAN_GRAPH_MORE_ERRORS, "more errors"},
	{SPAN_GRAPH_FEWER_ERRORS, "fewer errors"},
	{SPAN_GRAPH_SLOWER, "slower"},
	{SPAN_GRAPH_FASTER, "faster"},
	{SPAN_GRAPH_MORE_CALLS, "more calls"},
	{SPAN_GRAPH_FEWER_CALLS, "fewer calls"},
};
#define CHANGES (sizeof(changes) / sizeof(changes[0]))
#define FIRST_CHANGE 2u /* of what is on both sides */
#define INDENT 9	/* of what is said of a change */

size_t graph_diff_count(const struct graph_changes *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += (c->v[i].what & ~(unsigned)BETTER) != 0;
	return n;
}

/* How many of C are added, removed, changed, alike. */
static void sum_up(const struct graph_changes *c, size_t n[4])
{
	for (size_t i = 0; i < c->n; i++) {
		unsigned what = c->v[i].what;

		n[!what			      ? 3
		  : what & SPAN_GRAPH_ADDED   ? 0
		  : what & SPAN_GRAPH_REMOVED ? 1
					      : 2]++;
	}
}

/* ---- Text ---- */

static void text_share(struct span_buf *b, const struct span_graph_edge *e)
{
	span_buf_printf(b, "%.2f %%",
			e->calls ? 100.0 * (double)e->errors / (double)e->calls
				 : 0.0);
}

/* What was and is, in figures. */
static void text_figures(struct span_buf *b, const struct span_graph_change *c)
{
	const struct span_graph_edge *was = c->before, *is = c->after;

	if (!was || !is) {
		graph_figures(b, is ? is : was);
		return;
	}
	span_buf_puts(b, "errors ");
	text_share(b, was);
	span_buf_puts(b, " -> ");
	text_share(b, is);
	span_buf_puts(b, ", p95 ");
	span_text_duration(b, graph_quantile_ns(was, 1));
	span_buf_puts(b, " -> ");
	span_text_duration(b, graph_quantile_ns(is, 1));
	span_buf_puts(b, ", calls ");
	span_text_count(b, was->calls);
	span_buf_puts(b, " -> ");
	span_text_count(b, is->calls);
}

/* A line that says who and what, and one with figures. */
static void text_change(struct span_buf *b, const struct span_graph_change *c)
{
	const struct span_graph_edge *e = c->after ? c->after : c->before;
	const char *before = ": ";
	size_t at = b->len;

	span_buf_puts(b, !c->before  ? "added    "
			 : !c->after ? "removed  "
				     : "changed  ");
	graph_name(b, c->from);
	span_buf_puts(b, " -> ");
	graph_name(b, c->to);
	span_buf_printf(b, " (%s)", graph_edge_kind(e));
	for (size_t i = FIRST_CHANGE; i < CHANGES; i++) {
		if (!(c->what & changes[i].what))
			continue;
		span_buf_printf(b, "%s%s", before, changes[i].name);
		before = ", ";
	}
	graph_end_line(b, at, INDENT);
	at = b->len;
	span_buf_printf(b, "%*s", INDENT, "");
	text_figures(b, c);
	graph_end_line(b, at, INDENT);
}

void graph_diff_text(struct span_buf *b, const struct graph_changes *c)
{
	size_t n[4] = {0};

	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].what)
			text_change(b, &c->v[i]);
	sum_up(c, n);
	span_buf_printf(b, "%zu added, %zu removed, %zu changed, %zu alike\n",
			n[0], n[1], n[2], n[3]);
}

/* ---- JSON ---- */

static void json_side(struct span_buf *b, const char *name,
		      const struct span_graph_edge *e)
{
	if (!e) {
		span_buf_printf(b, ",\"%s\":null", name);
		return;
	}
	span_buf_printf(b, ",\"%s\":{\"kind\":\"%s\"", name,
			graph_edge_kind(e));
	graph_json_figures(b, e);
	span_buf_putc(b, '}');
}

static void json_change(struct span_buf *b, const struct span_graph_change *c,
			const struct graph_form *form)
{
	const char *comma = "";

	span_buf_puts(b, "{\"parent\":");
	span_text_json(b, c->from->service);
	graph_json_text(b, "child", c->to->service);
	if (form->operations) {
		graph_json_text(b, "parent_operation", c->from->operation);
		graph_json_text(b, "child_operation", c->to->operation);
	}
	if (form->peers)
		graph_json_text(b, "child_type",
				span_str(graph_node_kind(c->to)));
	span_buf_puts(b, ",\"changes\":[");
	for (size_t i = 0; i < CHANGES; i++) {
		if (!(c->what & changes[i].what))
			continue;
		span_buf_printf(b, "%s\"%s\"", comma, changes[i].name);
		comma = ",";
	}
	span_buf_putc(b, ']');
	json_side(b, "before", c->before);
	json_side(b, "after", c->after);
	span_buf_putc(b, '}');
}

void graph_diff_json(struct span_buf *b, const struct graph_changes *c)
{
	size_t n[4] = {0}, written = 0;

	span_buf_puts(b, "{\"calls\":[");
	for (size_t i = 0; i < c->n; i++) {
		if (!c->v[i].what)
			continue;
		span_buf_puts(b, written++ ? ",\n" : "\n");
		json_change(b, &c->v[i], c->form);
	}
	sum_up(c, n);
	span_buf_printf(b,
			"],\n\"added\":%zu,\"removed\":%zu,\"changed\":%zu,"
			"\"alike\":%zu}\n",
			n[0], n[1], n[2], n[3]);
}

/* ---- DOT ---- */

static int compare_names(const void *a, const void *b)
{
	const struct span_graph_node *const *x = a, *const *y = b;
	int order = span_str_compare((*x)->service, (*y)->service);

	if (!order)
		order = span_str_compare((*x)->operation, (*y)->operation);
	return order ? order : (*x)->kind - (*y)->kind;
}

/* The different nodes of all edges, in order, into V; how many. */
static size_t list_nodes(const struct graph_changes *c,
			 const struct span_graph_node **v)
{
	size_t n = 0, to = 0;

	for (size_t i = 0; i < c->n; i++) {
		v[n++] = c->v[i].from;
		v[n++] = c->v[i].to;
	}
	if (n)
		qsort(v, n, sizeof(*v), compare_names);
	for (size_t i = 0; i < n; i++)
		if (!to || compare_names(&v[to - 1], &v[i]) != 0)
			v[to++] = v[i];
	return to;
}

static size_t number(const struct span_graph_node **v, size_t n,
		     const struct span_graph_node *node)
{
	const struct span_graph_node **at =
		bsearch(&node, v, n, sizeof(*v), compare_names);

	return (size_t)(at - v) + 1;
}

static const char *dot_look(unsigned what)
{
	if (what & SPAN_GRAPH_ADDED)
		return "color=\"#3e8635\", fontcolor=\"#3e8635\", penwidth=3";
	if (what & SPAN_GRAPH_REMOVED)
		return "color=\"#c9190b\", fontcolor=\"#c9190b\", penwidth=2, "
		       "style=dashed";
	if (what & ~(unsigned)BETTER)
		return "color=\"#ec7a08\", fontcolor=\"#ec7a08\", penwidth=3";
	return what ? "color=\"#2b9af3\", fontcolor=\"#2b9af3\", penwidth=2"
		    : "color=\"#b8bbbe\"";
}

static void dot_edge(struct span_buf *b, const struct span_graph_change *c)
{
	struct span_buf text = {0};

	span_buf_puts(b, " [label=\"");
	for (size_t i = 0, n = 0; i < CHANGES; i++)
		if (c->what & changes[i].what)
			span_buf_printf(b, "%s%s", n++ ? "\\n" : "",
					changes[i].name);
	span_buf_puts(b, "\", edgetooltip=");
	text_figures(&text, c);
	span_text_dot(b, (struct span_str){text.p, text.len});
	span_buf_printf(b, ", %s];\n", dot_look(c->what));
	b->failed |= text.failed;
	span_buf_release(&text);
}

void graph_diff_dot(struct span_buf *b, const struct graph_changes *c)
{
	const struct span_graph_node **v = calloc(2 * c->n + 1, sizeof(*v));
	size_t n = v ? list_nodes(c, v) : 0;

	b->failed |= !v;
	span_buf_puts(b, "digraph difference {\n"
			 "\trankdir=LR;\n"
			 "\tnode [shape=box, style=rounded, "
			 "fontname=\"sans-serif\"];\n"
			 "\tedge [fontname=\"sans-serif\", fontsize=10];\n");
	for (size_t i = 0; i < n; i++) {
		struct span_buf text = {0};

		graph_name(&text, v[i]);
		span_buf_printf(b, "\tn%zu [label=", i + 1);
		span_text_dot(b, (struct span_str){text.p, text.len});
		span_buf_puts(b, "];\n");
		b->failed |= text.failed;
		span_buf_release(&text);
	}
	for (size_t i = 0; v && i < c->n; i++) {
		span_buf_printf(b, "\tn%zu -> n%zu", number(v, n, c->v[i].from),
				number(v, n, c->v[i].to));
		dot_edge(b, &c->v[i]);
	}
	span_buf_puts(b, "}\n");
	free(v);
}
